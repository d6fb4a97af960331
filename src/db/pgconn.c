/* SPDX-License-Identifier: Apache-2.0
 * A pipelined connection: its states, what it sends, what it receives. Never PQcancel on a shared
 * pipeline; there are only time limits. */
#include "base/clock.h"
#include "inner.h"
#include "loop/loop.h"

#include <event2/event.h>
#include <stdio.h>

#define CONNECT_MAX_US (2 * US_PER_S)
#define PART_WRITES "postgresql for writing"
#define RETRY_MAX_US (US_PER_S / 4) /* one connection attempt at a time */

static uint64_t calls_total;

static const char *const ctx_text =
	"select set_config('app.current_tenants', $1, true), set_config('app.current_tenant_id', "
	"$2, true), set_config('app.user_id', $3, true), "
	"set_config('app.audience', $4, true), set_config('transaction_read_only', $5, true), "
	"set_config('enable_sort', $6, true), set_config('app.scope', $7, true)";
static const char *const replan_text =
	"select set_config('plan_cache_mode', 'force_custom_plan', true)";

static void on_conn_io(evutil_socket_t fd, short what, void *arg);
static void on_conn_write(evutil_socket_t fd, short what, void *arg);

uint64_t conn_calls_total(void)
{
	return calls_total;
}

/* --- states --- */

static void conn_close(struct conn *c)
{
	if (c->read_ev)
		event_free(c->read_ev);
	if (c->write_ev)
		event_free(c->write_ev);
	c->read_ev = c->write_ev = NULL;
	c->flush_queued = false; /* its event was freed with it */
	PQfinish(c->pg);
	c->pg = NULL;
}

static void fail_sent(struct conn *c)
{
	while (!list_is_empty(&c->sent)) {
		struct db_call *call = list_entry(c->sent.next, struct db_call, node);

		list_remove(&call->node);
		call_finish(call, call->stmt->mode == SQL_READ ? DB_DOWN : DB_UNKNOWN);
	}
	c->depth = 0;
}

static void pool_note_up(struct pool *p)
{
	bool up = !list_is_empty(&p->in[CONN_READY]);

	if (up != p->up) {
		p->up = up;
		p->since_us = clock_mono_us();
	}
}

static const char *const state_names[CONN_STATES] = { "down", "connecting", "setup", "ready",
	"draining" };

#define TO(state) (1u << (state))
static const unsigned may_move[CONN_STATES] = {
	[CONN_DOWN] = TO(CONN_CONNECTING),
	[CONN_CONNECTING] = TO(CONN_SETUP) | TO(CONN_DOWN),
	[CONN_SETUP] = TO(CONN_READY) | TO(CONN_DOWN),
	[CONN_READY] = TO(CONN_DRAINING) | TO(CONN_DOWN),
	[CONN_DRAINING] = TO(CONN_DOWN),
};

/* End the calls that wait for a result, because the connection is lost, and connect again later; at
 * once if it was drained for a new address, because that says nothing about the database. */
static void enter_down(struct conn *c, enum conn_state from)
{
	conn_close(c);
	fail_sent(c);
	if (from == CONN_DRAINING) {
		c->retry_us = 0;
		return;
	}
	c->retry_wait_us = c->retry_wait_us ? c->retry_wait_us * 2 : 50000;
	if (c->retry_wait_us > RETRY_MAX_US)
		c->retry_wait_us = RETRY_MAX_US;
	c->retry_us = c->changed_us + c->retry_wait_us;
	c->pool->tried = true;
}

void conn_move(struct conn *c, enum conn_state to)
{
	enum conn_state from = c->state;

	bug_on(!(may_move[c->state] & TO(to)));
	log_debug(&c->who, "connection %s -> %s", state_names[c->state], state_names[to]);
	list_remove(&c->node);
	list_add_tail(&c->pool->in[to], &c->node);
	c->state = to;
	c->changed_us = clock_mono_us();
	if (to == CONN_DOWN)
		enter_down(c, from);
	else if (to == CONN_READY)
		c->retry_wait_us = 0;
	pool_note_up(c->pool);
	if (to == CONN_READY)
		pools_note_whole(c->pool);
}

