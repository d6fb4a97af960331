/* SPDX-License-Identifier: Apache-2.0
 * Firing: records every instant that has come, with its consequences (sla.md 3 and 4). */
#include "clock_inner.h"

#include <stdio.h>

static const char *const ladder_keys[SLA_LADDER_STEPS] = { "L2", "L3", "AWS" };

/* Do N periods fall due up to NOW? Then *OUT is the last due instant. */
static bool periods_fit(
	const struct sla_clock *c, const struct calendar *cal, int64_t n, int64_t now, int64_t *out)
{
	int64_t at = clock_instant(c, cal, n * c->budget_s * US_PER_S);

	if (at == INSTANT_NONE || at > now)
		return false;
	*out = at;
	return true;
}

/* The number of periods that fall due from *LAST, the due instant of the first, up to NOW, and the
 * last due instant. One period ends where the next begins, so that N periods end when N budgets
 * are consumed. A calendar may end before NOW. */
static int64_t periods_until(
	const struct sla_clock *c, const struct calendar *cal, int64_t now, int64_t *last)
{
	int64_t most = clock_consumed(c, cal, now) / (c->budget_s * US_PER_S), some = 1;

	if (most <= 1 || periods_fit(c, cal, most, now, last))
		return most > 1 ? most : 1;
	while (most - some > 1) {
		int64_t middle = some + (most - some) / 2;

		*(periods_fit(c, cal, middle, now, last) ? &some : &most) = middle;
	}
	return some;
}

/* The next period begins at the due instant. The first misses in a row begin a reckoning each; the
 * others belong to that of the last of these, so that one row stands for them. */
static void miss_updates(
	struct sla_ticket *t, struct sla_rules r, int64_t now, struct sla_fire *out)
{
	struct sla_clock *c = &t->clock[SLA_UPDATE];
	int32_t missed = c->missed, more = c->fired & SLA_FIRED_REST;
	int64_t due = out->due_at;

	if (missed >= SLA_MISSES_APART)
		out->periods =
			(int32_t)periods_until(c, clock_calendar(t, r, SLA_UPDATE), now, &due);
	out->more = more != 0;
	out->alert &= !out->more;
	clock_start(t, r, SLA_UPDATE, due, out->origin_seq + (missed < SLA_MISSES_APART));
	c->missed = missed + out->periods;
	c->fired = missed < SLA_MISSES_APART ? 0 : SLA_FIRED_REST;
	c->breached_at = due;
}

/* An escalation never lowers the level, and only the ladder reaches AWS Support. */
static void raise_level(struct sla_ticket *t)
{
	if (t->level < SLA_LEVEL_STAFF_MAX)
		t->level++;
}

static void take_ladder_step(struct sla_ticket *t, struct sla_rules r, int64_t due)
{
	struct sla_clock *c = &t->clock[SLA_LADDER];
	const struct sla_budget *b = &r.policy->budget[t->priority];
	int step = ++c->fired;

	t->level = t->level > step + 1 ? t->level : step + 1;
	clock_forget_runs(c);
	if (step == SLA_LADDER_STEPS) {
		c->state = CLOCK_STOPPED;
		c->stopped_at = due;
		return;
	}
	if (b->ladder_s[step])
		c->budget_s = b->ladder_s[step];
	clock_run_from(t, r, SLA_LADDER, due);
}

static void miss_check(struct sla_ticket *t, struct sla_rules r, struct sla_fire *out)
{
	struct sla_clock *c = &t->clock[SLA_AWS];
	int32_t missed = c->missed + 1;

	out->again = missed > 1;
	if (missed < SLA_AWS_MISSES)
		clock_start(t, r, SLA_AWS, out->due_at, out->origin_seq + 1);
	c->missed = missed;
	c->breached_at = out->due_at;
}

/* Is this fire of threshold RANK at AT higher than all that fired before in the cycle? Their order
 * is that of their instants, and the budget decides whether 30 minutes before due come before 90 %;
 * where the highest has no instant now, the policy's order counts. */
