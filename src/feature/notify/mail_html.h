/* SPDX-License-Identifier: Apache-2.0
 * The HTML of a mail, made from its plain text, so that each text is written once. */
#ifndef SLADESK_FEATURE_NOTIFY_MAIL_HTML_H
#define SLADESK_FEATURE_NOTIFY_MAIL_HTML_H

#include "base/base.h"

struct outbox_row;

/* Append the page for row W: a card with what the mail is about, BODY and below it FOOT. In BODY a
 * blank line ends a paragraph; lines after ">" are a quotation; several lines "label: value" are a
 * table; a line that is a link, or "label: link", is a button. Everything is escaped, and a marked
 * value (outbox.h) is none of these. */
void mail_html(struct buf *b, const struct outbox_row *w, struct str subject, struct str body,
	struct str foot);

#endif
