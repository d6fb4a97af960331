/* SPDX-License-Identifier: Apache-2.0 */
#include "base/unicode.h"

#include <stdlib.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

/* Neither form makes a text longer than this: one UTF-16 unit becomes at most three. */
#define GROWS 3

static bool is_ascii(const char *text)
{
	while (*text && !(*text & 0x80))
		text++;
	return !*text;
}

struct wide {
	UChar *p;
	int32_t n, room;
};

static struct wide widen(const char *text)
{
	size_t bytes = strlen(text);
	struct wide w = { .room = (int32_t)(GROWS * GROWS * bytes + 1) };
	UErrorCode e = U_ZERO_ERROR;

	bug_on(bytes > 1u << 20);
	w.p = xmalloc((size_t)w.room * sizeof(*w.p));
	u_strFromUTF8(w.p, w.room, &w.n, text, (int32_t)bytes, &e);
	bug_on(U_FAILURE(e)); /* the binder takes valid UTF-8 only */
	return w;
}

static char *narrow(struct wide w)
{
	char *out = xmalloc(3 * (size_t)w.n + 1);
	int32_t n = 0;
	UErrorCode e = U_ZERO_ERROR;

	u_strToUTF8(out, 3 * w.n + 1, &n, w.p, w.n, &e);
	bug_on(U_FAILURE(e));
	out[n] = 0;
	memset(w.p, 0, (size_t)w.room * sizeof(*w.p)); /* it may be a password */
	free(w.p);
	return out;
}

static void compose(struct wide *w)
{
	UErrorCode e = U_ZERO_ERROR;
	const UNormalizer2 *nfc = unorm2_getNFCInstance(&e);
	struct wide out = { .room = w->room };

	out.p = xmalloc((size_t)out.room * sizeof(*out.p));
	out.n = unorm2_normalize(nfc, w->p, w->n, out.p, out.room, &e);
	bug_on(U_FAILURE(e));
	memset(w->p, 0, (size_t)w->room * sizeof(*w->p));
	free(w->p);
	*w = out;
}

static void fold_case(struct wide *w)
{
	UErrorCode e = U_ZERO_ERROR;
	struct wide out = { .room = w->room };

	out.p = xmalloc((size_t)out.room * sizeof(*out.p));
	out.n = u_strFoldCase(out.p, out.room, w->p, w->n, U_FOLD_CASE_DEFAULT, &e);
	bug_on(U_FAILURE(e));
	free(w->p);
	*w = out;
}

char *unicode_nfc(const char *text)
{
	struct wide w;

	if (is_ascii(text))
		return xstrdup(text);
	w = widen(text);
	compose(&w);
	return narrow(w);
}

static bool is_blank(UChar32 c)
{
	return u_isUWhiteSpace(c) || u_charType(c) == U_FORMAT_CHAR || u_iscntrl(c);
}

static void trim(struct wide *w)
{
	int32_t from = 0, to = w->n;

	while (from < to && is_blank(w->p[from]))
		from++;
	while (to > from && is_blank(w->p[to - 1]))
		to--;
	memmove(w->p, w->p + from, (size_t)(to - from) * sizeof(*w->p));
	w->n = to - from;
}

char *unicode_name(const char *text)
{
	struct wide w = widen(text);

	trim(&w);
	compose(&w);
	fold_case(&w);
	compose(&w);
	return narrow(w);
}

enum unicode_class unicode_next(const char **p)
{
	const char *s = *p;
	int32_t at = 0;
	UChar32 c;

	U8_NEXT_OR_FFFD(s, at, -1, c);
	*p = s + at;
	if (u_isupper(c))
		return UNICODE_UPPER;
	if (u_islower(c))
		return UNICODE_LOWER;
	if (u_isalpha(c))
		return UNICODE_LETTER;
	if (u_isdigit(c))
		return UNICODE_DIGIT;
	return u_ispunct(c) || is_blank(c) ? UNICODE_PUNCTUATION : UNICODE_OTHER;
}
