/* SPDX-License-Identifier: Apache-2.0
 * Private to src/core: a session as the database describes it. */
#ifndef SLADESK_CORE_SESSION_ROW_H
#define SLADESK_CORE_SESSION_ROW_H

#include "core/session.h"

/* The columns of auth/rights. */
enum rights_column {
	RIGHTS_N,
	RIGHTS_ACTOR_KIND,
	RIGHTS_ACTOR_ID,
	RIGHTS_EXPIRES_AT,
	RIGHTS_TENANTS,
	RIGHTS_ROLE,
	RIGHTS_FULL_NAME,
	RIGHTS_USERNAME,
	RIGHTS_LANG,
	RIGHTS_LEVEL,
	RIGHTS_MUST_CHANGE,
	RIGHTS_PERMISSIONS,
	RIGHTS_SCOPE,
	RIGHTS_MUST_ENROL,
	RIGHTS_SUPPORT,
	RIGHTS_SHA256,
	RIGHTS_SERVES_ALL,
	RIGHTS_ADMIN,
	RIGHTS_MAKER, /* NULL: the token was made for nobody */
	RIGHTS_OWNER,
};

/* The session of credential C, whose token has the digest KEY, by ROW of auth/rights, with one
 * reference; NULL if the row does not accept C. */
struct session *session_of_row(const PGresult *rows, int row, const struct credential *c,
	const unsigned char key[32]) MUST_USE;
/* The credential.proof of a service token: the first 16 of the 64 hex digits of its secret's
 * SHA-256. */
uint64_t credential_proof(const char *sha256);

#endif
