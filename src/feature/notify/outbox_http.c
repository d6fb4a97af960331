/* SPDX-License-Identifier: Apache-2.0
 * Webhooks and text messages: notifications that are sent by HTTP. */
#include "outbox.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "config/options.h"
#include "crypto/secretfile.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "fetch/fetch.h"
#include "ticket/names.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define KEY_WAIT_US (10 * US_PER_S)

static void on_sent(void *arg, const struct fetch_result *r)
{
	struct outcome o = { .rule = r->permanent ? RETRY_NONE : retry_of_http(r->status),
		.retry_after_s = r->retry_after_s,
		.took_ms = r->took_ms,
		.why = r->error };

	failpoint("notification-sent");
	outbox_settle(magic_cast(sending, arg), &o);
}

static void wipe(struct buf *secret)
{
	if (secret->n) /* a refused value leaves an empty buffer, which is freed, too */
		OPENSSL_cleanse(secret->p, secret->n);
	buf_free(secret);
}

/* The webhook's secret. Returns false, and the delivery waits, if its key is not available. */
static bool open_secret(struct sending *s, const struct outbox_row *w, struct buf *out)
{
	if (db_open(out, w->r, w->i, C_SECRET))
		return true;
	log_warn(NULL, "webhook is delayed: its secret cannot be decrypted tenant=%lld id=%lld",
		(long long)s->tenant_id, (long long)s->id);
	outbox_hold(s, clock_now_us() + KEY_WAIT_US);
	return false;
}

/* The body is the event. The signature covers timestamp and body, so that neither can be replayed
 * without the other. */
void outbox_send_webhook(struct sending *s, const struct outbox_row *w)
{
	struct str url = db_text(w->r, w->i, C_URL), data = db_text(w->r, w->i, C_DATA);
	struct buf plain = { 0 }, b = { 0 }, signed_text = { 0 }, secret = { 0 };
	unsigned char mac[32];
	char header[160], id[96], *target;
	long long now = (long long)(clock_now_us() / US_PER_S);
	struct buf hex = { 0 };

	if (db_is_null(w->r, w->i, C_URL)) {
		outbox_give_up(s, "webhook is switched off");
		return;
	}
	if (!open_secret(s, w, &secret)) {
		wipe(&secret);
		return;
	}
	target = xstrndup(url.p, url.n);
	if (!outbox_may_send(s, "webhook", target)) {
		wipe(&secret);
		free(target);
		return;
	}
	buf_addf(&plain,
		"{\"id\":\"%lld-%lld\",\"type\":\"%.*s\",\"tenant_id\":%lld,\"seq\":%lld,\"ticket_"
		"id\":%lld,\"number\":\"%.*s\",\"status\":\"%.*s\",\"priority\":\"%.*s\",\"at\":",
		(long long)s->tenant_id, (long long)db_int(w->r, w->i, C_SEQ),
		(int)db_text(w->r, w->i, C_TYPE).n, db_text(w->r, w->i, C_TYPE).p,
		(long long)s->tenant_id, (long long)db_int(w->r, w->i, C_SEQ),
		(long long)db_int(w->r, w->i, C_TICKET_ID), (int)db_text(w->r, w->i, C_NUMBER).n,
		db_text(w->r, w->i, C_NUMBER).p, (int)db_text(w->r, w->i, C_STATUS).n,
		db_text(w->r, w->i, C_STATUS).p, (int)db_text(w->r, w->i, C_PRIORITY).n,
		db_text(w->r, w->i, C_PRIORITY).p);
	buf_add_time_json(&plain, db_int(w->r, w->i, C_AT));
	buf_adds(&plain, ",\"data\":");
	buf_add(&plain, data.p, data.n);
	buf_addc(&plain, '}');
	priority_add_labelled(
		&b, (struct str){ plain.p, plain.n }, str_is(db_text(w->r, w->i, C_LANG), "zh"));
	buf_free(&plain);
	buf_addf(&signed_text, "%lld.", now);
	buf_add(&signed_text, b.p, b.n);
	crypto_hmac_sha256(secret.p, secret.n, signed_text.p, signed_text.n, mac);
	wipe(&secret);
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

/* TO's digits, after a + if there is one. Returns false if it is not a phone number. */
static bool phone_number(const char *to, struct buf *out)
{
	for (; *to; to++)
		if ((*to >= '0' && *to <= '9') || (*to == '+' && !out->n))
			buf_addc(out, *to);
		else if (!strchr(" -()", *to))
			return false;
	return out->n >= 5 && out->n <= 20;
}

/* A code is useless later, so it does not wait for delivery hours. It is retried until the gateway
 * answers 2xx. */
void outbox_send_sms(struct sending *s, const struct outbox_row *w)
{
	struct buf phone = { 0 }, to = { 0 }, text = { 0 }, b = { 0 };
	char *token = secretfile_line(options.sms_token_file),
	     *header = xasprintf("Authorization: Bearer %s", token ? token : "");

	if (!db_is_null(w->r, w->i, C_PHONE) && !db_open(&phone, w->r, w->i, C_PHONE)) {
		outbox_hold(s, clock_now_us() + KEY_WAIT_US);
	} else if (!phone_number(buf_cstr(&phone), &to) || db_is_null(w->r, w->i, C_BODY)) {
		outbox_give_up(s, to.n ? "no template" : "no usable number");
	} else if (outbox_may_send(s, "sms", options.sms_url)) {
		outbox_text(&text, w);
		buf_addf(&b,
			"{\"id\":\"n%lld.%lld\",\"to\":\"%s\",\"text\":", (long long)s->tenant_id,
			(long long)s->id, buf_cstr(&to));
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
