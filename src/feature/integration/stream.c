/* SPDX-License-Identifier: Apache-2.0
 * Messages from source systems in a Redis stream: read as a member of a consumer group, applied as
 * over HTTP, and acknowledged only afterwards. Each message carries its service token, because
 * Redis is not trusted. A temporary failure is retried three times; a message that cannot be
 * applied goes to the dead letters with the reason, and an alarm is raised. */
#include "base/clock.h"
#include "base/magic.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "core/session.h"
#include "config/options.h"
#include "sync.h"
#include "integration.h"
#include "kv/kv.h"
#include "loop/loop.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GROUP "sladesk"
#define POLL_MS 100
#define READ_AT_ONCE "64"
#define CLAIM_EVERY_US (30 * US_PER_S)
#define CLAIM_IDLE_MS "60000" /* a reader that has held a message for this long has died */
#define RETRIES 3
#define DEAD_MAX "100000"

struct letter {
	uint32_t magic;
	struct list node;
	char *id, *event, *token;
	struct sync_item item;
	struct session *session;
	struct loop_timer *timer;
	int tries;
	bool going;
};
MAGIC(letter, 0xfc73a7b9);

static struct {
	struct list letters;
	char *stream, *dead, consumer[64];
	bool group_made, stopping;
	int64_t claimed_us;
	struct stream_health health;
} inlet;
static const struct who who = { .kind = "stream" };

static void go_on(void);

/* --- the end of a message --- */

static void letter_free(struct letter *l)
{
	list_remove(&l->node);
	session_put(l->session);
	sync_item_clear(&l->item);
	loop_timer_free(l->timer);
	free(l->id);
	free(l->event);
	free(l->token);
	free(l);
	inlet.health.waiting--;
}

static void on_acknowledged(void *arg, const redisReply *reply)
{
	(void)arg;
	(void)reply; /* otherwise it comes again, as a duplicate */
}

static void acknowledge(struct letter *l)
{
	kv_command(on_acknowledged, NULL, 4,
		(struct str[]){ STR("XACK"), str_of(inlet.stream), STR(GROUP), str_of(l->id) });
	letter_free(l);
	go_on();
}

static void on_buried(void *arg, const redisReply *reply)
{
	struct letter *l = magic_cast(letter, arg);

	if (reply && reply->type == REDIS_REPLY_STRING) {
		acknowledge(l);
		return;
	}
	letter_free(l); /* it is still pending and will be claimed again later */
	go_on();
}

static void bury(struct letter *l, const char *field, const char *reason)
{
	char at[32];

	if (inlet.stopping)
		return; /* still pending for another reader */
	time_format(clock_now_us(), 3, at);
	inlet.health.dead++;
	log_error(&who, "dead letter id=%s event=%s ticket=%s field=%s reason=\"%s\"", l->id,
		l->item.event_id ? l->item.event_id : "",
		l->item.external_id ? l->item.external_id : "", field, reason);
	kv_command(on_buried, l, 18,
		(struct str[]){ STR("XADD"), str_of(inlet.dead), STR("MAXLEN"), STR("~"),
			STR(DEAD_MAX), STR("*"), STR("event"), str_of(l->event ? l->event : ""),
			STR("token"), str_of(l->token ? l->token : ""), STR("field"), str_of(field),
			STR("reason"), str_of(reason), STR("at"), str_of(at), STR("origin"),
			str_of(l->id) });
}

/* --- processing a message --- */

static void try_it(void *arg);

static void try_later(struct letter *l)
{
	if (inlet.stopping)
		return;
	if (l->tries > RETRIES) {
		bury(l, "", "the database refused it four times");
		return;
	}
	if (!l->timer)
		l->timer = loop_timer_new(try_it, l);
	loop_timer_set(l->timer, (options.integration_backoff_ms * 1000) << (l->tries - 1));
}

static void on_applied(struct sync_item *item, enum sync_result result)
{
	struct letter *l = magic_cast(letter, item->arg);

	switch (result) {
	case SYNC_APPLIED:
	case SYNC_DUPLICATE:
	case SYNC_OUTDATED:
		inlet.health.applied++;
		acknowledge(l);
		return;
	case SYNC_INVALID:
	case SYNC_REFUSED:
		bury(l, item->fault.field, item->fault.en);
		return;
	case SYNC_FAILED:
		break;
	}
	try_later(l);
}

