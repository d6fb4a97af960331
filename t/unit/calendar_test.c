/* SPDX-License-Identifier: Apache-2.0
 * Working time: examples of sla.md, clock changes, and a property test against minute-by-minute
 * counting with the C library's zones. */
#include "unit.h"
#include "zones.h"
#include "sla/calc.h"

#include <time.h>

#define CN                                                                                         \
	"{\"tz\":\"Asia/"                                                                          \
	"Shanghai\",\"hours\":{\"mon\":[[\"09:00\",\"12:00\"],[\"13:00\",\"18:00\"]],\"tue\":[["   \
	"\"09:00\",\"18:00\"]],\"fri\":[[\"09:00\",\"18:00\"]]},"                                  \
	"\"holidays\":[\"2025-10-01\",\"2025-10-06\",\"2025-10-07\"],\"overrides\":{\"2025-10-"    \
	"11\":[[\"09:00\",\"18:00\"]]},"                                                           \
	"\"breaks\":{\"2025-10-11\":[[\"10:00\",\"10:30\"]]}}"
#define NIGHTS                                                                                     \
	"{\"tz\":\"%s\",\"hours\":{\"mon\":[[\"00:00\",\"05:00\"],[\"22:00\",\"24:00\"]],\"tue\":" \
	"[[\"00:00\",\"03:30\"],[\"20:15\",\"24:00\"]],"                                           \
	"\"wed\":[[\"01:00\",\"04:00\"]],\"sat\":[[\"00:00\",\"24:00\"]],\"sun\":[[\"00:00\","     \
	"\"24:00\"]]},\"holidays\":[\"2026-03-28\",\"2025-10-27\"]}"

static int64_t add(struct calendar *c, const char *start, int64_t s)
{
	int64_t out = INSTANT_NONE;

	CU_ASSERT(calendar_add(c, at(start), s * US_PER_S, &out));
	return out;
}

static void adds(void)
{
	struct calendar *c = test_calendar(CN);

	/* Friday 2025-10-10 17:00 +2 h: one hour on Friday, one on the make-up Saturday. */
	CU_ASSERT_EQUAL(add(c, "2025-10-10T09:00:00Z", 7200), at("2025-10-11T02:00:00Z"));
	/* across the break 10:00-10:30 */
	CU_ASSERT_EQUAL(add(c, "2025-10-10T09:00:00Z", 7201), at("2025-10-11T02:30:01Z"));
	/* the earliest instant: the closing one, not the next opening */
	CU_ASSERT_EQUAL(add(c, "2025-10-13T01:00:00Z", 3 * 3600), at("2025-10-13T04:00:00Z"));
	CU_ASSERT_EQUAL(add(c, "2025-10-04T00:00:00Z", 0), at("2025-10-04T00:00:00Z"));
	CU_ASSERT_EQUAL(calendar_between(c, at("2025-10-10T09:00:00Z"), at("2025-10-13T04:00:00Z")),
		(3600 + 8 * 3600 + 1800 + 3 * 3600) * US_PER_S);
	CU_ASSERT_EQUAL(
		calendar_between(c, at("2025-10-13T04:00:00Z"), at("2025-10-10T09:00:00Z")), 0);
	CU_ASSERT_EQUAL(calendar_why(c, at("2025-10-07T03:00:00Z")), DAY_HOLIDAY);
	CU_ASSERT_EQUAL(calendar_why(c, at("2025-10-14T03:00:00Z")), DAY_OPEN);
	CU_ASSERT_EQUAL(
		calendar_last_close(c, at("2025-10-12T00:00:00Z"), 0), at("2025-10-11T10:00:00Z"));
	calendar_free(c);
}

