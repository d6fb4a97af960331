/* SPDX-License-Identifier: Apache-2.0
 * The notifier: claims due rows of the outbox, has them sent by their channel, and releases them
 * when their result is stored. A claim that is not settled expires after a minute; the row is
 * claimed again under the same message id, so that a receiver can recognise a second copy. */
#include "outbox.h"
#include "core/hooks.h"
#include "notify.h"
#include "base/json.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "core/events.h"
#include "config/options.h"
#include "fetch/breaker.h"
#include "sql_gen.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define CLAIM_MAX 32 /* of each channel, at once */
#define GATHER_MS 10 /* events committed together are claimed together */
#define HTTP_MAX 64  /* webhooks, or text messages, in progress */
#define SHARE 16     /* webhooks of one customer in progress, beyond which it must wait */

static const char *const channel_names[OUTBOX_CHANNELS] = { "mail", "webhook", "sms" };
static struct {
	char claim_me[64], claim_channels[40], claim_limits[40], me[32];
	int64_t claim_until_us;
	int limits[OUTBOX_CHANNELS], in_hand[OUTBOX_CHANNELS];
	struct share {
		int64_t tenant_id;
		int n;
	} share[HTTP_MAX];          /* the customers that have webhooks in progress */
	struct buf full;            /* those that have as many as they may, as an array */
	bool more[OUTBOX_CHANNELS]; /* the last claim found as many as it might take */
	bool running;
	struct outbox_health health;
} outbox;

static void wake(void);

struct outbox_health outbox_health(void)
{
	outbox.health.unstored = outbox_unstored();
	outbox.health.mail_refused = outbox_mail_is_refused();
	return outbox.health;
}

void outbox_count(bool ok)
{
	outbox.health.sent += ok;
	outbox.health.failed += !ok;
}

/* --- each customer's share of the sender --- */

/* Count N more webhooks of the tenant in progress. At most HTTP_MAX tenants have any. */
static void share_add(int64_t tenant_id, int n)
{
	struct share *s = NULL;

	for (int i = 0; i < HTTP_MAX && !(s && s->tenant_id == tenant_id && s->n); i++)
		if (outbox.share[i].tenant_id == tenant_id || (!s && !outbox.share[i].n))
			s = &outbox.share[i];
	bug_on(!s);
	if (!s->n)
		s->tenant_id = tenant_id;
	s->n += n;
}

/* The customers that must wait, as an array for the claim. */
static const char *share_full(void)
{
	outbox.full.n = 0;
	buf_addc(&outbox.full, '{');
	for (int i = 0; i < HTTP_MAX; i++)
		if (outbox.share[i].n >= SHARE)
			buf_addf(&outbox.full, "%s%lld", outbox.full.n > 1 ? "," : "",
				(long long)outbox.share[i].tenant_id);
	buf_addc(&outbox.full, '}');
	return buf_cstr(&outbox.full);
}

/* --- one notification --- */

void outbox_ended(struct sending *s)
{
	outbox.in_hand[s->channel]--;
	if (s->channel == CHANNEL_WEBHOOK)
		share_add(s->tenant_id, -1);
	if (outbox.more[s->channel])
		wake();
	outbox.health.in_flight--;
	if (s->message.p)
		OPENSSL_cleanse(s->message.p, s->message.n);
	buf_free(&s->message);
	free(s->to);
	free(s);
}

/* scheme://host:port of URL, the key of its circuit. */
static void host_of(const char *url, char out[200])
{
	const char *host = strstr(url, "://");

	snprintf(out, 200, "%.*s",
		(int)(host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0), url);
}

/* No two mails wait until the same instant, because those would be merged. */
bool outbox_may_send(struct sending *s, const char *kind, const char *url)
{
	static int64_t serial;
	int64_t until;

	host_of(url, s->host);
	s->kind = kind;
	until = breaker_allow(kind, s->host, clock_now_us());
	if (until)
		outbox_hold(s, until + serial++ % 100000);
	return !until;
}

static enum outbox_channel channel_of(struct str name)
{
	int c = CHANNEL_MAIL;

	while (c < OUTBOX_CHANNELS - 1 && !str_is(name, channel_names[c]))
		c++;
	return (enum outbox_channel)c;
}

static struct sending *sending_new(const PGresult *rows, int i)
{
	struct sending *s = magic_new(sending);

	list_init(&s->node);
	s->channel = channel_of(db_text(rows, i, C_CHANNEL));
	s->tenant_id = db_int(rows, i, C_TENANT_ID);
	s->id = db_int(rows, i, C_ID);
	s->attempt = (int)db_int(rows, i, C_ATTEMPTS) + 1;
	s->event_us = db_is_null(rows, i, C_AT) ? clock_now_us() : db_int(rows, i, C_AT);
	s->claim_until_us = outbox.claim_until_us;
	snprintf(s->claim, sizeof(s->claim), "%s", outbox.claim_me);
	outbox.in_hand[s->channel]++;
	if (s->channel == CHANNEL_WEBHOOK)
		share_add(s->tenant_id, 1);
	outbox.health.in_flight++;
	return s;
}

