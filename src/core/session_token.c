/* SPDX-License-Identifier: Apache-2.0
 * A session as its client holds it: the refresh token, the cookies, and the replies that carry
 * them. */
#include "core/session_token.h"
#include "base/clock.h"
#include "base/json.h"
#include "config/options.h"
#include "core/events.h"
#include "core/request.h"
#include "crypto/crypto.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

static void digest_secret(struct refresh_token *t)
{
	crypto_sha256_hex(t->secret, 64, t->sha256);
}

void session_token_new(struct refresh_token *t, int64_t tenant_id)
{
	*t = (struct refresh_token){ .tenant_id = tenant_id };
	crypto_random_hex(t->secret, 32);
	digest_secret(t);
}

bool session_token_read(struct str text, struct refresh_token *out)
{
	struct str part[3] = { 0 };
	const char *p = text.p + 4, *end = text.p + text.n;
	int n = 0;

	if (text.n < 4 || text.n > 200 || memcmp(text.p, "sr1.", 4) != 0)
		return false;
	for (const char *dot; n < 3; n++, p = dot + 1) {
		dot = n < 2 ? memchr(p, '.', (size_t)(end - p)) : end;
		if (!dot)
			return false;
		part[n] = (struct str){ p, (size_t)(dot - p) };
		if (dot == end)
			break;
	}
	*out = (struct refresh_token){ 0 };
	if (part[2].n != 64 || !str_to_int(part[0], 1, 1LL << 53, &out->tenant_id) ||
		!str_to_int(part[1], 1, 1LL << 53, &out->session_id))
		return false;
	memcpy(out->secret, part[2].p, 64);
	digest_secret(out);
	return true;
}

/* The CSRF token stays the same for the whole session, because another page may have read it before
 * this refresh. */
static void add_cookies(
	struct req *req, struct buf *headers, const char *access, const char *refresh, bool staff)
{
	int64_t days = staff ? options.token_staff_days : options.token_customer_days;
	struct str old = req->http ? http_cookie(&req->http->head, COOKIE_CSRF) : (struct str){ 0 };
	char csrf[CSRF_CHARS + 1];

	if (req->by_cookie && old.n == CSRF_CHARS)
		snprintf(csrf, sizeof(csrf), "%.*s", (int)old.n, old.p);
	else
		crypto_random_hex(csrf, CSRF_CHARS / 2);
	cookie_add(headers, COOKIE_ACCESS, access, options.token_lifetime_s);
	cookie_add(headers, COOKIE_REFRESH, refresh, days * 86400);
	cookie_add(headers, COOKIE_CSRF, csrf, days * 86400);
}

/* How long an access token for the session lives: not longer than the session. */
static int64_t access_lifetime_s(const struct refresh_token *t)
{
	int64_t left_s = (t->ends_us - clock_now_us()) / US_PER_S;

	return left_s < options.token_lifetime_s ? left_s : options.token_lifetime_s;
}

static char *sign_access(const struct refresh_token *t)
{
	int64_t now_s = clock_now_us() / US_PER_S;
	struct token_claims claims = { .tenant_id = t->tenant_id,
		.session_id = t->session_id,
		.expires_s = now_s + access_lifetime_s(t) };

	return token_sign(TOKEN_ACCESS, &claims, now_s);
}

