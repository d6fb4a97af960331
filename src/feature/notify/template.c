/* SPDX-License-Identifier: Apache-2.0
 * Templates of texts: rendered by the rules by which they are checked. */
#include "template.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define SUBJECT_MAX 200
#define BODY_MAX 8000
#define SMS_MAX 300 /* characters: what a gateway sends in a few parts */

enum variable_where { EVERY, TICKET, SHIPPED, PROOF };

static const struct variable {
	const char *name;
	enum variable_where where;
	const char *en, *zh;
} variables[] = {
#define VARIABLE(name, adder, where, en, zh) { #name, where, en, zh },
#include "variables.def"
#undef VARIABLE
};

static const struct variable *find_variable(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (str_is(name, variables[i].name))
			return &variables[i];
	return NULL;
}

/* --- reading --- */

/* Take the next line; *ENDS: has it an end? */
static struct str take_line(struct str *text, bool *ends)
{
	const char *end = str_chr(*text, '\n');
	struct str line = { text->p, end ? (size_t)(end - text->p) : text->n };

	*ends = end != NULL;
	text->p += line.n + *ends;
	text->n -= line.n + *ends;
	return line;
}

/* The first {{…}} in LINE; OPEN.p is NULL if there is none. Returns the name. */
static struct str find_placeholder(struct str line, struct str *open)
{
	const char *p = line.n ? memmem(line.p, line.n, "{{", 2) : NULL, *close;

	*open = (struct str){ NULL, 0 };
	if (!p)
		return *open;
	close = memmem(p, (size_t)(line.p + line.n - p), "}}", 2);
	if (!close)
		return (struct str){ NULL, 0 };
	*open = (struct str){ p, (size_t)(close - p) + 2 };
	return (struct str){ p + 2, open->n - 4 };
}

static struct str behind(struct str line, struct str part)
{
	const char *p = part.p + part.n;

	return (struct str){ p, (size_t)(line.p + line.n - p) };
}

static bool is_condition(struct str name)
{
	return name.n && (*name.p == '?' || *name.p == '!');
}

/* The condition at the begin of LINE, with its sign; empty if there is none. */
static struct str condition_of(struct str line, struct str *open)
{
	struct str name = find_placeholder(line, open);

	return open->p && open->p == line.p && is_condition(name) ? name : (struct str){ "", 0 };
}

/* --- rendering --- */

static void render_line(struct buf *b, struct str line, const struct template_values *v)
{
	while (line.n) {
		struct str open, name = find_placeholder(line, &open);

		if (!open.p) {
			buf_add(b, line.p, line.n);
			return;
		}
		buf_add(b, line.p, (size_t)(open.p - line.p));
		v->add(b, name, v);
		line = behind(line, open);
	}
}

/* Does LINE stand? Its condition is taken from it. */
static bool line_stands(struct str *line, const struct template_values *v)
{
	struct str open, name = condition_of(*line, &open);
	struct buf value = { 0 };
	bool wanted;

	if (!name.n)
		return true;
	v->add(&value, (struct str){ name.p + 1, name.n - 1 }, v);
	wanted = (*name.p == '?') == (value.n > 0);
	if (value.n)
		OPENSSL_cleanse(value.p, value.n);
	buf_free(&value);
	*line = behind(*line, open);
	return wanted;
}

void template_render(struct buf *b, struct str text, const struct template_values *v)
{
	while (text.n) {
		bool ends;
		struct str line = take_line(&text, &ends);
		size_t before = b->n;

		if (!line_stands(&line, v))
			continue;
		render_line(b, line, v);
		/* lines that do not stand leave no gap */
		if (ends && !(b->n == before && before > 1 && b->p[before - 1] == '\n' &&
				    b->p[before - 2] == '\n'))
			buf_addc(b, '\n');
	}
}

static void add_example(struct buf *b, struct str name, const struct template_values *v)
{
	const struct variable *x = find_variable(name);

	if (x)
		buf_adds(b, v->zh ? x->zh : x->en);
}

struct template_values template_examples(bool zh)
{
	return (struct template_values){ .add = add_example, .zh = zh };
}

/* --- what a text may use --- */

static bool uses(struct str text, const char *name)
{
	while (text.n) {
		struct str open, found = find_placeholder(text, &open);

		if (!open.p)
			return false;
		if (is_condition(found))
			found = (struct str){ found.p + 1, found.n - 1 };
		if (str_is(found, name))
			return true;
		text = behind(text, open);
	}
	return false;
}

static bool may_use(const struct template_text *t, const struct variable *x)
{
	return x->where == EVERY || uses(t->shipped_all, x->name) ||
	       (x->where == TICKET && uses(t->shipped_all, "number"));
}

const char *template_variable(const struct template_text *t, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (may_use(t, &variables[i]) && !n--)
			return variables[i].name;
	return NULL;
}

/* --- what can be wrong --- */

static bool is_empty(struct str s)
{
	return !s.n || text_is_blank(s);
}

/* The first line of what was shipped that has one: a condition, another placeholder; else the
 * first line that is not blank. */
static struct str shipped_line(struct str text, bool condition)
{
	struct str first = { "", 0 }, rest = text;

	while (rest.n) {
		bool ends;
		struct str line = take_line(&rest, &ends), open;

		if (!first.n && !is_empty(line))
			first = line;
		if (condition ? condition_of(line, &open).n > 0
			      : find_placeholder(line, &open).n > 0)
			return line;
	}
	return condition ? shipped_line(text, false) : first;
}

/* The line of TEXT that shows NAME without a condition. */
static struct str line_with(struct str text, const char *name)
{
	while (text.n) {
		bool ends;
		struct str line = take_line(&text, &ends), open;

		if (!condition_of(line, &open).n && uses(line, name))
			return line;
	}
	return (struct str){ "", 0 };
}

