/* SPDX-License-Identifier: Apache-2.0
 * One's own account: renew a session, see and end sessions, who am I. */
#include "account.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "desk/engine.h"
#include "desk/options.h"
#include "feature/feature.h"
#include "saml.h"
#include "sql_gen.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

/* --- tokens --- */

static void digest_secret(struct refresh_token *t)
{
	crypto_sha256_hex(t->secret, 64, t->sha256);
}

void account_new_refresh(struct refresh_token *t, int64_t tenant_id)
{
	*t = (struct refresh_token){ .tenant_id = tenant_id };
	crypto_random_hex(t->secret, 32);
	digest_secret(t);
}

bool account_read_refresh(struct str text, struct refresh_token *out)
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

/* The CSRF token lives as long as the session: another page may have read it before this renewal.
 */
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

struct outcome *account_reply_tokens(struct req *req, const struct refresh_token *t, bool cookies,
	const char *device, const char *more)
{
	int64_t now = clock_now_us() / US_PER_S;
	struct token_claims claims = { t->tenant_id, t->session_id,
		now + options.token_lifetime_s };
	char *access = token_sign(TOKEN_ACCESS, &claims, now),
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
	buf_addf(&body, "\"expires_in\":%lld%s}", (long long)options.token_lifetime_s, more);
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

struct outcome *account_reply_page(struct req *req, const struct refresh_token *t, const char *page)
{
	int64_t now = clock_now_us() / US_PER_S;
	struct token_claims claims = { t->tenant_id, t->session_id,
		now + options.token_lifetime_s };
	char *access = token_sign(TOKEN_ACCESS, &claims, now),
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

/* Take the browser's cookies back. */
static void add_no_cookies(struct buf *headers)
{
	for (enum cookie c = COOKIE_ACCESS; c <= COOKIE_CSRF; c++)
		cookie_add(headers, c, "", 0);
}

int64_t account_expiry(bool staff)
{
	int64_t days = staff ? options.token_staff_days : options.token_customer_days;

	return clock_now_us() + days * 86400 * US_PER_S;
}

const char *account_peer(struct req *req)
{
	return req->http && req->http->peer ? arena_printf(&req->arena, "%s", req->http->peer) : "";
}

/* Printable ASCII of the User-Agent, as a name for the session. */
const char *account_device(struct req *req)
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

struct outcome *account_verify(
	struct req *req, struct str hash, const char *password, req_work_step *step)
{
	struct buf job = { 0 };
	struct outcome *o;

	buf_add(&job, hash.p, hash.n);
	buf_addc(&job, 0);
	buf_adds(&job, password);
	o = req_work(req, WORK_VERIFY, job.p, job.n, step);
	OPENSSL_cleanse(job.p, job.n);
	buf_free(&job);
	return o;
}

struct outcome *jwks(struct req *req)
{
	struct buf b = { 0 };
	struct outcome *o;

	token_keys_public(&b);
	o = req_reply_raw(
		req, 200, "application/json", "Cache-Control: public, max-age=300\r\n", b.p, b.n);
	buf_free(&b);
	return o;
}

/* --- renewing --- */

static struct outcome *refuse_refresh(struct req *req)
{
	return req_fail(req, ERR_NO_AUTH,
		req->zh ? "{\"user_message\":\"会话已结束,请重新登录\"}"
			: "{\"user_message\":\"the session has ended: log in again\"}");
}

enum renewed { RENEWED_TWICE, RENEWED, RENEWED_JUST_NOW };

static struct outcome *on_refreshed(struct req *req, enum db_error error, const PGresult *rows)
{
	struct refresh_token *next = req->state;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return refuse_refresh(req);
	switch ((enum renewed)db_int(rows, 0, 0)) {
	case RENEWED:
		break;
	case RENEWED_JUST_NOW: /* another page of the same browser was first: its cookies are there
				*/
		return req_fail(req, ERR_WRONG_STATE,
			req->zh ? "{\"rule\":\"刚刚已续期\"}"
				: "{\"rule\":\"renewed a moment ago\"}");
	case RENEWED_TWICE: /* the session is over */
		session_forget(next->tenant_id, next->session_id);
		return refuse_refresh(req);
	}
	return account_reply_tokens(req, next, req->by_cookie, NULL, "");
}

struct outcome *session_refresh(struct req *req)
{
	struct refresh_token *next = req->state = arena_alloc(&req->arena, sizeof(*next));
	struct str cookie = http_cookie(&req->http->head, COOKIE_REFRESH);
	const char **p = arena_alloc(&req->arena, 8 * sizeof(*p)), *text = NULL;
	struct refresh_token old;

	req_body_only(req, "refresh_token");
	req_body_text(req, "refresh_token", false, 1, 200, &text);
	if (!text && !cookie.n)
		req_note_invalid(req, "refresh_token", "required", "必填");
	if (req_has_invalid(req))
		return req_invalid(req);
	req->by_cookie = !text;
	if (req->by_cookie && !http_csrf_is_right(&req->http->head))
		return req_fail(req, ERR_FORBIDDEN, "{\"field\":\"X-CSRF-Token\"}");
	if (!account_read_refresh(text ? str_of(text) : cookie, &old))
		return refuse_refresh(req);
	account_new_refresh(next, old.tenant_id);
	next->session_id = old.session_id;
	p[0] = req_int(req, old.tenant_id);
	p[1] = req_int(req, old.session_id);
	p[2] = arena_printf(&req->arena, "%s", old.sha256);
	p[3] = next->sha256;
	p[4] = req_int(req, clock_now_us());
	p[5] = req_int(req, account_expiry(old.tenant_id == 1));
	p[6] = account_peer(req);
	p[7] = req->by_cookie ? "10" : "0";
	return req_query(req, &sql_auth_session_refresh, p, on_refreshed);
}

/* --- seeing and ending --- */

/* A program's token is no session: it has none to see or to end. */
static bool has_account(const struct req *req)
{
	return req->session->session_id > 0;
}

static const char **owner_params(struct req *req, int more)
{
	const char **p = arena_alloc(&req->arena, (size_t)(4 + more) * sizeof(*p));

	p[0] = req_int(req, req->session->tenant_id);
	p[1] = actor_kind_name(req->session->actor);
	p[2] = req_int(req, req->session->actor_id);
	p[3] = req_int(req, clock_now_us());
	return p;
}

static struct outcome *on_sessions(struct req *req, enum db_error error, const PGresult *rows)
{
	struct buf b = { 0 };
	struct outcome *o;

	if (error != DB_OK)
		return req_fail_db(req, error);
	buf_adds(&b, "{\"items\":[");
	for (int i = 0; i < PQntuples(rows); i++) {
		int64_t id = db_int(rows, i, 0);

		buf_addf(&b, "%s{\"id\":%lld,\"current\":%s,\"created_at\":", i ? "," : "",
			(long long)id, id == req->session->session_id ? "true" : "false");
		buf_add_time_json(&b, db_int(rows, i, 1));
		buf_adds(&b, ",\"used_at\":");
		buf_add_time_json(&b, db_int(rows, i, 2));
		buf_adds(&b, ",\"expires_at\":");
		buf_add_time_json(&b, db_int(rows, i, 3));
		buf_adds(&b, ",\"device\":");
		buf_add_json(&b, db_text(rows, i, 4).p, db_text(rows, i, 4).n);
		buf_adds(&b, ",\"address\":");
		buf_add_json(&b, db_text(rows, i, 5).p, db_text(rows, i, 5).n);
		buf_addc(&b, '}');
	}
	buf_adds(&b, "]}");
	o = req_reply(req, 200, b.p, b.n);
	buf_free(&b);
	return o;
}

struct outcome *session_list(struct req *req)
{
	if (!has_account(req))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	return req_query(req, &sql_auth_session_list, owner_params(req, 0), on_sessions);
}

/* What has ended; of the caller's own session, who began it. */
struct ended {
	int n;
	bool mine;
	const char *subject, *sid; /* NULL: none of a provider's */
};

static struct outcome *reply_ended(struct req *req, const char *location)
{
	const struct ended *e = req->state;
	struct buf headers = { 0 }, data = { 0 };
	struct outcome *o;

	if (e->mine && req->by_cookie)
		add_no_cookies(&headers);
	buf_addf(&data, "{\"ended\":%d", e->n);
	if (location) {
		buf_adds(&data, ",\"location\":");
		buf_add_json(&data, location, strlen(location));
	}
	buf_addc(&data, '}');
	o = req_reply_headers(req, 200, headers.n ? buf_cstr(&headers) : NULL, data.p, data.n);
	buf_free(&headers);
	buf_free(&data);
	return o;
}

/* The provider that began the session: it is told, by the browser, when it wants to be
 * (SAML profiles 4.4; OpenID Connect RP-Initiated Logout 1.0). */
static struct outcome *on_provider(struct req *req, enum db_error error, const PGresult *rows)
{
	const struct ended *e = req->state;
	const char *location = NULL, *entity, *endpoint;
	struct json_object *settings;
	struct json_error err;
	struct buf url = { 0 };

	if (error != DB_OK || PQntuples(rows) == 0)
		return reply_ended(req, NULL);
	entity = arena_dup(&req->arena, db_text(rows, 0, 1).p, db_text(rows, 0, 1).n);
	settings = json_read(db_text(rows, 0, 2).p, db_text(rows, 0, 2).n, &err);
	endpoint = json_get_string(settings, "logout_endpoint");
	if (str_is(db_text(rows, 0, 0), "saml")) {
		location = saml_logout_location(req, settings, entity, e->subject, e->sid);
	} else if (endpoint) {
		buf_addf(&url, "%s%sclient_id=", endpoint, strchr(endpoint, '?') ? "&" : "?");
		buf_add_url(&url, entity, strlen(entity));
		buf_adds(&url, "&post_logout_redirect_uri=");
		buf_add_url(&url, options.http_url, strlen(options.http_url));
		location = arena_printf(&req->arena, "%s", buf_cstr(&url));
		buf_free(&url);
	}
	json_object_put(settings);
	return reply_ended(req, location);
}

static struct outcome *on_ended(struct req *req, enum db_error error, const PGresult *rows)
{
	struct ended *e = req->state = arena_alloc(&req->arena, sizeof(*e));
	const char **p = arena_alloc(&req->arena, 2 * sizeof(*p));

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0 && req_path(req, "id").n)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	e->n = PQntuples(rows);
	for (int i = 0; i < e->n; i++) {
		session_forget(req->session->tenant_id, db_int(rows, i, 0));
		if (db_int(rows, i, 0) != req->session->session_id)
			continue;
		e->mine = true;
		if (db_is_null(rows, i, 1) || db_is_null(rows, i, 2))
			continue;
		p[0] = req_int(req, req->session->tenant_id);
		p[1] = req_int(req, db_int(rows, i, 1));
		e->subject = arena_dup(&req->arena, db_text(rows, i, 2).p, db_text(rows, i, 2).n);
		e->sid = db_is_null(rows, i, 3) ? NULL
						: arena_dup(&req->arena, db_text(rows, i, 3).p,
							  db_text(rows, i, 3).n);
	}
	return e->subject ? req_query(req, &sql_sso_provider_get, p, on_provider)
			  : reply_ended(req, NULL);
}

static struct outcome *end_sessions(struct req *req, int64_t only)
{
	const char **p = owner_params(req, 1);

	p[4] = only ? req_int(req, only) : NULL;
	return req_query(req, &sql_auth_session_end, p, on_ended);
}

struct outcome *logout(struct req *req)
{
	if (!has_account(req))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	return end_sessions(req, req->session->session_id);
}

struct outcome *logout_everywhere(struct req *req)
{
	if (!has_account(req))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	return end_sessions(req, 0);
}

struct outcome *session_revoke(struct req *req)
{
	int64_t id = req_path_id(req, "id");

	if (!has_account(req))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	if (!id)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	return end_sessions(req, id);
}

struct outcome *permissions_get(struct req *req)
{
	const struct session *s = req->session;
	struct buf b = { 0 };
	struct outcome *o;

	buf_addf(&b, "{\"user_id\":%lld,\"tenant_id\":%lld,\"role_type\":\"%s\",\"permissions\":",
		(long long)s->actor_id, (long long)s->tenant_id, s->role);
	permissions_add_object(&b, s->perms);
	buf_addf(&b, ",\"data_scope\":%s}", s->scope[0] ? s->scope : "null");
	o = req_reply(req, 200, b.p, b.n);
	buf_free(&b);
	return o;
}

/* --- sessions that ended, here or on another instance --- */

void account_each_ended(
	const struct bus_event *e, void (*fn)(int64_t tenant_id, int64_t session_id))
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

static void on_event(void *arg, const struct bus_event *e)
{
	(void)arg;
	account_each_ended(e, session_forget);
}

void account_init(void)
{
	bus_listen(on_event, NULL);
}

struct outcome *whoami(struct req *req)
{
	const struct session *s = req->session;
	struct buf b = { 0 };
	struct outcome *o;

	buf_addf(&b,
		"{\"user_id\":%lld,\"kind\":\"%s\",\"tenant_id\":%lld,\"role\":\"%s\",\"level\":%d,"
		"\"username\":",
		(long long)s->actor_id, actor_kind_name(s->actor), (long long)s->tenant_id, s->role,
		s->level);
	buf_add_json(&b, s->username, strlen(s->username));
	buf_adds(&b, ",\"full_name\":");
	buf_add_json(&b, s->name, strlen(s->name));
	buf_adds(&b, ",\"permissions\":");
	permissions_add_list(&b, s->perms);
	buf_addf(&b, ",\"must_change_password\":%s,\"must_enrol_factor\":%s}",
		s->must_change ? "true" : "false", s->must_enrol ? "true" : "false");
	o = req_reply(req, 200, b.p, b.n);
	buf_free(&b);
	return o;
}
