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

static const char *labelled(const char *json, bool zh)
{
	static struct buf b;

	b.n = 0;
	priority_add_labelled(&b, str_of(json), zh);
	return buf_cstr(&b);
}

static void labels(void)
{
	CU_ASSERT_STRING_EQUAL(labelled("{\"priority\":\"P1\",\"x\":1}", false),
		"{\"priority\":\"P1\",\"priority_label\":\"high\",\"x\":1}");
	CU_ASSERT_STRING_EQUAL(
		labelled("{\"data\": {\"priority\": \"P0\"}, \"priority\" : \"P4\"}", true),
		"{\"data\": {\"priority\": \"P0\",\"priority_label\":\"紧急\"}, \"priority\" : "
		"\"P4\",\"priority_label\":\"一般\"}");
	for (size_t i = 0; i < 9; i++) {
		static const char *const same[] = { "", "{}", "{\"priority\":null}",
			"{\"priority\":\"P5\"}", "{\"priority\":\"P\"}", "{\"priority\"",
			"{\"x\":\"priority\",\"y\":\"P1\"}",
			"{\"text\":\"{\\\"priority\\\":\\\"P1\\\"}\"}", "{\"priority\":\"P" };

		CU_ASSERT_STRING_EQUAL(labelled(same[i], false), same[i]);
	}
	struct buf none = { 0 };

	priority_add_labelled(&none, (struct str){ NULL, 0 }, true);
	CU_ASSERT_EQUAL(none.n, 0);
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

UNIT_MAIN("names", { "priorities", priorities }, { "labels", labels }, { "states", states },
	{ "actors", actors })
