/* SPDX-License-Identifier: Apache-2.0
 * The way from knowing who somebody is to a session, for every way to find that out: the second
 * factor where one is asked for, the customer's seats, the tokens. */
#ifndef SLADESK_CORE_SIGNIN_H
#define SLADESK_CORE_SIGNIN_H

#include "core/session_token.h"

struct sign_in {
	int64_t tenant_id, subject_id;
	const char *username;
	const char *method; /* password, link, passkey, sso */
	const char *factor; /* totp, recovery, mail, passkey; NULL: none yet */
	bool staff, cookies;
	bool trust;               /* this device needs no second factor for 30 days */
	const char *device_token; /* that it brought: dt1.<secret>, or NULL: the cookie's */
	const char *page;         /* answer a page that goes on there, with cookies; NULL: JSON */
	int64_t provider_id;      /* sso: who says so, and of whom */
	const char *subject, *provider_session;
	/* its own */
	struct refresh_token refresh;
	char device_secret[65];
};

/* The first proof was right: ask for a second where there is one, else begin the session. Takes
 * over req->state. */
struct outcome *signin_first(struct req *req, struct sign_in *s) MUST_USE;
/* All proofs are there: the session. */
struct outcome *signin_session(struct req *req, struct sign_in *s) MUST_USE;
/* The path of the step's token in a URL or a mail is nobody's: it names a row of login_steps. */
#define STEP_MAX_S 300

#endif
