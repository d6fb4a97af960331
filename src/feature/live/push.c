/* SPDX-License-Identifier: Apache-2.0
 * The live feed: sends committed events to WebSocket clients, filtered by tenant and audience of
 * their session. Frames are built once and go to each client in one write per round. A client that
 * reports its position gets the events that it missed and then follows live; floors keep it from
 * receiving an event twice. */
#include "live.h"
#include "core/session_token.h"
#include "feed_client.h"
#include "redis_feed.h"
#include "base/clock.h"
#include "base/json.h"
#include "core/events.h"
#include "kv/kv.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define FRAME_HEAD 10 /* at most */
#define AUTH_WAIT_US (5 * US_PER_S)
#define PING_US (30 * US_PER_S)
#define DEAD_US (75 * US_PER_S)
#define CAST_SLICE_US 2000
#define UNAUTHENTICATED_PER_PEER 20
#define REFUSED_MAX 100

struct list feed_clients;
static struct push_health health;
static bool draining;

struct push_health push_health(void)
{
	return health;
}

/* Events gather while a round sends the earlier ones, with one write per client; a round is cut
 * into turns. A client that went live after an event was gathered already has it, from its resume
 * or snapshot. */

struct gathered {
	struct feed_event *event;
	size_t n, room;
};

static struct {
	struct gathered gathering, going;
	struct list *next; /* current client of the round; NULL between rounds */
	uint64_t count;    /* total number of events gathered */
	bool asked;
} round_;

/* --- frames --- */

void feed_send(struct client *c, const char *p, size_t n)
{
	struct ws_frame *f = ws_frame_new(p, n, false);

	if (!ws_send(c->ws, &f, 1, FEED_QUEUE_MAX))
		c->behind = true;
	ws_frame_put(f);
}

bool feed_may_hear(const struct client *c, const struct feed_event *e)
{
	return (c->topics & e->topics) && feed_event_is_for(e, c->session, c->scope);
}

void feed_go_live(struct client *c)
{
	c->live = true;
	c->first_event = round_.count;
}

uint64_t feed_event_count(void)
{
	return round_.count;
}

/* A snapshot of many tenants is longer than FEED_QUEUE_MAX; it is sent when nothing else is queued.
 */
void feed_send_snapshot(struct client *c, const char *reason)
{
	const struct id_list *tenants = &c->session->tenants->ids;
	struct ws_frame *f;
	struct buf b = { 0 };
	int n = 0;

	buf_addf(&b, "{\"op\":\"snapshot\",\"reason\":\"%s\",\"seq\":{", reason);
	for (size_t i = 0; i < tenants->n; i++) {
		int64_t seq = events_position(tenants->ids[i]);

		if (seq < 0)
			continue;
		buf_adds(&b, n++ ? ",\"" : "\"");
		buf_add_int(&b, tenants->ids[i]);
		buf_adds(&b, "\":");
		buf_add_int(&b, seq);
	}
	buf_adds(&b, "}}");
	f = ws_frame_new(b.p, b.n, false);
	c->first_event = round_.count;
	c->behind =
		!ws_send(c->ws, &f, 1, b.n > FEED_QUEUE_MAX ? b.n + FRAME_HEAD : FEED_QUEUE_MAX);
	health.snapshots++;
	ws_frame_put(f);
	buf_free(&b);
}

/* --- broadcast --- */

static void send_events_to(struct client *c)
{
	for (size_t i = 0; i < round_.going.n && c->live && !c->behind;) {
		struct ws_frame *f[WS_SEND_MAX];
		size_t n = 0;

		for (; i < round_.going.n && n < WS_SEND_MAX; i++) {
			struct feed_event *e = &round_.going.event[i];

			if (e->number >= c->first_event && feed_may_hear(c, e) &&
				!feed_below_floor(c, e))
				f[n++] = feed_event_frame(e, c->session->zh);
		}
		if (n && !ws_send(c->ws, f, n, FEED_QUEUE_MAX)) {
			c->behind = true; /* send a snapshot once its queue has drained */
			health.slow++;
		}
		health.frames += n;
	}
}

static void end_round(void)
{
	for (size_t i = 0; i < round_.going.n; i++)
		feed_event_free(&round_.going.event[i]);
	round_.going.n = 0;
	round_.next = NULL;
}

