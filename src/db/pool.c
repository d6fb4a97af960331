/* SPDX-License-Identifier: Apache-2.0
 * The pools. A connection sits in exactly one state, moved by conn_move alone; a call sits in
 * exactly one list: waiting (a pool's) or sent (a connection's). Never PQcancel on a shared
 * pipeline: time limits only. */
#include "db/db.h"
#include "base/clock.h"
#include "base/log.h"
#include "loop/loop.h"
#include "inner.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

enum conn_state { CONN_DOWN, CONN_CONNECTING, CONN_SETUP, CONN_READY, CONN_DRAINING, CONN_STATES };

struct pool;

struct conn {
	struct pool *pool;
	struct who who;
	enum conn_state state;
	PGconn *pg;
	struct event *read_ev, *write_ev;
	struct list sent; /* struct db_call, in the order of the pipeline */
	int depth;
	bool flush_queued;
	unsigned char *prepared; /* by statement index */
	int statements;
	unsigned generation;
	int64_t changed_us, retry_us, retry_wait_us;
};

struct pool {
	enum sql_class class;
	bool job_role;
	int size, max_depth, statement_ms, lock_ms;
	int at_most; /* calls sent at a time, over all connections; 0: no such limit */
	struct conn *conns;
	struct list waiting;
	int waiting_n;
	bool up, tried;
	int64_t since_us;
	struct event *feed_ev;
};

#define WAITING_MAX 256
#define CUSTOMERS_MAX (WAITING_MAX * 4 / 5) /* the rest is kept for the provider's own */
#define WAIT_MAX_US US_PER_S
#define CONNECT_MAX_US (2 * US_PER_S)
#define STATEMENTS_MAX 256
#define CONNECT_GAP_US 15000
#define RETRY_MAX_US (US_PER_S / 4) /* of a connection; one is tried at a time */

static struct pool pools[SQL_CLASSES];
static char *app_url, *job_url, *replica_url, *db_password;
static uint64_t calls_total, conn_serial;
static bool running;
static struct loop_timer *connector;

static const char *const ctx_text =
	"select set_config('app.current_tenants', $1, true), set_config('app.current_tenant_id', "
	"$2, true), set_config('app.user_id', $3, true), "
	"set_config('app.audience', $4, true), set_config('transaction_read_only', $5, true), "
	"set_config('enable_sort', $6, true), set_config('app.scope', $7, true)";
static const char *const replan_text =
	"select set_config('plan_cache_mode', 'force_custom_plan', true)";

const char *db_error_name(enum db_error e)
{
	static const char *const names[] = { "ok", "down", "busy", "unknown", "timeout", "conflict",
		"forbidden", "retry", "missing", "stale", "failed" };

	return names[e];
}

static void pool_feed(struct pool *p);
static void conn_connect(struct conn *c);
static void on_conn_io(evutil_socket_t fd, short what, void *arg);
static void on_conn_write(evutil_socket_t fd, short what, void *arg);

/* --- finishing calls --- */

static void deliver(void *arg)
{
	struct db_call *call = arg;
	PGresult *rows = call->rows;
	bool keep = call->keep_rows && call->error == DB_OK;

	if (!keep)
		call->rows = NULL;
	call->on_done(call, call->error, call->error == DB_OK ? rows : NULL);
	if (!keep)
		PQclear(rows);
}

static void finish_later(struct db_call *call, enum db_error error)
{
	call->error = error;
	if (error != DB_OK) {
		PQclear(call->rows);
		call->rows = NULL;
	}
	later_call(deliver, call);
}

/* --- states --- */

static void conn_close(struct conn *c)
{
	if (c->read_ev)
		event_free(c->read_ev);
	if (c->write_ev)
		event_free(c->write_ev);
	c->read_ev = c->write_ev = NULL;
	c->flush_queued = false; /* its event is gone with it */
	PQfinish(c->pg);
	c->pg = NULL;
}

static void fail_sent(struct conn *c)
{
	while (!list_is_empty(&c->sent)) {
		struct db_call *call = list_entry(c->sent.next, struct db_call, node);

		list_remove(&call->node);
		finish_later(call, call->stmt->mode == SQL_READ ? DB_DOWN : DB_UNKNOWN);
	}
	c->depth = 0;
}