struct outcome *session_reply_tokens(struct req *req, const struct refresh_token *t, bool cookies,
	const char *device, const char *more)
{
	char *access = sign_access(t),
	     *refresh = xasprintf("sr1.%lld.%lld.%s", (long long)t->tenant_id,
		     (long long)t->session_id, t->secret);
	struct buf body = { 0 }, headers = { 0 };
	struct outcome *o;

	buf_addc(&body, '{');
	if (cookies)
		add_cookies(req, &headers, access, refresh, t->tenant_id == 1);
	else
		buf_addf(&body,
			"\"access_token\":\"%s\",\"refresh_token\":\"%s\",\"token_type\":"
			"\"Bearer\",",
			access, refresh);
	if (device && cookies)
		cookie_add(&headers, COOKIE_DEVICE, arena_printf(&req->arena, "dt1.%s", device),
			30 * 86400);
	else if (device)
		buf_addf(&body, "\"device_token\":\"dt1.%s\",", device);
	buf_addf(&body, "\"expires_in\":%lld%s}", (long long)access_lifetime_s(t), more);
	o = req_reply_headers(req, 200, headers.n ? buf_cstr(&headers) : NULL, body.p, body.n);
	OPENSSL_cleanse(access, strlen(access));
	OPENSSL_cleanse(refresh, strlen(refresh));
	OPENSSL_cleanse(body.p, body.n);
	if (headers.n)
		OPENSSL_cleanse(headers.p, headers.n);
	free(access);
	free(refresh);
	buf_free(&body);
	buf_free(&headers);
	return o;
}

struct outcome *session_reply_page(struct req *req, const struct refresh_token *t, const char *page)
{
	char *access = sign_access(t),
	     *refresh = xasprintf("sr1.%lld.%lld.%s", (long long)t->tenant_id,
		     (long long)t->session_id, t->secret),
	     *html = xasprintf(
		     "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" "
		     "content=\"0;url=%s\"><title>sladesk</title><a href=\"%s\">sladesk</a>\n",
		     page, page);
	struct buf headers = { 0 };
	struct outcome *o;

	add_cookies(req, &headers, access, refresh, t->tenant_id == 1);
	buf_adds(&headers, "Cache-Control: no-store\r\n");
	o = req_reply_raw(
		req, 200, "text/html; charset=utf-8", buf_cstr(&headers), html, strlen(html));
	OPENSSL_cleanse(access, strlen(access));
	OPENSSL_cleanse(refresh, strlen(refresh));
	OPENSSL_cleanse(headers.p, headers.n);
	free(access);
	free(refresh);
	free(html);
	buf_free(&headers);
	return o;
}

void session_drop_cookies(struct buf *headers)
{
	for (enum cookie c = COOKIE_ACCESS; c <= COOKIE_CSRF; c++)
		cookie_add(headers, c, "", 0);
}

int64_t session_expiry(bool staff)
{
	int64_t days = staff ? options.token_staff_days : options.token_customer_days,
		most = session_days_max(staff);

	return clock_now_us() + (days < most ? days : most) * 86400 * US_PER_S;
}

int64_t session_days_max(bool staff)
{
	return staff ? options.token_staff_days_max : options.token_customer_days_max;
}

const char *session_peer(struct req *req)
{
	return req->http && req->http->peer ? arena_printf(&req->arena, "%s", req->http->peer) : "";
}

const char *session_device(struct req *req)
{
	struct str v = { 0 };
	char *out;

	if (req->http)
		v = http_header_find(&req->http->head, "User-Agent");
	if (v.n > 200)
		v.n = 200;
	out = arena_dup(&req->arena, v.p ? v.p : "", v.n);
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			*p = '?';
	return out;
}

const char *session_host_tenant(struct req *req)
{
	struct str h = req->http ? req->http->head.host : (struct str){ 0 };
	const char *colon = h.n ? str_chr(h, ':') : NULL;

	return arena_printf(&req->arena, "host:%.*s", (int)(colon ? (size_t)(colon - h.p) : h.n),
		h.n ? h.p : "");
}

void session_each_ended(
	const struct desk_event *e, void (*fn)(int64_t tenant_id, int64_t session_id))
{
	struct json_error err;
	struct json_object *data, *list;

	if (e->type.n < 5 || memcmp(e->type.p, "auth.", 5) != 0)
		return;
	data = json_read(e->data.p, e->data.n, &err);
	list = json_get(data, "sessions");
	for (size_t i = 0;
		json_object_is_type(list, json_type_array) && i < json_object_array_length(list);
		i++)
		fn(e->tenant_id, json_object_get_int64(json_object_array_get_idx(list, i)));
	json_object_put(data);
}