void conn_lost(struct conn *c, const char *why)
{
	const char *msg = c->pg ? PQerrorMessage(c->pg) : "";

	outage_note(LOG_WARN, pool_part(c->pool), "connection lost why=%s %.200s", why, msg);
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

void conn_connect(struct conn *c, const char *url, const char *password)
{
	const struct pool *p = c->pool;
	char options[360];
	const char *keys[] = { "dbname", "password", "application_name", "client_encoding",
		"options", NULL };
	const char *values[] = { url, password ? password : "", "sladeskd", "UTF8", options, NULL };

	/* Generic plans that use indexes: planning our statements each time costs more than running
	 * them, and a plan made while a table was empty must still be good when it is full. Without
	 * sequential scans, small tables look so expensive that workers would read them: never. */
	snprintf(options, sizeof(options),
		"-c timezone=UTC -c jit=off -c random_page_cost=1.1 -c statement_timeout=%d "
		"-c lock_timeout=%d%s%s",
		p->statement_ms, p->lock_ms,
		/* what deadlines do to tickets is in the tickets' histories */
		p->class == SQL_FIRE ? "" : " -c app.changes=told",
		p->class == SQL_SLOW ? ""
				     : " -c plan_cache_mode=force_generic_plan "
				       "-c enable_seqscan=off "
				       "-c max_parallel_workers_per_gather=0");
	c->pg = PQconnectStartParams(keys, values, 1);
	conn_move(c, CONN_CONNECTING);
	if (!c->pg || PQstatus(c->pg) == CONNECTION_BAD) {
		conn_lost(c, "connect");
		return;
	}
	conn_watch(c, EV_WRITE);
}

/* The triggers of schema/code/062_changes.sql tell of each change before the statement's result,
 * and after all that belongs to the call before: the first call of SENT made it. */
static void on_notice(void *arg, const PGresult *r)
{
	struct conn *c = magic_cast(conn, arg);
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE),
		   *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

	if (state && text && strcmp(state, "SD900") == 0 && !list_is_empty(&c->sent))
		call_note_change(list_entry(c->sent.next, struct db_call, node), text);
	else if (text)
		log_info(&c->who, "message of the database sqlstate=%s %.300s", state ? state : "",
			text);
}

/* Prepare the context statement. The connection is ready when the server has answered. */
static void conn_setup(struct conn *c)
{
	PQsetnonblocking(c->pg, 1);
	PQsetNoticeReceiver(c->pg, on_notice, c);
	memset(c->prepared, 0, (size_t)c->pool->statements * sizeof(*c->prepared));
	c->names = 0;
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
		{ "SD003", DB_REFUSED }, { "57P0", DB_DOWN }, { "53", DB_DOWN },
		/* read-only, by a setting or as a standby */
		{ "25", DB_DOWN }, { "08", DB_DOWN } };

	for (size_t i = 0; i < ARRAY_LEN(map); i++)
		if (strncmp(state, map[i].prefix, strlen(map[i].prefix)) == 0)
			return map[i].e;
	return DB_FAILED;
}

static bool schema_changed(const struct db_call *call)
{
	return strcmp(call->sqlstate, "26000") == 0 || strcmp(call->sqlstate, "0A000") == 0;
}

/* CALL used a prepared name whose preparation failed on this connection. CALL was not run, so it
 * must be sent again. */
static bool never_prepared(const struct conn *c, const struct db_call *call)
{
	const struct prepared *p = &c->prepared[call->stmt->index];

	return !call->prepares && strcmp(call->sqlstate, "26000") == 0 &&
	       !(p->name == call->name && p->confirmed);
}

/* The group had no effect, so even a write can be sent again: once, and additionally each time that
 * it was not run at all. */
static bool goes_again(const struct conn *c, const struct db_call *call)
{
	return never_prepared(c, call) || (schema_changed(call) && !call->retried);
}

/* The server answers, but takes nothing: it is read-only, or out of disk or memory. */
static void note_refusal(const struct db_call *call, const PGresult *r)
{
	if (strncmp(call->sqlstate, "25", 2) == 0 || strncmp(call->sqlstate, "53", 2) == 0)
		outage_note(LOG_ERROR, PART_WRITES, "sqlstate=%s %.200s", call->sqlstate,
			PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
}

static void note_error(struct conn *c, struct db_call *call, const PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE),
		   *name = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);

	snprintf(call->sqlstate, sizeof(call->sqlstate), "%s", state ? state : "XX000");
	snprintf(call->constraint, sizeof(call->constraint), "%s", name ? name : "");
	call->error = error_of(call->sqlstate);
	if (goes_again(c, call))
		log_info(&c->who, "statement is sent again stmt=%s sqlstate=%s", call->stmt->name,
			call->sqlstate);
	else if (call->error == DB_DOWN)
		note_refusal(call, r);
	else if (call->error == DB_FAILED || call->error == DB_FORBIDDEN)
		log_error(&c->who, "statement failed stmt=%s sqlstate=%s %.300s", call->stmt->name,
			call->sqlstate, PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
}

/* A name whose preparation failed does not exist on the server. A name that a schema change made
 * invalid does exist and is deallocated with the next use. Any other error leaves the name as it
 * is: prepared statements are not rolled back. */
static void forget_name(struct conn *c, const struct db_call *call)
{
	struct prepared *p = &c->prepared[call->stmt->index];

	if (p->name != call->name)
		return; /* another name has already replaced it */
	if (!p->confirmed)
		*p = (struct prepared){ .stale = call->drops };
	else if (strcmp(call->sqlstate, "0A000") == 0)
		*p = (struct prepared){ .stale = p->name };
	else if (strcmp(call->sqlstate, "26000") == 0)
		*p = (struct prepared){ 0 };
}