static void refuses(void)
{
	static const char *const bad[] = { "{\"tz\":\"Mars/Base\",\"hours\":{}}",
		"{\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"10:00\",\"09:00\"]]}}",
		"{\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"09:00\",\"12:00\"],[\"11:00\",\"13:00\"]]}"
		"}",
		"{\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"09:00\",\"24:01\"]]}}",
		"{\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"24:00\",\"24:00\"]]}}",
		"{\"tz\":\"UTC\",\"hours\":{},\"holidays\":[\"2025-02-29\"]}",
		"{\"tz\":\"UTC\",\"hours\":{\"day\":[]}}",
		"{\"tz\":\"UTC\",\"hours\":{},\"extra\":1}", "{\"hours\":{}}", "{\"tz\":\"UTC\"}" };
	int64_t out;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct json_error err;
		struct json_object *o = json_read(bad[i], strlen(bad[i]), &err);
		const char *error = NULL;

		CU_ASSERT_PTR_NULL(calendar_read(o, test_zone, &error));
		CU_ASSERT_PTR_NOT_NULL(error);
		json_object_put(o);
	}
	struct calendar *never = test_calendar("{\"tz\":\"UTC\",\"hours\":{}}");
	CU_ASSERT_FALSE(calendar_add(never, 0, US_PER_S, &out));
	calendar_free(never);
}

static void zones_agree_with_libc(void)
{
	static const char *const names[] = { "Asia/Shanghai", "Europe/Berlin", "America/New_York",
		"Australia/Lord_Howe", "America/Sao_Paulo", "UTC" };

	for (size_t z = 0; z < ARRAY_LEN(names); z++) {
		const struct zone *zone = test_zone(names[z]);

		setenv("TZ", names[z], 1);
		tzset();
		CU_ASSERT_PTR_NOT_NULL_FATAL(zone);
		for (int64_t t = 0; t < 2500000000LL;
			t += 1234567) { /* 1970 to 2049: past the table, into the footer */
			time_t tt = (time_t)t;
			struct tm tm;
			int64_t until;

			localtime_r(&tt, &tm);
			if (zone_offset(zone, t, &until) != tm.tm_gmtoff || until <= t) {
				CU_FAIL("offset differs from the C library's");
				break;
			}
		}
	}
}

/* Count working minutes one by one with the C library's local time. */
static int64_t count_minutes(const char *tz, int64_t from_s, int64_t to_s)
{
	int64_t n = 0;

	setenv("TZ", tz, 1);
	tzset();
	for (int64_t t = from_s; t < to_s; t += 60) {
		time_t tt = (time_t)t;
		struct tm tm;
		int m;
		bool open = false;

		localtime_r(&tt, &tm);
		m = tm.tm_hour * 60 + tm.tm_min;
		if ((tm.tm_year == 126 && tm.tm_mon == 2 && tm.tm_mday == 28) ||
			(tm.tm_year == 125 && tm.tm_mon == 9 && tm.tm_mday == 27))
			continue;
		switch (tm.tm_wday) {
		case 1:
			open = m < 300 || m >= 1320;
			break;
		case 2:
			open = m < 210 || m >= 1215;
			break;
		case 3:
			open = m >= 60 && m < 240;
			break;
		case 0:
		case 6:
			open = true;
			break;
		}
		n += open;
	}
	return n;
}

static void clock_changes(void)
{
	static const char *const names[] = { "Europe/Berlin", "America/New_York",
		"Australia/Lord_Howe" };
	unsigned seed = 5;

	for (size_t z = 0; z < ARRAY_LEN(names); z++) {
		char json[600];
		struct calendar *c;

		snprintf(json, sizeof(json), NIGHTS, names[z]);
		c = test_calendar(json);
		CU_ASSERT_PTR_NOT_NULL_FATAL(c);
		for (int i = 0; i < 60; i++) {
			int64_t from = (at("2025-09-20T00:00:00Z") / US_PER_S / 60 +
					       rand_r(&seed) % (60 * 24 * 240)) *
				       60;
			int64_t to = from + 60 * (rand_r(&seed) % (60 * 24 * 10)), got, back = 0;

			got = calendar_between(c, from * US_PER_S, to * US_PER_S);
			CU_ASSERT_EQUAL(got, count_minutes(names[z], from, to) * 60 * US_PER_S);
			/* add is the inverse: the earliest instant with that much passed */
			if (got > 0 && calendar_add(c, from * US_PER_S, got, &back)) {
				CU_ASSERT(back <= to * US_PER_S);
				CU_ASSERT_EQUAL(calendar_between(c, from * US_PER_S, back), got);
				CU_ASSERT_EQUAL(
					calendar_between(c, from * US_PER_S, back - 1), got - 1);
			}
		}
		calendar_free(c);
	}
}

