/* SPDX-License-Identifier: Apache-2.0
 * The notifier: claims due rows of the outbox, renders and sends them, and records what came of it.
 * A claim that is not settled lapses after a minute and is taken again under the same message id,
 * so a receiver can tell a second copy. */
#include "outbox.h"
#include "core/hooks.h"
#include "notify.h"
#include "base/json.h"
#include "base/log.h"
#include "config/secret.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "core/events.h"
#include "config/options.h"
#include "fetch/breaker.h"
#include "fetch/fetch.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define CLAIM_LIMIT 32 /* a channel; schema/query/notify/claim.sql */
#define GATHER_US 10000
#define IN_FLIGHT_MAX 64
#define KEY_WAIT_US (10 * US_PER_S)

struct sending {
	struct db_call call;
	int64_t tenant_id, id;
	int attempt;
	char t[24], i[24], now[24], next[24], took[16];
	char detail[320], host[200];
	const char *kind; /* of its circuit; NULL: none was asked */
};

static struct db_call claim_call, backlog_call;
static char claim_now[24], claim_until[24], me[64];
static bool claiming, more, again, waking, backlog_asked, running;
static int in_flight;
static void outbox_wake(void);

static struct loop_timer *soon;
static struct outbox_health health;

struct outbox_health outbox_health(void)
{
	health.in_flight = in_flight;
	return health;
}

/* --- settling --- */

static void on_settled(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct sending *s = call->arg;

	(void)rows;
	/* Not recorded: the claim lapses and it is sent again under the same id. */
	if (error != DB_OK)
		log_warn(NULL, "notification not settled tenant=%s id=%s err=%s", s->t, s->i,
			db_error_name(error));
	in_flight--;
	free(s);
	if (more)
		outbox_wake();
}

static void hold(struct sending *s, int64_t until_us)
{
	snprintf(s->next, sizeof(s->next), "%lld", (long long)until_us);
	s->call = (struct db_call){ .stmt = &sql_notify_wait,
		.param = { s->t, s->i, s->next },
		.on_done = on_settled,
		.arg = s };
	db_exec(&s->call);
}

static int64_t backoff_us(int attempt)
{
	int64_t s = options.notify_backoff_s;
	unsigned char jitter;

	for (int i = 1; i < attempt && s < 3600; i++)
		s *= 2;
	s = s > 3600 ? 3600 : s;
	crypto_random(&jitter, 1);
	return s * US_PER_S * 3 / 4 + s * US_PER_S * jitter / 512; /* 75 % to 125 % */
}

static void settle(struct sending *s, const struct fetch_result *r)
{
	int64_t now = clock_now_us();
	const char *state = r->ok                                                   ? "sent"
			    : r->permanent || s->attempt >= options.notify_attempts ? "dead"
										    : "queued";

	if (s->kind) /* a refusal of this one message is no failure of the host's */
		breaker_report(s->kind, s->host,
			r->ok || r->permanent ||
				(r->status >= 400 && r->status < 500 && r->status != 421),
			now);
	health.sent += r->ok;
	health.failed += !r->ok;
	snprintf(s->now, sizeof(s->now), "%lld", (long long)now);
	snprintf(s->next, sizeof(s->next), "%lld", (long long)(now + backoff_us(s->attempt)));
	snprintf(s->took, sizeof(s->took), "%d", r->took_ms);
	snprintf(s->detail, sizeof(s->detail), "%s", r->error);
	for (char *p = s->detail; *p; p++)
		if ((unsigned char)*p >= 0x7f || (unsigned char)*p < 0x20)
			*p = '?';
	if (!r->ok)
		log_warn(NULL, "notification failed tenant=%s id=%s attempt=%d state=%s err=%s",
			s->t, s->i, s->attempt, state, s->detail);
	s->call = (struct db_call){ .stmt = &sql_notify_done,
		.param = { s->t, s->i, state, s->now, s->next, r->ok ? NULL : s->detail, s->took },
		.on_done = on_settled,
		.arg = s };
	db_exec(&s->call);
}

