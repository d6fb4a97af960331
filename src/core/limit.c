/* SPDX-License-Identifier: Apache-2.0 */
#include "core/limit.h"
#include "core/job.h"
#include "base/clock.h"
#include "base/list.h"
#include "kv/kv.h"
#include "loop/loop.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS 8192
#define BUCKETS_MAX 100000
#define TELL_MS 100
#define TELL_AT_ONCE 100
#define KEY_MAX 80

struct bucket {
	struct bucket *next;
	struct list changed; /* linked while tokens were taken that Redis does not know of */
	struct list used;    /* in the order of the last use, by kind */
	enum limit kind;
	double tokens;
	int64_t at_us;
	int64_t taken, telling;
	char key[KEY_MAX];
};

static struct {
	struct limit_rate rates[LIMIT_COUNT];
	struct bucket *slots[SLOTS];
	size_t buckets_n;
	struct list used[LIMIT_COUNT]; /* the one that was not used for longest comes first */
	uint64_t steps;                /* buckets looked at to make room */
	struct list changed;
	struct bucket *told[TELL_AT_ONCE];
	int told_n;
	uint64_t refused[LIMIT_COUNT];
} limits;

const char *limit_name(enum limit kind)
{
	static const char *const names[] = { "address", "login", "user", "tenant", "fresh" };

	return names[kind];
}

struct limit_rate limit_rate(enum limit kind)
{
	return limits.rates[kind];
}

uint64_t limit_refused(enum limit kind)
{
	return limits.refused[kind];
}

/* --- buckets --- */

static struct bucket **slot_of(enum limit kind, struct str key)
{
	uint32_t h = 2166136261u ^ (uint32_t)kind; /* FNV-1a */

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * 16777619u;
	return &limits.slots[h % SLOTS];
}

static bool is_unused(const struct bucket *b, int64_t now)
{
	double full_s = (double)limits.rates[b->kind].burst /
			(double)(limits.rates[b->kind].per_s ? limits.rates[b->kind].per_s : 1);

	return !b->telling && (double)(now - b->at_us) / 1e6 > full_s;
}

static void bucket_free(struct bucket *b)
{
	struct bucket **at = slot_of(b->kind, str_of(b->key));

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	list_remove(&b->used);
	list_remove(&b->changed); /* by now, Redis's bucket has refilled, too */
	free(b);
	limits.buckets_n--;
}

/* A bucket that has refilled need not be kept. All buckets of a kind refill in the same time, so if
 * the least recently used one is still needed, so are the others. One look at each kind shows
 * whether there is room, however many buckets there are. */
static void forget_unused(void)
{
	int64_t now = clock_mono_us();

	for (int kind = 0; kind < LIMIT_COUNT; kind++) {
		struct list *first = limits.used[kind].next;

		if (first == &limits.used[kind])
			continue;
		limits.steps++;
		if (is_unused(list_entry(first, struct bucket, used), now))
			bucket_free(list_entry(first, struct bucket, used));
	}
}

uint64_t limit_steps(void)
{
	return limits.steps;
}

static struct bucket *find_bucket(enum limit kind, struct str key)
{
	struct bucket **slot = slot_of(kind, key), *b;

	for (b = *slot; b; b = b->next)
		if (b->kind == kind && str_is(key, b->key))
			return b;
	if (limits.buckets_n >= BUCKETS_MAX)
		forget_unused();
	if (limits.buckets_n >= BUCKETS_MAX &&
		!str_is(key,
			"rest")) /* during a flood of addresses, all new ones share this bucket */
		return find_bucket(kind, STR("rest"));
	b = xcalloc(1, sizeof(*b));
	b->kind = kind;
	b->tokens = (double)limits.rates[kind].burst;
	b->at_us = clock_mono_us();
	snprintf(b->key, sizeof(b->key), "%.*s", (int)key.n, key.p);
	slot = slot_of(kind, key);
	b->next = *slot;
	*slot = b;
	list_init(&b->changed);
	list_add_tail(&limits.used[kind], &b->used);
	limits.buckets_n++;
	return b;
}

static void refill(struct bucket *b)
{
	const struct limit_rate *r = &limits.rates[b->kind];
	int64_t now = clock_mono_us();

	b->tokens += (double)(now - b->at_us) / 1e6 * (double)r->per_s;
	if (b->tokens > (double)r->burst)
		b->tokens = (double)r->burst;
	b->at_us = now;
	list_remove(&b->used);
	list_add_tail(&limits.used[b->kind], &b->used);
}

int64_t limit_take(enum limit kind, struct str key)
{
	const struct limit_rate *r = &limits.rates[kind];
	struct bucket *b;

	if (!r->per_s || !key.n)
		return 0;
	if (key.n >= KEY_MAX)
		key.n = KEY_MAX - 1;
	b = find_bucket(kind, key);
	refill(b);
	if (b->tokens < 1) {
		limits.refused[kind]++;
		return 1 + (int64_t)((1 - b->tokens) / (double)r->per_s);
	}
	b->tokens -= 1;
	if (!b->taken++ && !b->telling)
		list_add_tail(&limits.changed, &b->changed);
	return 0;
}

