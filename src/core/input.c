/* SPDX-License-Identifier: Apache-2.0
 * The input of a request, checked by a contract: each value is converted to its type, and every
 * invalid or unknown one is noted. The values of a flow go into its input (struct in_…); those of a
 * statement become its parameters (bind.c). */
#include "inner.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

/* --- where a value is, for the error that names it --- */

struct place {
	const char *in; /* "grants[2]"; NULL: the request itself */
	const char *key;
};

static const char *place_name(struct req *req, struct place at)
{
	return at.in ? arena_printf(&req->arena, "%s.%s", at.in, at.key) : at.key;
}

static bool note_place(struct req *req, struct place at, const char *rule_en, const char *rule_zh)
{
	req_note_invalid(req, place_name(req, at), rule_en, rule_zh);
	return false;
}

/* --- one value --- */

static void range_of(const struct param *p, int64_t *min, int64_t *max)
{
	*min = p->has_range ? p->min : p->type == PARAM_INT ? INT32_MIN : INT64_MIN;
	*max = p->has_range ? p->max : p->type == PARAM_INT ? INT32_MAX : INT64_MAX;
}

/* A path with an invalid id names nothing: that is "not found", not "invalid". */
static bool note_number(struct req *req, const struct param *p, struct place at)
{
	int64_t min, max;

	range_of(p, &min, &max);
	if (p->source == FROM_PATH)
		return false;
	if (p->has_range)
		note_bad_number(req, place_name(req, at), min, max);
	else
		note_place(req, at, "a whole number", "整数");
	return false;
}

static bool read_plain(
	struct req *req, const struct param *p, struct place at, const char *v, struct value *out)
{
	int64_t n = (int64_t)utf8_length(v, strlen(v));

	if (p->has_range && (n < p->min || n > p->max)) {
		note_bad_length(req, place_name(req, at), p->min, p->max);
		return false;
	}
	/* a text that must not be empty must not look empty either */
	if (p->has_range && p->min > 0 && text_is_blank(str_of(v)))
		return note_place(req, at, "must not be blank", "不能只有空白");
	if (p->in && !choice_is_listed(p->in, str_of(v)))
		return note_place(req, at, arena_printf(&req->arena, "one of %s", p->in),
			arena_printf(&req->arena, "可选值：%s", p->in));
	if (p->like && !format_rule(p->like)->fits(v))
		return note_place(req, at, format_rule(p->like)->en, format_rule(p->like)->zh);
	out->text = v;
	return true;
}

bool read_text_value(
	struct req *req, const struct param *p, const char *in, const char *v, struct value *out)
{
	struct place at = { in, in ? p->key : p->name };
	int64_t min, max;

	switch (p->type) {
	case PARAM_INT:
	case PARAM_BIGINT:
		range_of(p, &min, &max);
		if (!str_to_int(str_of(v), min, max, &out->n))
			return note_number(req, p, at);
		break;
	case PARAM_BOOL:
		if (strcmp(v, "true") != 0 && strcmp(v, "false") != 0)
			return note_place(req, at, "true or false", "true 或 false");
		out->n = v[0] == 't';
		break;
	case PARAM_TIME:
		if (!time_read(str_of(v), &out->n))
			return note_place(req, at, TIME_RULE_EN, TIME_RULE_ZH);
		break;
	case PARAM_TEXT:
		return read_plain(req, p, at, v, out);
	case PARAM_NUMBER:
	case PARAM_JSON:
	case PARAM_OBJECT:
		break;
	}
	out->text = v;
	return true;
}

static bool read_json_number(struct req *req, const struct param *p, struct place at,
	struct json_object *v, int64_t *out)
{
	int64_t min, max;

	range_of(p, &min, &max);
	*out = json_object_get_int64(v);
	if (!json_object_is_type(v, json_type_int) || *out < min || *out > max)
		return note_number(req, p, at);
	return true;
}

bool read_json_value(struct req *req, const struct param *p, const char *in, struct json_object *v,
	struct value *out)
{
	struct place at = { in, in ? p->key : p->name };

