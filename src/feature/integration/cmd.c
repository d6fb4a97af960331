/* SPDX-License-Identifier: Apache-2.0
 * sladesk deadletter: show and resend messages from source systems that could not be applied. */
#include "cli/cli.h"
#include "base/magic.h"
#include "base/json.h"
#include "config/options.h"
#include "crypto/secretfile.h"
#include "kv/kv.h"
#include "loop/loop.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#define WAIT_MS 5000
#define AT_ONCE_MAX "1000"

struct ask {
	uint32_t magic;
	int argc;
	const struct str *argv;
	void (*use)(const redisReply *reply);
	bool sent;
	int left_ms;
};
MAGIC(ask, 0x8369ac5f);

static char *dead;

static void on_reply(void *arg, const redisReply *reply)
{
	struct ask *a = magic_cast(ask, arg);

	if (!reply)
		die("no answer from Redis");
	if (reply->type == REDIS_REPLY_ERROR)
		die("redis: %s", reply->str);
	if (a->use)
		a->use(reply);
	loop_stop();
}

static struct ask *asked;

/* A command has no job runner, only this one wait for Redis. */
static void send_when_up(void *arg)
{
	(void)arg;
	if (!asked || asked->sent)
		return;
	if (kv_is_up()) {
		asked->sent = true;
		kv_command(on_reply, asked, asked->argc, asked->argv);
	} else if ((asked->left_ms -= 10) < 0) {
		die("Redis is unavailable (redis.url)");
	}
}

static void send_command(int argc, const struct str *argv, void (*use)(const redisReply *reply))
{
	struct ask a = { ask_magic, argc, argv, use, false, WAIT_MS };

	asked = &a;
	send_when_up(NULL);
	loop_run();
	asked = NULL;
}

/* --- list --- */

static struct str field(const redisReply *entry, const char *name)
{
	const redisReply *f = entry->element[1];

	for (size_t i = 0; i + 1 < f->elements; i += 2)
		if (strcmp(f->element[i]->str, name) == 0)
			return (struct str){ f->element[i + 1]->str,
				(size_t)f->element[i + 1]->len };
	return (struct str){ "", 0 };
}

static void print_entry(const redisReply *entry)
{
	struct str at = field(entry, "at"), name = field(entry, "field"),
		   reason = field(entry, "reason"), event = field(entry, "event");
	struct json_error err;
	struct json_object *m = json_read(event.p, event.n, &err),
			   *ticket = json_get(m, "ticket_id");

	printf("%s\t%.*s\ttenant %lld\t%s\t%.*s: %.*s\n", entry->element[0]->str, (int)at.n, at.p,
		(long long)json_get_int(m, "tenant_id", 0),
		ticket ? json_object_get_string(ticket) : "-", (int)name.n, name.p, (int)reason.n,
		reason.p);
	json_object_put(m);
}

static size_t listed;
static char *last_id; /* of the page that was read last; NULL: it was empty */

static void note_page(const redisReply *reply)
{
	free(last_id);
	last_id = reply->elements ? xstrdup(reply->element[reply->elements - 1]->element[0]->str)
				  : NULL;
}

static void print_page(const redisReply *reply)
{
	for (size_t i = 0; i < reply->elements; i++)
		print_entry(reply->element[i]);
	listed += reply->elements;
	note_page(reply);
}

static void range(const char *from, const char *to, void (*use)(const redisReply *reply))
{
	send_command(6,
		(struct str[]){ STR("XRANGE"), str_of(dead), str_of(from), str_of(to), STR("COUNT"),
			STR(AT_ONCE_MAX) },
		use);
}

/* Read them all, page by page; USE calls note_page. */
static void walk(void (*use)(const redisReply *reply))
{
	range("-", "+", use);
	while (last_id) {
		char *after = xasprintf("(%s", last_id);

		range(after, "+", use);
		free(after);
	}
}

/* --- retry --- */

struct copy {
	char *id, *event, *token;
};
static struct copy *copies;
static size_t copy_count;

static void copy_page(const redisReply *reply)
{
	copies = xrealloc(copies, (copy_count + reply->elements + 1) * sizeof(*copies));
	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *e = reply->element[i];
		struct str event = field(e, "event"), token = field(e, "token");

		copies[copy_count++] = (struct copy){ xstrdup(e->element[0]->str),
			xstrndup(event.p, event.n), xstrndup(token.p, token.n) };
	}
	note_page(reply);
}

/* Add it to the stream first, then remove it from the dead letters: a failure in between leaves it
 * twice, and it is still applied once. */
static void send_again(const struct copy *c)
{
	send_command(7,
		(struct str[]){ STR("XADD"), str_of(options.integration_stream), STR("*"),
			STR("event"), str_of(c->event), STR("token"), str_of(c->token) },
		NULL);
	send_command(3, (struct str[]){ STR("XDEL"), str_of(dead), str_of(c->id) }, NULL);
}

static void note_retry(const char *id)
{
	PGconn *pg = cli_connect();

	cli_audit(pg, "1", id);
	PQfinish(pg);
}

static void retry(const char *id)
{
	bool all = strcmp(id, "all") == 0;

	if (all)
		walk(copy_page);
	else
		range(id, id, copy_page);
	if (!copy_count && !all)
		die("no such dead letter: %s", id);
	for (size_t i = 0; i < copy_count; i++) {
		send_again(&copies[i]);
		cli_progress(i + 1, copy_count);
		free(copies[i].id);
		free(copies[i].event);
		free(copies[i].token);
	}
	printf("%zu messages sent again\n", copy_count);
	note_retry(id);
	free(copies);
}

static int cmd_deadletter(int argc, char **argv)
{
	char *password = secretfile_line(options.redis_password_file);
	struct kv_settings set = { options.redis_url, password, options.redis_ca_file };
	const char *error = "", *what = argc ? argv[0] : "";

	if (!options.redis_url[0] || !options.integration_stream[0])
		die("no stream is configured (redis.url, integration.stream)");
	dead = xasprintf("%s:dead", options.integration_stream);
	loop_init();
	if (!kv_init(&set, &error))
		die("%s", error);
	free(password);
	loop_every(10, send_when_up, NULL);
	if (strcmp(what, "list") == 0) {
		walk(print_page);
		fprintf(stderr, "%zu dead letters\n", listed);
	} else if (strcmp(what, "retry") == 0 && argc > 1)
		retry(argv[1]);
	else
		die("deadletter list | deadletter retry ID|all");
	kv_free();
	loop_free();
	free(dead);
	free(last_id);
	return 0;
}

const struct command integration_commands[] = {
	{ "deadletter", cmd_deadletter,
		"deadletter list\n"
		"  deadletter retry ID|all\n"
		"      show and retry messages from source systems that could not be applied" },
	{ 0 },
};