/* Continue the round for at most US. Returns true when it is finished. */
static bool send_round_for(int64_t us)
{
	int64_t began = clock_mono_us();

	while (round_.going.n || round_.gathering.n) {
		if (!round_.going.n) {
			struct gathered empty = round_.going;

			round_.going = round_.gathering;
			round_.gathering = empty;
			round_.next = feed_clients.next;
		}
		while (round_.next != &feed_clients) {
			struct client *c = list_entry(round_.next, struct client, node);

			round_.next = round_.next->next;
			send_events_to(c);
			if (clock_mono_us() - began > us)
				return false;
		}
		end_round();
	}
	return true;
}

static void on_round(void *arg)
{
	round_.asked = !send_round_for(CAST_SLICE_US);
	if (round_.asked)
		later_call(on_round, arg);
}

static void close_feeds(int64_t tenant_id, int64_t session_id)
{
	for (struct list *n = feed_clients.next; n != &feed_clients; n = n->next) {
		struct client *c = list_entry(n, struct client, node);

		if (c->session && c->session->tenant_id == tenant_id &&
			c->session->session_id == session_id)
			ws_close(c->ws, 4401, "the session has ended");
	}
}

void push_on_event(const struct desk_event *e)
{
	struct gathered *g = &round_.gathering;

	session_each_ended(e, close_feeds);
	if (list_is_empty(&feed_clients))
		return;
	if (g->n == g->room)
		g->event = xrealloc(
			g->event, (g->room = g->room ? g->room * 2 : 64) * sizeof(*g->event));
	g->event[g->n++] = feed_event_of(e, round_.count);
	round_.count++;
	if (!round_.asked)
		later_call(on_round, NULL);
	round_.asked = true;
}

/* --- a client --- */

struct finding {
	uint32_t magic;
	struct client *client;
	struct list node;
};
MAGIC(finding, 0xcd4ea397);
static struct list findings;

static void on_session(void *arg, struct session *s, enum db_error error)
{
	struct finding *f = magic_cast(finding, arg);
	struct client *c = f->client;
	char key[SESSION_KEY_MAX];

	list_remove(&f->node);
	magic_end(f);
	free(f);
	if (!c) {
		session_put(s);
		return;
	}
	c->finding = false;
	if (!s || !session_may(s, PERM_TICKET_READ)) {
		ws_close(c->ws, error == DB_OK ? 4401 : 1013,
			error == DB_OK ? "not authenticated" : "try again");
		session_put(s);
		return;
	}
	if (!ws_count_user(c->ws, session_user_key(s, key))) {
		ws_close(c->ws, 1013, "too many connections of this user");
		session_put(s);
		return;
	}
	if (!c->session)
		health.unauthenticated--;
	feed_take_session(c, s);
	c->since_us = clock_mono_us();
	feed_send(c, "{\"op\":\"welcome\"}", 16);
}

static void authenticate(struct client *c, struct str token)
{
	struct finding *f = magic_new(finding);

	f->client = c;
	c->finding = true;
	list_add_tail(&findings, &f->node);
	session_find(token, on_session, f);
}

/* A message costs what a request costs, so it counts as one. The client is told, and a client that
 * does not listen is closed. */
static bool is_too_often(struct client *c)
{
	enum limit kind;
	int64_t wait = limit_take_session(c->session, &kind);
	char text[160];
	int n;

	if (!wait) {
		c->refused -= c->refused > 0;
		return false;
	}
	if (++c->refused > REFUSED_MAX) {
		ws_close(c->ws, 1008, "too many messages");
		return true;
	}
	n = snprintf(text, sizeof(text),
		"{\"op\":\"error\",\"field\":\"op\",\"rule\":\"too many messages\",\"limit\":"
		"\"%s\",\"retry_after_seconds\":%lld}",
		limit_name(kind), (long long)wait);
	feed_send(c, text, (size_t)n);
	return true;
}

static void on_message(struct ws *ws, const char *p, size_t n, bool binary)
{
	struct client *c = magic_cast(client, ws_user(ws));
	struct json_error err;
	struct json_object *msg = binary ? NULL : json_read(p, n, &err);
	const char *op = json_get_string(msg, "op"), *token = json_get_string(msg, "token");

	if (c->session && is_too_often(c))
		;
	else if (!op)
		ws_close(ws, 1003, "JSON objects with an op only");
	else if (strcmp(op, "auth") == 0 && token && !c->finding)
		authenticate(c, str_of(token));
	else if (!c->session)
		ws_close(ws, 4401, "authenticate first");
	else if (strcmp(op, "subscribe") == 0)
		feed_subscribe(c, msg);
	else if (strcmp(op, "ping") == 0)
		feed_send(c, "{\"op\":\"pong\"}", 13);
	else
		feed_send(c,
			"{\"op\":\"error\",\"field\":\"op\",\"rule\":\"auth, subscribe or ping\"}",
			60);
	json_object_put(msg);
}

