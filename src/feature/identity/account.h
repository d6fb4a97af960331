/* SPDX-License-Identifier: Apache-2.0
 * What the login and the account pages share. */
#ifndef SLADESK_FEATURE_IDENTITY_ACCOUNT_H
#define SLADESK_FEATURE_IDENTITY_ACCOUNT_H

#include "core/request.h"
#include "core/session_token.h"

/* Parameters of a statement about the caller's own account: tenant, kind and actor, and room for
 * MORE. In the arena. */
const char **account_params(struct req *req, int more) MUST_USE;
/* Ask a helper whether PASSWORD matches HASH. */
struct outcome *account_verify(
	struct req *req, struct str hash, const char *password, req_work_step *step) MUST_USE;

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

#endif
