/* SPDX-License-Identifier: Apache-2.0
 * The user's own second factors: a time code by liboath (RFC 6238), enrolled with a QR code and
 * confirmed by a first code; ten recovery codes; listing, and removal with the password. */
#include "factor_enrol.h"
#include "account.h"
#include "base/clock.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "core/hooks.h"
#include "identity.h"
#include "totp.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <liboath/oath.h>
#include <openssl/crypto.h>
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>

#define CODES 10
#define CODE_CHARS 10

/* --- listing --- */

static struct outcome *on_list(struct req *req, enum db_error error, const PGresult *rows)
{
	struct buf b = { 0 };
	int n = 0;

	if (error != DB_OK)
		return req_fail_db(req, error);
	buf_addf(&b, "{\"recovery_codes_left\":%lld,\"items\":[", (long long)db_int(rows, 0, 7));
	for (int i = 0; i < PQntuples(rows); i++) {
		if (db_is_null(rows, i, 0) || !db_int(rows, i, 3))
			continue;
		buf_addf(&b, "%s{\"factor_id\":%lld,\"kind\":\"%.*s\",\"name\":", n++ ? "," : "",
			(long long)db_int(rows, i, 0), (int)db_text(rows, i, 1).n,
			db_text(rows, i, 1).p);
		buf_add_json(&b, db_text(rows, i, 2).p, db_text(rows, i, 2).n);
		buf_adds(&b, ",\"created_at\":");
		buf_add_time_json(&b, db_int(rows, i, 4));
		buf_adds(&b, ",\"last_used_at\":");
		buf_add_time_json(&b, db_is_null(rows, i, 5) ? INSTANT_NONE : db_int(rows, i, 5));
		buf_addc(&b, '}');
	}
	buf_adds(&b, "]}");
	return req_reply_take(req, 200, &b);
}

struct outcome *factor_list(struct req *req)
{
	return req_query_job(req, &sql_factor_list, account_params(req, 0), on_list);
}

/* --- enrolling a time code --- */

struct enrolment {
	char secret[TOTP_SECRET_BYTES];
	char *uri, *base32; /* uri: in the arena */
};

/* Draw the dark modules as one path, with a margin of four modules as ISO 18004 requires. */
static void add_qr_svg(struct buf *b, const char *text)
{
	QRcode *qr = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	struct buf svg = { 0 };

	if (!qr) {
		buf_adds(b, "null");
		return;
	}
	buf_addf(&svg,
		"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' "
		"shape-rendering='crispEdges'><rect width='100%%' "
		"height='100%%' fill='#fff'/><path d='",
		qr->width + 8, qr->width + 8);
	for (int y = 0; y < qr->width; y++)
		for (int x = 0; x < qr->width; x++)
			if (qr->data[y * qr->width + x] & 1)
				buf_addf(&svg, "M%d %dh1v1h-1z", x + 4, y + 4);
	buf_adds(&svg, "'/></svg>");
	buf_add_json(b, svg.p, svg.n);
	OPENSSL_cleanse(svg.p, svg.n);
	buf_free(&svg);
	QRcode_free(qr);
}

static struct outcome *on_new(struct req *req, enum db_error error, const PGresult *rows)
{
	struct enrolment *e = req_state(req, enrolment);
	struct buf b = { 0 };
	struct outcome *o;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_LIMIT,
			"{\"rule\":\"at most ten verification methods / 最多十种验证方式\"}");
	buf_addf(&b, "{\"factor_id\":%lld,\"secret\":\"%s\",\"uri\":\"%s\",\"qr_svg\":",
		(long long)db_int(rows, 0, 0), e->base32, e->uri);
	add_qr_svg(&b, e->uri);
	buf_addc(&b, '}');
	o = req_reply(req, 201, b.p, b.n);
	OPENSSL_cleanse(b.p, b.n);
	buf_free(&b);
	return o;
}

static void cleanse_enrolment(struct req *req)
{
	struct enrolment *e = req_state(req, enrolment);

	OPENSSL_cleanse(e->secret, sizeof(e->secret));
	OPENSSL_cleanse(e->uri, strlen(e->uri));
	OPENSSL_cleanse(e->base32, strlen(e->base32));
	free(e->base32);
}

/* The secret is bound to its user and its row. */
static struct outcome *on_id(struct req *req, enum db_error error, const PGresult *rows)
{
	struct enrolment *e = req_state(req, enrolment);
	const char **p = account_params(req, 10);
	struct buf sealed = { 0 };
	int64_t id;

