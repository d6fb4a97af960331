/* SPDX-License-Identifier: Apache-2.0
 * Step-up: to change how an account logs in, its owner must have confirmed their identity a moment
 * ago, because a session alone may be stolen. Only this file decides that; routes require it in
 * their row (route.step_up). */
#include "inner.h"
#include "base/clock.h"
#include "sql_gen.h"

#define WITHIN_S 300

struct step_up {
	req_step *next;
};

enum column { PROVED, PASSWORD, TOTP, PASSKEY, RECOVERY, MAIL, PROVIDER, CODE };

/* The ways in which the session can prove its user. A new login at the provider begins a new
 * session. */
static struct outcome *refuse(struct req *req, const PGresult *rows)
{
	static const char *const names[] = { [PASSWORD] = "password",
		[TOTP] = "totp",
		[PASSKEY] = "passkey",
		[RECOVERY] = "recovery",
		[MAIL] = "mail",
		[PROVIDER] = "sso" };
	bool sso = !db_is_null(rows, 0, PROVIDER);
	struct buf b = { 0 };
	struct outcome *o;
	int n = 0;

	buf_addf(&b, "{\"within_s\":%d,\"step_up\":[", WITHIN_S);
	for (int i = PASSWORD; i <= PROVIDER; i++)
		if (i == PROVIDER ? sso : db_int(rows, 0, i) != 0)
			buf_addf(&b, "%s\"%s\"", n++ ? "," : "", names[i]);
	buf_addc(&b, ']');
	if (sso)
		buf_addf(&b,
			",\"location\":\"/api/v1/auth/sso/"
			"start?tenant=%.*s&provider=%lld&fresh=true\"",
			(int)db_text(rows, 0, CODE).n, db_text(rows, 0, CODE).p,
			(long long)db_int(rows, 0, PROVIDER));
	buf_adds(&b, ",\"suggested_actions\":[\"POST /api/v1/auth/step-up\"]}");
	o = req_fail(req, ERR_STEP_UP, buf_cstr(&b));
	buf_free(&b);
	return o;
}

static struct outcome *on_state(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NO_AUTH, NULL);
	return db_int(rows, 0, PROVED) ? req_state(req, step_up)->next(req) : refuse(req, rows);
}

struct outcome *step_up_check(struct req *req, req_step *next)
{
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p));

	req_state_new(req, step_up)->next = next;
	p[0] = req_int(req, req->session->tenant_id);
	p[1] = req_int(req, req->session->session_id);
	p[2] = req_int(req, clock_now_us());
	return req_query_job(req, &sql_auth_proof_state, p, on_state);
}
