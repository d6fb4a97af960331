/* SPDX-License-Identifier: Apache-2.0
 * Sections 3 and 4 of sla.md as code. A clock keeps the stretches during which it ran. Everything
 * else (consumed, due, thresholds) is computed from them, the budget and the calendar, so nothing
 * can drift. */
#include "sla/clock.h"

#include <stdio.h>

static const char *const state_names[] = { "none", "scheduled", "running", "paused", "stopped",
	"ended" };
static const char *const verdict_names[] = { "open", "met", "breached", "none", "waived" };
static const char *const ladder_keys[SLA_LADDER_STEPS] = { "L2", "L3", "AWS" };

void sla_ticket_init(struct sla_ticket *t)
{
	*t = (struct sla_ticket){ .state = TICKET_NEW,
		.priority = PRIORITY_NONE,
		.cycle = 1,
		.level = 1,
		.last_stop_at = INSTANT_NONE };
	for (int k = 0; k < SLA_CLOCKS; k++)
		t->clock[k] = (struct sla_clock){ .cycle = 1,
			.start_at = INSTANT_NONE,
			.stopped_at = INSTANT_NONE,
			.breached_at = INSTANT_NONE };
}

static const struct calendar *calendar_of(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k)
{
	static const struct calendar *always;

	if (k != SLA_LADDER || t->priority == P2)
		return r.calendar;
	if (!always)
		always = calendar_always();
	return always; /* the ladder of P0 and P1 runs around the clock */
}

static bool pausing(const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k)
{
	return r.policy->pauses[k] >> t->state & 1;
}

static int32_t budget_of(const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k)
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
	case SLA_CLOCKS:
		break;
	}
	return 0;
}

static bool is_live(const struct sla_clock *c)
{
	return c->state == CLOCK_SCHEDULED || c->state == CLOCK_RUNNING || c->state == CLOCK_PAUSED;
}

/* --- runs --- */

static void push_run(struct sla_clock *c, const struct calendar *cal, int64_t from, int64_t to)
{
	if (c->run_count == SLA_RUNS_MAX) {
		c->carry_us += calendar_between(cal, c->run[0].from, c->run[0].to);
		memmove(c->run, c->run + 1, sizeof(c->run) - sizeof(c->run[0]));
		c->run_count--;
	}
	c->run[c->run_count++] = (struct sla_run){ from, to };
}

/* Remove WINDOW from what was consumed: runs that touch it end before it or begin after it. */
static void cut_runs(struct sla_clock *c, const struct calendar *cal, struct sla_run window)
{
	struct sla_run old[SLA_RUNS_MAX];
	int n = c->run_count;

	memcpy(old, c->run, sizeof(old));
	c->run_count = 0;
	for (int i = 0; i < n; i++) {
		bool open = old[i].to == INSTANT_NONE;

		if (old[i].from >= window.to || (!open && old[i].to <= window.from)) {
			push_run(c, cal, old[i].from, old[i].to);
			continue;
		}
		if (old[i].from < window.from)
			push_run(c, cal, old[i].from, window.from);
		if (open || old[i].to > window.to)
			push_run(c, cal, window.to, old[i].to);
	}
}

/* The ladder is an internal promise: no contract stops it. */
static void run_open(struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at)
{
	struct sla_clock *c = &t->clock[k];
	const struct calendar *cal = calendar_of(t, r, k);

	push_run(c, cal, at, INSTANT_NONE);
	for (int i = 0; k != SLA_LADDER && i < t->window_count; i++)
		cut_runs(c, cal, t->window[i]);
}

/* From AT on, the clock did not run (or would not have run). */
static void run_close(struct sla_clock *c, int64_t at)
{
	while (c->run_count && c->run[c->run_count - 1].from >= at)
		c->run_count--;
	if (c->run_count) {
		struct sla_run *last = &c->run[c->run_count - 1];

		if (last->to == INSTANT_NONE || last->to > at)
			last->to = at;
	}
}

