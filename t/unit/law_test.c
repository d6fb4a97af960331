/* SPDX-License-Identifier: Apache-2.0
 * The rules change, and what was stored does not: an event is replayed by the law that it was
 * applied by. And AWS's own clock (sla.md 3), which the third law brought. */
#include "base/json.h"
#include "sla/clock.h"
#include "ticket/replay.h"
#include "unit.h"
#include "zones.h"

#define MIN (60 * US_PER_S)
#define HOUR (3600 * US_PER_S)
#define T0 1767607200000000LL /* 2026-01-05T10:00:00Z, a Monday */

static struct sla_policy policy;
static struct calendar *always;
static struct sla_ticket ticket;
static int64_t seq;

static struct sla_rules rules(void)
{
	return (struct sla_rules){ &policy, always };
}

static void begin(const char *more)
{
	char doc[400];
	const char *error = "";
	struct json_error err;
	struct json_object *o;

	snprintf(doc, sizeof(doc),
		"{\"priorities\":{\"P0\":{\"response_s\":900,\"resolution_s\":7200,\"update_s\":"
		"900,"
		"\"ladder_s\":[1800,3600,7200]},\"P3\":{\"response_s\":14400,\"resolution_s\":"
		"86400,"
		"\"update_s\":14400%s}},\"thresholds\":[\"80\",\"100\"]}",
		more);
	o = json_read(doc, strlen(doc), &err);
	CU_ASSERT_FATAL(o && sla_policy_read(o, &policy, &error));
	json_object_put(o);
	if (!always)
		always = calendar_always();
	sla_ticket_free(&ticket);
	sla_ticket_init(&ticket);
	seq = 0;
}

static size_t settle(int64_t now, struct sla_fire *out)
{
	struct sla_fire fires[SLA_FIRES_MAX + 1];
	size_t n = sla_settle(&ticket, rules(), now, out ? out : fires, SLA_FIRES_MAX);

	return n;
}

static void apply(enum sla_law law, enum sla_event_type type, int64_t at, int64_t reckon_at,
	enum ticket_state state, enum priority p)
{
	settle(at, NULL);
	sla_apply(&ticket, rules(),
		&(struct sla_event){ .type = type,
			.at = at,
			.seq = seq += 1000,
			.reckon_at = reckon_at,
			.state = state,
			.priority = p,
			.law = law });
}

static enum sla_clock_state ladder_raised_under(enum sla_law law)
{
	begin("");
	apply(law, SLA_CREATED, T0, INSTANT_NONE, TICKET_NEW, P3);
	apply(law, SLA_RESPONDED, T0 + MIN, INSTANT_NONE, TICKET_ACCEPTED, P3);
	apply(law, SLA_PRIORITY, T0 + 2 * MIN, INSTANT_NONE, TICKET_ACCEPTED, P0);
	return ticket.clock[SLA_LADDER].state;
}

static void raised_tickets_keep_the_ladder_of_their_law(void)
{
	CU_ASSERT_EQUAL(ladder_raised_under(SLA_LAW_FIRST), CLOCK_NONE);
	CU_ASSERT_EQUAL(ladder_raised_under(SLA_LAW_LADDER), CLOCK_RUNNING);
	CU_ASSERT_EQUAL(ladder_raised_under(SLA_LAW_PRESENT), CLOCK_RUNNING);
}

/* A contact of minute 10 that is recorded in hour 6, after a period was missed at 4:01. */
static int64_t update_start_under(enum sla_law law)
{
	begin("");
	apply(law, SLA_CREATED, T0, INSTANT_NONE, TICKET_NEW, P3);
	apply(law, SLA_RESPONDED, T0 + MIN, INSTANT_NONE, TICKET_ACCEPTED, P3);
	apply(law, SLA_RESPONDED, T0 + 6 * HOUR, T0 + 10 * MIN, TICKET_ACCEPTED, P3);
	return ticket.clock[SLA_UPDATE].start_at;
}

static void late_contacts_keep_the_start_of_their_law(void)
{
	CU_ASSERT_EQUAL(update_start_under(SLA_LAW_FIRST), T0 + 10 * MIN);
	CU_ASSERT_EQUAL(update_start_under(SLA_LAW_LADDER), T0 + MIN + 4 * HOUR);
	CU_ASSERT_EQUAL(update_start_under(SLA_LAW_PRESENT), T0 + MIN + 4 * HOUR);
}

