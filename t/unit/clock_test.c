/* SPDX-License-Identifier: Apache-2.0
 * The clocks, case by case from sla.md 3 and 4; then the property that the result never depends on
 * when a timer ran. */
#include "unit.h"
#include "zones.h"
#include "sla/clock.h"

#define M (60 * US_PER_S)
#define H (3600 * US_PER_S)
#define STANDARD_WITH                                                                              \
	"{\"priorities\":{\"P0\":{\"response_s\":900,\"resolution_s\":7200,\"update_s\":900,"      \
	"\"ladder_s\":[1800,3600,7200]},\"P1\":{\"response_s\":1800,"                              \
	"\"resolution_s\":14400,\"update_s\":1800,\"ladder_s\":[1800,3600,7200]},\"P2\":{"         \
	"\"response_s\":7200,\"resolution_s\":28800,\"update_s\":7200},"                           \
	"\"P3\":{\"response_s\":14400,\"resolution_s\":86400,\"update_s\":14400}},\"thresholds\":" \
	"[\"80\",\"-30m\",\"90\",\"95\",\"100\"]"
#define STANDARD STANDARD_WITH "}"
#define LADDER_ALONE STANDARD_WITH ",\"escalate_at\":[]}" /* no threshold raises the level */

static struct sla_policy policy;
static struct calendar *always;
static struct sla_ticket t;
static int64_t T0 = 1767607200000000LL; /* 2026-01-05T10:00:00Z */
static struct sla_fire fires[256];
static size_t fired;

static struct sla_rules rules(void)
{
	return (struct sla_rules){ &policy, always };
}

static void settle(int64_t now)
{
	size_t n = sla_settle(&t, rules(), now, fires + fired, ARRAY_LEN(fires) - fired);

	sla_merge_alerts(fires + fired, n);
	fired += n;
}

static void event(enum sla_event_type type, int64_t when, int64_t seq, enum ticket_state state,
	enum priority p)
{
	settle(when);
	sla_apply(&t, rules(), &(struct sla_event){ type, when, seq, INSTANT_NONE, state, p });
	settle(when);
}

static void begin(const char *doc, enum priority p)
{
	const char *error = "";
	struct json_error err;
	struct json_object *o = json_read(doc, strlen(doc), &err);

	if (!sla_policy_read(o, &policy, &error))
		fprintf(stderr, "%s\n", error);
	json_object_put(o);
	if (!always)
		always = calendar_always();
	fired = 0;
	sla_ticket_free(&t);
	sla_ticket_init(&t);
	event(SLA_CREATED, T0, 1, TICKET_NEW, p);
}

static const struct sla_fire *find(enum sla_clock_kind k, const char *key)
{
	for (size_t i = 0; i < fired; i++)
		if (fires[i].clock == k && strcmp(fires[i].key, key) == 0)
			return &fires[i];
	return NULL;
}

static void p0_thresholds(void)
{
	begin(STANDARD, P0);
	CU_ASSERT_EQUAL(sla_due(&t, rules(), SLA_RESPONSE), T0 + 15 * M);
	CU_ASSERT_EQUAL(t.clock[SLA_RESOLUTION].state, CLOCK_SCHEDULED);
	CU_ASSERT_EQUAL(sla_due(&t, rules(), SLA_RESOLUTION), T0 + 15 * M + 2 * H);
	for (int64_t now = T0; now <= T0 + 20 * M; now += US_PER_S)
		settle(now);
	CU_ASSERT_PTR_NULL(find(SLA_RESPONSE, "-30m")); /* before the start */
	CU_ASSERT_EQUAL(find(SLA_RESPONSE, "80")->due_at, T0 + 12 * M);
	CU_ASSERT_EQUAL(find(SLA_RESPONSE, "90")->due_at, T0 + 810 * US_PER_S);
	CU_ASSERT_EQUAL(find(SLA_RESPONSE, "95")->due_at, T0 + 855 * US_PER_S);
	CU_ASSERT_EQUAL(find(SLA_RESPONSE, "100")->due_at, T0 + 15 * M);
	CU_ASSERT(find(SLA_RESPONSE, "80")->alert && find(SLA_RESPONSE, "100")->alert);
	CU_ASSERT_EQUAL(t.clock[SLA_RESOLUTION].state, CLOCK_RUNNING); /* started at response due */
	CU_ASSERT_EQUAL(t.clock[SLA_RESOLUTION].start_at, T0 + 15 * M);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESPONSE]), SLA_BREACHED);
	event(SLA_RESPONDED, T0 + 20 * M, 9, TICKET_ACCEPTED, P0);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESPONSE]), SLA_BREACHED); /* a breach remains */
}