static void pool_note_up(struct pool *p)
{
	bool up = false;

	for (int i = 0; i < p->size; i++)
		up |= p->conns[i].state == CONN_READY;
	if (up != p->up) {
		p->up = up;
		p->since_us = clock_mono_us();
	}
}

static void conn_move(struct conn *c, enum conn_state to)
{
	c->state = to;
	c->changed_us = clock_mono_us();
	switch (to) {
	case CONN_DOWN:
		conn_close(c);
		fail_sent(c);
		c->retry_wait_us = c->retry_wait_us ? c->retry_wait_us * 2 : 50000;
		if (c->retry_wait_us > RETRY_MAX_US)
			c->retry_wait_us = RETRY_MAX_US;
		c->retry_us = c->changed_us + c->retry_wait_us;
		c->pool->tried = true;
		break;
	case CONN_READY:
		c->retry_wait_us = 0;
		break;
	case CONN_CONNECTING:
	case CONN_SETUP:
	case CONN_DRAINING:
	case CONN_STATES:
		break;
	}
	pool_note_up(c->pool);
}

static void conn_lost(struct conn *c, const char *why)
{
	const char *msg = c->pg ? PQerrorMessage(c->pg) : "";

	log_warn(&c->who, "connection lost why=%s sent=%d %.200s", why, c->depth, msg);
	conn_move(c, CONN_DOWN);
}

/* --- connecting --- */

static void conn_watch(struct conn *c, short what)
{
	if (c->read_ev)
		event_free(c->read_ev);
	c->read_ev = event_new(loop_base(), PQsocket(c->pg), what, on_conn_io, c);
	event_add(c->read_ev, NULL);
}

static void conn_connect(struct conn *c)
{
	const struct pool *p = c->pool;
	char options[320];
	const char *keys[] = { "dbname", "password", "application_name", "client_encoding",
		"options", NULL };
	const char *values[] = { p->class == SQL_REPLICA ? replica_url
				 : p->job_role           ? job_url
							 : app_url,
		db_password ? db_password : "", "sladeskd", "UTF8", options, NULL };

	/* Generic plans that follow the indexes: planning our statements anew costs more than
	 * running them, and a plan made while a table was empty must do when it is full. */
	snprintf(options, sizeof(options),
		"-c timezone=UTC -c jit=off -c random_page_cost=1.1 -c statement_timeout=%d "
		"-c lock_timeout=%d%s",
		p->statement_ms, p->lock_ms,
		p->class == SQL_SLOW ? ""
				     : " -c plan_cache_mode=force_generic_plan "
				       "-c enable_seqscan=off");
	c->pg = PQconnectStartParams(keys, values, 1);
	conn_move(c, CONN_CONNECTING);
	if (!c->pg || PQstatus(c->pg) == CONNECTION_BAD) {
		conn_lost(c, "connect");
		return;
	}
	conn_watch(c, EV_WRITE);
}

/* Prepare the context statement; the connection is ready when it answers. */
static void conn_setup(struct conn *c)
{
	PQsetnonblocking(c->pg, 1);
	memset(c->prepared, 0, STATEMENTS_MAX);
	if (!PQenterPipelineMode(c->pg) || !PQsendPrepare(c->pg, "ctx", ctx_text, 0, NULL) ||
		!PQsendPrepare(c->pg, "replan", replan_text, 0, NULL) || !PQpipelineSync(c->pg) ||
		PQflush(c->pg) < 0) {
		conn_lost(c, "setup");
		return;
	}
	conn_move(c, CONN_SETUP);
	if (c->read_ev)
		event_free(c->read_ev);
	c->read_ev = event_new(loop_base(), PQsocket(c->pg), EV_READ | EV_PERSIST, on_conn_io, c);
	c->write_ev = event_new(loop_base(), PQsocket(c->pg), EV_WRITE, on_conn_write, c);
	event_add(c->read_ev, NULL);
}

