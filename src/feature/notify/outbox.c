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
#include "loop/loop.h"
#include "sql_gen.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define CLAIM_MAX 32 /* of each channel, at once */
#define GATHER_US 10000
#define HTTP_MAX 64 /* webhooks, or text messages, in progress */

static const char *const channel_names[OUTBOX_CHANNELS] = { "mail", "webhook", "sms" };
static struct db_call claim_call;
static char claim_me[64], claim_channels[40], claim_limits[40], me[32];
static int64_t claimed_us, claim_until_us;
static int limits[OUTBOX_CHANNELS], in_hand[OUTBOX_CHANNELS];
static bool more[OUTBOX_CHANNELS]; /* the last claim found as many as it might take */
static bool claiming, again, waking, running;
static struct loop_timer *soon;
static struct outbox_health health;

static void wake(void);

struct outbox_health outbox_health(void)
{
	health.unstored = outbox_unstored();
	return health;
}

void outbox_count(bool ok)
{
	health.sent += ok;
	health.failed += !ok;
}

/* --- one notification --- */

void outbox_ended(struct sending *s)
{
	in_hand[s->channel]--;
	if (more[s->channel])
		wake();
	health.in_flight--;
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
	struct sending *s = xcalloc(1, sizeof(*s));

	list_init(&s->node);
	s->channel = channel_of(db_text(rows, i, C_CHANNEL));
	s->tenant_id = db_int(rows, i, C_TENANT_ID);
	s->id = db_int(rows, i, C_ID);
	s->attempt = (int)db_int(rows, i, C_ATTEMPTS);
	s->claim_until_us = claim_until_us;
	snprintf(s->claim, sizeof(s->claim), "%s", claim_me);
	in_hand[s->channel]++;
	health.in_flight++;
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

	if (until)
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

static void on_claimed(struct db_call *call, enum db_error error, const PGresult *rows)
{
	int n = error == DB_OK ? PQntuples(rows) : 0, got[OUTBOX_CHANNELS] = { 0 };

	(void)call;
	claiming = false;
	for (int i = 0; i < n; i++)
		got[channel_of(db_text(rows, i, C_CHANNEL))]++;
	for (int c = 0; c < OUTBOX_CHANNELS; c++)
		if (limits[c])
			more[c] = got[c] == limits[c];
	if (again)
		wake();
	if (n)
		failpoint("notification-claimed");
	for (int i = 0; i < n; i++) {
		if (running)
			send_row(rows, i);
		else
			outbox_release(sending_new(rows, i));
	}
}

static int room(enum outbox_channel c)
{
	int n = HTTP_MAX - in_hand[c];

	if (c == CHANNEL_MAIL)
		n = options.mail_url[0] ? outbox_mail_room() : 0;
	if (c == CHANNEL_SMS && !options.sms_url[0])
		n = 0;
	return n < 0 ? 0 : n < CLAIM_MAX ? n : CLAIM_MAX;
}

/* The channels that are configured and have room, as two arrays. Notifications for other channels
 * wait. Returns false if there are none. */
static bool set_limits(void)
{
	struct buf names = { 0 }, numbers = { 0 };

	for (int c = 0; c < OUTBOX_CHANNELS; c++) {
		limits[c] = room((enum outbox_channel)c);
		if (!limits[c])
			continue;
		buf_addf(&names, "%c%s", names.n ? ',' : '{', channel_names[c]);
		buf_addf(&numbers, "%c%d", numbers.n ? ',' : '{', limits[c]);
	}
	snprintf(claim_channels, sizeof(claim_channels), "%s}", buf_cstr(&names));
	snprintf(claim_limits, sizeof(claim_limits), "%s}", buf_cstr(&numbers));
	buf_free(&names);
	buf_free(&numbers);
	return claim_limits[0] == '{';
}

/* Each claim has its own name: a process that comes back after its claim has expired and been taken
 * over, even by itself, changes nothing. */
static void set_claim(void)
{
	static uint64_t serial;
	int64_t now = clock_now_us();

	/* a claim lasts for real time, however fast the clock of a drill runs */
	claim_until_us =
		now + (int64_t)((double)(outbox_mail_claim_s() * US_PER_S) * clock_scale());
	claimed_us = now;
	snprintf(claim_me, sizeof(claim_me), "%s.%llu", me, (unsigned long long)++serial);
}

static void claim(void *arg)
{
	(void)arg;
	waking = false;
	again |= claiming;
	/* store results first: what was sent must not be claimed again because its claim expired */
	if (claiming || !running || outbox_unstored() || !set_limits())
		return;
	again = false;
	claiming = true;
	set_claim();
	claim_call = (struct db_call){ .stmt = &sql_notify_claim,
		.ctx.role = DB_ROLE_JOB,
		.param = { claim_me, NULL, claim_channels, NULL, claim_limits },
		.on_done = on_claimed };
	db_call_int(&claim_call, 1, claimed_us);
	db_call_int(&claim_call, 3, claim_until_us);
	db_exec(&claim_call);
}

static void wake(void)
{
	if (!running || waking)
		return;
	waking = true;
	loop_timer_set(soon, GATHER_US); /* events committed together are claimed together */
}

void outbox_on_event(const struct desk_event *e)
{
	(void)e;
	wake();
}

static void on_backlog(struct job_run *run, enum db_error error, const PGresult *rows)
{
	if (error == DB_OK) {
		health.queued = db_int(rows, 0, 0);
		health.dead = db_int(rows, 0, 1);
	}
	job_end_db(run, error);
}

static void count_backlog(struct job_run *run)
{
	job_query(run, &sql_notify_backlog, on_backlog);
}

const struct job outbox_jobs[] = {
	{ .name = "notify_backlog", .every_ms = 10000, .run = count_backlog },
	{ 0 },
};

void outbox_init(void)
{
	char id[17];

	crypto_random_hex(id, 8);
	snprintf(me, sizeof(me), "sladeskd-%s", id);
	running = true;
	hooks.notify_wake = wake;
	soon = loop_timer_new(claim, NULL);
	outbox_settle_init();
	outbox_mail_init();
	loop_every(1000, claim, NULL);
}

void outbox_stop(void)
{
	running = again = false;
	outbox_mail_stop();
}

bool outbox_is_busy(void)
{
	return claiming || health.in_flight > 0;
}

void outbox_free(void)
{
	outbox_mail_free();
	outbox_settle_free();
	loop_timer_free(soon);
}
