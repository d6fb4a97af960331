/* SPDX-License-Identifier: Apache-2.0
 * Pure checks of texts before they are saved. */
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAIL_MAX 254 /* RFC 5321, 4.5.3.1.3, without the angle brackets */
#define LOCAL_MAX 64 /* 4.5.3.1.1 */
#define HOST_MAX 253 /* RFC 1035 */
#define LABEL_MAX 63

/* Characters without a glyph: White_Space, Default_Ignorable_Code_Point, the other formats that
 * join or order what is around them (general category Cf), controls, and the blanks of Hangul and
 * Braille (Unicode 15.1, PropList.txt and DerivedCoreProperties.txt). Sorted. */
static const struct {
	uint32_t from, to;
} hidden[] = { { 0x0, 0x20 }, { 0x7f, 0xa0 }, { 0xad, 0xad }, { 0x34f, 0x34f }, { 0x600, 0x605 },
	{ 0x61c, 0x61c }, { 0x6dd, 0x6dd }, { 0x70f, 0x70f }, { 0x890, 0x891 }, { 0x8e2, 0x8e2 },
	{ 0x115f, 0x1160 }, { 0x1680, 0x1680 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },
	{ 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x206f }, { 0x2800, 0x2800 },
	{ 0x3000, 0x3000 }, { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd },
	{ 0x13430, 0x1343f }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff } };

/* Take the next character of well-formed S. */
static uint32_t next_character(struct str *s)
{
	unsigned char c = (unsigned char)*s->p;
	int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	uint32_t x = more == 0 ? c : c & (0x3fu >> more);

	s->p++, s->n--;
	for (; more && s->n; more--, s->p++, s->n--)
		x = x << 6 | ((unsigned char)*s->p & 0x3f);
	return x;
}

static bool is_hidden(uint32_t c)
{
	size_t lo = 0, hi = ARRAY_LEN(hidden);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (c > hidden[mid].to)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < ARRAY_LEN(hidden) && c >= hidden[lo].from;
}

bool text_is_blank(struct str s)
{
	while (s.n)
		if (!is_hidden(next_character(&s)))
			return false;
	return true;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

bool text_has_control(struct str s)
{
	while (s.n)
		if (is_control(next_character(&s)))
			return true;
	return false;
}

/* Bidi_Control (Unicode 15.1, PropList.txt) */
static bool is_direction(uint32_t c)
{
	return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

void text_add_line(struct buf *b, struct str s)
{
	while (s.n) {
		const char *from = s.p;
		uint32_t c = next_character(&s);

		if (is_control(c) || is_direction(c))
			buf_addc(b, ' ');
		else
			buf_add(b, from, (size_t)(s.p - from));
	}
}

bool text_is_tag(struct str s)
{
	return !text_is_blank(s) && !text_has_control(s);
}

/* Is V a host name: labels of letters, digits and hyphens, the last of them not a number? ALSO: a
 * further character that labels may have, or 0. */
static bool is_host(struct str v, unsigned char also)
{
	size_t label = 0, digits = 0;

	if (v.n == 0 || v.n > HOST_MAX)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if (c == '.' || c == '-') {
			if (label == 0 || (c == '.' && v.p[i - 1] == '-'))
				return false;
			label = c == '.' ? 0 : label + 1;
			digits = c == '.' ? 0 : digits;
		} else if (c < 0x80 && (isalnum(c) || (also && c == also))) {
			label++;
			digits += isdigit(c) != 0;
		} else {
			return false;
		}
		if (label > LABEL_MAX)
			return false;
	}
	return label > 0 && digits < label && v.p[v.n - 1] != '-';
}

bool text_is_host(const char *v)
{
	return is_host(str_of(v), 0);
}

bool text_is_login_name(const char *v)
{
	size_t n = strlen(v);

	return n > 0 && n <= 100 && !strchr("._@-", v[0]) &&
	       strspn(v, "abcdefghijklmnopqrstuvwxyz0123456789._@-") == n;
}

/* atext of RFC 5322, 3.2.3 */
static bool is_atom(unsigned char c)
{
	return c && c < 0x80 && (isalnum(c) || strchr("!#$%&'*+-/=?^_`{|}~", c));
}

bool text_is_mail(const char *v)
{
	const char *at = strchr(v, '@');
	size_t local = at ? (size_t)(at - v) : 0;

	if (!at || local == 0 || local > LOCAL_MAX || strlen(v) > MAIL_MAX)
		return false;
	for (size_t i = 0; i < local; i++)
		if (v[i] == '.' ? i == 0 || i + 1 == local || v[i + 1] == '.'
				: !is_atom((unsigned char)v[i]))
			return false;
	return is_host(str_of(at + 1), 0);
}

static struct str trimmed(struct str s)
{
	while (s.n && *s.p == ' ')
		s.p++, s.n--;
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

bool text_read_mailbox(const char *v, struct str *out_name, struct str *out_address)
{
	struct str all = trimmed(str_of(v)), name = { all.p, 0 }, address = all;
	const char *open = memrchr(all.p, '<', all.n);
	char copy[MAIL_MAX + 1];

	if (open) {
		name = trimmed((struct str){ all.p, (size_t)(open - all.p) });
		address = (struct str){ open + 1, (size_t)(all.p + all.n - open) - 1 };
		if (!address.n || address.p[--address.n] != '>')
			return false;
	}
	if (name.n > 1 && *name.p == '"' && name.p[name.n - 1] == '"')
		name = (struct str){ name.p + 1, name.n - 2 };
	if (address.n > MAIL_MAX || name.n > MAIL_MAX || str_chr(name, '<') ||
		!utf8_is_valid(name.p, name.n) || text_has_control(name))
		return false;
	snprintf(copy, sizeof(copy), "%.*s", (int)address.n, address.p);
	if (!text_is_mail(copy))
		return false;
	*out_name = name;
	*out_address = address;
	return true;
}

/* An IPv6 address in brackets. The resolver checks it. */
static size_t bracketed(struct str v)
{
	size_t n = strspn(v.p, "[:.0123456789abcdefABCDEF");

	return v.n > 3 && v.p[0] == '[' && n > 2 && n < v.n && v.p[n] == ']' ? n + 1 : 0;
}

static bool is_port(struct str v)
{
	int64_t n;

	return str_to_int(v, 1, 65535, &n);
}

bool text_is_web(const char *v)
{
	size_t scheme = strncasecmp(v, "https://", 8) == 0  ? 8
			: strncasecmp(v, "http://", 7) == 0 ? 7
							    : 0;
	struct str host = { v + scheme, strcspn(v + scheme, "/?#") };
	size_t n = bracketed(host);
	const char *colon;

	if (!scheme)
		return false;
	for (const char *p = v; *p; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f ||
			strchr("\\\"<>^`{|}", *p))
			return false;
	if (n)
		return n == host.n || (host.p[n] == ':' && is_port((struct str){ host.p + n + 1,
								   host.n - n - 1 }));
	colon = str_chr(host, ':');
	if (colon && !is_port((struct str){ colon + 1, host.n - (size_t)(colon + 1 - host.p) }))
		return false;
	host.n = colon ? (size_t)(colon - host.p) : host.n;
	return is_host(host, '_') || (host.n && strspn(host.p, "0123456789.") >= host.n);
}