static void calc_is(const char *line, const char *want, bool ok)
{
	struct buf b = { 0 };

	CU_ASSERT_EQUAL(sla_calc_line(line, strlen(line), test_zone, &b), ok);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b), want);
	if (strcmp(buf_cstr(&b), want) != 0)
		fprintf(stderr, "got  %s\nwant %s\n", buf_cstr(&b), want);
	buf_free(&b);
}

#define C247                                                                                       \
	"\"calendar\":{\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"00:00\",\"24:00\"]],\"tue\":[[\"00:"  \
	"00\",\"24:00\"]],\"wed\":[[\"00:00\",\"24:00\"]],\"thu\":[[\"00:00\",\"24:00\"]],"        \
	"\"fri\":[[\"00:00\",\"24:00\"]],\"sat\":[[\"00:00\",\"24:00\"]],\"sun\":[[\"00:00\","     \
	"\"24:00\"]]}}"

static void calc(void)
{
	calc_is("{\"id\":1,\"op\":\"add_working_time\",\"calendar\":" CN
		",\"start\":\"2025-10-10T09:00:00Z\",\"seconds\":7200}",
		"{\"id\":1,\"result\":\"2025-10-11T02:00:00Z\"}", true);
	calc_is("{\"id\":\"b\",\"op\":\"working_time_between\"," C247
		",\"start\":\"2025-10-10T09:00:00Z\",\"end\":\"2025-10-10T17:00:00.9Z\"}",
		"{\"id\":\"b\",\"result\":28800}", true);
	calc_is("{\"id\":2,\"op\":\"add_working_time\"," C247
		",\"start\":\"2025-10-10T09:00:00Z\",\"seconds\":-1}",
		"{\"id\":2,\"error\":\"seconds: a whole number, not negative\"}", false);
	calc_is("{\"id\":3,\"op\":\"escalation\"," C247
		",\"created\":\"2026-01-05T10:00:00Z\",\"policy\":{\"first_response_s\":3600,"
		"\"resolution_s\":7200,"
		"\"update_s\":1800},\"pause_clocks\":[\"resolution\"],\"resolution_from\":"
		"\"created\",\"events\":["
		"{\"at\":\"2026-01-05T10:30:00Z\",\"type\":\"agent_reply\"},{\"at\":\"2026-01-"
		"05T11:00:00Z\",\"type\":\"pause\"},"
		"{\"at\":\"2026-01-05T11:10:00Z\",\"type\":\"pause\"},{\"at\":\"2026-01-05T11:40:"
		"00Z\",\"type\":\"resume\"},"
		"{\"at\":\"2026-01-05T12:00:00Z\",\"type\":\"close\"}]}",
		"{\"id\":3,\"result\":{\"first_response_due\":\"2026-01-05T11:00:00Z\","
		"\"resolution_due\":\"2026-01-05T12:40:00Z\",\"update_due\":"
		"\"2026-01-05T11:00:00Z\",\"first_response_elapsed_s\":1800,\"resolution_elapsed_"
		"s\":4800,\"paused_working_s\":2400}}",
		true);
	calc_is("{\"id\":4",
		"{\"id\":null,\"error\":\"not JSON: wanted a comma or the closing bracket at byte "
		"7\"}",
		false);
}

#define DAY_WITH(breaks)                                                                           \
	"{\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"00:00\",\"24:00\"]]},\"breaks\":{\"2026-01-"       \
	"05\":" breaks "}}"
