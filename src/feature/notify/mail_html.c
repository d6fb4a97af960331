/* SPDX-License-Identifier: Apache-2.0
 * One column of tables with inline styles, which is what mail programs show alike, on phones too.
 */
#include "mail_html.h"
#include "outbox.h"
#include "words.h"
#include "base/text.h"
#include "config/options.h"
#include "ticket/names.h"

#include <stdio.h>
#include <string.h>

#define LABEL_MAX 48 /* bytes */

/* --- pieces --- */

static void add_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		switch (s.p[i]) {
		case '&':
			buf_adds(b, "&amp;");
			break;
		case '<':
			buf_adds(b, "&lt;");
			break;
		case '>':
			buf_adds(b, "&gt;");
			break;
		case '"':
			buf_adds(b, "&quot;");
			break;
		case VALUE_BEGIN:
		case VALUE_END:
			break;
		default:
			buf_addc(b, s.p[i]);
		}
}

/* The blanks at the begin of a line are what indents a log or a program. */
static void add_line(struct buf *b, struct str s)
{
	for (; s.n && *s.p == ' '; s.p++, s.n--)
		buf_adds(b, "&nbsp;");
	add_escaped(b, s);
}

static struct str take_line(struct str *text)
{
	const char *end = str_chr(*text, '\n');
	struct str line = { text->p, end ? (size_t)(end - text->p) : text->n };

	text->p += line.n + (end != NULL);
	text->n -= line.n + (end != NULL);
	return line;
}

static bool starts(struct str s, const char *with)
{
	return s.n >= strlen(with) && memcmp(s.p, with, strlen(with)) == 0;
}

static bool ends(struct str s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.p + s.n - n, with, n) == 0;
}

static bool is_link(struct str s)
{
	return (starts(s, "https://") || starts(s, "http://")) && !str_chr(s, ' ');
}

/* Is LINE "label: value"? A sentence is not: a label has no punctuation, and nothing in it was
 * entered by somebody. */
static bool read_fact(struct str line, struct str *label, struct str *value)
{
	const char *mark = str_chr(line, VALUE_BEGIN), *colon;
	size_t skip = 3, own = mark ? (size_t)(mark - line.p) : line.n;

	colon = memmem(line.p, own, "：", 3);
	if (!colon) {
		colon = memmem(line.p, own, ": ", 2);
		skip = 2;
	}
	if (!colon)
		return false;
	*label = (struct str){ line.p, (size_t)(colon - line.p) };
	if (starts(*label, "- ")) /* of a list */
		*label = (struct str){ label->p + 2, label->n - 2 };
	*value = (struct str){ colon + skip, (size_t)(line.p + line.n - colon) - skip };
	return label->n > 0 && label->n <= LABEL_MAX && value->n > 0 && *line.p != '>' &&
	       !str_chr(*label, ',') && !str_chr(*label, '.') &&
	       !memmem(label->p, label->n, "，", 3) && !memmem(label->p, label->n, "。", 3);
}

/* --- blocks --- */

enum line_kind { LINE_TEXT, LINE_QUOTE, LINE_LINK };

static enum line_kind kind_of(struct str line)
{
	struct str label, value;

	if (*line.p == '>')
		return LINE_QUOTE;
	if (is_link(line) || (read_fact(line, &label, &value) && is_link(value)))
		return LINE_LINK;
	return LINE_TEXT;
}

static void add_button(struct buf *b, struct str line, const char *colour, bool zh)
{
	struct str label = str_of(zh ? "打开链接" : "Open the link"), value = line;

	if (!is_link(line) && !read_fact(line, &label, &value))
		return;
	buf_adds(b, "<p style=\"margin:20px 0\"><a href=\"");
	add_escaped(b, value);
	buf_addf(b,
		"\" style=\"display:inline-block;background:%s;color:#ffffff;text-decoration:none;"
		"font-weight:600;padding:11px 22px;border-radius:6px\">",
		colour);
	add_escaped(b, label);
	buf_adds(b, "</a></p>\n");
}

