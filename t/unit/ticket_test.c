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
	static const struct keyword words[] = { { "宕机", P0 }, { "down", P0 }, { "data loss", P0 },
		{ "slow", P2 }, { "咨询", P4 } };
	struct priority_facts f = {
		.keywords = words, .keyword_count = ARRAY_LEN(words), .usual = PRIORITY_NONE
	};

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

UNIT_MAIN("ticket", { "transitions", transitions },
	{ "terminal states are final", terminal_states_stay },
	{ "every command is complete", every_command_is_complete }, { "priorities", priorities })