static void conn_poll(struct conn *c)
{
	switch (PQconnectPoll(c->pg)) {
	case PGRES_POLLING_READING:
		conn_watch(c, EV_READ); /* the descriptor may have changed */
		break;
	case PGRES_POLLING_WRITING:
		conn_watch(c, EV_WRITE);
		break;
	case PGRES_POLLING_OK:
		conn_setup(c);
		break;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		conn_lost(c, "connect");
		break;
	}
}

/* --- results --- */

static enum db_error error_of(const char *state)
{
	static const struct {
		const char *prefix;
		enum db_error e;
	} map[] = { { "57014", DB_TIMEOUT }, { "55P03", DB_RETRY }, { "40001", DB_RETRY },
		{ "40P01", DB_RETRY }, { "23505", DB_CONFLICT }, { "23503", DB_MISSING },
		{ "SD002", DB_MISSING }, { "42501", DB_FORBIDDEN }, { "SD001", DB_STALE },
		{ "57P0", DB_DOWN }, { "53", DB_DOWN },
		/* read-only, by setting or as a standby */
		{ "25", DB_DOWN }, { "0A000", DB_DOWN }, { "08", DB_DOWN } };

	for (size_t i = 0; i < ARRAY_LEN(map); i++)
		if (strncmp(state, map[i].prefix, strlen(map[i].prefix)) == 0)
			return map[i].e;
	return DB_FAILED;
}

static void note_error(struct conn *c, struct db_call *call, const PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE),
		   *name = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);

	snprintf(call->sqlstate, sizeof(call->sqlstate), "%s", state ? state : "XX000");
	snprintf(call->constraint, sizeof(call->constraint), "%s", name ? name : "");
	call->error = error_of(call->sqlstate);
	if (call->error == DB_FAILED || call->error == DB_FORBIDDEN)
		log_error(&c->who, "statement failed stmt=%s sqlstate=%s %.300s", call->stmt->name,
			call->sqlstate, PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
}

static bool schema_changed(const struct db_call *call)
{
	return strcmp(call->sqlstate, "26000") == 0 || strcmp(call->sqlstate, "0A000") == 0;
}

static void call_synced(struct conn *c)
{
	struct db_call *call = list_entry(c->sent.next, struct db_call, node);

	bug_on(list_is_empty(&c->sent));
	list_remove(&call->node);
	c->depth--;
	if (call->error != DB_OK && (call->prepares || schema_changed(call))) {
		c->prepared[call->stmt->index] =
			0; /* whether it was prepared is unknown: next time under a new name */
		c->generation++;
		if (schema_changed(call) && !call->retried) {
			call->retried =
				true; /* the group did nothing, so even a write may go again */
			call->error = DB_OK;
			list_add_tail(&c->pool->waiting, &call->node);
			c->pool->waiting_n++;
			return;
		}
	}
	finish_later(call, call->error);
}

static void take_result(struct conn *c, PGresult *r)
{
	struct db_call *call =
		list_is_empty(&c->sent) ? NULL : list_entry(c->sent.next, struct db_call, node);

	switch (PQresultStatus(r)) {
	case PGRES_TUPLES_OK: /* the context's row first, then the statement's */
		if (call) {
			PQclear(call->rows);
			call->rows = r;
			return;
		}
		break;
	case PGRES_PIPELINE_SYNC:
		if (c->state == CONN_SETUP)
			conn_move(c, CONN_READY);
		else
			call_synced(c);
		break;
	case PGRES_FATAL_ERROR:
		if (call)
			note_error(c, call, r);
		else
			log_error(&c->who, "%.300s", PQresultErrorMessage(r));
		break;
	default:
		break;
	}
	PQclear(r);
}

static void conn_read(struct conn *c)
{
	PGresult *r;

	if (!PQconsumeInput(c->pg)) {
		conn_lost(c, "read");
		return;
	}
	while ((c->depth || c->state == CONN_SETUP) && !PQisBusy(c->pg)) {
		r = PQgetResult(c->pg);
		if (r)
			take_result(c, r);
		if (PQstatus(c->pg) == CONNECTION_BAD) {
			conn_lost(c, "read");
			return;
		}
	}
	if (PQstatus(c->pg) == CONNECTION_BAD)
		conn_lost(c, "closed");
	else if (c->state == CONN_DRAINING && c->depth == 0)
		conn_move(c, CONN_DOWN);
	pool_feed(c->pool);
}

