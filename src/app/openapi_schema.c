/* SPDX-License-Identifier: Apache-2.0
 * The input of a request as JSON schemas with examples. */
#include "openapi.h"

void openapi_quote(struct buf *b, const char *s)
{
	buf_add_json(b, s, strlen(s));
}

static const struct {
	const char *type, *format;
} json_types[] = {
	[PARAM_TEXT] = { "string", NULL },
	[PARAM_INT] = { "integer", "int32" },
	[PARAM_BIGINT] = { "integer", "int64" },
	[PARAM_NUMBER] = { "number", NULL },
	[PARAM_BOOL] = { "boolean", NULL },
	[PARAM_TIME] = { "string", "date-time" },
	[PARAM_JSON] = { NULL, NULL },
	[PARAM_OBJECT] = { "object", NULL },
};

static bool is_number(const struct param *p)
{
	return p->type == PARAM_INT || p->type == PARAM_BIGINT || p->type == PARAM_NUMBER;
}

/* Does parameter I contain other parameters? */
static bool has_members(const struct contract *c, int i)
{
	for (int k = i + 1; k < c->param_count; k++)
		if (c->params[k].source == FROM_BODY && c->params[k].parent == i)
			return true;
	return false;
}

/* --- schemas --- */

static void add_choices(struct buf *b, const char *choices)
{
	buf_adds(b, ",\"enum\":[");
	for (const char *s = choices; *s; s += strcspn(s, "|"), s += *s == '|') {
		buf_adds(b, s == choices ? "" : ",");
		buf_add_json(b, s, strcspn(s, "|"));
	}
	buf_addc(b, ']');
}

static void add_rules(struct buf *b, const struct param *p)
{
	const struct format_rule *like = p->like ? format_rule(p->like) : NULL;

	if (p->has_range)
		buf_addf(b,
			is_number(p) ? ",\"minimum\":%lld,\"maximum\":%lld"
				     : ",\"minLength\":%lld,\"maxLength\":%lld",
			(long long)p->min, (long long)p->max);
	if (p->in || p->shown)
		add_choices(b, p->in ? p->in : p->shown);
	if (like && like->openapi)
		buf_addf(b, ",\"format\":\"%s\"", like->openapi);
	if (like && like->pattern) {
		buf_adds(b, ",\"pattern\":");
		openapi_quote(b, like->pattern);
	}
	if (!p->fallback)
		return;
	buf_adds(b, ",\"default\":");
	if (p->type == PARAM_TEXT)
		openapi_quote(b, p->fallback);
	else
		buf_adds(b, p->fallback);
}

/* "properties", "required", "additionalProperties" for the contents of PARENT (-1: the body). */
static void add_members(
	struct buf *b, const struct contract *c, enum param_source source, int parent, bool more)
{
	bool first = true;

	buf_adds(b, "\"properties\":{");
	for (int i = parent + 1; i < c->param_count; i++) {
		if (c->params[i].source != source || c->params[i].parent != parent)
			continue;
		buf_adds(b, first ? "" : ",");
		openapi_quote(b, c->params[i].key);
		buf_addc(b, ':');
		openapi_param_schema(b, c, i);
		first = false;
	}
	buf_adds(b, "},\"required\":[");
	first = true;
	for (int i = parent + 1; i < c->param_count; i++) {
		if (c->params[i].source != source || c->params[i].parent != parent ||
			!c->params[i].required)
			continue;
		buf_adds(b, first ? "" : ",");
		openapi_quote(b, c->params[i].key);
		first = false;
	}
	buf_addf(b, "],\"additionalProperties\":%s", more ? "true" : "false");
}

static void add_one(struct buf *b, const struct contract *c, int i)
{
	const struct param *p = &c->params[i];

	buf_addc(b, '{');
	if (json_types[p->type].type)
		buf_addf(b, "\"type\":\"%s\"", json_types[p->type].type);
	if (json_types[p->type].format)
		buf_addf(b, ",\"format\":\"%s\"", json_types[p->type].format);
	add_rules(b, p);
	if (p->type == PARAM_OBJECT && has_members(c, i)) {
		buf_addc(b, ',');
		add_members(b, c, FROM_BODY, i, p->more || p->loose);
	}
	buf_addc(b, '}');
}