static int64_t consumed(const struct sla_clock *c, const struct calendar *cal, int64_t now)
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
static int64_t instant_of(const struct sla_clock *c, const struct calendar *cal, int64_t need_us)
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

/* --- instants --- */

int64_t sla_consumed_us(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t now)
{
	return consumed(&t->clock[k], calendar_of(t, r, k), now);
}

int64_t sla_due(const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k)
{
	const struct sla_clock *c = &t->clock[k];

	int64_t due, left;

	if (c->state == CLOCK_NONE || !c->budget_s)
		return INSTANT_NONE;
	due = instant_of(c, calendar_of(t, r, k), c->budget_s * US_PER_S);
	if (due != INSTANT_NONE || c->state != CLOCK_STOPPED || !c->run_count)
		return due;
	/* For a clock stopped before due: the due instant if it had run on. */
	left = c->budget_s * US_PER_S - consumed(c, calendar_of(t, r, k), c->stopped_at);
	return calendar_add(calendar_of(t, r, k), c->stopped_at, left, &due) ? due : INSTANT_NONE;
}

static int64_t percent_at(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int percent)
{
	const struct sla_clock *c = &t->clock[k];
	int64_t need_s = ((int64_t)c->budget_s * percent + 99) / 100;

	return instant_of(c, calendar_of(t, r, k), need_s * US_PER_S);
}

/* Due minus a lead of wall time. In closed time it moves to the closing instant before, in a pause
 * to the resume. It is left out if it would fall before the start, or before the 80 % instant of a
 * budget under two hours. */
static int64_t lead_at(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int32_t lead_s)
{
	const struct sla_clock *c = &t->clock[k];
	const struct calendar *cal = calendar_of(t, r, k);
	int64_t due = sla_due(t, r, k), at;

	if (due == INSTANT_NONE)
		return INSTANT_NONE;
	at = due - lead_s * US_PER_S;
	if (at < c->start_at || (c->budget_s < 7200 && at < percent_at(t, r, k, 80)))
		return INSTANT_NONE;
	for (int i = 1; i < c->run_count; i++)
		if (c->run[i - 1].to != INSTANT_NONE && at >= c->run[i - 1].to &&
			at < c->run[i].from)
			return c->run[i].from;
	return calendar_last_close(cal, at, c->start_at);
}