static void send_row(const PGresult *rows, int i)
{
	struct sending *s = sending_new(rows, i);
	struct str data = db_text(rows, i, C_DATA);
	struct json_error err;
	struct outbox_row w = { rows, i, data.n ? json_read(data.p, data.n, &err) : NULL };
	int64_t until =
		s->channel == CHANNEL_MAIL
			? delivery_hours_wait_until(s->tenant_id, db_text(rows, i, C_HOURS),
				  db_text(rows, i, C_TYPE),
				  priority_parse(db_text(rows, i, C_PRIORITY)), clock_now_us())
			: 0;

	if (db_int(rows, i, C_GONE))
		outbox_drop(s);
	else if (until)
		outbox_hold(s, until);
	else if (s->channel == CHANNEL_MAIL)
		outbox_send_mail(s, &w);
	else if (s->channel == CHANNEL_SMS)
		outbox_send_sms(s, &w);
	else
		outbox_send_webhook(s, &w);
	json_object_put(w.data);
}

/* --- claiming --- */

static void on_claimed(struct job_run *run, enum db_error error, const PGresult *rows)
{
	int n = error == DB_OK ? PQntuples(rows) : 0, got[OUTBOX_CHANNELS] = { 0 };

	for (int i = 0; i < n; i++)
		got[channel_of(db_text(rows, i, C_CHANNEL))]++;
	for (int c = 0; c < OUTBOX_CHANNELS; c++)
		if (outbox.limits[c])
			outbox.more[c] = got[c] == outbox.limits[c];
	if (n)
		failpoint("notification-claimed");
	for (int i = 0; i < n; i++) {
		if (outbox.running)
			send_row(rows, i);
		else
			outbox_release(sending_new(rows, i));
	}
	job_end_db(run, error);
}

static int room(enum outbox_channel c)
{
	int n = HTTP_MAX - outbox.in_hand[c];

	if (c == CHANNEL_MAIL)
		n = options.mail_url[0] ? outbox_mail_room() : 0;
	if (c == CHANNEL_SMS && !options.sms_url[0])
		n = 0;
	if (c == CHANNEL_WEBHOOK && n > SHARE)
		n = SHARE; /* one customer may take all of a claim */
	return n < 0 ? 0 : n < CLAIM_MAX ? n : CLAIM_MAX;
}

/* The channels that are configured and have room, as two arrays. Notifications for other channels
 * wait. Returns false if there are none. */
static bool set_limits(void)
{
	struct buf names = { 0 }, numbers = { 0 };

	for (int c = 0; c < OUTBOX_CHANNELS; c++) {
		outbox.limits[c] = room((enum outbox_channel)c);
		if (!outbox.limits[c])
			continue;
		buf_addf(&names, "%c%s", names.n ? ',' : '{', channel_names[c]);
		buf_addf(&numbers, "%c%d", numbers.n ? ',' : '{', outbox.limits[c]);
	}
	snprintf(outbox.claim_channels, sizeof(outbox.claim_channels), "%s}", buf_cstr(&names));
	snprintf(outbox.claim_limits, sizeof(outbox.claim_limits), "%s}", buf_cstr(&numbers));
	buf_free(&names);
	buf_free(&numbers);
	return outbox.claim_limits[0] == '{';
}

/* Each claim has its own name: a process that comes back after its claim has expired and been taken
 * over, even by itself, changes nothing. */
static int64_t begin_claim(void)
{
	static uint64_t serial;
	int64_t now = clock_now_us();

	/* a claim lasts for real time, however fast the clock of a drill runs */
	outbox.claim_until_us =
		now + (int64_t)((double)(outbox_mail_claim_s() * US_PER_S) * clock_scale());
	snprintf(outbox.claim_me, sizeof(outbox.claim_me), "%s.%llu", outbox.me,
		(unsigned long long)++serial);
	return now;
}

static void claim(struct job_run *run)
{
	/* store results first: what was sent must not be claimed again because its claim expired */
	if (!outbox.running || outbox_unstored() || !set_limits()) {
		job_end(run, JOB_DONE);
		return;
	}
	job_param_int(run, 1, begin_claim());
	job_param_text(run, 0, outbox.claim_me);
	job_param_text(run, 2, outbox.claim_channels);
	job_param_int(run, 3, outbox.claim_until_us);
	job_param_text(run, 4, outbox.claim_limits);
	job_param_text(run, 5, share_full());
	job_query(run, &sql_notify_claim, on_claimed);
}

static void wake(void)
{
	if (outbox.running)
		job_wake(&outbox_jobs[0]);
}

void outbox_on_event(const struct desk_event *e)
{
	(void)e;
	wake();
}

static void on_backlog(struct job_run *run, enum db_error error, const PGresult *rows)
{
	if (error == DB_OK) {
		outbox.health.queued = db_int(rows, 0, 0);
		outbox.health.dead = db_int(rows, 0, 1);
	}
	job_end_db(run, error);
}

static void count_backlog(struct job_run *run)
{
	job_query(run, &sql_notify_backlog, on_backlog);
}

const struct job outbox_jobs[] = {
	{ .name = "notify_claim", .every_ms = 1000, .gather_ms = GATHER_MS, .run = claim },
	{ .name = "mail_queue", .every_ms = 1000, .run = outbox_mail_run },
	{ .name = "notify_backlog", .every_ms = 10000, .run = count_backlog },
	{ 0 },
};

void outbox_init(void)
{
	char id[17];

	crypto_random_hex(id, 8);
	snprintf(outbox.me, sizeof(outbox.me), "sladeskd-%s", id);
	outbox.running = true;
	hooks.notify_wake = wake;
	outbox_settle_init();
	outbox_mail_init();
}

void outbox_stop(void)
{
	outbox.running = false;
	outbox_mail_stop();
}

bool outbox_is_busy(void)
{
	return outbox.health.in_flight > 0;
}

void outbox_free(void)
{
	outbox_mail_free();
	outbox_settle_free();
	buf_free(&outbox.full);
}
