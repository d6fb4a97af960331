/* SPDX-License-Identifier: Apache-2.0
 * A notice that was claimed, and its mail. */
#ifndef SLADESK_FEATURE_NOTIFY_OUTBOX_H
#define SLADESK_FEATURE_NOTIFY_OUTBOX_H

#include "db/db.h"

struct json_object;

/* A row of notify/claim. */
struct outbox_row {
	const PGresult *r;
	int i;
	struct json_object *data;
};

enum {
	C_TENANT_ID,
	C_ID,
	C_SEQ,
	C_CHANNEL,
	C_TEMPLATE,
	C_ATTEMPTS,
	C_TYPE,
	C_AT,
	C_DATA,
	C_ACTOR_KIND,
	C_ACTOR_ID,
	C_TICKET_ID,
	C_NUMBER,
	C_TITLE,
	C_STATUS,
	C_PRIORITY,
	C_TENANT,
	C_RESPONSE_DUE,
	C_EMAIL,
	C_FULL_NAME,
	C_LANG,
	C_URL,
	C_SECRET,
	C_SUBJECT,
	C_BODY,
	C_TEXT,
	C_HOURS,
	C_PHONE
};

/* The whole RFC 5322 text for TO, by the row's template in its reader's language. */
void outbox_compose(struct buf *b, const struct outbox_row *w, const char *to);
/* The row's template's body alone. */
void outbox_text(struct buf *b, const struct outbox_row *w);

#endif
