/* SPDX-License-Identifier: Apache-2.0
 * The live feed: sends committed events to WebSocket clients, filtered by tenant and audience of
 * their session. Frames are built once and go to each client in one write per round. A client that
 * reports its position gets the events that it missed and then follows live; floors keep it from
 * receiving an event twice. */
#include "live.h"
#include "core/session_token.h"
#include "feed_event.h"
#include "redis_feed.h"
#include "base/clock.h"
#include "base/magic.h"
#include "base/json.h"
#include "core/events.h"
#include "kv/kv.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define QUEUE_MAX (64 * 1024)
#define FRAME_HEAD 10 /* at most */
#define RESUME_MAX 500
#define FLOORS_MAX 64
#define AUTH_WAIT_US (5 * US_PER_S)
#define PING_US (30 * US_PER_S)
#define DEAD_US (75 * US_PER_S)
#define CAST_SLICE_US 2000
#define UNAUTHENTICATED_PER_PEER 20

struct floor_seq {
	int64_t tenant_id, seq;
};

struct client {
	uint32_t magic;
	struct list node;
	struct ws *ws;
	struct session *session;
	struct json_object *scope; /* the only visible tickets of the tenant; NULL: all */
	uint8_t topics;
	bool live, behind, finding;
	uint64_t first_event;     /* it already has the events gathered before this */
	int64_t since_us;         /* when it connected, later the last ping */
	struct floor_seq *floors; /* events up to these were sent already; freed when the bus has
				     passed them all */
	int floor_count;
};
MAGIC(client, 0xbda3b378);

/* A client that catches up, with a query of its own, so that it can leave at any time. */
struct resume {
	uint32_t magic;
	struct db_call call;
	struct client *client; /* NULL: the client has left */
	struct buf tenants, after;
	struct list node;
};
MAGIC(resume, 0x9faf382f);

static struct list clients, resumes;
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

static void send_text(struct client *c, const char *p, size_t n)
{
	struct ws_frame *f = ws_frame_new(p, n, false);

	if (!ws_send(c->ws, &f, 1, QUEUE_MAX))
		c->behind = true;
	ws_frame_put(f);
}

static bool may_hear(const struct client *c, const struct feed_event *e)
{
	return (c->topics & e->topics) && feed_event_is_for(e, c->session, c->scope);
}

static void go_live(struct client *c)
{
	c->live = true;
	c->first_event = round_.count;
}

/* Send every tenant's position, so that the client can resume from it. A snapshot of many tenants
 * is longer than QUEUE_MAX; it is sent when nothing else is queued. */
static void send_snapshot(struct client *c, const char *reason)
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
	c->behind = !ws_send(c->ws, &f, 1, b.n > QUEUE_MAX ? b.n + FRAME_HEAD : QUEUE_MAX);
	health.snapshots++;
	ws_frame_put(f);
	buf_free(&b);
}

/* --- events --- */

static bool below_floor(const struct client *c, const struct feed_event *e)
{
	for (int i = 0; i < c->floor_count; i++)
		if (c->floors[i].tenant_id == e->tenant_id)
			return e->seq <= c->floors[i].seq;
	return false;
}

/* --- broadcast --- */

