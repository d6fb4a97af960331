/* SPDX-License-Identifier: Apache-2.0
 * The checks that contracts can ask for, over every generated contract. */
#include "core/contract.h"
#include "flow_gen.h"
#include "sql_gen.h"
#include "unit.h"

static void (*on_param)(const struct contract *c, const struct param *p);

static void walk_contract(const struct contract *c)
{
	for (int i = 0; i < c->param_count; i++)
		on_param(c, &c->params[i]);
}

static void walk(void (*fn)(const struct contract *c, const struct param *p))
{
	on_param = fn;
	for (int i = 0; i < SQL_STMT_COUNT; i++)
		walk_contract(sql_stmts[i]->contract);
	for (int i = 0; i < FLOW_COUNT; i++)
		walk_contract(flow_contracts[i]);
}

static int choices_seen;

static void check_choice(const char *choices, struct str v)
{
	char text[200];

	CU_ASSERT_TRUE(choice_is_listed(choices, v));
	snprintf(text, sizeof(text), "%.*s|%.*s", (int)v.n, v.p, (int)v.n, v.p);
	CU_ASSERT_FALSE(choice_is_listed(choices, str_of(text)));
	snprintf(text, sizeof(text), "%.*s|", (int)v.n, v.p);
	CU_ASSERT_FALSE(choice_is_listed(choices, str_of(text)));
	snprintf(text, sizeof(text), "|%.*s", (int)v.n, v.p);
	CU_ASSERT_FALSE(choice_is_listed(choices, str_of(text)));
	snprintf(text, sizeof(text), "%.*sx", (int)v.n, v.p);
	CU_ASSERT_FALSE(choice_is_listed(choices, str_of(text)));
	snprintf(text, sizeof(text), "%.*s", (int)v.n, v.p);
	text[0] ^= 0x20;
	CU_ASSERT_FALSE(choice_is_listed(choices, str_of(text)));
	/* a part of a choice, unless that is a choice itself */
	for (size_t n = 1; n < v.n; n++) {
		bool is_one = false;

		for (const char *p = choices; *p; p += strcspn(p, "|"), p += *p == '|')
			is_one |= strcspn(p, "|") == n && memcmp(p, v.p, n) == 0;
		CU_ASSERT_EQUAL(choice_is_listed(choices, (struct str){ v.p, n }), is_one);
	}
	choices_seen++;
}

static void check_choices(const struct contract *c, const struct param *p)
{
	(void)c;
	if (!p->in)
		return;
	CU_ASSERT_FALSE(choice_is_listed(p->in, STR("")));
	CU_ASSERT_FALSE(choice_is_listed(p->in, STR("|")));
	for (const char *s = p->in; *s; s += strcspn(s, "|"), s += *s == '|')
		check_choice(p->in, (struct str){ s, strcspn(s, "|") });
	if (strchr(p->in, '|'))
		CU_ASSERT_FALSE(choice_is_listed(p->in, str_of(p->in)));
}

static void test_choices(void)
{
	walk(check_choices);
	CU_ASSERT_TRUE(choices_seen > 20);
}

static void check_default(const struct contract *c, const struct param *p)
{
	(void)c;
	CU_ASSERT_FALSE(p->required && p->fallback);
	if (p->fallback && p->in)
		CU_ASSERT_TRUE(choice_is_listed(p->in, str_of(p->fallback)));
	if (p->fallback && p->like)
		CU_ASSERT_TRUE(format_rule(p->like)->fits(p->fallback));
	if (p->example && p->like && !p->list)
		CU_ASSERT_TRUE(format_rule(p->like)->fits(p->example));
	if (p->example && p->in && !p->list)
		CU_ASSERT_TRUE(choice_is_listed(p->in, str_of(p->example)));
	CU_ASSERT_TRUE(p->min <= p->max && p->items_min <= p->items_max);
}

static void test_defaults(void)
{
	walk(check_default);
}

static void test_formats(void)
{
	static const struct {
		enum format f;
		const char *bad[12];
	} bad[] = {
		{ FORMAT_EMAIL, { "", "a", "@b", "a@", "a@b@c", "a b@c" } },
		{ FORMAT_PHONE, { "", "12a" } },
		{ FORMAT_LOGIN_NAME, { "", ".a", "A", "a b", "@a", "\xc3\xa4" } },
		{ FORMAT_CODE, { "", "A", "a.b", "a b" } },
		{ FORMAT_COLOUR, { "", "0055aa", "#0055a", "#0055aag", "#gggggg" } },
		{ FORMAT_HTTPS,
			{ "", "http://x", "https://", "https://a b", "https://a\"", "ftp://x" } },
		{ FORMAT_BASE64URL, { "", "a", "a+b=", "a/b" } },
		{ FORMAT_DATE, { "", "2026-13-01", "2026-1-1", "2026-01-01T00:00:00Z" } },
		{ FORMAT_TIME, { "", "2026-01-31", "2026-01-31T08:00:00", "now" } },
		{ FORMAT_CURSOR, { "", "_1", "0_1", "x", "-1_1" } },
		{ FORMAT_PERIOD, { "", "d", "0d", "367d", "30", "030d" } },
		{ FORMAT_DOMAIN, { "", "ab", "Example.com", "a b.c", "abc", "-.example", "a..b",
					 ".a", "a.", "-a.b", "a-.b", "a.b-" } },
		{ FORMAT_TAG, { "", " ", "a\nb", "\xe2\x80\x8b" } },
		{ FORMAT_WEB, { "", "ftp://x", "https://", "https://u@x/", "https://x:0/",
				      "https://x/ a" } },
	};

	CU_ASSERT_EQUAL(ARRAY_LEN(bad), FORMAT_COUNT - 1);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct format_rule *r = format_rule(bad[i].f);

		CU_ASSERT_TRUE(r->fits(r->example));
		for (size_t k = 0; k < ARRAY_LEN(bad[i].bad) && bad[i].bad[k]; k++)
			CU_ASSERT_FALSE(r->fits(bad[i].bad[k]));
	}
}

UNIT_MAIN("contracts", { "choices", test_choices }, { "defaults and examples", test_defaults },
	{ "formats", test_formats })
