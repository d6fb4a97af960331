/* SPDX-License-Identifier: Apache-2.0
 * Forgotten passwords. The response to a request is the same whether or not the user exists. The
 * mail contains a signed token that names a row and works once. */
#include "account.h"
#include "core/hooks.h"
#include "crypto/crypto.h"
#include "identity.h"
#include "core/signin.h"
#include "flow_gen.h"
#include "sql_gen.h"

struct reset {
	struct fresh_password fresh; /* must be first: the state is both */
	struct token_claims claims;  /* session_id: the id of the reset */
};

/* --- requests --- */

/* reply this long after the request, so that the time does not reveal what was done */
#define ANSWER_MS 300

static struct outcome *reply_accepted(struct req *req)
{
	return req_reply(req, 202, "null", 4);
}

static struct outcome *on_asked(struct req *req, enum db_error error, const PGresult *rows)
{
	int64_t took_ms = (clock_mono_us() - req->began_us) / 1000;

	(void)rows;
	if (error != DB_OK)
		return req_fail_db(req, error);
	return req_delay(req, took_ms < ANSWER_MS ? ANSWER_MS - took_ms : 1, reply_accepted);
}

struct asked {
	const char *tenant, *username, *purpose;
};

static struct outcome *ask_named(struct req *req)
{
	const struct asked *a = req_state(req, asked);
	const char **p = arena_alloc(&req->arena, 5 * sizeof(*p));

	p[0] = a->tenant ? a->tenant : "provider";
	p[1] = a->username;
	p[2] = req_int(req, clock_now_us());
	p[3] = session_peer(req);
	p[4] = a->purpose;
	return req_query_job(req, &sql_auth_reset_ask, p, on_asked);
}

static struct outcome *on_mail(struct req *req, enum db_error error, const PGresult *rows)
{
	struct asked *a = req_state(req, asked);

	if (error != DB_OK)
		return req_fail_db(req, error);
	account_mail_found(req, rows, &a->tenant, &a->username);
	return ask_named(req);
}

static struct outcome *request_mail(struct req *req, const char *purpose)
{
	const struct in_identity_ask *in = REQ_INPUT(req, identity_ask);
	struct asked *a = req_state_new(req, asked);

	a->purpose = purpose;
	a->tenant = account_tenant(req, in->tenant);
	a->username = account_name(req, in->username);
	return account_may_be_mail(a->username)
		       ? account_find_mail(req, a->tenant, a->username, on_mail)
		       : ask_named(req);
}

struct outcome *password_forgot(struct req *req)
{
	return request_mail(req, "reset");
}

/* --- using a link --- */

static struct outcome *refuse_token(struct req *req)
{
	return req_fail(req, ERR_NO_AUTH,
		req->zh ? "{\"field\":\"token\",\"user_message\":"
			  "\"链接已失效或已使用，请重新申请\"}"
			: "{\"field\":\"token\",\"user_message\":\"the link has expired or was "
			  "already used; request a new one\"}");
}

static struct outcome *on_used(struct req *req, enum db_error error, const PGresult *rows)
{
	struct reset *r = req_state(req, reset);

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return refuse_token(req);
	audit_note(req, r->claims.tenant_id, r->claims.tenant_id == 1, db_int(rows, 0, 0), "",
		"auth.password_reset", "success", 200);
	return req_reply(req, 200, "null", 4);
}

static struct outcome *on_fresh(struct req *req, const char *hash)
{
	struct reset *r = req_state(req, reset);
	const char **p = arena_alloc(&req->arena, 6 * sizeof(*p));

	p[0] = req_int(req, r->claims.tenant_id);
	p[1] = req_int(req, r->claims.session_id);
	p[2] = r->fresh.hash[0];
	p[3] = hash;
	p[4] = req_int(req, clock_now_us());
	p[5] = session_peer(req);
	return req_query_job(req, &sql_auth_reset_use, p, on_used);
}