	out->json = v;
	switch (p->type) {
	case PARAM_INT:
	case PARAM_BIGINT:
		return read_json_number(req, p, at, v, &out->n);
	case PARAM_NUMBER:
		if (!json_object_is_type(v, json_type_int) &&
			!json_object_is_type(v, json_type_double))
			return note_place(req, at, "a number", "应为数字");
		return true;
	case PARAM_BOOL:
		if (!json_object_is_type(v, json_type_boolean))
			return note_place(req, at, "true or false", "true 或 false");
		out->n = json_object_get_boolean(v);
		return true;
	case PARAM_TEXT:
		if (!json_object_is_type(v, json_type_string))
			return note_place(req, at, "a string", "应为字符串");
		return read_plain(req, p, at, json_object_get_string(v), out);
	case PARAM_TIME:
		if (json_object_is_type(v, json_type_string))
			return read_text_value(req, p, in, json_object_get_string(v), out);
		return read_text_value(req, p, in, "", out);
	case PARAM_OBJECT:
		if (!json_object_is_type(v, json_type_object))
			return note_place(req, at, "an object", "应为对象");
		return true;
	case PARAM_JSON:
		break;
	}
	return true;
}

void note_absent(struct req *req, const struct param *p, const char *in)
{
	note_place(req, (struct place){ in, in ? p->key : p->name }, "required", "必填");
}

/* --- unknown names --- */

static bool has_member(const struct contract *c, int parent, const char *key)
{
	for (int i = 0; i < c->param_count; i++)
		if (c->params[i].source == FROM_BODY && c->params[i].parent == parent &&
			strcmp(c->params[i].key, key) == 0)
			return true;
	return false;
}

void note_unknown_members(struct req *req, const struct contract *c, int parent, const char *in,
	struct json_object *object)
{
	json_object_object_foreach(object, key, val)
	{
		(void)val;
		if (!has_member(c, parent, key))
			note_place(req, (struct place){ in, key }, "unknown field", "未知字段");
	}
}

/* --- a flow's input --- */

struct binding {
	struct req *req;
	const struct contract *c;
	char *input;
	enum bound bound;
};

/* Store V as the value of parameter P. */
static void put_value(struct binding *b, const struct param *p, const struct value *v)
{
	void *slot = b->input + p->slot;

	if (p->slot < 0)
		return;
	if (p->list || p->type == PARAM_JSON || p->type == PARAM_OBJECT)
		*(struct json_object **)slot = v->json;
	else if (p->type == PARAM_TEXT)
		*(const char **)slot = v->text;
	else if (p->type == PARAM_NUMBER)
		*(double *)slot = json_object_get_double(v->json);
	else if (p->type == PARAM_BOOL)
		*(bool *)slot = v->n != 0;
	else if (p->type == PARAM_INT)
		*(int *)slot = (int)v->n;
	else
		*(int64_t *)slot = v->n;
	if (p->given >= 0)
		*(bool *)(b->input + p->given) = true;
	if (p->served && !session_serves(b->req->session, v->n))
		b->bound = BOUND_FOREIGN;
}

static void bind_members(struct binding *b, int parent, const char *in, struct json_object *object);

/* A plain value that the flow checks itself. */
static bool is_documentary(const struct param *p)
{
	return p->loose && !p->list && p->type != PARAM_OBJECT;
}

/* Does the contract describe the contents of parameter I? */
static bool is_closed(const struct contract *c, int i)
{
	if (c->params[i].loose)
		return false;
	for (int k = i + 1; k < c->param_count; k++)
		if (c->params[k].source == FROM_BODY && c->params[k].parent == i)
			return true;
	return false;
}

static bool has_doubles(struct json_object *list)
{
	size_t n = json_object_array_length(list);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (json_object_equal(json_object_array_get_idx(list, i),
				    json_object_array_get_idx(list, k)))
				return true;
	return false;
}

/* Read the items of a list. If a plain item is invalid, the list is noted once. */
static bool items_hold(struct binding *b, int i, struct place at, struct json_object *list)
{
	const struct param *p = &b->c->params[i];
	const char *name = p->type == PARAM_OBJECT ? place_name(b->req, at) : NULL;

	if (p->distinct && has_doubles(list))
		return note_place(b->req, at, "no item twice", "各项不能重复");
	for (size_t k = 0; k < json_object_array_length(list); k++) {
		struct json_object *item = json_object_array_get_idx(list, k);
		struct value v = { 0 };

		if (!read_json_value(b->req, p, at.in, item, &v))
			return false;
		if (name && is_closed(b->c, i))
			bind_members(b, i, arena_printf(&b->req->arena, "%s[%zu]", name, k), item);
	}
	return true;
}

