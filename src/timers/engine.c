/* SPDX-License-Identifier: Apache-2.0
 * The timer engine: deadlines that fall due leave the heap and are fired in batches (fire.c) or run
 * (timer.c). While PostgreSQL is down, they stay and are retried: the heap is a cache, the row is
 * the truth. Deadlines leased by another instance wait in a second heap. Once they are five seconds
 * late, any instance may fire them, and the fence decides. */
#include "base/log.h"
#include "timers/lease.h"
#include "inner.h"
#include "core/job.h"
#include "loop/loop.h"

/* if this many gather while a batch is being stored, requests wait their turn */
#define BEHIND 24
#define ANYONE_AFTER_US (5 * US_PER_S)
#define OTHERS_MS 250
#define RETRY_GAP_US (US_PER_S / 5) /* pause between two batches of parked tickets */

struct engine_state engine;
static struct loop_timer *timer;

static int64_t overdue_us(const struct heap *h)
{
	struct heap_item first;
	int64_t now = clock_now_us();

	return h && heap_peek(h, &first) && first.at_us < now ? now - first.at_us : 0;
}

struct engine_health engine_health(void)
{
	struct engine_health h = engine.health;

	h.entries = engine.heap ? heap_count(engine.heap) : 0;
	h.bytes = engine.heap ? heap_bytes(engine.heap) : 0;
	h.lag_us = overdue_us(engine.heap);
	/* without leases (the database is down), no instance is known to handle these */
	if (!lease_health().shards && overdue_us(engine.held_elsewhere) > h.lag_us)
		h.lag_us = overdue_us(engine.held_elsewhere);
	h.parked = park_count();
	if (h.parked && clock_now_us() - park_oldest_us() > h.lag_us)
		h.lag_us = clock_now_us() - park_oldest_us();
	return h;
}

/* Never more than 60 s: due times are wall-clock times, and wall clocks jump. */
void engine_arm(void)
{
	struct heap_item first;
	int64_t wait = 60 * US_PER_S, now = clock_now_us();

	if (heap_peek(engine.heap, &first))
		wait = (int64_t)((double)(first.at_us - now) / clock_scale()) + 1;
	if (wait > 60 * US_PER_S)
		wait = 60 * US_PER_S;
	if (wait < 0)
		wait = 0;
	if (engine.retry_after_us && clock_mono_us() + wait < engine.retry_after_us)
		wait = engine.retry_after_us - clock_mono_us();
	if (fire_gathered() >= BATCH_MAX)
		return; /* the end of a batch sets the timer again */
	loop_timer_set(timer, wait);
}

void deadline_park(int64_t tenant_id, int64_t ticket_id, int64_t due_us, enum park_why why)
{
	uint64_t key = KEY(ticket_id, ANY_CLOCK);

	if (!engine.heap)
		return;
	heap_set(engine.heap, key, tenant_id, park_set(key, tenant_id, due_us, why, 0));
	engine_arm();
}

void deadline_park_timer(int64_t tenant_id, int64_t id, int64_t due_us, unsigned tries)
{
	uint64_t key = KEY(id, 0);

	if (!engine.heap)
		return;
	heap_set(engine.heap, key, tenant_id, park_set(key, tenant_id, due_us, PARK_FAILED, tries));
	engine_arm();
}

static void unpark(uint64_t key)
{
	if (park_clear(key))
		heap_cancel(engine.heap, key);
}

void deadline_forget(int64_t ticket_id)
{
	unpark(KEY(ticket_id, ANY_CLOCK));
}

void deadline_forget_timer(int64_t id)
{
	unpark(KEY(id, 0));
}

void deadline_set(const struct ticket *t, struct sla_rules r)
{
	int64_t horizon = clock_now_us() + engine.horizon_us;

	if (!engine.heap || !engine.running)
		return;
	unpark(KEY(t->id, ANY_CLOCK));
	for (int k = 0; k < SLA_CLOCKS; k++) {
		int64_t at = t->muted ? INSTANT_NONE
				      : sla_next_fire(&t->sla, r, (enum sla_clock_kind)k, NULL);

		heap_cancel(engine.held_elsewhere, KEY(t->id, k + 1));
		if (at != INSTANT_NONE && at < horizon)
			heap_set(engine.heap, KEY(t->id, k + 1), t->tenant_id, at);
		else
			heap_cancel(engine.heap, KEY(t->id, k + 1));
	}
	engine_arm();
}

