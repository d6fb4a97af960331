/* SPDX-License-Identifier: Apache-2.0
 * The second factor of a login: a time code, a recovery code, or a code that was sent. Each attempt
 * is counted before it is checked. The statement that accepts a code also uses it up, so a second
 * use is refused. */
#include "core/hooks.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "config/options.h"
#include "account.h"
#include "factor_enrol.h"
#include "identity.h"
#include "totp.h"
#include "core/signin.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <openssl/crypto.h>
#include <stdio.h>

#define REFUSE_MS 300

struct second {
	struct sign_in in; /* must be first: signin takes it over */
	struct token_claims step;
	const char *method, *code;
	int64_t factor_id, counter;
	char sha256[65];
};

static struct outcome *refuse_code(struct req *req)
{
	return req_fail(req, ERR_NO_AUTH,
		req->zh ? "{\"field\":\"code\",\"user_message\":\"验证码错误、已使用或已过期；"
			  "输错五次须重新登录，一天内输错三十次须修改密码\"}"
			: "{\"field\":\"code\",\"user_message\":\"the code is wrong, already used "
			  "or expired; after five wrong codes, log in again; after 30 in a day, "
			  "change the password\"}");
}

static struct outcome *refuse_token(struct req *req)
{
	req_note_invalid(req, "step_token", "a step_token from a login of the last five minutes",
		"应为五分钟内登录返回的 step_token");
	return req_invalid(req);
}

static struct outcome *refuse_later(struct req *req)
{
	struct second *x = req_state(req, second);

	audit_note(req, x->step.tenant_id, x->in.staff, x->in.subject_id,
		x->in.username ? x->in.username : "", "auth.second_factor", "refused", 401);
	return req_delay(req, REFUSE_MS, refuse_code);
}

static struct outcome *on_done(struct req *req, enum db_error error, const PGresult *rows)
{
	struct second *x = req_state(req, second);

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return refuse_later(req);
	x->in.factor = x->method;
	return signin_session(req, &x->in);
}

/* Is it a code that was sent? */
static bool is_sent(const char *method)
{
	return strcmp(method, "mail") == 0 || strcmp(method, "sms") == 0;
}

static struct outcome *finish_signin(struct req *req)
{
	struct second *x = req_state(req, second);
	const char **p = arena_alloc(&req->arena, 7 * sizeof(*p));

	p[0] = req_int(req, x->step.tenant_id);
	p[1] = req_int(req, x->step.session_id);
	p[2] = req_int(req, clock_now_us());
	p[3] = x->factor_id ? req_int(req, x->factor_id) : NULL;
	p[4] = x->factor_id ? req_int(req, x->counter) : NULL;
	p[5] = x->factor_id ? NULL : x->sha256;
	p[6] = is_sent(x->method) ? "true" : "false";
	return req_query_job(req, &sql_factor_step_done, p, on_done);
}

/* Any of the user's time factors may have produced the code. */
static bool find_totp(struct second *x, const PGresult *rows)
{
	for (int i = 0; i < PQntuples(rows); i++) {
		int64_t step = db_is_null(rows, i, 5)
				       ? 0
				       : totp_step(rows, i, 6, x->code, clock_now_us() / US_PER_S);

		if (step > db_int(rows, i, 7)) {
			x->factor_id = db_int(rows, i, 5);
			x->counter = step;
			return true;
		}
	}
	return false;
}

static struct outcome *on_try(struct req *req, enum db_error error, const PGresult *rows)
{
	struct second *x = req_state(req, second);

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return refuse_later(req);
	x->in.tenant_id = x->step.tenant_id;
	x->in.staff = str_is(db_text(rows, 0, 0), "staff");
	x->in.subject_id = db_int(rows, 0, 1);
	x->in.username = arena_dup(&req->arena, db_text(rows, 0, 2).p, db_text(rows, 0, 2).n);
	x->in.method = arena_dup(&req->arena, db_text(rows, 0, 3).p, db_text(rows, 0, 3).n);
	if (strcmp(x->method, "totp") == 0)
		return find_totp(x, rows) ? finish_signin(req) : refuse_later(req);
	recovery_digest(x->step.tenant_id, x->code, x->sha256);
	return finish_signin(req);
}

