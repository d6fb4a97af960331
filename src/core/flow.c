/* SPDX-License-Identifier: Apache-2.0 */
#include "core/flow.h"
#include "base/clock.h"
#include "base/log.h"
#include "inner.h"

#include <stdio.h>

#define SLOW_US US_PER_S

/* Step FROM and its wait have ended. */
static void log_change(const struct flow *f, const char *to)
{
	int64_t took = clock_mono_us() - f->since_us;

	log_line(took >= SLOW_US ? LOG_INFO : LOG_DEBUG, f->req ? &f->req->who : NULL,
		"flow=%s id=%lld %s -> %s %lldms", f->kind->name, (long long)f->id,
		f->kind->steps[f->at].name, to, (long long)(took / 1000));
}

static void forget_arrival(struct flow *f)
{
	f->error = DB_OK;
	f->rows = NULL;
	f->fetched = NULL;
	f->worked = false;
	f->answer = (struct str){ 0 };
	f->brought = NULL;
}

static struct outcome *run_step(struct flow *f)
{
	struct outcome *o;

	if (f->fresh)
		f->fresh = false;
	else
		log_change(f, f->kind->steps[f->next].name);
	f->since_us = clock_mono_us();
	f->at = f->next;
	f->ready = f->waiting = false;
	f->running = true;
	o = f->kind->steps[f->at].run(f);
	f->running = false;
	if (!f->came) /* otherwise, what arrived belongs to the next step */
		forget_arrival(f);
	f->came = false;
	return o;
}

/* Run steps until one waits or the flow ends. A flow that runs on its own may be freed
 * afterwards. */
static struct outcome *run_steps(struct flow *f)
{
	struct outcome *o = GOES_ON;

	f->ready = true;
	f->waiting = false;
	while (f->ready && !f->stopped)
		o = run_step(f);
	if (f->waiting && !f->ready)
		return o;
	log_change(f, "end");
	magic_end(f);
	if (!f->req)
		f->kind->on_end(f);
	return o;
}

/* If a wait ends within the call that began it, the step returns first. */
static struct outcome *arrive(struct flow *f)
{
	if (f->req)
		f->req->waiting = false;
	if (!f->running)
		return run_steps(f);
	f->ready = f->came = true;
	return GOES_ON;
}

static void begin(struct flow *f, const struct flow_kind *kind)
{
	bug_on(f->running || f->waiting);
	magic_set(f, flow_magic);
	f->kind = kind;
	f->stopped = false;
	f->fresh = true;
	f->at = f->next = 0;
	f->since_us = clock_mono_us();
	forget_arrival(f);
}

void flow_start(struct flow *f, const struct flow_kind *kind, int64_t id)
{
	begin(f, kind);
	f->id = id;
	(void)run_steps(f);
}

struct outcome *flow_answer(struct flow *f, const struct flow_kind *kind, struct req *req)
{
	begin(f, kind);
	f->req = req;
	return run_steps(f);
}

void flow_stop(struct flow *f)
{
	f->stopped = true;
}

bool flow_is_running(const struct flow *f)
{
	return f->running || f->waiting;
}

/* --- how a step ends --- */

struct outcome *flow_end(struct flow *f)
{
	(void)f; /* neither ready nor waiting */
	return GOES_ON;
}

struct outcome *flow_go(struct flow *f, int step)
{
	f->next = step;
	f->ready = true;
	return GOES_ON;
}

struct outcome *flow_wait(struct flow *f, int step)
{
	f->next = step;
	f->waiting = true;
	if (f->req && !f->came)
		f->req->waiting = true;
	return GOES_ON;
}

static void on_rows(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct flow *f = magic_cast(flow, call->arg);

	for (int i = 0; i < SQL_PARAMS_MAX; i++)
		call->param[i] = NULL;
	f->error = error;
	f->rows = rows;
	if (f->req && error == DB_OK)
		req_note_listed(f->req, call->stmt, rows);
	flow_arrived(f);
}

struct outcome *flow_query_as(
	struct flow *f, int step, const struct sql_stmt *stmt, const struct db_context *ctx)
{
	f->call.stmt = stmt;
	f->call.ctx = *ctx;
	if (f->req)
		f->call.ctx.trail = &f->req->trail;
	f->call.on_done = on_rows;
	f->call.arg = f;
	db_exec(&f->call);
	return flow_wait(f, step);
}

struct outcome *flow_query(struct flow *f, int step, const struct sql_stmt *stmt)
{
	const struct session *s = f->req ? f->req->session : NULL;

	return flow_query_as(f, step, stmt,
		&(struct db_context){ .role = DB_ROLE_JOB, .behalf = s ? s->tenant_id : 0 });
}

static struct outcome *on_work(struct req *req, bool ok, struct str answer)
{
	req->flow->worked = ok;
	req->flow->answer = answer;
	return arrive(req->flow);
}

struct outcome *flow_work(struct flow *f, int step, enum work_kind kind, const void *p, size_t n)
{
	f->next = step;
	f->waiting = true;
	f->req->flow = f;
	return req_work(f->req, kind, p, n, on_work);
}

void flow_param_int(struct flow *f, int i, int64_t v)
{
	db_call_int(&f->call, i, v);
}

void flow_param_text(struct flow *f, int i, const char *text)
{
	f->call.param[i] = text;
}

/* --- arriving --- */

void flow_arrived(struct flow *f)
{
	bool nested = f->running;
	struct req *req = f->req;
	struct outcome *o = arrive(f);

	if (req && !nested)
		req_continue(req, o);
}

void flow_bring(struct flow *f, void *what)
{
	f->brought = what;
	flow_arrived(f);
}

void flow_on_fetched(void *arg, const struct fetch_result *r)
{
	struct flow *f = magic_cast(flow, arg);

	f->fetched = r;
	flow_arrived(f);
}