void openapi_param_schema(struct buf *b, const struct contract *c, int i)
{
	const struct param *p = &c->params[i];

	if (!p->list && !p->words) {
		add_one(b, c, i);
		return;
	}
	buf_adds(b, "{\"type\":\"array\",");
	if (p->list)
		buf_addf(b, "\"minItems\":%lld,\"maxItems\":%lld,%s", (long long)p->items_min,
			(long long)p->items_max, p->distinct ? "\"uniqueItems\":true," : "");
	buf_adds(b, "\"items\":");
	add_one(b, c, i);
	buf_addc(b, '}');
}

void openapi_body_schema(struct buf *b, const struct contract *c, enum param_source source)
{
	buf_adds(b, "{\"type\":\"object\",");
	add_members(b, c, source, -1, c->open);
	buf_addc(b, '}');
}

/* --- examples --- */

static int64_t example_number(const struct param *p)
{
	int64_t n = 7;

	if (p->has_range && n < p->min)
		n = p->min;
	return p->has_range && n > p->max ? p->max : n;
}

/* An example that fits the name, else a text of the required length. */
static void add_text_example(struct buf *b, const struct param *p)
{
	static const char *const known[][2] = { { "url", "https://hooks.example.com/sladesk" },
		{ "secret", "a-secret-of-16-letters" }, { "name_zh", "网络" },
		{ "name_en", "Network" }, { "tag", "vip" }, { "code", "network" },
		{ "username", "wang.fang" } };
	size_t n = p->has_range && p->min > 4 ? (size_t)p->min : 4;

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(p->key, known[i][0]) == 0) {
			openapi_quote(b, known[i][1]);
			return;
		}
	buf_addc(b, '"');
	while (n--)
		buf_addc(b, 'x');
	buf_addc(b, '"');
}

static void add_member_examples(
	struct buf *b, const struct contract *c, enum param_source source, int parent);

static void add_one_example(struct buf *b, const struct contract *c, int i)
{
	const struct param *p = &c->params[i];

	if (p->in)
		buf_add_json(b, p->in, strcspn(p->in, "|"));
	else if (p->like)
		openapi_quote(b, format_rule(p->like)->example);
	else if (p->type == PARAM_TIME)
		buf_adds(b, "\"2026-01-31T08:00:00Z\"");
	else if (p->type == PARAM_BOOL)
		buf_adds(b, p->fallback ? p->fallback : "true");
	else if (is_number(p) && p->fallback)
		buf_adds(b, p->fallback);
	else if (is_number(p))
		buf_add_int(b, example_number(p));
	else if (p->type == PARAM_OBJECT)
		add_member_examples(b, c, FROM_BODY, i);
	else if (p->fallback)
		openapi_quote(b, p->fallback);
	else
		add_text_example(b, p);
}

void openapi_param_example(struct buf *b, const struct contract *c, int i)
{
	const struct param *p = &c->params[i];

	if (p->example &&
		(p->list || p->words || (p->type != PARAM_TEXT && p->type != PARAM_TIME))) {
		buf_adds(b, p->example);
	} else if (p->example) {
		openapi_quote(b, p->example);
	} else if (p->list) {
		buf_addc(b, '[');
		add_one_example(b, c, i);
		buf_addc(b, ']');
	} else {
		add_one_example(b, c, i);
	}
}

static bool is_shown(const struct param *p, bool needed_only)
{
	return needed_only ? p->required : !(p->loose && !p->list && p->type != PARAM_OBJECT);
}

/* The required members of PARENT; all of them if none is required. */
static void add_member_examples(
	struct buf *b, const struct contract *c, enum param_source source, int parent)
{
	bool needed = false, first = true;

	for (int i = parent + 1; i < c->param_count; i++)
		needed |= c->params[i].source == source && c->params[i].parent == parent &&
			  c->params[i].required;
	buf_addc(b, '{');
	for (int i = parent + 1; i < c->param_count; i++) {
		if (c->params[i].source != source || c->params[i].parent != parent ||
			!is_shown(&c->params[i], needed))
			continue;
		buf_adds(b, first ? "" : ",");
		openapi_quote(b, c->params[i].key);
		buf_addc(b, ':');
		openapi_param_example(b, c, i);
		first = false;
	}
	buf_addc(b, '}');
}

void openapi_body_example(struct buf *b, const struct contract *c, enum param_source source)
{
	if (c->example)
		buf_adds(b, c->example);
	else
		add_member_examples(b, c, source, -1);
}