/* The variable without which a text is of no use, as what was shipped always shows it; NULL: none.
 */
static const char *proof_of(const struct template_text *t)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (variables[i].where == PROOF && line_with(t->shipped_body, variables[i].name).n)
			return variables[i].name;
	return NULL;
}

/* A line that would do as a body. */
static struct str example_of(const struct template_text *t, bool condition)
{
	const char *proof = proof_of(t);

	return proof ? line_with(t->shipped_body, proof) : shipped_line(t->shipped_body, condition);
}

static bool refuse(struct template_fault *fault, const char *en, const char *zh, struct str example)
{
	snprintf(fault->en, sizeof(fault->en), "%s", en);
	snprintf(fault->zh, sizeof(fault->zh), "%s", zh);
	fault->example = example;
	return false;
}

static bool refuse_name(const struct template_text *t, struct template_fault *fault,
	struct str name, struct str example)
{
	struct buf en = { 0 }, zh = { 0 };
	const char *known;

	buf_addf(&en, "there is no {{%.*s}} in this text, only: ", name.n < 40 ? (int)name.n : 0,
		name.p);
	buf_addf(&zh, "本文本中没有 {{%.*s}}，可用的有：", name.n < 40 ? (int)name.n : 0, name.p);
	for (size_t i = 0; (known = template_variable(t, i)); i++) {
		buf_addf(&en, "%s%s", i ? ", " : "", known);
		buf_addf(&zh, "%s%s", i ? "、" : "", known);
	}
	refuse(fault, buf_cstr(&en), buf_cstr(&zh), example);
	buf_free(&en);
	buf_free(&zh);
	return false;
}

/* A line after the condition at its begin, or all of it where none may be. */
static bool placeholders_are_valid(const struct template_text *t, struct template_fault *fault,
	struct str line, struct str example)
{
	while (line.n) {
		struct str open, name = find_placeholder(line, &open);
		struct str before = { line.p, open.p ? (size_t)(open.p - line.p) : line.n };
		const struct variable *x;

		if ((before.n && (memmem(before.p, before.n, "{{", 2) ||
					 memmem(before.p, before.n, "}}", 2))) ||
			(name.n && memmem(name.p, name.n, "{{", 2)))
			return refuse(fault, "{{ and }} come in pairs, on one line",
				"{{ 与 }} 须在同一行成对出现", example);
		if (!open.p)
			return true;
		if (is_condition(name))
			return refuse(fault,
				"a condition ({{?name}}, {{!name}}) is at the begin of a line of "
				"the body, and there is one",
				"条件（{{?name}}、{{!name}}）只能写在正文一行的开头，且只能有一个",
				example);
		x = find_variable(name);
		if (!x || !may_use(t, x))
			return refuse_name(t, fault, name, example);
		line = behind(line, open);
	}
	return true;
}

static bool line_is_valid(
	const struct template_text *t, struct template_fault *fault, struct str line)
{
	struct str open, name = condition_of(line, &open), example = example_of(t, name.n > 0);

	if (name.n) {
		struct str bare = { name.p + 1, name.n - 1 };
		const struct variable *x = find_variable(bare);

		if (!x || !may_use(t, x))
			return refuse_name(t, fault, bare, example);
		line = behind(line, open);
	}
	return placeholders_are_valid(t, fault, line, example);
}

bool template_subject_is_valid(const struct template_text *t, struct template_fault *fault)
{
	struct str example = t->shipped_subject;

	fault->field = "subject";
	if (is_empty(t->subject))
		return refuse(fault, "not empty", "不能为空", example);
	if (text_has_control(t->subject))
		return refuse(fault, "one line, without control characters",
			"只能有一行，不含控制字符", example);
	if (utf8_length(t->subject.p, t->subject.n) > SUBJECT_MAX)
		return refuse(fault, "at most 200 characters", "最多 200 个字符", example);
	return placeholders_are_valid(t, fault, t->subject, example);
}

/* A mail with a code or a link is of no use without it. */
static bool has_its_proof(const struct template_text *t, struct template_fault *fault)
{
	const char *name = proof_of(t);
	char en[120], zh[120];

	if (!name || line_with(t->body, name).n)
		return true;
	snprintf(en, sizeof(en), "{{%s}} is on a line without a condition", name);
	snprintf(zh, sizeof(zh), "须有不带条件的一行包含 {{%s}}", name);
	return refuse(fault, en, zh, example_of(t, false));
}

bool template_body_is_valid(const struct template_text *t, struct template_fault *fault)
{
	size_t code_n = strlen(t->code), length;
	bool sms = code_n > 4 && strcmp(t->code + code_n - 4, "_sms") == 0;
	struct str rest = t->body, example = example_of(t, false);

	fault->field = "body";
	if (is_empty(t->body))
		return refuse(fault, "not empty", "不能为空", example);
	length = utf8_length(t->body.p, t->body.n);
	if (sms && length > SMS_MAX)
		return refuse(fault, "at most 300 characters, because it is a text message",
			"短信最多 300 个字符", example);
	if (length > BODY_MAX)
		return refuse(fault, "at most 8000 characters", "最多 8000 个字符", example);
	while (rest.n) {
		bool ends;
		struct str line = take_line(&rest, &ends);

		if (line.n && text_has_control(line))
			return refuse(fault,
				"no control characters; lines end with LF (U+000A) alone",
				"不能含控制字符；换行只用 LF（U+000A）", example);
		if (!line_is_valid(t, fault, line))
			return false;
	}
	return has_its_proof(t, fault);
}
