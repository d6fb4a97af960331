/* SPDX-License-Identifier: Apache-2.0
 * What the files of the outbox share: a notification that this instance has claimed, how it is
 * sent, and what is recorded about it. */
#ifndef SLADESK_FEATURE_NOTIFY_OUTBOX_H
#define SLADESK_FEATURE_NOTIFY_OUTBOX_H

#include "base/magic.h"
#include "base/list.h"
#include "core/job.h"
#include "retry.h"

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
	C_ZONE,
	C_PHONE,
	C_GONE,
	C_CODE,
	C_HOTLINE,
	C_SUCCESS,
	C_RCA_OWNER,
	C_RCA_DUE,
	C_MANAGERS,
	C_ENGINEERS,
	C_CUSTOMERS,
	C_LIFTED,
	C_DESCRIPTION,
	C_ACTOR_NAME,
	C_ASSIGNEE_NAME,
	C_REQUESTER_NAME,
	C_TARGET_S,
	C_FOOTER,
	C_DETAILS
};

enum outbox_channel { CHANNEL_MAIL, CHANNEL_WEBHOOK, CHANNEL_SMS, OUTBOX_CHANNELS };

/* How an attempt ended. */
struct outcome {
	enum retry_rule rule;
	int retry_after_s; /* 0: the receiver asked for none */
	int took_ms;
	const char *why; /* of a failure */
};

/* A claimed notification, from its claim until its result is stored. */
struct sending {
	uint32_t magic;
	struct list node; /* the list that it is in: to be sent, or to be stored */
	struct db_call call;
	const struct sql_stmt *stmt; /* the statement that records the result */
	enum outbox_channel channel;
	int64_t tenant_id, id;
	int64_t event_us;       /* when what it tells happened */
	int64_t claim_until_us; /* by the wall clock */
	int64_t waits_since_us, began_us;
	int attempt, refused; /* refused: results that the database rejected */
	enum retry_rule rule;
	const char *kind;          /* of its circuit; NULL: no circuit was asked */
	char claim[64];            /* the claim's owner and number */
	int64_t ended_us, next_us; /* when the attempt ended; when to retry */
	int took_ms;
	char detail[320], host[200];
	char *to;           /* a mail's recipient */
	struct buf message; /* and its text */
};
MAGIC(sending, 0xa50a37cb);

/* --- outbox.c --- */
/* Count the end of an attempt, for the metrics. */
void outbox_count(bool ok);
/* S is finished: its result is stored, or its claim is left to expire. Frees it. */
void outbox_ended(struct sending *s);
/* Does the circuit of URL allow a request? Otherwise S is held until it does, and no attempt is
 * counted. */
bool outbox_may_send(struct sending *s, const char *kind, const char *url) MUST_USE;

/* --- outbox_settle.c: each of these takes over S --- */
/* Record the result of the attempt, and keep it until the database has it. */
void outbox_settle(struct sending *s, const struct outcome *o);
/* Settle S as dead without sending it. WHY is stored with the delivery. */
void outbox_give_up(struct sending *s, const char *why);
/* The recipient may not read it any more: it is not sent. */
void outbox_drop(struct sending *s);
/* Hold it until UNTIL_US; the attempt is not counted. */
void outbox_hold(struct sending *s, int64_t until_us);
/* The attempt was not started: any instance may claim it. */
void outbox_release(struct sending *s);
/* The number of results that the database has not stored yet. */
int outbox_unstored(void);
/* Start storing results. */
void outbox_settle_init(void);
/* Free the results waiting to be stored. */
void outbox_settle_free(void);

/* --- outbox_http.c --- */
void outbox_send_webhook(struct sending *s, const struct outbox_row *w);
/* Send the text message of row W to the gateway. S is settled when it replies. */
void outbox_send_sms(struct sending *s, const struct outbox_row *w);

/* --- outbox_mail.c --- */
/* Compose the mail and send it when a helper is free. */
void outbox_send_mail(struct sending *s, const struct outbox_row *w);
/* The number of further mails that are wanted. */
int outbox_mail_room(void);
/* Seconds for which a mail must be claimed. */
int64_t outbox_mail_claim_s(void);
/* A job: start mails that a helper has room for, and release those that have waited too long. */
void outbox_mail_run(struct job_run *run);
/* Has the relay refused this service, and accepted no mail since? */
bool outbox_mail_is_refused(void);
/* Start with an empty queue. */
void outbox_mail_init(void);
/* Release the waiting mails; those in progress continue. */
void outbox_mail_stop(void);
/* Free the queue. */
void outbox_mail_free(void);

/* --- outbox_template.c --- */
/* What stands before and behind a value in a text that is rendered. No value contains them. */
enum { VALUE_BEGIN = 0x0e, VALUE_END = 0x0f };
/* Append the template TMPL with the values of row W, which are marked. */
void outbox_render(struct buf *b, const struct outbox_row *w, struct str tmpl);
/* Append VALUE as one line, marked; nothing if it is empty. */
void outbox_add_value(struct buf *b, struct str value);
/* Take the marks from B. */
void outbox_unmark(struct buf *b);
/* The body of the row's template, without marks. */
void outbox_text(struct buf *b, const struct outbox_row *w);

/* --- outbox_text.c --- */
/* Append the value of the variable NAME; of an unknown one nothing. */
void outbox_add_variable(struct buf *b, const struct outbox_row *w, struct str name);
/* Append an instant in the reader's zone: 2026-01-31 16:00 (Asia/Shanghai, UTC+08:00). */
void outbox_add_instant(struct buf *b, const struct outbox_row *w, int64_t us);

/* --- outbox_begun.c: what a breach or an escalation has begun, and whom to call --- */
/* Each thing in a line after a heading, then an empty line; or nothing. */
void outbox_add_begun(struct buf *b, const struct outbox_row *w);
/* The names of those who look at the ticket now. */
void outbox_add_looks(struct buf *b, const struct outbox_row *w);
/* The customer's hotline and success manager, then an empty line; or nothing. */
void outbox_add_help(struct buf *b, const struct outbox_row *w);

/* --- mail_compose.c --- */
/* The complete RFC 5322 message to TO, from the row's template in the reader's language. */
void outbox_compose(struct buf *b, const struct outbox_row *w, const char *to);

#endif
