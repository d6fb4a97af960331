/* SPDX-License-Identifier: Apache-2.0
 * The most urgent indication wins: a priority that is too high costs an engineer a look, one that
 * is too low costs the customer a night. */
#include "ticket/priority.h"

#include <ctype.h>
#include <stdlib.h>

/* A longer text says what is wrong at its beginning. The bound keeps the loop's turn short: a text
 * made of nothing but keywords takes 1 ms for each KiB. */
#define TEXT_MAX 4096
#define CANDIDATES 256
/* The bytes that may stand between a negation and what it denies: four Chinese characters. */
#define GAP_MAX 12

static const char *const factors[FACTOR_COUNT] = { "continuity", "users", "data_integrity",
	"finance", "compliance", "time" };

const char *factor_name(enum factor f)
{
	return factors[f];
}

bool keyword_kind_parse(struct str s, enum keyword_kind *out)
{
	static const char *const names[] = { [KEYWORD_SIGN] = "sign",
		[KEYWORD_CAP] = "cap",
		[KEYWORD_OVER] = "over",
		[KEYWORD_NOT] = "not" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(s, str_of(names[i]))) {
			*out = (enum keyword_kind)i;
			return true;
		}
	return false;
}

/* --- words in a text --- */

static bool is_word_byte(unsigned char c)
{
	return isalnum(c) || c == '_';
}

/* The first place of WORD in TEXT from FROM on, or NULL. ASCII words match whole words ("down" but
 * not "download"). Other words match anywhere, because Chinese has no blanks. */
static const char *find_word(struct str text, struct str word, const char *from)
{
	const char *end = text.p + text.n, *p = from;
	bool starts = is_word_byte((unsigned char)word.p[0]);
	bool ends = is_word_byte((unsigned char)word.p[word.n - 1]);

	while (p < end && (p = memmem(p, (size_t)(end - p), word.p, word.n))) {
		const char *after = p + word.n;

		if ((!starts || p == text.p || !is_word_byte((unsigned char)p[-1])) &&
			(!ends || after == end || !is_word_byte((unsigned char)*after)))
			return p;
		p++;
	}
	return NULL;
}

/* Take the next of the words separated by '|' from S. */
static bool next_word(struct str *s, struct str *out)
{
	const char *bar;

	if (!s->n)
		return false;
	bar = str_chr(*s, '|');
	*out = (struct str){ s->p, bar ? (size_t)(bar - s->p) : s->n };
	*s = bar ? (struct str){ bar + 1, s->n - out->n - 1 } : (struct str){ s->p + s->n, 0 };
	return true;
}

/* Take the next part from a keyword: words, with '+' or '!' before them. */
static bool next_part(const char **at, char *out_sign, struct str *out_words)
{
	size_t n;

	if (!**at)
		return false;
	*out_sign = **at == '!' ? '!' : '+';
	if (**at == '+' || **at == '!')
		++*at;
	n = strcspn(*at, "+!");
	*out_words = (struct str){ *at, n };
	*at += n;
	return true;
}

/* --- negation --- */

/* Does WORD end before AT, at a distance at which it denies what stands there? A single Chinese
 * character denies only what follows it directly: "未中断", but not "未知原因中断". */
static bool denies(struct str clause, struct str word, const char *at)
{
	size_t before = (size_t)(at - clause.p);
	size_t gap = (unsigned char)word.p[0] >= 0x80 && word.n <= 4 ? 0 : GAP_MAX;
	const char *from = clause.p + (before > gap + word.n ? before - gap - word.n : 0);

	return find_word((struct str){ clause.p, before }, word, from) != NULL;
}

static bool is_denied(const struct priority_facts *f, struct str clause, const char *at)
{
	for (size_t i = 0; i < f->keyword_count; i++) {
		struct str words = str_of(f->keywords[i].text), word;

		while (f->keywords[i].kind == KEYWORD_NOT && next_word(&words, &word))
			if (denies(clause, word, at))
				return true;
	}
	return false;
}

/* --- keywords in a clause --- */

struct found {
	struct buf words; /* what matched, for people to read */
};

/* Is one of WORDS in the clause without a negation before it? F is NULL where negations do not
 * matter. */
static bool has_word(
	const struct priority_facts *f, struct str clause, struct str words, struct found *out)
{
	struct str word;

	while (next_word(&words, &word))
		for (const char *p = clause.p; word.n && (p = find_word(clause, word, p)); p++)
			if (!f || !is_denied(f, clause, p)) {
				if (out) {
					buf_adds(&out->words, out->words.n ? " … " : "");
					buf_add(&out->words, word.p, word.n);
				}
				return true;
			}
	return false;
}

/* Does the clause have a word of each part, and none of the part after '!'? */
static bool matches(const struct priority_facts *f, struct str clause, const struct keyword *k,
	struct found *out)
{
	const char *at = k->text;
	struct str words;
	char sign;

	out->words.n = 0;
	while (next_part(&at, &sign, &words))
		if (has_word(sign == '!' ? NULL : f, clause, words, sign == '!' ? NULL : out) ==
			(sign == '!'))
			return false;
	return true;
}

