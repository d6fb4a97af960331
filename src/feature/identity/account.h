/* SPDX-License-Identifier: Apache-2.0
 * What login and the account's own pages share. */
#ifndef SLADESK_FEATURE_IDENTITY_ACCOUNT_H
#define SLADESK_FEATURE_IDENTITY_ACCOUNT_H

#include "core/request.h"
#include "core/session_token.h"

/* Is PASSWORD that of HASH? Asked of a helper. */
struct outcome *account_verify(
	struct req *req, struct str hash, const char *password, req_work_step *step) MUST_USE;

/* A new password on its way: the rules, the last five, the hash, then STORE. At the beginning of
 * the request's state. */
#define PASSWORDS_KEPT 5
struct fresh_password {
	const char *text, *hash[PASSWORDS_KEPT]; /* newest first: the first is the present one */
	int hashes, compared;
	struct outcome *(*store)(struct req *req, const char *hash);
};
/* Read the hashes that may not come again. */
void fresh_password_read(struct req *req, const PGresult *rows, int column);
/* Does it keep to the rules? USERNAME may not be part of it. Notes what is broken. */
bool fresh_password_fits(struct req *req, const char *username);
/* Compare with the hashes, hash, store. */
struct outcome *fresh_password(struct req *req) MUST_USE;

#endif
