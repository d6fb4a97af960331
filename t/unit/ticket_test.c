/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"
#include "ticket/ticket.h"
#include "ticket/priority.h"

static enum ticket_refusal go(
	enum ticket_command c, enum ticket_state s, enum actor_kind a, enum ticket_state want)
{
	enum ticket_state got = TICKET_STATE_COUNT;
	enum ticket_refusal r = ticket_apply(c, s, a, &got);

	if (r == TICKET_ALLOWED)
		CU_ASSERT_EQUAL(got, want);
	return r;
}

static void transitions(void)
{
	CU_ASSERT_EQUAL(go(CMD_REPLY, TICKET_NEW, ACTOR_STAFF, TICKET_ACCEPTED), TICKET_ALLOWED);
	CU_ASSERT_EQUAL(
		go(CMD_REPLY, TICKET_IN_PROGRESS, ACTOR_STAFF, TICKET_IN_PROGRESS), TICKET_ALLOWED);
	CU_ASSERT_EQUAL(
		go(CMD_CUSTOMER_REPLY, TICKET_PENDING_CUSTOMER, ACTOR_CUSTOMER, TICKET_IN_PROGRESS),
		TICKET_ALLOWED);
	CU_ASSERT_EQUAL(go(CMD_RESOLVE, TICKET_RESOLVED, ACTOR_STAFF, 0), TICKET_WRONG_STATE);
	CU_ASSERT_EQUAL(go(CMD_RESOLVE, TICKET_NEW, ACTOR_CUSTOMER, 0), TICKET_WRONG_ACTOR);
	CU_ASSERT_EQUAL(go(CMD_CONFIRM_RESOLUTION, TICKET_RESOLVED, ACTOR_CUSTOMER, TICKET_CLOSED),
		TICKET_ALLOWED);
	CU_ASSERT_EQUAL(
		go(CMD_REOPEN, TICKET_CLOSED, ACTOR_CUSTOMER, TICKET_IN_PROGRESS), TICKET_ALLOWED);
	CU_ASSERT_EQUAL(go(CMD_REOPEN, TICKET_CANCELLED, ACTOR_STAFF, 0), TICKET_WRONG_STATE);
}

/* No command by any actor changes the state of a cancelled or merged ticket. */
static void terminal_states_stay(void)
{
	for (int c = CMD_CREATE + 1; c < CMD_COUNT; c++)
		for (int a = 0; a < ACTOR_KIND_COUNT; a++)
			for (enum ticket_state s = TICKET_CANCELLED; s <= TICKET_MERGED; s++) {
				enum ticket_state to = s;

				if (ticket_apply((enum ticket_command)c, s, (enum actor_kind)a,
					    &to) == TICKET_ALLOWED)
					CU_ASSERT_EQUAL(to, s);
			}
}

static void every_command_is_complete(void)
{
	for (int c = 0; c < CMD_COUNT; c++) {
		CU_ASSERT_PTR_NOT_NULL_FATAL(ticket_rule((enum ticket_command)c)->name);
		CU_ASSERT_PTR_NOT_NULL(ticket_rule((enum ticket_command)c)->event);
		CU_ASSERT(ticket_rule((enum ticket_command)c)->actors != 0);
		CU_ASSERT_EQUAL(
			ticket_command_parse(str_of(ticket_rule((enum ticket_command)c)->name)), c);
	}
}

static void priorities(void)
{
	static const struct keyword words[] = { { "宕机", KEYWORD_SIGN, P0 },
		{ "down", KEYWORD_SIGN, P0 }, { "data loss", KEYWORD_SIGN, P0 },
		{ "slow", KEYWORD_SIGN, P2 }, { "咨询", KEYWORD_SIGN, P4 } };
	struct priority_facts f = { .keywords = words,
		.keyword_count = ARRAY_LEN(words),
		.usual = PRIORITY_NONE,
		.incident = PRIORITY_NONE };

	f.title = STR("生产数据库宕机");
	CU_ASSERT_EQUAL(priority_decide(&f).priority, P0);
	CU_ASSERT_STRING_EQUAL(priority_decide(&f).source, "keyword");
	f.title = STR("Where can I download the report?");
	CU_ASSERT_EQUAL(priority_decide(&f).priority, P3); /* "down" must not match "download" */
	f.title = STR("Site is DOWN!");
	CU_ASSERT_EQUAL(priority_decide(&f).priority, P0);
	f.title = STR("咨询");
	f.impact_scope = "most_users";
	CU_ASSERT_EQUAL(priority_decide(&f).priority, P1); /* the strongest sign */
	f.title = STR("hello");
	f.impact_scope = NULL;
	f.usual = P2;
	CU_ASSERT_STRING_EQUAL(priority_decide(&f).source, "history");
	f.factors = 1u << FACTOR_CONTINUITY | 1u << FACTOR_DATA_INTEGRITY;
	CU_ASSERT_EQUAL(priority_decide(&f).priority, P0);
}

