/* SPDX-License-Identifier: Apache-2.0
 * A request: its memory, its state, and what it waits for. */
#include "base/json.h"
#include "base/magic.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "inner.h"
#include "loop/loop.h"
#include "work/work.h"
#include <stdio.h>
#include <stdlib.h>

#define INT8OID 20   /* of PostgreSQL */
#define WORK_MS 2500 /* time limit for a helper's job for a request */

/* --- the state of a flow --- */

void *req_state_set(struct req *req, void *state, const char *type)
{
	req->state = state;
	req->state_is = type;
	return state;
}

void *req_state_check(const struct req *req, const char *type)
{
	const char *is = req->state_is, *base;

	if (is == type || !req->state)
		return req->state;
	base = is ? strchr(is, ' ') : NULL;
	if (!is || !(strcmp(is, type) == 0 ||
			   (base && (strcmp(base + 1, type) == 0 ||
					    ((size_t)(base - is) == strlen(type) &&
						    memcmp(is, type, strlen(type)) == 0)))))
		bug_fail(__FILE__, __LINE__, type);
	return req->state;
}

/* --- life --- */

void req_free_if_done(struct req *req)
{
	if (!req->ended || req->waiting || req->http)
		return;
	if (req->cleanup)
		req->cleanup(req);
	session_put(req->session);
	json_object_put(req->body);
	buf_free(&req->invalid);
	db_trail_clear(&req->trail);
	arena_free(&req->arena);
	free(req);
}

/* A bijection of a counter: unique within this process, but it does not look like a counter. */
static uint64_t next_id(char id[static 17])
{
	static uint64_t serial, salt;

	if (!salt)
		crypto_random(&salt, sizeof(salt));
	serial++;
	snprintf(id, 17, "%016llx", (unsigned long long)((serial * 0x9e3779b97f4a7c15ULL) ^ salt));
	return serial;
}

const char *req_id_new(char id[static 17])
{
	next_id(id);
	return id;
}

struct req *req_new(struct http_request *http)
{
	struct req *req = magic_new(req);

	req->http = http;
	req->began_us = http->began_us;
	req->who.id = (int64_t)next_id(req->id);
	snprintf(req->who.kind, sizeof(req->who.kind), "req");
	http->user = req;
	return req;
}

/* --- waits --- */

void req_begin_step(struct req *req)
{
	req->waiting = false;
	req->stepping = true;
}

void req_settle(struct req *req, struct outcome *o)
{
	(void)o;
	req->stepping = false;
	req_free_if_done(req);
}

void req_continue(struct req *req, struct outcome *o)
{
	req_settle(req, o);
}

/* A list names its rows by the last column of its cursor, which is unique. */
void req_note_listed(struct req *req, const struct sql_stmt *stmt, const PGresult *rows)
{
	struct listed *l = &req->listed;
	int col = stmt->cursor[1] ? PQfnumber(rows, stmt->cursor[1]) : -1;

	if (stmt->shape != SQL_LIST)
		return;
	l->any = true;
	if (col >= 0 && PQftype(rows, col) != INT8OID)
		col = -1;
	for (int i = 0; col >= 0 && i < PQntuples(rows); i++) {
		int64_t id = db_int(rows, i, col);

		if (l->ids < LISTED_IDS)
			l->id[l->ids++] = id;
		if (!l->highest || id < l->lowest)
			l->lowest = id;
		if (id > l->highest)
			l->highest = id;
	}
	l->n += PQntuples(rows);
}

static void on_query_done(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct req *req = magic_cast(req, call->arg);

	if (error == DB_OK)
		req_note_listed(req, call->stmt, rows);
	req_begin_step(req);
	req_settle(req, req->on_row(req, error, rows));
}

static struct outcome *query_as(struct req *req, struct db_context ctx, const struct sql_stmt *stmt,
	const char *const *params, req_row_step *on_row)
{
	bug_on(req->waiting);
	ctx.trail = &req->trail;
	req->call = (struct db_call){ .stmt = stmt,
		.ctx = ctx,
		.replan = req->replan,
		.on_done = on_query_done,
		.arg = req };
	for (int i = 0; i < stmt->param_count; i++)
		req->call.param[i] = params[i];
	req->waiting = true;
	req->on_row = on_row;
	db_exec(&req->call);
	return GOES_ON;
}

struct outcome *req_query(struct req *req, const struct sql_stmt *stmt, const char *const *params,
	req_row_step *on_row)
{
	return query_as(req, session_context(req->session), stmt, params, on_row);
}

struct outcome *req_query_job(struct req *req, const struct sql_stmt *stmt,
	const char *const *params, req_row_step *on_row)
{
	struct db_context ctx = { .role = DB_ROLE_JOB,
		.behalf = req->session ? req->session->tenant_id : 0 };

	return query_as(req, ctx, stmt, params, on_row);
}

static void on_work_done(void *arg, enum work_end end, struct str answer)
{
	struct req *req = magic_cast(req, arg);

	req_begin_step(req);
	req_settle(req, req->on_work(req, end == WORK_DONE, answer));
}

struct outcome *req_work(
	struct req *req, enum work_kind kind, const void *p, size_t n, req_work_step *on_work)
{
	struct str owner = req->session ? req_user_key(req) : req_address_key(req);

	if (!work_submit(&(struct work_job){ kind, p, n, WORK_MS, on_work_done, req,
		    req->work_owner ? req->work_owner : owner.p,
		    req->session ? req->session->tenant_id : req->work_customer,
		    req->session || req->work_first }))
		return on_work(req, false, (struct str){ 0 });
	req->waiting = true;
	req->on_work = on_work;
	return GOES_ON;
}

struct delay {
	uint32_t magic;
	struct req *req;
	req_step *step;
	struct loop_timer *timer;
};
MAGIC(delay, 0xeec19f94);

static void on_delayed(void *arg)
{
	struct delay *d = magic_cast(delay, arg);
	struct req *req = d->req;
	req_step *step = d->step;

	loop_timer_free(d->timer);
	magic_end(d);
	free(d);
	req_begin_step(req);
	req_settle(req, step(req));
}

struct outcome *req_delay(struct req *req, int64_t ms, req_step *step)
{
	struct delay *d = magic_new(delay);

	d->req = req;
	d->step = step;
	d->timer = loop_timer_new(on_delayed, d);
	req->waiting = true;
	loop_timer_set(d->timer, ms * 1000);
	return GOES_ON;
}

struct outcome *req_wait(struct req *req)
{
	(void)req;
	return GOES_ON;
}

const char *req_int(struct req *req, int64_t v)
{
	return arena_printf(&req->arena, "%lld", (long long)v);
}
