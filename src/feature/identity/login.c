/* SPDX-License-Identifier: Apache-2.0
 * Login: reserve the attempt, look up the hash through schema door, verify it in a helper, and
 * count what was wrong; signin.c continues from there. Wrong passwords are counted by account and
 * network, those of a trusted device apart. A user name that does not exist costs the same
 * statements, the same hash and the same delays as a wrong password, is counted and locked in the
 * same way, and gets the same answer. */
#include "account.h"
#include "core/signin.h"
#include "core/hooks.h"
#include "base/json.h"
#include "base/unicode.h"
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
	const char *source, *began, *hash; /* where it is counted; when it was reserved */
	int64_t tenant_id, subject_id;
	bool staff, known, locked, cookies;
	bool usual;   /* this user has logged in from there before */
	bool nowhere; /* no tenant was named: the account was looked for by its mail address */
	bool raw;     /* the hash is of the password as it was typed, not of its composed form */
	int attempts; /* wrong ones, including this one */
	int turns;
};

static struct outcome *refuse_login(struct req *req)
{
	return req_fail(req, ERR_NO_AUTH,
		req->zh ? "{\"user_message\":\"用户名或密码错误；连续输错 5 次后，"
			  "该网络对此账号的密码登录将锁定 30 分钟\"}"
			: "{\"user_message\":\"wrong user name or password; five wrong attempts "
			  "lock the account for this network for 30 minutes\"}");
}

static struct outcome *refuse_later(struct req *req)
{
	struct attempt *a = req_state(req, attempt);

	audit_note(req, a->tenant_id, a->staff, a->known ? a->subject_id : 0, a->username,
		a->locked ? "auth.login_locked" : "auth.login", "refused", 401);
	return refuse_login(req);
}

/* Guesses come from many networks: strangers take turns. */
static struct outcome *refuse_stranger(struct req *req, int64_t seconds)
{
	req->retry_after_s = seconds;
	return req_fail(req, ERR_RATE,
		arena_printf(&req->arena,
			"{\"limit\":\"login_name\",\"retry_after_seconds\":%lld,\"user_message\":"
			"\"%s\"}",
			(long long)seconds,
			req->zh ? "该用户名近期有大量错误密码，请稍后重试，"
				  "或使用曾登录过的网络或信任的设备"
				: "many wrong passwords were entered for this user name; try again "
				  "in "
				  "a moment, or use a network or a trusted device that logged in "
				  "before"));
}

static struct outcome *wrong_password(struct req *req)
{
	struct attempt *a = req_state(req, attempt);

	return req_delay(req, DELAY_MS << (a->attempts - 1), refuse_later);
}

static struct outcome *on_counted(struct req *req, enum db_error error, const PGresult *rows)
{
	struct attempt *a = req_state(req, attempt);

	if (error != DB_OK)
		return req_fail_db(req, error);
	a->attempts = (int)db_int(rows, 0, 0);
	if (a->attempts > LOCKS_AT)
		a->attempts = LOCKS_AT;
	return wrong_password(req);
}

static struct outcome *count_wrong(struct req *req)
{
	struct attempt *a = req_state(req, attempt);
	const char **p = arena_alloc(&req->arena, 9 * sizeof(*p));

	p[0] = req_int(req, a->tenant_id);
	p[1] = a->username;
	p[2] = a->source;
	p[3] = a->began;
	p[4] = a->usual ? "t" : "f";
	p[5] = a->staff ? "staff" : "customer";
	p[6] = a->known ? req_int(req, a->subject_id) : NULL;
	p[7] = req_int(req, clock_now_us());
	p[8] = session_peer(req);
	return req_query_job(req, &sql_auth_attempt_fail, p, on_counted);
}

/* The attempt ends without a wrong password. */
static struct outcome *end_attempt(struct req *req, bool right, req_row_step *step)
{
	struct attempt *a = req_state(req, attempt);
	const char **p = arena_alloc(&req->arena, 5 * sizeof(*p));

	p[0] = req_int(req, a->tenant_id);
	p[1] = a->username;
	p[2] = a->source;
	p[3] = a->began;
	p[4] = right ? "t" : "f";
	return req_query_job(req, &sql_auth_attempt_end, p, step);
}

static struct outcome *on_undone(struct req *req, enum db_error error, const PGresult *rows)
{
	(void)rows;
	(void)error; /* then its place is free again in 15 seconds */
	return req_fail(req, ERR_BUSY, NULL);
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

/* --- the right password --- */

static struct outcome *on_rehashed(struct req *req, enum db_error error, const PGresult *rows)
{
	(void)rows;
	(void)error; /* then the next login does it */
	return go_on(req);
}

static struct outcome *on_composed(struct req *req, bool ok, struct str answer)
{
	struct attempt *a = req_state(req, attempt);
	const char **p = arena_alloc(&req->arena, 5 * sizeof(*p));

	if (!ok || !answer.n)
		return go_on(req);
	p[0] = req_int(req, a->tenant_id);
	p[1] = a->staff ? "staff" : "customer";
	p[2] = req_int(req, a->subject_id);
	p[3] = a->hash;
	p[4] = arena_dup(&req->arena, answer.p, answer.n);
	return req_query_job(req, &sql_auth_password_rehash, p, on_rehashed);
}

static struct outcome *on_right(struct req *req, enum db_error error, const PGresult *rows)
{
	struct attempt *a = req_state(req, attempt);

