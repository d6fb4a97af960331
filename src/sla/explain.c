/* SPDX-License-Identifier: Apache-2.0 */
#include "sla/explain.h"

static const char *const names[] = { "worked", "closed", "holiday", "paused" };

const char *sla_interval_name(enum sla_interval_kind k)
{
	return names[k];
}

struct walk {
	sla_interval_fn *fn;
	void *arg;
	int n, max;
};

static void add_interval(struct walk *w, enum sla_interval_kind kind, int64_t from, int64_t to)
{
	if (from >= to || w->n >= w->max)
		return;
	w->n++;
	w->fn(w->arg, kind, from, to, kind == INTERVAL_WORKED ? to - from : 0);
}

/* Time in which nothing was worked, cut where the reason changes. */
static void explain_closed(struct walk *w, const struct calendar *cal, int64_t from, int64_t to)
{
	while (from < to && w->n < w->max) {
		enum calendar_day why = calendar_why(cal, from);
		int64_t end = calendar_date_end(cal, from);

		while (end < to && calendar_why(cal, end) == why)
			end = calendar_date_end(cal, end);
		if (end > to)
			end = to;
		add_interval(w, why == DAY_HOLIDAY ? INTERVAL_HOLIDAY : INTERVAL_CLOSED, from, end);
		from = end;
	}
}

/* One run, cut where the calendar opens and closes. */
static void explain_run(struct walk *w, const struct calendar *cal, int64_t from, int64_t to)
{
	int64_t t = from, open, close;

	while (t < to && w->n < w->max) {
		if (!calendar_next_open(cal, t, &open, &close))
			open = close = to;
		explain_closed(w, cal, t, open < to ? open : to);
		/* adjacent stretches are one interval for the reader */
		for (int64_t o, c;
			close < to && calendar_next_open(cal, close, &o, &c) && o == close;)
			close = c;
		add_interval(w, INTERVAL_WORKED, open, close < to ? close : to);
		t = close > t ? close : to;
	}
}

int sla_explain(const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t now,
	int max, sla_interval_fn *fn, void *arg)
{
	const struct sla_clock *c = &t->clock[k];
	struct walk w = { fn, arg, 0, max };
	int64_t last = c->start_at;

	if (c->state == CLOCK_NONE)
		return 0;
	for (int i = 0; i < c->runs.n; i++) {
		const struct sla_run *run = &c->runs.at[i];
		int64_t to = run->to == INSTANT_NONE || run->to > now ? now : run->to;

		if (last != INSTANT_NONE && run->from > last)
			add_interval(&w, INTERVAL_PAUSED, last, run->from < now ? run->from : now);
		explain_run(&w, r.calendar, run->from, to);
		last = to;
	}
	if (c->state == CLOCK_PAUSED && last != INSTANT_NONE)
		add_interval(&w, INTERVAL_PAUSED, last, now);
	return w.n;
}
