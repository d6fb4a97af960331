/* SPDX-License-Identifier: Apache-2.0
 * Mail is sent by helper processes, several at once, because libcurl blocks while it waits for a
 * relay. A few composed mails wait here for the next helper, so that it does not wait for the
 * database. A mail whose claim would expire before it is sent is returned without an attempt. */
#include "outbox.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "config/options.h"
#include "crypto/field.h"
#include "work/mail_job.h"
#include "work/work.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY_WAIT_US (10 * US_PER_S)
#define AHEAD 16 /* mails that wait for a helper */
#define WAIT_MAX_US (5 * US_PER_S)
/* without a result for this long, no mails are claimed in advance */
#define STUCK_US (2 * US_PER_S)
#define KILL_S 5 /* a helper that exceeds the time limit of a mail by this is stuck */
#define CLAIM_MIN_S 60
#define MESSAGE_MAX (WIRE_MAX - 8192) /* the rest of a frame is for the addresses */

static struct {
	struct list waiting;
	int waiting_n, sending_n;
	int64_t progress_us;
	bool refuses_us; /* it refuses the greeting, our log-in or our address */
} relay;

static void feed(void);

/* --- one mail --- */

static const enum retry_rule rule_of[] = {
	[MAIL_FAILED] = RETRY_BACKOFF,
	[MAIL_TAKEN] = RETRY_SENT,
	[MAIL_REFUSED] = RETRY_NONE,
	[MAIL_REFUSED_US] = RETRY_KEPT,
};

/* One alarm, however many mails wait: that the relay refuses us, until it accepts a mail. */
static void note_refusal(const struct mail_result *m)
{
	if (m->verdict == MAIL_REFUSED_US && !relay.refuses_us)
		log_error(NULL,
			"the mail relay refuses this service: no mail is sent until that is "
			"corrected err=%s",
			m->error);
	else if (m->verdict == MAIL_TAKEN && relay.refuses_us)
		log_info(NULL, "the mail relay accepts mail again");
	if (m->verdict != MAIL_FAILED)
		relay.refuses_us = m->verdict == MAIL_REFUSED_US;
}

bool outbox_mail_is_refused(void)
{
	return relay.refuses_us;
}

static void on_sent(void *arg, enum work_end end, struct str answer)
{
	struct sending *s = magic_cast(sending, arg);
	struct mail_result m = { .error = "the mail helper stopped or was too slow" };

	failpoint("notification-sent");
	relay.sending_n--;
	relay.progress_us = clock_mono_us();
	if (end == WORK_DONE && answer.n == sizeof(m))
		memcpy(&m, answer.p, sizeof(m));
	if (end == WORK_LATE) {
		outbox_release(s);
	} else {
		note_refusal(&m);
		outbox_settle(s, &(struct outcome){ .rule = rule_of[m.verdict],
					 .took_ms = (int)((clock_mono_us() - s->began_us) / 1000),
					 .why = m.error });
	}
	feed();
}

/* The real time until the claim expires. */
static int64_t claim_left_us(const struct sending *s)
{
	return (int64_t)((double)(s->claim_until_us - clock_now_us()) / clock_scale());
}

static bool submit(struct sending *s)
{
	struct buf b = { 0 };
	struct str name, address = { "", 0 };
	char from[256];
	bool taken;

	/* the settings are checked when they are read; without an address the relay refuses */
	if (text_read_mailbox(options.mail_from, &name, &address))
		snprintf(from, sizeof(from), "%.*s", (int)address.n, address.p);
	else
		from[0] = 0;
	mail_job_write(&b, &(struct mail_job){ .url = options.mail_url,
				   .username = options.mail_username,
				   .password_file = options.mail_password_file,
				   .ca_file = options.mail_ca_file,
				   .from = from,
				   .to = s->to,
				   .message = { s->message.p, s->message.n },
				   .timeout_ms = (int)options.mail_timeout_s * 1000,
				   .require_tls = options.mail_require_tls });
	taken = work_submit(&(struct work_job){ .kind = WORK_MAIL,
		.p = b.p,
		.n = b.n,
		.timeout_ms = (int)(options.mail_timeout_s + KILL_S) * 1000,
		.on_done = on_sent,
		.arg = s });
	buf_free(&b);
	return taken;
}

