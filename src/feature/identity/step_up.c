/* SPDX-License-Identifier: Apache-2.0
 * A session proves its user again, by password, time code, recovery code or mailed code (a passkey:
 * passkey.c). Each attempt is counted before it is checked, so a stolen session is no place to
 * guess. */
#include "account.h"
#include "base/clock.h"
#include "core/hooks.h"
#include "factor_enrol.h"
#include "identity.h"
#include "totp.h"
#include "flow_gen.h"
#include "sql_gen.h"

#define WITHIN_S 300

/* --- counting --- */

static struct outcome *on_counted(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0) { /* too many: the session has ended */
		session_forget(req->session->tenant_id, req->session->session_id);
		return req_fail(req, ERR_NO_AUTH, NULL);
	}
	return req_state(req, counted)->next(req, rows);
}

struct outcome *account_count_proof(struct req *req)
{
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p));

	p[0] = req_int(req, req->session->tenant_id);
	p[1] = req_int(req, req->session->session_id);
	p[2] = req_int(req, clock_now_us());
	return req_query_job(req, &sql_auth_proof_try, p, on_counted);
}

/* --- the result --- */

static struct outcome *refuse(struct req *req)
{
	const char *method = REQ_INPUT(req, identity_step_up)->method;

	if (strcmp(method, "password") == 0)
		req_note_invalid(req, "password", "wrong password", "密码不正确");
	else
		req_note_invalid(req, "code", "a code that is right and was not used before",
			"应为正确且未使用过的验证码");
	return req_invalid(req);
}

static struct outcome *on_proved(struct req *req, enum db_error error, const PGresult *rows)
{
	const char *data;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return refuse(req);
	data = arena_printf(&req->arena, "{\"valid_s\":%d}", WITHIN_S);
	return req_reply(req, 200, data, strlen(data));
}

struct used {
	const char *factor, *counter, *digest, *mailed; /* NULL: nothing of the kind was used up */
};

static struct outcome *record(struct req *req, struct used used, req_row_step *on_row)
{
	const char **p = arena_alloc(&req->arena, 7 * sizeof(*p));

	p[0] = req_int(req, req->session->tenant_id);
	p[1] = req_int(req, req->session->session_id);
	p[2] = req_int(req, clock_now_us());
	p[3] = used.factor;
	p[4] = used.counter;
	p[5] = used.digest;
	p[6] = used.mailed;
	return req_query_job(req, &sql_auth_proof_done, p, on_row);
}

struct outcome *account_proved(
	struct req *req, const char *factor, const char *counter, const char *digest)
{
	return record(req, (struct used){ .factor = factor, .counter = counter, .digest = digest },
		on_proved);
}

struct outcome *account_password_right(struct req *req, req_row_step *on_row)
{
	return record(req, (struct used){ 0 }, on_row);
}

/* --- by password --- */

static struct outcome *on_verified(struct req *req, bool ok, struct str answer)
{
	bool raw;

	if (!ok)
		return req_fail(req, ERR_BUSY, NULL);
	return account_matches(answer, &raw) ? account_proved(req, NULL, NULL, NULL) : refuse(req);
}

static struct outcome *on_hash(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_FORBIDDEN, NULL);
	return account_verify(
		req, db_text(rows, 0, 0), REQ_INPUT(req, identity_step_up)->password, on_verified);
}

/* --- by code --- */

static struct outcome *by_totp(struct req *req, const PGresult *rows, const char *code)
{
	for (int i = 0; i < PQntuples(rows); i++) {
		int64_t step = db_is_null(rows, i, 0)
				       ? 0
				       : totp_step(rows, i, 1, code, clock_now_us() / US_PER_S);

		if (step > db_int(rows, i, 2))
			return account_proved(
				req, req_int(req, db_int(rows, i, 0)), req_int(req, step), NULL);
	}
	return refuse(req);
}

static struct outcome *check(struct req *req, const PGresult *rows)
{
	const struct in_identity_step_up *in = REQ_INPUT(req, identity_step_up);
	char *digest;

	if (strcmp(in->method, "password") == 0)
		return req_query_job(req, &sql_auth_password_get, account_params(req, 0), on_hash);
	if (strcmp(in->method, "totp") == 0)
		return by_totp(req, rows, in->code);
	digest = arena_alloc(&req->arena, 65);
	recovery_digest(req->session->tenant_id, in->code, digest);
	if (strcmp(in->method, "mail") == 0)
		return record(req, (struct used){ .mailed = digest }, on_proved);
	return account_proved(req, NULL, NULL, digest);
}

void step_up_check_input(struct req *req)
{
	const struct in_identity_step_up *in = REQ_INPUT(req, identity_step_up);
	bool password = in->method && strcmp(in->method, "password") == 0;

	if (in->method && password && !in->password)
		req_note_invalid(req, "password", "required", "必填");
	if (in->method && !password && !in->code)
		req_note_invalid(req, "code", "required", "必填");
}

struct outcome *step_up(struct req *req)
{
	req_state_new(req, counted)->next = check;
	return account_count_proof(req);
}

/* --- the mailed code --- */

static struct outcome *on_mailed(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_WRONG_STATE,
			req->zh ? "{\"user_message\":"
				  "\"无法以邮件确认：有其他确认方式，或一小时内已发送"
				  "三次\"}"
				: "{\"user_message\":\"no code by mail: there is another way to "
				  "confirm, "
				  "or three were sent within the hour\"}");
	notify_wake();
	return req_reply(req, 202, "null", 4);
}

struct outcome *step_up_mail(struct req *req)
{
	const char **p = arena_alloc(&req->arena, 6 * sizeof(*p));

	account_new_code(req, req->session->tenant_id,
		arena_printf(&req->arena, "%s.%lld.%lld", actor_kind_name(req->session->actor),
			(long long)req->session->actor_id, (long long)req->session->session_id),
		&p[3], &p[4]);
	p[0] = req_int(req, req->session->tenant_id);
	p[1] = req_int(req, req->session->session_id);
	p[2] = req_int(req, clock_now_us());
	p[5] = session_peer(req);
	return req_query_job(req, &sql_auth_proof_mail, p, on_mailed);
}
