/* SPDX-License-Identifier: Apache-2.0
 * Login: count the attempt, look up the hash through schema door, verify it in a helper; signin.c
 * continues from there. A user name that does not exist costs the same statements, the same hash
 * and the same delays as a wrong password, is counted and locked in the same way, and gets the same
 * answer. */
#include "account.h"
#include "core/signin.h"
#include "core/hooks.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "config/options.h"
#include "identity.h"
#include "flow_gen.h"
#include "sql_gen.h"

#define LOCKS_AT 5
#define DELAY_MS 250 /* after the first wrong password; doubled with each further one */
#define TURN_MS 100  /* pause before asking again whether the earlier attempts are decided */
#define TURNS_MAX 40

/* Verified if the user does not exist: argon2id of random bytes, at the same cost as real
 * hashes. */
static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5MDA$"
			     "Gk0SDYHhfCzjNcKdLnO8jyI8i0Yw0S0vC6cWb1cQz3A";

struct attempt {
	const char *tenant, *username, *password, *device_token;
	int64_t tenant_id, subject_id;
	bool staff, known, locked, cookies;
	int attempts; /* including this one */
	int turns;
};

static struct outcome *refuse_login(struct req *req)
{
	return req_fail(req, ERR_NO_AUTH,
		req->zh ? "{\"user_message\":\"用户名或密码错误；连续输错 5 次将锁定 30 分钟\"}"
			: "{\"user_message\":\"wrong user name or password; five wrong attempts "
			  "lock the account for 30 minutes\"}");
}

static struct outcome *on_told(struct req *req, enum db_error error, const PGresult *rows)
{
	(void)rows;
	return error == DB_OK ? refuse_login(req) : req_fail_db(req, error);
}

static struct outcome *refuse_later(struct req *req)
{
	struct attempt *a = req_state(req, attempt);
	const char **p = arena_alloc(&req->arena, 5 * sizeof(*p));

	audit_note(req, a->tenant_id, a->staff, a->known ? a->subject_id : 0, a->username,
		a->locked ? "auth.login_locked" : "auth.login", "refused", 401);
	if (a->locked || a->attempts < LOCKS_AT)
		return refuse_login(req);
	p[0] = req_int(req, a->tenant_id);
	p[1] = a->staff ? "staff" : "customer";
	p[2] = a->known ? req_int(req, a->subject_id) : NULL;
	p[3] = req_int(req, clock_now_us());
	p[4] = session_peer(req);
	return req_query_job(req, &sql_auth_attempt_fail, p, on_told);
}

static struct outcome *on_undone(struct req *req, enum db_error error, const PGresult *rows)
{
	(void)rows;
	(void)error; /* then the attempt counts, for at most 30 minutes */
	return req_fail(req, ERR_BUSY, NULL);
}

static struct outcome *undo_attempt(struct req *req)
{
	struct attempt *a = req_state(req, attempt);
	const char **p = arena_alloc(&req->arena, 2 * sizeof(*p));

	if (a->locked)
		return req_fail(req, ERR_BUSY, NULL);
	p[0] = req_int(req, a->tenant_id);
	p[1] = a->username;
	return req_query_job(req, &sql_auth_attempt_undo, p, on_undone);
}

static struct outcome *go_on(struct req *req)
{
	struct attempt *a = req_state(req, attempt);
	struct sign_in *in = arena_alloc(&req->arena, sizeof(*in));

	*in = (struct sign_in){ .tenant_id = a->tenant_id,
		.subject_id = a->subject_id,
		.username = a->username,
		.method = "password",
		.staff = a->staff,
		.cookies = a->cookies,
		.device_token = a->device_token };
	return signin_first(req, in);
}

static struct outcome *on_verified(struct req *req, bool ok, struct str answer)
{
	struct attempt *a = req_state(req, attempt);

	if (!ok)
		return undo_attempt(req);
	if (str_is(answer, "1") && a->known && !a->locked)
		return go_on(req);
	return req_delay(req, DELAY_MS << (a->attempts - 1), refuse_later);
}

static struct outcome *on_subject(struct req *req, enum db_error error, const PGresult *rows)
{
	struct attempt *a = req_state(req, attempt);

	if (error != DB_OK)
		return req_fail_db(req, error);
	a->known = PQntuples(rows) == 1 && !db_is_null(rows, 0, 2);
	if (a->known)
		a->subject_id = db_int(rows, 0, 1);
	return account_verify(
		req, a->known ? db_text(rows, 0, 2) : str_of(nobody), a->password, on_verified);
}

static struct outcome *begin_attempt(struct req *req);

static struct outcome *on_attempts(struct req *req, enum db_error error, const PGresult *rows)
{
	struct attempt *a = req_state(req, attempt);
	const char **p = arena_alloc(&req->arena, 2 * sizeof(*p));

	if (error != DB_OK)
		return req_fail_db(req, error);
	/* five attempts for one name are being checked. A correct one among them resets the count,
	 * so the sixth waits for its turn instead of counting as a guess */
	if (db_int(rows, 0, 2) && a->turns++ < TURNS_MAX)
		return req_delay(req, TURN_MS, begin_attempt);
	a->tenant_id = db_int(rows, 0, 0);
	a->staff = a->tenant_id == 1;
	a->locked = db_is_null(rows, 0, 1);
	a->attempts = a->locked ? LOCKS_AT : (int)db_int(rows, 0, 1);
	p[0] = a->tenant;
	p[1] = a->username;
	return req_query(req, &sql_auth_login, p, on_subject);
}

static struct outcome *begin_attempt(struct req *req)
{
	struct attempt *a = req_state(req, attempt);
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p));

	p[0] = a->tenant;
	p[1] = a->username;
	p[2] = req_int(req, clock_now_us());
	return req_query_job(req, &sql_auth_attempt_begin, p, on_attempts);
}

/* A tenant's number may be a number or a text; NULL: it is neither. */
static const char *tenant_number(struct req *req, struct json_object *v)
{
	if (json_object_is_type(v, json_type_int))
		return req_int(req, json_object_get_int64(v));
	if (!json_object_is_type(v, json_type_string) || json_str(v).n < 1 || json_str(v).n > 63)
		return NULL;
	return json_object_get_string(v);
}

void login_check(struct req *req)
{
	const struct in_identity_login *in = REQ_INPUT(req, identity_login);

	if (in->tenant_id && !tenant_number(req, in->tenant_id))
		req_note_invalid(req, "tenant_id", "a customer's number or code", "客户编号或代码");
}

struct outcome *login(struct req *req)
{
	const struct in_identity_login *in = REQ_INPUT(req, identity_login);
	struct attempt *a = req_state_new(req, attempt);

	a->username = in->username;
	a->password = in->password;
	a->device_token = in->device_token;
	a->cookies = in->cookies;
	/* on the customers' own path, the host name selects the customer unless the body does */
	a->tenant = in->tenant_id                              ? tenant_number(req, in->tenant_id)
		    : in->tenant                               ? in->tenant
		    : REQ_INPUT_IF(req, identity_client_login) ? session_host_tenant(req)
							       : "provider";
	if (strcmp(a->tenant, "1") == 0)
		a->tenant = "provider";
	return begin_attempt(req);
}
