/* SPDX-License-Identifier: Apache-2.0
 * The stretches during which a clock ran. Everything else (consumed, due, thresholds) is computed
 * from them, the budget and the calendar, so nothing can drift. */
#include "clock_inner.h"

static void runs_push(struct sla_clock *c, const struct calendar *cal, int64_t from, int64_t to)
{
	if (c->run_count == SLA_RUNS_MAX) {
		c->carry_us += calendar_between(cal, c->run[0].from, c->run[0].to);
		memmove(c->run, c->run + 1, sizeof(c->run) - sizeof(c->run[0]));
		c->run_count--;
	}
	c->run[c->run_count++] = (struct sla_run){ from, to };
}

/* Remove WINDOW from what was consumed: runs that touch it end before it or begin after it. */
void runs_cut(struct sla_clock *c, const struct calendar *cal, struct sla_run window)
{
	struct sla_run old[SLA_RUNS_MAX];
	int n = c->run_count;

	memcpy(old, c->run, sizeof(old));
	c->run_count = 0;
	for (int i = 0; i < n; i++) {
		bool open = old[i].to == INSTANT_NONE;

		if (old[i].from >= window.to || (!open && old[i].to <= window.from)) {
			runs_push(c, cal, old[i].from, old[i].to);
			continue;
		}
		if (old[i].from < window.from)
			runs_push(c, cal, old[i].from, window.from);
		if (open || old[i].to > window.to)
			runs_push(c, cal, window.to, old[i].to);
	}
}

/* The ladder is an internal promise: no contract stops it. */
void clock_run_from(struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at)
{
	struct sla_clock *c = &t->clock[k];
	const struct calendar *cal = clock_calendar(t, r, k);

	runs_push(c, cal, at, INSTANT_NONE);
	for (int i = 0; k != SLA_LADDER && i < t->window_count; i++)
		runs_cut(c, cal, t->window[i]);
}

/* From AT on, the clock did not run (or would not have run). */
void clock_run_until(struct sla_clock *c, int64_t at)
{
	while (c->run_count && c->run[c->run_count - 1].from >= at)
		c->run_count--;
	if (c->run_count) {
		struct sla_run *last = &c->run[c->run_count - 1];

		if (last->to == INSTANT_NONE || last->to > at)
			last->to = at;
	}
}

int64_t clock_consumed(const struct sla_clock *c, const struct calendar *cal, int64_t now)
{
	int64_t sum = c->carry_us;

	for (int i = 0; i < c->run_count; i++) {
		int64_t to =
			c->run[i].to == INSTANT_NONE || c->run[i].to > now ? now : c->run[i].to;

		if (c->run[i].from >= now)
			break; /* begins after a window that is still to come */
		sum += calendar_between(cal, c->run[i].from, to);
	}
	return sum;
}

/* The earliest instant at which NEED_US has been consumed; INSTANT_NONE if the present runs never
 * reach it. */
int64_t clock_instant(const struct sla_clock *c, const struct calendar *cal, int64_t need_us)
{
	int64_t left = need_us - c->carry_us, at, had;

	if (left <= 0)
		return c->run_count ? c->run[0].from : INSTANT_NONE;
	for (int i = 0; i < c->run_count; i++) {
		if (c->run[i].to == INSTANT_NONE)
			return calendar_add(cal, c->run[i].from, left, &at) ? at : INSTANT_NONE;
		had = calendar_between(cal, c->run[i].from, c->run[i].to);
		if (had >= left)
			return calendar_add(cal, c->run[i].from, left, &at) ? at : INSTANT_NONE;
		left -= had;
	}
	return INSTANT_NONE;
}