/* Of clock K, each threshold is told when it comes, in whatever order they
 * come; what a new reckoning finds past and told is not told again. */
static void each_is_told_once(enum sla_clock_kind k, enum priority p)
{
	size_t alerts = 0, again = 0, before;

	begin(STANDARD, p);
	if (k == SLA_RESOLUTION)
		event(SLA_RESPONDED, T0 + M, 2, TICKET_ACCEPTED, p);
	for (int64_t now = T0 + M; now <= sla_due(&t, rules(), k) - M; now += M)
		settle(now);
	before = fired;
	for (size_t i = 0; i < fired; i++) {
		alerts += fires[i].clock == k && fires[i].alert;
		CU_ASSERT(fires[i].clock != k || fires[i].alert);
	}
	CU_ASSERT(alerts >= 2);
	event(SLA_REBOUND, sla_due(&t, rules(), k) - M + US_PER_S, 3, t.state, p);
	for (size_t i = before; i < fired; i++)
		again += fires[i].clock == k && fires[i].alert;
	CU_ASSERT(fired > before);
	CU_ASSERT_EQUAL(again, 0);
}

static void each_threshold_is_told_once(void)
{
	for (int p = P0; p <= P3; p++) {
		each_is_told_once(SLA_RESPONSE, (enum priority)p);
		each_is_told_once(SLA_RESOLUTION, (enum priority)p);
	}
}

static void late_settle_merges(void)
{
	size_t alerts = 0;

	begin(STANDARD, P0);
	settle(T0 + 30 * M); /* one look, long afterwards */
	for (size_t i = 0; i < fired; i++)
		alerts += fires[i].clock == SLA_RESPONSE && fires[i].alert;
	CU_ASSERT_EQUAL(alerts, 1);
	CU_ASSERT(find(SLA_RESPONSE, "100")->alert);
	CU_ASSERT_FALSE(find(SLA_RESPONSE, "80")->alert);
	CU_ASSERT_EQUAL(find(SLA_RESPONSE, "80")->due_at, T0 + 12 * M);
}

static void response_then_resolution(void)
{
	begin(STANDARD, P2);
	event(SLA_ACCEPTED, T0 + 5 * M, 2, TICKET_ACCEPTED, P2);
	CU_ASSERT_EQUAL(t.clock[SLA_RESPONSE].state,
		CLOCK_RUNNING); /* accept does not count as a response */
	event(SLA_RESPONDED, T0 + 10 * M, 3, TICKET_ACCEPTED, P2);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESPONSE]), SLA_MET);
	CU_ASSERT_EQUAL(t.clock[SLA_RESOLUTION].start_at, T0 + 10 * M);
	CU_ASSERT_EQUAL(sla_due(&t, rules(), SLA_UPDATE), T0 + 10 * M + 2 * H);
	event(SLA_STATE, T0 + 20 * M, 4, TICKET_PENDING_CUSTOMER, P2);
	CU_ASSERT_EQUAL(sla_due(&t, rules(), SLA_RESOLUTION), INSTANT_NONE);
	settle(T0 + 48 * H); /* nothing fires during the pause */
	CU_ASSERT_EQUAL(fired, 0);
	event(SLA_STATE, T0 + 48 * H, 5, TICKET_IN_PROGRESS, P2);
	CU_ASSERT_EQUAL(sla_due(&t, rules(), SLA_RESOLUTION), T0 + 48 * H + 8 * H - 10 * M);
	CU_ASSERT_EQUAL(sla_consumed_us(&t, rules(), SLA_RESOLUTION, T0 + 49 * H), 10 * M + H);
	event(SLA_RESOLVED, T0 + 50 * H - M, 6, TICKET_RESOLVED, P2);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESOLUTION]), SLA_MET);
	CU_ASSERT_EQUAL(t.clock[SLA_UPDATE].state, CLOCK_STOPPED);
}