/* Fires of resolution at a reopening after 91 % of it was used. */
static size_t fired_again_under(enum sla_law law)
{
	struct sla_fire fires[SLA_FIRES_MAX];
	int64_t stop = T0 + MIN + 22 * HOUR;

	begin("");
	apply(law, SLA_CREATED, T0, INSTANT_NONE, TICKET_NEW, P3);
	apply(law, SLA_RESPONDED, T0 + MIN, INSTANT_NONE, TICKET_ACCEPTED, P3);
	sla_settle(&ticket, rules(), stop, fires, SLA_FIRES_MAX);
	apply(law, SLA_RESOLVED, stop, INSTANT_NONE, TICKET_RESOLVED, P3);
	apply(law, SLA_REOPENED, stop + HOUR, INSTANT_NONE, TICKET_IN_PROGRESS, P3);
	return sla_settle(&ticket, rules(), stop + HOUR, fires, SLA_FIRES_MAX);
}

static void reopened_tickets_fire_by_their_law(void)
{
	CU_ASSERT(fired_again_under(SLA_LAW_AWS) > 0);
	CU_ASSERT_EQUAL(fired_again_under(SLA_LAW_REOPEN), 0);
	CU_ASSERT_EQUAL(fired_again_under(SLA_LAW_PRESENT), 0);
}

/* When the ladder of an imported ticket comes to its next step after a year of standstill. */
static int64_t step_after_standstill(enum sla_law law, int64_t live)
{
	begin("");
	apply(law, SLA_CREATED, T0, INSTANT_NONE, TICKET_NEW, P0);
	apply(law, SLA_ACCEPTED, T0 + MIN, INSTANT_NONE, TICKET_ACCEPTED, P0);
	sla_apply(&ticket, rules(),
		&(struct sla_event){ .type = SLA_LIVE,
			.at = live,
			.seq = seq += 1000,
			.reckon_at = INSTANT_NONE,
			.state = TICKET_ACCEPTED,
			.priority = P0,
			.from = T0 + 11 * MIN,
			.to = live,
			.law = law });
	return sla_next_fire(&ticket, rules(), SLA_LADDER, NULL);
}

static void ladders_stand_still_by_their_law(void)
{
	int64_t live = T0 + 365 * 24 * HOUR;

	CU_ASSERT_EQUAL(step_after_standstill(SLA_LAW_AWS, live), T0 + 31 * MIN);
	CU_ASSERT_EQUAL(step_after_standstill(SLA_LAW_REOPEN, live), live + 20 * MIN);
}

/* What an event of the history means: the law that its data name, else the ticket's. */
static void replayed(const char *data, enum sla_law unnamed, enum sla_clock_state aws)
{
	struct json_error err;
	struct json_object *o = json_read(data, strlen(data), &err);

	begin("");
	ticket.unnamed_law = unnamed;
	CU_ASSERT_FATAL(o != NULL);
	replay_event(&ticket, rules(), CMD_WAIT_AWS, 1, T0, o);
	CU_ASSERT_EQUAL(ticket.clock[SLA_AWS].state, aws);
	json_object_put(o);
}

static void an_event_is_replayed_by_the_law_that_it_names(void)
{
#define DATA "{\"status\":\"pending_aws\",\"priority\":\"P3\""
	replayed(DATA "}", SLA_LAW_FIRST, CLOCK_NONE);
	replayed(DATA "}", SLA_LAW_LADDER, CLOCK_NONE);
	replayed(DATA ",\"law\":2}", SLA_LAW_FIRST, CLOCK_NONE);
	replayed(DATA ",\"law\":3}", SLA_LAW_FIRST, CLOCK_RUNNING);
	replayed(DATA ",\"law\":99}", SLA_LAW_FIRST, CLOCK_RUNNING); /* of a newer version */
	replayed(DATA ",\"law\":0}", SLA_LAW_FIRST, CLOCK_RUNNING);
	begin("");
	CU_ASSERT_EQUAL(ticket.unnamed_law, SLA_LAW_LADDER);
}

/* --- AWS's clock --- */

static struct sla_clock *aws(void)
{
	return &ticket.clock[SLA_AWS];
}

static void wait_for_aws(enum priority p, int64_t at)
{
	apply(0, SLA_CREATED, T0, INSTANT_NONE, TICKET_NEW, p);
	apply(0, SLA_RESPONDED, T0 + MIN, INSTANT_NONE, TICKET_ACCEPTED, p);
	apply(0, SLA_PROGRESS, at, INSTANT_NONE, TICKET_PENDING_AWS, p);
}