static void on_sent(void *arg, const struct fetch_result *r)
{
	failpoint("notification-sent");
	settle(arg, r);
}

static void settle_now(struct sending *s, const char *why, bool permanent)
{
	struct fetch_result r = { .permanent = permanent };

	snprintf(r.error, sizeof(r.error), "%s", why);
	settle(s, &r);
}

/* --- sending --- */

/* scheme://host:port of URL, for its circuit. */
static void host_of(const char *url, char out[200])
{
	const char *host = strstr(url, "://");

	snprintf(out, 200, "%.*s",
		(int)(host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0), url);
}

/* Does the circuit let it through? Else it waits, and no attempt is counted. No two wait until the
 * same instant: those would merge. */
static bool may_send(struct sending *s, const char *kind, const char *url)
{
	static int64_t serial;
	int64_t until;

	host_of(url, s->host);
	s->kind = kind;
	until = breaker_allow(kind, s->host, clock_now_us());
	if (until)
		hold(s, until + serial++ % 100000);
	return !until;
}

static bool address_is_sane(struct str to)
{
	bool sane = to.n > 2 && to.n < 255 && memchr(to.p, '@', to.n);

	for (size_t i = 0; i < to.n; i++)
		sane &= (unsigned char)to.p[i] > 0x20 && to.p[i] != '<' && to.p[i] != '>' &&
			to.p[i] != 0x7f;
	return sane;
}

static void send_mail(struct sending *s, const struct outbox_row *w)
{
	struct buf b = { 0 }, to = { 0 };
	char *address, *password;
	bool sane;

	if (!field_open(&to, "email", db_text(w->r, w->i, C_EMAIL))) {
		log_warn(NULL, "mail waits: the key of its address is not here tenant=%s id=%s",
			s->t, s->i);
		hold(s, clock_now_us() + KEY_WAIT_US);
		return;
	}
	address = buf_take(&to);
	sane = address_is_sane(str_of(address));
	if (!sane || db_is_null(w->r, w->i, C_SUBJECT)) {
		settle_now(s, sane ? "no template" : "no usable address", true);
		free(address);
		return;
	}
	if (!may_send(s, "mail", options.mail_url)) {
		free(address);
		return;
	}
	password = config_secret_read(options.mail_password_file);
	outbox_compose(&b, w, address);
	fetch_mail_send(&(struct fetch_mail){ .url = options.mail_url,
				.username = options.mail_username,
				.password = password,
				.require_tls = options.mail_require_tls,
				.ca_file = options.mail_ca_file,
				.from = options.mail_from,
				.to = address,
				.message = b.p,
				.message_n = b.n,
				.timeout_ms = 20000 },
		on_sent, s);
	buf_free(&b);
	free(address);
	free(password);
}

/* The body is the event; the signature covers timestamp and body, so that neither can be replayed
 * apart. */
