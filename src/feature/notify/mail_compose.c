/* SPDX-License-Identifier: Apache-2.0
 * A notification as a mail (RFC 5322): its headers, and its text as plain text and as HTML. */
#include "outbox.h"
#include "mail_html.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "config/options.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define WORD_LINE 76  /* RFC 2047, section 2: a line with an encoded word */
#define WORD_FRAME 12 /* =?UTF-8?B? and ?= */

/* RFC 2047 encoded words, one a line, cut between characters. USED: the columns of the first line
 * that the header's name fills. */
static void add_encoded_words(struct buf *b, struct str s, size_t used)
{
	for (size_t at = 0; at < s.n;) {
		size_t most = (WORD_LINE - WORD_FRAME - (at ? 1 : used)) / 4 * 3,
		       n = s.n - at < most ? s.n - at : most;

		while (at + n < s.n && ((unsigned char)s.p[at + n] & 0xc0) == 0x80)
			n--;
		buf_adds(b, at ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
		buf_add_base64(b, s.p + at, n);
		buf_adds(b, "?=");
		at += n;
	}
}

static void add_base64_lines(struct buf *b, struct str s)
{
	for (size_t at = 0; at < s.n; at += 57) {
		buf_add_base64(b, s.p + at, s.n - at < 57 ? s.n - at : 57);
		buf_adds(b, "\r\n");
	}
}

static void add_date(struct buf *b)
{
	static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t s = clock_now_us() / US_PER_S, y;
	unsigned m, d;

	civil_from_days(s / 86400, &y, &m, &d);
	buf_addf(b, "Date: %s, %u %s %lld %02d:%02d:%02d +0000\r\n",
		days[weekday_from_days(s / 86400)], d, months[m - 1], (long long)y,
		(int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
}

/* A mailbox as a header: its name, if it has one, and its address. */
static void add_mailbox(struct buf *b, const char *header, struct str name, struct str address)
{
	buf_addf(b, "%s: ", header);
	if (name.n) {
		add_encoded_words(b, name, strlen(header) + 2);
		buf_adds(b, "\r\n ");
	}
	buf_addf(b, name.n ? "<%.*s>\r\n" : "%.*s\r\n", (int)address.n, address.p);
}

/* The mails about a ticket are one thread: they all answer a message that is named after the
 * ticket. Its id, like theirs, is in the sender's domain. */
static void add_ids(struct buf *b, const struct outbox_row *w, struct str domain)
{
	long long tenant = (long long)db_int(w->r, w->i, C_TENANT_ID),
		  ticket = (long long)db_int(w->r, w->i, C_TICKET_ID);

	/* The deduplication key: a second copy of the same notification has the same id, and no
	 * other mail ever has, not even after a reinstallation. */
	buf_addf(b, "Message-ID: <n%lld.%lld.%lld@%.*s>\r\n", tenant,
		(long long)db_int(w->r, w->i, C_ID), (long long)db_int(w->r, w->i, C_AT),
		(int)domain.n, domain.p);
	if (ticket)
		buf_addf(b,
			"In-Reply-To: <ticket.%lld.%lld@%.*s>\r\nReferences: "
			"<ticket.%lld.%lld@%.*s>\r\n",
			tenant, ticket, (int)domain.n, domain.p, tenant, ticket, (int)domain.n,
			domain.p);
}

static void add_headers(
	struct buf *b, const struct outbox_row *w, const char *to, struct str subject)
{
	struct str name = { "", 0 }, address = { "", 0 }, domain = str_of("sladesk.invalid");
	const char *at;

	if (text_read_mailbox(options.mail_from, &name, &address)) {
		at = str_chr(address, '@');
		domain = (struct str){ at + 1, (size_t)(address.p + address.n - at) - 1 };
	}
	add_mailbox(b, "From", name, address);
	if (*options.mail_reply_to && text_read_mailbox(options.mail_reply_to, &name, &address))
		add_mailbox(b, "Reply-To", name, address);
	buf_addf(b, "To: %s\r\n", to);
	add_date(b);
	add_ids(b, w, domain);
	buf_adds(b, "Subject: ");
	add_encoded_words(b, subject, strlen("Subject: "));
	buf_addf(b,
		"\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: "
		"All\r\nContent-Language: %s\r\nMIME-Version: 1.0\r\n",
		str_is(db_text(w->r, w->i, C_LANG), "zh") ? "zh-CN" : "en");
}

static void add_part(struct buf *b, const char *boundary, const char *type, struct buf *text)
{
	buf_addf(b,
		"--%s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: "
		"base64\r\n\r\n",
		boundary, type);
	add_base64_lines(b, (struct str){ text->p, text->n });
	if (text->p)
		OPENSSL_cleanse(text->p, text->n);
	buf_free(text);
}

void outbox_compose(struct buf *b, const struct outbox_row *w, const char *to)
{
	/* the parts are base64, which has no hyphen: no text can contain this */
	static const char boundary[] = "=-sladesk-part";
	struct buf subject = { 0 }, line = { 0 }, body = { 0 }, foot = { 0 }, html = { 0 };

	outbox_render(&subject, w, db_text(w->r, w->i, C_SUBJECT));
	outbox_render(&body, w, db_text(w->r, w->i, C_BODY));
	outbox_render(&foot, w, db_text(w->r, w->i, C_FOOTER));
	outbox_unmark(&subject);
	/* a title must not become another header, nor look like another one */
	text_add_line(&line, (struct str){ subject.p, subject.n });
	add_headers(b, w, to, (struct str){ line.p, line.n });
	mail_html(&html, w, (struct str){ line.p, line.n }, (struct str){ body.p, body.n },
		(struct str){ foot.p, foot.n });
	outbox_unmark(&body);
	outbox_unmark(&foot);
	if (foot.n)
		buf_addf(&body, "%s-- \n%s", body.n && body.p[body.n - 1] == '\n' ? "\n" : "\n\n",
			buf_cstr(&foot));
	buf_addf(b, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", boundary);
	add_part(b, boundary, "text/plain", &body);
	add_part(b, boundary, "text/html", &html);
	buf_addf(b, "--%s--\r\n", boundary);
	if (subject.p)
		OPENSSL_cleanse(subject.p, subject.n);
	buf_free(&subject);
	buf_free(&line);
	buf_free(&foot);
}