static void on_session(void *arg, struct session *s, enum db_error error)
{
	struct letter *l = magic_cast(letter, arg);

	l->session = s;
	if (error != DB_OK) {
		try_later(l);
		return;
	}
	if (!s || s->actor != ACTOR_SERVICE || !session_may(s, PERM_TICKET_WRITE) ||
		!session_serves(s, l->item.tenant_id)) {
		bury(l, "token", "not a service token with tickets:write for this tenant");
		return;
	}
	l->item.token_id = s->actor_id;
	l->item.ctx = session_context(s);
	l->item.leads = s->staff;
	sync_apply(&l->item);
}

static void try_it(void *arg)
{
	struct letter *l = magic_cast(letter, arg);
	struct json_error err;
	struct json_object *m;
	bool sound;

	if (inlet.stopping)
		return;
	l->tries++;
	session_put(l->session);
	l->session = NULL;
	sync_item_clear(&l->item);
	l->item = (struct sync_item){ .on_done = on_applied, .arg = l };
	m = l->event ? json_read(l->event, strlen(l->event), &err) : NULL;
	if (!m) {
		bury(l, "event", "no JSON");
		return;
	}
	if (!l->token && json_get_string(m, "token"))
		l->token = xstrdup(json_get_string(m, "token"));
	sound = sync_item_read(m, &l->item);
	json_object_put(m);
	if (!sound)
		bury(l, l->item.fault.field, l->item.fault.en);
	else if (!l->token)
		bury(l, "token", "required: a service token");
	else
		session_find(str_of(l->token), on_session, l);
}

static bool same_ticket(const struct letter *a, const struct letter *b)
{
	return a->event && b->event && a->item.external_id && b->item.external_id &&
	       a->item.tenant_id == b->item.tenant_id &&
	       strcmp(a->item.external_id, b->item.external_id) == 0;
}

/* Of each ticket, one message at a time in the stream's order; messages of different tickets run
 * concurrently. */
static void go_on(void)
{
	if (inlet.stopping)
		return;
	for (struct list *n = inlet.letters.next, *next; n != &inlet.letters; n = next) {
		struct letter *l = list_entry(n, struct letter, node);
		bool free_way = !l->going;

		next = n->next;
		for (struct list *k = inlet.letters.next; free_way && k != n; k = k->next)
			free_way = !same_ticket(list_entry(k, struct letter, node), l);
		if (!free_way)
			continue;
		l->going = true;
		later_call(try_it, l);
	}
}

/* --- reading --- */

/* Read the ticket in advance: messages of the same ticket must wait for each other. */
static void peek(struct letter *l)
{
	struct json_error err;
	struct json_object *m = l->event ? json_read(l->event, strlen(l->event), &err) : NULL;

	if (m)
		(void)sync_item_read(m, &l->item);
	json_object_put(m);
}

static bool is_here(const char *id)
{
	for (struct list *n = inlet.letters.next; n != &inlet.letters; n = n->next)
		if (strcmp(list_entry(n, struct letter, node)->id, id) == 0)
			return true;
	return false;
}

static void take_entry(const redisReply *entry)
{
	const redisReply *id, *fields;
	struct letter *l;

	if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 ||
		entry->element[0]->type != REDIS_REPLY_STRING)
		return;
	id = entry->element[0];
	fields = entry->element[1];
	if (is_here(id->str))
		return;
	l = magic_new(letter);
	l->id = xstrdup(id->str);
	for (size_t i = 0; fields->type == REDIS_REPLY_ARRAY && i + 1 < fields->elements; i += 2) {
		const redisReply *k = fields->element[i], *v = fields->element[i + 1];

		if (k->type != REDIS_REPLY_STRING || v->type != REDIS_REPLY_STRING)
			continue;
		if (strcmp(k->str, "event") == 0 && !l->event && (size_t)v->len < JSON_MAX_BYTES)
			l->event = xstrndup(v->str, (size_t)v->len);
		else if (strcmp(k->str, "token") == 0 && !l->token && v->len > 0 && v->len < 4000)
			l->token = xstrndup(v->str, (size_t)v->len);
	}
	peek(l);
	list_add_tail(&inlet.letters, &l->node);
	inlet.health.waiting++;
}