static void on_conn_io(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	if (c->state == CONN_CONNECTING)
		conn_poll(c);
	else
		conn_read(c);
	loop_note_turn("db");
}

static void on_conn_write(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	int left;

	(void)fd;
	(void)what;
	c->flush_queued = false;
	left = PQflush(c->pg);
	if (left < 0) {
		conn_lost(c, "write");
	} else if (left > 0) {
		c->flush_queued = true;
		event_add(c->write_ev, NULL);
	}
}

/* --- sending --- */

/* The job role reads no settings: its policies let it see every tenant. */
static bool send_context(struct conn *c, const struct db_call *call)
{
	char tenant[24], user[24];
	const char *v[7] = { call->ctx.tenants ? call->ctx.tenants : "{}", tenant, user,
		call->ctx.staff ? "staff" : "customer", call->stmt->mode == SQL_READ ? "on" : "off",
		/* a page comes in the order of an index; its plan knows no limit and would sort all
		 */
		call->stmt->shape == SQL_LIST && !call->replan ? "off" : "on",
		call->ctx.scope ? call->ctx.scope : "" };

	if (c->pool->job_role)
		return true;
	snprintf(tenant, sizeof(tenant), "%lld", (long long)call->ctx.tenant_id);
	snprintf(user, sizeof(user), "%lld", (long long)call->ctx.user_id);
	return PQsendQueryPrepared(c->pg, "ctx", 7, v, NULL, NULL, 1) &&
	       (!call->replan || PQsendQueryPrepared(c->pg, "replan", 0, NULL, NULL, NULL, 1));
}

static bool conn_send(struct conn *c, struct db_call *call)
{
	char name[80];

	snprintf(name, sizeof(name), "s%d_%u", call->stmt->index,
		c->prepared[call->stmt->index] ? c->prepared[call->stmt->index]
					       : c->generation % 255 + 1);
	call->prepares = !c->prepared[call->stmt->index];
	if (call->prepares && !PQsendPrepare(c->pg, name, call->stmt->text, 0, NULL))
		return false;
	c->prepared[call->stmt->index] = c->prepared[call->stmt->index]
						 ? c->prepared[call->stmt->index]
						 : (unsigned char)(c->generation % 255 + 1);
	if (!send_context(c, call) ||
		!PQsendQueryPrepared(
			c->pg, name, call->stmt->param_count, call->param, NULL, NULL, 1) ||
		!PQpipelineSync(c->pg))
		return false;
	call->sent_us = clock_mono_us();
	call->error = DB_OK;
	list_add_tail(&c->sent, &call->node);
	c->depth++;
	calls_total++;
	if (!c->flush_queued) { /* one flush a turn for all that was sent in it */
		c->flush_queued = true;
		event_active(c->write_ev, EV_WRITE, 0);
	}
	return true;
}

static struct conn *pool_pick(struct pool *p)
{
	struct conn *best = NULL;
	int sent = 0;

	for (int i = 0; i < p->size; i++) {
		struct conn *c = &p->conns[i];

		sent += c->depth;
		if (c->state == CONN_READY && c->depth < p->max_depth &&
			(!best || c->depth < best->depth))
			best = c;
	}
	return p->at_most && sent >= p->at_most ? NULL : best;
}

static void pool_feed(struct pool *p)
{
	struct conn *c;

	while (!list_is_empty(&p->waiting) && (c = pool_pick(p))) {
		struct db_call *call = list_entry(p->waiting.next, struct db_call, node);

		list_remove(&call->node);
		p->waiting_n--;
		if (!conn_send(c, call)) {
			list_init(&call->node);
			finish_later(call, DB_UNKNOWN);
			conn_lost(c, "send");
		}
	}
}

void db_favour_fires(bool favour)
{
	struct pool *p = &pools[SQL_POINT];

	p->at_most = favour ? 1 : 0;
	if (!favour && running)
		pool_feed(p);
}

/* A call that is used again while it is under way gives its rows to somebody else. Looked for where
 * looking may cost something. */
