/* SPDX-License-Identifier: Apache-2.0
 * The most urgent indication wins: a priority that is too high costs an engineer a look, one that
 * is too low costs the customer a night. */
#include "ticket/priority.h"

#include <ctype.h>
#include <stdlib.h>

static const char *const factors[FACTOR_COUNT] = { "continuity", "users", "data_integrity",
	"finance", "compliance", "time" };

const char *factor_name(enum factor f)
{
	return factors[f];
}

static bool is_word_byte(unsigned char c)
{
	return isalnum(c) || c == '_';
}

/* ASCII keywords match whole words ("down" but not "download"). Other keywords match anywhere,
 * because Chinese has no blanks. */
static bool contains(const char *text, const char *word)
{
	size_t n = strlen(word);
	bool ascii = (unsigned char)word[0] < 0x80;

	for (const char *p = text; (p = strstr(p, word)); p++)
		if (!ascii || ((p == text || !is_word_byte((unsigned char)p[-1])) &&
				      !is_word_byte((unsigned char)p[n])))
			return true;
	return false;
}

static char *lower(struct str a, struct str b)
{
	struct buf out = { 0 };

	buf_add(&out, a.p, a.n);
	buf_addc(&out, '\n');
	buf_add(&out, b.p, b.n);
	for (size_t i = 0; i < out.n; i++)
		out.p[i] = (char)((unsigned char)out.p[i] < 0x80 ? tolower((unsigned char)out.p[i])
								 : out.p[i]);
	return buf_take(&out);
}

static void keep_stronger(
	struct priority_decision *d, enum priority p, const char *source, const char *keyword)
{
	if (d->priority == PRIORITY_NONE || p < d->priority)
		*d = (struct priority_decision){ p, source, keyword };
}

struct priority_decision priority_decide(const struct priority_facts *f)
{
	static const struct {
		const char *scope;
		enum priority p;
	} scopes[] = { { "all_users", P0 }, { "most_users", P1 }, { "some_users", P2 },
		{ "few_users", P3 }, { "none", P4 } };
	struct priority_decision d = { PRIORITY_NONE, "default", NULL };
	char *text = lower(f->title, f->description);
	int grave = __builtin_popcount(
		f->factors & (1u << FACTOR_CONTINUITY | 1u << FACTOR_DATA_INTEGRITY));

	for (size_t i = 0; i < f->keyword_count; i++)
		if (contains(text, f->keywords[i].text))
			keep_stronger(&d, f->keywords[i].priority, "keyword", f->keywords[i].text);
	free(text);
	for (size_t i = 0; f->impact_scope && i < ARRAY_LEN(scopes); i++)
		if (strcmp(f->impact_scope, scopes[i].scope) == 0)
			keep_stronger(&d, scopes[i].p, "impact", NULL);
	if (grave == 2)
		keep_stronger(&d, P0, "factors", NULL);
	else if (grave == 1 || __builtin_popcount(f->factors) >= 3)
		keep_stronger(&d, P1, "factors", NULL);
	else if (f->factors)
		keep_stronger(&d, P2, "factors", NULL);
	if (d.priority == PRIORITY_NONE && f->usual != PRIORITY_NONE)
		keep_stronger(&d, f->usual, "history", NULL);
	if (d.priority == PRIORITY_NONE)
		d.priority = P3;
	return d;
}