static void send_events_to(struct client *c)
{
	for (size_t i = 0; i < round_.going.n && c->live && !c->behind;) {
		struct ws_frame *f[WS_SEND_MAX];
		size_t n = 0;

		for (; i < round_.going.n && n < WS_SEND_MAX; i++) {
			const struct feed_event *e = &round_.going.event[i];

			if (e->number >= c->first_event && may_hear(c, e) && !below_floor(c, e))
				f[n++] = e->frame;
		}
		if (n && !ws_send(c->ws, f, n, QUEUE_MAX)) {
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
			round_.next = clients.next;
		}
		while (round_.next != &clients) {
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
	for (struct list *n = clients.next; n != &clients; n = n->next) {
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
	if (list_is_empty(&clients))
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

/* --- subscribing and resuming --- */

static void resume_free(struct resume *r)
{
	list_remove(&r->node);
	buf_free(&r->tenants);
	buf_free(&r->after);
	magic_end(r);
	free(r);
}

static void note_floor(struct client *c, int64_t tenant_id, int64_t seq)
{
	for (int i = 0; i < c->floor_count; i++)
		if (c->floors[i].tenant_id == tenant_id) {
			if (seq > c->floors[i].seq)
				c->floors[i].seq = seq;
			return;
		}
	if (c->floor_count == FLOORS_MAX)
		return;
	if (!c->floors)
		c->floors = xcalloc(FLOORS_MAX, sizeof(*c->floors));
	c->floors[c->floor_count++] = (struct floor_seq){ tenant_id, seq };
}

static bool has_moved_on(const struct client *c)
{
	for (int i = 0; i < c->floor_count; i++)
		if (events_position(c->floors[i].tenant_id) > c->floors[i].seq)
			return true;
	return false;
}

static void on_resumed(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct resume *r = magic_cast(resume, call->arg);
	struct client *c = r->client;
	int n = error == DB_OK ? PQntuples(rows) : 0;
	bool too_old = error != DB_OK;

	if (!c) {
		resume_free(r);
		return;
	}
	too_old |= n >= RESUME_MAX; /* the page was full: a tenant was cut off */
	go_live(c);
	if (too_old) {
		send_snapshot(c, error == DB_OK ? "too old" : "unavailable");
	} else {
		for (int i = 0; i < n && !c->behind; i++) {
			struct desk_event e = event_of_row(rows, i);
			struct feed_event one = feed_event_of(&e, round_.count);

			note_floor(c, e.tenant_id, e.seq);
			if (may_hear(c, &one) && !ws_send(c->ws, &one.frame, 1, QUEUE_MAX))
				c->behind = true;
			feed_event_free(&one);
		}
		send_text(c, "{\"op\":\"resumed\"}", 16);
		/* Events that the bus delivered during the query and that the result does not
		 * contain are either older than its snapshot or part of it. */
		if (has_moved_on(c))
			send_snapshot(c, "moved on");
	}
	resume_free(r);
}

static void start_resume(struct client *c, struct json_object *since)
{
	struct resume *r = magic_new(resume);
	int n = 0;

	c->floor_count = 0;
	r->client = c;
	list_add_tail(&resumes, &r->node);
	json_object_object_foreach(since, key, val)
	{
		int64_t tenant, seq = json_object_is_type(val, json_type_int)
					      ? json_object_get_int64(val)
					      : -1;

		if (!str_to_int(str_of(key), 1, 1LL << 53, &tenant) || seq < 0 ||
			!session_serves(c->session, tenant))
			continue;
		if (n == FLOORS_MAX) { /* send all of them or none */
			resume_free(r);
			c->floor_count = 0;
			go_live(c);
			send_snapshot(c, "too many tenants");
			return;
		}
		note_floor(c, tenant, seq);
		buf_addf(&r->tenants, "%c%lld", n ? ',' : '{', (long long)tenant);
		buf_addf(&r->after, "%c%lld", n++ ? ',' : '{', (long long)seq);
	}
	if (!n) {
		resume_free(r);
		go_live(c);
		send_snapshot(c, "fresh");
		return;
	}
	buf_addc(&r->tenants, '}');
	buf_addc(&r->after, '}');
	r->call = (struct db_call){ .stmt = &sql_bus_fetch,
		.ctx.role = DB_ROLE_JOB,
		.param = { buf_cstr(&r->tenants), buf_cstr(&r->after), "500" },
		.on_done = on_resumed,
		.arg = r };
	db_exec(&r->call);
}

static uint8_t read_topics(struct json_object *list)
{
	static const struct {
		const char *name;
		uint8_t bit;
	} known[] = { { "overview", TOPIC_OVERVIEW }, { "tickets", TOPIC_TICKETS },
		{ "alerts", TOPIC_ALERTS } };
	uint8_t topics = 0;

	for (size_t i = 0;
		json_object_is_type(list, json_type_array) && i < json_object_array_length(list);
		i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		uint8_t bit = 0;

		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			if (json_object_is_type(v, json_type_string) &&
				str_is(json_str(v), known[k].name))
				bit = known[k].bit;
		if (!bit)
			return 0;
		topics |= bit;
	}
	return topics;
}

static void subscribe(struct client *c, struct json_object *msg)
{
	struct json_object *since = json_get(msg, "since");

	c->topics = read_topics(json_get(msg, "topics"));
	if (!c->topics) {
		send_text(c,
			"{\"op\":\"error\",\"field\":\"topics\",\"rule\":\"a list of overview, "
			"tickets, alerts\"}",
			75);
		return;
	}
	c->live = false;
	if (json_object_is_type(since, json_type_object)) {
		start_resume(c, since);
		return;
	}
	go_live(c);
	send_snapshot(c, "fresh");
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
	struct json_error err;

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
	session_put(c->session);
	c->session = s;
	json_object_put(c->scope);
	c->scope = s->scope[0] ? json_read(s->scope, strlen(s->scope), &err) : NULL;
	if (s->scope[0] && !c->scope) {
		ws_close(c->ws, 1013, "try again");
		return;
	}
	c->since_us = clock_mono_us();
	send_text(c, "{\"op\":\"welcome\"}", 16);
}

static void authenticate(struct client *c, struct str token)
{
	struct finding *f = magic_new(finding);

	f->client = c;
	c->finding = true;
	list_add_tail(&findings, &f->node);
	session_find(token, on_session, f);
}

static void on_message(struct ws *ws, const char *p, size_t n, bool binary)
{
	struct client *c = magic_cast(client, ws_user(ws));
	struct json_error err;
	struct json_object *msg = binary ? NULL : json_read(p, n, &err);
	const char *op = json_get_string(msg, "op"), *token = json_get_string(msg, "token");

	if (!op)
		ws_close(ws, 1003, "JSON objects with an op only");
	else if (strcmp(op, "auth") == 0 && token && !c->finding)
		authenticate(c, str_of(token));
	else if (!c->session)
		ws_close(ws, 4401, "authenticate first");
	else if (strcmp(op, "subscribe") == 0)
		subscribe(c, msg);
	else if (strcmp(op, "ping") == 0)
		send_text(c, "{\"op\":\"pong\"}", 13);
	else
		send_text(c,
			"{\"op\":\"error\",\"field\":\"op\",\"rule\":\"auth, subscribe or ping\"}",
			60);
	json_object_put(msg);
}

static void on_close(struct ws *ws)
{
	struct client *c = magic_cast(client, ws_user(ws));

	for (struct list *n = resumes.next; n != &resumes; n = n->next)
		if (list_entry(n, struct resume, node)->client == c)
			list_entry(n, struct resume, node)->client = NULL;
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
	free(c->floors);
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
	list_add_tail(&clients, &c->node);
	health.clients++;
	health.unauthenticated++;
	if (cookie.n) /* from a browser page: the cookie already identifies it */
		authenticate(c, cookie);
	return o;
}

static void drop_floors(struct client *c)
{
	for (int i = 0; i < c->floor_count; i++)
		if (events_position(c->floors[i].tenant_id) < c->floors[i].seq)
			return;
	free(c->floors);
	c->floors = NULL;
	c->floor_count = 0;
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
		send_snapshot(c, "behind");
	if (c->floors && c->live && !round_.asked)
		drop_floors(c);
}

/* Not a job: clients are pinged, and closed when their session expires, while the daemon drains
 * too. */
static void on_tick(void *arg)
{
	int64_t now = clock_mono_us();
	struct list *next;

	(void)arg;
	for (struct list *n = clients.next; n != &clients; n = next) {
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
	list_init(&clients);
	list_init(&resumes);
	list_init(&findings);
	kv_psubscribe("sladesk.v1.events.*", on_remote, NULL);
	loop_every(1000, on_tick, NULL);
}

void push_drain(void)
{
	draining = true;
	send_round_for(INT64_MAX);
	for (struct list *n = clients.next; n != &clients; n = n->next) {
		struct client *c = list_entry(n, struct client, node);

		if (c->session)
			send_snapshot(c, "restart");
		ws_close(c->ws, 1012, "service restart");
	}
}