/* --- Redis --- */

/* For each key: rate, burst, tokens taken. Returns what is left of each, rounded down; it can be
 * negative if several instances took tokens at once. The script uses Redis's clock, so the
 * instances' clocks need not agree. */
static const char script[] =
	"local t = redis.call('TIME') local now = t[1] + t[2] / 1e6 local left = {} "
	"for i, key in ipairs(KEYS) do "
	"local rate, burst, taken = tonumber(ARGV[3*i-2]), tonumber(ARGV[3*i-1]), "
	"tonumber(ARGV[3*i]) "
	"local was = redis.call('HMGET', key, 'n', 'at') "
	"local n = tonumber(was[1]) or burst "
	"if was[2] then n = math.min(burst, n + math.max(0, now - tonumber(was[2])) * rate) end "
	"n = math.max(n - taken, -burst) "
	"redis.call('HSET', key, 'n', tostring(n), 'at', tostring(now)) "
	"redis.call('PEXPIRE', key, math.ceil(2000 * burst / rate) + 1000) "
	"left[i] = math.floor(n) end return left";

/* LEFT: what is left of each reported bucket; NULL if Redis did not get the report. */
static void settle(const redisReply *const *left)
{
	for (int i = 0; i < limits.told_n; i++) {
		struct bucket *b = limits.told[i];

		b->telling = 0;
		refill(b);
		if (left && left[i]->type == REDIS_REPLY_INTEGER &&
			(double)(left[i]->integer - b->taken) < b->tokens)
			b->tokens = (double)(left[i]->integer - b->taken);
		if (b->taken)
			list_add_tail(&limits.changed, &b->changed);
	}
	limits.told_n = 0;
}

static void on_told(void *arg, const redisReply *reply)
{
	struct job_run *run = magic_cast(job_run, arg);
	bool sound = reply && reply->type == REDIS_REPLY_ARRAY &&
		     reply->elements == (size_t)limits.told_n;

	settle(sound ? (const redisReply *const *)reply->element : NULL);
	job_end(run, sound && !list_is_empty(&limits.changed) ? JOB_MORE : JOB_DONE);
}

/* Report to Redis what was taken; its reply says what is left over all instances. */
static void share_buckets(struct job_run *run)
{
	static char text[4 * TELL_AT_ONCE + 1][KEY_MAX + 40];
	struct str argv[4 * TELL_AT_ONCE + 3];
	int n = 0;

	while (!list_is_empty(&limits.changed) && n < TELL_AT_ONCE) {
		struct bucket *b = list_entry(limits.changed.next, struct bucket, changed);

		list_remove(&b->changed);
		b->telling = b->taken;
		b->taken = 0;
		limits.told[n++] = b;
	}
	limits.told_n = n;
	if (!n || !kv_is_up()) {
		settle(NULL);
		job_end(run, JOB_DONE);
		return;
	}
	snprintf(text[4 * TELL_AT_ONCE], sizeof(text[0]), "%d", n);
	argv[0] = STR("EVAL");
	argv[1] = str_of(script);
	argv[2] = str_of(text[4 * TELL_AT_ONCE]);
	for (int i = 0; i < n; i++) {
		const struct bucket *b = limits.told[i];
		int64_t value[3] = { limits.rates[b->kind].per_s, limits.rates[b->kind].burst,
			b->telling };

		snprintf(text[i], sizeof(text[0]), "sladesk:v1:limit:%s:%s", limit_name(b->kind),
			b->key);
		argv[3 + i] = str_of(text[i]);
		for (int k = 0; k < 3; k++) {
			snprintf(text[n + 3 * i + k], sizeof(text[0]), "%lld", (long long)value[k]);
			argv[3 + n + 3 * i + k] = str_of(text[n + 3 * i + k]);
		}
	}
	kv_command(on_told, run, 3 + 4 * n, argv);
}

/* --- life --- */

void limit_set(const struct limit_rate set[LIMIT_COUNT])
{
	memcpy(limits.rates, set, sizeof(limits.rates));
}

static const struct job limit_jobs[] = {
	{ "limits_share", TELL_MS, .more_ms = 1, .run = share_buckets },
	{ 0 },
};

static void init_lists(void)
{
	list_init(&limits.changed);
	for (int kind = 0; kind < LIMIT_COUNT; kind++)
		list_init(&limits.used[kind]);
}

void limit_init(void)
{
	init_lists();
	jobs_add(limit_jobs);
}

void limit_free(void)
{
	for (int i = 0; i < SLOTS; i++)
		while (limits.slots[i]) {
			struct bucket *b = limits.slots[i];

			limits.slots[i] = b->next;
			free(b);
		}
	limits.buckets_n = 0;
	limits.told_n = 0;
	init_lists();
}
