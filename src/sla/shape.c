/* SPDX-License-Identifier: Apache-2.0
 * Holds a document against the rows of its form. */
#include "sla/shape.h"
#include "base/json.h"

#include <stdio.h>

struct walk {
	const struct shape *rows;
	struct shape_fault *fault;
	int format;
};

/* Where the walk is: in the document, and in the rows. */
struct place {
	char at[120], row[80];
};

static const struct shape *find_row(const struct shape *rows, const char *path)
{
	for (; rows->path; rows++)
		if (strcmp(rows->path, path) == 0)
			return rows;
	return NULL;
}

const char *shape_type_name(enum shape_type t)
{
	static const char *const names[] = { "object", "list", "number", "choice", "text" };

	return names[t];
}

/* "a, b, c" of "a|b|c". */
static void list_choices(const char *choices, const char *between, char *out, size_t size)
{
	struct buf b = { 0 };

	for (const char *p = choices; *p; p++)
		if (*p == '|')
			buf_adds(&b, between);
		else
			buf_addc(&b, *p);
	utf8_format(out, size, "%s", buf_cstr(&b));
	buf_free(&b);
}

static void list_rule(const struct shape *s, bool zh, char *out, size_t size)
{
	long long min = s->min, max = s->max;

	if (min == max)
		utf8_format(
			out, size, zh ? "应为恰好 %lld 项的列表" : "a list of exactly %lld", max);
	else if (min == 0)
		utf8_format(
			out, size, zh ? "应为最多 %lld 项的列表" : "a list of at most %lld", max);
	else
		utf8_format(out, size, zh ? "应为 %lld 到 %lld 项的列表" : "a list of %lld to %lld",
			min, max);
}

void shape_rule(const struct shape *s, bool zh, char *out, size_t size)
{
	char choices[240];

	switch (s->type) {
	case SHAPE_OBJECT:
		utf8_format(out, size, zh ? "应为对象" : "must be an object");
		break;
	case SHAPE_LIST:
		list_rule(s, zh, out, size);
		break;
	case SHAPE_INT:
		utf8_format(out, size,
			zh ? "应为 %lld 到 %lld 的整数" : "a whole number, %lld to %lld",
			(long long)s->min, (long long)s->max);
		break;
	case SHAPE_CHOICE:
		list_choices(s->choices, zh ? "、" : ", ", choices, sizeof(choices));
		utf8_format(out, size, zh ? "应为 %s 之一" : "one of %s", choices);
		break;
	case SHAPE_WORD:
		utf8_format(out, size, "%s", zh ? s->zh : s->en);
		break;
	}
}

static bool refuse_at(
	struct walk *w, const char *at, const char *en, const char *zh, const char *example)
{
	*w->fault = (struct shape_fault){ .example = example };
	utf8_format(w->fault->field, sizeof(w->fault->field), "document%s%s", *at ? "." : "", at);
	utf8_format(w->fault->en, sizeof(w->fault->en), "%s%s%s", at, *at ? ": " : "", en);
	utf8_format(w->fault->zh, sizeof(w->fault->zh), "%s%s%s", at, *at ? "：" : "", zh);
	return false;
}

static bool refuse_row(struct walk *w, const struct shape *s, const char *at)
{
	char en[300], zh[300];

	shape_rule(s, false, en, sizeof(en));
	shape_rule(s, true, zh, sizeof(zh));
	return refuse_at(w, at, en, zh, s->example);
}

static bool is_choice(const char *choices, struct str v)
{
	for (const char *p = choices; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
		if (str_eq((struct str){ p, strcspn(p, "|") }, v))
			return true;
	return false;
}

static bool value_fits(const struct shape *s, struct json_object *v)
{
	bool text = json_object_is_type(v, json_type_string);
	int64_t n;

	switch (s->type) {
	case SHAPE_OBJECT:
		return json_object_is_type(v, json_type_object);
	case SHAPE_LIST:
		n = json_object_is_type(v, json_type_array) ? (int64_t)json_object_array_length(v)
							    : -1;
		return n >= s->min && n <= s->max;
	case SHAPE_INT:
		n = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : s->min - 1;
		return n >= s->min && n <= s->max;
	case SHAPE_CHOICE:
		return text && is_choice(s->choices, json_str(v));
	case SHAPE_WORD:
		return text && s->fits(json_str(v));
	}
	return false;
}

static bool walk(struct walk *w, const struct shape *s, struct json_object *v, const char *at);

/* One member of an object that S describes. */
static bool walk_member(struct walk *w, const struct shape *s, struct json_object *v,
	const char *key, const char *at)
{
	const char *dot = *at ? "." : "", *row_dot = *s->path ? "." : "";
	struct place p;
	const struct shape *row;
	bool plain;

	utf8_format(p.at, sizeof(p.at), "%s%s%s", at, dot, key);
	utf8_format(p.row, sizeof(p.row), "%s%s%s", s->path, row_dot, key);
	plain = !strpbrk(key, ".*["); /* otherwise it could look like the path of another row */
	row = plain ? find_row(w->rows, p.row) : NULL;
	if (row)
		return walk(w, row, v, p.at);
	utf8_format(p.row, sizeof(p.row), "%s%s*", s->path, row_dot);
	row = plain ? find_row(w->rows, p.row) : NULL;
	if (!row)
		return refuse_at(w, p.at, "unknown key", "未知的键", s->example);
	if (!row->fits(str_of(key)))
		return refuse_at(w, p.at, row->en, row->zh, s->example);
	return walk(w, row, v, p.at);
}

static bool walk_object(
	struct walk *w, const struct shape *s, struct json_object *v, const char *at)
{
	size_t n = strlen(s->path);

	json_object_object_foreach(v, key, member)
	{
		if (!walk_member(w, s, member, key, at))
			return false;
	}
	for (const struct shape *r = w->rows; r->path; r++) { /* what must be there */
		const char *name = r->path + n + (n ? 1 : 0);
		struct place p;

		if (!r->required || !*r->path || strncmp(r->path, s->path, n) != 0 ||
			(n && r->path[n] != '.') || strpbrk(name, ".["))
			continue;
		utf8_format(p.at, sizeof(p.at), "%s%s%s", at, *at ? "." : "", name);
		if (!json_object_object_get_ex(v, name, NULL))
			return refuse_at(w, p.at, "required", "必填", r->example);
	}
	return true;
}

static bool walk(struct walk *w, const struct shape *s, struct json_object *v, const char *at)
{
	struct place p;
	const struct shape *row;

	if (!value_fits(s, v))
		return refuse_row(w, s, at);
	if (s->format > w->format)
		w->format = s->format;
	if (s->type == SHAPE_OBJECT)
		return walk_object(w, s, v, at);
	if (s->type != SHAPE_LIST)
		return true;
	utf8_format(p.row, sizeof(p.row), "%s[]", s->path);
	row = find_row(w->rows, p.row);
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		utf8_format(p.at, sizeof(p.at), "%s[%zu]", at, i);
		if (!walk(w, row, json_object_array_get_idx(v, i), p.at))
			return false;
	}
	return true;
}

bool shape_fits(const struct shape *rows, struct json_object *doc, int *out_format,
	struct shape_fault *fault)
{
	struct walk w = { rows, fault, 1 };
	bool fits = walk(&w, find_row(rows, ""), doc, "");

	*out_format = w.format;
	return fits;
}
