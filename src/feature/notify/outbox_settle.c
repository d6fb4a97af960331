/* SPDX-License-Identifier: Apache-2.0
 * Records the results of notifications. A result is kept until the database has it: a mail that was
 * accepted while the database was down must not be sent again later. Every statement names the
 * claim, so that a process that has lost it does not change the row of its successor. */
#include "outbox.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/outage.h"
#include "config/options.h"
#include "crypto/crypto.h"
#include "fetch/breaker.h"
#include "loop/loop.h"
#include "notify.h"
#include "sql_gen.h"

#include <stdio.h>

#define RETRY_US 250000
#define REFUSED_MAX 3
#define DAY_S 86400

static struct {
	struct list unstored;
	int unstored_n;
	struct loop_timer *retry;
} settling;

static void store(struct sending *s);
static int counted(const struct sending *s);
static const char *state_after(const struct sending *s);

/* --- storing --- */

/* Could the same statement succeed later? */
static bool is_passing(enum db_error error)
{
	switch (error) {
	case DB_DOWN:
	case DB_BUSY:
	case DB_UNKNOWN:
	case DB_TIMEOUT:
	case DB_RETRY:
	case DB_STALE:
		return true;
	case DB_OK:
	case DB_CONFLICT:
	case DB_FORBIDDEN:
	case DB_MISSING:
	case DB_REFUSED:
	case DB_FAILED:
		break;
	}
	return false;
}

static void on_stored(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct sending *s = magic_cast(sending, call->arg);

	if (error != DB_OK && (is_passing(error) || ++s->refused < REFUSED_MAX)) {
		list_add_tail(&settling.unstored, &s->node);
		settling.unstored_n++;
		loop_timer_set(settling.retry, RETRY_US);
		return;
	}
	if (error != DB_OK) /* the claim expires, and it is sent again under the same id */
		log_error(NULL, "notification result not stored tenant=%lld id=%lld err=%s",
			(long long)s->tenant_id, (long long)s->id, db_error_name(error));
	else if (!PQntuples(rows))
		log_info(NULL, "notification is claimed by another tenant=%lld id=%lld",
			(long long)s->tenant_id, (long long)s->id);
	outbox_ended(s);
}

static void on_retry(void *arg)
{
	struct list again;

	(void)arg;
	list_init(&again);
	while (!list_is_empty(&settling.unstored)) {
		struct list *n = settling.unstored.next;

		list_remove(n);
		list_add_tail(&again, n);
	}
	while (!list_is_empty(&again)) {
		struct sending *s = list_entry(again.next, struct sending, node);

		list_remove(&s->node);
		settling.unstored_n--;
		store(s);
	}
}

static void store(struct sending *s)
{
	s->call = (struct db_call){ .stmt = s->stmt,
		.ctx.role = DB_ROLE_JOB,
		.param = { NULL, NULL, s->claim },
		.on_done = on_stored,
		.arg = s };
	db_call_int(&s->call, 0, s->tenant_id);
	db_call_int(&s->call, 1, s->id);
	if (s->stmt == &sql_notify_wait) {
		db_call_int(&s->call, 3, s->next_us);
	} else if (s->stmt == &sql_notify_done) {
		db_call_int(&s->call, 3, counted(s));
		s->call.param[4] = state_after(s);
		db_call_int(&s->call, 5, s->ended_us);
		db_call_int(&s->call, 6, s->next_us);
		s->call.param[7] = s->rule == RETRY_SENT ? NULL : s->detail;
		db_call_int(&s->call, 8, s->took_ms);
	} else if (s->stmt == &sql_notify_gone || s->stmt == &sql_notify_undeliverable) {
		db_call_int(&s->call, 3, counted(s));
		db_call_int(&s->call, 4, s->ended_us);
		s->call.param[5] = s->detail;
		db_call_int(&s->call, 6, s->took_ms);
	}
	db_exec(&s->call);
}

int outbox_unstored(void)
{
	return settling.unstored_n;
}

/* --- results --- */

void outbox_hold(struct sending *s, int64_t until_us)
{
	s->next_us = until_us;
	s->stmt = &sql_notify_wait;
	store(s);
}

void outbox_release(struct sending *s)
{
	s->stmt = &sql_notify_release;
	store(s);
}

