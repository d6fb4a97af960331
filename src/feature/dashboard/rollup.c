/* SPDX-License-Identifier: Apache-2.0
 * The rollups follow the events: the counted state of each touched ticket is brought up to date, a
 * batch at a time, together with the position up to which this was done. At the start, the tickets
 * that were touched since the stored positions come first. Every instance does it; the second one
 * finds nothing to do. */
#include "base/clock.h"
#include "base/log.h"
#include "core/cache.h"
#include "core/events.h"
#include "core/follower.h"
#include "dashboard.h"
#include "sql_gen.h"

#include <stdlib.h>

#define GATHER_US 100000
#define BATCH 500
#define WAITING_MAX 100000 /* beyond it, the tickets are found again in the database */

struct touched {
	int64_t tenant_id, ticket_id, seq; /* seq 0: touched before the start */
};

/* The walk over the tickets that were touched before the start, in order of their ids. */
static struct {
	int64_t after_tenant, after_ticket;
	bool again; /* from the beginning, once this walk has ended */
} walk;

static struct follower *following, *catching_up;
static struct buf tenants, tickets, followed, positions;
static bool caught_up, running;
static uint64_t applied;

struct rollup_health rollup_health(void)
{
	return (struct rollup_health){ .waiting = follower_waiting(following) +
						  follower_waiting(catching_up),
		.applied = applied,
		.caught_up = caught_up };
}

static void walk_on(void)
{
	job_wake(&dashboard_jobs[0]);
}

/* --- counting --- */

static void add_int(struct buf *b, int64_t v)
{
	buf_addf(b, "%c%lld", b->n ? ',' : '{', (long long)v);
}

static const char *end_list(struct buf *b)
{
	buf_adds(b, b->n ? "}" : "{}");
	return buf_cstr(b);
}

static void on_applied(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct follower_run *run = magic_cast(follower_run, call->arg);
	const struct touched *t = run->item;
	bool missed = run->follower == catching_up;

	(void)rows;
	for (size_t i = 0; error == DB_OK && i < run->n; i++)
		if (t[i].seq)
			cache_outdate(t[i].tenant_id, t[i].seq);
	applied += error == DB_OK ? run->n : 0;
	follower_end(run, error);
	if (missed && running && !follower_waiting(catching_up))
		walk_on();
}

/* A tenant's events come in order of seq, so the last one tells how far the batch goes. */
static void apply(struct follower_run *run)
{
	const struct touched *t = run->item;

	tenants.n = tickets.n = followed.n = positions.n = 0;
	for (size_t i = 0; i < run->n; i++) {
		bool last = t[i].seq != 0;

		if (t[i].ticket_id) {
			add_int(&tenants, t[i].tenant_id);
			add_int(&tickets, t[i].ticket_id);
		}
		for (size_t k = i + 1; last && k < run->n; k++)
			last = t[k].tenant_id != t[i].tenant_id;
		if (last) {
			add_int(&followed, t[i].tenant_id);
			add_int(&positions, t[i].seq);
		}
	}
	run->call = (struct db_call){ .stmt = &sql_rollup_apply,
		.ctx.role = DB_ROLE_JOB,
		.param = { end_list(&tenants), end_list(&tickets), end_list(&followed),
			end_list(&positions) },
		.on_done = on_applied,
		.arg = run };
	db_exec(&run->call);
}

static int64_t tenant_of(const void *item)
{
	return ((const struct touched *)item)->tenant_id;
}

/* The daily recount will try it again. */
static void not_counted(const void *item, enum db_error error)
{
	const struct touched *t = item;

	log_error(NULL, "ticket not counted tenant=%lld ticket=%lld err=%s",
		(long long)t->tenant_id, (long long)t->ticket_id, db_error_name(error));
	if (t->seq)
		cache_outdate(t->tenant_id, t->seq);
}

/* --- catching up --- */

static void start_walk(void)
{
	walk.after_tenant = walk.after_ticket = 0;
	caught_up = false;
	follower_pause(following, true);
	walk_on();
}

/* Nothing is lost: the positions cover only what was counted, so the walk finds the dropped items
 * again. */
static void start_over(struct follower *f)
{
	follower_clear(f);
	log_warn(NULL, "more than %d events to count; looking them up again", WAITING_MAX);
	if (!caught_up)
		walk.again = true;
	else
		start_walk();
}

static void end_walk(void)
{
	if (walk.again) {
		walk.again = false;
		start_walk();
		return;
	}
	caught_up = true;
	follower_pause(following, false);
}

static void on_missed(struct job_run *run, enum db_error error, const PGresult *rows)
{
	int n = error == DB_OK ? PQntuples(rows) : 0;

	for (int i = 0; i < n; i++)
		follower_add(catching_up,
			&(struct touched){ db_int(rows, i, 0), db_int(rows, i, 1), 0 });
	if (n) {
		walk.after_tenant = db_int(rows, n - 1, 0);
		walk.after_ticket = db_int(rows, n - 1, 1);
	}
	job_end_db(run, error);
	if (error == DB_OK && !n)
		end_walk();
}

/* A page of the walk; when it has been counted, the job is woken for the next one. */
void rollup_walk_run(struct job_run *run)
{
	if (caught_up || follower_waiting(catching_up)) {
		job_end(run, JOB_DONE);
		return;
	}
	job_param_int(run, 0, walk.after_tenant);
	job_param_int(run, 1, walk.after_ticket);
	job_query(run, &sql_rollup_missed, on_missed);
}

/* --- the interface --- */

static const struct follower_kind following_kind = { .name = "rollup",
	.item_size = sizeof(struct touched),
	.batch = BATCH,
	.max = WAITING_MAX,
	.gather_us = GATHER_US,
	.run = apply,
	.set_aside = not_counted,
	.group = tenant_of,
	.full = start_over };

static const struct follower_kind catching_up_kind = { .name = "rollup_missed",
	.item_size = sizeof(struct touched),
	.batch = BATCH,
	.max = 2 * BATCH,
	.run = apply,
	.set_aside = not_counted,
	.group = tenant_of };

void rollup_on_event(const struct desk_event *e)
{
	follower_add(following, &(struct touched){ e->tenant_id, e->ticket_id, e->seq });
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
	following = follower_new(&following_kind);
	catching_up = follower_new(&catching_up_kind);
	follower_pause(following, true);
}

void rollup_free(void)
{
	running = false;
	follower_free(following);
	follower_free(catching_up);
	following = catching_up = NULL;
	buf_free(&tenants);
	buf_free(&tickets);
	buf_free(&followed);
	buf_free(&positions);
}