	(void)rows;
	if (error != DB_OK)
		return req_fail_db(req, error);
	return a->raw ? account_hash(req, a->password, on_composed) : go_on(req);
}

static struct outcome *on_verified(struct req *req, bool ok, struct str answer)
{
	struct attempt *a = req_state(req, attempt);

	if (!ok)
		return a->locked ? req_fail(req, ERR_BUSY, NULL)
				 : end_attempt(req, false, on_undone);
	if (a->locked)
		return wrong_password(req);
	if (!account_matches(answer, &a->raw) || !a->known)
		return count_wrong(req);
	return end_attempt(req, true, on_right);
}

static struct outcome *on_subject(struct req *req, enum db_error error, const PGresult *rows)
{
	struct attempt *a = req_state(req, attempt);

	if (error != DB_OK)
		return req_fail_db(req, error);
	a->known = PQntuples(rows) == 1 && !db_is_null(rows, 0, 2);
	a->hash = nobody;
	if (a->known) {
		a->subject_id = db_int(rows, 0, 1);
		a->hash = arena_dup(&req->arena, db_text(rows, 0, 2).p, db_text(rows, 0, 2).n);
	}
	return account_verify(req, str_of(a->hash), a->password, on_verified);
}

/* --- the attempt --- */

static struct outcome *begin_attempt(struct req *req);

static struct outcome *on_attempts(struct req *req, enum db_error error, const PGresult *rows)
{
	struct attempt *a = req_state(req, attempt);
	const char **p = arena_alloc(&req->arena, 2 * sizeof(*p));

	if (error != DB_OK)
		return req_fail_db(req, error);
	/* five attempts for one name are being checked. A correct one among them resets the count,
	 * so the sixth waits for its turn instead of counting as a guess */
	if (db_int(rows, 0, 2))
		return a->turns++ < TURNS_MAX ? req_delay(req, TURN_MS, begin_attempt)
					      : req_fail(req, ERR_BUSY, NULL);
	if (!db_is_null(rows, 0, 3))
		return refuse_stranger(req, db_int(rows, 0, 3));
	a->tenant_id = db_int(rows, 0, 0);
	a->staff = a->tenant_id == 1;
	a->locked = db_is_null(rows, 0, 1);
	a->attempts = a->locked ? LOCKS_AT : 0;
	a->source = arena_dup(&req->arena, db_text(rows, 0, 4).p, db_text(rows, 0, 4).n);
	a->usual = db_int(rows, 0, 5);
	/* where nobody was named, the place in the queue must not tell whether somebody was found
	 */
	req->work_customer = a->nowhere ? 1 : a->tenant_id;
	req->work_first = !a->nowhere && db_int(rows, 0, 6);
	if (strncmp(a->source, "device:", 7) == 0)
		req->work_owner =
			arena_printf(&req->arena, "%lld %s", (long long)a->tenant_id, a->source);
	p[0] = a->tenant;
	p[1] = a->username;
	return req_query(req, &sql_auth_login, p, on_subject);
}

/* It names the attempt among those under way, so no two have the same. */
static int64_t began_now(void)
{
	static int64_t last;
	int64_t now = clock_now_us();

	last = now > last || last - now > US_PER_S ? now : last + 1; /* a clock may be set back */
	return last;
}

static struct outcome *begin_attempt(struct req *req)
{
	struct attempt *a = req_state(req, attempt);
	const char **p = arena_alloc(&req->arena, 5 * sizeof(*p));

	a->began = req_int(req, began_now());
	p[0] = a->tenant;
	p[1] = a->username;
	p[2] = a->began;
	p[3] = session_peer(req);
	p[4] = signin_device(req, a->device_token);
	return req_query_job(req, &sql_auth_attempt_begin, p, on_attempts);
}

static struct outcome *begin_named(struct req *req)
{
	struct attempt *a = req_state(req, attempt);

	if (!a->tenant)
		a->tenant = "provider";
	return begin_attempt(req);
}

static struct outcome *on_mail(struct req *req, enum db_error error, const PGresult *rows)
{
	struct attempt *a = req_state(req, attempt);

	if (error != DB_OK)
		return req_fail_db(req, error);
	account_mail_found(req, rows, &a->tenant, &a->username);
	return begin_named(req);
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

	a->username = account_name(req, in->username);
	a->password = in->password;
	a->device_token = in->device_token;
	a->cookies = in->cookies;
	/* on the customers' own path, the host name selects the customer unless the body does */
	a->tenant = in->tenant_id                              ? tenant_number(req, in->tenant_id)
		    : in->tenant                               ? in->tenant
		    : REQ_INPUT_IF(req, identity_client_login) ? session_host_tenant(req)
							       : NULL;
	a->tenant = account_tenant(req, a->tenant);
	a->nowhere = account_may_be_mail(a->username) && !in->tenant && !in->tenant_id;
	return account_may_be_mail(a->username)
		       ? account_find_mail(req, a->tenant, a->username, on_mail)
		       : begin_named(req);
}