static void lead_rule(void)
{
	begin(STANDARD, P2);
	settle(T0 + 2 * H);
	CU_ASSERT_EQUAL(find(SLA_RESPONSE, "-30m")->due_at,
		T0 + 90 * M); /* a budget of 2 h is not below 2 h */
	begin(STANDARD, P1);
	settle(T0 + 30 * M);
	CU_ASSERT_PTR_NULL(
		find(SLA_RESPONSE, "-30m")); /* 30 min budget: would fall before the 80 % instant */
}

static void priority_raised_into_breach(void)
{
	begin(STANDARD, P3);
	event(SLA_PRIORITY, T0 + 40 * M, 2, TICKET_NEW, P0);
	CU_ASSERT(t.clock[SLA_RESPONSE].by_priority);
	CU_ASSERT_EQUAL(find(SLA_RESPONSE, "100")->due_at, T0 + 15 * M);
	CU_ASSERT(find(SLA_RESPONSE, "100")->by_priority);
	CU_ASSERT_EQUAL(find(SLA_RESPONSE, "100")->origin_seq, 2);
	CU_ASSERT_EQUAL(t.clock[SLA_RESOLUTION].start_at, T0 + 15 * M);
}

static void already_alerted_is_not_alerted_again(void)
{
	begin(STANDARD, P2);
	settle(T0 + 100 * M); /* 80 % and the lead have fired */
	fired = 0;
	event(SLA_PRIORITY, T0 + 101 * M, 2, TICKET_NEW, P3); /* 4 h: 101 min is 42 % */
	event(SLA_PRIORITY, T0 + 102 * M, 3, TICKET_NEW, P2); /* back: 80 % is past again */
	CU_ASSERT_PTR_NOT_NULL_FATAL(find(SLA_RESPONSE, "80"));
	CU_ASSERT_FALSE(find(SLA_RESPONSE, "80")->alert);
	CU_ASSERT_EQUAL(find(SLA_RESPONSE, "80")->origin_seq, 3);
}

static void update_periods(void)
{
	begin(STANDARD, P0);
	event(SLA_RESPONDED, T0 + M, 2, TICKET_ACCEPTED, P0);
	settle(T0 + M + 46 * M);
	CU_ASSERT_EQUAL(t.clock[SLA_UPDATE].missed, 3);
	size_t misses = 0, warnings = 0;
	for (size_t i = 0; i < fired; i++) {
		misses += fires[i].clock == SLA_UPDATE && strcmp(fires[i].key, "100") == 0;
		warnings += fires[i].clock == SLA_UPDATE && strcmp(fires[i].key, "100") != 0;
		for (size_t j = 0; j < i; j++) /* the fence would hold */
			CU_ASSERT_FALSE(fires[i].clock == fires[j].clock &&
					fires[i].origin_seq == fires[j].origin_seq &&
					!strcmp(fires[i].key, fires[j].key));
	}
	CU_ASSERT_EQUAL(misses, 3);
	CU_ASSERT_EQUAL(warnings, 3); /* 80, 90, 95 of the first period only */
	event(SLA_RESPONDED, T0 + 50 * M, 20, TICKET_IN_PROGRESS, P0);
	CU_ASSERT_EQUAL(t.clock[SLA_UPDATE].missed, 0);
	CU_ASSERT_EQUAL(sla_due(&t, rules(), SLA_UPDATE), T0 + 65 * M);
}