static void add_quote_line(struct buf *b, struct str line, bool first)
{
	line.p++;
	line.n--;
	if (line.n && *line.p == ' ')
		line.p++, line.n--;
	if (!first)
		buf_adds(b, "<br>\n");
	add_line(b, line);
}

/* Lines of one kind, up to the next of another. */
static void add_run(struct buf *b, struct str *block, const char *colour, bool zh)
{
	struct str next = *block, line = take_line(&next);
	enum line_kind kind = kind_of(line);

	if (kind == LINE_LINK) {
		add_button(b, line, colour, zh);
		*block = next;
		return;
	}
	if (kind == LINE_QUOTE)
		buf_addf(b,
			"<blockquote style=\"margin:6px 0 16px;padding:10px "
			"14px;background:#f5f7fa;"
			"border-left:3px solid %s;color:#24292f\">",
			colour);
	else
		buf_adds(b, "<p style=\"margin:14px 0 8px\">");
	for (bool first = true; block->n; first = false) {
		next = *block;
		line = take_line(&next);
		if (line.n && kind_of(line) != kind)
			break;
		if (kind == LINE_QUOTE) {
			add_quote_line(b, line, first);
		} else {
			buf_adds(b, first ? "" : "<br>\n");
			add_line(b, line);
		}
		*block = next;
	}
	buf_adds(b, kind == LINE_QUOTE ? "</blockquote>\n" : "</p>\n");
}

static bool is_table(struct str block)
{
	struct str label, value;
	int n = 0;

	for (; block.n; n++) {
		struct str line = take_line(&block);

		if (!read_fact(line, &label, &value) || is_link(value))
			return false;
	}
	return n > 1;
}

static void add_table(struct buf *b, struct str block)
{
	struct str label, value;

	buf_adds(b, "<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" "
		    "width=\"100%\" style=\"margin:14px 0;border-top:1px solid #e4e8ee\">\n");
	while (block.n) {
		if (!read_fact(take_line(&block), &label, &value))
			continue;
		buf_adds(b, "<tr><td valign=\"top\" style=\"padding:8px 14px 8px "
			    "0;border-bottom:1px solid #e4e8ee;color:#5b6673;width:30%\">");
		add_escaped(b, label);
		buf_adds(b, "</td><td valign=\"top\" style=\"padding:8px 0;border-bottom:1px solid "
			    "#e4e8ee;font-weight:600\">");
		add_escaped(b, value);
		buf_adds(b, "</td></tr>\n");
	}
	buf_adds(b, "</table>\n");
}

/* The lines up to the next blank one. */
static struct str take_block(struct str *text)
{
	struct str block;

	while (text->n && *text->p == '\n')
		text->p++, text->n--;
	block = (struct str){ text->p, 0 };
	while (text->n && *text->p != '\n') {
		struct str line = take_line(text);

		block.n = (size_t)(line.p + line.n - block.p);
	}
	return block;
}

static void add_blocks(struct buf *b, struct str text, const char *colour, bool zh)
{
	while (text.n) {
		struct str block = take_block(&text);

		if (is_table(block))
			add_table(b, block);
		else
			while (block.n)
				add_run(b, &block, colour, zh);
	}
}

/* --- the page --- */

/* Red: somebody must act now; amber: soon; green: it is done. */
static const char *colour_of(struct str template)
{
	static const char *const looks[][2] = { { "sla_breach", "#b3261e" }, { "p0_", "#b3261e" },
		{ "sla_", "#9a5b00" }, { "ticket_escal", "#9a5b00" },
		{ "ticket_resolved", "#1a7f37" }, { "ticket_mitigated", "#1a7f37" } };

	for (size_t i = 0; i < ARRAY_LEN(looks); i++)
		if (starts(template, looks[i][0]))
			return looks[i][1];
	return "#1f5fbf";
}