/* --- from words --- */

/* Decide by a few rules of each kind. */
static enum priority said(const char *title, const char *description)
{
	static const struct keyword words[] = { { "宕机|down!slow", KEYWORD_SIGN, P0 },
		{ "支付|下单+失败|无法", KEYWORD_SIGN, P1 }, { "咨询", KEYWORD_SIGN, P4 },
		{ "测试环境|if", KEYWORD_CAP, P3 }, { "已恢复|recovered!尽快", KEYWORD_OVER, P3 },
		{ "没有|没|未|not|no", KEYWORD_NOT, P4 } };
	struct priority_facts f = { .title = str_of(title),
		.description = str_of(description),
		.keywords = words,
		.keyword_count = ARRAY_LEN(words),
		.usual = PRIORITY_NONE,
		.incident = PRIORITY_NONE };

	return priority_decide(&f).priority;
}

static void rules_on_clauses(void)
{
	static const struct {
		const char *title, *description;
		enum priority p;
	} cases[] = { { "支付总是失败", "", P1 }, { "失败的支付", "", P1 }, /* in any order */
		{ "支付很慢", "提交失败", P3 },                             /* not in one clause */
		{ "系统没有宕机，只是想咨询一下", "", P4 }, { "没宕机", "", P3 },
		{ "未知原因宕机", "", P0 },         /* a single character denies what follows it */
		{ "没有人处理，系统宕机", "", P0 }, /* the negation is in another clause */
		{ "the site is not down", "", P3 }, { "slow, then down", "", P0 },
		{ "slow down", "", P3 }, { "测试环境宕机", "", P3 },
		{ "测试环境正常，生产宕机", "", P0 }, { "宕机", "已恢复", P3 },
		{ "宕机已恢复", "", P3 }, { "宕机", "未恢复", P0 }, { "已恢复", "又宕机", P0 },
		{ "宕机", "请尽快让系统已恢复", P0 }, { "", "", P3 }, { "，。,", "!?", P3 },
		{ "v1.down.2", "", P0 }, { "it is fine.down", "", P0 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (said(cases[i].title, cases[i].description) != cases[i].p) {
			fprintf(stderr, "%s / %s\n", cases[i].title, cases[i].description);
			CU_FAIL("another priority");
		}
}

/* Strange rules and texts end, and find nothing that is not there. */
static void strange_rules(void)
{
	static const char *const rules[] = { "", "|", "+", "!", "a|", "|a", "+a", "a!", "a!a", "!a",
		"++", "a+|", "|||" };
	struct keyword k = { .kind = KEYWORD_SIGN, .priority = P0 };
	struct priority_facts f = { .keywords = &k,
		.keyword_count = 1,
		.usual = PRIORITY_NONE,
		.incident = PRIORITY_NONE,
		.title = STR("b c") };
	char *large = xmalloc(200001);

	memset(large, 'x', 200000);
	large[200000] = 0;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		for (int kind = KEYWORD_SIGN; kind <= KEYWORD_NOT; kind++) {
			k.text = rules[i];
			k.kind = (enum keyword_kind)kind;
			f.description = STR("");
			CU_ASSERT_EQUAL(priority_decide(&f).priority, P3);
			f.description = str_of(large);
			CU_ASSERT_EQUAL(priority_decide(&f).priority, P3);
		}
	free(large);
}

static void words_that_matched(void)
{
	static const struct keyword words[] = { { "支付|下单+失败|无法", KEYWORD_SIGN, P1 } };
	struct priority_facts f = { .title = STR("无法下单"),
		.keywords = words,
		.keyword_count = 1,
		.usual = PRIORITY_NONE,
		.incident = PRIORITY_NONE };

	CU_ASSERT_STRING_EQUAL(priority_decide(&f).keyword, "下单 … 无法");
	CU_ASSERT_STRING_EQUAL(priority_decide(&f).source, "keyword");
}

UNIT_MAIN("ticket", { "transitions", transitions },
	{ "terminal states are final", terminal_states_stay },
	{ "every command is complete", every_command_is_complete }, { "priorities", priorities },
	{ "rules on clauses", rules_on_clauses }, { "strange rules", strange_rules },
	{ "words that matched", words_that_matched })