static void start(struct sending *s)
{
	if (claim_left_us(s) < (options.mail_timeout_s + KILL_S) * US_PER_S) {
		outbox_release(s);
		return;
	}
	if (!outbox_may_send(s, "mail", options.mail_url))
		return;
	s->began_us = clock_mono_us();
	relay.sending_n++;
	if (submit(s))
		return;
	relay.sending_n--;
	outbox_release(s);
}

/* --- the queue --- */

static bool helper_is_free(void)
{
	struct work_health h = work_health(POOL_MAIL);

	return h.ready > h.busy + h.queued;
}

static struct sending *take_first(void)
{
	struct sending *s = list_entry(relay.waiting.next, struct sending, node);

	list_remove(&s->node);
	relay.waiting_n--;
	return s;
}

static void feed(void)
{
	while (relay.waiting_n && helper_is_free())
		start(take_first());
}

void outbox_mail_run(struct job_run *run)
{
	int64_t now = clock_mono_us();

	feed();
	while (relay.waiting_n &&
		now - list_entry(relay.waiting.next, struct sending, node)->waits_since_us >
			WAIT_MAX_US)
		outbox_release(take_first());
	job_end(run, JOB_DONE);
}

int outbox_mail_room(void)
{
	int ready = work_health(POOL_MAIL).ready, in_hand = relay.waiting_n + relay.sending_n;
	bool stuck = in_hand && clock_mono_us() - relay.progress_us > STUCK_US;
	int room = ready + (stuck ? 0 : AHEAD) - in_hand;

	return ready && room > 0 ? room : 0;
}

int64_t outbox_mail_claim_s(void)
{
	int64_t s = options.mail_timeout_s + KILL_S + WAIT_MAX_US / US_PER_S + 5;

	return s > CLAIM_MIN_S ? s : CLAIM_MIN_S;
}

static bool address_is_sane(struct str to)
{
	bool sane = to.n > 2 && to.n < 255 && str_chr(to, '@');

	for (size_t i = 0; i < to.n; i++)
		sane &= (unsigned char)to.p[i] > 0x20 && to.p[i] != '<' && to.p[i] != '>' &&
			to.p[i] != 0x7f;
	return sane;
}

void outbox_send_mail(struct sending *s, const struct outbox_row *w)
{
	/* of an address that was changed: the event has the old one, the user the new one */
	int address =
		str_is(db_text(w->r, w->i, C_TEMPLATE), "auth_address_old") ? C_CODE : C_EMAIL;
	struct buf to = { 0 };

	if (!db_is_null(w->r, w->i, address) && !db_open(&to, w->r, w->i, address)) {
		log_warn(NULL,
			"mail is delayed: its address cannot be decrypted tenant=%lld "
			"id=%lld",
			(long long)s->tenant_id, (long long)s->id);
		outbox_hold(s, clock_now_us() + KEY_WAIT_US);
		return;
	}
	buf_reserve(&to, 1);
	s->to = buf_take(&to);
	if (!address_is_sane(str_of(s->to)) || db_is_null(w->r, w->i, C_SUBJECT)) {
		outbox_give_up(
			s, address_is_sane(str_of(s->to)) ? "no template" : "no usable address");
		return;
	}
	outbox_compose(&s->message, w, s->to);
	if (s->message.n > MESSAGE_MAX) {
		outbox_give_up(s, "the mail is too large");
		return;
	}
	if (!relay.waiting_n && !relay.sending_n)
		relay.progress_us = clock_mono_us();
	s->waits_since_us = clock_mono_us();
	list_add_tail(&relay.waiting, &s->node);
	relay.waiting_n++;
	feed();
}

void outbox_mail_init(void)
{
	list_init(&relay.waiting);
}

void outbox_mail_stop(void)
{
	while (relay.waiting_n)
		outbox_release(take_first());
}

void outbox_mail_free(void)
{
	while (relay.waiting_n)
		outbox_ended(take_first());
}