static bool list_holds(struct binding *b, int i, struct place at, struct json_object *v)
{
	const struct param *p = &b->c->params[i];
	int64_t n =
		json_object_is_type(v, json_type_array) ? (int64_t)json_object_array_length(v) : -1;

	if (n < 0 || n < p->items_min || n > p->items_max)
		return note_place(b->req, at,
			arena_printf(&b->req->arena, "a list of %lld to %lld items",
				(long long)p->items_min, (long long)p->items_max),
			arena_printf(&b->req->arena, "%lld 到 %lld 项的列表",
				(long long)p->items_min, (long long)p->items_max));
	return p->loose || items_hold(b, i, at, v);
}

/* Read body member V for parameter I. */
static void bind_member(struct binding *b, int i, const char *in, struct json_object *v)
{
	const struct param *p = &b->c->params[i];
	struct place at = { in, in ? p->key : p->name };
	struct value out = { .json = v };

	if (is_documentary(p))
		return;
	if (p->list ? !list_holds(b, i, at, v) : !read_json_value(b->req, p, in, v, &out))
		return;
	if (p->type == PARAM_OBJECT && !p->list && is_closed(b->c, i))
		bind_members(b, i, place_name(b->req, at), v);
	put_value(b, p, &out);
}

/* Read the members of OBJECT (NULL: not given), the value of parameter PARENT. */
static void bind_members(struct binding *b, int parent, const char *in, struct json_object *object)
{
	int known = 0;

	for (int i = parent + 1; i < b->c->param_count; i++) {
		const struct param *p = &b->c->params[i];
		struct json_object *v = NULL;

		if (p->source != FROM_BODY || p->parent != parent)
			continue;
		known += json_object_object_get_ex(object, p->key, &v);
		if (v)
			bind_member(b, i, in, v);
		else if (p->required && !is_documentary(p))
			note_absent(b->req, p, in);
	}
	if (object && known != json_object_object_length(object) && !b->c->open &&
		(parent < 0 || !b->c->params[parent].more))
		note_unknown_members(b->req, b->c, parent, in, object);
}

/* Store the default of a value that was not given. */
static void bind_defaults(struct binding *b)
{
	for (int i = 0; i < b->c->param_count; i++) {
		const struct param *p = &b->c->params[i];
		struct value v = { .n = INSTANT_NONE };

		if (p->fallback ? read_text_value(b->req, p, NULL, p->fallback, &v)
				: p->type == PARAM_TIME && !p->list)
			put_value(b, p, &v);
	}
}

static const char *plain_value(struct req *req, const struct param *p)
{
	if (p->source == FROM_PATH)
		return req_path_value(req, p->key);
	if (p->source == FROM_QUERY)
		return req_query_value(req, p->key);
	if (p->source == FROM_FORM)
		return req_form_value(req, p->key);
	return strcmp(p->key, "If-Match") == 0 ? req->if_match : req->idempotency_key;
}

/* A text that is not a number is not the id of any tenant. */
static enum bound bad_path(const struct param *p, enum bound so_far)
{
	return p->served || so_far == BOUND_FOREIGN ? BOUND_FOREIGN : BOUND_NOTHING;
}

enum bound bind_input(struct req *req, const struct contract *c)
{
	struct binding b = { req, c, arena_alloc(&req->arena, c->input_size), BOUND };

	req->input = b.input;
	bind_defaults(&b);
	for (int i = 0; i < c->param_count; i++) {
		const struct param *p = &c->params[i];
		const char *text = p->source == FROM_BODY ? NULL : plain_value(req, p);
		struct value v = { 0 };

		if (text && read_text_value(req, p, NULL, text, &v))
			put_value(&b, p, &v);
		else if (p->source == FROM_PATH)
			b.bound = bad_path(p, b.bound);
		else if (!text && p->required && p->source != FROM_BODY)
			note_absent(req, p, NULL);
	}
	bind_members(&b, -1, NULL, req->body);
	if (!c->open)
		note_unknown_query(req, c);
	return b.bound;
}

const void *req_input_if(const struct req *req, const struct contract *c)
{
	const struct contract *is = req->route->contract;

	while (is && is != c)
		is = is->base;
	return is ? req->input : NULL;
}

const void *req_input(const struct req *req, const struct contract *c)
{
	const void *input = req_input_if(req, c);

	bug_on(!input);
	return input;
}
