/* SPDX-License-Identifier: Apache-2.0
 * The variables of notifications (variables.def): their values in the reader's language and zone.
 */
#include "outbox.h"
#include "words.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "ticket/names.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "config/options.h"
#include "config/zones.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define QUOTE_MAX 1200 /* bytes of a person's words that a mail repeats, and their lines */
#define QUOTE_LINES 30

static bool is_zh(const struct outbox_row *w)
{
	return str_is(db_text(w->r, w->i, C_LANG), "zh");
}

/* --- instants and durations --- */

/* With the zone's name and its difference to UTC at that instant, in Chinese with full-width
 * punctuation. */
void outbox_add_instant(struct buf *b, const struct outbox_row *w, int64_t us)
{
	struct str name = db_text(w->r, w->i, C_ZONE);
	bool zh = is_zh(w);
	const struct zone *zone;
	char t[32], text[64];
	int32_t offset, minutes;
	int64_t until;

	if (us == 0 || us == INSTANT_NONE)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)name.n, name.p ? name.p : "");
	zone = zone_find(text);
	offset = zone ? zone_offset(zone, us / US_PER_S, &until) : 0;
	minutes = (offset < 0 ? -offset : offset) / 60;
	time_format(us + offset * US_PER_S, 3, t);
	buf_addf(b, "%.10s %.5s", t, t + 11);
	if (zone && offset)
		buf_addf(b, "%s%s%sUTC%c%02d:%02d%s", zh ? "（" : " (", text, zh ? "，" : ", ",
			offset < 0 ? '-' : '+', minutes / 60, minutes % 60, zh ? "）" : ")");
	else
		buf_adds(b, " UTC");
}

/* How long ago the clock of the event was due (SIGN 1), or how long it still has (-1). */
static void add_distance(struct buf *b, const struct outbox_row *w, int sign)
{
	int64_t due = json_get_int(w->data, "clock_due_at", 0),
		past = (clock_now_us() - due) * sign;

	if (due && due != INSTANT_NONE && past >= 0)
		words_add_duration(b, past, is_zh(w));
}

/* --- what people wrote --- */

/* The next line of TEXT, without its end. */
static struct str take_line(struct str *text)
{
	const char *end = str_chr(*text, '\n');
	struct str line = { text->p, end ? (size_t)(end - text->p) : text->n };
	size_t skip = line.n + (end != NULL);

	text->p += skip;
	text->n -= skip;
	while (line.n && strchr(" \t\r", line.p[line.n - 1]))
		line.n--;
	return line;
}

/* The part of LINE that fits into MOST bytes: up to the end of a sentence or a word in its second
 * half, and never a part of a character. */
static struct str cut_line(struct str line, size_t most)
{
	static const char *const ends[] = { "。", "！", "？", "；", "，", ". ", " " };
	size_t n = most;

	if (line.n <= most)
		return line;
	while (n && ((unsigned char)line.p[n] & 0xc0) == 0x80)
		n--;
	line.n = n;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		for (size_t k = strlen(ends[i]), at = n; at > n / 2 && at >= k; at--)
			if (memcmp(line.p + at - k, ends[i], k) == 0)
				return (struct str){ line.p, ends[i][k - 1] == ' ' ? at - 1 : at };
	return line;
}

/* A person's words as a quotation, each line after "> ". What is too long for a mail is cut, and
 * the mail says so. */
static void add_quote(struct buf *b, const struct outbox_row *w, struct str text)
{
	size_t left = QUOTE_MAX;
	bool blank = false;
	int lines = 0;

	while (text.n && text.p[text.n - 1] <= ' ' && text.p[text.n - 1] > 0)
		text.n--;
	while (text.n) {
		struct str line = take_line(&text), shown = cut_line(line, left);

		if (!line.n && (blank || !lines))
			continue;
		if (!left || lines++ >= QUOTE_LINES || (line.n && !shown.n)) {
			text.n = 1;
			break;
		}
		blank = !line.n;
		buf_addf(b, "%s>%s", b->n && b->p[b->n - 1] != '\n' ? "\n" : "", line.n ? " " : "");
		text_add_line(b, shown);
		if (shown.n < line.n) {
			buf_adds(b, "…");
			text.n = 1;
			break;
		}
		left -= line.n < left ? line.n : left;
	}
	if (text.n)
		buf_addf(b, "\n>\n> %s",
			is_zh(w) ? "（内容较长，全文见工单）"
				 : "(This is the beginning. The ticket has all of it.)");
}