/* The refusal of a single message is not a failure of the host. */
static bool host_works(enum retry_rule rule)
{
	return rule != RETRY_BACKOFF && rule != RETRY_KEPT;
}

/* The attempt that an outcome under RULE counts as. */
static int counted(const struct sending *s)
{
	return s->rule == RETRY_KEPT || s->rule == RETRY_DROPPED ? s->attempt - 1 : s->attempt;
}

/* The state in which an attempt leaves a notification. */
static const char *state_after(const struct sending *s)
{
	if (s->rule == RETRY_SENT)
		return "sent";
	if (s->rule == RETRY_DROPPED)
		return "dropped";
	return retry_is_over(s->rule, s->attempt, (int)options.notify_attempts,
		       (s->ended_us - s->event_us) / US_PER_S, options.notify_keep_days * DAY_S)
		       ? "dead"
		       : "queued";
}

/* Is it a mail whose recipient it can never reach? An outage alone is no such reason. */
static bool is_undeliverable(const struct sending *s)
{
	return s->channel == CHANNEL_MAIL && (s->rule == RETRY_NONE || s->rule == RETRY_KEPT) &&
	       strcmp(state_after(s), "dead") == 0;
}

/* If the host of S is away, that is one line for all that waits for it. Returns false if this
 * failure is one of S alone. That the relay refuses us is told where its replies are read. */
static bool note_outage(const struct sending *s, enum retry_rule rule)
{
	char part[300];

	if (!s->kind)
		return false;
	snprintf(part, sizeof(part), "%s %s", s->kind, s->host);
	if (host_works(rule))
		outage_back(part);
	else if (rule != RETRY_KEPT)
		outage_note(LOG_WARN, part, "%s", s->detail);
	return !host_works(rule);
}

void outbox_settle(struct sending *s, const struct outcome *o)
{
	int64_t now = clock_now_us();
	unsigned char jitter;
	bool away;

	s->rule = o->rule;
	if (s->kind)
		breaker_report(s->kind, s->host, host_works(o->rule), now);
	outbox_count(o->rule == RETRY_SENT);
	crypto_random(&jitter, 1);
	s->ended_us = now;
	s->next_us = now + retry_wait_us(o->rule, s->attempt, options.notify_backoff_s,
				   o->retry_after_s, jitter);
	s->took_ms = o->took_ms;
	snprintf(s->detail, sizeof(s->detail), "%s", o->why ? o->why : "");
	for (char *p = s->detail; *p; p++)
		if ((unsigned char)*p >= 0x7f || (unsigned char)*p < 0x20)
			*p = '?';
	away = note_outage(s, o->rule);
	if (o->rule != RETRY_SENT && !away)
		log_warn(NULL, "notification failed tenant=%lld id=%lld attempt=%d state=%s err=%s",
			(long long)s->tenant_id, (long long)s->id, s->attempt, state_after(s),
			s->detail);
	s->stmt = o->rule == RETRY_GONE ? &sql_notify_gone
		  : is_undeliverable(s) ? &sql_notify_undeliverable
					: &sql_notify_done;
	store(s);
}

void outbox_give_up(struct sending *s, const char *why)
{
	outbox_settle(s, &(struct outcome){ .rule = RETRY_NONE, .why = why });
}

void outbox_drop(struct sending *s)
{
	s->rule = RETRY_DROPPED;
	s->ended_us = s->next_us = clock_now_us();
	snprintf(s->detail, sizeof(s->detail),
		"the recipient is disabled or may not see this any more");
	log_info(NULL, "notification dropped tenant=%lld id=%lld", (long long)s->tenant_id,
		(long long)s->id);
	s->stmt = &sql_notify_done;
	store(s);
}

void outbox_settle_init(void)
{
	list_init(&settling.unstored);
	settling.retry = loop_timer_new(on_retry, NULL);
}

void outbox_settle_free(void)
{
	while (!list_is_empty(&settling.unstored)) {
		struct sending *s = list_entry(settling.unstored.next, struct sending, node);

		list_remove(&s->node);
		log_warn(NULL, "notification result lost tenant=%lld id=%lld sent=%d",
			(long long)s->tenant_id, (long long)s->id, s->rule == RETRY_SENT);
		outbox_ended(s);
	}
	settling.unstored_n = 0;
	loop_timer_free(settling.retry);
}
