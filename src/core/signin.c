/* SPDX-License-Identifier: Apache-2.0 */
#include "core/signin.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "config/options.h"
#include "core/hooks.h"
#include "sql_gen.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define DEVICE_DAYS 30

/* --- the session --- */

static struct outcome *refuse_seat(struct req *req, const struct sign_in *s)
{
	audit_note(req, s->tenant_id, s->staff, s->subject_id, s->username, "auth.login_full",
		"refused", 429);
	req->retry_after_s = 60;
	return req_fail(req, ERR_RATE,
		req->zh ? "{\"limit\":\"tenant_users\",\"user_message\":"
			  "\"贵公司同时登录的用户数已达上限\","
			  "\"suggested_actions\":[\"请同事退出登录\",\"联系服务商提高上限\"]}"
			: "{\"limit\":\"tenant_users\",\"user_message\":\"the maximum number of "
			  "users of your company is logged in\",\"suggested_actions\":[\"ask a "
			  "colleague to log "
			  "out\",\"ask the provider to raise the limit\"]}");
}

static struct outcome *on_session(struct req *req, enum db_error error, const PGresult *rows)
{
	struct sign_in *s = req_state(req, sign_in);
	struct buf b = { 0 };
	struct outcome *o;
	struct str role;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0) /* the account was disabled during its login */
		return req_fail(req, ERR_NO_AUTH, NULL);
	if (db_is_null(rows, 0, 0))
		return refuse_seat(req, s);
	s->refresh.session_id = db_int(rows, 0, 0);
	role = db_text(rows, 0, 3);
	audit_note(req, s->tenant_id, s->staff, s->subject_id, s->username, "auth.login", "success",
		200);
	signin_done_hook(req, s);
	buf_addf(&b, ",\"user_info\":{\"user_id\":%lld,\"username\":", (long long)s->subject_id);
	buf_add_json(&b, db_text(rows, 0, 1).p, db_text(rows, 0, 1).n);
	buf_adds(&b, ",\"full_name\":");
	buf_add_json(&b, db_text(rows, 0, 2).p, db_text(rows, 0, 2).n);
	buf_addf(&b, ",\"tenant_id\":%lld,\"kind\":\"%s\",\"role_type\":\"%.*s\",\"permissions\":",
		(long long)s->tenant_id, s->staff ? "staff" : "customer", (int)role.n, role.p);
	permissions_add_list(&b, permissions_parse(db_text(rows, 0, 5)));
	buf_addf(&b, "},\"must_change_password\":%s,\"must_enrol_factor\":%s",
		db_int(rows, 0, 4) ? "true" : "false", db_int(rows, 0, 6) ? "true" : "false");
	if (s->page) {
		buf_free(&b);
		return session_reply_page(req, &s->refresh, s->page);
	}
	o = session_reply_tokens(req, &s->refresh, s->cookies,
		s->device_secret[0] ? s->device_secret : NULL, buf_cstr(&b));
	OPENSSL_cleanse(s->device_secret, sizeof(s->device_secret));
	buf_free(&b);
	return o;
}

/* When the user last proved their identity: by password or factor, or at the provider if it says
 * when. A mailed link alone is not such a proof. */
static const char *proved_at(struct req *req, const struct sign_in *s)
{
	if (s->proved_us)
		return req_int(req, s->proved_us);
	return strcmp(s->method, "sso") == 0 || (strcmp(s->method, "link") == 0 && !s->factor)
		       ? NULL
		       : req_int(req, clock_now_us());
}

static struct outcome *begin_session(struct req *req, struct sign_in *s)
{
	const char **p = arena_alloc(&req->arena, 16 * sizeof(*p));

	session_token_new(&s->refresh, s->tenant_id);
	s->refresh.ends_us = session_expiry(s->staff);
	p[0] = req_int(req, s->tenant_id);
	p[1] = s->staff ? "staff" : "customer";
	p[2] = req_int(req, s->subject_id);
	p[3] = req_int(req, clock_now_us());
	p[4] = req_int(req, s->refresh.ends_us);
	p[5] = arena_printf(&req->arena, "%s", s->refresh.sha256);
	p[6] = session_device(req);
	p[7] = session_peer(req);
	p[8] = req_int(req, options.token_lifetime_s);
	p[9] = req_int(req, options.limits_tenant_users);
	p[10] = s->method;
	p[11] = s->factor;
	p[12] = s->provider_id ? req_int(req, s->provider_id) : NULL;
	p[13] = s->subject;
	p[14] = s->provider_session;
	p[15] = proved_at(req, s);
	return req_query_job(req, &sql_auth_session_new, p, on_session);
}

