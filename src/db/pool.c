/* SPDX-License-Identifier: Apache-2.0
 * The pools: which call waits for what and how long, and which connection is made next. */
#include "db/db.h"
#include "base/clock.h"
#include "base/log.h"
#include "loop/loop.h"
#include "inner.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#define WAITING_MAX 256
#define CUSTOMERS_MAX (WAITING_MAX * 4 / 5) /* the rest is reserved for the provider's staff */
#define ONE_CUSTOMER_MAX (WAITING_MAX / 2)
#define WAIT_MAX_US US_PER_S
#define CONNECT_GAP_US 15000
#define PART_QUEUE "the queue for postgresql"

static struct {
	struct pool pools[SQL_CLASSES];
	char *app_url, *job_url, *replica_url, *db_password, *job_password;
	uint64_t conn_serial;
	int statements;
	bool running;
	struct loop_timer *connector;
} db;

const char *db_error_name(enum db_error e)
{
	static const char *const names[] = { "ok", "down", "busy", "unknown", "timeout", "conflict",
		"forbidden", "retry", "missing", "stale", "refused", "failed" };

	return names[e];
}

bool db_is_away(enum db_error e)
{
	return e == DB_DOWN || e == DB_BUSY || e == DB_UNKNOWN;
}

/* --- what calls changed --- */

#define TRAIL_MAX 50
#define TRAIL_BYTES 32768

static void (*on_changes)(const char *stmt, const struct db_trail *changed);

void db_on_changes(void (*fn)(const char *stmt, const struct db_trail *changed))
{
	on_changes = fn;
}

void db_trail_clear(struct db_trail *trail)
{
	buf_free(&trail->changes);
	trail->n = trail->more = 0;
}

static void trail_add(struct db_trail *to, struct str changes, int n, int more)
{
	bool fits = to->n + n <= TRAIL_MAX && to->changes.n + changes.n <= TRAIL_BYTES;

	if (fits && n) {
		if (to->n)
			buf_addc(&to->changes, ',');
		buf_add(&to->changes, changes.p, changes.n);
		to->n += n;
	}
	to->more += fits ? more : more + n;
}

void call_note_change(struct db_call *call, const char *change)
{
	trail_add(&call->changed, str_of(change), 1, 0);
}

/* The call has committed: what it changed belongs to its request, or to nobody's. */
static void hand_over_changes(struct db_call *call)
{
	struct db_trail *to = call->ctx.trail;

	const struct db_trail *t = &call->changed;

	if (!t->n && !t->more)
		return;
	if (call->error == DB_OK && to)
		trail_add(to, (struct str){ t->changes.p, t->changes.n }, t->n, t->more);
	else if (call->error == DB_OK && on_changes)
		on_changes(call->stmt->name, t);
	db_trail_clear(&call->changed);
}

/* --- finishing calls --- */

static void deliver(void *arg)
{
	struct db_call *call = magic_cast(db_call, arg);
	PGresult *rows = call->rows;
	bool keep = call->keep_rows && call->error == DB_OK;

	if (!keep)
		call->rows = NULL;
	hand_over_changes(call);
	magic_end(call); /* it may be used again, or be freed */
	call->on_done(call, call->error, call->error == DB_OK ? rows : NULL);
	if (!keep)
		PQclear(rows);
}

void call_finish(struct db_call *call, enum db_error error)
{
	call->error = error;
	if (error != DB_OK) {
		PQclear(call->rows);
		call->rows = NULL;
	}
	later_call(deliver, call);
}

/* --- outages --- */

const char *pool_part(const struct pool *p)
{
	return p->class == SQL_REPLICA ? "the replica of postgresql" : "postgresql";
}

static bool is_whole(const struct pool *p)
{
	int n = 0;

	for (const struct list *l = p->in[CONN_READY].next; l != &p->in[CONN_READY]; l = l->next)
		n++;
	return n == p->size;
}

void pools_note_whole(const struct pool *p)
{
	bool replica = p->class == SQL_REPLICA;

	for (int k = 0; k < SQL_CLASSES; k++)
		if ((k == SQL_REPLICA) == replica && !is_whole(&db.pools[k]))
			return;
	outage_back(pool_part(p));
}

static void refuse_busy(const struct pool *p, struct db_call *call)
{
	outage_note(LOG_WARN, PART_QUEUE, "calls wait too long waiting=%d", p->waiting_n);
	call_finish(call, DB_BUSY);
}