/* --- variables --- */

static void add_text_column(struct buf *b, const struct outbox_row *w, int column)
{
	text_add_line(b, db_text(w->r, w->i, column));
}

static void add_number(struct buf *b, const struct outbox_row *w)
{
	add_text_column(b, w, C_NUMBER);
}

static void add_title(struct buf *b, const struct outbox_row *w)
{
	add_text_column(b, w, C_TITLE);
}

static void add_tenant(struct buf *b, const struct outbox_row *w)
{
	add_text_column(b, w, C_TENANT);
}

static void add_name(struct buf *b, const struct outbox_row *w)
{
	add_text_column(b, w, C_FULL_NAME);
}

static void add_actor(struct buf *b, const struct outbox_row *w)
{
	if (db_text(w->r, w->i, C_ACTOR_NAME).n)
		add_text_column(b, w, C_ACTOR_NAME);
	else
		buf_adds(b, is_zh(w) ? "系统" : "The system");
}

static void add_engineer(struct buf *b, const struct outbox_row *w)
{
	add_text_column(b, w, C_ASSIGNEE_NAME);
}

static void add_requester(struct buf *b, const struct outbox_row *w)
{
	add_text_column(b, w, C_REQUESTER_NAME);
}

static void add_priority(struct buf *b, const struct outbox_row *w)
{
	add_text_column(b, w, C_PRIORITY);
}

static void add_priority_name(struct buf *b, const struct outbox_row *w, bool zh)
{
	buf_adds(b, priority_label(priority_parse(db_text(w->r, w->i, C_PRIORITY)), zh));
}

static void add_priority_zh(struct buf *b, const struct outbox_row *w)
{
	add_priority_name(b, w, true);
}

static void add_priority_en(struct buf *b, const struct outbox_row *w)
{
	add_priority_name(b, w, false);
}

static void add_status(struct buf *b, const struct outbox_row *w)
{
	buf_adds(b, words_status(db_text(w->r, w->i, C_STATUS), is_zh(w)));
}

static void add_status_zh(struct buf *b, const struct outbox_row *w)
{
	buf_adds(b, words_status(db_text(w->r, w->i, C_STATUS), true));
}

static void add_status_en(struct buf *b, const struct outbox_row *w)
{
	buf_adds(b, words_status(db_text(w->r, w->i, C_STATUS), false));
}

static void add_clock_name(struct buf *b, const struct outbox_row *w, bool zh)
{
	const char *code = json_get_string(w->data, "clock");

	buf_adds(b, words_clock(str_of(code ? code : ""), zh));
}

static void add_clock(struct buf *b, const struct outbox_row *w)
{
	add_clock_name(b, w, is_zh(w));
}

static void add_clock_zh(struct buf *b, const struct outbox_row *w)
{
	add_clock_name(b, w, true);
}

static void add_text(struct buf *b, const struct outbox_row *w)
{
	struct str text = db_text(w->r, w->i, C_TEXT);

	while (text.n) {
		outbox_add_value(b, take_line(&text));
		if (text.n)
			buf_addc(b, '\n');
	}
}

static void add_quoted_text(struct buf *b, const struct outbox_row *w)
{
	add_quote(b, w, db_text(w->r, w->i, C_TEXT));
}

static void add_description(struct buf *b, const struct outbox_row *w)
{
	add_quote(b, w, db_text(w->r, w->i, C_DESCRIPTION));
}

