/* SPDX-License-Identifier: Apache-2.0
 * The instants of a clock: due, thresholds, the next fire. */
#include "clock_inner.h"

int64_t sla_consumed_us(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t now)
{
	return clock_consumed(&t->clock[k], clock_calendar(t, r, k), now);
}

int64_t sla_due(const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k)
{
	const struct sla_clock *c = &t->clock[k];

	int64_t due, left;

	if (c->state == CLOCK_NONE || !c->budget_s)
		return INSTANT_NONE;
	due = clock_instant(c, clock_calendar(t, r, k), c->budget_s * US_PER_S);
	if (due != INSTANT_NONE || c->state != CLOCK_STOPPED || !c->runs.n)
		return due;
	/* For a clock stopped before due: the due instant if it had run on. */
	left = c->budget_s * US_PER_S - clock_consumed(c, clock_calendar(t, r, k), c->stopped_at);
	return calendar_add(clock_calendar(t, r, k), c->stopped_at, left, &due) ? due
										: INSTANT_NONE;
}

static int64_t percent_at(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int percent)
{
	const struct sla_clock *c = &t->clock[k];
	int64_t need_s = ((int64_t)c->budget_s * percent + 99) / 100;

	return clock_instant(c, clock_calendar(t, r, k), need_s * US_PER_S);
}

/* Due minus a lead of wall time. In closed time it moves to the closing instant before, in a pause
 * to the resume. It is left out if it would fall before the start, or before the 80 % instant of a
 * budget under two hours. */
static int64_t lead_at(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int32_t lead_s)
{
	const struct sla_clock *c = &t->clock[k];
	const struct calendar *cal = clock_calendar(t, r, k);
	int64_t due = sla_due(t, r, k), at;

	if (due == INSTANT_NONE)
		return INSTANT_NONE;
	at = due - lead_s * US_PER_S;
	if (at < c->start_at || (c->budget_s < 7200 && at < percent_at(t, r, k, 80)))
		return INSTANT_NONE;
	for (int32_t i = 1; i < c->runs.n; i++)
		if (c->runs.at[i - 1].to != INSTANT_NONE && at >= c->runs.at[i - 1].to &&
			at < c->runs.at[i].from)
			return c->runs.at[i].from;
	return calendar_last_close(cal, at, c->start_at);
}

static int64_t ladder_at(const struct sla_ticket *t, struct sla_rules r, int step)
{
	const struct sla_clock *c = &t->clock[SLA_LADDER];

	return step == c->fired
		       ? clock_instant(c, clock_calendar(t, r, SLA_LADDER), c->budget_s * US_PER_S)
		       : INSTANT_NONE;
}

int64_t sla_threshold_at(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int rank)
{
	const struct sla_threshold *th = &r.policy->threshold[rank];
	const struct sla_clock *c = &t->clock[k];

	if (c->state == CLOCK_NONE || c->state == CLOCK_ENDED || !c->budget_s)
		return INSTANT_NONE;
	if (k == SLA_LADDER)
		return ladder_at(t, r, rank);
	if (k == SLA_UPDATE && c->missed > 0 && th->percent != 100)
		return INSTANT_NONE; /* from the second miss in a row only 100 % fires */
	if (k == SLA_AWS && th->percent != 100)
		return INSTANT_NONE; /* it warns of nothing */
	return th->lead_s ? lead_at(t, r, k, th->lead_s) : percent_at(t, r, k, th->percent);
}

int64_t sla_next_fire(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int *out_rank)
{
	const struct sla_clock *c = &t->clock[k];
	int n = k == SLA_LADDER ? SLA_LADDER_STEPS : r.policy->thresholds;
	int64_t best = INSTANT_NONE;

	if (c->state != CLOCK_RUNNING && c->state != CLOCK_SCHEDULED)
		return INSTANT_NONE;
	for (int i = 0; i < n; i++) {
		int64_t at;

		if (k == SLA_LADDER ? i != c->fired : c->fired >> i & 1)
			continue;
		at = sla_threshold_at(t, r, k, i);
		if (at != INSTANT_NONE && (best == INSTANT_NONE || at < best)) {
			best = at;
			if (out_rank)
				*out_rank = i;
		}
	}
	return best;
}
