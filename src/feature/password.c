/* SPDX-License-Identifier: Apache-2.0
 * Changing one's password: the old one, the rules, not one of the last five; hashes and compares in
 * helpers, one at a time. Stored under compare-and-set on the hash that was looked at. */
#include "crypto/password.h"
#include "account.h"
#include "feature/feature.h"
#include "sql_gen.h"

#define KEPT 5 /* the present one and those before it */

struct change {
	const char *old, *new;
	const char *hash[KEPT]; /* newest first: the first is the present one */
	int hashes, compared;
};

static struct outcome *on_set(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0) /* changed meanwhile, or disabled */
		return req_fail(req, ERR_WRONG_STATE, NULL);
	session_forget_all(); /* the others ended, and this one may do more now */
	return req_reply(req, 200, "null", 4);
}

static struct outcome *on_hashed(struct req *req, bool ok, struct str answer)
{
	struct change *c = req->state;
	const char **p = arena_alloc(&req->arena, 8 * sizeof(*p));

	if (!ok || !answer.n)
		return req_fail(req, ERR_BUSY, NULL);
	p[0] = req_int(req, req->session->tenant_id);
	p[1] = actor_kind_name(req->session->actor);
	p[2] = req_int(req, req->session->actor_id);
	p[3] = c->hash[0];
	p[4] = arena_dup(&req->arena, answer.p, answer.n);
	p[5] = req_int(req, clock_now_us());
	p[6] = req_int(req, req->session->session_id);
	p[7] = account_peer(req);
	return req_query(req, &sql_auth_password_set, p, on_set);
}

static struct outcome *on_compared(struct req *req, bool ok, struct str answer)
{
	struct change *c = req->state;

	if (!ok)
		return req_fail(req, ERR_BUSY, NULL);
	if (str_is(answer, "1")) {
		req_note_invalid(
			req, "new_password", "not one of the last five", "不能与最近五次相同");
		return req_invalid(req);
	}
	if (++c->compared < c->hashes)
		return account_verify(req, str_of(c->hash[c->compared]), c->new, on_compared);
	return req_work(req, WORK_HASH, c->new, strlen(c->new), on_hashed);
}

static struct outcome *on_old(struct req *req, bool ok, struct str answer)
{
	struct change *c = req->state;

	if (!ok)
		return req_fail(req, ERR_BUSY, NULL);
	if (!str_is(answer, "1")) {
		req_note_invalid(req, "old_password", "is not your password", "与现有密码不符");
		return req_invalid(req);
	}
	return account_verify(req, str_of(c->hash[0]), c->new, on_compared);
}

static struct outcome *on_hashes(struct req *req, enum db_error error, const PGresult *rows)
{
	struct change *c = req->state;

	if (error != DB_OK)
		return req_fail_db(req, error);
	for (int i = 0; i < PQntuples(rows) && c->hashes < KEPT; i++) {
		struct str h = db_text(rows, i, 0);

		c->hash[c->hashes++] = arena_dup(&req->arena, h.p, h.n);
	}
	if (!c->hashes)
		return req_fail(req, ERR_FORBIDDEN, NULL); /* logs in by other means */
	return account_verify(req, str_of(c->hash[0]), c->old, on_old);
}

struct outcome *password_change(struct req *req)
{
	struct change *c = req->state = arena_alloc(&req->arena, sizeof(*c));
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p)), *broken;

	if (!req->session->session_id)
		return req_fail(req, ERR_FORBIDDEN, NULL);
	req_body_only(req, "old_password new_password");
	req_body_text(req, "old_password", true, 1, 200, &c->old);
	req_body_text(req, "new_password", true, 1, 200, &c->new);
	if (!req->body)
		req_note_invalid(req, "old_password", "required", "必填");
	if (req_has_invalid(req))
		return req_invalid(req);
	broken = password_rule_broken(c->new, req->session->username, req->zh);
	if (broken) {
		req_note_invalid(req, "new_password", broken, broken);
		return req_invalid(req);
	}
	p[0] = req_int(req, req->session->tenant_id);
	p[1] = actor_kind_name(req->session->actor);
	p[2] = req_int(req, req->session->actor_id);
	return req_query(req, &sql_auth_password_get, p, on_hashes);
}
