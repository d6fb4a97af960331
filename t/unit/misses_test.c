/* SPDX-License-Identifier: Apache-2.0
 * Missed update periods in a row (sla.md 3): the first 99 have a fire each, one fire stands for the
 * rest. The result equals a model that goes from due instant to due instant, however often the
 * clock is settled, and a settle is short however much time has passed. */
#include "sla/clock.h"
#include "unit.h"
#include "zones.h"

#define MIN (60 * US_PER_S)
#define HOUR (3600 * US_PER_S)
#define DAY (24 * HOUR)
#define T0 1767607200000000LL /* 2026-01-05T10:00:00Z, a Monday */
#define BUDGET (15 * MIN)
#define TURN_US 5000

static struct sla_policy policy;
static struct calendar *calendar;
static struct sla_ticket ticket;
static size_t rows, alerts;
static int64_t periods;

static struct sla_rules rules(void)
{
	return (struct sla_rules){ &policy, calendar };
}

static struct calendar *make_calendar(int which)
{
	static const char *const docs[] = {
		"{\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"00:00\",\"24:00\"]],\"tue\":[[\"00:00\","
		"\"24:"
		"00\"]],\"wed\":[[\"00:00\",\"24:00\"]],\"thu\":[[\"00:00\",\"24:00\"]],\"fri\":[["
		"\"00:00\",\"24:00\"]],\"sat\":[[\"00:00\",\"24:00\"]],\"sun\":[[\"00:00\",\"24:"
		"00\"]"
		"]}}",
		"{\"tz\":\"Asia/"
		"Shanghai\",\"hours\":{\"mon\":[[\"09:00\",\"12:00\"],[\"13:00\",\"18:"
		"00\"]],\"tue\":[[\"09:00\",\"18:10\"]]},\"holidays\":[\"2026-02-16\"]}",
		"{\"tz\":\"America/"
		"New_York\",\"hours\":{\"sat\":[[\"22:00\",\"24:00\"]],\"sun\":[[\"00:00\",\"06:"
		"00\"]]"
		"},\"breaks\":{\"2026-03-08\":[[\"02:10\",\"03:20\"]]}}",
	};

	return test_calendar(docs[which]);
}

static void settle(int64_t now)
{
	struct sla_fire fires[SLA_FIRES_MAX + 1];
	size_t n = sla_settle(&ticket, rules(), now, fires, ARRAY_LEN(fires));

	CU_ASSERT(n <= SLA_FIRES_MAX);
	sla_merge_alerts(fires, n);
	for (size_t i = 0; i < n; i++) {
		if (fires[i].clock != SLA_UPDATE || strcmp(fires[i].key, "100") != 0)
			continue;
		rows += !fires[i].more;
		alerts += fires[i].alert;
		periods += fires[i].periods;
	}
}

static void apply(enum sla_event_type type, int64_t at, enum priority p)
{
	static int64_t seq;

	settle(at);
	sla_apply(&ticket, rules(),
		&(struct sla_event){ .type = type,
			.at = at,
			.seq = seq += 1000,
			.reckon_at = INSTANT_NONE,
			.state = TICKET_ACCEPTED,
			.priority = p,
			.from = at + 5 * DAY,
			.to = at + 6 * DAY });
	settle(at);
}

static void begin(void)
{
	static const char doc[] =
		"{\"priorities\":{\"P0\":{\"response_s\":60,\"resolution_s\":864000,\"update_s\":"
		"900}"
		",\"P1\":{\"response_s\":60,\"resolution_s\":864000,\"update_s\":3600}},"
		"\"thresholds\":[\"80\",\"-30m\",\"90\",\"95\",\"100\"]}";
	const char *error = "";
	struct json_error err;
	struct json_object *o = json_read(doc, sizeof(doc) - 1, &err);

	CU_ASSERT_FATAL(o && sla_policy_read(o, &policy, &error));
	json_object_put(o);
	sla_ticket_free(&ticket);
	sla_ticket_init(&ticket);
	apply(SLA_CREATED, T0, P0);
	apply(SLA_RESPONDED, T0, P0);
	rows = alerts = 0;
	periods = 0;
}

