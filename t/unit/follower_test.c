/* SPDX-License-Identifier: Apache-2.0
 * The durable batch consumer: whatever the database answers, one bad item delays no other, the
 * order within a group is kept, nothing is lost and nothing is retried for ever. */
#include "unit.h"
#include "../../src/core/follower_queue.h"
#include "base/clock.h"

struct item {
	int64_t group;
	int n;
};

#define ITEMS 1000

static struct {
	int stored[ITEMS], set_aside[ITEMS], freed[ITEMS], last[10];
	enum db_error why[ITEMS];
	int aside_n, locked_n, away_n;
} seen;

static void on_aside(const void *p, enum db_error error)
{
	const struct item *it = p;

	seen.set_aside[it->n]++;
	seen.why[it->n] = error;
	seen.aside_n++;
}
static void on_free(void *p)
{
	seen.freed[((struct item *)p)->n]++;
}
static int64_t group_of(const void *p)
{
	return ((const struct item *)p)->group;
}
static void on_locked(const void *p, size_t n)
{
	(void)p;
	seen.locked_n += (int)n;
}
static void on_away(const void *p, size_t n, enum db_error error)
{
	(void)p;
	CU_ASSERT(db_is_away(error));
	seen.away_n += (int)n;
}

static const struct follower_kind plain = { .name = "plain",
	.item_size = sizeof(struct item),
	.batch = 50,
	.max = ITEMS,
	.set_aside = on_aside,
	.item_free = on_free };

/* --- a database of our own --- */

static int64_t now;
static int poisoned[5], locked_group, runs;
static enum db_error poison = DB_FAILED;
static int64_t locked_until, away_until;

static enum db_error answer(const struct piece *p)
{
	const struct item *it = (const struct item *)(const void *)p->item;

	runs++;
	if (now < away_until)
		return runs % 2 ? DB_DOWN : DB_UNKNOWN;
	for (size_t i = 0; i < p->n; i++)
		if (it[i].group == locked_group && now < locked_until)
			return DB_RETRY;
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(poisoned); k++)
			if (poisoned[k] && it[i].n == poisoned[k])
				return poison;
	for (size_t i = 0; i < p->n; i++) {
		seen.stored[it[i].n]++;
		CU_ASSERT(it[i].n > seen.last[it[i].group]); /* the order of its group */
		seen.last[it[i].group] = it[i].n;
	}
	return DB_OK;
}

/* Run all that can be run; time passes only when nothing can. False after MOST_US. */
static bool drain(struct follower_queue *q, int64_t most_us)
{
	int64_t end = now + most_us;

	for (;;) {
		struct piece *p = follower_queue_take(q, now);
		int64_t wait;

		if (p) {
			now += 1000;
			follower_queue_end(q, p, answer(p), now);
			continue;
		}
		wait = follower_queue_wait_us(q, now);
		if (wait < 0)
			return true;
		CU_ASSERT_FATAL(wait > 0); /* or it would spin */
		now += wait;
		if (now > end)
			return false;
	}
}

static void start(struct follower_queue *q, const struct follower_kind *kind)
{
	memset(&seen, 0, sizeof(seen));
	memset(poisoned, 0, sizeof(poisoned));
	poison = DB_FAILED;
	locked_group = -1;
	runs = 0;
	now = US_PER_S;
	away_until = locked_until = 0;
	follower_queue_init(q, kind);
}

static void add(struct follower_queue *q, int from, int n, int groups)
{
	for (int i = from; i < from + n; i++)
		CU_ASSERT(follower_queue_add(q, &(struct item){ i % groups, i }));
}

static void check_all(int from, int n)
{
	for (int i = from; i < from + n; i++) {
		CU_ASSERT_EQUAL(seen.stored[i] + seen.set_aside[i], 1);
		CU_ASSERT_EQUAL(seen.freed[i], 1);
	}
}

static void test_bad_items(void)
{
	static const enum db_error errors[] = { DB_TIMEOUT, DB_CONFLICT, DB_FORBIDDEN, DB_MISSING,
		DB_STALE, DB_FAILED };
	struct follower_queue q;

	for (size_t e = 0; e < ARRAY_LEN(errors); e++) {
		start(&q, &plain);
		poison = errors[e];
		poisoned[0] = 7;
		poisoned[1] = 8;
		poisoned[2] = 120;
		add(&q, 1, 200, 1);
		CU_ASSERT(drain(&q, US_PER_S));
		check_all(1, 200);
		CU_ASSERT_EQUAL(seen.aside_n, 3);
		CU_ASSERT(seen.set_aside[7] && seen.set_aside[8] && seen.set_aside[120]);
		CU_ASSERT_EQUAL(seen.why[7], errors[e]);
		CU_ASSERT(runs < 60); /* some 2 log2 n a bad one */
		CU_ASSERT_EQUAL(follower_queue_count(&q), 0);
		follower_queue_free(&q);
	}
}