static void ladder(void)
{
	begin(LADDER_ALONE, P0);
	event(SLA_ACCEPTED, T0 + 2 * M, 2, TICKET_ACCEPTED, P0);
	settle(T0 + 31 * M);
	CU_ASSERT_EQUAL(t.level, 1);
	event(SLA_PROGRESS, T0 + 31 * M, 3, TICKET_ACCEPTED, P0); /* restarts the wait */
	settle(T0 + 60 * M);
	CU_ASSERT_EQUAL(t.level, 1);
	settle(T0 + 61 * M);
	CU_ASSERT_EQUAL(t.level, 2);
	settle(T0 + 61 * M + 3 * H);
	CU_ASSERT_EQUAL(t.level, 4);
	CU_ASSERT_EQUAL(find(SLA_LADDER, "L3")->due_at, T0 + 61 * M + H);
	CU_ASSERT_EQUAL(find(SLA_LADDER, "AWS")->due_at, T0 + 61 * M + 3 * H);
}

/* 90 % of response and of resolution raise the level by one each, at most to L3. */
static void ninety_percent_escalates(void)
{
	begin(STANDARD, P3);
	settle(T0 + 3 * H + 35 * M);
	CU_ASSERT_EQUAL(t.level, 1);
	settle(T0 + 3 * H + 36 * M); /* 90 % of 4 h */
	CU_ASSERT_EQUAL(t.level, 2);
	event(SLA_RESPONDED, T0 + 3 * H + 40 * M, 2, TICKET_ACCEPTED, P3);
	settle(T0 + 3 * H + 40 * M + 4 * H); /* an update's 90 % raises nothing */
	CU_ASSERT_EQUAL(t.level, 2);
	settle(T0 + 30 * H);
	CU_ASSERT_EQUAL(t.level, 3);
	event(SLA_RESOLVED, T0 + 30 * H, 3, TICKET_RESOLVED, P3);
	event(SLA_REOPENED, T0 + 200 * H, 4, TICKET_IN_PROGRESS, P3); /* another cycle */
	settle(T0 + 300 * H);
	CU_ASSERT_EQUAL(t.level, 3);
}

/* Raised to P0 after the reply: the ladder begins then. Lowered to P3: it ends, and rework does not
 * bring it back. */
static void ladder_follows_the_priority(void)
{
	begin(LADDER_ALONE, P3);
	event(SLA_RESPONDED, T0 + M, 2, TICKET_ACCEPTED, P3);
	CU_ASSERT_EQUAL(t.clock[SLA_LADDER].state, CLOCK_NONE);
	event(SLA_PRIORITY, T0 + 10 * M, 3, TICKET_ACCEPTED, P0);
	settle(T0 + 39 * M);
	CU_ASSERT_EQUAL(t.level, 1);
	settle(T0 + 40 * M);
	CU_ASSERT_EQUAL(t.level, 2);
	event(SLA_PRIORITY, T0 + 41 * M, 4, TICKET_ACCEPTED, P3);
	CU_ASSERT_EQUAL(t.clock[SLA_LADDER].state, CLOCK_ENDED);
	event(SLA_MITIGATED, T0 + 42 * M, 5, TICKET_MITIGATED, P3);
	event(SLA_REWORK, T0 + 43 * M, 6, TICKET_IN_PROGRESS, P3);
	settle(T0 + 10 * H);
	CU_ASSERT_EQUAL(t.level, 2);
	event(SLA_PRIORITY, T0 + 10 * H, 7, TICKET_IN_PROGRESS,
		P1); /* from its first step, never down */
	settle(T0 + 10 * H + 30 * M);
	CU_ASSERT_EQUAL(t.level, 2);
	settle(T0 + 11 * H + 30 * M);
	CU_ASSERT_EQUAL(t.level, 3);

	begin(LADDER_ALONE, P3); /* nobody has accepted it and no response is due yet: no ladder */
	event(SLA_PRIORITY, T0 + M, 2, TICKET_NEW, P0);
	CU_ASSERT_EQUAL(t.clock[SLA_LADDER].state, CLOCK_NONE);
	begin(LADDER_ALONE, P3); /* the raise puts response due into the past */
	event(SLA_PRIORITY, T0 + H, 2, TICKET_NEW, P0);
	CU_ASSERT_EQUAL(t.clock[SLA_LADDER].state, CLOCK_RUNNING);
	begin(LADDER_ALONE, P3); /* mitigated: resolution has stopped, and the ladder with it */
	event(SLA_MITIGATED, T0 + M, 2, TICKET_MITIGATED, P3);
	event(SLA_PRIORITY, T0 + 2 * M, 3, TICKET_MITIGATED, P0);
	CU_ASSERT_EQUAL(t.clock[SLA_LADDER].state, CLOCK_NONE);
}

