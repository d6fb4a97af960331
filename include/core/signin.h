/* SPDX-License-Identifier: Apache-2.0
 * The way from a proven identity to a session, for every login method: the second factor if one is
 * required, the limit on logged-in users, the tokens. */
#ifndef SLADESK_CORE_SIGNIN_H
#define SLADESK_CORE_SIGNIN_H

#include "core/session_token.h"

struct sign_in {
	int64_t tenant_id, subject_id;
	const char *username;
	const char *method; /* password, link, passkey, sso */
	const char *factor; /* totp, recovery, mail, passkey; NULL: none yet */
	bool staff, cookies;
	bool trust;               /* trust this device: no second factor for 30 days */
	const char *device_token; /* the device token of the request: dt1.<secret>, or NULL: from
				     the cookie */
	const char *page;  /* answer with a page that navigates there, with cookies; NULL: JSON */
	int64_t proved_us; /* sso: when the user last authenticated at the provider; 0: not known */
	int64_t provider_id; /* sso: the provider and the subject */
	const char *subject, *provider_session;
	/* the provider's session id */
	struct refresh_token refresh;
	char device_secret[65];
};

/* Continue after a correct first proof: ask for a second factor if one is required, else begin the
 * session. Takes over req->state. */
struct outcome *signin_first(struct req *req, struct sign_in *s) MUST_USE;
/* Begin the session, after all proofs. */
struct outcome *signin_session(struct req *req, struct sign_in *s) MUST_USE;
/* The SHA-256 of the secret of this device's token: TOKEN, or if it is NULL that of the cookie.
 * NULL: none. In the arena. */
const char *signin_device(struct req *req, const char *token) MUST_USE;
/* Seconds within which the second factor must follow the first. */
#define STEP_MAX_S 300

#endif
