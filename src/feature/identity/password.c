/* SPDX-License-Identifier: Apache-2.0
 * Changing a password: check the old one and the rules, and refuse the last five passwords;
 * hashes and compares in helpers, one at a time. Stored under compare-and-set on the hash that was
 * looked at. */
#include "crypto/password.h"
#include "account.h"
#include "identity.h"
#include "flow_gen.h"
#include "sql_gen.h"

struct change {
	struct fresh_password fresh; /* must be first: the state is both */
	const char *old;
};

/* --- setting a new password, after an old one or a mailed link --- */

static struct outcome *on_hashed(struct req *req, bool ok, struct str answer)
{
	struct fresh_password *f = req_state(req, fresh_password);

	if (!ok || !answer.n)
		return req_fail(req, ERR_BUSY, NULL);
	return f->store(req, arena_dup(&req->arena, answer.p, answer.n));
}

static struct outcome *on_compared(struct req *req, bool ok, struct str answer)
{
	struct fresh_password *f = req_state(req, fresh_password);
	bool raw;

	if (!ok)
		return req_fail(req, ERR_BUSY, NULL);
	if (account_matches(answer, &raw)) {
		req_note_invalid(req, "new_password", "must not be one of the last five passwords",
			"不能与最近五次相同");
		return req_invalid(req);
	}
	if (++f->compared < f->hashes)
		return account_verify(req, str_of(f->hash[f->compared]), f->text, on_compared);
	return account_hash(req, f->text, on_hashed);
}

bool fresh_password_fits(struct req *req, const char *username)
{
	const struct fresh_password *f = req_state(req, fresh_password);
	const char *broken = password_rule_broken(f->text, username, req->zh);

	if (broken)
		req_note_invalid(req, "new_password", broken, broken);
	return !broken;
}

struct outcome *fresh_password(struct req *req)
{
	struct fresh_password *f = req_state(req, fresh_password);

	return account_verify(req, str_of(f->hash[0]), f->text, on_compared);
}

void fresh_password_read(struct req *req, const PGresult *rows, int column)
{
	struct fresh_password *f = req_state(req, fresh_password);

	for (int i = 0; i < PQntuples(rows) && f->hashes < PASSWORDS_KEPT; i++) {
		struct str h = db_text(rows, i, column);

		f->hash[f->hashes++] = arena_dup(&req->arena, h.p, h.n);
	}
}

/* --- changing a password --- */

static struct outcome *on_set(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0) /* changed meanwhile, or the account was disabled */
		return req_fail(req, ERR_WRONG_STATE, NULL);
	session_forget_all(); /* the other sessions have ended, and this one has full rights now */
	return req_reply(req, 200, "null", 4);
}

static struct outcome *on_fresh(struct req *req, const char *hash)
{
	struct change *c = req_state(req, change);
	const char **p = account_params(req, 5);

	p[3] = c->fresh.hash[0];
	p[4] = hash;
	p[5] = req_int(req, clock_now_us());
	p[6] = req_int(req, req->session->session_id);
	p[7] = session_peer(req);
	return req_query_job(req, &sql_auth_password_set, p, on_set);
}

static struct outcome *on_right(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	return PQntuples(rows) ? fresh_password(req) : req_fail(req, ERR_NO_AUTH, NULL);
}

static struct outcome *on_old(struct req *req, bool ok, struct str answer)
{
	bool raw;

	if (!ok)
		return req_fail(req, ERR_BUSY, NULL);
	if (!account_matches(answer, &raw)) {
		req_note_invalid(req, "old_password", "wrong password", "与现有密码不符");
		return req_invalid(req);
	}
	return account_password_right(req, on_right);
}

static struct outcome *on_hashes(struct req *req, enum db_error error, const PGresult *rows)
{
	struct change *c = req_state(req, change);

	if (error != DB_OK)
		return req_fail_db(req, error);
	fresh_password_read(req, rows, 0);
	if (!c->fresh.hashes)
		return req_fail(req, ERR_FORBIDDEN, NULL); /* the user logs in by other means */
	return account_verify(req, str_of(c->fresh.hash[0]), c->old, on_old);
}

static struct outcome *on_counted(struct req *req, const PGresult *rows)
{
	const struct in_identity_password *in = REQ_INPUT(req, identity_password);
	struct change *c = req_state_new_of(req, change, fresh_password);

	(void)rows;
	c->old = in->old_password;
	c->fresh.text = in->new_password;
	c->fresh.store = on_fresh;
	return req_query_job(req, &sql_auth_password_get, account_params(req, 0), on_hashes);
}

/* The old password is the proof that this is its user, and is counted as one. A new one that breaks
 * the rules is no attempt. */
struct outcome *password_change(struct req *req)
{
	req_state_new(req, fresh_password)->text = REQ_INPUT(req, identity_password)->new_password;
	if (!fresh_password_fits(req, req->session->username))
		return req_invalid(req);
	req_state_new(req, counted)->next = on_counted;
	return account_count_proof(req);
}
