/* SPDX-License-Identifier: Apache-2.0
 * Two connections: one for commands, one for the subscription. hiredis writes the commands and
 * parses the replies; the bytes go through our own bufferevent, because hiredis 0.14 has no TLS and
 * its contexts have no time limit. Replies come in order: if the oldest command waits longer than
 * ANSWER_US, the connection is dropped and every pending callback gets NULL. */
#include "kv/kv.h"
#include "base/magic.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/outage.h"
#include "loop/loop.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PART "redis"
#define ANSWER_US (2 * US_PER_S)
#define RETRY_US 500000
#define KV_ARGS_MAX 512
/* bytes that wait for a slow Redis; the rest is dropped and counted */
#define QUEUE_MAX (4u << 20)

/* A command waiting for its reply. */
struct pending {
	struct list node;
	kv_done *fn;
	void *arg;
	int64_t sent_us;
};

struct link {
	uint32_t magic;
	struct bufferevent *bev; /* NULL: not connected, and not connecting */
	redisReader *reader;
	struct list pending;
	bool up, wanted, subscriber;
	bool refused; /* our password */
	int64_t retry_us, began_us, since_us;
	struct who who;
};
MAGIC(link, 0xfb3e3e95);

enum transport { KV_UNIX, KV_TCP, KV_TLS };

static struct {
	struct {
		enum transport transport;
		char *host, *user, *secret; /* host: the path, for KV_UNIX */
		int port;
		SSL_CTX *tls;
	} server;
	struct link commands, subscription;
	char *pattern;
	uint64_t dropped;
	void *message_arg;
} kv;
static void (*message_fn)(void *arg, const char *channel, const char *p, size_t n);

/* --- the address of Redis --- */

static bool is_loopback(const char *host)
{
	return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

/* user@host:port, where user and port are optional; an IPv6 address is in brackets. */
static bool parse_authority(const char *p)
{
	const char *at = strrchr(p, '@'), *end;
	int64_t port = 6379;

	if (at) {
		kv.server.user = xstrndup(p, strcspn(p, ":@"));
		p = at + 1;
	}
	if (*p == '[') {
		end = strchr(++p, ']');
		if (!end)
			return false;
		kv.server.host = xstrndup(p, (size_t)(end++ - p));
	} else {
		end = p + strcspn(p, ":");
		kv.server.host = xstrndup(p, (size_t)(end - p));
	}
	if (*end == ':' ? !str_to_int(str_of(end + 1), 1, 65535, &port) : *end != 0)
		return false;
	kv.server.port = (int)port;
	return *kv.server.host != 0;
}

static bool parse_url(const char *url, const char **out_error)
{
	*out_error = "redis.url: unix:///path, redis://address:port or rediss://host:port";
	if (strncmp(url, "unix:///", 8) == 0) {
		kv.server.transport = KV_UNIX;
		kv.server.host = xstrdup(url + 7);
		return strlen(kv.server.host) < sizeof(((struct sockaddr_un *)0)->sun_path);
	}
	if (strncmp(url, "rediss://", 9) == 0) {
		kv.server.transport = KV_TLS;
		return parse_authority(url + 9);
	}
	kv.server.transport = KV_TCP;
	if (strncmp(url, "redis://", 8) != 0 || !parse_authority(url + 8))
		return false;
	*out_error = "redis.url: plain TCP only to a loopback address; elsewhere rediss:// (TLS)";
	return is_loopback(kv.server.host);
}

static bool trust(const char *ca_file, const char **out_error)
{
	kv.server.tls = SSL_CTX_new(TLS_client_method());
	bug_on(!kv.server.tls);
	SSL_CTX_set_min_proto_version(kv.server.tls, TLS1_2_VERSION);
	SSL_CTX_set_verify(kv.server.tls, SSL_VERIFY_PEER, NULL);
	*out_error = "redis.ca_file: cannot be read";
	return ca_file && *ca_file
		       ? SSL_CTX_load_verify_locations(kv.server.tls, ca_file, NULL) == 1
		       : SSL_CTX_set_default_verify_paths(kv.server.tls) == 1;
}

/* The certificate must be valid for the requested host, whether name or address. */
static SSL *new_ssl(void)
{
	SSL *ssl = SSL_new(kv.server.tls);

	bug_on(!ssl);
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), kv.server.host) != 1) {
		ERR_clear_error();
		bug_on(SSL_set1_host(ssl, kv.server.host) != 1);
		SSL_set_tlsext_host_name(ssl, kv.server.host);
	}
	return ssl;
}

/* --- a connection --- */

static void link_send(struct link *l, kv_done *fn, void *arg, const char *command, size_t n)
{
	struct pending *p = xcalloc(1, sizeof(*p));

	*p = (struct pending){ .fn = fn, .arg = arg, .sent_us = clock_mono_us() };
	list_add_tail(&l->pending, &p->node);
	bufferevent_write(l->bev, command, n);
}

static void link_command(struct link *l, kv_done *fn, void *arg, const char *format, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, format);
	n = redisvFormatCommand(&text, format, ap);
	va_end(ap);
	bug_on(n < 0);
	link_send(l, fn, arg, text, (size_t)n);
	redisFreeCommand(text);
}

