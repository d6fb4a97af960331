/* SPDX-License-Identifier: Apache-2.0
 * What the files of the clocks share. */
#ifndef SLADESK_SLA_CLOCK_INNER_H
#define SLADESK_SLA_CLOCK_INNER_H

#include "sla/clock.h"

/* --- clock.c --- */

/* The calendar that applies to clock K of T. */
const struct calendar *clock_calendar(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k);
/* Does the ticket's state pause clock K? */
bool clock_pauses(const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k);
/* The budget of clock K under the ticket's priority; 0: the policy gives it none. */
int32_t clock_budget(const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k);
/* Scheduled, running or paused. */
bool clock_is_live(const struct sla_clock *c);

/* Begin a new reckoning with the event SEQ: no threshold has fired in it. */
void clock_reckon(struct sla_clock *c, int64_t seq);
/* Start clock K at AT: paused if the ticket's state pauses it, not at all without a budget. */
void clock_start(
	struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at, int64_t seq);
/* Restart a live clock at AT, an instant of the past since its start: since then it ran and paused
 * as it did. */
void clock_restart(
	struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at, int64_t seq);
/* Until response due, resolution waits for its start; its instants are already known. */
void clock_schedule_resolution(struct sla_ticket *t, struct sla_rules r, int64_t seq);
/* Start resolution at AT, unless it has started. */
void clock_start_resolution(struct sla_ticket *t, struct sla_rules r, int64_t at, int64_t seq);
/* Start the ladder at AT, unless it has started. */
void clock_start_ladder(struct sla_ticket *t, struct sla_rules r, int64_t at, int64_t seq);
/* Stop a live clock: it has its verdict. */
void clock_stop(struct sla_clock *c, int64_t at);
/* End a live clock without a verdict, if it is not due yet. */
void clock_end(struct sla_clock *c, int64_t at);
/* Pause or resume clock K at AT, as the ticket's state requires. */
void clock_follow_state(
	struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at);
/* Restart a stopped or ended clock where it was; the time in between is not consumed. */
void clock_go_on(struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at);

/* --- runs.c --- */

/* Clock K runs from AT on, except for the excluded windows. */
void clock_run_from(struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t at);
/* From AT on, the clock did not run (or would not have run). */
void clock_run_until(struct sla_clock *c, int64_t at);
/* Remove WINDOWS from what was consumed: stretches that touch one end before it or begin after
 * it. */
void clock_cut(struct sla_clock *c, const struct calendar *cal, const struct sla_runs *windows);
/* Nothing has been consumed yet. */
void clock_forget_runs(struct sla_clock *c);
/* Working time consumed up to NOW. */
int64_t clock_consumed(const struct sla_clock *c, const struct calendar *cal, int64_t now);
/* The earliest instant at which NEED_US has been consumed; INSTANT_NONE if the present runs never
 * reach it. */
int64_t clock_instant(const struct sla_clock *c, const struct calendar *cal, int64_t need_us);

#endif