static void call_synced(struct conn *c)
{
	struct db_call *call = list_entry(c->sent.next, struct db_call, node);
	bool again;

	bug_on(list_is_empty(&c->sent));
	list_remove(&call->node);
	c->depth--;
	c->head_since_us = clock_mono_us(); /* the time limit of the next call begins now */
	if (call->error == DB_OK) {
		if (call->stmt->mode != SQL_READ)
			outage_back(PART_WRITES);
		call_finish(call, DB_OK);
		return;
	}
	again = goes_again(c, call);
	call->retried |= !never_prepared(c, call);
	forget_name(c, call);
	if (again) {
		list_add_tail(&c->pool->waiting, &call->node);
		c->pool->waiting_n++;
		return;
	}
	call_finish(call, call->error);
}

/* If a group prepares a statement, that is its first command. */
static void note_command(struct conn *c, const struct db_call *call)
{
	struct prepared *p = &c->prepared[call->stmt->index];

	if (call->prepares && p->name == call->name)
		p->confirmed = true;
}

static void take_result(struct conn *c, PGresult *r)
{
	struct db_call *call =
		list_is_empty(&c->sent) ? NULL : list_entry(c->sent.next, struct db_call, node);

	switch (PQresultStatus(r)) {
	case PGRES_TUPLES_OK: /* first the row of the context, then those of the statement */
		if (call) {
			PQclear(call->rows);
			call->rows = r;
			return;
		}
		break;
	case PGRES_COMMAND_OK:
		if (call)
			note_command(c, call);
		break;
	case PGRES_PIPELINE_SYNC:
		if (c->state == CONN_SETUP)
			conn_move(c, CONN_READY);
		else if (call)
			call_synced(c);
		break;
	case PGRES_FATAL_ERROR:
		if (call)
			note_error(c, call, r);
		else
			outage_note(
				LOG_WARN, pool_part(c->pool), "%.200s", PQresultErrorMessage(r));
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
	struct conn *c = magic_cast(conn, arg);

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
	struct conn *c = magic_cast(conn, arg);
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
		/* a page is read in index order; its generic plan does not know the limit and would
		 * sort all rows */
		call->stmt->shape == SQL_LIST && !call->replan ? "off" : "on",
		call->ctx.scope ? call->ctx.scope : "" };

	if (c->pool->job_role)
		return true;
	snprintf(tenant, sizeof(tenant), "%lld", (long long)call->ctx.tenant_id);
	snprintf(user, sizeof(user), "%lld", (long long)call->ctx.user_id);
	return PQsendQueryPrepared(c->pg, "ctx", 7, v, NULL, NULL, 1) &&
	       (!call->replan || PQsendQueryPrepared(c->pg, "replan", 0, NULL, NULL, NULL, 1));
}

/* If this connection does not have CALL's statement, prepare it before anything else in the group:
 * its result is the first one of the group. */
static bool send_prepare(struct conn *c, struct db_call *call, char *name, size_t size)
{
	struct prepared *p = &c->prepared[call->stmt->index];
	char drop[48];

	call->prepares = !p->name;
	if (call->prepares)
		p->name = ++c->names;
	call->name = p->name;
	snprintf(name, size, "s%d_%u", call->stmt->index, p->name);
	call->drops = 0;
	if (!call->prepares)
		return true;
	if (!PQsendPrepare(c->pg, name, call->stmt->text, 0, NULL))
		return false;
	if (!p->stale)
		return true;
	call->drops = p->stale;
	p->stale = 0;
	snprintf(drop, sizeof(drop), "deallocate s%d_%u", call->stmt->index, call->drops);
	return PQsendQueryParams(c->pg, drop, 0, NULL, NULL, NULL, NULL, 1);
}

bool conn_send(struct conn *c, struct db_call *call)
{
	char name[40];

	bug_on(call->stmt->index >= c->pool->statements);
	if (!send_prepare(c, call, name, sizeof(name)) || !send_context(c, call) ||
		!PQsendQueryPrepared(
			c->pg, name, call->stmt->param_count, call->param, NULL, NULL, 1) ||
		!PQpipelineSync(c->pg))
		return false;
	call->error = DB_OK;
	db_trail_clear(&call->changed);
	call->sqlstate[0] = '\0';
	if (list_is_empty(&c->sent))
		c->head_since_us = clock_mono_us();
	list_add_tail(&c->sent, &call->node);
	c->depth++;
	calls_total++;
	if (!c->flush_queued) { /* one flush per turn for everything sent in it */
		c->flush_queued = true;
		event_active(c->write_ev, EV_WRITE, 0);
	}
	return true;
}

/* --- time limits --- */

void conn_tick(struct conn *c, int64_t now)
{
	if ((c->state == CONN_CONNECTING || c->state == CONN_SETUP) &&
		now - c->changed_us > CONNECT_MAX_US)
		conn_lost(c, "connect timed out");
	else if (!list_is_empty(&c->sent) &&
		 now - c->head_since_us > (c->pool->statement_ms + 300) * 1000LL)
		conn_lost(c, "no answer"); /* the server's own limit should have come first: the
					      server is stopped or unreachable */
}