static void on_close(struct ws *ws)
{
	struct client *c = magic_cast(client, ws_user(ws));

	feed_forget(c);
	for (struct list *n = findings.next; n != &findings; n = n->next)
		if (list_entry(n, struct finding, node)->client == c)
			list_entry(n, struct finding, node)->client = NULL;
	if (round_.next == &c->node)
		round_.next = c->node.next;
	list_remove(&c->node);
	health.clients--;
	if (!c->session)
		health.unauthenticated--;
	session_put(c->session);
	json_object_put(c->scope);
	magic_end(c);
	free(c);
}

const struct ws_handler push_handler = { on_message, on_close, 16384 };

struct outcome *push_open(struct req *req)
{
	struct str cookie = http_cookie(&req->http->head, COOKIE_ACCESS);
	struct outcome *o;
	struct client *c;

	if (draining)
		return req_fail(req, ERR_BUSY, NULL);
	if (!cookie_is_token(req, COOKIE_ACCESS, cookie))
		return req_invalid(req);
	if (!http_origin_is_ours(&req->http->head))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	if (!http_count_guest(req->http, UNAUTHENTICATED_PER_PEER))
		return req_fail(req, ERR_RATE, NULL);
	cookie.p = arena_dup(&req->arena, cookie.p ? cookie.p : "", cookie.n);
	c = magic_new(client);
	c->since_us = clock_mono_us();
	o = req_taken(req);
	c->ws = ws_accept(req->http, &push_handler, c);
	if (!c->ws) {
		free(c);
		return o;
	}
	list_add_tail(&feed_clients, &c->node);
	health.clients++;
	health.unauthenticated++;
	if (cookie.n) /* from a browser page: the cookie already identifies it */
		authenticate(c, cookie);
	return o;
}

static void client_tick(struct client *c, int64_t now)
{
	if (!c->session) {
		if (now - c->since_us > AUTH_WAIT_US)
			ws_close(c->ws, 4401, "authenticate within 5 s");
		return;
	}
	if (clock_now_us() >= c->session->expires_us) {
		ws_close(c->ws, 4401, "session expired");
	} else if (now - ws_last_seen_us(c->ws) > DEAD_US) {
		ws_close(c->ws, 1001, "no answer");
	} else if (now - c->since_us > PING_US) {
		c->since_us = now;
		ws_ping(c->ws);
	}
	if (c->behind && c->live && ws_queued(c->ws) == 0)
		feed_send_snapshot(c, "behind");
	if (c->floors && c->live && !round_.asked)
		feed_drop_floors(c);
}

/* Not a job: clients are pinged, and closed when their session expires, while the daemon drains
 * too. */
static void on_tick(void *arg)
{
	int64_t now = clock_mono_us();
	struct list *next;

	(void)arg;
	for (struct list *n = feed_clients.next; n != &feed_clients; n = next) {
		next = n->next;
		client_tick(list_entry(n, struct client, node), now);
	}
}

/* Another instance committed something. Our own messages come back too; only news leads to a
 * fetch. */
static void on_remote(void *arg, const char *channel, const char *p, size_t n)
{
	const char *id = strrchr(channel, '.'),
		   *text = n < 65536 ? memmem(p, n, "\"seq\":", 6) : NULL;
	int64_t tenant, seq = text ? strtoll(text + 6, NULL, 10) : 0;

	(void)arg;
	if (!id || seq < 1 || !str_to_int(str_of(id + 1), 1, 1LL << 53, &tenant))
		return;
	redis_feed_heard(tenant, seq);
	if (seq > events_position(tenant))
		events_hint_remote(tenant);
}

void push_init(void)
{
	list_init(&feed_clients);
	resume_init();
	list_init(&findings);
	kv_psubscribe("sladesk.v1.events.*", on_remote, NULL);
	loop_every(1000, on_tick, NULL);
}

void push_drain(void)
{
	draining = true;
	send_round_for(INT64_MAX);
	for (struct list *n = feed_clients.next; n != &feed_clients; n = n->next) {
		struct client *c = list_entry(n, struct client, node);

		if (c->session)
			feed_send_snapshot(c, "restart");
		ws_close(c->ws, 1012, "service restart");
	}
}
