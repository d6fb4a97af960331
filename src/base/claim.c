/* SPDX-License-Identifier: Apache-2.0 */
#include "base/claim.h"
#include "base/clock.h"
#include "base/text.h"

#include <math.h>

enum type { TEXT, TEXT_OR_INTEGER, TOKEN, MAIL, TEXTS, BOOLEAN, INTEGER, INSTANT, URL, OBJECT };

#define LIST_MAX 1000
#define YEAR_9999_S 253402300799.0

static const char *const rules[] = {
	[TEXT] = "a text without control characters",
	[TEXT_OR_INTEGER] = "a text without control characters, or an integer",
	[TOKEN] = "a text of visible ASCII characters",
	[MAIL] = "a mail address",
	[TEXTS] = "a text, or a list of texts",
	[BOOLEAN] = "true or false",
	[INTEGER] = "an integer",
	[INSTANT] = "a number of seconds since 1970",
	[URL] = "an http or https address",
	[OBJECT] = "an object",
};

static const struct {
	const char *name;
	enum type type;
	size_t max; /* characters of a text */
	bool must_fit;
} kinds[CLAIM_KINDS] = {
	[CLAIM_ISSUER] = { "iss", TEXT, 1000, true },
	[CLAIM_SUBJECT] = { "sub", TEXT, 300, true },
	[CLAIM_AUDIENCE] = { "aud", TEXTS, 1000, true },
	[CLAIM_PARTY] = { "azp", TEXT, 1000, true },
	[CLAIM_NONCE] = { "nonce", TOKEN, 300, true },
	[CLAIM_EXPIRES] = { "exp", INSTANT, 0, true },
	[CLAIM_ISSUED] = { "iat", INSTANT, 0, true },
	[CLAIM_NOT_BEFORE] = { "nbf", INSTANT, 0, true },
	[CLAIM_AUTH_TIME] = { "auth_time", INSTANT, 0, true },
	[CLAIM_SESSION] = { "sid", TEXT, 300, true },
	[CLAIM_TOKEN_ID] = { "jti", TEXT, 300, true },
	[CLAIM_EVENTS] = { "events", OBJECT, 0, true },
	[CLAIM_EMAIL] = { "email", MAIL, 254, false },
	[CLAIM_EMAIL_VERIFIED] = { "email_verified", BOOLEAN, 0, false },
	[CLAIM_NAME] = { "name", TEXT, 100, false },
	[CLAIM_ROLES] = { NULL, TEXTS, 300, false },
	[CLAIM_USER_ID] = { "id", TEXT_OR_INTEGER, 300, false },
	[CLAIM_ENTERPRISE] = { NULL, TEXT, 300, false },
	[CLAIM_ACCESS_TOKEN] = { "access_token", TOKEN, 8192, false },
	[CLAIM_ID_TOKEN] = { "id_token", TOKEN, 16383, false },
	[CLAIM_RESULT] = { NULL, INTEGER, 0, false },
	[CLAIM_ADDRESS] = { NULL, URL, 1000, false },
};

/* 1 to MAX characters, none of them a control character, and something to see. */
static bool text_fits(struct str s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return utf8_is_valid(s.p, s.n) && utf8_length(s.p, s.n) <= max && !text_is_blank(s);
}

static bool token_fits(struct str s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
			return false;
	return s.n && s.n <= max;
}

/* One to which mail can be sent, as for any other account. */
static bool mail_fits(struct str s, size_t max)
{
	return s.n <= max && strlen(s.p) == s.n && text_is_mail(s.p);
}

static bool url_fits(struct str s, size_t max)
{
	return token_fits(s, max) &&
	       (strncmp(s.p, "https://", 8) == 0 || strncmp(s.p, "http://", 7) == 0) &&
	       !strpbrk(s.p, "\"'<>\\#");
}

static bool texts_fit(struct json_object *v, size_t max)
{
	size_t n;

	if (json_object_is_type(v, json_type_string))
		return text_fits(json_str(v), max);
	n = json_object_is_type(v, json_type_array) ? json_object_array_length(v) : LIST_MAX + 1;
	for (size_t i = 0; n <= LIST_MAX && i < n; i++) {
		struct json_object *one = json_object_array_get_idx(v, i);

		if (!json_object_is_type(one, json_type_string) || !text_fits(json_str(one), max))
			return false;
	}
	return n <= LIST_MAX;
}

/* RFC 7519: a NumericDate may have a fraction. */
static bool read_instant(struct json_object *v, int64_t *out_us)
{
	double s = json_object_get_double(v);

	if (!(json_object_is_type(v, json_type_int) || json_object_is_type(v, json_type_double)) ||
		!isfinite(s) || s < 0 || s > YEAR_9999_S)
		return false;
	*out_us = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) * US_PER_S
							: (int64_t)(s * US_PER_S);
	return true;
}

static bool fits(struct json_object *v, enum type type, size_t max, struct claim *out)
{
	bool string = json_object_is_type(v, json_type_string);

	out->text = string ? json_object_get_string(v) : NULL;
	out->value = v;
	switch (type) {
	case TEXT:
		return string && text_fits(json_str(v), max);
	case TEXT_OR_INTEGER:
		if (json_object_is_type(v, json_type_int))
			out->text = json_object_get_string(v);
		return out->text && text_fits(str_of(out->text), max);
	case TOKEN:
		return string && token_fits(json_str(v), max);
	case MAIL:
		return string && mail_fits(json_str(v), max);
	case URL:
		return string && url_fits(json_str(v), max);
	case TEXTS:
		return texts_fit(v, max);
	case BOOLEAN:
		out->number =
			json_object_is_type(v, json_type_boolean) && json_object_get_boolean(v);
		return json_object_is_type(v, json_type_boolean);
	case INTEGER:
		out->number = json_object_get_int64(v);
		return json_object_is_type(v, json_type_int);
	case INSTANT:
		return read_instant(v, &out->number);
	case OBJECT:
		return json_object_is_type(v, json_type_object);
	}
	return false;
}

struct claim claim_read(struct json_object *doc, enum claim_kind kind, const char *name)
{
	struct claim c = { 0 };
	struct json_object *v;

	name = name ? name : kinds[kind].name;
	if (!json_object_is_type(doc, json_type_object) ||
		!json_object_object_get_ex(doc, name, &v))
		return c;
	if (fits(v, kinds[kind].type, kinds[kind].max, &c))
		c.state = CLAIM_GOOD;
	else
		c = (struct claim){ .state = CLAIM_WRONG };
	return c;
}

bool claim_must_fit(enum claim_kind kind)
{
	return kinds[kind].must_fit;
}

const char *claim_name(enum claim_kind kind)
{
	return kinds[kind].name;
}

const char *claim_rule(enum claim_kind kind)
{
	return rules[kinds[kind].type];
}

const char *claim_first_wrong(struct json_object *doc)
{
	for (int k = 0; k < CLAIM_KINDS; k++)
		if (kinds[k].must_fit && claim_read(doc, k, NULL).state == CLAIM_WRONG)
			return kinds[k].name;
	return NULL;
}

bool claim_lists(const struct claim *list, const char *v)
{
	size_t n = json_object_is_type(list->value, json_type_array)
			   ? json_object_array_length(list->value)
			   : 0;

	if (list->text)
		return strcmp(list->text, v) == 0;
	for (size_t i = 0; i < n; i++)
		if (str_is(json_str(json_object_array_get_idx(list->value, i)), v))
			return true;
	return false;
}