/* Give the reply to the oldest command; NULL if Redis went down meanwhile. */
static void finish_command(struct link *l, const redisReply *reply)
{
	struct pending *p = list_entry(l->pending.next, struct pending, node);

	list_remove(&p->node);
	if (p->fn)
		p->fn(p->arg, reply);
	free(p);
}

static bool is_whole(void)
{
	return (kv.commands.up || !kv.commands.wanted) && !kv.commands.refused &&
	       (kv.subscription.up || !kv.subscription.wanted) && !kv.subscription.refused;
}

static void set_up(struct link *l, bool up)
{
	if (l->up == up)
		return;
	l->up = up;
	l->since_us = clock_mono_us();
	if (up && !outage_is_on(PART))
		log_info(&l->who, "redis up");
	if (up && is_whole())
		outage_back(PART);
}

/* WHY: for the log; NULL: we end it. */
static void link_drop(struct link *l, const char *why)
{
	if (!l->bev)
		return;
	bufferevent_free(l->bev);
	redisReaderFree(l->reader);
	l->bev = NULL;
	l->reader = NULL;
	l->retry_us = clock_mono_us() + RETRY_US;
	set_up(l, false);
	if (why)
		outage_note(LOG_WARN, PART, "%s", why);
	while (!list_is_empty(&l->pending))
		finish_command(l, NULL);
}

static void on_auth(void *arg, const redisReply *reply)
{
	struct link *l = magic_cast(link, arg);

	l->refused = reply && reply->type == REDIS_REPLY_ERROR;
	if (l->refused)
		outage_note(LOG_ERROR, PART, "it refused the credentials");
	else if (reply && is_whole())
		outage_back(PART);
}

static void on_connected(struct link *l)
{
	if (kv.server.secret && kv.server.user && *kv.server.user)
		link_command(l, on_auth, l, "AUTH %s %s", kv.server.user, kv.server.secret);
	else if (kv.server.secret)
		link_command(l, on_auth, l, "AUTH %s", kv.server.secret);
	if (l->subscriber)
		link_command(l, NULL, NULL, "PSUBSCRIBE %s", kv.pattern);
	set_up(l, true);
}

/* The connection has ended, with errno as its event found it. */
static void end_badly(struct link *l, short what)
{
	SSL *ssl = kv.server.tls ? bufferevent_openssl_get_ssl(l->bev) : NULL;
	long verdict = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
	int error = EVUTIL_SOCKET_ERROR();
	char why[200];

	if (verdict != X509_V_OK)
		snprintf(why, sizeof(why), "its certificate is refused: %s",
			X509_verify_cert_error_string(verdict));
	else
		snprintf(why, sizeof(why), "%s",
			what & BEV_EVENT_EOF || !error ? "it closed the connection"
						       : strerror(error));
	link_drop(l, why);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct link *l = magic_cast(link, arg);

	(void)bev;
	if (what & BEV_EVENT_CONNECTED) {
		on_connected(l);
	} else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
		end_badly(l, what);
	}
	loop_note_turn("redis");
}

static bool is_message(const redisReply *r)
{
	return r->type == REDIS_REPLY_ARRAY && r->elements == 4 &&
	       r->element[0]->type == REDIS_REPLY_STRING &&
	       strcmp(r->element[0]->str, "pmessage") == 0 &&
	       r->element[2]->type == REDIS_REPLY_STRING &&
	       r->element[3]->type == REDIS_REPLY_STRING;
}

/* Returns false if no command is waiting for this reply. */
static bool take_reply(struct link *l, redisReply *r)
{
	if (l->subscriber && is_message(r))
		message_fn(kv.message_arg, r->element[2]->str, r->element[3]->str,
			(size_t)r->element[3]->len);
	else if (list_is_empty(&l->pending))
		return false;
	else
		finish_command(l, r);
	return true;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct link *l = magic_cast(link, arg);
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n = evbuffer_get_length(in);
	void *reply = NULL;
	bool sound =
		redisReaderFeed(l->reader, (const char *)evbuffer_pullup(in, -1), n) == REDIS_OK;

	evbuffer_drain(in, n);
	/* a callback may drop the connection, and the reader with it */
	while (sound && l->bev == bev) {
		sound = redisReaderGetReply(l->reader, &reply) == REDIS_OK;
		if (!sound || !reply)
			break;
		sound = take_reply(l, reply);
		freeReplyObject(reply);
	}
	if (!sound && l->bev == bev) {
		link_drop(l, "it sent an invalid reply");
	}
	loop_note_turn("redis");
}

static struct bufferevent *new_bufferevent(void)
{
	return kv.server.transport == KV_TLS
		       ? bufferevent_openssl_socket_new(loop_base(), -1, new_ssl(),
				 BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE)
		       : bufferevent_socket_new(loop_base(), -1, BEV_OPT_CLOSE_ON_FREE);
}