static int64_t ladder_at(const struct sla_ticket *t, struct sla_rules r, int step)
{
	const struct sla_clock *c = &t->clock[SLA_LADDER];

	return step == c->fired
		       ? instant_of(c, calendar_of(t, r, SLA_LADDER), c->budget_s * US_PER_S)
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

/* --- starting, pausing, stopping --- */

static void reckon(struct sla_clock *c, int64_t seq)
{
	c->origin_seq = seq;
	c->fired = 0;
}

static void start(
	struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at, int64_t seq)
{
	struct sla_clock *c = &t->clock[k];

	*c = (struct sla_clock){ .cycle = t->cycle,
		.budget_s = budget_of(t, r, k),
		.start_at = at,
		.stopped_at = INSTANT_NONE,
		.breached_at = INSTANT_NONE,
		.missed = k == SLA_UPDATE ? c->missed : 0 };
	if (!c->budget_s)
		return;
	reckon(c, seq);
	c->state = pausing(t, r, k) ? CLOCK_PAUSED : CLOCK_RUNNING;
	if (c->state == CLOCK_RUNNING)
		run_open(t, r, k, at);
}

/* Until response due, resolution waits for its start; its instants are already known. */
static void schedule_resolution(struct sla_ticket *t, struct sla_rules r, int64_t seq)
{
	struct sla_clock *c = &t->clock[SLA_RESOLUTION];
	int64_t at = sla_due(t, r, SLA_RESPONSE);

	if (at == INSTANT_NONE)
		return;
	start(t, r, SLA_RESOLUTION, at, seq);
	if (c->budget_s)
		c->state = CLOCK_SCHEDULED;
	if (pausing(t, r, SLA_RESOLUTION))
		c->run_count = 0;
}

static void start_resolution(struct sla_ticket *t, struct sla_rules r, int64_t at, int64_t seq)
{
	struct sla_clock *c = &t->clock[SLA_RESOLUTION];

	if (c->state != CLOCK_NONE && c->state != CLOCK_SCHEDULED)
		return; /* once started, it stays started */
	if (c->state == CLOCK_SCHEDULED)
		seq = c->origin_seq;
	start(t, r, SLA_RESOLUTION, at, seq);
}

static void start_ladder(struct sla_ticket *t, struct sla_rules r, int64_t at, int64_t seq)
{
	if (t->clock[SLA_LADDER].state == CLOCK_NONE)
		start(t, r, SLA_LADDER, at, seq);
}

static void stop(struct sla_clock *c, int64_t at)
{
	if (!is_live(c))
		return;
	run_close(c, at);
	c->state = CLOCK_STOPPED;
	c->stopped_at = at;
}

static void end(struct sla_clock *c, int64_t at)
{
	if (!is_live(c))
		return;
	run_close(c, at);
	if (c->state == CLOCK_SCHEDULED)
		c->run_count = 0;
	c->state = CLOCK_ENDED;
	c->stopped_at = at;
}

static void set_paused(struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at)
{
	struct sla_clock *c = &t->clock[k];
	bool pause = pausing(t, r, k);

	if (c->state == CLOCK_SCHEDULED) {
		c->run_count = 0;
		if (!pause)
			run_open(t, r, k, c->start_at);
	} else if (c->state == CLOCK_RUNNING && pause) {
		run_close(c, at);
		c->state = CLOCK_PAUSED;
	} else if (c->state == CLOCK_PAUSED && !pause) {
		run_open(t, r, k, at);
		c->state = CLOCK_RUNNING;
	}
}

/* Restart a stopped clock where it was: the time from the stop until now is not consumed. */
static void go_on(struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at)
{
	struct sla_clock *c = &t->clock[k];

	if (c->state != CLOCK_STOPPED && c->state != CLOCK_ENDED)
		return;
	c->state = CLOCK_PAUSED;
	c->stopped_at = INSTANT_NONE;
	set_paused(t, r, k, at);
}

/* --- firing --- */

static void miss_update(struct sla_ticket *t, struct sla_rules r, int64_t due, int64_t origin)
{
	struct sla_clock *c = &t->clock[SLA_UPDATE];
	int32_t missed = c->missed + 1;

	start(t, r, SLA_UPDATE, due, origin + 1);
	t->clock[SLA_UPDATE].missed = missed;
	t->clock[SLA_UPDATE].breached_at = due;
}

static void take_ladder_step(struct sla_ticket *t, struct sla_rules r, int64_t due)
{
	struct sla_clock *c = &t->clock[SLA_LADDER];
	const struct sla_budget *b = &r.policy->budget[t->priority];
	int step = ++c->fired;

	t->level = t->level > step + 1 ? t->level : step + 1;
	c->run_count = 0;
	c->carry_us = 0;
	if (step == SLA_LADDER_STEPS) {
		c->state = CLOCK_STOPPED;
		c->stopped_at = due;
		return;
	}
	if (b->ladder_s[step])
		c->budget_s = b->ladder_s[step];
	run_open(t, r, SLA_LADDER, due);
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
			start_resolution(t, r, at, c->origin_seq);
		start_ladder(t, r, at, c->origin_seq);
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

/* --- events --- */

static void on_created(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	start(t, r, SLA_RESPONSE, e->at, e->seq);
	if (r.policy->resolution_from == SLA_FROM_CREATED)
		start(t, r, SLA_RESOLUTION, e->at, e->seq);
	else
		schedule_resolution(t, r, e->seq);
}

static void on_responded(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	int64_t at = e->reckon_at == INSTANT_NONE ? e->at : e->reckon_at;
	struct sla_clock *response = &t->clock[SLA_RESPONSE], *update = &t->clock[SLA_UPDATE];

	if (is_live(response)) {
		if (at < e->at && response->breached_at != INSTANT_NONE &&
			at <= response->breached_at)
			response->contested = true;
		response->self_reported = e->reckon_at != INSTANT_NONE;
		stop(response, at);
	}
	t->first_response_done = true;
	/* A contact recorded late moves no start: resolution begins where it is already known to
	 * have begun. */
	start_resolution(t, r, at, e->seq);
	if (update->state == CLOCK_NONE || is_live(update)) {
		update->missed = 0;
		start(t, r, SLA_UPDATE, at, e->seq);
	}
}

static void on_progress(struct sla_ticket *t, struct sla_rules r, int64_t at)
{
	struct sla_clock *c = &t->clock[SLA_LADDER];

	if (c->state != CLOCK_RUNNING && c->state != CLOCK_PAUSED)
		return;
	c->run_count = 0;
	c->carry_us = 0;
	c->start_at = at;
	if (c->state == CLOCK_RUNNING)
		run_open(t, r, SLA_LADDER, at);
}

static void on_priority(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	for (int k = 0; k < SLA_LADDER; k++) {
		struct sla_clock *c = &t->clock[k];
		int32_t budget = budget_of(t, r, (enum sla_clock_kind)k);
		int64_t due;

		if (!is_live(c) || !budget)
			continue;
		c->budget_s = budget;
		reckon(c, e->seq);
		if (r.policy->breach_follows_priority)
			c->breached_at = INSTANT_NONE;
		if (r.policy->upgrade_reckons_from_change && c->state == CLOCK_RUNNING) {
			c->run_count = 0;
			c->carry_us = 0;
			run_open(t, r, (enum sla_clock_kind)k, e->at);
		}
		due = sla_due(t, r, (enum sla_clock_kind)k);
		if (due != INSTANT_NONE && due < e->at && c->breached_at == INSTANT_NONE)
			c->by_priority = true;
	}
	if (t->clock[SLA_RESOLUTION].state == CLOCK_SCHEDULED)
		schedule_resolution(t, r, e->seq);
}

/* Stop a clock for a reason other than a reply: resolving counts as the first response if there was
 * none. */
static void on_resolved(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	if (!t->first_response_done)
		stop(&t->clock[SLA_RESPONSE], e->at);
	t->first_response_done = true;
	start_resolution(t, r, e->at, e->seq);
	if (r.policy->resolution_until != SLA_UNTIL_CLOSED)
		stop(&t->clock[SLA_RESOLUTION], e->at);
	stop(&t->clock[SLA_UPDATE], e->at);
	stop(&t->clock[SLA_LADDER], e->at);
	t->last_stop_at = e->at;
}

static void on_closed(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	if (r.policy->resolution_until == SLA_UNTIL_CLOSED)
		stop(&t->clock[SLA_RESOLUTION], e->at);
	for (int k = 0; k < SLA_CLOCKS; k++)
		end(&t->clock[k], e->at);
	if (t->last_stop_at == INSTANT_NONE)
		t->last_stop_at = e->at;
}

static void on_reopened(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	struct sla_clock *c = &t->clock[SLA_RESOLUTION];

	t->clock[SLA_LADDER].state = CLOCK_NONE;
	if (t->last_stop_at != INSTANT_NONE &&
		e->at - t->last_stop_at > r.policy->reopen_window_us) {
		t->cycle++;
		t->first_response_done = false;
		for (int k = 0; k < SLA_CLOCKS; k++)
			t->clock[k].state = CLOCK_NONE;
		t->clock[SLA_UPDATE].missed = 0;
		on_created(t, r, e);
		return;
	}
	go_on(t, r, SLA_RESOLUTION, e->at);
	if (is_live(c))
		reckon(c, e->seq);
	t->clock[SLA_UPDATE].missed = 0;
	start(t, r, SLA_UPDATE, e->at, e->seq);
	start_ladder(t, r, e->at, e->seq);
}

/* Only a contested contact can be accepted. Accepting it lifts the breach before it. */
static void on_contact_accepted(struct sla_ticket *t)
{
	struct sla_clock *c = &t->clock[SLA_RESPONSE];

	if (!c->contested)
		return;
	c->contested = false;
	if (c->state == CLOCK_STOPPED && c->breached_at != INSTANT_NONE &&
		c->stopped_at <= c->breached_at)
		c->breached_at = INSTANT_NONE;
}

/* Keep the windows sorted and disjoint. Returns false if there are too many. */
static bool add_window(struct sla_ticket *t, struct sla_run w)
{
	int n = 0, at = 0;

	for (int i = 0; i < t->window_count; i++) {
		if (t->window[i].to < w.from || t->window[i].from > w.to) {
			t->window[n++] = t->window[i];
			continue;
		}
		w.from = t->window[i].from < w.from ? t->window[i].from : w.from;
		w.to = t->window[i].to > w.to ? t->window[i].to : w.to;
	}
	t->window_count = n;
	if (n == SLA_WINDOWS_MAX)
		return false;
	while (at < n && t->window[at].from < w.from)
		at++;
	memmove(&t->window[at + 1], &t->window[at], (size_t)(n - at) * sizeof(w));
	t->window[at] = w;
	t->window_count++;
	return true;
}

/* Fired thresholds stay fired, later ones move. A stopped clock keeps its verdict. */
static void on_window(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	struct sla_run w = { e->from, e->to };

	if (!add_window(t, w))
		return;
	for (int k = 0; k < SLA_LADDER; k++)
		if (is_live(&t->clock[k]))
			cut_runs(&t->clock[k], calendar_of(t, r, (enum sla_clock_kind)k), w);
	if (t->clock[SLA_RESOLUTION].state == CLOCK_SCHEDULED)
		schedule_resolution(t, r, t->clock[SLA_RESOLUTION].origin_seq);
}

void sla_apply(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	t->state = e->state;
	t->priority = e->priority;
	for (int k = 0; k < SLA_CLOCKS; k++)
		set_paused(t, r, (enum sla_clock_kind)k, e->at);
	switch (e->type) {
	case SLA_CREATED:
		on_created(t, r, e);
		break;
	case SLA_ACCEPTED:
		start_ladder(t, r, e->at, e->seq);
		break;
	case SLA_CONFIRMED:
		start_resolution(t, r, e->at, e->seq);
		start_ladder(t, r, e->at, e->seq);
		break;
	case SLA_RESPONDED:
		on_responded(t, r, e);
		start_ladder(t, r, e->at, e->seq);
		on_progress(t, r, e->at);
		break;
	case SLA_PROGRESS:
		on_progress(t, r, e->at);
		break;
	case SLA_STATE:
		break;
	case SLA_PRIORITY:
		on_priority(t, r, e);
		break;
	case SLA_MITIGATED:
		on_responded(t, r, e);
		if (r.policy->resolution_until == SLA_UNTIL_MITIGATED) {
			stop(&t->clock[SLA_RESOLUTION], e->at);
			stop(&t->clock[SLA_LADDER], e->at);
			t->last_stop_at = e->at;
		}
		break;
	case SLA_REWORK:
		go_on(t, r, SLA_RESOLUTION, e->at);
		go_on(t, r, SLA_LADDER, e->at);
		break;
	case SLA_RESOLVED:
		on_resolved(t, r, e);
		break;
	case SLA_CLOSED:
		on_closed(t, r, e);
		break;
	case SLA_ENDED:
		for (int k = 0; k < SLA_CLOCKS; k++)
			end(&t->clock[k], e->at);
		break;
	case SLA_REOPENED:
		on_reopened(t, r, e);
		break;
	case SLA_CONTACT_ACCEPTED:
		on_contact_accepted(t);
		break;
	case SLA_CONTACT_DISPUTED:
		t->clock[SLA_RESPONSE].contested |= t->clock[SLA_RESPONSE].self_reported;
		break;
	case SLA_WAIVED:
		t->clock[e->clock].waived |= t->clock[e->clock].breached_at != INSTANT_NONE;
		break;
	case SLA_REBOUND:
		on_priority(t, r, e);
		break;
	case SLA_WINDOW:
		on_window(t, r, e);
		break;
	}
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