static void send_webhook(struct sending *s, const struct outbox_row *w)
{
	struct str url = db_text(w->r, w->i, C_URL), secret = db_text(w->r, w->i, C_SECRET),
		   data = db_text(w->r, w->i, C_DATA);
	struct buf b = { 0 }, signed_text = { 0 };
	unsigned char mac[32];
	char header[160], id[96], *target;
	long long now = (long long)(clock_now_us() / US_PER_S);
	struct buf hex = { 0 };

	if (db_is_null(w->r, w->i, C_URL)) {
		settle_now(s, "webhook is switched off", true);
		return;
	}
	target = xstrndup(url.p, url.n);
	if (!may_send(s, "webhook", target)) {
		free(target);
		return;
	}
	buf_addf(&b,
		"{\"id\":\"%lld-%lld\",\"type\":\"%.*s\",\"tenant_id\":%lld,\"seq\":%lld,\"ticket_"
		"id\":%lld,\"number\":\"%.*s\",\"status\":\"%.*s\",\"priority\":\"%.*s\",\"at\":",
		(long long)s->tenant_id, (long long)db_int(w->r, w->i, C_SEQ),
		(int)db_text(w->r, w->i, C_TYPE).n, db_text(w->r, w->i, C_TYPE).p,
		(long long)s->tenant_id, (long long)db_int(w->r, w->i, C_SEQ),
		(long long)db_int(w->r, w->i, C_TICKET_ID), (int)db_text(w->r, w->i, C_NUMBER).n,
		db_text(w->r, w->i, C_NUMBER).p, (int)db_text(w->r, w->i, C_STATUS).n,
		db_text(w->r, w->i, C_STATUS).p, (int)db_text(w->r, w->i, C_PRIORITY).n,
		db_text(w->r, w->i, C_PRIORITY).p);
	buf_add_time_json(&b, db_int(w->r, w->i, C_AT));
	buf_adds(&b, ",\"data\":");
	buf_add(&b, data.p, data.n);
	buf_addc(&b, '}');
	buf_addf(&signed_text, "%lld.", now);
	buf_add(&signed_text, b.p, b.n);
	crypto_hmac_sha256(secret.p, secret.n, signed_text.p, signed_text.n, mac);
	buf_add_hex(&hex, mac, 32);
	snprintf(header, sizeof(header), "Sladesk-Signature: t=%lld,v1=%s", now, buf_cstr(&hex));
	snprintf(id, sizeof(id), "Sladesk-Delivery: n%lld.%lld", (long long)s->tenant_id,
		(long long)s->id);
	fetch_http(&(struct fetch_http){ .url = target,
			   .body = b.p,
			   .body_n = b.n,
			   .headers = (const char *const[]){ "Content-Type: application/json",
				   header, id, NULL },
			   .allow_private = options.notify_allow_private,
			   .timeout_ms = 10000 },
		on_sent, s);
	free(target);
	buf_free(&b);
	buf_free(&signed_text);
	buf_free(&hex);
}

/* TO's digits, with a + before them if it is there; false when it is no number. */
static bool phone_number(const char *to, struct buf *out)
{
	for (; *to; to++)
		if ((*to >= '0' && *to <= '9') || (*to == '+' && !out->n))
			buf_addc(out, *to);
		else if (!strchr(" -()", *to))
			return false;
	return out->n >= 5 && out->n <= 20;
}

/* A code is of no use later: it waits for no opening hours, and the gateway says 2xx or it is tried
 * again. */
static void send_sms(struct sending *s, const struct outbox_row *w)
{
	struct buf phone = { 0 }, to = { 0 }, text = { 0 }, b = { 0 };
	char *token = config_secret_read(options.sms_token_file),
	     *header = xasprintf("Authorization: Bearer %s", token ? token : "");

	if (!field_open(&phone, "phone", db_text(w->r, w->i, C_PHONE))) {
		hold(s, clock_now_us() + KEY_WAIT_US);
	} else if (!phone_number(buf_cstr(&phone), &to) || db_is_null(w->r, w->i, C_BODY)) {
		settle_now(s, to.n ? "no template" : "no usable number", true);
	} else if (may_send(s, "sms", options.sms_url)) {
		outbox_text(&text, w);
		buf_addf(&b, "{\"id\":\"n%s.%s\",\"to\":\"%s\",\"text\":", s->t, s->i,
			buf_cstr(&to));
		buf_add_json(&b, text.p, text.n);
		buf_addc(&b, '}');
		fetch_http(
			&(struct fetch_http){ .url = options.sms_url,
				.body = b.p,
				.body_n = b.n,
				.headers = (const char *const[]){ "Content-Type: application/json",
					token ? header : NULL, NULL },
				.allow_private = options.notify_allow_private,
				.timeout_ms = 10000 },
			on_sent, s);
	}
	free(token);
	free(header);
	buf_free(&phone);
	buf_free(&to);
	buf_free(&text);
	buf_free(&b);
}