/* The sentence that a list of mails shows after the subject: the one after the salutation. */
static void add_preview(struct buf *b, struct str body)
{
	struct str block = take_block(&body), line;

	if (ends(block, "：") || ends(block, ","))
		block = take_block(&body);
	line = take_line(&block);
	buf_adds(b, "<div style=\"display:none;max-height:0;overflow:hidden\">");
	add_escaped(b, line);
	buf_adds(b, "</div>\n");
}

/* What the mail is about: the ticket, or else the mail's subject. */
static void add_head(struct buf *b, const struct outbox_row *w, struct str subject, bool zh)
{
	struct str priority = db_text(w->r, w->i, C_PRIORITY), title = { 0 };
	struct buf line = { 0 };
	const char *end;

	buf_adds(b, "<div style=\"font-size:13px;color:#5b6673\">");
	if (db_int(w->r, w->i, C_TICKET_ID)) {
		add_escaped(b, db_text(w->r, w->i, C_NUMBER));
		buf_addf(b, " · %.*s %s · %s", (int)priority.n, priority.p,
			priority_label(priority_parse(priority), zh),
			words_status(db_text(w->r, w->i, C_STATUS), zh));
		text_add_line(&line, db_text(w->r, w->i, C_TITLE));
		title = (struct str){ line.p, line.n };
	} else {
		add_escaped(b, db_text(w->r, w->i, C_TENANT));
		end = subject.n && *subject.p == '[' ? memmem(subject.p, subject.n, "] ", 2) : NULL;
		title = subject;
		if (end)
			title = (struct str){ end + 2, (size_t)(subject.p + subject.n - end) - 2 };
	}
	buf_adds(b, "</div>\n<h1 style=\"margin:4px 0 14px;font-size:20px;line-height:1.35\">");
	add_escaped(b, title);
	buf_adds(b, "</h1>\n");
	buf_free(&line);
}

void mail_html(struct buf *b, const struct outbox_row *w, struct str subject, struct str body,
	struct str foot)
{
	bool zh = str_is(db_text(w->r, w->i, C_LANG), "zh");
	const char *colour = colour_of(db_text(w->r, w->i, C_TEMPLATE));

	buf_addf(b,
		"<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
		zh ? "zh-CN" : "en");
	add_escaped(b, subject);
	buf_adds(b, "</title></head>\n<body style=\"margin:0;padding:0;background:#eef1f5\">\n");
	add_preview(b, body);
	buf_addf(b,
		"<table role=\"presentation\" width=\"100%%\" cellpadding=\"0\" cellspacing=\"0\" "
		"style=\"background:#eef1f5\"><tr><td align=\"center\" style=\"padding:20px "
		"10px\">\n"
		"<table role=\"presentation\" width=\"100%%\" cellpadding=\"0\" cellspacing=\"0\" "
		"style=\"max-width:600px;background:#ffffff;border-radius:8px;border-top:4px solid "
		"%s\"><tr><td style=\"padding:22px "
		"24px;text-align:left;font:15px/1.6 -apple-system,'Segoe UI',Roboto,'PingFang "
		"SC','Microsoft YaHei','Noto Sans CJK "
		"SC',sans-serif;color:#1b1f24;word-break:break-word;overflow-wrap:anywhere\">\n",
		colour);
	add_head(b, w, subject, zh);
	add_blocks(b, body, colour, zh);
	if (foot.n) {
		buf_adds(b, "<div style=\"margin-top:22px;padding-top:12px;border-top:1px solid "
			    "#e4e8ee;font-size:12px;line-height:1.5;color:#5b6673\">");
		while (foot.n) {
			add_line(b, take_line(&foot));
			buf_adds(b, foot.n ? "<br>\n" : "");
		}
		buf_adds(b, "</div>\n");
	}
	buf_adds(b, "</td></tr></table>\n</td></tr></table>\n</body></html>\n");
}