static struct outcome *on_device(struct req *req, enum db_error error, const PGresult *rows)
{
	(void)rows;
	return error == DB_OK ? begin_session(req, req_state(req, sign_in))
			      : req_fail_db(req, error);
}

struct outcome *signin_session(struct req *req, struct sign_in *s)
{
	const char **p = arena_alloc(&req->arena, 7 * sizeof(*p));
	char *sha = arena_alloc(&req->arena, 65);

	req_state_set(req, s, "sign_in");
	if (!s->trust || !s->factor)
		return begin_session(req, s);
	crypto_random_hex(s->device_secret, 32);
	crypto_sha256_hex(s->device_secret, 64, sha);
	p[0] = req_int(req, s->tenant_id);
	p[1] = s->staff ? "staff" : "customer";
	p[2] = req_int(req, s->subject_id);
	p[3] = sha;
	p[4] = session_device(req);
	p[5] = req_int(req, clock_now_us());
	p[6] = req_int(req, clock_now_us() + DEVICE_DAYS * 86400 * US_PER_S);
	return req_query_job(req, &sql_factor_device_new, p, on_device);
}

/* --- the second factor --- */

static struct outcome *on_step(struct req *req, enum db_error error, const PGresult *rows)
{
	struct sign_in *s = req_state(req, sign_in);
	int64_t now_s = clock_now_us() / US_PER_S;
	struct token_claims claims = {
		.tenant_id = s->tenant_id, .session_id = 0, .expires_s = now_s + STEP_MAX_S
	};
	struct buf b = { 0 };
	struct outcome *o;
	char *token;

	if (error != DB_OK)
		return req_fail_db(req, error);
	claims.session_id = db_int(rows, 0, 0);
	token = token_sign(TOKEN_STEP, &claims, now_s);
	buf_addf(&b,
		"{\"second_factor_required\":true,\"step_token\":\"%s\",\"expires_in\":%d,"
		"\"methods\":%.*s}",
		token, STEP_MAX_S, (int)db_text(rows, 0, 1).n, db_text(rows, 0, 1).p);
	o = req_reply(req, 200, b.p, b.n);
	OPENSSL_cleanse(token, strlen(token));
	OPENSSL_cleanse(b.p, b.n);
	free(token);
	buf_free(&b);
	return o;
}

static struct outcome *on_state(struct req *req, enum db_error error, const PGresult *rows)
{
	struct sign_in *s = req_state(req, sign_in);
	const char **p = arena_alloc(&req->arena, 8 * sizeof(*p));
	bool totp, passkeys;

	if (error != DB_OK)
		return req_fail_db(req, error);
	totp = db_int(rows, 0, 0) > 0;
	passkeys = db_int(rows, 0, 1) > 0;
	if ((!totp && !passkeys) || db_int(rows, 0, 2))
		return signin_session(req, s);
	p[0] = req_int(req, s->tenant_id);
	p[1] = s->staff ? "staff" : "customer";
	p[2] = req_int(req, s->subject_id);
	p[3] = s->username;
	p[4] = s->method;
	p[5] = req_int(req, clock_now_us());
	p[6] = options.sms_url[0] ? "true" : "false";
	p[7] = session_peer(req);
	return req_query_job(req, &sql_factor_step_new, p, on_step);
}

const char *signin_device(struct req *req, const char *token)
{
	struct str device = token ? str_of(token) : (struct str){ 0 };
	char *sha = arena_alloc(&req->arena, 65);

	if (!device.n && req->http)
		device = http_cookie(&req->http->head, COOKIE_DEVICE);
	if (device.n != 68 || memcmp(device.p, "dt1.", 4) != 0)
		return NULL;
	crypto_sha256_hex(device.p + 4, 64, sha);
	return sha;
}

struct outcome *signin_first(struct req *req, struct sign_in *s)
{
	const char **p = arena_alloc(&req->arena, 5 * sizeof(*p));

	req_state_set(req, s, "sign_in");
	p[0] = req_int(req, s->tenant_id);
	p[1] = s->staff ? "staff" : "customer";
	p[2] = req_int(req, s->subject_id);
	p[3] = req_int(req, clock_now_us());
	p[4] = signin_device(req, s->device_token);
	return req_query_job(req, &sql_factor_state, p, on_state);
}
