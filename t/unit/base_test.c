/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"
#include "base/clock.h"
#include "base/json.h"
#include "ticket/names.h"

static void integers(void)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t v;
	} cases[] = { { "0", true, 0 }, { "-1", true, -1 },
		{ "9223372036854775807", true, INT64_MAX }, { "9223372036854775808", false, 0 },
		{ "01", false, 0 }, { "-0", false, 0 }, { "+1", false, 0 }, { "", false, 0 },
		{ "-", false, 0 }, { "1 ", false, 0 }, { "1e3", false, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t v = 0;
		bool ok = str_to_int(str_of(cases[i].text), INT64_MIN, INT64_MAX, &v);

		CU_ASSERT_EQUAL(ok, cases[i].ok);
		if (ok)
			CU_ASSERT_EQUAL(v, cases[i].v);
	}
	int64_t v;
	CU_ASSERT_FALSE(str_to_int(STR("201"), 1, 200, &v));
}

static void utf8(void)
{
	CU_ASSERT(utf8_is_valid("宕机 😀", strlen("宕机 😀")));
	CU_ASSERT_EQUAL(utf8_length("宕机 😀", strlen("宕机 😀")), 4);
	CU_ASSERT_FALSE(utf8_is_valid("\xc0\xaf", 2));         /* overlong */
	CU_ASSERT_FALSE(utf8_is_valid("\xed\xa0\x80", 3));     /* surrogate */
	CU_ASSERT_FALSE(utf8_is_valid("\xf4\x90\x80\x80", 4)); /* above U+10FFFF */
	CU_ASSERT_FALSE(utf8_is_valid("\xe5\xae", 2));         /* cut short */
}

/* A text that does not fit ends with a complete character, whatever its width and position. */
static void utf8_cut(void)
{
	static const char *const wide[] = { "a", "é", "汉", "😀" };
	static const char *const shift[] = { "", "x", "xy", "xyz" };

	for (size_t w = 0; w < ARRAY_LEN(wide); w++)
		for (size_t k = 0; k < ARRAY_LEN(shift); k++) {
			char text[200] = "", out[TEXT_SIZE(10)];
			size_t n;

			strcat(text, shift[k]);
			for (int i = 0; i < 40; i++)
				strcat(text, wide[w]);
			n = utf8_format(out, sizeof(out), "%s", text);
			CU_ASSERT_EQUAL(strlen(out), n);
			CU_ASSERT(utf8_is_valid(out, n));
			CU_ASSERT(n > sizeof(out) - 1 - strlen(wide[w]) && n < sizeof(out));
			CU_ASSERT(memcmp(out, text, n) == 0);
			n = utf8_head(str_of(text), 10).n;
			CU_ASSERT_EQUAL(utf8_length(text, n), 10);
			CU_ASSERT(utf8_is_valid(text, n));
		}
	CU_ASSERT_EQUAL(utf8_head(STR("汉字"), 2).n, 6);
	CU_ASSERT_EQUAL(utf8_head(STR("汉字"), 9).n, 6);
	CU_ASSERT_EQUAL(utf8_head(STR("汉字"), 0).n, 0);
}

static void json_output_is_safe(void)
{
	struct buf b = { 0 };
	struct json_error err;

	buf_add_json(&b, "a\"\\\n</script>\x01\x7f", 15);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b), "\"a\\\"\\\\\\n\\u003c/script>\\u0001\\u007f\"");
	CU_ASSERT(json_scan(b.p, b.n, &err));
	buf_free(&b);
}

static void json_gate(void)
{
	static const char *const bad[] = { "", "{", "[1,]", "{\"a\":1,}", "01", "1.", ".5", "NaN",
		"Infinity", "'a'", "\"a\nb\"", "\"\\x\"", "\"\\u0000\"", "\"\\ud800\"", "[1] x",
		"{\"a\" 1}", "{a:1}", "9223372036854775808", "\"\xff\"", "tru", "[1 2]",
		"// c\n1" };
	static const char *const good[] = { "{}", "[]",
		" [1, -2.5e+3, true, null, \"\\ud83d\\ude00\"] ", "{\"a\":{\"b\":[]}}", "-0", "0",
		"\"x\"" };
	struct json_error err;
	char deep[80];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CU_ASSERT_FALSE(json_scan(bad[i], strlen(bad[i]), &err));
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		CU_ASSERT(json_scan(good[i], strlen(good[i]), &err));
	memset(deep, '[', 33);
	memset(deep + 33, ']', 33);
	CU_ASSERT_FALSE(json_scan(deep, 66, &err));
	memset(deep, '[', 32);
	memset(deep + 32, ']', 32);
	CU_ASSERT(json_scan(deep, 64, &err));
	CU_ASSERT_PTR_NULL(json_read("{\"a\":1,\"b\":{\"c\":1,\"c\":2}}", 25, &err));
	CU_ASSERT_STRING_EQUAL(err.rule, "each key once");
}

static void time_text(void)
{
	int64_t v;
	char t[32];

	CU_ASSERT(time_parse(STR("2026-02-28T23:59:59.123456Z"), &v));
	time_format(v, 6, t);
	CU_ASSERT_STRING_EQUAL(t, "2026-02-28T23:59:59.123456Z");
	CU_ASSERT(time_parse(STR("1969-12-31T23:59:59.5+00:00"), &v));
	CU_ASSERT_EQUAL(v, -500000);
	time_format(v, 3, t);
	CU_ASSERT_STRING_EQUAL(t, "1969-12-31T23:59:59.500Z");
	CU_ASSERT(time_parse(STR("2026-01-01T08:00:00+08:00"), &v));
	time_format(v, 3, t);
	CU_ASSERT_STRING_EQUAL(t, "2026-01-01T00:00:00.000Z");
	CU_ASSERT_FALSE(time_parse(STR("2026-02-29T00:00:00Z"), &v));
	CU_ASSERT_FALSE(time_parse(STR("2026-01-01T24:00:00Z"), &v));
	CU_ASSERT_FALSE(time_parse(STR("2026-01-01T00:00:00"), &v));
	CU_ASSERT_FALSE(time_parse(STR("2026-01-01T00:00:00.Z"), &v));
	struct buf b = { 0 };
	buf_add_time_json(&b, v = -1);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b), "\"1969-12-31T23:59:59.999Z\"");
	buf_free(&b);
}

static void warped_clock(void)
{
	int64_t before = clock_now_us();

	clock_warp(3600 * US_PER_S, 1);
	CU_ASSERT(clock_now_us() - before >= 3600 * US_PER_S);
	CU_ASSERT(clock_now_us() - before < 3601 * US_PER_S);
}

static void names(void)
{
	CU_ASSERT_EQUAL(priority_parse(STR("critical")), P0);
	CU_ASSERT_EQUAL(priority_parse(STR("HIGH")), P1);
	CU_ASSERT_EQUAL(priority_parse(STR("p3")), P3);
	CU_ASSERT_EQUAL(priority_parse(STR("一般")), P4);
	CU_ASSERT_EQUAL(priority_parse(STR("urgent")), PRIORITY_NONE);
	for (int s = 0; s < TICKET_STATE_COUNT; s++)
		CU_ASSERT_EQUAL(
			ticket_state_parse(str_of(ticket_state_name((enum ticket_state)s))), s);
}

UNIT_MAIN("base", { "integers are exact", integers }, { "utf-8", utf8 },
	{ "truncated utf-8", utf8_cut }, { "JSON out is safe in HTML", json_output_is_safe },
	{ "the JSON scan", json_gate }, { "time text", time_text },
	{ "warped clock", warped_clock }, { "names", names })
