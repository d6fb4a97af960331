/* SPDX-License-Identifier: Apache-2.0
 * Permissions by name: read and written alike, and only some are a customer's to grant. */
#include "base/json.h"
#include "core/session.h"
#include "unit.h"

#include <string.h>

static void there_and_back(void)
{
	for (int p = PERM_NAMED_FIRST; p < PERM_COUNT; p++) {
		struct buf b = { 0 };

		permissions_add_list(&b, 1u << p);
		CU_ASSERT_EQUAL(permissions_parse((struct str){ b.p, b.n }), 1u << p);
		buf_free(&b);
	}
	for (uint32_t bits = 0; bits < 1u << 10; bits += 7) {
		uint32_t set = bits << PERM_NAMED_FIRST & ((1u << PERM_COUNT) - 1);
		struct buf b = { 0 };

		permissions_add_list(&b, set);
		CU_ASSERT_EQUAL(permissions_parse((struct str){ b.p, b.n }), set);
		buf_free(&b);
	}
}

static void reading(void)
{
	uint32_t both = 1u << PERM_TICKET_READ | 1u << PERM_TICKET_WRITE;

	CU_ASSERT_EQUAL(permissions_parse(STR("{ticket:read,ticket:write}")), both);
	CU_ASSERT_EQUAL(permissions_parse(STR("[\"ticket:write\", \"ticket:read\"]")), both);
	CU_ASSERT_EQUAL(permissions_parse(STR("")), 0);
	CU_ASSERT_EQUAL(permissions_parse(STR("{}")), 0);
	/* part of a name, more than a name, unknown names */
	CU_ASSERT_EQUAL(permissions_parse(STR("{ticket:rea,xticket:read,ticket:readx}")), 0);
	CU_ASSERT_EQUAL(permissions_parse(STR("{everything,staff,TICKET:READ}")), 0);
	CU_ASSERT_EQUAL(permissions_parse(STR("{nonsense,ticket:read")), 1u << PERM_TICKET_READ);
}

static void grants(void)
{
	int grantable = 0;

	CU_ASSERT_EQUAL(permission_grantable("ticket", "read"), PERM_TICKET_READ);
	CU_ASSERT_NOT_EQUAL(permission_grantable("ticket", NULL), PERM_COUNT);
	CU_ASSERT_EQUAL(permission_grantable("ticket", "fly"), PERM_COUNT);
	CU_ASSERT_EQUAL(permission_grantable("", NULL), PERM_COUNT);
	CU_ASSERT_EQUAL(permission_grantable("staff", NULL), PERM_COUNT);
#define PERMISSION(id, r, v, customers)                                                            \
	CU_ASSERT_EQUAL(permission_grantable(#r, #v), customers ? PERM_##id : PERM_COUNT);         \
	grantable += customers;
#include "core/permissions.def"
#undef PERMISSION
	CU_ASSERT_TRUE(grantable > 0 && grantable < PERM_COUNT);
}

static void by_resource(void)
{
	struct buf b = { 0 };
	struct json_object *o;

	permissions_add_object(&b, 1u << PERM_TICKET_READ);
	o = json_tokener_parse(buf_cstr(&b));
	CU_ASSERT_TRUE(json_get_bool(json_get(o, "ticket"), "read", false));
	CU_ASSERT_FALSE(json_get_bool(json_get(o, "ticket"), "write", true));
	json_object_put(o);
	buf_free(&b);
}

UNIT_MAIN("permission", { "written and read back", there_and_back }, { "lists", reading },
	{ "permissions that a customer can grant", grants }, { "by resource", by_resource })