static void reopen_in_window_and_after(void)
{
	begin(STANDARD, P2);
	event(SLA_RESPONDED, T0 + M, 2, TICKET_ACCEPTED, P2);
	event(SLA_RESOLVED, T0 + H, 3, TICKET_RESOLVED, P2);
	event(SLA_REOPENED, T0 + 10 * H, 4, TICKET_IN_PROGRESS, P2);
	CU_ASSERT_EQUAL(t.cycle, 1);
	CU_ASSERT_EQUAL(sla_consumed_us(&t, rules(), SLA_RESOLUTION, T0 + 11 * H), 59 * M + H);
	CU_ASSERT_EQUAL(t.clock[SLA_RESOLUTION].origin_seq, 4);
	event(SLA_RESOLVED, T0 + 11 * H, 5, TICKET_RESOLVED, P2);
	event(SLA_CLOSED, T0 + 12 * H, 6, TICKET_CLOSED, P2);
	event(SLA_REOPENED, T0 + 11 * H + 73 * H, 7, TICKET_IN_PROGRESS, P2);
	CU_ASSERT_EQUAL(t.cycle, 2);
	CU_ASSERT_EQUAL(sla_due(&t, rules(), SLA_RESPONSE), T0 + 84 * H + 2 * H);
	CU_ASSERT_EQUAL(sla_consumed_us(&t, rules(), SLA_RESOLUTION, T0 + 84 * H), 0);
}

static int resolution_fires(void)
{
	int n = 0;

	for (size_t i = 0; i < fired; i++)
		n += fires[i].clock == SLA_RESOLUTION;
	return n;
}

/* Of each number of thresholds that fired before, the reopening fires none again, raises no level,
 * and the others still come. */
static void reopened_fires_nothing_again(void)
{
	static const int share[] = { 10, 81, 91, 96, 120 };

	for (size_t i = 0; i < sizeof(share) / sizeof(*share); i++) {
		int before, level, all;
		int64_t stop = T0 + M + 8 * H * share[i] / 100;

		begin(STANDARD, P2);
		event(SLA_RESPONDED, T0 + M, 2, TICKET_ACCEPTED, P2);
		event(SLA_RESOLVED, stop, 3, TICKET_RESOLVED, P2);
		before = resolution_fires();
		level = t.level;
		event(SLA_REOPENED, stop + 10 * H, 4, TICKET_IN_PROGRESS, P2);
		settle(stop + 10 * H);
		CU_ASSERT_EQUAL(resolution_fires(), before);
		CU_ASSERT_EQUAL(t.level, level);
		CU_ASSERT_EQUAL(t.clock[SLA_RESOLUTION].origin_seq, 4);
		settle(stop + 30 * H);
		all = resolution_fires();
		CU_ASSERT_EQUAL(all, 5);
	}
}