static void send_row(const PGresult *rows, int i)
{
	struct sending *s = xcalloc(1, sizeof(*s));
	struct str data = db_text(rows, i, C_DATA);
	struct json_error err;
	struct outbox_row w = { rows, i, data.n ? json_read(data.p, data.n, &err) : NULL };
	bool mail = str_is(db_text(rows, i, C_CHANNEL), "mail");
	int64_t until;

	s->tenant_id = db_int(rows, i, C_TENANT_ID);
	s->id = db_int(rows, i, C_ID);
	s->attempt = (int)db_int(rows, i, C_ATTEMPTS);
	snprintf(s->t, sizeof(s->t), "%lld", (long long)s->tenant_id);
	snprintf(s->i, sizeof(s->i), "%lld", (long long)s->id);
	in_flight++;
	until = mail ? delivery_hours_wait_until(s->tenant_id, db_text(rows, i, C_HOURS),
			       db_text(rows, i, C_TYPE),
			       priority_parse(db_text(rows, i, C_PRIORITY)), clock_now_us())
		     : 0;
	if (until)
		hold(s, until);
	else if (mail)
		send_mail(s, &w);
	else if (str_is(db_text(rows, i, C_CHANNEL), "sms"))
		send_sms(s, &w);
	else
		send_webhook(s, &w);
	json_object_put(w.data);
}

static void on_claimed(struct db_call *call, enum db_error error, const PGresult *rows)
{
	int n = error == DB_OK ? PQntuples(rows) : 0;

	(void)call;
	claiming = false;
	more = n >= CLAIM_LIMIT;
	if (again)
		outbox_wake();
	if (n)
		failpoint("notification-claimed");
	for (int i = 0; i < n; i++)
		send_row(rows, i);
}

/* Those that are set up; what is for others waits. */
static const char *channels(void)
{
	static const char *const sets[2][2] = { { "{webhook}", "{webhook,sms}" },
		{ "{mail,webhook}", "{mail,webhook,sms}" } };

	return sets[options.mail_url[0] != 0][options.sms_url[0] != 0];
}

static void claim(void *arg)
{
	(void)arg;
	waking = false;
	again |= claiming;
	if (claiming || !running || in_flight >= IN_FLIGHT_MAX)
		return;
	again = false;
	claiming = true;
	snprintf(claim_now, sizeof(claim_now), "%lld", (long long)clock_now_us());
	/* a claim is a minute of real time, however fast a drill's clock runs */
	snprintf(claim_until, sizeof(claim_until), "%lld",
		(long long)(clock_now_us() + (int64_t)(60 * US_PER_S * clock_scale())));
	claim_call = (struct db_call){ .stmt = &sql_notify_claim,
		.param = { me, claim_now, channels(), claim_until },
		.on_done = on_claimed };
	db_exec(&claim_call);
}

static void outbox_wake(void)
{
	if (!running || waking)
		return;
	waking = true;
	loop_timer_set(soon, GATHER_US); /* what is committed together is claimed together */
}

void outbox_on_event(const struct desk_event *e)
{
	(void)e;
	outbox_wake();
}

static void on_backlog(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	backlog_asked = false;
	if (error != DB_OK)
		return;
	health.queued = db_int(rows, 0, 0);
	health.dead = db_int(rows, 0, 1);
}

static void ask_backlog(void *arg)
{
	(void)arg;
	if (backlog_asked || !running)
		return;
	backlog_asked = true;
	backlog_call = (struct db_call){ .stmt = &sql_notify_backlog, .on_done = on_backlog };
	db_exec(&backlog_call);
}

void outbox_init(void)
{
	char id[17];

	crypto_random_hex(id, 8);
	snprintf(me, sizeof(me), "sladeskd-%s", id);
	running = true;
	hooks.notify_wake = outbox_wake;
	soon = loop_timer_new(claim, NULL);
	loop_every(1000, claim, NULL);
	loop_every(10000, ask_backlog, NULL);
}

void outbox_free(void)
{
	running = false;
	loop_timer_free(soon);
}