/* The model: one period after the other, counted in working time without the excluded window. */
static int64_t model(int64_t end, bool excluded, int64_t *out_due)
{
	int64_t n = 0, due = T0, left, from = T0 + 5 * DAY, to = T0 + 6 * DAY;

	for (;;) {
		int64_t next;

		CU_ASSERT_FATAL(calendar_add(calendar, due, BUDGET, &next));
		if (excluded && due < from && next > from) {
			left = BUDGET - calendar_between(calendar, due, from);
			CU_ASSERT_FATAL(calendar_add(calendar, to, left, &next));
		} else if (excluded && due >= from && due < to) {
			CU_ASSERT_FATAL(calendar_add(calendar, to, BUDGET, &next));
		}
		*out_due = next;
		if (next > end)
			return n;
		due = next;
		n++;
	}
}

static void as_the_model(void)
{
	static const int64_t steps[] = { 400 * DAY, 7 * HOUR, 10 * MIN };

	for (int c = 0; c < 3; c++) {
		int64_t end = T0 + (c ? 90 : 9) * DAY + 7 * MIN, due;

		calendar = make_calendar(c);
		for (int window = 0; window < 2; window++) {
			int64_t expected = model(end, window, &due);

			for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
				begin();
				if (window)
					apply(SLA_WINDOW, T0, P0);
				for (int64_t now = T0; now < end; now += steps[s])
					settle(now);
				settle(end);
				CU_ASSERT(expected > 300);
				CU_ASSERT_EQUAL(ticket.clock[SLA_UPDATE].missed, expected);
				CU_ASSERT_EQUAL(periods, expected);
				CU_ASSERT_EQUAL(rows, SLA_MISSES_APART + 1);
				CU_ASSERT_EQUAL(sla_due(&ticket, rules(), SLA_UPDATE), due);
				CU_ASSERT_EQUAL(ticket.clock[SLA_UPDATE].breached_at,
					ticket.clock[SLA_UPDATE].start_at);
			}
		}
		calendar_free(calendar);
	}
}

/* The row that stands for the rest belongs to a reckoning: another one has its own. */
static void another_reckoning(void)
{
	calendar = make_calendar(0);
	begin();
	settle(T0 + 2 * DAY);
	CU_ASSERT_EQUAL(rows, 100);
	CU_ASSERT_EQUAL(alerts, 1);
	apply(SLA_PRIORITY, T0 + 2 * DAY + MIN, P1);
	settle(T0 + 3 * DAY);
	settle(T0 + 4 * DAY);
	CU_ASSERT_EQUAL(rows, 101);
	CU_ASSERT_EQUAL(periods, 192 + 48);
	CU_ASSERT_EQUAL(alerts, 2);
	apply(SLA_RESPONDED, T0 + 4 * DAY + MIN, P1);
	CU_ASSERT_EQUAL(ticket.clock[SLA_UPDATE].missed, 0);
	settle(T0 + 4 * DAY + 3 * HOUR);
	CU_ASSERT_EQUAL(rows, 103);
	calendar_free(calendar);
}

/* Ten years unattended; in the last calendar nothing works after the first of them. */
static void a_settle_is_short(void)
{
	static const char ends[] =
		"{\"tz\":\"UTC\",\"hours\":{},\"overrides\":{\"2026-01-05\":[[\"10:"
		"00\",\"24:00\"]],\"2026-06-01\":[[\"00:00\",\"24:00\"]],\"2028-"
		"06-01\":[[\"00:00\",\"24:00\"]]}}";

	for (int c = 0; c < 4; c++) {
		int64_t began, took, best = INT64_MAX;

		calendar = c < 3 ? make_calendar(c) : test_calendar(ends);
		for (int again = 0; again < 5; again++) {
			begin();
			began = clock_mono_us();
			settle(T0 + 3650 * DAY);
			took = clock_mono_us() - began;
			best = took < best ? took : best;
		}
		printf("# calendar %d: %lld periods in %lld us\n", c, (long long)periods,
			(long long)best);
		CU_ASSERT(best < TURN_US);
		CU_ASSERT_EQUAL(rows, SLA_MISSES_APART + 1);
		CU_ASSERT_EQUAL(periods, ticket.clock[SLA_UPDATE].missed);
		if (c == 3)
			CU_ASSERT_EQUAL(periods, (14 + 24) * 4);
		calendar_free(calendar);
	}
}

UNIT_MAIN("misses", { "equal to the model, however often settled", as_the_model },
	{ "another reckoning has its own row", another_reckoning },
	{ "a settle is short", a_settle_is_short })