/* What a resolution says under this heading. */
static void add_detail(struct buf *b, const struct outbox_row *w, const char *key)
{
	struct str details = db_text(w->r, w->i, C_DETAILS);
	struct json_error err;
	struct json_object *o = details.n ? json_read(details.p, details.n, &err) : NULL;
	const char *text = json_get_string(o, key);

	if (text)
		add_quote(b, w, str_of(text));
	json_object_put(o);
}

static void add_root_cause(struct buf *b, const struct outbox_row *w)
{
	add_detail(b, w, "root_cause");
}

static void add_solution(struct buf *b, const struct outbox_row *w)
{
	add_detail(b, w, "solution");
}

static void add_prevention(struct buf *b, const struct outbox_row *w)
{
	add_detail(b, w, "prevention");
}

static void add_threshold(struct buf *b, const struct outbox_row *w)
{
	const char *s = json_get_string(w->data, "threshold");

	if (s)
		buf_addf(b, "%s%s", s, s[0] >= '0' && s[0] <= '9' ? "%" : "");
}

/* What a warning is about: how much of the time is used, or how much is left of it. */
static void add_reached(struct buf *b, const struct outbox_row *w)
{
	const char *s = json_get_string(w->data, "threshold");
	bool zh = is_zh(w);

	if (!s)
		return;
	if (*s == '-') {
		buf_adds(b, zh ? "还剩 " : "");
		words_add_duration(b, atoll(s + 1) * 60 * US_PER_S, zh);
		buf_adds(b, zh ? "" : " left");
	} else {
		buf_addf(b, zh ? "已用去 %s%%" : "%s%% of the time is used", s);
	}
}

static void add_late(struct buf *b, const struct outbox_row *w)
{
	add_distance(b, w, 1);
}

static void add_left(struct buf *b, const struct outbox_row *w)
{
	add_distance(b, w, -1);
}

static void add_target(struct buf *b, const struct outbox_row *w)
{
	int64_t s = db_int(w->r, w->i, C_TARGET_S);

	if (s > 0)
		words_add_duration(b, s * US_PER_S, is_zh(w));
}

static void add_due(struct buf *b, const struct outbox_row *w)
{
	outbox_add_instant(b, w, json_get_int(w->data, "clock_due_at", 0));
}

static void add_response_due(struct buf *b, const struct outbox_row *w)
{
	outbox_add_instant(b, w, db_int(w->r, w->i, C_RESPONSE_DUE));
}

static void add_answer_by(struct buf *b, const struct outbox_row *w)
{
	outbox_add_instant(b, w, json_get_int(w->data, "answer_by", 0));
}

static void add_rca_due(struct buf *b, const struct outbox_row *w)
{
	outbox_add_instant(b, w, db_int(w->r, w->i, C_RCA_DUE));
}

static void add_rca_owner(struct buf *b, const struct outbox_row *w)
{
	add_text_column(b, w, C_RCA_OWNER);
}

/* To those alone who were told of the breach that an accepted contact lifts. */
static void add_lifted(struct buf *b, const struct outbox_row *w)
{
	if (db_int(w->r, w->i, C_LIFTED))
		buf_adds(b, is_zh(w) ? "此前通知您的违约已撤销。"
				     : " The breach that you were notified of has been lifted.");
}

static void add_side(struct buf *b, const struct outbox_row *w)
{
	bool customer = str_is(db_text(w->r, w->i, C_ACTOR_KIND), "customer");

	if (is_zh(w))
		buf_adds(b, customer ? "客户" : "我们");
	else
		buf_adds(b, customer ? "the customer" : "us");
}

static void add_level(struct buf *b, const struct outbox_row *w)
{
	buf_add_int(b, json_get_int(w->data, "level", 1));
}

static void add_wake(struct buf *b, const struct outbox_row *w)
{
	outbox_add_instant(b, w, json_get_int(w->data, "wake_at", 0));
}

static void add_contact_at(struct buf *b, const struct outbox_row *w)
{
	outbox_add_instant(b, w, json_get_int(w->data, "reckon_at", 0));
}