static bool start_connect(struct bufferevent *bev)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (kv.server.transport !=
		KV_UNIX) /* a name is resolved on the loop; an address connects at once */
		return bufferevent_socket_connect_hostname(
			       bev, loop_dns(), AF_UNSPEC, kv.server.host, kv.server.port) == 0;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", kv.server.host);
	return bufferevent_socket_connect(bev, (struct sockaddr *)&sun, sizeof(sun)) == 0;
}

static void link_connect(struct link *l)
{
	struct bufferevent *bev = new_bufferevent();

	bug_on(!bev);
	l->bev = bev;
	l->reader = redisReaderCreate();
	bug_on(!l->reader);
	l->began_us = clock_mono_us();
	bufferevent_setcb(bev, on_read, NULL, on_event, l);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	/* on_event may already have reported a refusal */
	if (!start_connect(bev) && l->bev == bev)
		link_drop(l, "no connection");
}

static void link_tick(struct link *l, int64_t now)
{
	int64_t waits_since = l->began_us;

	if (!l->wanted)
		return;
	if (!l->bev) {
		if (now >= l->retry_us)
			link_connect(l);
		return;
	}
	if (l->up && list_is_empty(&l->pending)) {
		link_command(l, NULL, NULL, "PING");
		return;
	}
	if (l->up)
		waits_since = list_entry(l->pending.next, struct pending, node)->sent_us;
	if (now - waits_since > ANSWER_US)
		link_drop(l, "no reply");
}

/* Not a job: a driver knows nothing of the job runner. */
static void on_tick(void *arg)
{
	int64_t now = clock_mono_us();

	(void)arg;
	link_tick(&kv.commands, now);
	link_tick(&kv.subscription, now);
}

/* --- public functions --- */

static void link_init(struct link *l, uint64_t id)
{
	list_init(&l->pending);
	snprintf(l->who.kind, sizeof(l->who.kind), "kv");
	l->who.id = id;
	l->since_us = clock_mono_us();
}

static void forget_server(void)
{
	SSL_CTX_free(kv.server.tls);
	free(kv.server.host);
	free(kv.server.user);
	free(kv.server.secret);
	memset(&kv.server, 0, sizeof(kv.server));
}

bool kv_check(const struct kv_settings *set, const char **out_error)
{
	forget_server();
	return !set->url || !*set->url ||
	       (parse_url(set->url, out_error) &&
		       (kv.server.transport != KV_TLS || trust(set->ca_file, out_error)));
}

bool kv_init(const struct kv_settings *set, const char **out_error)
{
	link_init(&kv.commands, 0);
	link_init(&kv.subscription, 1);
	kv.subscription.subscriber = true;
	if (!set->url || !*set->url)
		return true;
	if (!kv_check(set, out_error))
		return false;
	if (set->password && *set->password)
		kv.server.secret = xstrdup(set->password);
	kv.commands.magic = kv.subscription.magic = link_magic;
	kv.commands.wanted = true;
	link_connect(&kv.commands);
	loop_every(1000, on_tick, NULL);
	return true;
}

void kv_free(void)
{
	kv.commands.wanted = kv.subscription.wanted = false;
	link_drop(&kv.commands, NULL);
	link_drop(&kv.subscription, NULL);
	forget_server();
	free(kv.pattern);
	kv.pattern = NULL;
}

bool kv_is_up(void)
{
	return kv.commands.up;
}

int64_t kv_since_us(void)
{
	return kv.commands.since_us;
}

uint64_t kv_dropped(void)
{
	return kv.dropped;
}

static bool may_send(void)
{
	if (kv.commands.up &&
		evbuffer_get_length(bufferevent_get_output(kv.commands.bev)) < QUEUE_MAX)
		return true;
	kv.dropped += kv.commands.wanted;
	return false;
}

struct unsent {
	uint32_t magic;
	kv_done *fn;
	void *arg;
};
MAGIC(unsent, 0x8e040919);

static void deliver_unsent(void *arg)
{
	struct unsent *u = magic_cast(unsent, arg), copy = *u;

	magic_end(u);
	free(u);
	copy.fn(copy.arg, NULL);
}

void kv_command(kv_done *fn, void *arg, int argc, const struct str *argv)
{
	const char *p[KV_ARGS_MAX];
	size_t n[KV_ARGS_MAX];
	struct unsent *u;
	char *text;
	int length;

	bug_on(argc < 1 || argc > KV_ARGS_MAX);
	if (!may_send()) {
		u = magic_new(unsent);
		u->fn = fn;
		u->arg = arg;
		later_call(deliver_unsent, u);
		return;
	}
	for (int i = 0; i < argc; i++)
		p[i] = argv[i].p, n[i] = argv[i].n;
	length = redisFormatCommandArgv(&text, argc, p, n);
	bug_on(length < 0);
	link_send(&kv.commands, fn, arg, text, (size_t)length);
	redisFreeCommand(text);
}

void kv_psubscribe(const char *want,
	void (*fn)(void *arg, const char *channel, const char *p, size_t n), void *arg)
{
	kv.pattern = xstrdup(want);
	message_fn = fn;
	kv.message_arg = arg;
	if (!kv.commands.wanted)
		return;
	kv.subscription.wanted = true;
	link_connect(&kv.subscription);
}