static void refuse_reuse(const struct db_call *call)
{
#ifdef __SANITIZE_ADDRESS__
	for (int k = 0; k < SQL_CLASSES; k++) {
		for (struct list *n = pools[k].waiting.next; n && n != &pools[k].waiting;
			n = n->next)
			bug_on(n == &call->node);
		for (int i = 0; i < pools[k].size; i++) {
			struct list *sent = &pools[k].conns[i].sent;

			for (struct list *n = sent->next; n && n != sent; n = n->next)
				bug_on(n == &call->node);
		}
	}
#else
	(void)call;
#endif
}

static bool is_customers(const struct db_call *call)
{
	return call->stmt->mode != SQL_JOB && call->ctx.tenant_id > 1 && !call->ctx.staff;
}

void db_exec(struct db_call *call)
{
	struct pool *p;

	bug_on(!call->on_done || !call->stmt);
	bug_on(call->replica && call->stmt->mode != SQL_READ);
	p = &pools[call->replica ? SQL_REPLICA : call->stmt->class];
	bug_on((call->stmt->mode == SQL_JOB) != p->job_role);
	refuse_reuse(call);
	call->rows = NULL;
	call->retried = false;
	call->queued_us = clock_mono_us();
	if (!running || (!p->up && p->tried)) {
		finish_later(call, DB_DOWN);
		return;
	}
	if (p->waiting_n >= (is_customers(call) ? CUSTOMERS_MAX : WAITING_MAX) &&
		p->class != SQL_FIRE) {
		finish_later(call, DB_BUSY);
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
		finish_later(call, down ? DB_DOWN : DB_BUSY);
	}
}

static void conn_tick(struct conn *c, int64_t now)
{
	struct db_call *oldest =
		list_is_empty(&c->sent) ? NULL : list_entry(c->sent.next, struct db_call, node);

	if ((c->state == CONN_CONNECTING || c->state == CONN_SETUP) &&
		now - c->changed_us > CONNECT_MAX_US)
		conn_lost(c, "connect timed out");
	else if (oldest && now - oldest->sent_us > (c->pool->statement_ms + 300) * 1000LL)
		conn_lost(c, "no answer"); /* the server's own limit should have come first: it is
					      stopped or unreachable */
}

/* One at a time: SCRAM's key derivation costs milliseconds a connection, and many at once (a
 * restarted server) would hold the loop. Every pool gets its first before any gets its second. */
static void connect_next(void *arg)
{
	int64_t now = clock_mono_us();
	bool more = true;

	(void)arg;
	for (int i = 0; running && more; i++) {
		more = false;
		for (int k = 0; k < SQL_CLASSES; k++) {
			struct conn *c = &pools[k].conns[i];

			if (i >= pools[k].size)
				continue;
			more = true;
			if (c->state == CONN_DOWN && now >= c->retry_us) {
				conn_connect(c);
				loop_timer_set(connector, CONNECT_GAP_US);
				return;
			}
		}
	}
}

static void on_tick(void *arg)
{
	int64_t now = clock_mono_us();

	(void)arg;
	connect_next(NULL);
	for (int k = 0; k < SQL_CLASSES; k++) {
		for (int i = 0; i < pools[k].size; i++)
			conn_tick(&pools[k].conns[i], now);
		expire_waiting(&pools[k], now);
	}
}

/* --- life --- */

static const char *url_part(const PQconninfoOption *o, const char *keyword)
{
	for (; o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0)
			return o->val ? o->val : "";
	return "";
}

/* A host name would block the loop in getaddrinfo; PgBouncer loses prepared statements; beyond this
 * machine only over TLS that knows whom it speaks to. */
static bool check_url(const char *url, const char **out_error)
{
	char *err = NULL;
	PQconninfoOption *o = PQconninfoParse(url, &err);
	const char *host, *addr;
	bool ok = true;

	PQfreemem(err);
	if (!o) {
		*out_error = "database url: not a connection string";
		return false;
	}
	host = url_part(o, "host");
	addr = url_part(o, "hostaddr");
	if (host[0] && host[0] != '/' && !addr[0]) {
		*out_error = "database url: give a socket directory in host, or an address "
			     "in hostaddr; host names would block";
		ok = false;
	} else if (addr[0] && strncmp(addr, "127.", 4) != 0 && strcmp(addr, "::1") != 0 &&
		   strcmp(url_part(o, "sslmode"), "verify-full") != 0) {
		*out_error = "database url: to another machine only with sslmode=verify-full (and "
			     "host for the certificate's name)";
		ok = false;
	}
	PQconninfoFree(o);
	return ok;
}

