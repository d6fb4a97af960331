/* SPDX-License-Identifier: Apache-2.0
 * The vocabularies: each name is read back as its value, and other texts are refused. */
#include "ticket/names.h"
#include "unit.h"

#include <string.h>

static void priorities(void)
{
	for (int p = P0; p < PRIORITY_COUNT; p++) {
		enum priority one = (enum priority)p;

		CU_ASSERT_EQUAL(priority_parse(str_of(priority_name(one))), one);
		CU_ASSERT_EQUAL(priority_parse(str_of(priority_label(one, false))), one);
		CU_ASSERT_EQUAL(priority_parse(str_of(priority_label(one, true))), one);
		CU_ASSERT_STRING_NOT_EQUAL(priority_label(one, true), priority_label(one, false));
	}
	CU_ASSERT_EQUAL(priority_parse(STR("CRITICAL")), P0);
	CU_ASSERT_EQUAL(priority_parse(STR("p4")), P4);
	CU_ASSERT_STRING_EQUAL(priority_name(PRIORITY_NONE), "");
	CU_ASSERT_STRING_EQUAL(priority_label(PRIORITY_COUNT, true), "");
	CU_ASSERT_EQUAL(priority_parse(STR("")), PRIORITY_NONE);
	CU_ASSERT_EQUAL(priority_parse(STR("P5")), PRIORITY_NONE);
	CU_ASSERT_EQUAL(priority_parse(STR("P0\0")), PRIORITY_NONE);
	CU_ASSERT_EQUAL(priority_parse((struct str){ NULL, 0 }), PRIORITY_NONE);
}

static void states(void)
{
	for (int s = 0; s < TICKET_STATE_COUNT; s++) {
		enum ticket_state one = (enum ticket_state)s;

		CU_ASSERT_EQUAL(ticket_state_parse(str_of(ticket_state_name(one))), one);
		CU_ASSERT_EQUAL(ticket_state_is_open(one),
			one != TICKET_RESOLVED && one != TICKET_CLOSED && one != TICKET_CANCELLED &&
				one != TICKET_MERGED);
	}
	CU_ASSERT_EQUAL(ticket_state_parse(STR("New")), TICKET_STATE_COUNT);
	CU_ASSERT_EQUAL(ticket_state_parse(STR("")), TICKET_STATE_COUNT);
	CU_ASSERT_FALSE(ticket_state_is_open(TICKET_STATE_COUNT));
}

static void actors(void)
{
	for (int k = 0; k < ACTOR_KIND_COUNT; k++)
		CU_ASSERT_EQUAL(actor_kind_parse(str_of(actor_kind_name((enum actor_kind)k))), k);
	CU_ASSERT_EQUAL(actor_kind_parse(STR("robot")), ACTOR_KIND_COUNT);
	CU_ASSERT_EQUAL(actor_kind_parse(STR("staff ")), ACTOR_KIND_COUNT);
}

UNIT_MAIN("names", { "priorities", priorities }, { "states", states }, { "actors", actors })