static void add_window(struct buf *b, const struct outbox_row *w)
{
	int64_t from = json_get_int(w->data, "from", 0), to = json_get_int(w->data, "to", 0);

	if (!from || !to)
		return;
	outbox_add_instant(b, w, from);
	buf_adds(b, is_zh(w) ? " 至 " : " to ");
	outbox_add_instant(b, w, to);
}

static void add_changed(struct buf *b, const struct outbox_row *w)
{
	words_add_changed(b, json_get_string(w->data, "changed"), is_zh(w));
}

static void add_rights(struct buf *b, const struct outbox_row *w)
{
	words_add_rights(b, w->data, is_zh(w));
}

static void add_reasons(struct buf *b, const struct outbox_row *w)
{
	words_add_reasons(b, json_get_string(w->data, "reasons"), is_zh(w));
}

static void add_device(struct buf *b, const struct outbox_row *w)
{
	words_add_device(b, w->data, is_zh(w));
}

static void add_code(struct buf *b, const struct outbox_row *w)
{
	if (!db_open(b, w->r, w->i, C_CODE))
		buf_adds(b, "?");
}

/* The token is signed when the mail is sent and stored nowhere. */
static void add_link(struct buf *b, const struct outbox_row *w, enum token_use use, int64_t lives_s,
	const char *name)
{
	struct token_claims c = { .tenant_id = db_int(w->r, w->i, C_TENANT_ID),
		.session_id = json_get_int(w->data, "reset_id", 0),
		.expires_s = db_int(w->r, w->i, C_AT) / US_PER_S + lives_s };
	char *token = token_sign(use, &c, clock_now_us() / US_PER_S);

	buf_addf(b, "%s/#%s=%s", options.http_url, name, token);
	OPENSSL_cleanse(token, strlen(token));
	free(token);
}

static void add_reset_link(struct buf *b, const struct outbox_row *w)
{
	add_link(b, w, TOKEN_RESET, 3600, "reset");
}

static void add_login_link(struct buf *b, const struct outbox_row *w)
{
	add_link(b, w, TOKEN_LINK, 900, "link");
}

static void add_score(struct buf *b, const struct outbox_row *w)
{
	struct json_object *score = json_get(w->data, "score");

	if (score)
		buf_adds(b, json_object_get_string(score));
}

static void add_address_link(struct buf *b, const struct outbox_row *w)
{
	if (json_get_int(w->data, "reset_id", 0))
		add_link(b, w, TOKEN_ADDRESS, 7 * 86400, "address");
}

static void add_url(struct buf *b, const struct outbox_row *w)
{
	if (db_int(w->r, w->i, C_TICKET_ID))
		buf_addf(b, "%s/#/tickets/%lld", options.http_url,
			(long long)db_int(w->r, w->i, C_TICKET_ID));
}

static void add_reply_to(struct buf *b, const struct outbox_row *w)
{
	struct str name, address;

	(void)w;
	if (*options.mail_reply_to && text_read_mailbox(options.mail_reply_to, &name, &address))
		buf_add(b, address.p, address.n);
}

/* A value that is in the event's data as it is. */
static void add_told(struct buf *b, const struct outbox_row *w, struct str name)
{
	char key[16];
	const char *s;

	snprintf(key, sizeof(key), "%.*s", (int)name.n, name.p);
	s = json_get_string(w->data, key);
	buf_adds(b, s ? s : "");
}

typedef void adder(struct buf *b, const struct outbox_row *w);

static const struct {
	const char *name;
	adder *add; /* NULL: as the event tells it */
} variables[] = {
#define VARIABLE(name, adder, where, en, zh) { #name, adder },
#include "variables.def"
#undef VARIABLE
};

void outbox_add_variable(struct buf *b, const struct outbox_row *w, struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		if (!str_is(name, variables[i].name))
			continue;
		if (variables[i].add)
			variables[i].add(b, w);
		else
			add_told(b, w, name);
		return;
	}
}
