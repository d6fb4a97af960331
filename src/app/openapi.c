/* SPDX-License-Identifier: Apache-2.0
 * openapi.json from the route table and the contracts, so that the documentation cannot disagree
 * with the program. */
#include "app.h"
#include "core/contract.h"
#include "feature/ticket/ticket.h"
#include "db/stmt.h"
#include "ticket/ticket.h"

#include <ctype.h>
#include <stdio.h>

static struct buf doc;

static void quote(struct buf *b, const char *s)
{
	buf_add_json(b, s, strlen(s));
}

static const char *json_type(enum param_type t)
{
	return t == PARAM_INT || t == PARAM_BIGINT    ? "integer"
	       : t == PARAM_NUMBER                    ? "number"
	       : t == PARAM_BOOL                      ? "boolean"
	       : t == PARAM_JSON || t == PARAM_OBJECT ? "object"
						      : "string";
}

static void schema_of(struct buf *b, const struct param *p)
{
	buf_addf(b, "{\"type\":\"%s\"", json_type(p->type));
	if (p->has_range && p->type == PARAM_TEXT)
		buf_addf(b, ",\"minLength\":%lld,\"maxLength\":%lld", (long long)p->min,
			(long long)p->max);
	else if (p->has_range)
		buf_addf(b, ",\"minimum\":%lld,\"maximum\":%lld", (long long)p->min,
			(long long)p->max);
	if (p->in) {
		buf_adds(b, ",\"enum\":[");
		for (const char *s = p->in; s; s = strchr(s, '|') ? strchr(s, '|') + 1 : NULL)
			buf_addf(b, "%s\"%.*s\"", s == p->in ? "" : ",", (int)strcspn(s, "|"), s);
		buf_addc(b, ']');
	}
	if (p->fallback && p->type != PARAM_TEXT)
		buf_addf(b, ",\"default\":%s", p->fallback);
	buf_addc(b, '}');
}

static void add_parameter(struct buf *b, bool *first, const char *name, const char *in,
	bool required, const struct param *p)
{
	buf_addf(b,
		"%s{\"name\":\"%s\",\"in\":\"%s\",\"required\":%s,\"schema\":", *first ? "" : ",",
		name, in, required ? "true" : "false");
	if (p)
		schema_of(b, p);
	else
		buf_adds(b, "{\"type\":\"string\"}");
	buf_addc(b, '}');
	*first = false;
}

static const struct contract *contract_of(const struct route *r)
{
	return r->sql ? r->sql->contract : r->contract;
}

static void add_parameters(struct buf *b, const struct route *r)
{
	const struct contract *c = contract_of(r);
	bool first = true, cursor = false;

	buf_adds(b, "\"parameters\":[");
	for (const char *p = strchr(r->path, '{'); p; p = strchr(p + 1, '{')) {
		char name[40];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p + 1, "}"), p + 1);
		add_parameter(b, &first, name, "path", true, NULL);
	}
	for (int i = 0; c && i < c->param_count; i++) {
		const struct param *p = &c->params[i];

		cursor |= p->source == FROM_CURSOR;
		if (p->source == FROM_QUERY)
			add_parameter(b, &first, p->key, "query", p->required, p);
	}
	if (cursor)
		add_parameter(b, &first, "cursor", "query", false, NULL);
	if (r->variant.key)
		add_parameter(b, &first, r->variant.key, "query", false, NULL);
	for (int i = 0; c && i < c->param_count; i++)
		if (c->params[i].source == FROM_HEADER)
			add_parameter(b, &first, c->params[i].key, "header", false, NULL);
	if (r->sql && r->replay)
		add_parameter(b, &first, "Idempotency-Key", "header", false, NULL);
	buf_addc(b, ']');
}

static void add_body(struct buf *b, const struct route *r)
{
	const struct contract *c = contract_of(r);
	struct buf required = { 0 };
	bool first = true, any = false;

	for (int i = 0; c && i < c->param_count; i++)
		any |= c->params[i].source == FROM_BODY;
	if (!any)
		return;
	buf_adds(b, ",\"requestBody\":{\"content\":{\"application/"
		    "json\":{\"schema\":{\"type\":\"object\",\"additionalProperties\":false,"
		    "\"properties\":{");
	for (int i = 0; c && i < c->param_count; i++) {
		const struct param *p = &c->params[i];

		if (p->source != FROM_BODY || p->parent >= 0)
			continue;
		buf_addf(b, "%s\"%s\":", first ? "" : ",", p->key);
		schema_of(b, p);
		first = false;
		if (p->required)
			buf_addf(&required, "%s\"%s\"", required.n ? "," : "", p->key);
	}
	buf_addf(b, "},\"required\":[%s]}}}}", required.n ? buf_cstr(&required) : "");
	buf_free(&required);
}