static struct outcome *on_reset(struct req *req, enum db_error error, const PGresult *rows)
{
	struct str name;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return refuse_token(req);
	fresh_password_read(req, rows, 3);
	name = db_text(rows, 0, 2);
	if (!fresh_password_fits(req, arena_dup(&req->arena, name.p, name.n)))
		return req_invalid(req);
	return fresh_password(req);
}

struct outcome *password_reset(struct req *req)
{
	const struct in_identity_reset *in = REQ_INPUT(req, identity_reset);
	struct reset *r = req_state_new_of(req, reset, fresh_password);
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p)), *token = in->token;

	r->fresh.text = in->new_password;
	r->fresh.store = on_fresh;
	if (!token_verify(TOKEN_RESET, token, strlen(token), clock_now_us() / US_PER_S, &r->claims))
		return refuse_token(req);
	p[0] = req_int(req, r->claims.tenant_id);
	p[1] = req_int(req, r->claims.session_id);
	p[2] = req_int(req, clock_now_us());
	return req_query_job(req, &sql_auth_reset_get, p, on_reset);
}

/* --- a mail address that an administrator has given --- */

static struct outcome *on_confirmed(struct req *req, enum db_error error, const PGresult *rows)
{
	const struct token_claims *c = req_state(req, token_claims);
	struct str name;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return refuse_token(req);
	name = db_text(rows, 0, 1);
	audit_note(req, c->tenant_id, false, db_int(rows, 0, 0),
		arena_dup(&req->arena, name.p, name.n), "auth.address_confirmed", "success", 200);
	return req_reply(req, 200, "null", 4);
}

struct outcome *address_confirm(struct req *req)
{
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p)),
		   *token = REQ_INPUT(req, identity_address_confirm)->token;
	struct token_claims *c = req_state_new(req, token_claims);

	if (!token_verify(TOKEN_ADDRESS, token, strlen(token), clock_now_us() / US_PER_S, c)) {
		req_note_invalid(req, "token", "a token from a mail of the last seven days",
			"应为七天内邮件中的令牌");
		return req_invalid(req);
	}
	p[0] = req_int(req, c->tenant_id);
	p[1] = req_int(req, c->session_id);
	p[2] = req_int(req, clock_now_us());
	return req_query_job(req, &sql_auth_address_confirm, p, on_confirmed);
}

/* --- login links --- */

struct outcome *link_ask(struct req *req)
{
	return request_mail(req, "link");
}

struct link {
	struct token_claims claims;
	bool cookies;
};

static struct outcome *on_link(struct req *req, enum db_error error, const PGresult *rows)
{
	struct link *l = req_state(req, link);
	struct sign_in *in = arena_alloc(&req->arena, sizeof(*in));

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return refuse_token(req);
	*in = (struct sign_in){ .tenant_id = l->claims.tenant_id,
		.subject_id = db_int(rows, 0, 1),
		.username = arena_dup(&req->arena, db_text(rows, 0, 2).p, db_text(rows, 0, 2).n),
		.method = "link",
		.staff = str_is(db_text(rows, 0, 0), "staff"),
		.cookies = l->cookies };
	return signin_first(req, in);
}

struct outcome *link_use(struct req *req)
{
	const struct in_identity_link_use *in = REQ_INPUT(req, identity_link_use);
	struct link *l = req_state_new(req, link);
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p)), *token = in->token;

	l->cookies = in->cookies;
	if (!token_verify(
		    TOKEN_LINK, token, strlen(token), clock_now_us() / US_PER_S, &l->claims)) {
		req_note_invalid(req, "token", "a token from a login mail of the last 15 minutes",
			"应为 15 分钟内邮件中的令牌");
		return req_invalid(req);
	}
	p[0] = req_int(req, l->claims.tenant_id);
	p[1] = req_int(req, l->claims.session_id);
	p[2] = req_int(req, clock_now_us());
	return req_query_job(req, &sql_auth_link_use, p, on_link);
}
