/* SPDX-License-Identifier: Apache-2.0
 * The timer engine: what falls due leaves the heap and is fired in batches (fire.c) or run
 * (timer.c). PostgreSQL away: the items stay and are tried again; the heap is a cache, the row is
 * the truth. What another instance holds the lease of waits in a second heap: who holds nothing may
 * fire it when it is five seconds late, and the fence decides. */
#include "base/log.h"
#include "timers/lease.h"
#include "inner.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCHES_MAX 2 /* the second only when it is full: what falls due meanwhile gathers */
#define SWEEP_MS 2000
#define BEHIND 24 /* so many gathered while a batch is stored: requests wait their turn */
#define ANYONE_AFTER_US (5 * US_PER_S)
#define OTHERS_MS 250
#define LOAD_SLICE 4000

/* Heap keys: id << 3 | what; what 0 = a timer row, 1 + clock = a ticket's clock, 7 = any of its
 * clocks. */
#define KEY(id, what) ((uint64_t)(id) << 3 | (uint64_t)(what))
#define ANY_CLOCK 7

struct engine_state engine;
static struct heap *heap, *held_elsewhere; /* others': due and held elsewhere */
static struct due gathered[BATCH_MAX];
static size_t gathered_n;
static struct loop_timer *timer, *refill;
static int64_t horizon_us;

static int64_t overdue_us(const struct heap *h)
{
	struct heap_item first;
	int64_t now = clock_now_us();

	return h && heap_peek(h, &first) && first.at_us < now ? now - first.at_us : 0;
}

struct engine_health engine_health(void)
{
	struct engine_health h = engine.health;

	h.entries = heap ? heap_count(heap) : 0;
	h.bytes = heap ? heap_bytes(heap) : 0;
	h.lag_us = overdue_us(heap);
	/* without leases (the database is away) nobody is known to act on these */
	if (!lease_health().shards && overdue_us(held_elsewhere) > h.lag_us)
		h.lag_us = overdue_us(held_elsewhere);
	return h;
}

/* Never more than 60 s: due times are wall clock, and wall clocks jump. */
void engine_arm(void)
{
	struct heap_item first;
	int64_t wait = 60 * US_PER_S, now = clock_now_us();

	if (heap_peek(heap, &first))
		wait = (int64_t)((double)(first.at_us - now) / clock_scale()) + 1;
	if (wait > 60 * US_PER_S)
		wait = 60 * US_PER_S;
	if (wait < 0)
		wait = 0;
	if (engine.retry_after_us && clock_mono_us() + wait < engine.retry_after_us)
		wait = engine.retry_after_us - clock_mono_us();
	if (gathered_n && !engine.batches)
		wait = 0;
	if (gathered_n == BATCH_MAX && engine.batches)
		return; /* an ending batch arms again */
	loop_timer_set(timer, wait);
}

void deadline_set(const struct ticket *t, struct sla_rules r)
{
	int64_t horizon = clock_now_us() + horizon_us;

	if (!heap || !engine.running)
		return;
	for (int k = 0; k < SLA_CLOCKS; k++) {
		int64_t at = t->muted ? INSTANT_NONE
				      : sla_next_fire(&t->sla, r, (enum sla_clock_kind)k, NULL);

		heap_cancel(held_elsewhere, KEY(t->id, k + 1));
		if (at != INSTANT_NONE && at < horizon)
			heap_set(heap, KEY(t->id, k + 1), t->tenant_id, at);
		else
			heap_cancel(heap, KEY(t->id, k + 1));
	}
	engine_arm();
}

void deadline_recheck(int64_t tenant_id, int64_t ticket_id, int64_t at_us)
{
	int64_t had;

	if (!heap_find(heap, KEY(ticket_id, ANY_CLOCK), &had) || had > at_us)
		heap_set(heap, KEY(ticket_id, ANY_CLOCK), tenant_id, at_us);
}

void deadline_recheck_timer(int64_t tenant_id, int64_t id, int64_t at_us)
{
	heap_set(heap, KEY(id, 0), tenant_id, at_us);
	engine_arm();
}

/* --- the turn --- */

static bool is_ours(const struct heap_item *it, int64_t now)
{
	return lease_holds(it->tenant_id, (int64_t)(it->key >> 3)) ||
	       (double)(now - it->at_us) >= (double)ANYONE_AFTER_US * clock_scale();
}

static void gather_ticket(const struct heap_item *it)
{
	int64_t id = (int64_t)(it->key >> 3);

	for (size_t i = 0; i < gathered_n; i++)
		if (gathered[i].ticket_id == id)
			return;
	gathered[gathered_n++] = (struct due){ it->tenant_id, id, it->at_us };
}

/* Take what is due off the heap, as much as one batch holds. */
static void gather(int64_t now)
{
	struct heap_item it;
	int popped = 0;

	while (gathered_n < BATCH_MAX && popped++ < BATCH_MAX && heap_peek(heap, &it) &&
		it.at_us <= now) {
		heap_pop(heap, &it);
		if (!is_ours(&it, now))
			heap_set(held_elsewhere, it.key, it.tenant_id, it.at_us);
		else if ((it.key & 7) == 0)
			timer_start(it.tenant_id, (int64_t)(it.key >> 3));
		else
			gather_ticket(&it);
	}
}