	if (error != DB_OK)
		return req_fail_db(req, error);
	id = db_int(rows, 0, 0);
	field_seal_at(&sealed, FIELD_FACTORS_SECRET, req->session->tenant_id,
		arena_printf(&req->arena, "%s.%s.%lld", p[1], p[2], (long long)id),
		(struct str){ e->secret, sizeof(e->secret) }, clock_now_us() / US_PER_S);
	p[3] = "totp";
	p[4] = REQ_INPUT(req, identity_totp_new)->name;
	p[5] = arena_dup(&req->arena, sealed.p, sealed.n);
	p[6] = p[7] = NULL;
	p[8] = "0";
	p[9] = req_int(req, clock_now_us());
	p[10] = req->session->name;
	p[11] = session_peer(req);
	p[12] = req_int(req, id);
	buf_free(&sealed);
	return req_query_job(req, &sql_factor_new, p, on_new);
}

struct outcome *factor_totp_new(struct req *req)
{
	struct enrolment *e = req_state_new(req, enrolment);
	const char **p = arena_alloc(&req->arena, sizeof(*p));
	struct buf label = { 0 };
	size_t n;

	crypto_random(e->secret, sizeof(e->secret));
	bug_on(oath_base32_encode(e->secret, sizeof(e->secret), &e->base32, &n) != OATH_OK);
	e->base32[strcspn(e->base32, "=")] = 0;
	buf_add_url(&label, req->session->username, strlen(req->session->username));
	e->uri = arena_printf(&req->arena, "otpauth://totp/sladesk:%s?secret=%s&issuer=sladesk",
		buf_cstr(&label), e->base32);
	req->cleanup = cleanse_enrolment;
	buf_free(&label);
	p[0] = "factors";
	return req_query_job(req, &sql_keys_next_id, p, on_id);
}

/* --- recovery codes --- */

struct codes {
	char code[CODES][CODE_CHARS + 2]; /* abcde-fghij */
	const char *code_given;
	int64_t factor_id, step;
};

static struct outcome *on_codes(struct req *req, enum db_error error, const PGresult *rows)
{
	struct codes *c = req_state(req, codes);
	struct buf b = { 0 };
	struct outcome *o;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_WRONG_STATE,
			"{\"rule\":\"no verification method yet / 尚未设置验证方式\"}");
	buf_adds(&b, "{\"recovery_codes\":[");
	for (int i = 0; i < CODES; i++)
		buf_addf(&b, "%s\"%s\"", i ? "," : "", c->code[i]);
	buf_adds(&b, "]}");
	o = req_reply(req, 200, b.p, b.n);
	OPENSSL_cleanse(b.p, b.n);
	OPENSSL_cleanse(c, sizeof(*c));
	buf_free(&b);
	return o;
}

/* 50 bits each; no letters that look alike. */
static struct outcome *give_codes(struct req *req)
{
	static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789x";
	struct codes *c = req_state(req, codes);
	const char **p = account_params(req, 2);
	struct buf list = { 0 };

	buf_addc(&list, '{');
	for (int i = 0; i < CODES; i++) {
		unsigned char r[CODE_CHARS];
		char sha[65], *out = c->code[i];

		crypto_random(r, sizeof(r));
		for (int k = 0; k < CODE_CHARS; k++) {
			if (k == CODE_CHARS / 2)
				*out++ = '-';
			*out++ = letters[r[k] & 31];
		}
		*out = 0;
		recovery_digest(req->session->tenant_id, c->code[i], sha);
		buf_addf(&list, "%s%s", i ? "," : "", sha);
	}
	buf_addc(&list, '}');
	p[3] = arena_dup(&req->arena, list.p, list.n);
	p[4] = req_int(req, clock_now_us());
	buf_free(&list);
	return req_query_job(req, &sql_factor_codes, p, on_codes);
}

struct outcome *factor_codes(struct req *req)
{
	(void)req_state_new(req, codes);
	return give_codes(req);
}

/* --- confirming --- */

static struct outcome *on_confirmed(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	notify_wake();
	session_forget_all(); /* a user who had to enrol has full rights now */
	return give_codes(req);
}

static struct outcome *on_unconfirmed(struct req *req, enum db_error error, const PGresult *rows)
{
	struct codes *c = req_state(req, codes);
	const char **p = account_params(req, 5);

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	c->step = totp_step(rows, 0, 0, c->code_given, clock_now_us() / US_PER_S);
	if (!c->step) {
		req_note_invalid(req, "code", "wrong; enter the six digits that your app shows now",
			"错误，请输入应用当前显示的 6 位数字");
		return req_invalid(req);
	}
	p[3] = req_int(req, c->factor_id);
	p[4] = req_int(req, c->step);
	p[5] = req_int(req, clock_now_us());
	p[6] = req->session->name;
	p[7] = session_peer(req);
	return req_query_job(req, &sql_factor_confirm, p, on_confirmed);
}