static void take_all(const redisReply *entries)
{
	for (size_t i = 0; entries && entries->type == REDIS_REPLY_ARRAY && i < entries->elements;
		i++)
		take_entry(entries->element[i]);
	go_on();
}

static void end_poll(void *run, const redisReply *reply)
{
	job_end(magic_cast(job_run, run), reply ? JOB_DONE : JOB_FAILED);
}

/* [[stream, [[id, [field, value, …]], …]]] */
static void on_read(void *run, const redisReply *reply)
{
	if (reply && reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOGROUP", 7) == 0)
		inlet.group_made = false;
	if (reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 1 &&
		reply->element[0]->type == REDIS_REPLY_ARRAY && reply->element[0]->elements == 2)
		take_all(reply->element[0]->element[1]);
	end_poll(run, reply);
}

static void on_counted(void *arg, const redisReply *reply)
{
	(void)arg;
	if (reply && reply->type == REDIS_REPLY_INTEGER)
		inlet.health.dead = (uint64_t)reply->integer;
}

/* [next, [[id, …], …], …] */
static void on_claimed(void *run, const redisReply *reply)
{
	if (reply && reply->type == REDIS_REPLY_ARRAY && reply->elements >= 2)
		take_all(reply->element[1]);
	end_poll(run, reply);
}

static void on_group(void *run, const redisReply *reply)
{
	inlet.group_made = reply && (reply->type != REDIS_REPLY_ERROR ||
					    strncmp(reply->str, "BUSYGROUP", 9) == 0);
	end_poll(run, reply);
}

int64_t stream_every(void)
{
	return inlet.stream ? POLL_MS : 0;
}

void stream_run(struct job_run *run)
{
	int64_t now = clock_mono_us();

	if (inlet.health.waiting || !kv_is_up()) {
		job_end(run, JOB_DONE);
		return;
	}
	if (!inlet.group_made) {
		kv_command(on_group, run, 6,
			(struct str[]){ STR("XGROUP"), STR("CREATE"), str_of(inlet.stream),
				STR(GROUP), STR("0"), STR("MKSTREAM") });
	} else if (now - inlet.claimed_us > CLAIM_EVERY_US) {
		inlet.claimed_us = now;
		kv_command(on_claimed, run, 8,
			(struct str[]){ STR("XAUTOCLAIM"), str_of(inlet.stream), STR(GROUP),
				str_of(inlet.consumer), STR(CLAIM_IDLE_MS), STR("0"), STR("COUNT"),
				STR(READ_AT_ONCE) });
		kv_command(on_counted, NULL, 2, (struct str[]){ STR("XLEN"), str_of(inlet.dead) });
	} else {
		kv_command(on_read, run, 9,
			(struct str[]){ STR("XREADGROUP"), STR("GROUP"), STR(GROUP),
				str_of(inlet.consumer), STR("COUNT"), STR(READ_AT_ONCE),
				STR("STREAMS"), str_of(inlet.stream), STR(">") });
	}
}

struct stream_health stream_health(void)
{
	return inlet.health;
}

void stream_init(void)
{
	char host[40] = "";

	list_init(&inlet.letters);
	if (!options.integration_stream[0] || !options.redis_url[0])
		return;
	gethostname(host, sizeof(host) - 1);
	snprintf(inlet.consumer, sizeof(inlet.consumer), "%s-%d", host, (int)getpid());
	inlet.stream = xstrdup(options.integration_stream);
	inlet.dead = xasprintf("%s:dead", inlet.stream);
}

void stream_stop(void)
{
	inlet.stopping = true;
}

void stream_free(void)
{
	while (!list_is_empty(&inlet.letters))
		letter_free(list_entry(inlet.letters.next, struct letter, node));
	free(inlet.stream);
	free(inlet.dead);
	inlet.stream = inlet.dead = NULL;
}
