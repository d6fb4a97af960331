/* SPDX-License-Identifier: Apache-2.0
 * Two hiredis contexts: commands, and subscription. hiredis 0.14 has no command time limit: a PING
 * each second that is not answered within two drops the connection, and every pending callback gets
 * NULL. */
#include "kv/kv.h"
#include "base/clock.h"
#include "base/log.h"
#include "loop/loop.h"

#include <hiredis/adapters/libevent.h>
#include <hiredis/async.h>
#include <hiredis/sds.h>
#include <stdio.h>
#include <stdlib.h>

struct link {
	redisAsyncContext *ctx;
	bool up, wanted, subscriber;
	int64_t retry_us, ping_us, since_us;
	struct who who;
};

static struct link commands, subscription;
static char *address, *user, *secret, *pattern;
static int port;
static uint64_t dropped;
static void (*message_fn)(void *arg, const char *channel, const char *p, size_t n);
static void *message_arg;

static bool parse_url(const char *url, const char **out_error)
{
	const char *p, *at, *colon;

	free(address);
	address = NULL;
	port = 0;
	if (strncmp(url, "unix://", 7) == 0 && url[7] == '/') {
		address = xstrdup(url + 7);
		return true;
	}
	if (strncmp(url, "redis://", 8) != 0) {
		*out_error = "redis.url: unix:///path or redis://address:port";
		return false;
	}
	p = url + 8;
	at = strrchr(p, '@');
	if (at) {
		free(user);
		user = xstrndup(p, strcspn(p, ":@"));
		p = at + 1;
	}
	colon = strrchr(p, ':');
	address = xstrndup(p, colon ? (size_t)(colon - p) : strlen(p));
	port = colon ? atoi(colon + 1) : 6379;
	if (strncmp(address, "127.", 4) != 0 && strcmp(address, "::1") != 0) {
		*out_error = "redis.url: plain TCP only to a loopback address; elsewhere through a "
			     "local TLS proxy (stunnel), as this hiredis speaks no TLS";
		return false;
	}
	return true;
}

static void set_up(struct link *l, bool up)
{
	if (l->up == up)
		return;
	l->up = up;
	l->since_us = clock_mono_us();
	log_info(&l->who, "redis %s", up ? "up" : "down");
}

static void lost(struct link *l)
{
	l->ctx = NULL; /* the context frees itself */
	l->ping_us = 0;
	set_up(l, false);
	l->retry_us = clock_mono_us() + 500000;
}

static void on_disconnect(const redisAsyncContext *c, int status)
{
	struct link *l = c->data;

	(void)status;
	if (l->ctx == c)
		lost(l);
}

static void on_pmessage(redisAsyncContext *c, void *r, void *arg)
{
	redisReply *reply = r;

	(void)c;
	(void)arg;
	if (reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 4 &&
		reply->element[3]->type == REDIS_REPLY_STRING)
		message_fn(message_arg, reply->element[2]->str, reply->element[3]->str,
			(size_t)reply->element[3]->len);
	loop_note_turn("redis");
}

static void on_auth(redisAsyncContext *c, void *r, void *arg)
{
	redisReply *reply = r;
	struct link *l = arg;

	(void)c;
	if (reply && reply->type == REDIS_REPLY_ERROR)
		log_error(&l->who, "redis refused the credentials");
}

static void on_connect(const redisAsyncContext *c, int status)
{
	struct link *l = c->data;

	if (l->ctx != c)
		return;
	if (status != REDIS_OK) {
		lost(l);
		return;
	}
	set_up(l, true);
	if (l->subscriber)
		redisAsyncCommand(l->ctx, on_pmessage, l, "PSUBSCRIBE %s", pattern);
}

