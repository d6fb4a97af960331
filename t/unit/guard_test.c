/* SPDX-License-Identifier: Apache-2.0
 * Trusted proxies, spellings of addresses, callers of a route, error codes, and the metrics'
 * text. */
#include "core/inner.h"
#include "core/metric.h"
#include "http/conn.h"
#include "unit.h"

#include <string.h>

static void proxies(void)
{
	CU_ASSERT_TRUE(http_list_names("10.0.0.1", "10.0.0.1"));
	CU_ASSERT_TRUE(http_list_names("10.0.0.2, 10.0.0.1", "10.0.0.1"));
	CU_ASSERT_TRUE(http_list_names("10.0.0.10,10.0.0.1", "10.0.0.1"));
	CU_ASSERT_TRUE(http_list_names("110.0.0.1 10.0.0.1", "10.0.0.1"));
	CU_ASSERT_FALSE(http_list_names("", "10.0.0.1") || http_list_names(NULL, "10.0.0.1") ||
			http_list_names("10.0.0.1", "") ||
			http_list_names("10.0.0.2", "10.0.0.1") ||
			http_list_names("10.0.0.10", "10.0.0.1") ||
			http_list_names("10.0.0.1", "10.0.0.10") ||
			http_list_names("110.0.0.1", "10.0.0.1") ||
			http_list_names("10.0.0.1", "local") || http_list_names("local", "local"));
}

/* Every spelling of an address is the same address, and networks have a length. */
static void proxy_forms(void)
{
	static const struct {
		const char *list, *address;
		bool in;
	} cases[] = { { "2001:db8::1", "2001:db8:0:0:0:0:0:1", true },
		{ "2001:0DB8::0001", "2001:db8::1", true },
		{ "[2001:db8::1]", "2001:db8::1", true }, { "2001:db8::1", "2001:db8::10", false },
		{ "2001:db8::10", "2001:db8::1", false }, { "::ffff:10.0.0.1", "10.0.0.1", true },
		{ "10.0.0.1", "::ffff:10.0.0.1", true }, { "::ffff:10.0.0.10", "10.0.0.1", false },
		{ "10.0.0.0/24", "10.0.0.255", true }, { "10.0.0.0/24", "10.0.1.0", false },
		{ "10.0.0.7/24", "10.0.0.9", true }, { "10.0.0.0/31", "10.0.0.1", true },
		{ "10.0.0.0/31", "10.0.0.2", false }, { "10.0.0.4/30", "10.0.0.3", false },
		{ "10.0.0.4/30", "10.0.0.7", true },
		{ "10.0.0.0/8,2001:db8::/32", "2001:db8:ffff::1", true },
		{ "10.0.0.0/8,2001:db8::/32", "2001:db9::1", false },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "10.0.0.0/33", "10.0.0.1", false }, { "10.0.0.0/", "10.0.0.0", false },
		{ "10.0.0", "10.0.0.0", false }, { "0.0.0.0/0", "203.0.113.7", true },
		{ "0.0.0.0/0", "2001:db8::1", false }, { "::/0", "2001:db8::1", true },
		{ "proxy, 10.0.0.1", "10.0.0.1", true } };
	struct str bad;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (http_list_names(cases[i].list, cases[i].address) != cases[i].in)
			CU_FAIL(cases[i].list);
	CU_ASSERT_TRUE(http_list_is_sound("", &bad) && http_list_is_sound(NULL, &bad) &&
		       http_list_is_sound("10.0.0.1, 10.1.0.0/16 [::1],fd00::/8", &bad));
	CU_ASSERT_FALSE(http_list_is_sound("10.0.0.1, proxy.example", &bad));
	CU_ASSERT_TRUE(str_is(bad, "proxy.example"));
	CU_ASSERT_FALSE(http_list_is_sound("10.0.0.0/33", &bad) ||
			http_list_is_sound("::/129", &bad) ||
			http_list_is_sound("10.0.0.1/-1", &bad) || http_list_is_sound("/8", &bad));
}