static void test_database_away(void)
{
	struct follower_queue q;

	start(&q, &plain);
	away_until = now + 3600 * US_PER_S;
	add(&q, 1, 120, 1);
	CU_ASSERT(drain(&q, 2 * 3600 * US_PER_S));
	check_all(1, 120);
	CU_ASSERT_EQUAL(seen.aside_n, 0);
	CU_ASSERT(runs < 800 && runs > 600); /* every 5 s */
	follower_queue_free(&q);
}

static void test_locked_without_groups(void)
{
	struct follower_queue q;

	start(&q, &plain);
	locked_group = 0;
	locked_until = now + US_PER_S;
	add(&q, 1, 10, 1);
	CU_ASSERT(drain(&q, 10 * US_PER_S));
	check_all(1, 10);
	CU_ASSERT_EQUAL(seen.aside_n, 0);
	locked_until = INT64_MAX; /* a lock that is never released: given up in the end */
	add(&q, 11, 10, 1);
	CU_ASSERT(drain(&q, 3600 * US_PER_S));
	check_all(11, 10);
	CU_ASSERT_EQUAL(seen.aside_n, 10);
	follower_queue_free(&q);
}

static void test_locked_group(void)
{
	struct follower_kind grouped = plain;
	struct follower_queue q;

	grouped.group = group_of;
	start(&q, &grouped);
	locked_group = 3;
	locked_until = now + 600 * US_PER_S;
	poisoned[0] = 13; /* of the same group */
	add(&q, 1, 300, 5);
	CU_ASSERT_FALSE(drain(&q, 60 * US_PER_S));
	for (int i = 1; i <= 300; i++)
		CU_ASSERT_EQUAL(seen.stored[i], i % 5 != 3);
	add(&q, 301, 100, 5); /* other groups continue, items of its own wait */
	CU_ASSERT_FALSE(drain(&q, 60 * US_PER_S));
	CU_ASSERT_EQUAL(follower_queue_count(&q), 80);
	CU_ASSERT(drain(&q, 3600 * US_PER_S));
	check_all(1, 400);
	CU_ASSERT_EQUAL(seen.aside_n, 1);
	CU_ASSERT_EQUAL(seen.set_aside[13], 1);
	/* a lock that is never released: set aside in the end */
	locked_until = INT64_MAX;
	add(&q, 401, 10, 5);
	CU_ASSERT(drain(&q, 2 * 3600 * US_PER_S));
	check_all(401, 10);
	CU_ASSERT_EQUAL(seen.aside_n, 1 + 2);
	CU_ASSERT(runs < 1000);
	follower_queue_free(&q);
}

static void test_handed_over(void)
{
	struct follower_kind kind = plain;
	struct follower_queue q;

	kind.group = group_of;
	kind.locked = on_locked;
	kind.away = on_away;
	start(&q, &kind);
	locked_group = 3;
	locked_until = INT64_MAX;
	add(&q, 1, 100, 5);
	CU_ASSERT(drain(&q, US_PER_S));
	CU_ASSERT_EQUAL(seen.locked_n, 20);
	away_until = INT64_MAX;
	add(&q, 101, 70, 5);
	CU_ASSERT(drain(&q, US_PER_S));
	CU_ASSERT_EQUAL(seen.away_n, 70);
	CU_ASSERT_EQUAL(follower_queue_count(&q), 0);
	follower_queue_free(&q);
}

static void test_bounded_and_cleared(void)
{
	struct follower_kind small = plain;
	struct follower_queue q;
	struct piece *p;

	small.max = 100;
	start(&q, &small);
	add(&q, 1, 60, 1);
	p = follower_queue_take(&q, now);
	CU_ASSERT_EQUAL_FATAL(p->n, 50);
	CU_ASSERT_PTR_NULL(follower_queue_take(&q, now)); /* not full: more may join */
	add(&q, 61, 40, 1);
	CU_ASSERT_FALSE(follower_queue_add(&q, &(struct item){ 0, 101 }));
	follower_queue_clear(&q); /* what is being run stays */
	CU_ASSERT_EQUAL(follower_queue_count(&q), 50);
	follower_queue_end(&q, p, DB_OK, now);
	CU_ASSERT_EQUAL(follower_queue_count(&q), 0);
	for (int i = 1; i <= 100; i++)
		CU_ASSERT_EQUAL(seen.freed[i], 1);
	follower_queue_free(&q);
}

UNIT_MAIN("follower", { "bad items are set aside alone", test_bad_items },
	{ "the database is away", test_database_away }, { "a lock", test_locked_without_groups },
	{ "a group that is locked", test_locked_group }, { "items taken over", test_handed_over },
	{ "bounded, and cleared", test_bounded_and_cleared })
