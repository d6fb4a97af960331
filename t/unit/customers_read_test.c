/* SPDX-License-Identifier: Apache-2.0
 * Customers from a source system: each field has its rule, and a rejected item names the first
 * field that breaks it. */
#include "unit.h"
#include "base/json.h"
#include "../../src/feature/integration/customers_read.h"

#include <string.h>

static struct json_object *list_of(const char *text)
{
	struct json_error err;
	struct json_object *o = json_read(text, strlen(text), &err);

	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	return o;
}

/* The field for which the only item {"external_id":"x","name":"n"MORE} is rejected; "": none. */
static char *field_of(const char *more)
{
	char *text = xasprintf("[{\"external_id\":\"x\",\"name\":\"n\"%s}]", more), *field;
	struct json_object *list = list_of(text), *rejects;
	struct delivery d = { 0 };

	delivery_read(&d, list);
	CU_ASSERT_EQUAL(d.n, 1);
	CU_ASSERT_EQUAL(json_object_array_length(d.good) + d.rejected, 1);
	rejects = list_of(delivery_rejects(&d));
	field = xstrdup(
		d.rejected ? json_get_string(json_object_array_get_idx(rejects, 0), "field") : "");
	if (d.rejected)
		CU_ASSERT_STRING_EQUAL(
			json_get_string(json_object_array_get_idx(rejects, 0), "external_id"), "x");
	json_object_put(rejects);
	json_object_put(list);
	delivery_free(&d);
	free(text);
	return field;
}

static void fields(void)
{
	static const struct {
		const char *more, *field;
	} cases[] = {
		{ "", "" },
		{ ",\"code\":\"acme-1\",\"lang\":\"zh\",\"vip\":true,\"hotline\":\"1\"", "" },
		{ ",\"code\":\"Acme\"", "code" },
		{ ",\"code\":\"-a\"", "code" },
		{ ",\"code\":\"12\"", "code" },
		{ ",\"code\":5", "code" },
		{ ",\"lang\":\"de\"", "lang" },
		{ ",\"vip\":1", "vip" },
		{ ",\"hotline\":\"  \"", "hotline" },
		{ ",\"customer_success_manager\":[]", "customer_success_manager" },
		{ ",\"contracts\":{}", "contracts" },
		{ ",\"contracts\":[5]", "contracts" },
		{ ",\"contracts\":[{\"external_id\":\"c\",\"name\":\"n\",\"status\":\"active\","
		  "\"starts_on\":\"2026-01-01\",\"ends_on\":\"2026-12-31\"}]",
			"" },
		{ ",\"contracts\":[{\"name\":\"n\"}]", "contracts.external_id" },
		{ ",\"contracts\":[{\"external_id\":\"c\"}]", "contracts.name" },
		{ ",\"contracts\":[{\"external_id\":\"c\",\"name\":\"n\",\"status\":\"old\"}]",
			"contracts.status" },
		{ ",\"contracts\":[{\"external_id\":\"c\",\"name\":\"n\",\"starts_on\":\"2026-02-"
		  "30\"}]",
			"contracts.starts_on" },
		{ ",\"contracts\":[{\"external_id\":\"c\",\"name\":\"n\",\"starts_on\":\"2026-02-"
		  "03\",\"ends_on\":\"2026-02-02\"}]",
			"contracts.ends_on" },
		{ ",\"contacts\":[{\"external_id\":\"c\",\"name\":\"n\",\"email\":\"a@b.example\","
		  "\"phone\":\"+86 10 1234\",\"vip\":false}]",
			"" },
		{ ",\"contacts\":[{\"external_id\":\"c\",\"name\":\"n\",\"email\":\"a b\"}]",
			"contacts.email" },
		{ ",\"contacts\":[{\"external_id\":\"c\",\"name\":\"n\",\"phone\":\"call me\"}]",
			"contacts.phone" },
		{ ",\"contacts\":[{\"external_id\":\"c\",\"name\":\"n\",\"title\":\"\"}]",
			"contacts.title" },
		{ ",\"contacts\":[{\"external_id\":\"c\",\"name\":\"n\",\"vip\":\"yes\"}]",
			"contacts.vip" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *field = field_of(cases[i].more);

		if (strcmp(field, cases[i].field) != 0) {
			printf("# %s: \"%s\"\n", cases[i].more, field);
			CU_FAIL("another field");
		}
		free(field);
	}
}

static void items(void)
{
	struct json_object *list =
		list_of("[{\"external_id\":\"a\",\"name\":\"n\"},5,{\"external_id\":\"\"},{}]");
	struct delivery d = { 0 };

	delivery_read(&d, list);
	CU_ASSERT_EQUAL(d.n, 4);
	CU_ASSERT_EQUAL(d.rejected, 3);
	delivery_reject(&d, "a", "code", "already used");
	CU_ASSERT_EQUAL(d.rejected, 4);
	json_object_put(list);
	list = list_of(delivery_rejects(&d));
	CU_ASSERT_EQUAL(json_object_array_length(list), 4);
	CU_ASSERT_STRING_EQUAL(delivery_rejects(&d), delivery_rejects(&d));
	json_object_put(list);
	delivery_free(&d);
	CU_ASSERT_STRING_EQUAL(delivery_rejects(&d), "[]");
}

static void lengths(void)
{
	struct json_object *list = json_object_new_array();

	CU_ASSERT_FALSE(delivery_is_list(NULL));
	CU_ASSERT_FALSE(delivery_is_list(list));
	for (int i = 0; i < 200; i++)
		json_object_array_add(list, json_object_new_object());
	CU_ASSERT_TRUE(delivery_is_list(list));
	json_object_array_add(list, json_object_new_object());
	CU_ASSERT_FALSE(delivery_is_list(list));
	json_object_put(list);
}

UNIT_MAIN("customers_read", { "fields", fields }, { "items", items }, { "lengths", lengths })