/* What a proxy forwards has one spelling, so that it counts as one. */
static void forwarded(void)
{
	char out[HTTP_ADDRESS_MAX];

	CU_ASSERT_TRUE(http_address_read(STR("::ffff:203.0.113.7"), out));
	CU_ASSERT_STRING_EQUAL(out, "203.0.113.7");
	CU_ASSERT_TRUE(http_address_read(STR("2001:0DB8::0007"), out));
	CU_ASSERT_STRING_EQUAL(out, "2001:db8::7");
	CU_ASSERT_TRUE(http_address_read(STR("[2001:db8::7]"), out));
	CU_ASSERT_STRING_EQUAL(out, "2001:db8::7");
	CU_ASSERT_FALSE(http_address_read(STR("unknown"), out) || http_address_read(STR(""), out) ||
			http_address_read(STR("203.0.113.7:80"), out));
}

/* For limits, an IPv6 network of 64 bits is one address. */
static void addresses(void)
{
	static const struct {
		const char *address, *key;
	} cases[] = { { "203.0.113.7", "203.0.113.7" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::" },
		{ "2001:db8:1:2::", "2001:db8:1:2::" }, { "::ffff:203.0.113.7", "203.0.113.7" },
		{ "::1", "::" }, { "local", "local" }, { "", "" } };
	char key[HTTP_ADDRESS_MAX];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		http_address_key(cases[i].address, key);
		CU_ASSERT_STRING_EQUAL(key, cases[i].key);
	}
}

static void callers(void)
{
	static const struct {
		struct session s;
		bool may[7]; /* by enum route_only */
	} cases[] = {
		{ { .actor = ACTOR_STAFF, .tenant_id = 1, .session_id = 5, .staff = true },
			{ true, true, false, false, true, false, false } },
		{ { .actor = ACTOR_CUSTOMER, .tenant_id = 7, .session_id = 5 },
			{ true, true, true, true, false, false, false } },
		{ { .actor = ACTOR_SERVICE, .tenant_id = 7 },
			{ true, false, true, false, false, true, false } },
		{ { .actor = ACTOR_SERVICE, .tenant_id = 1, .staff = true },
			{ true, false, false, false, false, true, true } },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int only = ONLY_ANY; only <= ONLY_PROVIDER_SERVICE; only++)
			CU_ASSERT_EQUAL(
				guard_only(&cases[i].s, (enum route_only)only), cases[i].may[only]);
}

/* The codes are in their class, each with its text in both languages. */
static void errors(void)
{
	for (int e = 0; e < ERR_COUNT; e++) {
		const struct error_text *t = error_text((enum err)e);

		CU_ASSERT_TRUE(t->code >= 40001 && t->code <= 51999);
		CU_ASSERT_TRUE(t->status >= 400 && t->status < 600);
		CU_ASSERT_EQUAL(t->status >= 500, t->code >= 50000);
		CU_ASSERT_TRUE(t->en && t->zh && strcmp(t->en, t->zh) != 0);
		CU_ASSERT_TRUE(t->user_en && t->user_zh && t->todo_en && t->todo_zh);
		CU_ASSERT_TRUE(utf8_length(t->zh, strlen(t->zh)) < strlen(t->zh));
	}
	CU_ASSERT_EQUAL(error_text(ERR_NOT_FOUND)->code, 41001);
	CU_ASSERT_EQUAL(error_text(ERR_RATE)->status, 429);
}

static double seven(void)
{
	return 7;
}

static double large(void)
{
	return 12345678901.0;
}

static void labelled(struct buf *b)
{
	buf_adds(b, "sladesk_c{a=\"1\"} 2\n");
}

static void metrics(void)
{
	static const struct metric table[] = { { "a", METRIC_GAUGE, "An a.", seven, NULL },
		{ "b_total", METRIC_COUNTER, "A b.", large, NULL },
		{ "c", METRIC_GAUGE, "A c.", NULL, labelled }, { 0 } };
	struct buf b = { 0 };

	metrics_write(&b, table);
	metrics_write(&b, NULL);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b),
		"# HELP sladesk_a An a.\n# TYPE sladesk_a gauge\nsladesk_a 7\n"
		"# HELP sladesk_b_total A b.\n# TYPE sladesk_b_total counter\n"
		"sladesk_b_total 12345678901\n"
		"# HELP sladesk_c A c.\n# TYPE sladesk_c gauge\nsladesk_c{a=\"1\"} 2\n");
	buf_free(&b);
}

UNIT_MAIN("guard", { "proxies", proxies }, { "spellings", proxy_forms }, { "forwarded", forwarded },
	{ "addresses", addresses }, { "callers", callers }, { "errors", errors },
	{ "metrics", metrics })
