/* SPDX-License-Identifier: Apache-2.0
 * Deadlines that are due but cannot be handled now. Each is retried alone, at growing intervals.
 * The table lives in this process only: the rows stay due in the database, so a restarted or
 * another instance simply tries them. */
#include "base/log.h"
#include "inner.h"

#include <stdlib.h>

#define BUCKETS 256
#define BUSY_FIRST_US 20000 /* in real time: a lock is usually held for milliseconds */
#define BUSY_MAX_US (2 * US_PER_S)
#define BUSY_LONG_US (30 * US_PER_S)
#define BUSY_LONG_TRIES 60 /* corresponds to a lock held for about two minutes */
#define BUSY_TOLD_TRIES 10 /* corresponds to about five seconds */
#define WRONG_FIRST_US US_PER_S
#define WRONG_MAX_US (300 * US_PER_S)
#define LINES_MAX 20 /* log lines in each LINES_US */
#define LINES_US (10 * US_PER_S)

struct parked {
	struct parked *next;
	uint64_t key;
	int64_t tenant_id, due_us;
	enum park_why why;
	unsigned tries;
};

static struct {
	struct parked *bucket[BUCKETS];
	size_t count;
	struct {
		int64_t since_us;
		unsigned lines, kept_back;
	} told;
} parked;

static const char *const why_texts[PARK_WHYS] = {
	[PARK_BUSY] = "the row is locked, or the statement takes too long",
	[PARK_REFUSED] = "the database refuses it",
	[PARK_UNREADABLE] = "its row cannot be read",
	[PARK_NOT_UNDERSTOOD] = "this program does not understand its policy, calendar or clocks",
	[PARK_FAILED] = "its action cannot be carried out",
};

static struct parked **slot_of(uint64_t key)
{
	struct parked **p = &parked.bucket[(key >> 3) % BUCKETS];

	while (*p && (*p)->key != key)
		p = &(*p)->next;
	return p;
}

/* Many bad tickets fill the metric, not the log. */
static bool may_log(void)
{
	int64_t now = clock_mono_us();

	if (!parked.told.since_us || now - parked.told.since_us > LINES_US) {
		if (parked.told.kept_back)
			log_error(NULL, "fires set aside: %u more log lines suppressed",
				parked.told.kept_back);
		parked.told.since_us = now;
		parked.told.lines = parked.told.kept_back = 0;
	}
	if (parked.told.lines++ < LINES_MAX)
		return true;
	parked.told.kept_back++;
	return false;
}

static void log_parked(const struct parked *p, int64_t wait_us)
{
	bool again = p->tries > 1;

	if (p->why == PARK_BUSY ? p->tries != BUSY_TOLD_TRIES && p->tries < BUSY_LONG_TRIES
				: again && wait_us < WRONG_MAX_US)
		return;
	if (may_log())
		log_error(NULL, "%s set aside tenant=%lld %s=%lld: %s tries=%u",
			p->key & 7 ? "fire" : "timer", (long long)p->tenant_id,
			p->key & 7 ? "ticket" : "timer", (long long)(p->key >> 3),
			why_texts[p->why], p->tries);
}

int64_t park_wait_us(enum park_why why, unsigned tries)
{
	bool busy = why == PARK_BUSY;
	int64_t wait = busy ? BUSY_FIRST_US : WRONG_FIRST_US, most = !busy ? WRONG_MAX_US
								     : tries >= BUSY_LONG_TRIES
									     ? BUSY_LONG_US
									     : BUSY_MAX_US;

	for (unsigned i = 1; i < tries && wait < most; i++)
		wait *= 2;
	return wait < most ? wait : most;
}

/* Add up to a quarter, different each time, so that deadlines that failed together do not come back
 * together. */
static int64_t jittered(const struct parked *p, int64_t wait_us)
{
	uint64_t x = (p->key + p->tries) * 0x9e3779b97f4a7c15u;

	return wait_us + (int64_t)((x >> 32) % (uint64_t)(wait_us / 4 + 1));
}

int64_t park_set(uint64_t key, int64_t tenant_id, int64_t due_us, enum park_why why, unsigned tries)
{
	struct parked **at = slot_of(key), *p = *at;
	int64_t wait;

	if (!p) {
		p = *at = xcalloc(1, sizeof(*p));
		*p = (struct parked){ .key = key, .tenant_id = tenant_id, .due_us = due_us };
		parked.count++;
	}
	if (due_us < p->due_us)
		p->due_us = due_us;
	p->tries = tries ? tries : p->why == why ? p->tries + 1 : 1;
	p->why = why;
	wait = park_wait_us(why, p->tries);
	log_parked(p, wait);
	wait = jittered(p, wait);
	/* a lock is held in real time, however fast the clock of a drill runs */
	return clock_now_us() + (why == PARK_BUSY ? (int64_t)((double)wait * clock_scale()) : wait);
}

bool park_find(uint64_t key, int64_t *out_due_us)
{
	const struct parked *p = *slot_of(key);

	if (p)
		*out_due_us = p->due_us;
	return p != NULL;
}

bool park_clear(uint64_t key)
{
	struct parked **at = slot_of(key), *p = *at;

	if (!p)
		return false;
	*at = p->next;
	free(p);
	parked.count--;
	return true;
}

size_t park_count(void)
{
	return parked.count;
}

int64_t park_oldest_us(void)
{
	int64_t oldest = INT64_MAX;

	for (size_t i = 0; parked.count && i < BUCKETS; i++)
		for (const struct parked *p = parked.bucket[i]; p; p = p->next)
			if (p->due_us < oldest)
				oldest = p->due_us;
	return oldest;
}

void park_free(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (parked.bucket[i])
			park_clear(parked.bucket[i]->key);
}
