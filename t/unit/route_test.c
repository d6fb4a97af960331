/* SPDX-License-Identifier: Apache-2.0
 * Finding a route by its path; its parameters; a path that does not have the method. */
#include "core/inner.h"
#include "unit.h"

#include <string.h>

static const struct param by_id[] = { { .name = "id", .key = "id", .source = FROM_PATH },
	{ .name = "kind", .key = "kind", .source = FROM_PATH },
	{ .name = "code", .key = "code", .source = FROM_PATH } };
static const struct contract contract = { .name = "x",
	.about = "x",
	.about_zh = "x",
	.mode = SQL_READ,
	.params = by_id,
	.param_count = 3 };

static struct outcome *flow(struct req *req)
{
	(void)req;
	return GOES_ON;
}

#define ROUTE(m, p)                                                                                \
	{                                                                                          \
		m, p, PERM_ANYONE, .flow = flow, .contract = &contract                             \
	}
static const struct route table[] = { { HTTP_GET, "/", PERM_ANYONE, .file = "index.html" },
	ROUTE(HTTP_GET, "/api/v1/tickets"), ROUTE(HTTP_POST, "/api/v1/tickets"),
	ROUTE(HTTP_GET, "/api/v1/tickets/{id}"), ROUTE(HTTP_GET, "/api/v1/tickets/mine"),
	ROUTE(HTTP_PUT, "/api/v1/catalogue/{kind}/{code}"),
	ROUTE(HTTP_DELETE, "/api/v1/catalogue/{kind}/{code}"),
	ROUTE(HTTP_GET, "/api/v1/catalogue/{kind}/export") };

static struct route_match match(enum http_method m, const char *path)
{
	struct route_match out;

	routes_match(m, str_of(path), &out);
	return out;
}

static void found(void)
{
	struct route_match m;

	routes_build(table, ARRAY_LEN(table));
	CU_ASSERT_PTR_EQUAL(match(HTTP_GET, "/").route, &table[0]);
	CU_ASSERT_PTR_EQUAL(match(HTTP_GET, "/api/v1/tickets").route, &table[1]);
	CU_ASSERT_PTR_EQUAL(match(HTTP_POST, "/api/v1/tickets").route, &table[2]);
	/* a literal segment wins, whatever the order of the table */
	CU_ASSERT_PTR_EQUAL(match(HTTP_GET, "/api/v1/tickets/mine").route, &table[4]);
	m = match(HTTP_GET, "/api/v1/tickets/345");
	CU_ASSERT_PTR_EQUAL(m.route, &table[3]);
	CU_ASSERT_TRUE(m.params == 1 && str_is(m.name[0], "id") && str_is(m.value[0], "345"));
	m = match(HTTP_PUT, "/api/v1/catalogue/region/%E5%8D%8E");
	CU_ASSERT_TRUE(m.route == &table[5] && m.params == 2 && str_is(m.name[1], "code") &&
		       str_is(m.value[1], "%E5%8D%8E"));
	/* HEAD is answered as GET */
	CU_ASSERT_PTR_EQUAL(match(HTTP_HEAD, "/api/v1/tickets/345").route, &table[3]);
}

static void not_found(void)
{
	static const char *const paths[] = { "/api/v1/ticket", "/api/v1/tickets/", "/api",
		"/api/v1/tickets/1/2", "//", "/api//tickets", "/api/v1/catalogue/x", "" };

	for (size_t i = 0; i < ARRAY_LEN(paths) - 1; i++) {
		struct route_match m = match(HTTP_GET, paths[i]);

		if (m.route || m.path_known)
			CU_FAIL(paths[i]);
	}
}

static void other_methods(void)
{
	struct route_match m = match(HTTP_DELETE, "/api/v1/tickets");

	CU_ASSERT_TRUE(!m.route && m.path_known);
	CU_ASSERT_EQUAL(m.methods, 1u << HTTP_GET | 1u << HTTP_POST);
	m = match(HTTP_HEAD, "/api/v1/catalogue/a/b"); /* there is no GET route to answer it */
	CU_ASSERT_TRUE(!m.route && m.path_known);
	CU_ASSERT_EQUAL(m.methods, 1u << HTTP_PUT | 1u << HTTP_DELETE);
	routes_free();
	CU_ASSERT_FALSE(match(HTTP_GET, "/api/v1/tickets").path_known);
}

UNIT_MAIN(
	"route", { "found", found }, { "not found", not_found }, { "other methods", other_methods })
