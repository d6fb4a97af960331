/* SPDX-License-Identifier: Apache-2.0
 * The user's own account: refresh a session, list and end sessions, and whoami. */
#include "account.h"
#include "base/json.h"
#include "base/unicode.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "core/events.h"
#include "config/options.h"
#include "core/hooks.h"
#include "device.h"
#include "identity.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

const char *account_name(struct req *req, const char *typed)
{
	char *name = unicode_name(typed);
	const char *copy = arena_dup(&req->arena, name, strlen(name));

	free(name);
	return copy;
}

const char *account_tenant(struct req *req, const char *typed)
{
	const char *name = typed ? account_name(req, typed) : NULL;

	return name && strcmp(name, "1") == 0 ? "provider" : name;
}

bool account_may_be_mail(const char *name)
{
	return strchr(name, '@') != NULL;
}

struct outcome *account_find_mail(
	struct req *req, const char *tenant, const char *name, req_row_step *next)
{
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p));
	char index[FIELD_INDEX_MAX];

	field_index("email", 0, str_of(name), index);
	p[0] = tenant;
	p[1] = name;
	p[2] = arena_dup(&req->arena, index, strlen(index));
	return req_query(req, &sql_auth_login_mail, p, next);
}

void account_mail_found(
	struct req *req, const PGresult *rows, const char **tenant, const char **name)
{
	struct str t, n;

	if (PQntuples(rows) != 1)
		return;
	t = db_text(rows, 0, 0);
	n = db_text(rows, 0, 1);
	*tenant = arena_dup(&req->arena, t.p, t.n);
	*name = arena_dup(&req->arena, n.p, n.n);
}

static void wipe(char *text)
{
	OPENSSL_cleanse(text, strlen(text));
	free(text);
}

/* Older hashes are of the password as it was typed, so that is tried, too, if it differs from the
 * composed form: what it costs depends on what is typed, not on whose hash it is. */
struct outcome *account_verify(
	struct req *req, struct str hash, const char *password, req_work_step *step)
{
	struct buf job = { 0 };
	struct outcome *o;
	char *nfc = unicode_nfc(password);

	buf_add(&job, hash.p, hash.n);
	buf_addc(&job, 0);
	buf_adds(&job, nfc);
	if (strcmp(nfc, password) != 0) {
		buf_addc(&job, 0);
		buf_adds(&job, password);
	}
	wipe(nfc);
	o = req_work(req, WORK_VERIFY, job.p, job.n, step);
	OPENSSL_cleanse(job.p, job.n);
	buf_free(&job);
	return o;
}

bool account_matches(struct str answer, bool *out_raw)
{
	*out_raw = str_is(answer, "2");
	return *out_raw || str_is(answer, "1");
}

struct outcome *account_hash(struct req *req, const char *password, req_work_step *step)
{
	char *nfc = unicode_nfc(password);
	struct outcome *o = req_work(req, WORK_HASH, nfc, strlen(nfc), step);

	wipe(nfc);
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

/* --- refreshing --- */

static struct outcome *refuse_refresh(struct req *req)
{
	return req_fail(req, ERR_NO_AUTH,
		req->zh ? "{\"user_message\":\"会话已结束，请重新登录\"}"
			: "{\"user_message\":\"the session has ended; log in again\"}");
}

enum renewed { RENEWED_TWICE, RENEWED, RENEWED_JUST_NOW };

static struct outcome *on_refreshed(struct req *req, enum db_error error, const PGresult *rows)
{
	struct refresh_token *next = req_state(req, refresh_token);

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return refuse_refresh(req);
	switch ((enum renewed)db_int(rows, 0, 0)) {
	case RENEWED:
		break;
	case RENEWED_JUST_NOW: /* another page of the same browser has just refreshed: the new
				  cookies are already set */
		return req_fail(req, ERR_WRONG_STATE,
			req->zh ? "{\"rule\":\"其他页面刚刚已刷新令牌\"}"
				: "{\"rule\":\"already refreshed by another page\"}");
	case RENEWED_TWICE: /* the session has ended */
		session_forget(next->tenant_id, next->session_id);
		return refuse_refresh(req);
	}
	next->ends_us = db_int(rows, 0, 1);
	return session_reply_tokens(req, next, req->by_cookie, NULL, "");
}

struct outcome *session_refresh(struct req *req)
{
	struct refresh_token *next = req_state_new(req, refresh_token);
	struct str cookie = http_cookie(&req->http->head, COOKIE_REFRESH);
	const char **p = arena_alloc(&req->arena, 9 * sizeof(*p)),
		   *text = REQ_INPUT(req, identity_refresh)->refresh_token;
	struct refresh_token old;

