/* SPDX-License-Identifier: Apache-2.0
 * The texts of notifications: templates, filled in.
 *
 * {{name}}    the value of a variable; of an unknown one nothing
 * {{?name}}   at the begin of a line: the line stands only if the variable has a value
 * {{!name}}   and this only if it has none
 *
 * A value is marked while the text is made into HTML: only the template decides what is a link, a
 * quotation or a row of a table, not what somebody has entered as a title or a name. */
#include "outbox.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <string.h>

void outbox_add_value(struct buf *b, struct str value)
{
	if (!value.n)
		return;
	buf_addc(b, VALUE_BEGIN);
	text_add_line(b, value);
	buf_addc(b, VALUE_END);
}

void outbox_unmark(struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->p[i] != VALUE_BEGIN && b->p[i] != VALUE_END)
			b->p[n++] = b->p[i];
	b->n = n;
}

/* Our own links, and what consists of lines, in which it marks what people have entered. */
static bool is_form(struct str name)
{
	static const char *const forms[] = { "anchors", "begun", "description", "help", "home",
		"login_link", "looks", "prevention", "quote", "reset_link", "rights", "root_cause",
		"solution", "text", "url" };

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (str_is(name, forms[i]))
			return true;
	return false;
}

static void add_filled(struct buf *b, const struct outbox_row *w, struct str name)
{
	struct buf value = { 0 };

	if (is_form(name)) {
		outbox_add_variable(b, w, name);
		return;
	}
	outbox_add_variable(&value, w, name);
	outbox_add_value(b, (struct str){ value.p, value.n });
	if (value.n)
		OPENSSL_cleanse(value.p, value.n);
	buf_free(&value);
}

static void render_line(struct buf *b, const struct outbox_row *w, struct str line)
{
	const char *end = line.p + line.n;

	for (const char *p = line.p; p < end;) {
		const char *open = memmem(p, (size_t)(end - p), "{{", 2),
			   *close = open ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;

		if (!close) {
			buf_add(b, p, (size_t)(end - p));
			return;
		}
		buf_add(b, p, (size_t)(open - p));
		add_filled(b, w, (struct str){ open + 2, (size_t)(close - open) - 2 });
		p = close + 2;
	}
}

/* Does LINE stand? Its condition is taken from it. */
static bool line_stands(const struct outbox_row *w, struct str *line)
{
	const char *close;
	struct buf value = { 0 };
	bool wanted;

	if (line->n < 5 || memcmp(line->p, "{{", 2) != 0 || !strchr("?!", line->p[2]))
		return true;
	close = memmem(line->p, line->n, "}}", 2);
	if (!close)
		return true;
	wanted = line->p[2] == '?';
	outbox_add_variable(&value, w, (struct str){ line->p + 3, (size_t)(close - line->p) - 3 });
	line->n -= (size_t)(close + 2 - line->p);
	line->p = close + 2;
	wanted = wanted == (value.n > 0);
	if (value.n)
		OPENSSL_cleanse(value.p, value.n);
	buf_free(&value);
	return wanted;
}

void outbox_render(struct buf *b, const struct outbox_row *w, struct str tmpl)
{
	while (tmpl.n) {
		const char *end = str_chr(tmpl, '\n');
		struct str line = { tmpl.p, end ? (size_t)(end - tmpl.p) : tmpl.n };
		size_t before;

		tmpl.n -= line.n + (end != NULL);
		tmpl.p += line.n + (end != NULL);
		before = b->n;
		if (!line_stands(w, &line))
			continue;
		render_line(b, w, line);
		/* lines that do not stand leave no gap */
		if (end && !(b->n == before && before > 1 && b->p[before - 1] == '\n' &&
				   b->p[before - 2] == '\n'))
			buf_addc(b, '\n');
	}
}

void outbox_text(struct buf *b, const struct outbox_row *w)
{
	outbox_render(b, w, db_text(w->r, w->i, C_BODY));
	outbox_unmark(b);
}
