/* SPDX-License-Identifier: Apache-2.0
 * Firing: every instant that has come is recorded, with what follows from it (sla.md 3 and 4). */
#include "clock_inner.h"

#include <stdio.h>

static const char *const ladder_keys[SLA_LADDER_STEPS] = { "L2", "L3", "AWS" };

static void miss_update(struct sla_ticket *t, struct sla_rules r, int64_t due, int64_t origin)
{
	struct sla_clock *c = &t->clock[SLA_UPDATE];
	int32_t missed = c->missed + 1;

	clock_start(t, r, SLA_UPDATE, due, origin + 1);
	t->clock[SLA_UPDATE].missed = missed;
	t->clock[SLA_UPDATE].breached_at = due;
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

static void fire_one(struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int rank,
	int64_t at, struct sla_fire *out)
{
	struct sla_clock *c = &t->clock[k];
	const struct sla_threshold *th = &r.policy->threshold[rank];
	bool due = k != SLA_LADDER && th->percent == 100;

	*out = (struct sla_fire){ .clock = k,
		.rank = rank,
		.due_at = at,
		.origin_seq = c->origin_seq,
		.cycle = c->cycle,
		.alert = rank + 1 > c->high || k == SLA_LADDER,
		.by_priority = c->by_priority };
	snprintf(out->key, sizeof(out->key), "%s", k == SLA_LADDER ? ladder_keys[rank] : th->key);
	if (k == SLA_LADDER) {
		take_ladder_step(t, r, at);
		return;
	}
	c->fired |= 1 << rank;
	if (rank + 1 > c->high)
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
		miss_update(t, r, at, c->origin_seq);
	}
}

size_t sla_settle(
	struct sla_ticket *t, struct sla_rules r, int64_t now, struct sla_fire *out, size_t max)
{
	size_t n = 0;

	while (n < max) {
		int64_t best = INSTANT_NONE;
		int best_rank = 0, best_clock = 0;

		for (int k = 0; k < SLA_CLOCKS; k++) {
			int rank = 0;
			int64_t at = sla_next_fire(t, r, (enum sla_clock_kind)k, &rank);

			if (at != INSTANT_NONE && (best == INSTANT_NONE || at < best))
				best = at, best_rank = rank, best_clock = k;
		}
		if (best == INSTANT_NONE || best > now)
			break;
		fire_one(t, r, (enum sla_clock_kind)best_clock, best_rank, best, &out[n++]);
	}
	return n;
}

static bool surpasses(const struct sla_fire *a, const struct sla_fire *b)
{
	return a != b && a->alert && a->clock == b->clock &&
	       (a->rank > b->rank || (a->rank == b->rank && a > b));
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