/* Could the keyword match a clause of TEXT? Most keywords can not, and are not tried again for each
 * clause. */
static bool is_candidate(struct str text, const struct keyword *k)
{
	const char *at = k->text;
	bool has_words = false;
	struct str words;
	char sign;

	if (k->kind == KEYWORD_NOT)
		return false;
	while (next_part(&at, &sign, &words)) {
		if (sign == '+' && !has_word(NULL, text, words, NULL))
			return false;
		has_words |= sign == '+';
	}
	return has_words;
}

/* --- clauses --- */

/* The length of the punctuation at P that ends a clause; 0 if there is none. A dot inside a number
 * or a name ends nothing. */
static size_t clause_end(const char *p, size_t n)
{
	static const char *const wide[] = { "。", "，", "；", "！", "？", "（", "）" };

	if (*p == '\n' || (*p && strchr(",;!?()", *p)))
		return 1;
	if (*p == '.')
		return n == 1 || p[1] == ' ' || p[1] == '\n';
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		if (n >= 3 && memcmp(p, wide[i], 3) == 0)
			return 3;
	return 0;
}

static struct str next_clause(struct str *text)
{
	size_t n = 0, end = 0;
	struct str clause;

	while (n < text->n && !(end = clause_end(text->p + n, text->n - n)))
		n++;
	clause = (struct str){ text->p, n };
	*text = (struct str){ text->p + n + end, text->n - n - end };
	return clause;
}

static enum priority weaker(enum priority a, enum priority b)
{
	return a > b ? a : b;
}

static void weigh_clause(const struct priority_facts *f, struct str clause,
	const struct keyword *const *candidate, size_t n, struct priority_decision *d)
{
	enum priority sign = PRIORITY_NONE, cap = P0;
	struct found found = { 0 };
	char words[sizeof(d->keyword)] = "";

	for (size_t i = 0; i < n; i++) {
		const struct keyword *k = candidate[i];

		if (!matches(f, clause, k, &found))
			continue;
		if (k->kind == KEYWORD_CAP || k->kind == KEYWORD_OVER)
			cap = weaker(cap, k->priority);
		if (k->kind == KEYWORD_OVER && d->priority != PRIORITY_NONE)
			d->priority = weaker(d->priority, k->priority);
		else if (k->kind == KEYWORD_SIGN && (sign == PRIORITY_NONE || k->priority < sign)) {
			sign = k->priority;
			utf8_format(words, sizeof(words), "%s", buf_cstr(&found.words));
		}
	}
	buf_free(&found.words);
	if (sign == PRIORITY_NONE)
		return;
	sign = weaker(sign, cap);
	if (d->priority != PRIORITY_NONE && d->priority <= sign)
		return;
	d->priority = sign;
	d->source = "keyword";
	memcpy(d->keyword, words, sizeof(words));
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

static void weigh_words(const struct priority_facts *f, struct priority_decision *d)
{
	char *whole = lower(f->title, f->description);
	struct str text = { whole, strnlen(whole, TEXT_MAX) };
	const struct keyword *candidate[CANDIDATES];
	size_t n = 0;

	for (size_t i = 0; i < f->keyword_count && n < CANDIDATES; i++)
		if (is_candidate(text, &f->keywords[i]))
			candidate[n++] = &f->keywords[i];
	while (n && text.n)
		weigh_clause(f, next_clause(&text), candidate, n, d);
	free(whole);
}

/* --- the decision --- */

static void keep_stronger(struct priority_decision *d, enum priority p, const char *source)
{
	if (d->priority == PRIORITY_NONE || p < d->priority)
		*d = (struct priority_decision){ .priority = p, .source = source };
}

struct priority_decision priority_decide(const struct priority_facts *f)
{
	static const struct {
		const char *scope;
		enum priority p;
	} scopes[] = { { "all_users", P0 }, { "most_users", P1 }, { "some_users", P2 },
		{ "few_users", P3 }, { "none", P4 } };
	struct priority_decision d = { .priority = PRIORITY_NONE, .source = "default" };
	int grave = __builtin_popcount(
		f->factors & (1u << FACTOR_CONTINUITY | 1u << FACTOR_DATA_INTEGRITY));

	weigh_words(f, &d);
	for (size_t i = 0; f->impact_scope && i < ARRAY_LEN(scopes); i++)
		if (strcmp(f->impact_scope, scopes[i].scope) == 0)
			keep_stronger(&d, scopes[i].p, "impact");
	if (grave == 2)
		keep_stronger(&d, P0, "factors");
	else if (grave == 1 || __builtin_popcount(f->factors) >= 3)
		keep_stronger(&d, P1, "factors");
	else if (f->factors)
		keep_stronger(&d, P2, "factors");
	if (f->incident != PRIORITY_NONE)
		keep_stronger(&d, f->incident, "incident_type");
	if (d.priority == PRIORITY_NONE && f->usual != PRIORITY_NONE)
		keep_stronger(&d, f->usual, "history");
	if (d.priority == PRIORITY_NONE)
		d.priority = P3;
	return d;
}