static void fire_due(void *arg)
{
	size_t n;

	(void)arg;
	if (!engine.running)
		return;
	gather(clock_now_us());
	n = gathered_n;
	db_limit_requests(n >= BEHIND);
	if (n && (!engine.batches || (n == BATCH_MAX && engine.batches < BATCHES_MAX))) {
		gathered_n = 0;
		fire_batch(gathered, n);
	}
	engine_arm();
}

/* What waited for others, and by now is ours or late enough for anyone. */
static void take_from_others(void *arg)
{
	struct heap_item it;
	int64_t now = clock_now_us();
	bool all = lease_changed();

	(void)arg;
	if (!engine.running)
		return;
	while (heap_peek(held_elsewhere, &it) && (all || is_ours(&it, now))) {
		heap_pop(held_elsewhere, &it);
		heap_set(heap, it.key, it.tenant_id, it.at_us);
	}
	engine_arm();
}

/* --- sweep and load --- */

static struct db_call sweep_call;
static char sweep_before[24];
static bool sweeping;

static int what_of(struct str kind)
{
	return str_is(kind, "timer") ? 0 : (int)sla_clock_parse(kind) + 1;
}

/* Known already, no later, or its ticket waits to be looked at (perhaps set aside for a while). */
static bool is_known(int64_t id, uint64_t key, int64_t at)
{
	int64_t had;

	return ((key & 7) != 0 && heap_find(heap, KEY(id, ANY_CLOCK), &had)) ||
	       (heap_find(heap, key, &had) && had <= at) ||
	       (heap_find(held_elsewhere, key, &had) && had <= at);
}

/* Only what the heap does not hold, or holds later: it never overrides what is being fired. */
static void on_swept(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	sweeping = false;
	if (error != DB_OK)
		return;
	for (int i = 0; i < PQntuples(rows); i++) {
		int64_t id = db_int(rows, i, 1), at = db_time(rows, i, 3);
		uint64_t key = KEY(id, what_of(db_text(rows, i, 2)));

		if (id > 0 && !is_known(id, key, at)) {
			heap_set(heap, key, db_int(rows, i, 0), at);
			engine.health.swept++;
		}
	}
	engine_arm();
}

static void sweep_due(void *arg)
{
	(void)arg;
	if (sweeping || !engine.running || !engine.health.loaded)
		return;
	sweeping = true;
	snprintf(sweep_before, sizeof(sweep_before), "%lld",
		(long long)(clock_now_us() + (int64_t)(3 * US_PER_S * clock_scale())));
	sweep_call = (struct db_call){
		.stmt = &sql_sla_sweep, .param = { sweep_before }, .on_done = on_swept
	};
	db_exec(&sweep_call);
}

void deadline_recheck_timers(int64_t tenant_id)
{
	(void)tenant_id; /* timers lie minutes ahead: the sweep finds them in time */
}

static struct {
	struct heap *heap; /* the first load's, filled as rows come */
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

/* One tuple of COPY BINARY: int16 fields, then (int32 length, bytes) each: tenant, id, what, at.
 * The file header and trailer are no tuples. */
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
	if (load.heap) { /* the database is still at work: this costs no time */
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

/* What was learned while loading is newer: it wins. */
static void load_first(void)
{
	struct heap *learned = heap;
	struct heap_item it;

	heap = load.heap;
	while (heap_pop(learned, &it))
		heap_set(heap, it.key, it.tenant_id, it.at_us);
	heap_free(learned);
	load_end();
}

/* While running: only what the heap does not hold, a slice a turn. */
static void load_more(void *arg)
{
	int64_t had;

	(void)arg;
	for (int k = 0; k < LOAD_SLICE && load.done < load.n; k++, load.done++) {
		const struct heap_item *it = &load.items[load.done];

		if (!heap_find(heap, it->key, &had) && !heap_find(held_elsewhere, it->key, &had))
			heap_set(heap, it->key, it->tenant_id, it->at_us);
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
	char sql[700];
	long long before = (long long)(clock_now_us() + horizon_us);

	(void)arg;
	load.began_us = clock_mono_us();
	load.heap = engine.health.loaded ? NULL : heap_new();
	snprintf(sql, sizeof(sql),
		"copy (select c.tenant_id, c.ticket_id, array_position(array['response', "
		"'resolution', 'update', 'ladder'], c.clock), c.next_fire_at "
		"from sla_clocks c where c.next_fire_at < ts(%lld) union all select t.tenant_id, "
		"t.id, 0, t.due_at from timers t "
		"where t.state = 'pending' and t.due_at < ts(%lld)) to stdout (format binary)",
		before, before);
	db_copy_out(sql, on_copy_row, on_copy_done, NULL);
}

void engine_init(int64_t horizon_s)
{
	heap = heap_new();
	held_elsewhere = heap_new();
	horizon_us = horizon_s * US_PER_S;
	engine.running = true;
	timer = loop_timer_new(fire_due, NULL);
	refill = loop_timer_new(start_load, NULL);
	start_load(NULL);
	loop_every(SWEEP_MS, sweep_due, NULL);
	loop_every(OTHERS_MS, take_from_others, NULL);
}

void engine_free(void)
{
	engine.running = false;
	loop_timer_free(timer);
	loop_timer_free(refill);
	heap_free(heap);
	heap_free(held_elsewhere);
	heap = held_elsewhere = NULL;
}
