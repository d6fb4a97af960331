/* SPDX-License-Identifier: Apache-2.0
 * A clock: its rules, and how it starts, pauses, stops and continues (sla.md 3). */
#include "clock_inner.h"

static const char *const state_names[] = { "none", "scheduled", "running", "paused", "stopped",
	"ended" };
static const char *const verdict_names[] = { "open", "met", "breached", "none", "waived" };

void sla_ticket_init(struct sla_ticket *t)
{
	*t = (struct sla_ticket){ .state = TICKET_NEW,
		.priority = PRIORITY_NONE,
		.cycle = 1,
		.level = 1,
		.unnamed_law = SLA_LAW_LADDER,
		.last_stop_at = INSTANT_NONE };
	for (int k = 0; k < SLA_CLOCKS; k++)
		t->clock[k] = (struct sla_clock){ .cycle = 1,
			.start_at = INSTANT_NONE,
			.stopped_at = INSTANT_NONE,
			.breached_at = INSTANT_NONE };
}

bool clock_pauses(const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k)
{
	return r.policy->pauses[k] >> t->state & 1;
}

int32_t clock_budget(const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k)
{
	const struct sla_budget *b = &r.policy->budget[t->priority];

	switch (k) {
	case SLA_RESPONSE:
		return b->response_s;
	case SLA_RESOLUTION:
		return b->resolution_s;
	case SLA_UPDATE:
		return b->update_s;
	case SLA_LADDER:
		return b->ladder_s[0];
	case SLA_AWS:
		return b->aws_s;
	case SLA_CLOCKS:
		break;
	}
	return 0;
}

bool clock_is_live(const struct sla_clock *c)
{
	return c->state == CLOCK_SCHEDULED || c->state == CLOCK_RUNNING || c->state == CLOCK_PAUSED;
}

/* --- starting, pausing, stopping --- */

void clock_reckon(struct sla_clock *c, int64_t seq)
{
	c->origin_seq = seq;
	c->fired = 0;
}

void clock_start(
	struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at, int64_t seq)
{
	struct sla_clock *c = &t->clock[k];

	c->runs.n = 0;
	*c = (struct sla_clock){ .cycle = t->cycle,
		.budget_s = clock_budget(t, r, k),
		.start_at = at,
		.stopped_at = INSTANT_NONE,
		.breached_at = INSTANT_NONE,
		.missed = k == SLA_UPDATE ? c->missed : 0,
		.runs = c->runs };
	if (!c->budget_s)
		return;
	clock_reckon(c, seq);
	c->state = clock_pauses(t, r, k) ? CLOCK_PAUSED : CLOCK_RUNNING;
	if (c->state == CLOCK_RUNNING)
		clock_run_from(t, r, k, at);
}

/* Restart a live clock at AT, an instant of the past in its present reckoning: since then it ran
 * and paused as it did. */
void clock_restart(
	struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at, int64_t seq)
{
	struct sla_clock *c = &t->clock[k];
	int32_t n = 0;

	if (!clock_budget(t, r, k)) {
		clock_start(t, r, k, at, seq);
		return;
	}
	for (int32_t i = 0; i < c->runs.n; i++) {
		struct sla_run run = c->runs.at[i];

		if (run.to != INSTANT_NONE && run.to <= at)
			continue;
		run.from = run.from < at ? at : run.from;
		c->runs.at[n++] = run;
	}
	c->runs.n = n;
	c->carry_us = 0;
	c->budget_s = clock_budget(t, r, k);
	c->start_at = at;
	c->breached_at = INSTANT_NONE;
	c->by_priority = false;
	c->high = 0;
	clock_reckon(c, seq);
}

/* Until response due, resolution waits for its start; its instants are already known. */
void clock_schedule_resolution(struct sla_ticket *t, struct sla_rules r, int64_t seq)
{
	struct sla_clock *c = &t->clock[SLA_RESOLUTION];
	int64_t at = sla_due(t, r, SLA_RESPONSE);

	if (at == INSTANT_NONE)
		return;
	clock_start(t, r, SLA_RESOLUTION, at, seq);
	if (c->budget_s)
		c->state = CLOCK_SCHEDULED;
	if (clock_pauses(t, r, SLA_RESOLUTION))
		c->runs.n = 0;
}

void clock_start_resolution(struct sla_ticket *t, struct sla_rules r, int64_t at, int64_t seq)
{
	struct sla_clock *c = &t->clock[SLA_RESOLUTION];

	if (c->state != CLOCK_NONE && c->state != CLOCK_SCHEDULED)
		return; /* once started, it stays started */
	if (c->state == CLOCK_SCHEDULED)
		seq = c->origin_seq;
	clock_start(t, r, SLA_RESOLUTION, at, seq);
}

void clock_start_ladder(struct sla_ticket *t, struct sla_rules r, int64_t at, int64_t seq)
{
	if (t->clock[SLA_LADDER].state == CLOCK_NONE)
		clock_start(t, r, SLA_LADDER, at, seq);
}

void clock_stop(struct sla_clock *c, int64_t at)
{
	if (!clock_is_live(c))
		return;
	clock_run_until(c, at);
	c->state = CLOCK_STOPPED;
	c->stopped_at = at;
}

void clock_end(struct sla_clock *c, int64_t at)
{
	if (!clock_is_live(c))
		return;
	clock_run_until(c, at);
	if (c->state == CLOCK_SCHEDULED)
		c->runs.n = 0;
	c->state = CLOCK_ENDED;
	c->stopped_at = at;
}

void clock_follow_state(struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at)
{
	struct sla_clock *c = &t->clock[k];
	bool pause = clock_pauses(t, r, k);

	if (c->state == CLOCK_SCHEDULED) {
		c->runs.n = 0;
		if (!pause)
			clock_run_from(t, r, k, c->start_at);
	} else if (c->state == CLOCK_RUNNING && pause) {
		clock_run_until(c, at);
		c->state = CLOCK_PAUSED;
	} else if (c->state == CLOCK_PAUSED && !pause) {
		clock_run_from(t, r, k, at);
		c->state = CLOCK_RUNNING;
	}
}

/* Restart a stopped clock where it was: the time from the stop until now is not consumed. */
void clock_go_on(struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at)
{
	struct sla_clock *c = &t->clock[k];

	if (c->state != CLOCK_STOPPED && c->state != CLOCK_ENDED)
		return;
	c->state = CLOCK_PAUSED;
	c->stopped_at = INSTANT_NONE;
	clock_follow_state(t, r, k, at);
}

enum sla_verdict sla_verdict(const struct sla_clock *c)
{
	if (c->state == CLOCK_NONE)
		return SLA_NO_VERDICT;
	if (c->breached_at != INSTANT_NONE)
		return c->waived ? SLA_IS_WAIVED : SLA_BREACHED;
	if (c->state == CLOCK_STOPPED)
		return SLA_MET;
	return c->state == CLOCK_ENDED ? SLA_NO_VERDICT : SLA_OPEN;
}

const char *sla_verdict_name(enum sla_verdict v)
{
	return verdict_names[v];
}

const char *sla_clock_state_name(enum sla_clock_state s)
{
	return state_names[s];
}

enum sla_clock_state sla_clock_state_parse(struct str s)
{
	for (size_t i = 0; i < ARRAY_LEN(state_names); i++)
		if (str_is(s, state_names[i]))
			return (enum sla_clock_state)i;
	return CLOCK_NONE;
}
