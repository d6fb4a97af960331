/* SPDX-License-Identifier: Apache-2.0
 * Where a client of the feed begins: with a snapshot, or with the events after its position, which
 * a query reads. Each client has one query at a time, each customer a few and all together not more
 * than half of what the connections for jobs take at once; the others wait here, so that clients
 * that reconnect together, or that ask in a loop, delay nobody's work but each other's. */
#include "feed_client.h"
#include "base/json.h"
#include "core/events.h"
#include "sql_gen.h"

#include <stdlib.h>

#define RESUME_MAX 500 /* events that one query reads */
#define FLOORS_MAX 64
#define AT_ONCE 8
#define AT_ONCE_OF_ONE 4 /* of one customer, or of one of the provider's staff */

struct resume {
	uint32_t magic;
	struct db_call call;
	struct client *client;    /* NULL: the client has left */
	int64_t tenant_id, staff; /* for whom it counts */
	struct buf tenants, after;
	struct list node;
};
MAGIC(resume, 0x9faf382f);

static struct {
	struct list waiting, going;
} resumes;

void resume_init(void)
{
	list_init(&resumes.waiting);
	list_init(&resumes.going);
}

static void resume_free(struct resume *r)
{
	if (r->client)
		r->client->resume = NULL;
	list_remove(&r->node);
	buf_free(&r->tenants);
	buf_free(&r->after);
	magic_end(r);
	free(r);
}

void feed_forget(struct client *c)
{
	struct resume *r = c->resume;

	free(c->floors);
	c->floors = NULL;
	if (!r)
		return;
	if (r->call.stmt) /* its answer is on the way */
		r->client = NULL;
	else
		resume_free(r);
}

/* --- floors --- */

bool feed_below_floor(const struct client *c, const struct feed_event *e)
{
	for (int i = 0; i < c->floor_count; i++)
		if (c->floors[i].tenant_id == e->tenant_id)
			return e->seq <= c->floors[i].seq;
	return false;
}

void feed_drop_floors(struct client *c)
{
	for (int i = 0; i < c->floor_count; i++)
		if (events_position(c->floors[i].tenant_id) < c->floors[i].seq)
			return;
	free(c->floors);
	c->floors = NULL;
	c->floor_count = 0;
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

/* --- the query --- */

static void on_resumed(struct db_call *call, enum db_error error, const PGresult *rows);

static bool may_go(const struct resume *r)
{
	int all = 0, same = 0;

	for (struct list *n = resumes.going.next; n != &resumes.going; n = n->next) {
		const struct resume *other = list_entry(n, struct resume, node);

		all++;
		same += other->tenant_id == r->tenant_id && other->staff == r->staff;
	}
	return all < AT_ONCE && same < AT_ONCE_OF_ONE;
}

static void start_waiting(void)
{
	struct list *next;

	for (struct list *n = resumes.waiting.next; n != &resumes.waiting; n = next) {
		struct resume *r = list_entry(n, struct resume, node);

		next = n->next;
		if (!may_go(r))
			continue;
		list_remove(&r->node);
		list_add_tail(&resumes.going, &r->node);
		r->call = (struct db_call){ .stmt = &sql_bus_fetch,
			.ctx = { .role = DB_ROLE_JOB, .behalf = r->tenant_id },
			.param = { buf_cstr(&r->tenants), buf_cstr(&r->after), "500" },
			.on_done = on_resumed,
			.arg = r };
		db_exec(&r->call);
	}
}

static void send_missed(struct client *c, const PGresult *rows)
{
	for (int i = 0; i < PQntuples(rows) && !c->behind; i++) {
		struct desk_event e = event_of_row(rows, i);
		struct feed_event one = feed_event_of(&e, feed_event_count());

		note_floor(c, e.tenant_id, e.seq);
		if (feed_may_hear(c, &one)) {
			struct ws_frame *f = feed_event_frame(&one, c->session->zh);

			if (!ws_send(c->ws, &f, 1, FEED_QUEUE_MAX))
				c->behind = true;
		}
		feed_event_free(&one);
	}
	feed_send(c, "{\"op\":\"resumed\"}", 16);
	/* Events that the bus delivered during the query and that the result does not contain are
	 * either older than its snapshot or part of it. */
	if (has_moved_on(c))
		feed_send_snapshot(c, "moved on");
}

static void on_resumed(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct resume *r = magic_cast(resume, call->arg);
	struct client *c = r->client;

	if (c) {
		feed_go_live(c);
		if (error != DB_OK)
			feed_send_snapshot(c, "unavailable");
		else if (PQntuples(rows) >=
			 RESUME_MAX) /* the page was full: a tenant was cut off */
			feed_send_snapshot(c, "too old");
		else
			send_missed(c, rows);
	}
	resume_free(r);
	start_waiting();
}

/* --- subscribing --- */

/* Begin with a snapshot, for REASON. */
static void begin_anew(struct client *c, const char *reason)
{
	c->floor_count = 0;
	feed_go_live(c);
	feed_send_snapshot(c, reason);
}

/* Read the positions of SINCE into R and the floors of C. Returns NULL, or the reason why C cannot
 * go on from there. */
static const char *read_since(struct client *c, struct resume *r, struct json_object *since)
{
	int n = 0;

	json_object_object_foreach(since, key, val)
	{
		int64_t tenant, seq = json_object_is_type(val, json_type_int)
					      ? json_object_get_int64(val)
					      : -1;

		if (!str_to_int(str_of(key), 1, 1LL << 53, &tenant) || seq < 0 ||
			!session_serves(c->session, tenant))
			continue;
		if (n == FLOORS_MAX) /* send all of them or none */
			return "too many tenants";
		/* A position that nobody has reached: the database was restored, or the client is
		 * wrong. It would hear nothing until then. */
		if (events_position(tenant) >= 0 && seq > events_position(tenant))
			return "ahead";
		note_floor(c, tenant, seq);
		buf_addf(&r->tenants, "%c%lld", n ? ',' : '{', (long long)tenant);
		buf_addf(&r->after, "%c%lld", n++ ? ',' : '{', (long long)seq);
	}
	if (!n)
		return "fresh";
	buf_addc(&r->tenants, '}');
	buf_addc(&r->after, '}');
	return NULL;
}

static void start_resume(struct client *c, struct json_object *since)
{
	struct resume *r = magic_new(resume);
	const char *reason;

	c->floor_count = 0;
	list_init(&r->node);
	reason = read_since(c, r, since);
	if (reason) {
		resume_free(r);
		begin_anew(c, reason);
		return;
	}
	r->client = c;
	r->tenant_id = c->session->tenant_id;
	r->staff = c->session->staff ? c->session->actor_id : 0;
	c->resume = r;
	list_add_tail(&resumes.waiting, &r->node);
	start_waiting();
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

void feed_subscribe(struct client *c, struct json_object *msg)
{
	static const char busy[] =
		"{\"op\":\"error\",\"field\":\"op\",\"rule\":\"one subscribe at a "
		"time: wait for resumed or snapshot\"}",
			  bad[] = "{\"op\":\"error\",\"field\":\"topics\",\"rule\":\"a list of "
				  "overview, tickets, alerts\"}";
	struct json_object *since = json_get(msg, "since");

	if (c->resume) {
		feed_send(c, busy, sizeof(busy) - 1);
		return;
	}
	c->topics = read_topics(json_get(msg, "topics"));
	if (!c->topics) {
		feed_send(c, bad, sizeof(bad) - 1);
		return;
	}
	c->live = false;
	if (json_object_is_type(since, json_type_object))
		start_resume(c, since);
	else
		begin_anew(c, "fresh");
}