static void note_empty_queues(void)
{
	for (int k = 0; k < SQL_CLASSES; k++)
		if (db.pools[k].waiting_n)
			return;
	outage_back(PART_QUEUE);
}

/* --- sending --- */

/* The ready connection with the least to do, unless the maximum number of calls is in flight. */
static struct conn *pool_pick(struct pool *p)
{
	struct conn *best = NULL;
	int sent = 0;

	for (struct list *n = p->in[CONN_READY].next; n != &p->in[CONN_READY]; n = n->next) {
		struct conn *c = list_entry(n, struct conn, node);

		sent += c->depth;
		if (c->depth < p->max_depth && (!best || c->depth < best->depth))
			best = c;
	}
	return p->at_most && sent >= p->at_most ? NULL : best;
}

void pool_feed(struct pool *p)
{
	struct conn *c;

	while (!list_is_empty(&p->waiting) && (c = pool_pick(p))) {
		struct db_call *call = list_entry(p->waiting.next, struct db_call, node);

		list_remove(&call->node);
		p->waiting_n--;
		if (!conn_send(c, call)) {
			list_init(&call->node);
			call_finish(call, DB_UNKNOWN);
			conn_lost(c, "send");
		}
	}
}

void db_limit_requests(bool favour)
{
	struct pool *p = &db.pools[SQL_POINT];

	p->at_most = favour ? 1 : 0;
	if (!favour && db.running)
		pool_feed(p);
}

/* A call that is used again while it is in progress would give its rows to the wrong caller.
 * Checked in builds where the search may take time. */
static void refuse_reuse(const struct db_call *call)
{
#ifdef __SANITIZE_ADDRESS__
	for (int k = 0; k < SQL_CLASSES; k++) {
		for (struct list *n = db.pools[k].waiting.next; n && n != &db.pools[k].waiting;
			n = n->next)
			bug_on(n == &call->node);
		for (int i = 0; i < db.pools[k].size; i++) {
			struct list *sent = &db.pools[k].conns[i].sent;

			for (struct list *n = sent->next; n && n != sent; n = n->next)
				bug_on(n == &call->node);
		}
	}
#else
	(void)call;
#endif
}

static bool role_fits(const struct db_call *call)
{
	enum db_role role = call->ctx.role;

	switch (call->stmt->mode) {
	case SQL_READ:
	case SQL_WRITE:
		return role == DB_ROLE_TENANT;
	case SQL_PREAUTH:
		return role == DB_ROLE_PREAUTH || role == DB_ROLE_TENANT;
	case SQL_JOB:
		return role == DB_ROLE_JOB;
	}
	return false;
}

/* The customer whose share CALL uses; 0: nobody's. */
static int64_t customer_of(const struct db_call *call)
{
	if (call->ctx.role == DB_ROLE_JOB)
		return call->ctx.behalf > 1 ? call->ctx.behalf : 0;
	return call->ctx.tenant_id > 1 && !call->ctx.staff ? call->ctx.tenant_id : 0;
}

/* Are so many calls of CUSTOMER waiting that another one would take room from other customers? The
 * list is short, and it is searched only if it is filling up. */
static bool has_its_share(const struct pool *p, int64_t customer)
{
	int same = 0;

	if (p->waiting_n < ONE_CUSTOMER_MAX)
		return false;
	for (const struct list *n = p->waiting.next; n != &p->waiting; n = n->next)
		same += customer_of(list_entry(n, struct db_call, node)) == customer;
	return same >= ONE_CUSTOMER_MAX;
}

/* May CALL still wait? Deadlines always may. */
static bool has_room(const struct pool *p, const struct db_call *call)
{
	int64_t customer = customer_of(call);

	if (p->class == SQL_FIRE)
		return true;
	if (!customer)
		return p->waiting_n < WAITING_MAX;
	return p->waiting_n < CUSTOMERS_MAX && !has_its_share(p, customer);
}

