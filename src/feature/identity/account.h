/* SPDX-License-Identifier: Apache-2.0
 * What the login and the account pages share. */
#ifndef SLADESK_FEATURE_IDENTITY_ACCOUNT_H
#define SLADESK_FEATURE_IDENTITY_ACCOUNT_H

#include "core/request.h"
#include "core/session_token.h"

/* Parameters of a statement about the caller's own account: tenant, kind and actor, and room for
 * MORE. In the arena. */
const char **account_params(struct req *req, int more) MUST_USE;
/* The name of an account or customer for what was TYPED: names that differ in case, in composition
 * or in outer blanks only are one name. In the arena. */
const char *account_name(struct req *req, const char *typed) MUST_USE;
/* The same for a tenant, whose number may be given for "provider"; NULL if none was TYPED. */
const char *account_tenant(struct req *req, const char *typed);
/* May NAME be a mail address that stands for an account? Then ask with account_find_mail. */
bool account_may_be_mail(const char *name);
/* Ask which account has the mail address NAME, within TENANT or (NULL) anywhere; NEXT hands the
 * answer to account_mail_found. */
struct outcome *account_find_mail(
	struct req *req, const char *tenant, const char *name, req_row_step *next) MUST_USE;
/* If ROWS of account_find_mail name an account, put its tenant and user name in place of TENANT and
 * NAME; else they stay as typed. */
void account_mail_found(
	struct req *req, const PGresult *rows, const char **tenant, const char **name);
/* Ask a helper whether PASSWORD matches HASH: account_matches tells. */
struct outcome *account_verify(
	struct req *req, struct str hash, const char *password, req_work_step *step) MUST_USE;
/* Is ANSWER of account_verify yes? OUT_RAW: the hash is an old one, of the password as it was
 * typed. */
bool account_matches(struct str answer, bool *out_raw) MUST_USE;
/* Let a helper hash PASSWORD, in its composed form. */
struct outcome *account_hash(struct req *req, const char *password, req_work_step *step) MUST_USE;

/* A new code of six digits for a mail or text message: its digest, for TENANT_ID, and the code
 * itself as it is stored until it is sent, bound to WHOSE it is (kind.actor.step). Both in the
 * arena. */
void account_new_code(struct req *req, int64_t tenant_id, const char *whose,
	const char **out_sha256, const char **out_sealed);

/* An attempt to prove the session's user. Must be at the beginning of the request's state. */
struct counted {
	/* gets the user's time codes: id, secret, counter */
	struct outcome *(*next)(struct req *req, const PGresult *rows);
};
/* Count the attempt, then go on with next. Too many end the session. */
struct outcome *account_count_proof(struct req *req) MUST_USE;
/* The proof was right: record it, use up the time step or recovery code (NULL: neither), reply. */
struct outcome *account_proved(
	struct req *req, const char *factor, const char *counter, const char *digest) MUST_USE;

/* The password was right, whatever becomes of the rest: record it, then call ON_ROW (no row: the
 * session has ended). */
struct outcome *account_password_right(struct req *req, req_row_step *on_row) MUST_USE;

/* A new password being set: check the rules, compare with the last five, hash, then STORE. Must be
 * at the beginning of the request's state. */
#define PASSWORDS_KEPT 5
struct fresh_password {
	const char *text,
		*hash[PASSWORDS_KEPT]; /* newest first: the first is the current password */
	int hashes, compared;
	struct outcome *(*store)(struct req *req, const char *hash);
};
/* Read the hashes of passwords that are refused. */
void fresh_password_read(struct req *req, const PGresult *rows, int column);
/* Check the rules; the password must not contain USERNAME. Notes the broken rule. */
bool fresh_password_fits(struct req *req, const char *username);
/* Compare with the hashes, hash, store. */
struct outcome *fresh_password(struct req *req) MUST_USE;

/* --- users.c --- */
/* Who gives rights in this request, as grant_fault() in SQL reads it. */
const char *user_giver(struct req *req);
/* Ask whether the caller may do to this user what gives power over the account; NEXT gets the
 * answer, and hands it to user_after_check. */
struct outcome *user_check_rights(struct req *req, int64_t user_id, req_row_step *next) MUST_USE;
/* Refuse, or GO_ON. */
struct outcome *user_after_check(
	struct req *req, enum db_error error, const PGresult *rows, req_step *go_on) MUST_USE;
/* Refuse what gives more than the caller holds; FAULT as from grant_fault(), or "self". */
struct outcome *user_refuse_rights(struct req *req, const char *fault) MUST_USE;

#endif
