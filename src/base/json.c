/* SPDX-License-Identifier: Apache-2.0
 * The validating scan is a recursive descent over RFC 8259. Only nesting recurses, and it is
 * limited, so the stack is bounded. */
#include "base/json.h"

#include <json-c/json_tokener.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The contents of a document, counted in its text and again in the tree that json-c built from it.
 * Fewer keys mean duplicates; any other difference means that json-c lost something because it did
 * not check an allocation. */
struct contents {
	size_t keys, elements, bytes; /* total bytes of all strings and keys, decoded */
};

struct scan {
	const char *p, *end, *start;
	const char *rule;
	struct contents found;
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

static double strtod_n(const char *p, size_t n)
{
	char text[257];

	memcpy(text, p, n);
	text[n] = 0;
	return strtod(text, NULL);
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
	/* json-c clamps silently; we refuse a number that does not fit. */
	if (integer && !(s->p - from == 2 && from[0] == '-' && from[1] == '0') &&
		!str_to_int(
			(struct str){ from, (size_t)(s->p - from) }, INT64_MIN + 1, INT64_MAX, &v))
		return fail(s, "an integer within 64 bits");
	if (!integer && !isfinite(strtod_n(from, (size_t)(s->p - from))))
		return fail(s, "a number within a double");
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
	if (*s->p++ != 'u') {
		s->found.bytes++;
		return true;
	}
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
		u = 0x10000; /* a surrogate pair is always four bytes */
	}
	s->found.bytes += u < 0x80 ? 1 : u < 0x800 ? 2 : u < 0x10000 ? 3 : 4;
	return true;
}

static bool string(struct scan *s)
{
	const char *from = ++s->p;

	while (s->p < s->end && *s->p != '"') {
		if ((unsigned char)*s->p < 0x20)
			return fail(s, "no raw control character in a string");
		if (*s->p++ != '\\')
			s->found.bytes++;
		else if (!escape(s))
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
			s->found.keys++;
		} else {
			s->found.elements++;
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

static bool scan(const char *p, size_t n, struct contents *out_found, struct json_error *out_error)
{
	struct scan s = { .p = p, .end = p + n, .start = p };
	bool ok = value(&s, 0) && (s.p == s.end || fail(&s, "nothing after the document"));

	if (!ok && out_error)
		*out_error = (struct json_error){ (size_t)(s.p - s.start), s.rule };
	*out_found = s.found;
	return ok;
}

bool json_scan(const char *p, size_t n, struct json_error *out_error)
{
	struct contents found;

	return scan(p, n, &found, out_error);
}

static void count(struct json_object *o, struct contents *kept)
{
	switch (json_object_get_type(o)) {
	case json_type_object: {
		json_object_object_foreach(o, key, val)
		{
			kept->keys++;
			kept->bytes += strlen(key);
			count(val, kept);
		}
		break;
	}
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(o); i++) {
			kept->elements++;
			count(json_object_array_get_idx(o, i), kept);
		}
		break;
	case json_type_string:
		kept->bytes += (size_t)json_object_get_string_len(o);
		break;
	default:
		break;
	}
}

struct json_object *json_read(const char *p, size_t n, struct json_error *out_error)
{
	if (n <= JSON_MAX_BYTES)
		return json_read_own(p, n, out_error);
	*out_error = (struct json_error){ JSON_MAX_BYTES, "at most 256 KiB" };
	return NULL;
}

struct json_object *json_read_own(const char *p, size_t n, struct json_error *out_error)
{
	struct json_tokener *tok;
	struct contents written, kept = { 0 };
	struct json_object *o;
	char *copy;

	if (!scan(p, n, &written, out_error))
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
	if (!o)
		return NULL;
	count(o, &kept);
	if (memcmp(&kept, &written, sizeof(kept)) == 0)
		return o;
	*out_error = (struct json_error){ 0,
		kept.keys < written.keys ? "each key once" : "more memory than there is" };
	json_object_put(o);
	return NULL;
}

static void write_double(struct buf *b, double v)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%.17g", v);

	buf_add(b, text, (size_t)n);
	if (!strpbrk(text, ".e")) /* stays a double: -0.0 is not the integer -0 */
		buf_adds(b, ".0");
}

void json_write(struct buf *b, struct json_object *o)
{
	bool first = true;

	switch (json_object_get_type(o)) {
	case json_type_object: {
		buf_addc(b, '{');
		json_object_object_foreach(o, key, val)
		{
			if (!first)
				buf_addc(b, ',');
			first = false;
			buf_add_json(b, key, strlen(key));
			buf_addc(b, ':');
			json_write(b, val);
		}
		buf_addc(b, '}');
		break;
	}
	case json_type_array:
		buf_addc(b, '[');
		for (size_t i = 0; i < json_object_array_length(o); i++) {
			if (i)
				buf_addc(b, ',');
			json_write(b, json_object_array_get_idx(o, i));
		}
		buf_addc(b, ']');
		break;
	case json_type_string:
		buf_add_json(b, json_str(o).p, json_str(o).n);
		break;
	case json_type_int:
		buf_addf(b, "%lld", (long long)json_object_get_int64(o));
		break;
	case json_type_double:
		write_double(b, json_object_get_double(o));
		break;
	case json_type_boolean:
		buf_adds(b, json_object_get_boolean(o) ? "true" : "false");
		break;
	case json_type_null:
		buf_adds(b, "null");
	}
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
