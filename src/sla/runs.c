/* SPDX-License-Identifier: Apache-2.0
 * The stretches during which a clock ran. Everything else (consumed, due, thresholds) is computed
 * from them, the budget and the calendar, so nothing can drift. */
#include "clock_inner.h"

#include <stdlib.h>

const struct calendar *clock_calendar(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k)
{
	static const struct calendar *always;

	if (k == SLA_LADDER && t->priority == P2 && r.policy->ladder_calendar)
		return r.policy->ladder_calendar;
	if (k != SLA_LADDER || t->priority == P2)
		return r.calendar;
	if (!always)
		always = calendar_always();
	return always; /* the ladder of P0 and P1 runs around the clock */
}

void sla_runs_add(struct sla_runs *runs, int64_t from, int64_t to)
{
	if (runs->n == runs->room) {
		runs->room = runs->room ? runs->room * 2 : 4;
		runs->at = xrealloc(runs->at, (size_t)runs->room * sizeof(*runs->at));
	}
	runs->at[runs->n++] = (struct sla_run){ from, to };
}

static void runs_free(struct sla_runs *runs)
{
	free(runs->at);
	*runs = (struct sla_runs){ 0 };
}

static void runs_copy(struct sla_runs *to, const struct sla_runs *from)
{
	*to = (struct sla_runs){ 0 };
	if (!from->n)
		return;
	to->at = xmalloc((size_t)from->n * sizeof(*to->at));
	memcpy(to->at, from->at, (size_t)from->n * sizeof(*to->at));
	to->n = to->room = from->n;
}

static bool runs_same(const struct sla_runs *a, const struct sla_runs *b)
{
	return a->n == b->n && (!a->n || memcmp(a->at, b->at, (size_t)a->n * sizeof(*a->at)) == 0);
}

void sla_clock_copy(struct sla_clock *to, const struct sla_clock *from)
{
	*to = *from;
	runs_copy(&to->runs, &from->runs);
}

void sla_ticket_copy(struct sla_ticket *to, const struct sla_ticket *from)
{
	*to = *from;
	for (int k = 0; k < SLA_CLOCKS; k++)
		sla_clock_copy(&to->clock[k], &from->clock[k]);
	runs_copy(&to->windows, &from->windows);
}

void sla_clock_free(struct sla_clock *c)
{
	runs_free(&c->runs);
}

bool sla_clock_same(const struct sla_clock *a, const struct sla_clock *b)
{
	return a->state == b->state && a->cycle == b->cycle && a->budget_s == b->budget_s &&
	       a->origin_seq == b->origin_seq && a->start_at == b->start_at &&
	       a->stopped_at == b->stopped_at && a->breached_at == b->breached_at &&
	       a->carry_us == b->carry_us && a->fired == b->fired && a->high == b->high &&
	       a->missed == b->missed && a->by_priority == b->by_priority &&
	       a->self_reported == b->self_reported && a->contested == b->contested &&
	       a->waived == b->waived && runs_same(&a->runs, &b->runs);
}

void sla_ticket_free(struct sla_ticket *t)
{
	for (int k = 0; k < SLA_CLOCKS; k++)
		sla_clock_free(&t->clock[k]);
	runs_free(&t->windows);
}

/* --- the stretches of a clock --- */

void clock_forget_runs(struct sla_clock *c)
{
	c->runs.n = 0;
	c->carry_us = 0;
}

/* Keep the newest SLA_RUNS_MAX stretches, and the length of the older ones. */
static void fold_oldest(struct sla_clock *c, const struct calendar *cal)
{
	int32_t over = c->runs.n - SLA_RUNS_MAX;

	if (over <= 0)
		return;
	for (int32_t i = 0; i < over; i++)
		c->carry_us += calendar_between(cal, c->runs.at[i].from, c->runs.at[i].to);
	c->runs.n = SLA_RUNS_MAX;
	memmove(c->runs.at, c->runs.at + over, SLA_RUNS_MAX * sizeof(*c->runs.at));
}

/* Both lists are sorted: one pass over them. */
void clock_cut(struct sla_clock *c, const struct calendar *cal, const struct sla_runs *windows)
{
	struct sla_runs old = c->runs;
	int32_t first = 0;

	if (!windows->n || !old.n)
		return;
	c->runs = (struct sla_runs){ 0 };
	for (int32_t i = 0; i < old.n; i++) {
		int64_t from = old.at[i].from, to = old.at[i].to;
		int64_t end = to == INSTANT_NONE ? INT64_MAX : to;

		while (first < windows->n && windows->at[first].to <= from)
			first++;
		for (int32_t w = first; w < windows->n && windows->at[w].from < end; w++) {
			if (windows->at[w].from > from)
				sla_runs_add(&c->runs, from, windows->at[w].from);
			from = windows->at[w].to;
		}
		if (from < end)
			sla_runs_add(&c->runs, from, to);
	}
	runs_free(&old);
	fold_oldest(c, cal);
}

/* The ladder is an internal promise: no contract stops it. */
void clock_run_from(struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at)
{
	struct sla_clock *c = &t->clock[k];
	const struct calendar *cal = clock_calendar(t, r, k);

	sla_runs_add(&c->runs, at, INSTANT_NONE);
	if (k != SLA_LADDER)
		clock_cut(c, cal, &t->windows);
	fold_oldest(c, cal);
}

void clock_run_until(struct sla_clock *c, int64_t at)
{
	struct sla_run *last;

	while (c->runs.n && c->runs.at[c->runs.n - 1].from >= at)
		c->runs.n--;
	if (!c->runs.n)
		return;
	last = &c->runs.at[c->runs.n - 1];
	if (last->to == INSTANT_NONE || last->to > at)
		last->to = at;
}

int64_t clock_consumed(const struct sla_clock *c, const struct calendar *cal, int64_t now)
{
	int64_t sum = c->carry_us;

	for (int32_t i = 0; i < c->runs.n; i++) {
		const struct sla_run *run = &c->runs.at[i];

		if (run->from >= now)
			break; /* begins after a window that is still to come */
		sum += calendar_between(
			cal, run->from, run->to == INSTANT_NONE || run->to > now ? now : run->to);
	}
	return sum;
}

int64_t clock_instant(const struct sla_clock *c, const struct calendar *cal, int64_t need_us)
{
	int64_t left = need_us - c->carry_us, at, had;

	if (left <= 0)
		return c->runs.n ? c->runs.at[0].from : INSTANT_NONE;
	for (int32_t i = 0; i < c->runs.n; i++) {
		const struct sla_run *run = &c->runs.at[i];

		if (run->to == INSTANT_NONE)
			return calendar_add(cal, run->from, left, &at) ? at : INSTANT_NONE;
		had = calendar_between(cal, run->from, run->to);
		if (had >= left)
			return calendar_add(cal, run->from, left, &at) ? at : INSTANT_NONE;
		left -= had;
	}
	return INSTANT_NONE;
}