#define SIXTEEN                                                                                    \
	"[[\"01:00\",\"01:30\"],[\"02:00\",\"02:30\"],[\"03:00\",\"03:30\"],[\"04:00\",\"04:30\"]" \
	","                                                                                        \
	"[\"05:00\",\"05:30\"],[\"06:00\",\"06:30\"],[\"07:00\",\"07:30\"],[\"08:00\",\"08:30\"]," \
	"[\"09:00\",\"09:30\"],[\"10:00\",\"10:30\"],[\"11:00\",\"11:30\"],[\"12:00\",\"12:30\"]," \
	"[\"13:00\",\"13:30\"],[\"14:00\",\"14:30\"],[\"15:00\",\"15:30\"]%s"

/* A day that breaks cut into more than 16 pieces: no piece is lost in a version that was saved
 * earlier, and a new one is refused. */
static void many_pieces(void)
{
	char fits[1200], more[1000];
	const char *error = NULL;
	struct calendar *c;

	snprintf(fits, sizeof(fits), DAY_WITH(SIXTEEN), "]");
	snprintf(more, sizeof(more), DAY_WITH(SIXTEEN), ",[\"16:00\",\"16:30\"]]");
	c = test_calendar(fits);
	CU_ASSERT_TRUE(calendar_is_usable(c, at("2026-01-01T00:00:00Z"), &error));
	calendar_free(c);
	c = test_calendar(more);
	CU_ASSERT_EQUAL(calendar_between(c, at("2026-01-05T00:00:00Z"), at("2026-01-06T00:00:00Z")),
		57600 * US_PER_S);
	CU_ASSERT_FALSE(calendar_is_usable(c, at("2026-01-01T00:00:00Z"), &error));
	CU_ASSERT_STRING_EQUAL(
		error, "calendar: at most 16 pieces a day are left by breaks: 2026-01-05");
	calendar_free(c);
	snprintf(fits, sizeof(fits),
		"{\"id\":1,\"op\":\"working_time_between\",\"calendar\":%s,\"start\":"
		"\"2026-01-05T00:00:00Z\",\"end\":\"2026-01-06T00:00:00Z\"}",
		more);
	calc_is(fits,
		"{\"id\":1,\"error\":\"calendar: at most 16 pieces a day are left by breaks: "
		"2026-01-05\"}",
		false);
}

static void no_window(void)
{
	static const char *const never[] = { "{\"tz\":\"UTC\",\"hours\":{}}",
		"{\"tz\":\"UTC\",\"hours\":{\"mon\":[]}}",
		"{\"tz\":\"UTC\",\"hours\":{},\"overrides\":{\"2020-01-01\":[[\"09:00\",\"10:00\"]]"
		"}}" };
	const char *error = NULL;
	struct calendar *c;

	for (size_t i = 0; i < ARRAY_LEN(never); i++) {
		c = test_calendar(never[i]);
		CU_ASSERT_FALSE(calendar_is_usable(c, at("2026-01-01T00:00:00Z"), &error));
		CU_ASSERT_STRING_EQUAL(error, "calendar: no window opens within 400 days");
		calendar_free(c);
	}
	c = test_calendar(
		"{\"tz\":\"UTC\",\"hours\":{},\"overrides\":{\"2026-07-01\":[[\"09:00\",\"10:"
		"00\"]]}}");
	CU_ASSERT_TRUE(calendar_is_usable(c, at("2026-01-01T00:00:00Z"), &error));
	CU_ASSERT_FALSE(calendar_is_usable(c, at("2026-07-02T00:00:00Z"), &error));
	calendar_free(c);
	c = calendar_always();
	CU_ASSERT_TRUE(calendar_is_usable(c, 0, &error));
	calendar_free(c);
}

UNIT_MAIN("calendar", { "more pieces than a day may have", many_pieces },
	{ "a calendar without a window", no_window }, { "working time added and counted", adds },
	{ "broken calendars are refused by name", refuses },
	{ "zones agree with the C library", zones_agree_with_libc },
	{ "clock changes, minute by minute", clock_changes }, { "calc lines", calc })
