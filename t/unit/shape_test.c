/* SPDX-License-Identifier: Apache-2.0
 * The forms of policies and calendars: generated over their rows. */
#include "base/json.h"
#include "config/zones.h"
#include "sla/policy.h"
#include "sla/shape.h"
#include "unit.h"

#include <string.h>

#define NOW (1785542400 * US_PER_S) /* 2026-08-01 */

static struct json_object *parse(const char *text)
{
	struct json_error err;
	struct json_object *o = json_read(text, strlen(text), &err);

	if (!o && strcmp(text, "null") != 0)
		CU_FAIL(text);
	return o;
}

static const char *row_key(const struct shape *rows, const char *name)
{
	if (strcmp(name, "*") != 0)
		return name;
	for (; rows->path; rows++)
		if (strcmp(rows->path, "priorities.*") == 0)
			return "P2";
	return NULL;
}

/* DOC with V at the row's path. Takes V. */
static struct json_object *with(const struct shape *rows, struct json_object *doc, const char *path,
	struct json_object *v, const char *star)
{
	size_t n = strcspn(path, ".[");
	char key[40];

	if (!*path) {
		json_object_put(doc);
		return v;
	}
	if (*path == '[') {
		struct json_object *list = json_object_new_array();

		struct json_object *was = json_object_is_type(doc, json_type_array)
						  ? json_object_array_get_idx(doc, 0)
						  : NULL;

		json_object_array_add(list, with(rows, json_object_get(was), path + 2, v, star));
		json_object_put(doc);
		return list;
	}
	path += *path == '.';
	n = strcspn(path, ".[");
	snprintf(key, sizeof(key), "%.*s", (int)n, path);
	if (strcmp(key, "*") == 0)
		snprintf(key, sizeof(key), "%s", star);
	if (!json_object_is_type(doc, json_type_object)) {
		json_object_put(doc);
		doc = json_object_new_object();
	}
	json_object_object_add(
		doc, key, with(rows, json_object_get(json_get(doc, key)), path + n, v, star));
	return doc;
}

/* A document in which the row's path has its place. */
static struct json_object *base_for(const struct shape *rows, const char *path)
{
	struct json_object *doc = parse(rows->example);

	if (strncmp(path, "notifications[]", 15) == 0)
		for (const struct shape *s = rows; s->path; s++)
			if (strcmp(s->path, "notifications") == 0)
				json_object_object_add(doc, "notifications", parse(s->example));
	return doc;
}

static bool valid(const struct shape *rows, struct json_object *doc, struct shape_fault *fault)
{
	int format;

	return rows == policy_shape ? policy_is_valid(doc, &format, fault)
				    : calendar_is_valid(doc, zone_find, NOW, fault);
}

static const char *star_of(const struct shape *rows, const char *path)
{
	return row_key(rows, "*") ? "P2" : strncmp(path, "hours", 5) == 0 ? "tue" : "2026-10-12";
}

/* The example of each row is accepted in its place, and the whole is read. */
static void examples(const struct shape *rows)
{
	int n = 0;

	for (const struct shape *s = rows; s->path; s++, n++) {
		struct shape_fault fault = { 0 };
		struct json_object *doc = base_for(rows, s->path), *v = parse(s->example);

		if (strstr(s->path, "[][]") && rows == calendar_shape) {
			json_object_put(v); /* a window has two times */
			v = parse("[\"09:00\",\"10:00\"]");
			doc = with(rows, doc, "hours.*[]", v, "tue");
		} else if (strcmp(s->path, "priorities.*.ladder_s[]") == 0) {
			json_object_put(v);
			doc = with(rows, doc, "priorities.*.ladder_s", parse("[1,1,1]"), "P2");
		} else if (strcmp(s->path, "thresholds[]") == 0) {
			json_object_put(v);
		} else {
			doc = with(rows, doc, s->path, v, star_of(rows, s->path));
		}
		if (!valid(rows, doc, &fault)) {
			fprintf(stderr, "%s: %s: %s\n", s->path, fault.field, fault.en);
			CU_FAIL(s->path);
		}
		json_object_put(doc);
	}
	printf("(%d rows) ", n);
}

/* Each row refuses values of other types and out of its range, naming the field, the rule in both
 * languages, and an example. */
static void refusals(const struct shape *rows)
{
	static const char *const values[] = { "null", "true", "1.5", "-1", "99999999999", "\"\"",
		"\"banana\"", "{\"banana\":1}", "[null]", "[[[[1]]]]", "\"80\"" };
	int n = 0;

	for (const struct shape *s = rows; s->path; s++)
		for (size_t i = 0; i < ARRAY_LEN(values); i++) {
			struct shape_fault fault = { 0 };
			struct json_object *doc = with(rows, base_for(rows, s->path), s->path,
				parse(values[i]), star_of(rows, s->path));
			bool may = (strcmp(values[i], "\"80\"") == 0 && s->type == SHAPE_WORD) ||
				   (s->type == SHAPE_WORD && s->fits(STR("banana")) &&
					   strcmp(values[i], "\"banana\"") == 0 &&
					   strcmp(s->path, "tz") != 0);
			char field[100];

			snprintf(field, sizeof(field), "document%s%.*s", *s->path ? "." : "",
				(int)strcspn(s->path, ".*["), s->path);
			if (valid(rows, doc, &fault)) {
				if (!may) {
					fprintf(stderr, "%s accepts %s\n", s->path, values[i]);
					CU_FAIL(s->path);
				}
			} else {
				n++;
				if (strncmp(fault.field, field, strlen(field)) != 0 || !*fault.en ||
					!strcmp(fault.en, fault.zh) || !fault.example) {
					fprintf(stderr, "%s: %s: %s / %s\n", s->path, fault.field,
						fault.en, fault.zh);
					CU_FAIL(s->path);
				}
			}
			json_object_put(doc);
		}
	printf("(%d refusals) ", n);
}