static void pool_init(
	enum sql_class class, bool job, int size, int depth, int statement_ms, int lock_ms)
{
	struct pool *p = &pools[class];

	*p = (struct pool){ .class = class,
		.job_role = job,
		.size = size,
		.max_depth = depth,
		.statement_ms = statement_ms,
		.lock_ms = lock_ms };
	list_init(&p->waiting);
	p->conns = xcalloc((size_t)size, sizeof(*p->conns));
	for (int i = 0; i < size; i++) {
		struct conn *c = &p->conns[i];

		c->pool = p;
		list_init(&c->sent);
		c->prepared = xcalloc(1, STATEMENTS_MAX);
		snprintf(c->who.kind, sizeof(c->who.kind), "db");
		c->who.id = ++conn_serial;
	}
}

static bool take_settings(const struct db_settings *s, const char **out_error)
{
	if (!check_url(s->app_url, out_error) || !check_url(s->job_url, out_error) ||
		(s->replica_url[0] && !check_url(s->replica_url, out_error)))
		return false;
	free(replica_url);
	replica_url = xstrdup(s->replica_url);
	free(app_url);
	free(job_url);
	free(db_password);
	app_url = xstrdup(s->app_url);
	job_url = xstrdup(s->job_url);
	db_password = s->password && s->password[0] ? xstrdup(s->password) : NULL;
	return true;
}

bool db_init(const struct db_settings *s, const char **out_error)
{
	if (!take_settings(s, out_error))
		return false;
	running = true;
	pool_init(SQL_POINT, false, s->point_connections, 8, 1500, 500);
	pool_init(SQL_SLOW, false, 1, 1, 10000, 500);
	pool_init(SQL_FIRE, true, 2, 2, 5000, 500); /* one loads while the other stores */
	pool_init(SQL_CLASS_JOB, true, 2, 8, 5000, 500);
	pool_init(SQL_REPLICA, false, replica_url[0] ? 2 : 0, 8, 1500, 500);
	pools[SQL_REPLICA].tried = !replica_url[0];
	connector = loop_timer_new(connect_next, NULL);
	loop_timer_set(connector, 0);
	loop_every(100, on_tick, NULL);
	return true;
}

bool db_reconfigure(const struct db_settings *s, const char **out_error)
{
	if (!take_settings(s, out_error))
		return false;
	for (int k = 0; k < SQL_CLASSES; k++)
		for (int i = 0; i < pools[k].size; i++) {
			struct conn *c = &pools[k].conns[i];

			if (c->state == CONN_READY)
				conn_move(c, c->depth ? CONN_DRAINING : CONN_DOWN);
			c->retry_us = 0;
		}
	loop_timer_set(connector, 0);
	return true;
}

void db_free(void)
{
	running = false;
	loop_timer_free(connector);
	connector = NULL;
	for (int k = 0; k < SQL_CLASSES; k++) {
		for (int i = 0; i < pools[k].size; i++) {
			conn_move(&pools[k].conns[i], CONN_DOWN);
			free(pools[k].conns[i].prepared);
		}
		pools[k].tried = true;
		expire_waiting(&pools[k], clock_mono_us());
		free(pools[k].conns);
		pools[k].conns = NULL;
		pools[k].size = 0;
	}
	free(app_url);
	free(job_url);
	free(replica_url);
	free(db_password);
	app_url = job_url = replica_url = db_password = NULL;
}

struct db_health db_health(enum sql_class class)
{
	const struct pool *p = &pools[class];
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
	return calls_total;
}

PGconn *db_start_job_connection(const char *name, const char *settings)
{
	const char *keys[] = { "dbname", "password", "application_name", "options", NULL };
	const char *values[] = { job_url, db_password ? db_password : "", name, settings, NULL };

	return PQconnectStartParams(keys, values, 1);
}