void deadline_recheck_timers(int64_t tenant_id)
{
	(void)tenant_id; /* timer rows are due minutes ahead, so the sweep finds them in time */
}

void deadline_recheck(int64_t tenant_id, int64_t ticket_id, int64_t at_us)
{
	int64_t had;

	if (!engine.heap)
		return;
	if (!heap_find(engine.heap, KEY(ticket_id, ANY_CLOCK), &had) || had > at_us)
		heap_set(engine.heap, KEY(ticket_id, ANY_CLOCK), tenant_id, at_us);
}

void deadline_recheck_timer(int64_t tenant_id, int64_t id, int64_t at_us)
{
	if (!engine.heap)
		return;
	heap_set(engine.heap, KEY(id, 0), tenant_id, at_us);
	engine_arm();
}

/* --- the turn --- */

static bool is_ours(const struct heap_item *it, int64_t now)
{
	return lease_holds(it->tenant_id, (int64_t)(it->key >> 3)) ||
	       (double)(now - it->at_us) >= (double)ANYONE_AFTER_US * clock_scale();
}

/* It was parked before. If enough of them wait already, it comes back a little later. */
static void gather_parked(const struct heap_item *it, int64_t due_us)
{
	int64_t id = (int64_t)(it->key >> 3);

	if (!fire_add_parked(&(struct due){ it->tenant_id, id, due_us }))
		heap_set(engine.heap, KEY(id, ANY_CLOCK), it->tenant_id,
			clock_now_us() + (int64_t)((double)RETRY_GAP_US * clock_scale()));
}

/* It is due, but another instance handles it; that instance knows whether it can. */
static void leave_to_others(const struct heap_item *it)
{
	park_clear((it->key & 7) == 0 ? it->key : it->key | ANY_CLOCK);
	heap_set(engine.held_elsewhere, it->key, it->tenant_id, it->at_us);
}

/* Take what is due from the heap, at most one batch. */
static void gather(int64_t now)
{
	struct heap_item it;
	int64_t due_us;
	int popped = 0;

	while (fire_gathered() < BATCH_MAX && popped++ < BATCH_MAX && heap_peek(engine.heap, &it) &&
		it.at_us <= now) {
		heap_pop(engine.heap, &it);
		if (!is_ours(&it, now))
			leave_to_others(&it);
		else if ((it.key & 7) == 0)
			timer_start(it.tenant_id, (int64_t)(it.key >> 3));
		else if (park_find(it.key | ANY_CLOCK, &due_us))
			gather_parked(&it, due_us);
		else
			fire_add(&(struct due){ it.tenant_id, (int64_t)(it.key >> 3), it.at_us });
	}
}

void engine_batch_ended(void)
{
	db_limit_requests(fire_gathered() >= BEHIND);
	engine_arm();
}

static void fire_due(void *arg)
{
	(void)arg;
	if (!engine.running)
		return;
	gather(clock_now_us());
	db_limit_requests(fire_gathered() >= BEHIND);
	engine_arm();
}

/* Deadlines that waited for other instances and now are ours, or late enough for any instance. */
static void take_from_others(struct job_run *run)
{
	struct heap_item it;
	int64_t now = clock_now_us();
	bool all = lease_changed();

	while (engine.running && heap_peek(engine.held_elsewhere, &it) &&
		(all || is_ours(&it, now))) {
		heap_pop(engine.held_elsewhere, &it);
		heap_set(engine.heap, it.key, it.tenant_id, it.at_us);
	}
	if (engine.running)
		engine_arm();
	job_end(run, JOB_DONE);
}

static const struct job engine_jobs[] = {
	{ "deadlines_of_others", OTHERS_MS, .run = take_from_others }, { 0 }
};

void engine_init(int64_t horizon_s)
{
	engine.heap = heap_new();
	engine.held_elsewhere = heap_new();
	engine.horizon_us = horizon_s * US_PER_S;
	engine.running = true;
	timer = loop_timer_new(fire_due, NULL);
	fire_init();
	sweep_init();
	jobs_add(engine_jobs);
}

void engine_free(void)
{
	engine.running = false;
	loop_timer_free(timer);
	sweep_free();
	fire_free();
	heap_free(engine.heap);
	heap_free(engine.held_elsewhere);
	engine.heap = engine.held_elsewhere = NULL;
	park_free();
}
