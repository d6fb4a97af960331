/* SPDX-License-Identifier: Apache-2.0
 * What each event does to the clocks (sla.md 3). */
#include "clock_inner.h"

/* Was E applied by the law LAW, or a later one? */
static bool is_under(const struct sla_event *e, enum sla_law law)
{
	return e->law == SLA_LAW_PRESENT || e->law >= law;
}

/* The instant that E is reckoned at: when it happened, where that is known to be earlier. */
static int64_t reckoned_at(const struct sla_event *e)
{
	return e->reckon_at == INSTANT_NONE ? e->at : e->reckon_at;
}

static void on_created(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	int64_t at = reckoned_at(e);

	clock_start(t, r, SLA_RESPONSE, at, e->seq);
	if (r.policy->resolution_from == SLA_FROM_CREATED)
		clock_start(t, r, SLA_RESOLUTION, at, e->seq);
	else
		clock_schedule_resolution(t, r, e->seq);
}

static void on_responded(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	int64_t at = reckoned_at(e);
	struct sla_clock *response = &t->clock[SLA_RESPONSE], *update = &t->clock[SLA_UPDATE];

	if (clock_is_live(response)) {
		if (at < e->at && response->breached_at != INSTANT_NONE &&
			at <= response->breached_at)
			response->contested = true;
		response->self_reported = e->reckon_at != INSTANT_NONE;
		clock_stop(response, at);
	}
	t->first_response_done = true;
	/* A contact recorded late moves no start: resolution begins where it is already known to
	 * have begun. */
	clock_start_resolution(t, r, at, e->seq);
	if (update->state == CLOCK_NONE ||
		(clock_is_live(update) && (at == e->at || !is_under(e, SLA_LAW_LADDER)))) {
		update->missed = 0;
		clock_start(t, r, SLA_UPDATE, at, e->seq);
	} else if (clock_is_live(update) && at >= update->start_at) {
		update->missed = 0;
		clock_restart(t, r, SLA_UPDATE, at, e->seq);
	} /* a contact before a later reply or a period already missed moves no start back */
}

static void on_progress(struct sla_ticket *t, struct sla_rules r, int64_t at)
{
	struct sla_clock *c = &t->clock[SLA_LADDER];

	if (c->state != CLOCK_RUNNING && c->state != CLOCK_PAUSED)
		return;
	clock_forget_runs(c);
	c->start_at = at;
	if (c->state == CLOCK_RUNNING)
		clock_run_from(t, r, SLA_LADDER, at);
}

/* A priority without a ladder ends it. One with a ladder begins it if it would run by now: an
 * engineer has accepted the ticket, or its response was due. */
static void ladder_on_priority(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	struct sla_clock *ladder = &t->clock[SLA_LADDER], *response = &t->clock[SLA_RESPONSE];

	if (!clock_budget(t, r, SLA_LADDER)) {
		clock_end(ladder, e->at);
		return;
	}
	if (ladder->state == CLOCK_ENDED)
		ladder->state = CLOCK_NONE;
	if (t->clock[SLA_RESOLUTION].state == CLOCK_STOPPED)
		return; /* the ladder stops with it */
	if (t->state != TICKET_NEW || response->state == CLOCK_STOPPED ||
		response->breached_at != INSTANT_NONE)
		clock_start_ladder(t, r, e->at, e->seq);
}

static void on_priority(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	for (int k = 0; k < SLA_LADDER; k++) {
		struct sla_clock *c = &t->clock[k];
		int32_t budget = clock_budget(t, r, (enum sla_clock_kind)k);
		int64_t due;

		if (!clock_is_live(c) || !budget)
			continue;
		c->budget_s = budget;
		clock_reckon(c, e->seq);
		if (r.policy->breach_follows_priority)
			c->breached_at = INSTANT_NONE;
		if (r.policy->upgrade_reckons_from_change && c->state == CLOCK_RUNNING) {
			clock_forget_runs(c);
			clock_run_from(t, r, (enum sla_clock_kind)k, e->at);
		}
		due = sla_due(t, r, (enum sla_clock_kind)k);
		if (due != INSTANT_NONE && due < e->at && c->breached_at == INSTANT_NONE)
			c->by_priority = true;
	}
	if (t->clock[SLA_RESOLUTION].state == CLOCK_SCHEDULED)
		clock_schedule_resolution(t, r, e->seq);
	if (is_under(e, SLA_LAW_LADDER))
		ladder_on_priority(t, r, e);
}

/* Stop a clock at AT. If it was found breached since, because nobody here knew of it, it was not.
 */
static void stop_as_told(struct sla_clock *c, int64_t at)
{
	if (!clock_is_live(c))
		return;
	clock_stop(c, at);
	if (c->breached_at != INSTANT_NONE && at < c->breached_at)
		c->breached_at = INSTANT_NONE;
}

/* Stop a clock for a reason other than a reply: resolving counts as the first response if there was
 * none. */
static void on_resolved(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	int64_t at = reckoned_at(e);

	if (!t->first_response_done)
		stop_as_told(&t->clock[SLA_RESPONSE], at);
	t->first_response_done = true;
	clock_start_resolution(t, r, at, e->seq);
	if (r.policy->resolution_until != SLA_UNTIL_CLOSED)
		stop_as_told(&t->clock[SLA_RESOLUTION], at);
	stop_as_told(&t->clock[SLA_UPDATE], at);
	clock_stop(&t->clock[SLA_LADDER], at);
	t->last_stop_at = at;
}

