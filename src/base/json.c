/* SPDX-License-Identifier: Apache-2.0
 * The validating scan is a recursive descent over RFC 8259 with the depth as its only recursion, so
 * the stack is bounded. */
#include "base/json.h"

#include <json-c/json_tokener.h>
#include <stdlib.h>

struct scan {
	const char *p, *end, *start;
	const char *rule;
	const char *where; /* where the rule broke, if not at p */
};

static bool value(struct scan *s, int depth);

static bool fail(struct scan *s, const char *rule)
{
	if (!s->rule)
		s->rule = rule;
	return false;
}

static void space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool word(struct scan *s, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n) != 0)
		return fail(s, "a JSON value");
	s->p += n;
	return true;
}

static bool is_digit(const struct scan *s)
{
	return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static bool digits(struct scan *s)
{
	if (!is_digit(s))
		return fail(s, "a digit");
	while (is_digit(s))
		s->p++;
	return true;
}

static bool number(struct scan *s)
{
	const char *from = s->p;
	bool integer = true;
	int64_t v;

	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else if (!digits(s))
		return false;
	if (s->p < s->end && *s->p == '.') {
		integer = false;
		s->p++;
		if (!digits(s))
			return false;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		integer = false;
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (!digits(s))
			return false;
	}
	if (s->p - from > 256)
		return fail(s, "a number of at most 256 characters");
	/* json-c clamps silently; a number we cannot hold is refused instead. */
	if (integer && !(s->p - from == 2 && from[0] == '-' && from[1] == '0') &&
		!str_to_int(
			(struct str){ from, (size_t)(s->p - from) }, INT64_MIN + 1, INT64_MAX, &v))
		return fail(s, "an integer within 64 bits");
	return true;
}

static int hex4(struct scan *s)
{
	int v = 0;

	if (s->end - s->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = *s->p++;
		int d = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;

		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

static bool escape(struct scan *s)
{
	int u;

	if (s->p >= s->end || !*s->p || !strchr("\"\\/bfnrtu", *s->p))
		return fail(s, "a valid escape");
	if (*s->p++ != 'u')
		return true;
	u = hex4(s);
	if (u < 0)
		return fail(s, "four hexadecimal digits");
	if (u == 0)
		return fail(s, "no NUL character");
	if (u >= 0xdc00 && u <= 0xdfff)
		return fail(s, "a paired surrogate");
	if (u >= 0xd800 && u <= 0xdbff) {
		if (s->end - s->p < 6 || s->p[0] != '\\' || s->p[1] != 'u')
			return fail(s, "a paired surrogate");
		s->p += 2;
		u = hex4(s);
		if (u < 0xdc00 || u > 0xdfff)
			return fail(s, "a paired surrogate");
	}
	return true;
}

static bool string(struct scan *s)
{
	const char *from = ++s->p;

	while (s->p < s->end && *s->p != '"') {
		if ((unsigned char)*s->p < 0x20)
			return fail(s, "no raw control character in a string");
		if (*s->p++ == '\\' && !escape(s))
			return false;
	}
	if (s->p >= s->end)
		return fail(s, "a closing quote");
	if (!utf8_is_valid(from, (size_t)(s->p - from))) {
		s->p = from;
		return fail(s, "valid UTF-8");
	}
	s->p++;
	return true;
}

static bool list(struct scan *s, int depth, bool object)
{
	char close = object ? '}' : ']';

	if (depth >= JSON_MAX_DEPTH)
		return fail(s, "at most 32 levels");
	s->p++;
	space(s);
	if (s->p < s->end && *s->p == close) {
		s->p++;
		return true;
	}
	for (;;) {
		if (object) {
			space(s);
			if (s->p >= s->end || *s->p != '"' || !string(s))
				return fail(s, "a key in double quotes");
			space(s);
			if (s->p >= s->end || *s->p != ':')
				return fail(s, "a colon");
			s->p++;
		}
		if (!value(s, depth + 1))
			return false;
		if (s->p < s->end && *s->p == close) {
			s->p++;
			return true;
		}
		if (s->p >= s->end || *s->p != ',')
			return fail(s, "a comma or the closing bracket");
		s->p++;
	}
}

static bool value(struct scan *s, int depth)
{
	bool ok;

	space(s);
	if (s->p >= s->end)
		return fail(s, "a JSON value");
	switch (*s->p) {
	case '{':
	case '[':
		ok = list(s, depth, *s->p == '{');
		break;
	case '"':
		ok = string(s);
		break;
	case 't':
		ok = word(s, "true");
		break;
	case 'f':
		ok = word(s, "false");
		break;
	case 'n':
		ok = word(s, "null");
		break;
	default:
		ok = *s->p == '-' || is_digit(s) ? number(s) : fail(s, "a JSON value");
	}
	if (ok)
		space(s);
	return ok;
}

bool json_scan(const char *p, size_t n, struct json_error *out_error)
{
	struct scan s = { .p = p, .end = p + n, .start = p };
	bool ok = value(&s, 0) && (s.p == s.end || fail(&s, "nothing after the document"));

	if (!ok && out_error)
		*out_error = (struct json_error){ (size_t)(s.p - s.start), s.rule };
	return ok;
}

/* Keys in the text, counted without building them, against keys json-c kept: a difference is a
 * duplicate. */
static size_t count_keys_kept(struct json_object *o)
{
	size_t n = 0;

	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, val)
		{
			(void)key;
			n += 1 + count_keys_kept(val);
		}
	} else if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			n += count_keys_kept(json_object_array_get_idx(o, i));
	}
	return n;
}

