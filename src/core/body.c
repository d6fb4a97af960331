/* SPDX-License-Identifier: Apache-2.0
 * Reading a request: path parameters and body members are checked, and every error is noted. */
#include "inner.h"
#include "base/json.h"

struct str req_path(const struct req *req, const char *name)
{
	for (int i = 0; i < req->path_params; i++)
		if (str_is(req->path_name[i], name))
			return req->path_value[i];
	return (struct str){ 0 };
}

int64_t req_path_id(const struct req *req, const char *name)
{
	int64_t id;

	return str_to_int(req_path(req, name), 1, (1LL << 53) - 1, &id) ? id : 0;
}

void req_body_text(
	struct req *req, const char *key, bool required, int64_t min, int64_t max, const char **out)
{
	struct json_object *v = json_get(req->body, key);
	int64_t n;

	if (!v) {
		if (required)
			req_note_invalid(req, key, "required", "必填");
		return;
	}
	if (!json_object_is_type(v, json_type_string)) {
		req_note_invalid(req, key, "a string", "应为字符串");
		return;
	}
	n = (int64_t)utf8_length(json_object_get_string(v), (size_t)json_object_get_string_len(v));
	if (n < min || n > max)
		note_bad_length(req, key, min, max);
	else
		*out = json_object_get_string(v);
}

const char *req_json_text(struct req *req, struct json_object *v)
{
	struct buf b = { 0 };
	const char *text;

	json_write(&b, v);
	text = arena_dup(&req->arena, b.p, b.n);
	buf_free(&b);
	return text;
}

void req_body_int(
	struct req *req, const char *key, bool required, int64_t min, int64_t max, int64_t *out)
{
	struct json_object *v = json_get(req->body, key);
	int64_t n;

	if (!v) {
		if (required)
			req_note_invalid(req, key, "required", "必填");
		return;
	}
	n = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : INT64_MIN;
	if (n < min || n > max)
		note_bad_number(req, key, min, max);
	else
		*out = n;
}

void req_body_bool(struct req *req, const char *key, bool *out)
{
	struct json_object *v = json_get(req->body, key);

	if (!v)
		return;
	if (!json_object_is_type(v, json_type_boolean))
		req_note_invalid(req, key, "true or false", "true 或 false");
	else
		*out = json_object_get_boolean(v);
}

void req_body_time(struct req *req, const char *key, bool required, int64_t *out)
{
	struct json_object *v = json_get(req->body, key);

	if (!v && !required)
		return;
	if (!json_object_is_type(v, json_type_string) || !time_parse(json_str(v), out))
		req_note_invalid(req, key, "an RFC 3339 time, such as 2026-01-31T08:00:00Z",
			"RFC 3339 时间，例如 2026-01-31T08:00:00Z");
}

static bool is_listed(const char *keys, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = keys; n && (p = strstr(p, key)); p += n)
		if ((p == keys || p[-1] == ' ') && (p[n] == ' ' || p[n] == '*' || p[n] == 0))
			return true;
	return false;
}

void req_object_only(
	struct req *req, struct json_object *object, const char *where, const char *keys)
{
	if (!json_object_is_type(object, json_type_object))
		return;
	json_object_object_foreach(object, key, val)
	{
		(void)val;
		if (!is_listed(keys, key))
			req_note_invalid(req,
				arena_printf(&req->arena, "%s%s%s", where ? where : "",
					where ? "." : "", key),
				"unknown field", "未知字段");
	}
}

void req_body_only(struct req *req, const char *keys)
{
	req_object_only(req, req->body, NULL, keys);
}

void req_query_only(struct req *req, const char *keys)
{
	struct str rest = req->query, k, v;

	while (http_query_next(&rest, &k, &v)) {
		bool known = k.n == 0;

		for (const char *p = keys; p && *p && !known; p += strcspn(p, " "), p += *p == ' ')
			known = str_eq((struct str){ p, strcspn(p, " ") }, k);
		if (!known)
			req_note_invalid(req, arena_dup(&req->arena, k.p, k.n),
				"unknown query parameter", "未知的查询参数");
	}
}