static void mitigation_stops_resolution(void)
{
	begin(STANDARD, P0);
	event(SLA_MITIGATED, T0 + 5 * M, 2, TICKET_MITIGATED, P0);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESPONSE]), SLA_MET);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESOLUTION]), SLA_MET);
	CU_ASSERT_EQUAL(t.clock[SLA_UPDATE].state, CLOCK_RUNNING); /* mitigated does not stop it */
	event(SLA_REWORK, T0 + 8 * M, 3, TICKET_IN_PROGRESS, P0);
	CU_ASSERT_EQUAL(t.clock[SLA_RESOLUTION].state, CLOCK_RUNNING);
}

static void breach_for_good_or_by_last_priority(void)
{
	begin(STANDARD, P0);
	event(SLA_PRIORITY, T0 + 20 * M, 2, TICKET_NEW, P3);
	event(SLA_RESPONDED, T0 + 30 * M, 3, TICKET_ACCEPTED, P3);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESPONSE]), SLA_BREACHED);
	begin(STANDARD, P0);
	policy.breach_follows_priority = true;
	event(SLA_PRIORITY, T0 + 20 * M, 2, TICKET_NEW, P3);
	event(SLA_RESPONDED, T0 + 30 * M, 3, TICKET_ACCEPTED, P3);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESPONSE]), SLA_MET);
}

static void cancelled_has_no_verdict(void)
{
	begin(STANDARD, P0);
	event(SLA_ENDED, T0 + M, 2, TICKET_CANCELLED, P0);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESPONSE]), SLA_NO_VERDICT);
	settle(T0 + 100 * H);
	CU_ASSERT_EQUAL(fired, 0);
}

static void paused_when_resolution_would_start(void)
{
	begin(STANDARD, P0);
	event(SLA_STATE, T0 + M, 2, TICKET_PENDING_CUSTOMER, P0);
	settle(T0 + H);
	CU_ASSERT_EQUAL(t.clock[SLA_RESOLUTION].state, CLOCK_PAUSED);
	CU_ASSERT_EQUAL(sla_consumed_us(&t, rules(), SLA_RESOLUTION, T0 + H), 0);
	event(SLA_STATE, T0 + 2 * H, 3, TICKET_IN_PROGRESS, P0);
	CU_ASSERT_EQUAL(sla_due(&t, rules(), SLA_RESOLUTION), T0 + 4 * H);
}

/* Whatever the timer did in between, the fires are the same: settled every minute, or only when
 * commands come. */
static void window(int64_t when, int64_t from, int64_t to)
{
	settle(when);
	sla_apply(&t, rules(),
		&(struct sla_event){ .type = SLA_WINDOW,
			.at = when,
			.seq = 90,
			.reckon_at = INSTANT_NONE,
			.state = t.state,
			.priority = t.priority,
			.from = from,
			.to = to });
	settle(when);
}