void db_exec(struct db_call *call)
{
	struct pool *p;

	bug_on(!call->on_done || !call->stmt);
	magic_set(call, db_call_magic);
	bug_on(call->replica && call->stmt->mode != SQL_READ);
	if (!role_fits(call)) {
#ifdef __SANITIZE_ADDRESS__
		bug_on(true);
#endif
		log_error(NULL, "statement refused stmt=%s: its caller has not set the right role",
			call->stmt->name);
		call->rows = NULL;
		call->changed = (struct db_trail){ 0 };
		call_finish(call, DB_FORBIDDEN);
		return;
	}
	p = &db.pools[call->replica ? SQL_REPLICA : call->stmt->class];
	bug_on((call->stmt->mode == SQL_JOB) != p->job_role);
	refuse_reuse(call);
	call->rows = NULL;
	call->changed = (struct db_trail){ 0 };
	call->retried = false;
	call->queued_us = clock_mono_us();
	if (!db.running || (!p->up && p->tried)) {
		call_finish(call, DB_DOWN);
		return;
	}
	if (!has_room(p, call)) {
		refuse_busy(p, call);
		return;
	}
	list_add_tail(&p->waiting, &call->node);
	p->waiting_n++;
	pool_feed(p);
}

/* --- time limits --- */

static void expire_waiting(struct pool *p, int64_t now)
{
	while (!list_is_empty(&p->waiting)) {
		struct db_call *call = list_entry(p->waiting.next, struct db_call, node);
		bool down = !p->up && p->tried;

		if (!down && now - call->queued_us < WAIT_MAX_US)
			return;
		list_remove(&call->node);
		p->waiting_n--;
		if (down)
			call_finish(call, DB_DOWN);
		else
			refuse_busy(p, call);
	}
}

static const char *url_of(const struct pool *p)
{
	if (p->class == SQL_REPLICA)
		return db.replica_url;
	return p->job_role ? db.job_url : db.app_url;
}

static int pool_begun(const struct pool *p)
{
	int n = p->size;

	for (const struct list *l = p->in[CONN_DOWN].next; l != &p->in[CONN_DOWN]; l = l->next)
		n--;
	return n;
}

static struct conn *pool_to_connect(const struct pool *p, int64_t now)
{
	for (struct list *n = p->in[CONN_DOWN].next; n != &p->in[CONN_DOWN]; n = n->next) {
		struct conn *c = list_entry(n, struct conn, node);

		if (now >= c->retry_us)
			return c;
	}
	return NULL;
}

/* One connection at a time: SCRAM's key derivation takes milliseconds, and many at once (after a
 * restart of the server) would block the loop. Every pool gets its first connection before any pool
 * gets its second. */
static void connect_next(void *arg)
{
	struct conn *next = NULL;
	int64_t now = clock_mono_us();

	(void)arg;
	for (int k = 0; db.running && k < SQL_CLASSES; k++) {
		struct conn *c = pool_to_connect(&db.pools[k], now);

		if (c && (!next || pool_begun(&db.pools[k]) < pool_begun(next->pool)))
			next = c;
	}
	if (next) {
		conn_connect(next, url_of(next->pool),
			next->pool->job_role ? db.job_password : db.db_password);
		loop_timer_set(db.connector, CONNECT_GAP_US);
	}
}

/* Not a job, because jobs use these connections. */
static void on_tick(void *arg)
{
	int64_t now = clock_mono_us();

	(void)arg;
	connect_next(NULL);
	for (int k = 0; k < SQL_CLASSES; k++) {
		for (int i = 0; i < db.pools[k].size; i++)
			conn_tick(&db.pools[k].conns[i], now);
		expire_waiting(&db.pools[k], now);
	}
	note_empty_queues();
}

/* --- life --- */

static void pool_init(
	enum sql_class class, bool job, int size, int depth, int statement_ms, int lock_ms)
{
	struct pool *p = &db.pools[class];

	*p = (struct pool){ .class = class,
		.job_role = job,
		.size = size,
		.max_depth = depth,
		.statement_ms = statement_ms,
		.lock_ms = lock_ms,
		.statements = db.statements };
	list_init(&p->waiting);
	for (int i = 0; i < CONN_STATES; i++)
		list_init(&p->in[i]);
	p->conns = xcalloc((size_t)size, sizeof(*p->conns));
	for (int i = 0; i < size; i++) {
		struct conn *c = &p->conns[i];

		c->magic = conn_magic;
		c->pool = p;
		list_init(&c->sent);
		list_add_tail(&p->in[CONN_DOWN], &c->node);
		c->prepared = xcalloc((size_t)db.statements, sizeof(*c->prepared));
		snprintf(c->who.kind, sizeof(c->who.kind), "db");
		c->who.id = ++db.conn_serial;
	}
}

static bool is_same(const char *have, const char *wanted)
{
	return strcmp(have ? have : "", wanted ? wanted : "") == 0;
}

static const char *job_password_of(const struct db_settings *s)
{
	return s->job_password && s->job_password[0] ? s->job_password : s->password;
}

