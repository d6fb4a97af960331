/* SPDX-License-Identifier: Apache-2.0
 * The SLA clocks of one ticket as a fold over its events (sla.md 3 and 4): the same events, policy
 * and calendar always give the same clocks. Pure: the caller passes the time. The daemon, the
 * importer, verify, explain and replay all call these functions. */
#ifndef SLADESK_SLA_CLOCK_H
#define SLADESK_SLA_CLOCK_H

#include "base/clock.h"
#include "sla/calendar.h"
#include "sla/policy.h"

enum sla_clock_state {
	CLOCK_NONE,
	CLOCK_SCHEDULED,
	CLOCK_RUNNING,
	CLOCK_PAUSED,
	CLOCK_STOPPED,
	CLOCK_ENDED
};

struct sla_run {
	int64_t from, to;
};

/* Stretches of time, sorted and disjoint; the last may still be open (to = INSTANT_NONE). */
struct sla_runs {
	struct sla_run *at;
	int32_t n, room;
};
/* Append the stretch [FROM, TO), which begins at the end of the last one or later. */
void sla_runs_add(struct sla_runs *runs, int64_t from, int64_t to);

/* Number of stretches that a clock keeps. If a clock was paused more often, only the total length
 * of the oldest stretches is kept (carry_us), so that the size of a ticket is limited. */
#define SLA_RUNS_MAX 1500

struct sla_clock {
	enum sla_clock_state state;
	int32_t cycle;
	int32_t budget_s;
	int64_t origin_seq; /* seq of the event that began this reckoning */
	int64_t start_at;   /* where consumption began (scheduled: where it will begin) */
	int64_t stopped_at;
	int64_t breached_at; /* due passed while the clock ran, in this cycle */
	int64_t carry_us;    /* consumed before the first of the runs */
	int32_t fired;    /* bit i: threshold i of the policy fired in this reckoning (ladder: steps
			     taken) */
	int32_t high;     /* rank + 1 of the highest threshold fired in the cycle, by instant */
	int32_t missed;   /* update, aws: number of periods missed in a row */
	bool by_priority; /* a priority change caused the breach */
	bool self_reported;   /* stopped by a contact that its author recorded */
	bool contested;       /* the contact was recorded after due, or the customer disputes it */
	bool waived;          /* a supervisor lifted the breach; the reason is stored with it */
	struct sla_runs runs; /* the stretches during which it ran */
};

/* One fire: threshold RANK of CLOCK was due at DUE_AT and is recorded now. */
struct sla_fire {
	enum sla_clock_kind clock;
	int32_t rank; /* index into the policy's thresholds; ladder: step */
	char key[8];
	int64_t due_at, origin_seq;
	int32_t cycle;
	int32_t budget_s; /* at the fire; a priority change replaces the clock's */
	int32_t periods;  /* update: the missed periods that it stands for; else 1 */
	bool again;       /* aws: the check before it was missed, too */
	bool more;  /* these periods are added to the row of an earlier fire with this origin_seq */
	bool alert; /* false: recorded late, and merged into or surpassed by a higher alert */
	bool by_priority;
};

/* In an update clock's fired: this reckoning has the fire that stands for all later misses. */
#define SLA_FIRED_REST (1 << 16)
/* Missed update periods in a row that have a fire each; one fire stands for all the later ones. */
#define SLA_MISSES_APART 99
/* Checks of an AWS case that nobody made and that fire, one after the other. Then the clock waits
 * for somebody: a case that nobody looks at is not told again and again. */
#define SLA_AWS_MISSES 2
/* The highest number of fires that one settle can give. */
#define SLA_FIRES_MAX                                                                              \
	(SLA_MISSES_APART + 1 + SLA_LADDER * SLA_THRESHOLDS_MAX + SLA_LADDER_STEPS + SLA_AWS_MISSES)

enum sla_event_type {
	SLA_CREATED,
	SLA_ACCEPTED,
	SLA_CONFIRMED,
	SLA_RESPONDED, /* public staff reply or contact; for a contact, reckon_at <= at */
	SLA_PROGRESS,  /* internal note or state change by the owner */
	SLA_STATE,     /* only the ticket's state has changed */
	SLA_PRIORITY,
	SLA_MITIGATED,
	SLA_REWORK,
	SLA_RESOLVED,
	SLA_CLOSED,
	SLA_ENDED, /* cancelled or merged */
	SLA_REOPENED,
	SLA_CONTACT_ACCEPTED, /* a contested contact is accepted */
	SLA_CONTACT_DISPUTED, /* the customer disputes the contact */
	SLA_WAIVED,           /* the breach of CLOCK is waived */
	SLA_REBOUND, /* another version of policy or calendar; the caller passes it as the rules */
	SLA_WINDOW,  /* the time from FROM to TO is excluded by contract */
	SLA_LIVE,    /* an imported ticket goes live: everything stood still from FROM to TO */
};

