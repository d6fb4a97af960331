/* SPDX-License-Identifier: Apache-2.0
 * The rollups follow the events: the counted state of each touched ticket is brought up to date, a
 * batch at a time, together with the position up to which this was done. Every instance does it;
 * the second one finds nothing to do. */
#include "base/clock.h"
#include "base/log.h"
#include "core/events.h"
#include "core/cache.h"
#include "dashboard.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdlib.h>

#define GATHER_US 100000
#define BATCH 500

struct touched {
	int64_t tenant_id, ticket_id, seq;
};

static struct {
	struct touched *t;
	size_t n, room;
} touched;
static struct buf tenants, tickets, followed, positions;
static struct db_call call;
static struct loop_timer *soon;
static bool asking, caught_up, running;
static size_t asked_n,
	most = BATCH; /* halved until only the ticket is left that cannot be counted */
static struct rollup_health health;

static void apply_batch(void *arg);

struct rollup_health rollup_health(void)
{
	health.waiting = touched.n;
	health.caught_up = caught_up;
	return health;
}

static void start_list(void)
{
	tenants.n = tickets.n = followed.n = positions.n = 0;
	buf_addc(&tenants, '{');
	buf_addc(&tickets, '{');
	buf_addc(&followed, '{');
	buf_addc(&positions, '{');
}

static void end_list(void)
{
	buf_addc(&tenants, '}');
	buf_addc(&tickets, '}');
	buf_addc(&followed, '}');
	buf_addc(&positions, '}');
}

static void add_int(struct buf *b, int64_t v)
{
	buf_addf(b, "%s%lld", b->n > 1 ? "," : "", (long long)v);
}

static void apply(void (*on_done)(struct db_call *c, enum db_error e, const PGresult *rows))
{
	end_list();
	asking = true;
	call = (struct db_call){ .stmt = &sql_rollup_apply,
		.ctx.role = DB_ROLE_JOB,
		.param = { buf_cstr(&tenants), buf_cstr(&tickets), buf_cstr(&followed),
			buf_cstr(&positions) },
		.on_done = on_done };
	db_exec(&call);
}

static void on_applied(struct db_call *c, enum db_error error, const PGresult *rows)
{
	(void)c;
	(void)rows;
	asking = false;
	if (!running)
		return;
	if (error == DB_OK || (error == DB_FAILED && asked_n == 1)) {
		if (error ==
			DB_FAILED) /* a ticket that cannot be counted must not hold up the others */
			log_error(NULL, "ticket not counted tenant=%lld ticket=%lld",
				(long long)touched.t[0].tenant_id,
				(long long)touched.t[0].ticket_id);
		for (size_t i = 0; i < asked_n; i++)
			cache_outdate(touched.t[i].tenant_id, touched.t[i].seq);
		memmove(touched.t, touched.t + asked_n, (touched.n - asked_n) * sizeof(*touched.t));
		touched.n -= asked_n;
		health.applied += asked_n;
		most = BATCH;
	} else {
		if (error == DB_FAILED)
			most = asked_n / 2;
		log_warn(NULL, "rollup not applied n=%zu err=%s; will retry", asked_n,
			db_error_name(error));
	}
	if (touched.n)
		loop_timer_set(soon, error == DB_OK || error == DB_FAILED ? 0 : US_PER_S);
}

/* Take the tickets that were touched first. A tenant's events come in order of seq, so the last one
 * tells how far the batch goes. */
static void apply_touched(void)
{
	asked_n = touched.n < most ? touched.n : most;
	start_list();
	for (size_t i = 0; i < asked_n; i++) {
		const struct touched *t = &touched.t[i];
		bool last = true;

		if (t->ticket_id) {
			add_int(&tenants, t->tenant_id);
			add_int(&tickets, t->ticket_id);
		}
		for (size_t k = i + 1; last && k < asked_n; k++)
			last = touched.t[k].tenant_id != t->tenant_id;
		if (last) {
			add_int(&followed, t->tenant_id);
			add_int(&positions, t->seq);
		}
	}
	apply(on_applied);
}

/* --- catching up at the start --- */

static void on_missed_applied(struct db_call *c, enum db_error error, const PGresult *rows)
{
	(void)c;
	(void)rows;
	asking = false;
	if (running)
		loop_timer_set(soon, error == DB_OK ? 0 : US_PER_S);
	caught_up = error == DB_OK && asked_n < BATCH;
}

static void on_missed(struct db_call *c, enum db_error error, const PGresult *rows)
{
	(void)c;
	asking = false;
	if (!running)
		return;
	if (error != DB_OK) {
		loop_timer_set(soon, US_PER_S);
		return;
	}
	asked_n = (size_t)PQntuples(rows);
	caught_up = asked_n == 0;
	if (caught_up) {
		loop_timer_set(soon, 0);
		return;
	}
	start_list();
	for (size_t i = 0; i < asked_n; i++) {
		add_int(&tenants, db_int(rows, (int)i, 0));
		add_int(&tickets, db_int(rows, (int)i, 1));
	}
	apply(on_missed_applied);
}

static void apply_batch(void *arg)
{
	(void)arg;
	if (asking || !running)
		return;
	if (caught_up) {
		if (touched.n)
			apply_touched();
		return;
	}
	asking = true;
	call = (struct db_call){
		.stmt = &sql_rollup_missed, .ctx.role = DB_ROLE_JOB, .on_done = on_missed
	};
	db_exec(&call);
}

void rollup_on_event(const struct desk_event *e)
{
	if (touched.n == touched.room)
		touched.t =
			xrealloc(touched.t, (touched.room = touched.room ? touched.room * 2 : 256) *
						    sizeof(*touched.t));
	touched.t[touched.n++] = (struct touched){ e->tenant_id, e->ticket_id, e->seq };
	if (touched.n == 1)
		loop_timer_set(soon, GATHER_US);
}

static bool all_counted(void)
{
	struct rollup_health r = rollup_health();

	return r.caught_up && !r.waiting;
}

void rollup_init(void)
{
	cache_counted_by(all_counted, &sql_rollup_position);
	running = true;
	soon = loop_timer_new(apply_batch, NULL);
	loop_timer_set(soon, GATHER_US);
}

void rollup_free(void)
{
	running = false;
	loop_timer_free(soon);
	free(touched.t);
	touched.t = NULL;
	touched.n = touched.room = 0;
	buf_free(&tenants);
	buf_free(&tickets);
	buf_free(&followed);
	buf_free(&positions);
}