static bool is_highest(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int rank, int64_t at)
{
	int high = t->clock[k].high - 1;
	int64_t high_at;

	if (high < 0 || high == rank || high >= r.policy->thresholds)
		return high < rank;
	high_at = sla_threshold_at(t, r, k, high);
	return high_at == INSTANT_NONE || high_at == at ? high < rank : high_at < at;
}

static void fire_one(struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int rank,
	int64_t at, int64_t now, struct sla_fire *out)
{
	struct sla_clock *c = &t->clock[k];
	const struct sla_threshold *th = &r.policy->threshold[rank];
	bool due = k != SLA_LADDER && th->percent == 100;
	bool highest = k == SLA_LADDER || is_highest(t, r, k, rank, at);

	*out = (struct sla_fire){ .clock = k,
		.rank = rank,
		.due_at = at,
		.origin_seq = c->origin_seq,
		.cycle = c->cycle,
		.budget_s = c->budget_s,
		.periods = 1,
		.alert = highest,
		.by_priority = c->by_priority };
	snprintf(out->key, sizeof(out->key), "%s", k == SLA_LADDER ? ladder_keys[rank] : th->key);
	if (k == SLA_LADDER) {
		take_ladder_step(t, r, at);
		return;
	}
	if (th->escalates && k < SLA_UPDATE)
		raise_level(t);
	c->fired |= 1 << rank;
	if (highest)
		c->high = rank + 1;
	if (!due)
		return;
	if (c->breached_at == INSTANT_NONE)
		c->breached_at = at;
	if (k == SLA_RESPONSE) {
		if (r.policy->resolution_from == SLA_FROM_CONFIRMED)
			clock_start_resolution(t, r, at, c->origin_seq);
		clock_start_ladder(t, r, at, c->origin_seq);
	} else if (k == SLA_UPDATE) {
		miss_updates(t, r, now, out);
	} else if (k == SLA_AWS) {
		miss_check(t, r, out);
	}
}

/* The next fire of each clock. */
struct next {
	int64_t at[SLA_CLOCKS];
	int rank[SLA_CLOCKS];
};

static void find_next(const struct sla_ticket *t, struct sla_rules r, int k, struct next *out)
{
	out->rank[k] = 0;
	out->at[k] = sla_next_fire(t, r, (enum sla_clock_kind)k, &out->rank[k]);
}

/* The clock whose fire comes first and not after NOW; SLA_CLOCKS if there is none. */
static int first_due(const struct next *next, int64_t now)
{
	int best = SLA_CLOCKS;

	for (int k = 0; k < SLA_CLOCKS; k++)
		if (next->at[k] != INSTANT_NONE && next->at[k] <= now &&
			(best == SLA_CLOCKS || next->at[k] < next->at[best]))
			best = k;
	return best;
}

size_t sla_settle(
	struct sla_ticket *t, struct sla_rules r, int64_t now, struct sla_fire *out, size_t max)
{
	struct next next;
	size_t n = 0;
	int k;

	for (k = 0; k < SLA_CLOCKS; k++)
		find_next(t, r, k, &next);
	while (n < max && (k = first_due(&next, now)) != SLA_CLOCKS) {
		fire_one(t, r, (enum sla_clock_kind)k, next.rank[k], next.at[k], now, &out[n++]);
		/* only the response clock moves others: it starts resolution and ladder */
		for (int other = 0; other < SLA_CLOCKS; other++)
			if (other == k || k == SLA_RESPONSE)
				find_next(t, r, other, &next);
	}
	return n;
}

/* They are in the order of their instants. */
static bool surpasses(const struct sla_fire *a, const struct sla_fire *b)
{
	return a > b && a->alert && a->clock == b->clock;
}

size_t sla_merge_alerts(struct sla_fire *fires, size_t n)
{
	size_t alerts = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++)
			if (surpasses(&fires[j], &fires[i]))
				fires[i].alert = false;
		alerts += fires[i].alert;
	}
	return alerts;
}
