/* SPDX-License-Identifier: Apache-2.0
 * Finds what the heap does not know: loads everything within the horizon at the start and every six
 * hours, and sweeps what is due now. */
#include "base/log.h"
#include "inner.h"
#include "core/job.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#define SWEEP_MS 2000
#define LOAD_SLICE 4000

static struct loop_timer *refill;

/* --- the sweep --- */

/* One look takes SWEEP_ROWS clocks and as many timers, the oldest first. If there are more (parked,
 * or leased by another instance), the next look begins after them, so that newer ones are found
 * too. */
#define SWEEP_ROWS 1000 /* as the statement says */

enum sweep_kind { SWEEP_CLOCKS, SWEEP_TIMERS, SWEEP_KINDS };

static struct {
	int64_t after_us[SWEEP_KINDS];
} sweeper;

static int what_of(struct str kind)
{
	return str_is(kind, "timer") ? 0 : (int)sla_clock_parse(kind) + 1;
}

/* Is the deadline already in the heap with this instant or an earlier one, or is it (or its ticket)
 * waiting to be checked, or parked? */
static bool is_known(int64_t id, uint64_t key, int64_t at)
{
	uint64_t parked = (key & 7) != 0 ? KEY(id, ANY_CLOCK) : key;
	int64_t had;

	return park_find(parked, &had) ||
	       ((key & 7) != 0 && heap_find(engine.heap, KEY(id, ANY_CLOCK), &had)) ||
	       (heap_find(engine.heap, key, &had) && had <= at) ||
	       (heap_find(engine.held_elsewhere, key, &had) && had <= at);
}

/* Only add what the heap does not hold, or holds later. Never override what is being fired. */
static void on_swept(struct job_run *run, enum db_error error, const PGresult *rows)
{
	int64_t last[SWEEP_KINDS] = { 0 };
	int n[SWEEP_KINDS] = { 0 };

	if (error != DB_OK) {
		job_end(run, JOB_FAILED);
		return;
	}
	for (int i = 0; i < PQntuples(rows); i++) {
		int64_t id = db_int(rows, i, 1), at = db_time(rows, i, 3);
		uint64_t key = KEY(id, what_of(db_text(rows, i, 2)));
		enum sweep_kind k = (key & 7) != 0 ? SWEEP_CLOCKS : SWEEP_TIMERS;

		n[k]++;
		last[k] = at > last[k] ? at : last[k];
		if (id > 0 && !is_known(id, key, at)) {
			heap_set(engine.heap, key, db_int(rows, i, 0), at);
			engine.health.swept++;
		}
	}
	for (int k = 0; k < SWEEP_KINDS; k++)
		if (n[k] < SWEEP_ROWS)
			sweeper.after_us[k] = 0;
		else /* if more than this fall due at one instant, the load finds the rest */
			sweeper.after_us[k] = last[k] + (last[k] == sweeper.after_us[k]);
	engine_arm();
	job_end(run, JOB_DONE);
}

static void sweep_due(struct job_run *run)
{
	if (!engine.running || !engine.health.loaded) {
		job_end(run, JOB_DONE);
		return;
	}
	job_param_int(run, 0, clock_now_us() + (int64_t)(3 * US_PER_S * clock_scale()));
	job_param_int(run, 1, sweeper.after_us[SWEEP_CLOCKS]);
	job_param_int(run, 2, sweeper.after_us[SWEEP_TIMERS]);
	job_query(run, &sql_sla_sweep, on_swept);
}

static const struct job sweep_jobs[] = { { "deadline_sweep", SWEEP_MS, .run = sweep_due }, { 0 } };

/* --- the load --- */

static struct {
	struct heap *heap; /* for the first load, filled as rows arrive */
	struct heap_item *items;
	size_t n, cap, done;
	int64_t began_us;
} load;

static int64_t be64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return (int64_t)be64toh(v);
}

/* One tuple of COPY BINARY: int16 number of fields, then (int32 length, bytes) for each: tenant,
 * id, what, at. The file header and trailer are not tuples. */
static void on_copy_row(void *arg, const char *p, size_t n)
{
	struct heap_item it;

	(void)arg;
	if (n >= 19 && memcmp(p, "PGCOPY\n", 7) == 0) {
		p += 19;
		n -= 19;
	}
	if (n < 2 + 4 * 4 + 8 + 8 + 4 + 8 || p[0] != 0 || p[1] != 4)
		return;
	if (be64(p + 18) < 1)
		return;
	it = (struct heap_item){ be64(p + 38) + 946684800000000LL,
		KEY(be64(p + 18), (unsigned char)p[33]), be64(p + 6) };
	if (load.heap) { /* the database is still working: this costs no time */
		heap_set(load.heap, it.key, it.tenant_id, it.at_us);
		load.n++;
		return;
	}
	if (load.n == load.cap) {
		load.cap = load.cap ? load.cap * 2 : 4096;
		load.items = xrealloc(load.items, load.cap * sizeof(*load.items));
	}
	load.items[load.n++] = it;
}

static void load_end(void)
{
	engine.health.load_ms = (clock_mono_us() - load.began_us) / 1000;
	log_info(NULL, "heap loaded entries=%zu took_ms=%lld", load.n,
		(long long)engine.health.load_ms);
	free(load.items);
	memset(&load, 0, sizeof(load));
	engine.health.loaded = true;
	loop_timer_set(refill, 6 * 3600 * US_PER_S);
	engine_arm();
}

/* What was learned during the load is newer and wins. */
static void load_first(void)
{
	struct heap *learned = engine.heap;
	struct heap_item it;

	engine.heap = load.heap;
	while (heap_pop(learned, &it))
		heap_set(engine.heap, it.key, it.tenant_id, it.at_us);
	heap_free(learned);
	load_end();
}

/* While running: add only what the heap does not hold, one slice per turn. */
static void load_more(void *arg)
{
	int64_t had;

	(void)arg;
	for (int k = 0; k < LOAD_SLICE && load.done < load.n; k++, load.done++) {
		const struct heap_item *it = &load.items[load.done];

		if (!heap_find(engine.heap, it->key, &had) &&
			!heap_find(engine.held_elsewhere, it->key, &had))
			heap_set(engine.heap, it->key, it->tenant_id, it->at_us);
	}
	if (load.done < load.n)
		later_call(load_more, NULL);
	else
		load_end();
}

static void on_copy_done(void *arg, bool ok)
{
	(void)arg;
	if (!ok) {
		heap_free(load.heap);
		free(load.items);
		memset(&load, 0, sizeof(load));
		loop_timer_set(refill, US_PER_S / 2);
	} else if (!engine.health.loaded) {
		load_first();
	} else {
		load_more(NULL);
	}
}

static void start_load(void *arg)
{
	(void)arg;
	load.began_us = clock_mono_us();
	load.heap = engine.health.loaded ? NULL : heap_new();
	db_copy_out(&sql_sla_horizon, clock_now_us() + engine.horizon_us, on_copy_row, on_copy_done,
		NULL);
}

void sweep_init(void)
{
	refill = loop_timer_new(start_load, NULL);
	start_load(NULL);
	jobs_add(sweep_jobs);
}

void sweep_free(void)
{
	loop_timer_free(refill);
	refill = NULL;
}
