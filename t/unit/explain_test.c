/* SPDX-License-Identifier: Apache-2.0
 * A clock's life as intervals: they follow one another without a gap, and what they consume is what
 * the clock consumed. */
#include "sla/explain.h"
#include "unit.h"
#include "zones.h"

#include <string.h>

#define H (3600 * US_PER_S)

static struct sla_policy policy;
static struct sla_ticket ticket;
static struct calendar *office;
static int64_t seq, sum_us, last_to;
static char story[4000];

static struct sla_rules rules(void)
{
	return (struct sla_rules){ &policy, office };
}

static void apply(enum sla_event_type type, int64_t when, enum ticket_state state)
{
	struct sla_fire fires[64];

	sla_settle(&ticket, rules(), when, fires, ARRAY_LEN(fires));
	sla_apply(&ticket, rules(),
		&(struct sla_event){ .type = type,
			.at = when,
			.seq = ++seq,
			.reckon_at = INSTANT_NONE,
			.state = state,
			.priority = P2 });
}

static void begin(void)
{
	static const char doc[] =
		"{\"priorities\":{\"P2\":{\"response_s\":3600,\"resolution_s\":360000}},"
		"\"resolution_from\":\"created\",\"thresholds\":[\"100\"]}";
	const char *error = "";
	struct json_error err;
	struct json_object *o = json_read(doc, strlen(doc), &err);

	CU_ASSERT_TRUE_FATAL(sla_policy_read(o, &policy, &error));
	json_object_put(o);
	if (!office)
		office = test_calendar(
			"{\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"09:00\",\"12:00\"],[\"13:00\","
			"\"18:00\"]],\"tue\":[[\"09:00\",\"18:00\"]],\"wed\":[[\"09:00\","
			"\"18:00\"]]},\"holidays\":[\"2026-01-06\"]}");
	CU_ASSERT_PTR_NOT_NULL_FATAL(office);
	sla_ticket_free(&ticket);
	sla_ticket_init(&ticket);
}

static void on_interval(
	void *arg, enum sla_interval_kind kind, int64_t from, int64_t to, int64_t consumed_us)
{
	char text[2][32];

	(void)arg;
	CU_ASSERT_TRUE(from < to);
	CU_ASSERT_TRUE(last_to == INSTANT_NONE || from == last_to);
	CU_ASSERT_EQUAL(consumed_us, kind == INTERVAL_WORKED ? to - from : 0);
	last_to = to;
	sum_us += consumed_us;
	time_format(from, 3, text[0]);
	time_format(to, 3, text[1]);
	snprintf(story + strlen(story), sizeof(story) - strlen(story), "%.5s-%.5s %s\n",
		text[0] + 11, text[1] + 11, sla_interval_name(kind));
}

static int tell(enum sla_clock_kind k, int64_t now, int max)
{
	story[0] = 0;
	sum_us = 0;
	last_to = INSTANT_NONE;
	return sla_explain(&ticket, rules(), k, now, max, on_interval, NULL);
}

static void a_life(void)
{
	int64_t monday = at("2026-01-05T10:00:00Z");

	begin();
	apply(SLA_CREATED, monday, TICKET_IN_PROGRESS);
	apply(SLA_STATE, monday + H, TICKET_PENDING_CUSTOMER);
	apply(SLA_STATE, monday + 90 * 60 * US_PER_S, TICKET_IN_PROGRESS);
	CU_ASSERT_EQUAL(tell(SLA_RESOLUTION, at("2026-01-07T10:30:00Z"), 100), 9);
	CU_ASSERT_STRING_EQUAL(story,
		"10:00-11:00 worked\n11:00-11:30 paused\n11:30-12:00 worked\n12:00-13:00 closed\n"
		"13:00-18:00 worked\n18:00-00:00 closed\n00:00-00:00 holiday\n"
		"00:00-09:00 closed\n09:00-10:30 worked\n");
	CU_ASSERT_EQUAL(sum_us,
		sla_consumed_us(&ticket, rules(), SLA_RESOLUTION, at("2026-01-07T10:30:00Z")));
	/* no more than is asked for */
	CU_ASSERT_EQUAL(tell(SLA_RESOLUTION, at("2026-01-07T10:30:00Z"), 3), 3);
	CU_ASSERT_EQUAL(tell(SLA_RESOLUTION, at("2026-01-07T10:30:00Z"), 0), 0);
	/* as of an earlier instant */
	CU_ASSERT_EQUAL(tell(SLA_RESOLUTION, monday + 30 * 60 * US_PER_S, 100), 1);
	CU_ASSERT_STRING_EQUAL(story, "10:00-10:30 worked\n");
}

static void paused_and_none(void)
{
	int64_t monday = at("2026-01-05T10:00:00Z");

	begin();
	CU_ASSERT_EQUAL(tell(SLA_UPDATE, monday, 100), 0);
	apply(SLA_CREATED, monday, TICKET_IN_PROGRESS);
	apply(SLA_STATE, monday + H, TICKET_PENDING_CUSTOMER);
	tell(SLA_RESOLUTION, monday + 3 * H, 100);
	CU_ASSERT_STRING_EQUAL(story, "10:00-11:00 worked\n11:00-13:00 paused\n");
	CU_ASSERT_EQUAL(tell(SLA_UPDATE, monday + 3 * H, 100), 0); /* the policy has none */
}

/* More pauses than earlier versions kept. */
static void a_long_life(void)
{
	int64_t when = at("2026-01-05T10:00:00Z");

	begin();
	apply(SLA_CREATED, when, TICKET_IN_PROGRESS);
	for (int i = 0; i < 200; i++)
		apply(SLA_STATE, when += 11 * 60 * US_PER_S,
			i % 2 ? TICKET_IN_PROGRESS : TICKET_PENDING_CUSTOMER);
	CU_ASSERT_TRUE(tell(SLA_RESOLUTION, when, 1000) > 150);
	CU_ASSERT_EQUAL(sum_us, sla_consumed_us(&ticket, rules(), SLA_RESOLUTION, when));
	CU_ASSERT_EQUAL(strncmp(story, "10:00-10:11 worked\n", 19), 0);
}

UNIT_MAIN("explain", { "a life in order", a_life }, { "paused, or no clock", paused_and_none },
	{ "a hundred pauses", a_long_life })