static void link_connect(struct link *l)
{
	redisAsyncContext *c =
		port ? redisAsyncConnect(address, port) : redisAsyncConnectUnix(address);

	l->retry_us = clock_mono_us() + 500000;
	if (!c || c->err) {
		if (c)
			redisAsyncFree(c);
		return;
	}
	l->ctx = c;
	c->data = l;
	redisLibeventAttach(c, loop_base());
	redisAsyncSetConnectCallback(c, on_connect);
	redisAsyncSetDisconnectCallback(c, on_disconnect);
	if (secret && user && *user)
		redisAsyncCommand(c, on_auth, l, "AUTH %s %s", user, secret);
	else if (secret)
		redisAsyncCommand(c, on_auth, l, "AUTH %s", secret);
}

static void on_pong(redisAsyncContext *c, void *r, void *arg)
{
	struct link *l = arg;

	(void)c;
	if (r)
		l->ping_us = 0;
}

static void link_tick(struct link *l, int64_t now)
{
	if (!l->wanted)
		return;
	if (!l->ctx) {
		if (now >= l->retry_us)
			link_connect(l);
		return;
	}
	if (l->ping_us && now - l->ping_us > 2 * US_PER_S) {
		redisAsyncContext *c = l->ctx;

		lost(l);
		redisAsyncFree(c);
	} else if (l->up && !l->ping_us && !l->subscriber) {
		l->ping_us = now;
		redisAsyncCommand(l->ctx, on_pong, l, "PING");
	}
}

static void on_tick(void *arg)
{
	int64_t now = clock_mono_us();

	(void)arg;
	link_tick(&commands, now);
	link_tick(&subscription, now);
}

bool kv_init(const char *url, const char *password, const char **out_error)
{
	if (!url || !*url)
		return true;
	if (!parse_url(url, out_error))
		return false;
	secret = password && *password ? xstrdup(password) : NULL;
	snprintf(commands.who.kind, sizeof(commands.who.kind), "kv");
	snprintf(subscription.who.kind, sizeof(subscription.who.kind), "kv");
	subscription.who.id = 1;
	subscription.subscriber = true;
	commands.wanted = true;
	commands.since_us = clock_mono_us();
	link_connect(&commands);
	loop_every(1000, on_tick, NULL);
	return true;
}

void kv_free(void)
{
	commands.wanted = subscription.wanted = false;
	if (commands.ctx) {
		redisAsyncContext *c = commands.ctx;

		commands.ctx = NULL;
		redisAsyncFree(c);
	}
	if (subscription.ctx) {
		redisAsyncContext *c = subscription.ctx;

		subscription.ctx = NULL;
		redisAsyncFree(c);
	}
	free(address);
	free(user);
	free(secret);
	free(pattern);
	address = user = secret = pattern = NULL;
}

bool kv_is_up(void)
{
	return commands.up;
}

int64_t kv_since_us(void)
{
	return commands.since_us;
}

uint64_t kv_dropped(void)
{
	return dropped;
}

/* At most 4 MiB wait for a slow Redis; the rest is dropped and counted. */
static bool may_send(void)
{
	if (commands.up && commands.ctx &&
		(!commands.ctx->c.obuf || sdslen(commands.ctx->c.obuf) < (4u << 20)))
		return true;
	dropped += commands.wanted;
	return false;
}

void kv_publish(const char *channel, const char *p, size_t n)
{
	if (may_send())
		redisAsyncCommand(commands.ctx, NULL, NULL, "PUBLISH %s %b", channel, p, n);
}

void kv_stream_add(const char *key, int64_t max, const char *p, size_t n)
{
	if (may_send())
		redisAsyncCommand(commands.ctx, NULL, NULL, "XADD %s MAXLEN ~ %lld * event %b", key,
			(long long)max, p, n);
}

void kv_psubscribe(const char *want,
	void (*fn)(void *arg, const char *channel, const char *p, size_t n), void *arg)
{
	pattern = xstrdup(want);
	message_fn = fn;
	message_arg = arg;
	if (!address)
		return;
	subscription.wanted = true;
	link_connect(&subscription);
}
