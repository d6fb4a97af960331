/* SPDX-License-Identifier: Apache-2.0
 * Runs what follower_queue.c decides. */
#include "core/follower.h"
#include "base/clock.h"
#include "base/magic.h"
#include "base/log.h"
#include "follower_queue.h"
#include "loop/loop.h"

#include <stdlib.h>

#define TOLD_US (10 * US_PER_S)

struct follower {
	uint32_t magic;
	struct follower *next;
	struct follower_queue queue;
	struct loop_timer *timer;
	uint64_t done, retried;
	int64_t told_us;
	bool paused, gathering;
};
MAGIC(follower, 0xa587fae8);

static struct follower *followers;

/* --- running --- */

static void start_runs(struct follower *f)
{
	const struct follower_kind *kind = f->queue.kind;
	int parallel = kind->parallel ? kind->parallel : 1;
	struct piece *p;

	f->gathering = false;
	while (!f->paused && f->queue.under_way < parallel &&
		(p = follower_queue_take(&f->queue, clock_mono_us()))) {
		struct follower_run *run = magic_new(follower_run);

		run->follower = f;
		run->item = p->item;
		run->n = p->n;
		run->piece = p;
		kind->run(run);
	}
}

/* Wake up when the next run is due. */
static void arm(struct follower *f)
{
	int64_t wait = follower_queue_wait_us(&f->queue, clock_mono_us());
	int parallel = f->queue.kind->parallel ? f->queue.kind->parallel : 1;

	if (!f->paused && wait >= 0 && f->queue.under_way < parallel)
		loop_timer_set(f->timer, wait);
}

static void on_timer(void *arg)
{
	struct follower *f = magic_cast(follower, arg);

	start_runs(f);
	arm(f);
}

void follower_end(struct follower_run *run, enum db_error error)
{
	struct follower *f = run->follower;
	int64_t now = clock_mono_us();

	if (error == DB_OK) {
		f->done += run->n;
	} else {
		f->retried++;
		if (!f->told_us || now - f->told_us > TOLD_US) {
			f->told_us = now;
			db_log(LOG_WARN, NULL, error,
				"batch not stored consumer=%s n=%zu err=%s; will retry",
				f->queue.kind->name, run->n, db_error_name(error));
		}
	}
	follower_queue_end(&f->queue, run->piece, error, now);
	magic_end(run);
	later_free(run);
	arm(f);
}

/* --- the interface --- */

struct follower *follower_new(const struct follower_kind *kind)
{
	struct follower *f = magic_new(follower), **last = &followers;

	follower_queue_init(&f->queue, kind);
	f->timer = loop_timer_new(on_timer, f);
	while (*last)
		last = &(*last)->next;
	*last = f;
	return f;
}

void follower_free(struct follower *f)
{
	struct follower **at = &followers;

	if (!f)
		return;
	bug_on(f->queue.under_way);
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	loop_timer_free(f->timer);
	if (f->queue.kind->set_aside_at_end)
		follower_queue_set_aside(&f->queue, DB_DOWN);
	follower_queue_free(&f->queue);
	magic_end(f);
	free(f);
}

void follower_add(struct follower *f, const void *item)
{
	const struct follower_kind *kind = f->queue.kind;

	if (!follower_queue_add(&f->queue, item)) {
		if (kind->full) {
			kind->full(f);
			return;
		}
		kind->set_aside(item, DB_BUSY);
		f->queue.set_aside++;
		if (kind->item_free) {
			char *copy = xmalloc(kind->item_size);

			memcpy(copy, item, kind->item_size);
			kind->item_free(copy);
			free(copy);
		}
		return;
	}
	if (f->queue.under_way || f->gathering) {
		if (f->queue.n >= kind->batch)
			arm(f);
		return;
	}
	f->gathering = true;
	if (!f->paused)
		loop_timer_set(f->timer, kind->gather_us);
}

void follower_hurry(struct follower *f)
{
	start_runs(f);
}

void follower_pause(struct follower *f, bool on)
{
	f->paused = on;
	if (!on)
		arm(f);
}

void follower_clear(struct follower *f)
{
	follower_queue_clear(&f->queue);
}

size_t follower_waiting(const struct follower *f)
{
	return f ? follower_queue_count(&f->queue) : 0;
}

size_t follower_gathered(const struct follower *f)
{
	return f ? f->queue.n : 0;
}

uint64_t follower_done(const struct follower *f)
{
	return f ? f->done : 0;
}

void followers_each(void (*fn)(void *arg, const struct follower_health *h), void *arg)
{
	for (const struct follower *f = followers; f; f = f->next) {
		struct follower_health h = { f->queue.kind->name, follower_waiting(f), f->done,
			f->retried, f->queue.set_aside };

		fn(arg, &h);
	}
}