static void on_closed(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	if (r.policy->resolution_until == SLA_UNTIL_CLOSED)
		clock_stop(&t->clock[SLA_RESOLUTION], e->at);
	for (int k = 0; k < SLA_CLOCKS; k++)
		clock_end(&t->clock[k], e->at);
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
	clock_go_on(t, r, SLA_RESOLUTION, e->at);
	if (clock_is_live(c)) {
		/* it goes on in the same cycle: what has fired in it is known, and is not carried
		 * out again */
		int32_t fired = is_under(e, SLA_LAW_REOPEN) ? c->fired : 0;

		clock_reckon(c, e->seq);
		c->fired = fired;
	}
	t->clock[SLA_UPDATE].missed = 0;
	clock_start(t, r, SLA_UPDATE, e->at, e->seq);
	clock_start_ladder(t, r, e->at, e->seq);
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

/* Keep the windows sorted and disjoint. */
static void add_window(struct sla_ticket *t, struct sla_run w)
{
	struct sla_runs *all = &t->windows;
	int32_t n = 0, at = 0;

	for (int32_t i = 0; i < all->n; i++) {
		if (all->at[i].to < w.from || all->at[i].from > w.to) {
			all->at[n++] = all->at[i];
			continue;
		}
		w.from = all->at[i].from < w.from ? all->at[i].from : w.from;
		w.to = all->at[i].to > w.to ? all->at[i].to : w.to;
	}
	all->n = n;
	sla_runs_add(all, w.from, w.to); /* make room; its place is found below */
	while (at < n && all->at[at].from < w.from)
		at++;
	memmove(&all->at[at + 1], &all->at[at], (size_t)(n - at) * sizeof(w));
	all->at[at] = w;
}

/* Fired thresholds stay fired, later ones move. A stopped clock keeps its verdict. */
static void on_window(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	add_window(t, (struct sla_run){ e->from, e->to });
	for (int k = 0; k < SLA_CLOCKS; k++)
		if (clock_is_live(&t->clock[k]) && k != SLA_LADDER)
			clock_cut(&t->clock[k], clock_calendar(t, r, (enum sla_clock_kind)k),
				&t->windows);
	if (t->clock[SLA_RESOLUTION].state == CLOCK_SCHEDULED)
		clock_schedule_resolution(t, r, t->clock[SLA_RESOLUTION].origin_seq);
}

/* No contract stops the ladder, but nobody was here to climb it either. */
static void on_live(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	struct sla_run stood = { e->from, e->to };

	on_window(t, r, e);
	if (clock_is_live(&t->clock[SLA_LADDER]) && is_under(e, SLA_LAW_REOPEN))
		clock_cut(&t->clock[SLA_LADDER], clock_calendar(t, r, SLA_LADDER),
			&(struct sla_runs){ .at = &stood, .n = 1 });
}

/* While the ticket waits for AWS, somebody looks at the case by the due instant of AWS's clock.
 * Each progress is such a look, and begins a period. */
static void follow_aws(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	struct sla_clock *c = &t->clock[SLA_AWS];
	bool live = clock_is_live(c);

	if (t->state != TICKET_PENDING_AWS) {
		clock_stop(c, e->at);
	} else if (!live || e->type == SLA_RESPONDED || e->type == SLA_PROGRESS) {
		if (live || is_under(e, SLA_LAW_AWS))
			clock_start(t, r, SLA_AWS, e->at, e->seq);
	} else if (e->type == SLA_PRIORITY || e->type == SLA_REBOUND) {
		c->budget_s = clock_budget(t, r, SLA_AWS);
		clock_reckon(c, e->seq);
		if (!c->budget_s)
			clock_end(c, e->at);
	}
}

void sla_apply(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e)
{
	t->state = e->state;
	t->priority = e->priority;
	for (int k = 0; k < SLA_CLOCKS; k++)
		clock_follow_state(t, r, (enum sla_clock_kind)k, e->at);
	switch (e->type) {
	case SLA_CREATED:
		on_created(t, r, e);
		break;
	case SLA_ACCEPTED:
		clock_start_ladder(t, r, e->at, e->seq);
		break;
	case SLA_CONFIRMED:
		clock_start_resolution(t, r, e->at, e->seq);
		clock_start_ladder(t, r, e->at, e->seq);
		break;
	case SLA_RESPONDED:
		on_responded(t, r, e);
		clock_start_ladder(t, r, e->at, e->seq);
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
			clock_stop(&t->clock[SLA_RESOLUTION], e->at);
			clock_stop(&t->clock[SLA_LADDER], e->at);
			t->last_stop_at = e->at;
		}
		break;
	case SLA_REWORK:
		clock_go_on(t, r, SLA_RESOLUTION, e->at);
		if (clock_budget(t, r, SLA_LADDER) || !is_under(e, SLA_LAW_LADDER))
			clock_go_on(t, r, SLA_LADDER, e->at);
		break;
	case SLA_RESOLVED:
		on_resolved(t, r, e);
		break;
	case SLA_CLOSED:
		on_closed(t, r, e);
		break;
	case SLA_ENDED:
		for (int k = 0; k < SLA_CLOCKS; k++)
			clock_end(&t->clock[k], e->at);
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
	case SLA_LIVE:
		on_live(t, r, e);
		break;
	}
	follow_aws(t, r, e);
}
