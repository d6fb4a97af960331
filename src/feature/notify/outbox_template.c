/* SPDX-License-Identifier: Apache-2.0
 * The texts of notifications: templates (template.h), filled in.
 *
 * A value is marked while the text is made into HTML: only the template decides what is a link, a
 * quotation or a row of a table, not what somebody has entered as a title or a name. */
#include "outbox.h"
#include "template.h"
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
		"looks", "prevention", "quote", "rights", "root_cause", "solution", "text", "url" };
	static const char link[] = "_link";

	if (name.n > strlen(link) &&
		memcmp(name.p + name.n - strlen(link), link, strlen(link)) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (str_is(name, forms[i]))
			return true;
	return false;
}

static void add_filled(struct buf *b, struct str name, const struct template_values *v)
{
	struct buf value = { 0 };

	if (is_form(name)) {
		outbox_add_variable(b, v->row, name);
		return;
	}
	outbox_add_variable(&value, v->row, name);
	outbox_add_value(b, (struct str){ value.p, value.n });
	if (value.n)
		OPENSSL_cleanse(value.p, value.n);
	buf_free(&value);
}

void outbox_render(struct buf *b, const struct outbox_row *w, struct str tmpl)
{
	template_render(b, tmpl, &(struct template_values){ .add = add_filled, .row = w });
}

void outbox_text(struct buf *b, const struct outbox_row *w)
{
	outbox_render(b, w, db_text(w->r, w->i, C_BODY));
	outbox_unmark(b);
}
