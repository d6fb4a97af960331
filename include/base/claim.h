/* SPDX-License-Identifier: Apache-2.0
 * What other parties claim, read by type: every member of an identity token, of userinfo, of a
 * vendor's answer, of a provider's metadata, and every SAML attribute is read here, with the type
 * and the length that the table in claim.c gives it. A value of another type is never converted: a
 * text "false" is not false, and not true either. */
#ifndef SLADESK_BASE_CLAIM_H
#define SLADESK_BASE_CLAIM_H

#include "base/json.h"

enum claim_kind {
	CLAIM_ISSUER,
	CLAIM_SUBJECT,
	CLAIM_AUDIENCE,
	CLAIM_PARTY, /* azp */
	CLAIM_NONCE,
	CLAIM_EXPIRES,
	CLAIM_ISSUED,
	CLAIM_NOT_BEFORE,
	CLAIM_AUTH_TIME,
	CLAIM_SESSION, /* sid */
	CLAIM_TOKEN_ID,
	CLAIM_EVENTS,
	CLAIM_EMAIL,
	CLAIM_EMAIL_VERIFIED,
	CLAIM_NAME,
	CLAIM_ROLES,
	CLAIM_USER_ID, /* the subject by OAuth 2.0: a text or an integer */
	CLAIM_ENTERPRISE,
	CLAIM_ACCESS_TOKEN,
	CLAIM_ID_TOKEN,
	CLAIM_RESULT,  /* a vendor's error number */
	CLAIM_ADDRESS, /* an endpoint in a provider's metadata */
	CLAIM_KINDS
};

enum claim_state {
	CLAIM_ABSENT,
	CLAIM_GOOD,
	CLAIM_WRONG /* of another type, empty, too long, or with characters it may not have */
};

struct claim {
	enum claim_state state;
	const char *text;          /* if it is good: of a text; lives as long as the document */
	int64_t number;            /* of an integer or a boolean; of an instant: microseconds */
	struct json_object *value; /* of a list or an object */
};

/* Read member NAME (NULL: the kind's usual name) of DOC, which may be NULL. */
struct claim claim_read(struct json_object *doc, enum claim_kind kind, const char *name);
/* Does a value of another type refuse the whole document? Otherwise the value counts as absent. */
bool claim_must_fit(enum claim_kind kind);
/* The usual name of KIND; NULL if it has none. */
const char *claim_name(enum claim_kind kind);
/* The rule for the values of KIND, for the log. */
const char *claim_rule(enum claim_kind kind);
/* The first claim of DOC, under its usual name, that must fit and does not; NULL if there is none.
 */
const char *claim_first_wrong(struct json_object *doc);
/* Does LIST (a text, or a list of texts) contain V? */
bool claim_lists(const struct claim *list, const char *v);

#endif