	if (!text && !cookie.n) {
		req_note_invalid(req, "refresh_token", "required", "必填");
		return req_invalid(req);
	}
	req->by_cookie = !text;
	if (req->by_cookie && !cookie_is_token(req, COOKIE_REFRESH, cookie))
		return req_invalid(req);
	if (req->by_cookie && !http_csrf_is_right(&req->http->head))
		return req_refuse_csrf(req);
	if (!session_token_read(text ? str_of(text) : cookie, &old))
		return refuse_refresh(req);
	session_token_new(next, old.tenant_id);
	next->session_id = old.session_id;
	p[0] = req_int(req, old.tenant_id);
	p[1] = req_int(req, old.session_id);
	p[2] = arena_printf(&req->arena, "%s", old.sha256);
	p[3] = next->sha256;
	p[4] = req_int(req, clock_now_us());
	p[5] = req_int(req, session_expiry(old.tenant_id == 1));
	p[6] = session_peer(req);
	p[7] = req->by_cookie ? "10" : "0";
	p[8] = req_int(req, session_days_max(old.tenant_id == 1));
	return req_query_job(req, &sql_auth_session_refresh, p, on_refreshed);
}

/* --- listing and ending --- */

const char **account_params(struct req *req, int more)
{
	const char **p = arena_alloc(&req->arena, (size_t)(3 + more) * sizeof(*p));

	p[0] = req_int(req, req->session->tenant_id);
	p[1] = actor_kind_name(req->session->actor);
	p[2] = req_int(req, req->session->actor_id);
	return p;
}

/* The same, and the present instant. */
static const char **session_params(struct req *req, int more)
{
	const char **p = account_params(req, 1 + more);

	p[3] = req_int(req, clock_now_us());
	return p;
}

/* "Chrome, Windows", as mails name a device; "" if its User-Agent says nothing. */
static void add_device_name(struct buf *b, const char *agent)
{
	struct device d;
	char name[80];

	device_read(agent, &d);
	snprintf(name, sizeof(name), "%s%s%s", d.browser, d.browser[0] && d.system[0] ? ", " : "",
		d.system);
	buf_add_json(b, name, strlen(name));
}

static struct outcome *on_sessions(struct req *req, enum db_error error, const PGresult *rows)
{
	int n = error == DB_OK ? PQntuples(rows) : 0;
	struct buf b = { 0 };

	if (error != DB_OK)
		return req_fail_db(req, error);
	buf_adds(&b, "{\"items\":[");
	for (int i = 0; i < n; i++) {
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
		buf_adds(&b, ",\"device_name\":");
		add_device_name(
			&b, arena_dup(&req->arena, db_text(rows, i, 4).p, db_text(rows, i, 4).n));
		buf_adds(&b, ",\"address\":");
		buf_add_json(&b, db_text(rows, i, 5).p, db_text(rows, i, 5).n);
		buf_addc(&b, '}');
	}
	if (n == REQ_INPUT(req, identity_sessions)->limit)
		buf_addf(&b, "],\"next_cursor\":\"%lld\"}", (long long)db_int(rows, n - 1, 0));
	else
		buf_adds(&b, "],\"next_cursor\":null}");
	return req_reply_take(req, 200, &b);
}

struct outcome *session_list(struct req *req)
{
	const struct in_identity_sessions *in = REQ_INPUT(req, identity_sessions);
	const char **p = session_params(req, 2);

	p[4] = req_int(req, in->limit);
	p[5] = in->cursor ? arena_dup(&req->arena, in->cursor, strcspn(in->cursor, "_")) : NULL;
	return req_query_job(req, &sql_auth_session_list, p, on_sessions);
}

/* The sessions that ended; for the caller's own session, the provider that began it. */
struct ended {
	int n;
	bool mine;
	const char *subject, *sid; /* NULL: not begun by a provider */
};

static struct outcome *reply_ended(struct req *req, const char *location)
{
	const struct ended *e = req_state(req, ended);
	struct buf headers = { 0 }, data = { 0 };
	struct outcome *o;

	if (e->mine && req->by_cookie)
		session_drop_cookies(&headers);
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

/* The browser logs out at the provider that began the session, if the provider has an address for
 * that (SAML profiles 4.4; OpenID Connect RP-Initiated Logout 1.0). */
static struct outcome *on_provider(struct req *req, enum db_error error, const PGresult *rows)
{
	const struct ended *e = req_state(req, ended);

	return reply_ended(req, error == DB_OK && PQntuples(rows) > 0
					? signout_location(req, rows, e->subject, e->sid)
					: NULL);
}

static struct outcome *on_ended(struct req *req, enum db_error error, const PGresult *rows)
{
	struct ended *e = req_state_new(req, ended);
	const char **p = arena_alloc(&req->arena, 2 * sizeof(*p));

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0 && REQ_INPUT_IF(req, identity_session_end))
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
	return e->subject ? req_query_job(req, &sql_sso_provider_get, p, on_provider)
			  : reply_ended(req, NULL);
}

static struct outcome *end_sessions(struct req *req, int64_t only)
{
	const char **p = session_params(req, 1);

	p[4] = only ? req_int(req, only) : NULL;
	return req_query_job(req, &sql_auth_session_end, p, on_ended);
}

struct outcome *logout(struct req *req)
{
	return end_sessions(req, req->session->session_id);
}

struct outcome *logout_everywhere(struct req *req)
{
	return end_sessions(req, 0);
}

struct outcome *session_revoke(struct req *req)
{
	return end_sessions(req, REQ_INPUT(req, identity_session_end)->id);
}

struct outcome *permissions_get(struct req *req)
{
	const struct session *s = req->session;
	struct buf b = { 0 };

	buf_addf(&b, "{\"user_id\":%lld,\"tenant_id\":%lld,\"role_type\":\"%s\",\"permissions\":",
		(long long)s->actor_id, (long long)s->tenant_id, s->role);
	permissions_add_object(&b, s->perms);
	buf_addf(&b, ",\"data_scope\":%s}", s->scope[0] ? s->scope : "null");
	return req_reply_take(req, 200, &b);
}

/* --- sessions that ended, here or on another instance --- */

void account_on_event(const struct desk_event *e)
{
	session_each_ended(e, session_forget);
}

struct outcome *whoami(struct req *req)
{
	const struct session *s = req->session;
	struct buf b = { 0 };

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
	return req_reply_take(req, 200, &b);
}