static void windows_do_not_count(void)
{
	begin(STANDARD, P2);                           /* response 2 h */
	window(T0 + 10 * M, T0 + 30 * M, T0 + 60 * M); /* announced in advance */
	CU_ASSERT_EQUAL(sla_due(&t, rules(), SLA_RESPONSE), T0 + 150 * M);
	CU_ASSERT_EQUAL(t.clock[SLA_RESOLUTION].start_at,
		T0 + 150 * M); /* a scheduled instant moves with it */
	CU_ASSERT_EQUAL(sla_consumed_us(&t, rules(), SLA_RESPONSE, T0 + 45 * M), 30 * M);
	window(T0 + 70 * M, T0 + 50 * M, T0 + 65 * M); /* overlaps, and is announced afterwards */
	CU_ASSERT_EQUAL(t.windows.n, 1);
	CU_ASSERT_EQUAL(sla_due(&t, rules(), SLA_RESPONSE), T0 + 155 * M);
	event(SLA_RESPONDED, T0 + 80 * M, 91, TICKET_IN_PROGRESS, P2);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESPONSE]), SLA_MET);
	/* what begins inside a window starts to run at its end; what stops before the window stops
	 * there */
	window(T0 + 81 * M, T0 + 100 * M, T0 + 200 * M);
	event(SLA_RESPONDED, T0 + 110 * M, 92, TICKET_IN_PROGRESS, P2);
	CU_ASSERT_EQUAL(sla_due(&t, rules(), SLA_UPDATE), T0 + 320 * M);
	event(SLA_RESOLVED, T0 + 120 * M, 93, TICKET_RESOLVED, P2);
	CU_ASSERT_EQUAL(sla_consumed_us(&t, rules(), SLA_RESOLUTION, T0 + 300 * M), 20 * M);
	CU_ASSERT_EQUAL(t.clock[SLA_UPDATE].runs.n, 0);
	CU_ASSERT_EQUAL(t.clock[SLA_UPDATE].state, CLOCK_STOPPED);
}

static void windows_do_not_undo_a_breach(void)
{
	begin(STANDARD, P0);
	settle(T0 + 20 * M);
	window(T0 + 21 * M, T0 + 5 * M, T0 + 18 * M);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESPONSE]), SLA_BREACHED);
	sla_apply(&t, rules(),
		&(struct sla_event){ .type = SLA_WAIVED,
			.at = T0 + 22 * M,
			.state = t.state,
			.priority = P0,
			.clock = SLA_RESPONSE });
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESPONSE]), SLA_IS_WAIVED);
	CU_ASSERT_NOT_EQUAL(t.clock[SLA_RESPONSE].breached_at, INSTANT_NONE); /* it did happen */
}

static void contact_recorded_after_due(void)
{
	begin(STANDARD, P0);
	settle(T0 + 20 * M);
	sla_apply(&t, rules(),
		&(struct sla_event){ .type = SLA_RESPONDED,
			.at = T0 + 20 * M,
			.reckon_at = T0 + 10 * M,
			.state = TICKET_ACCEPTED,
			.priority = P0 });
	CU_ASSERT(t.clock[SLA_RESPONSE].contested && t.clock[SLA_RESPONSE].self_reported);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESPONSE]), SLA_BREACHED);
	event(SLA_CONTACT_ACCEPTED, T0 + 25 * M, 9, TICKET_ACCEPTED, P0);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESPONSE]), SLA_MET);
	CU_ASSERT_FALSE(t.clock[SLA_RESPONSE].contested);
	CU_ASSERT_EQUAL(t.clock[SLA_RESOLUTION].start_at, T0 + 15 * M); /* it moves no start */
	event(SLA_CONTACT_DISPUTED, T0 + 26 * M, 10, TICKET_ACCEPTED, P0);
	CU_ASSERT(t.clock[SLA_RESPONSE].contested);
	CU_ASSERT_EQUAL(sla_verdict(&t.clock[SLA_RESPONSE]), SLA_MET);
}

static void rebound_to_another_policy(void)
{
	begin(STANDARD, P2);
	settle(T0 + 60 * M);
	policy.budget[P2].response_s = 3 * 3600; /* the new version */
	event(SLA_REBOUND, T0 + 60 * M, 7, TICKET_NEW, P2);
	CU_ASSERT_EQUAL(sla_due(&t, rules(), SLA_RESPONSE), T0 + 3 * H);
	CU_ASSERT_EQUAL(t.clock[SLA_RESPONSE].origin_seq, 7);
	CU_ASSERT_EQUAL(t.clock[SLA_RESOLUTION].start_at, T0 + 3 * H);
}