/* In a valid document every colon outside a string follows a key. */
static size_t count_keys_written(const char *p, size_t n)
{
	size_t count = 0;
	bool in = false;

	for (size_t i = 0; i < n; i++) {
		if (in && p[i] == '\\')
			i++;
		else if (p[i] == '"')
			in = !in;
		else if (!in && p[i] == ':')
			count++;
	}
	return count;
}

struct json_object *json_read(const char *p, size_t n, struct json_error *out_error)
{
	struct json_tokener *tok;
	struct json_object *o;
	char *copy;

	if (n > JSON_MAX_BYTES) {
		*out_error = (struct json_error){ JSON_MAX_BYTES, "at most 256 KiB" };
		return NULL;
	}
	if (!json_scan(p, n, out_error))
		return NULL;
	tok = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
	bug_on(!tok);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	copy = xstrndup(p, n); /* a bare number is complete only at a NUL */
	o = json_tokener_parse_ex(tok, copy, (int)n + 1);
	free(copy);
	if (!o && json_tokener_get_error(tok) != json_tokener_success)
		*out_error = (struct json_error){ 0,
			json_tokener_error_desc(json_tokener_get_error(tok)) };
	else if (!o)
		*out_error = (struct json_error){ 0, p[strspn(p, " \t\r\n")] == 'n'
							     ? "a value that is not null"
							     : "more memory than there is" };
	json_tokener_free(tok);
	if (o && count_keys_kept(o) != count_keys_written(p, n)) {
		*out_error = (struct json_error){ 0, "each key once" };
		json_object_put(o);
		return NULL;
	}
	return o;
}

struct json_object *json_get(struct json_object *obj, const char *key)
{
	struct json_object *v = NULL;

	if (json_object_is_type(obj, json_type_object))
		json_object_object_get_ex(obj, key, &v);
	return v;
}

const char *json_get_string(struct json_object *obj, const char *key)
{
	struct json_object *v = json_get(obj, key);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}

int64_t json_get_int(struct json_object *obj, const char *key, int64_t fallback)
{
	struct json_object *v = json_get(obj, key);

	return json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : fallback;
}

bool json_get_bool(struct json_object *obj, const char *key, bool fallback)
{
	struct json_object *v = json_get(obj, key);

	return json_object_is_type(v, json_type_boolean) ? json_object_get_boolean(v) : fallback;
}

struct str json_str(struct json_object *s)
{
	return (struct str){ json_object_get_string(s), (size_t)json_object_get_string_len(s) };
}