static bool read_step(const char *token, struct token_claims *out)
{
	return token_verify(TOKEN_STEP, token, strlen(token), clock_now_us() / US_PER_S, out);
}

struct outcome *second_factor(struct req *req)
{
	const struct in_identity_second_factor *in = REQ_INPUT(req, identity_second_factor);
	struct second *x = req_state_new_of(req, second, sign_in);
	const char **p = arena_alloc(&req->arena, 4 * sizeof(*p));

	x->method = in->method;
	x->code = in->code;
	x->in.trust = in->trust_device;
	x->in.cookies = in->cookies;
	if (!read_step(in->step_token, &x->step))
		return refuse_token(req);
	p[0] = req_int(req, x->step.tenant_id);
	p[1] = req_int(req, x->step.session_id);
	p[2] = req_int(req, clock_now_us());
	p[3] = session_peer(req);
	return req_query_job(req, &sql_factor_step_try, p, on_try);
}

/* --- a code by mail, or to the phone --- */

static struct outcome *on_told(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return refuse_code(req);
	notify_wake();
	return req_reply(req, 202, "null", 4);
}

void account_new_code(struct req *req, int64_t tenant_id, const char *whose,
	const char **out_sha256, const char **out_sealed)
{
	struct buf sealed = { 0 };
	char *sha = arena_alloc(&req->arena, 65), code[8];
	uint32_t n;

	do /* every code is equally likely */
		crypto_random(&n, sizeof(n));
	while (n >= 4294000000u);
	snprintf(code, sizeof(code), "%06u", n % 1000000);
	recovery_digest(tenant_id, code, sha);
	field_seal_at(&sealed, FIELD_EVENTS_CODE, tenant_id, whose, str_of(code),
		clock_now_us() / US_PER_S);
	*out_sha256 = sha;
	*out_sealed = arena_dup(&req->arena, sealed.p, sealed.n);
	buf_free(&sealed);
	OPENSSL_cleanse(code, sizeof(code));
}

struct code_sending {
	const struct sql_stmt *stmt; /* stores the code's digest and sends the code */
	struct token_claims step;
};

static struct outcome *on_who(struct req *req, enum db_error error, const PGresult *rows)
{
	struct code_sending *x = req_state(req, code_sending);
	const char **p = arena_alloc(&req->arena, 6 * sizeof(*p));

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return refuse_code(req);
	account_new_code(req, x->step.tenant_id,
		arena_printf(&req->arena, "%.*s.%lld.%lld", (int)db_text(rows, 0, 0).n,
			db_text(rows, 0, 0).p, (long long)db_int(rows, 0, 1),
			(long long)x->step.session_id),
		&p[3], &p[4]);
	p[0] = req_int(req, x->step.tenant_id);
	p[1] = req_int(req, x->step.session_id);
	p[2] = req_int(req, clock_now_us());
	p[5] = session_peer(req);
	return req_query_job(req, x->stmt, p, on_told);
}

static struct outcome *send_code(struct req *req, const struct sql_stmt *stmt)
{
	struct code_sending *x = req_state_new(req, code_sending);
	const char **p = arena_alloc(&req->arena, 2 * sizeof(*p));

	x->stmt = stmt;
	if (!read_step(REQ_INPUT(req, identity_step)->step_token, &x->step))
		return refuse_token(req);
	p[0] = req_int(req, x->step.tenant_id);
	p[1] = req_int(req, x->step.session_id);
	return req_query_job(req, &sql_factor_step_who, p, on_who);
}

struct outcome *second_factor_mail(struct req *req)
{
	return send_code(req, &sql_factor_step_mail);
}

struct outcome *second_factor_sms(struct req *req)
{
	if (!options.sms_url[0])
		return req_fail(req, ERR_WRONG_STATE,
			req->zh ? "{\"user_message\":\"未配置短信\"}"
				: "{\"user_message\":\"text messages are not available\"}");
	return send_code(req, &sql_factor_step_sms);
}