static void result_does_not_depend_on_timers(void)
{
	static const char *const hours = "{\"tz\":\"Europe/"
					 "Berlin\",\"hours\":{\"mon\":[[\"09:00\",\"12:00\"],[\"13:"
					 "00\",\"18:00\"]],\"tue\":[[\"09:00\",\"18:00\"]],"
					 "\"wed\":[[\"22:00\",\"24:00\"]],\"thu\":[[\"00:00\",\"06:"
					 "00\"]],\"fri\":[[\"09:00\",\"18:00\"]]}}";
	struct calendar *saved = always;

	always = test_calendar(hours);
	for (unsigned run = 0; run < 200; run++) {
		static struct sla_fire first[256];
		size_t first_n = 0;

		for (int pass = 0; pass < 2; pass++) {
			unsigned seed = run + 1;
			int64_t now = T0;
			enum ticket_state state = TICKET_NEW;
			enum priority p = (enum priority)(rand_r(&seed) % 4);

			struct calendar *work = always;
			begin(STANDARD, p);
			always = work;
			for (int step = 0; step < 12; step++) {
				int64_t wait = (int64_t)(rand_r(&seed) % 300) * M;
				static const enum sla_event_type types[] = { SLA_RESPONDED,
					SLA_STATE, SLA_STATE, SLA_PRIORITY, SLA_PROGRESS,
					SLA_WINDOW };
				enum sla_event_type type = types[rand_r(&seed) % 6];

				if (pass)
					for (int64_t s = now; s < now + wait; s += M)
						settle(s);
				now += wait + 1;
				state = type == SLA_STATE
						? (rand_r(&seed) % 2 ? TICKET_PENDING_CUSTOMER
								     : TICKET_IN_PROGRESS)
						: state;
				p = type == SLA_PRIORITY ? (enum priority)(rand_r(&seed) % 4) : p;
				if (type == SLA_WINDOW)
					window(now, now + (int64_t)(rand_r(&seed) % 200 - 100) * M,
						now + (int64_t)(rand_r(&seed) % 200 + 100) * M);
				else
					event(type, now, 100 * (step + 1), state, p);
			}
			if (!pass) {
				memcpy(first, fires, sizeof(fires));
				first_n = fired;
			}
		}
		CU_ASSERT_EQUAL(fired, first_n);
		for (size_t i = 0; i < fired && i < first_n; i++) {
			CU_ASSERT_EQUAL(fires[i].due_at, first[i].due_at);
			CU_ASSERT_EQUAL(fires[i].clock, first[i].clock);
			CU_ASSERT_EQUAL(fires[i].origin_seq, first[i].origin_seq);
			CU_ASSERT_STRING_EQUAL(fires[i].key, first[i].key);
		}
	}
	calendar_free(always);
	always = saved;
}

UNIT_MAIN("clock", { "P0 thresholds at 80, 90, 95, 100", p0_thresholds },
	{ "late fires merge into one alert", late_settle_merges },
	{ "response, pause, resolution", response_then_resolution },
	{ "lead thresholds", lead_rule },
	{ "a priority raised into a breach", priority_raised_into_breach },
	{ "no alert twice", already_alerted_is_not_alerted_again },
	{ "update periods", update_periods }, { "ladder", ladder },
	{ "90 percent escalates", ninety_percent_escalates },
	{ "the ladder follows the priority", ladder_follows_the_priority },
	{ "reopen", reopen_in_window_and_after },
	{ "each threshold is told once", each_threshold_is_told_once },
	{ "reopened, nothing again", reopened_fires_nothing_again },
	{ "mitigation", mitigation_stops_resolution },
	{ "a breach remains", breach_for_good_or_by_last_priority },
	{ "cancel", cancelled_has_no_verdict },
	{ "paused at the start", paused_when_resolution_would_start },
	{ "windows", windows_do_not_count },
	{ "windows and breaches", windows_do_not_undo_a_breach },
	{ "contested contacts", contact_recorded_after_due },
	{ "rebind", rebound_to_another_policy },
	{ "fires do not depend on timers", result_does_not_depend_on_timers })