static const char *json_schema_of(struct str type)
{
	static const char *const map[][2] = { { "bigint", "{\"type\":[\"integer\",\"null\"]}" },
		{ "integer", "{\"type\":[\"integer\",\"null\"]}" },
		{ "smallint", "{\"type\":[\"integer\",\"null\"]}" },
		{ "boolean", "{\"type\":[\"boolean\",\"null\"]}" },
		{ "timestamptz", "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}" },
		{ "jsonb", "{}" }, { "object", "{\"type\":\"object\"}" },
		{ "text[]", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}" },
		{ "bigint[]", "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}" } };

	for (size_t i = 0; i < ARRAY_LEN(map); i++)
		if (str_is(type, map[i][0]))
			return map[i][1];
	return "{\"type\":[\"string\",\"null\"]}";
}

/* "name type, name type" as a JSON schema. */
static void add_columns(struct buf *b, const char *returns)
{
	buf_adds(b, "{\"type\":\"object\",\"properties\":{");
	for (const char *p = returns; *p;) {
		size_t name = strcspn(p, " "), type = strcspn(p + name + 1, ",");

		buf_addf(b, "%s\"%.*s\":%s", p == returns ? "" : ",", (int)name, p,
			json_schema_of((struct str){ p + name + 1, type }));
		p += name + 1 + type;
		p += strspn(p, ", ");
	}
	buf_adds(b, "}}");
}

/* The data in the envelope. */
static void add_reply(struct buf *b, const struct route *r)
{
	const struct contract *c = contract_of(r);
	const char *returns = c->returns;
	bool list = r->sql && r->sql->shape == SQL_LIST;

	if (!returns)
		return;
	buf_adds(b, ",\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\","
		    "\"properties\":{\"code\":{\"type\":\"integer\"},\"message\":{\"type\":"
		    "\"string\"},\"timestamp\":{\"type\":\"string\"},\"request_id\":{\"type\":"
		    "\"string\"},\"data\":");
	if (list)
		buf_adds(b, "{\"type\":\"object\",\"properties\":{\"next_cursor\":{\"type\":["
			    "\"string\",\"null\"]},\"items\":{\"type\":\"array\",\"items\":");
	add_columns(b, returns);
	buf_adds(b, list ? "}}}}}}}" : "}}}}");
}

static void add_operation(struct buf *b, const struct route *r)
{
	char name[10];
	const char *m = http_method_name(r->method), *about, *zh;
	const struct contract *c = contract_of(r);
	size_t i;

	for (i = 0; m[i]; i++)
		name[i] = (char)tolower((unsigned char)m[i]);
	name[i] = 0;
	about = c->about;
	zh = c->about_zh;
	buf_addf(b, "\"%s\":{\"summary\":", name);
	quote(b, about ? about : "");
	buf_adds(b, ",\"x-summary-zh\":");
	quote(b, zh ? zh : about ? about : "");
	buf_addf(b, ",\"security\":[%s],",
		r->permission == PERM_ANYONE ? "" : "{\"bearer\":[]},{\"cookie\":[]}");
	add_parameters(b, r);
	add_body(b, r);
	buf_addf(b, ",\"responses\":{\"%d\":{\"description\":\"done\"",
		c->status                          ? c->status
		: r->method == HTTP_POST && r->sql ? 201
						   : 200);
	add_reply(b, r);
	buf_adds(b, "},\"default\":{\"description\":\"an error\",\"content\":{\"application/"
		    "json\":{\"schema\":{\"$ref\":\"#/components/schemas/Error\"}}}}}}");
}

void openapi_build(void)
{
	const char *last = "";
	size_t n;
	const struct route *routes = app_routes(&n);

	buf_adds(&doc,
		"{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"sladesk\",\"version\":\"1\","
		"\"license\":{\"name\":\"Apache-2.0\"}},\"components\":{\"securitySchemes\":"
		"{\"bearer\":"
		"{\"type\":\"http\",\"scheme\":\"bearer\"},\"cookie\":{\"type\":\"apiKey\","
		"\"in\":\"cookie\",\"name\":\"sd_access\",\"description\":\"with X-CSRF-Token for "
		"every request that changes something\"}},\"schemas\":{\"Error\":{"
		"\"type\":\"object\",\"required\":[\"code\",\"message\",\"request_id\"],"
		"\"properties\":{\"code\":"
		"{\"type\":\"integer\"},\"message\":{\"type\":\"string\"},\"details\":{"
		"\"type\":\"object\"},\"timestamp\":{\"type\":\"string\"},\"request_id\":{"
		"\"type\":\"string\"}}}}},"
		"\"paths\":{");
	for (size_t i = 0; i < n; i++) {
		const struct route *r = &routes[i];

		if (strncmp(r->path, "/test/", 6) == 0 || r->file)
			continue;
		if (strcmp(r->path, last) != 0) {
			if (*last)
				buf_adds(&doc, "},");
			quote(&doc, r->path);
			buf_adds(&doc, ":{");
			last = r->path;
		} else {
			buf_addc(&doc, ',');
		}
		add_operation(&doc, r);
	}
	buf_adds(&doc, "}}}");
}

void openapi_free(void)
{
	buf_free(&doc);
}

struct outcome *openapi(struct req *req)
{
	return req_reply_lasting(
		req, "application/json", "Cache-Control: max-age=60\r\n", doc.p, doc.n);
}