static bool take_settings(const struct db_settings *s, const char **out_error)
{
	if (!db_url_is_safe(s->app_url, out_error) || !db_url_is_safe(s->job_url, out_error) ||
		(s->replica_url[0] && !db_url_is_safe(s->replica_url, out_error)))
		return false;
	free(db.replica_url);
	db.replica_url = xstrdup(s->replica_url);
	free(db.app_url);
	free(db.job_url);
	free(db.db_password);
	free(db.job_password);
	db.app_url = xstrdup(s->app_url);
	db.job_url = xstrdup(s->job_url);
	db.db_password = s->password && s->password[0] ? xstrdup(s->password) : NULL;
	db.job_password = job_password_of(s) ? xstrdup(job_password_of(s)) : NULL;
	return true;
}

bool db_init(const struct db_settings *s, const char **out_error)
{
	if (!take_settings(s, out_error))
		return false;
	db.running = true;
	db.statements = s->statements;
	pool_init(SQL_POINT, false, s->point_connections, 8, 1500, 500);
	pool_init(SQL_SLOW, false, 1, 1, 10000, 500);
	pool_init(SQL_FIRE, true, 2, 2, 5000, 500); /* one is for loading while the other stores */
	pool_init(SQL_CLASS_JOB, true, 2, 8, 5000, 500);
	pool_init(SQL_REPLICA, false, db.replica_url[0] ? 2 : 0, 8, 1500, 500);
	db.pools[SQL_REPLICA].tried = !db.replica_url[0];
	db.connector = loop_timer_new(connect_next, NULL);
	loop_timer_set(db.connector, 0);
	loop_every(100, on_tick, NULL);
	return true;
}

bool db_reconfigure(const struct db_settings *s, const char **out_error)
{
	if (is_same(db.app_url, s->app_url) && is_same(db.job_url, s->job_url) &&
		is_same(db.replica_url, s->replica_url) && is_same(db.db_password, s->password) &&
		is_same(db.job_password, job_password_of(s)))
		return true; /* the reload concerns other settings */
	if (!take_settings(s, out_error))
		return false;
	for (int k = 0; k < SQL_CLASSES; k++)
		for (int i = 0; i < db.pools[k].size; i++) {
			struct conn *c = &db.pools[k].conns[i];

			if (c->state == CONN_READY && c->depth)
				conn_move(c, CONN_DRAINING);
			else if (c->state != CONN_DOWN && c->state != CONN_DRAINING)
				conn_move(c, CONN_DOWN);
			c->retry_us = 0;
		}
	/* It is not known yet whether the new address is down: calls wait for the first attempt. */
	for (int k = 0; k < SQL_CLASSES; k++)
		db.pools[k].tried = k == SQL_REPLICA && !db.replica_url[0];
	loop_timer_set(db.connector, 0);
	return true;
}

void db_free(void)
{
	db.running = false;
	loop_timer_free(db.connector);
	db.connector = NULL;
	for (int k = 0; k < SQL_CLASSES; k++) {
		for (int i = 0; i < db.pools[k].size; i++) {
			if (db.pools[k].conns[i].state != CONN_DOWN)
				conn_move(&db.pools[k].conns[i], CONN_DOWN);
			free(db.pools[k].conns[i].prepared);
		}
		db.pools[k].tried = true;
		expire_waiting(&db.pools[k], clock_mono_us());
		free(db.pools[k].conns);
		db.pools[k].conns = NULL;
		db.pools[k].size = 0;
	}
	free(db.app_url);
	free(db.job_url);
	free(db.replica_url);
	free(db.db_password);
	free(db.job_password);
	db.app_url = db.job_url = db.replica_url = db.db_password = db.job_password = NULL;
}

struct db_health db_health(enum sql_class class)
{
	const struct pool *p = &db.pools[class];
	struct db_health h = { .up = p->up,
		.connections = p->size,
		.waiting = p->waiting_n,
		.since_us = p->since_us };

	for (int i = 0; i < p->size; i++) {
		h.ready += p->conns[i].state == CONN_READY;
		h.sent += p->conns[i].depth;
	}
	return h;
}

uint64_t db_calls_total(void)
{
	return conn_calls_total();
}

PGconn *db_start_job_connection(const char *name, const char *settings)
{
	const char *keys[] = { "dbname", "password", "application_name", "options", NULL };
	const char *values[] = { db.job_url, db.job_password ? db.job_password : "", name, settings,
		NULL };

	return PQconnectStartParams(keys, values, 1);
}