/* The rules that an event was applied by. They have changed; so that a replay is exact, each event
 * says by which (SLA_LAW in its data), and is replayed by the same. An event without one was
 * written by a version that did not say it: under the second law, or the first. */
enum sla_law {
	SLA_LAW_PRESENT, /* whichever is the newest */
	SLA_LAW_FIRST,
	SLA_LAW_LADDER, /* the ladder follows the priority; a late contact moves no start back */
	SLA_LAW_AWS,    /* AWS has a clock of its own */
	SLA_LAW_REOPEN, /* what has fired before a reopening within the window does not fire again;
			   the ladder of an imported ticket stands still, too */
	SLA_LAW_NEXT,
	SLA_LAW = SLA_LAW_NEXT - 1
};

/* Maximum number of excluded windows of a ticket. Overlapping windows count as one. */
#define SLA_WINDOWS_MAX 500

struct sla_event {
	enum sla_event_type type;
	int64_t at, seq;
	int64_t reckon_at;         /* SLA_RESPONDED by contact, SLA_CREATED and SLA_RESOLVED by a
				      system that leads the ticket; else INSTANT_NONE */
	enum ticket_state state;   /* the ticket's state after the event */
	enum priority priority;    /* after the event */
	enum sla_clock_kind clock; /* SLA_WAIVED */
	int64_t from, to;          /* SLA_WINDOW */
	enum sla_law law;
};

struct sla_ticket {
	enum ticket_state state;
	enum priority priority;
	int32_t cycle;
	int32_t level;        /* level reached: 1 to SLA_LEVEL_STAFF_MAX, then AWS Support */
	int64_t last_stop_at; /* of resolution, mitigation or closing; for the reopen window */
	bool first_response_done;
	enum sla_law unnamed_law; /* replay: of the events that name none */
	struct sla_runs windows;  /* windows excluded by contract */
	struct sla_clock clock[SLA_CLOCKS];
};

struct sla_rules {
	const struct sla_policy *policy;
	const struct calendar *calendar;
};

/* Set T to a new ticket without clocks. T must not own memory: it is uninitialised, or was
 * freed. */
void sla_ticket_init(struct sla_ticket *t);
/* Free the memory of T, which may be zero. T can be initialised again. */
void sla_ticket_free(struct sla_ticket *t);
/* Copy FROM into TO, which must not own memory. Free the copy with sla_ticket_free. */
void sla_ticket_copy(struct sla_ticket *to, const struct sla_ticket *from);
/* Copy FROM into TO, which must not own memory. Free the copy with sla_clock_free. */
void sla_clock_copy(struct sla_clock *to, const struct sla_clock *from);
/* Release the runs that the clock holds. */
void sla_clock_free(struct sla_clock *c);
/* Do the two clocks have the same value in every stored field? */
bool sla_clock_same(const struct sla_clock *a, const struct sla_clock *b);
/* Record every unfired instant <= NOW, in order of instant. The state changes that follow (missed
 * update periods, resolution starting at response due, ladder steps) happen on the way. At most MAX
 * fires are written to OUT; returns their number. Call again while it returns MAX. However late it
 * is called, there are at most SLA_FIRES_MAX fires. */
size_t sla_settle(
	struct sla_ticket *t, struct sla_rules r, int64_t now, struct sla_fire *out, size_t max);
/* Let only the highest of the N fires of one settle alert for each clock. Returns how many still
 * alert. */
size_t sla_merge_alerts(struct sla_fire *fires, size_t n);
/* Apply one event. Call sla_settle(e->at) first. */
void sla_apply(struct sla_ticket *t, struct sla_rules r, const struct sla_event *e);

/* The instant of threshold RANK, or INSTANT_NONE if it will not come (paused, stopped, left out).
 * Works for fired thresholds too. */
int64_t sla_threshold_at(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int rank);
/* The due instant of a clock, where consumed = budget. INSTANT_NONE while it is paused or has no
 * budget. */
int64_t sla_due(const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k);
/* The next unfired instant of a clock and, optionally, its rank. INSTANT_NONE if there is none. */
int64_t sla_next_fire(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int *out_rank);
/* Working time consumed in the current cycle up to NOW. */
int64_t sla_consumed_us(
	const struct sla_ticket *t, struct sla_rules r, enum sla_clock_kind k, int64_t now);

/* Waived counts as met and is always shown as waived. */
enum sla_verdict { SLA_OPEN, SLA_MET, SLA_BREACHED, SLA_NO_VERDICT, SLA_IS_WAIVED };
/* The verdict on the promise (sla.md 5): none, open, met, breached or waived. */
enum sla_verdict sla_verdict(const struct sla_clock *c);
/* The verdict's name in the database and the API. */
const char *sla_verdict_name(enum sla_verdict v);
/* The state's name in the database and the API. */
const char *sla_clock_state_name(enum sla_clock_state s);
/* The state with this name; the number of states if there is none. */
enum sla_clock_state sla_clock_state_parse(struct str s);

#endif