static void pending_aws_has_its_own_clock(void)
{
	begin("");
	wait_for_aws(P0, T0 + 2 * MIN);
	CU_ASSERT_EQUAL(aws()->state, CLOCK_RUNNING);
	CU_ASSERT_EQUAL(sla_due(&ticket, rules(), SLA_AWS), T0 + 12 * MIN);
	apply(0, SLA_PROGRESS, T0 + 9 * MIN, INSTANT_NONE, TICKET_PENDING_AWS, P0);
	CU_ASSERT_EQUAL(sla_due(&ticket, rules(), SLA_AWS), T0 + 19 * MIN); /* somebody looked */
	apply(0, SLA_STATE, T0 + 10 * MIN, INSTANT_NONE, TICKET_PENDING_AWS, P0);
	CU_ASSERT_EQUAL(sla_due(&ticket, rules(), SLA_AWS), T0 + 19 * MIN); /* a customer did not */
	apply(0, SLA_PROGRESS, T0 + 15 * MIN, INSTANT_NONE, TICKET_IN_PROGRESS, P0);
	CU_ASSERT_EQUAL(aws()->state, CLOCK_STOPPED);
	CU_ASSERT_EQUAL(sla_verdict(aws()), SLA_MET);
	apply(0, SLA_PROGRESS, T0 + 20 * MIN, INSTANT_NONE, TICKET_PENDING_AWS, P0);
	CU_ASSERT_EQUAL(sla_due(&ticket, rules(), SLA_AWS), T0 + 30 * MIN);
	apply(0, SLA_ENDED, T0 + 21 * MIN, INSTANT_NONE, TICKET_CANCELLED, P0);
	CU_ASSERT_EQUAL(aws()->state, CLOCK_ENDED);
}

static void a_case_that_nobody_looks_at_is_told_twice(void)
{
	struct sla_fire f[SLA_FIRES_MAX];
	size_t n, of_aws = 0;

	begin(",\"aws_s\":1800");
	wait_for_aws(P3, T0 + 2 * MIN);
	CU_ASSERT_EQUAL(sla_next_fire(&ticket, rules(), SLA_AWS, NULL), T0 + 32 * MIN);
	n = settle(T0 + 3 * HOUR, f);
	for (size_t i = 0; i < n; i++) {
		if (f[i].clock != SLA_AWS)
			continue;
		CU_ASSERT_EQUAL(f[i].due_at, T0 + 2 * MIN + (int64_t)(of_aws + 1) * 30 * MIN);
		CU_ASSERT_EQUAL(f[i].again, of_aws == 1);
		CU_ASSERT_STRING_EQUAL(f[i].key, "100");
		of_aws++;
	}
	CU_ASSERT_EQUAL(of_aws, SLA_AWS_MISSES);
	CU_ASSERT_EQUAL(sla_next_fire(&ticket, rules(), SLA_AWS, NULL), INSTANT_NONE);
	apply(0, SLA_PROGRESS, T0 + 4 * HOUR, INSTANT_NONE, TICKET_PENDING_AWS, P3);
	CU_ASSERT_EQUAL(sla_next_fire(&ticket, rules(), SLA_AWS, NULL), T0 + 4 * HOUR + 30 * MIN);
	CU_ASSERT_EQUAL(aws()->missed, 0);
}

static void the_clock_of_aws_follows_the_priority(void)
{
	begin(""); /* P3 is looked at as often as it is updated, P0 every ten minutes */
	wait_for_aws(P3, T0 + 2 * MIN);
	CU_ASSERT_EQUAL(sla_due(&ticket, rules(), SLA_AWS), T0 + 4 * HOUR + 2 * MIN);
	apply(0, SLA_PRIORITY, T0 + 5 * MIN, INSTANT_NONE, TICKET_PENDING_AWS, P0);
	CU_ASSERT_EQUAL(sla_due(&ticket, rules(), SLA_AWS), T0 + 12 * MIN);
	begin(",\"aws_s\":0");
	wait_for_aws(P3, T0 + 2 * MIN);
	CU_ASSERT_EQUAL(aws()->state, CLOCK_NONE);
}

UNIT_MAIN("law",
	{ "raised tickets keep the ladder of their law",
		raised_tickets_keep_the_ladder_of_their_law },
	{ "late contacts keep the start of their law", late_contacts_keep_the_start_of_their_law },
	{ "reopened tickets fire by their law", reopened_tickets_fire_by_their_law },
	{ "ladders stand still by their law", ladders_stand_still_by_their_law },
	{ "an event is replayed by the law that it names",
		an_event_is_replayed_by_the_law_that_it_names },
	{ "pending_aws has its own clock", pending_aws_has_its_own_clock },
	{ "a case that nobody looks at is told twice", a_case_that_nobody_looks_at_is_told_twice },
	{ "the clock of AWS follows the priority", the_clock_of_aws_follows_the_priority })
