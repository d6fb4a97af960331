/* SPDX-License-Identifier: Apache-2.0
 * The reply of an endpoint as a JSON schema with an example, from the contract's "returns" lines,
 * which name every member by its path, such as "clocks[].state text". */
#include "openapi.h"

#include <stdio.h>

struct field {
	struct str path, type;
	bool list, nullable;
};

/* Read the next "path type" at *AT. Returns false at the end. */
static bool next_field(const char **at, struct field *out)
{
	size_t path = strcspn(*at, " "), type = strcspn(*at + path + (**at != 0), ",");
	const char *s = *at + path + 1;

	if (!**at)
		return false;
	*out = (struct field){ .path = { *at, path }, .type = { s, type } };
	*at = s + type;
	*at += strspn(*at, ", ");
	if (out->type.p[out->type.n - 1] == '?') {
		out->nullable = true;
		out->type.n--;
	}
	if (out->type.n > 2 && memcmp(out->type.p + out->type.n - 2, "[]", 2) == 0) {
		out->list = true;
		out->type.n -= 2;
	}
	return true;
}

/* "*": other members that OpenAPI need not describe. */
static bool is_any(struct str name)
{
	return str_is(name, "*");
}

/* F's name, if it is directly below PREFIX. */
static bool name_below(const struct field *f, const char *prefix, struct str *out)
{
	size_t n = strlen(prefix);

	if (f->path.n <= n || memcmp(f->path.p, prefix, n) != 0)
		return false;
	*out = (struct str){ f->path.p + n, f->path.n - n };
	return !str_chr(*out, '.');
}

/* The prefix of everything that F contains. */
static void prefix_in(const struct field *f, char out[200])
{
	snprintf(out, 200, "%.*s%s.", (int)f->path.n, f->path.p, f->list ? "[]" : "");
}

static bool has_below(const char *returns, const char *prefix)
{
	struct field f;
	struct str name;

	while (next_field(&returns, &f))
		if (name_below(&f, prefix, &name))
			return true;
	return false;
}

static const struct type {
	const char *names; /* the types of contracts and of PostgreSQL */
	const char *type, *format, *example;
} types[] = {
	{ "int|integer|smallint", "integer", "int32", "1" },
	{ "bigint", "integer", "int64", "7" },
	{ "number|numeric|double precision|real", "number", NULL, "98.5" },
	{ "bool|boolean", "boolean", NULL, "true" },
	{ "time|timestamptz", "string", "date-time", "\"2026-01-31T08:00:00.000Z\"" },
	{ "date", "string", "date", "\"2026-01-31\"" },
	{ "json|jsonb", NULL, NULL, "{}" },
	{ "object", "object", NULL, "{}" },
	{ "text|uuid|inet", "string", NULL, "\"text\"" },
};

static const struct type *type_of(const struct field *f)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (choice_is_listed(types[i].names, f->type))
			return &types[i];
	bug_fail(__FILE__, __LINE__, "a contract returns a type that OpenAPI does not know");
}

/* --- schemas --- */

static void add_type(struct buf *b, const char *type, bool nullable)
{
	if (nullable)
		buf_addf(b, "\"type\":[\"%s\",\"null\"]", type);
	else
		buf_addf(b, "\"type\":\"%s\"", type);
}

static void add_properties(
	struct buf *b, const char *returns, const char *prefix, bool all_nullable);

static void add_one(struct buf *b, const char *returns, const struct field *f, bool nullable)
{
	const struct type *t = type_of(f);
	char prefix[200];

	buf_addc(b, '{');
	if (t->type)
		add_type(b, t->type, nullable);
	if (t->format)
		buf_addf(b, ",\"format\":\"%s\"", t->format);
	prefix_in(f, prefix);
	if (t->type && strcmp(t->type, "object") == 0 && has_below(returns, prefix)) {
		buf_addc(b, ',');
		add_properties(b, returns, prefix, false);
	}
	buf_addc(b, '}');
}

static void add_properties(
	struct buf *b, const char *returns, const char *prefix, bool all_nullable)
{
	const char *at = returns;
	bool first = true, more = false;
	struct field f;
	struct str name;

	buf_adds(b, "\"properties\":{");
	while (next_field(&at, &f)) {
		bool nullable = f.nullable || all_nullable;

		if (!name_below(&f, prefix, &name))
			continue;
		if (is_any(name)) {
			more = true;
			continue;
		}
		buf_adds(b, first ? "" : ",");
		buf_add_json(b, name.p, name.n);
		buf_addc(b, ':');
		if (f.list) {
			buf_addc(b, '{');
			add_type(b, "array", nullable);
			buf_adds(b, ",\"items\":");
		}
		add_one(b, returns, &f, nullable && !f.list);
		buf_adds(b, f.list ? "}" : "");
		first = false;
	}
	buf_adds(b, more ? "},\"additionalProperties\":true" : "}");
}

void openapi_reply_schema(struct buf *b, const struct contract *c, bool statement)
{
	buf_addc(b, '{');
	add_type(b, "object", c->nullable);
	buf_addc(b, ',');
	add_properties(b, c->returns ? c->returns : "", "", statement);
	buf_addc(b, '}');
}

/* --- examples --- */

/* An example for a member of this name and type T; NULL: the general example of its type. */
static const char *example_of_name(struct str name, const struct type *t)
{
	static const char *const known[][2] = { { "number", "\"TKT-000123\"" },
		{ "priority", "\"P2\"" }, { "status", "\"in_progress\"" },
		{ "title", "\"Cannot log in\"" }, { "username", "\"wang.fang\"" },
		{ "full_name", "\"Wang Fang\"" }, { "email", "\"wang.fang@example.com\"" },
		{ "version", "3" }, { "lang", "\"zh\"" }, { "role_type", "\"admin\"" },
		{ "service_type", "\"incident\"" }, { "url", "\"https://hooks.example.com/\"" } };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_is(name, known[i][0]) && !t->format == (known[i][1][0] == '"'))
			return known[i][1];
	return NULL;
}

static void add_examples(struct buf *b, const char *returns, const char *prefix)
{
	const char *at = returns;
	bool first = true;
	struct field f;
	struct str name;

	buf_addc(b, '{');
	while (next_field(&at, &f)) {
		const struct type *t = type_of(&f);
		char inside[200];
		const char *known;

		if (!name_below(&f, prefix, &name) || is_any(name))
			continue;
		known = example_of_name(name, t);
		buf_adds(b, first ? "" : ",");
		buf_add_json(b, name.p, name.n);
		buf_adds(b, f.list ? ":[" : ":");
		prefix_in(&f, inside);
		if (t->type && strcmp(t->type, "object") == 0)
			add_examples(b, returns, inside);
		else
			buf_adds(b, known ? known : t->example);
		buf_adds(b, f.list ? "]" : "");
		first = false;
	}
	buf_addc(b, '}');
}

void openapi_reply_example(struct buf *b, const struct contract *c)
{
	add_examples(b, c->returns ? c->returns : "", "");
}