static void keys(const struct shape *rows)
{
	static const char *const bad[] = { "banana", "priorities.*", "*", "thresholds[]", "",
		"a.b" };

	for (const struct shape *s = rows; s->path; s++)
		for (size_t i = 0; s->type == SHAPE_OBJECT && i < ARRAY_LEN(bad); i++) {
			struct shape_fault fault = { 0 };
			struct json_object *o = parse(s->example), *doc;

			json_object_object_add(o, bad[i], json_object_new_int(1));
			doc = with(
				rows, base_for(rows, s->path), s->path, o, star_of(rows, s->path));
			if (valid(rows, doc, &fault)) {
				fprintf(stderr, "%s accepts key %s\n", s->path, bad[i]);
				CU_FAIL(s->path);
			} else if (*bad[i] && !strstr(fault.field, bad[i])) {
				fprintf(stderr, "%s: %s\n", bad[i], fault.field);
				CU_FAIL(s->path);
			}
			json_object_put(doc);
		}
}

static void policy_examples(void)
{
	examples(policy_shape);
}

static void policy_refusals(void)
{
	refusals(policy_shape);
}

static void calendar_examples(void)
{
	examples(calendar_shape);
}

static void calendar_refusals(void)
{
	refusals(calendar_shape);
}

static void unknown_keys(void)
{
	keys(policy_shape);
	keys(calendar_shape);
}

static void states(void)
{
	struct buf b = { 0 };

	for (int i = 0; i < TICKET_STATE_COUNT; i++)
		buf_addf(&b, "%s%s", i ? "|" : "", ticket_state_name((enum ticket_state)i));
	for (const struct shape *s = policy_shape; s->path; s++)
		if (strncmp(s->path, "pauses.", 7) == 0 && s->type == SHAPE_CHOICE)
			CU_ASSERT_STRING_EQUAL(s->choices, buf_cstr(&b));
	buf_free(&b);
}

/* What only the whole document shows is told with its field, too. */
static void whole(void)
{
	static const struct {
		bool policy;
		const char *doc, *field;
	} bad[] = {
		{ true, "{\"priorities\":{},\"thresholds\":[\"100\"]}", "document.priorities" },
		{ true, "{\"priorities\":{\"P1\":{}},\"thresholds\":[\"80\"]}",
			"document.thresholds" },
		{ true, "{\"priorities\":{\"P1\":{}},\"thresholds\":[\"80\",\"80\",\"100\"]}",
			"document.thresholds" },
		{ true, "{\"priorities\":{\"P1\":{},\"high\":{}},\"thresholds\":[\"100\"]}",
			"document.priorities.high" },
		{ true,
			"{\"priorities\":{\"P1\":{}},\"thresholds\":[\"100\"],\"escalate_at\":"
			"[\"80\"]}",
			"document.escalate_at" },
		{ false, "{\"tz\":\"Not/AZone\",\"hours\":{}}", "document.tz" },
		{ false, "{\"tz\":\"UTC\",\"hours\":{}}", "document.hours" },
		{ false, "{\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"10:00\",\"09:00\"]]}}",
			"document.hours.mon" },
		{ false,
			"{\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"10:00\",\"19:00\"]]},\"overrides\":"
			"{\"2026-10-10\":[[\"10:00\",\"11:00\"],[\"10:30\",\"12:00\"]]}}",
			"document.overrides.2026-10-10" },
		{ false,
			"{\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"10:00\",\"19:00\"]]},\"breaks\":"
			"{\"2026-10-10\":[[\"11:00\",\"11:00\"]]}}",
			"document.breaks.2026-10-10" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct shape_fault fault = { 0 };
		struct json_object *doc = parse(bad[i].doc);

		CU_ASSERT_FALSE(valid(bad[i].policy ? policy_shape : calendar_shape, doc, &fault));
		CU_ASSERT_STRING_EQUAL(fault.field, bad[i].field);
		CU_ASSERT_STRING_NOT_EQUAL(fault.en, fault.zh);
		CU_ASSERT_PTR_NOT_NULL(fault.example);
		json_object_put(doc);
	}
}

UNIT_MAIN("shape", { "examples of policies", policy_examples },
	{ "refusals of policies", policy_refusals }, { "examples of calendars", calendar_examples },
	{ "refusals of calendars", calendar_refusals }, { "unknown keys", unknown_keys },
	{ "states", states }, { "what only the whole document shows", whole })