struct outcome *factor_confirm(struct req *req)
{
	const struct in_identity_factor_confirm *in = REQ_INPUT(req, identity_factor_confirm);
	struct codes *c = req_state_new(req, codes);
	const char **p = account_params(req, 1);

	c->code_given = in->code;
	c->factor_id = in->factor_id;
	p[3] = req_int(req, c->factor_id);
	return req_query_job(req, &sql_factor_get, p, on_unconfirmed);
}

/* --- removal --- */

static struct outcome *on_removed(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	notify_wake();
	session_forget_all();
	return req_reply(req, 200, "null", 4);
}

static struct outcome *remove_it(struct req *req)
{
	const char **p = account_params(req, 4);

	p[3] = req_int(req, REQ_INPUT(req, identity_factor_remove)->factor_id);
	p[4] = req_int(req, clock_now_us());
	p[5] = req->session->name;
	p[6] = session_peer(req);
	return req_query_job(req, &sql_factor_remove, p, on_removed);
}

static struct outcome *on_right(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	return PQntuples(rows) ? remove_it(req) : req_fail(req, ERR_NO_AUTH, NULL);
}

static struct outcome *on_verified(struct req *req, bool ok, struct str answer)
{
	bool raw;

	if (!ok)
		return req_fail(req, ERR_BUSY, NULL);
	if (!account_matches(answer, &raw)) {
		req_note_invalid(req, "password", "wrong password", "密码不正确");
		return req_invalid(req);
	}
	return account_password_right(req, on_right);
}

static struct outcome *on_hash(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_FORBIDDEN, NULL);
	return account_verify(req, db_text(rows, 0, 0),
		REQ_INPUT(req, identity_factor_remove)->password, on_verified);
}

static struct outcome *on_counted(struct req *req, const PGresult *rows)
{
	(void)rows;
	return req_query_job(req, &sql_auth_password_get, account_params(req, 0), on_hash);
}

/* The session has proved its user already; a password that is given all the same must be right. */
struct outcome *factor_remove(struct req *req)
{
	if (!REQ_INPUT(req, identity_factor_remove)->password)
		return remove_it(req);
	req_state_new(req, counted)->next = on_counted;
	return account_count_proof(req);
}

/* --- reset by an administrator, for a user who has lost the phone --- */

static struct outcome *reset_factors(struct req *req)
{
	const char **p = account_params(req, 4);

	p[1] = "customer";
	p[2] = req_int(req, REQ_INPUT(req, identity_factor_reset)->user_id);
	p[3] = NULL;
	p[4] = req_int(req, clock_now_us());
	p[5] = req->session->name;
	p[6] = session_peer(req);
	return req_query_job(req, &sql_factor_remove, p, on_removed);
}

static struct outcome *on_may_reset(struct req *req, enum db_error error, const PGresult *rows)
{
	return user_after_check(req, error, rows, reset_factors);
}

/* Without its factors an account is easier to enter, so who takes them away must hold what it
 * may do. */
struct outcome *factor_reset(struct req *req)
{
	return user_check_rights(req, REQ_INPUT(req, identity_factor_reset)->user_id, on_may_reset);
}

static struct outcome *on_required(struct req *req, enum db_error error, const PGresult *rows)
{
	const char *data;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	if (req->route->method != HTTP_GET)
		session_forget_all();
	data = arena_printf(&req->arena, "{\"mfa_required\":%s,\"mail_factor\":%s}",
		db_int(rows, 0, 0) ? "true" : "false", db_int(rows, 0, 1) ? "true" : "false");
	return req_reply(req, 200, data, strlen(data));
}

struct outcome *security_get(struct req *req)
{
	const char **p = arena_alloc(&req->arena, sizeof(*p));

	p[0] = req_int(req, req->session->tenant_id);
	return req_query_job(req, &sql_factor_required_get, p, on_required);
}

struct outcome *security_put(struct req *req)
{
	const struct in_identity_security_put *in = REQ_INPUT(req, identity_security_put);
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p));

	p[0] = req_int(req, req->session->tenant_id);
	p[1] = in->mfa_required ? "true" : "false";
	p[2] = !in->has_mail_factor ? NULL : in->mail_factor ? "true" : "false";
	return req_query_job(req, &sql_factor_required_put, p, on_required);
}
