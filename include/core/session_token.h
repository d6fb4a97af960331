/* SPDX-License-Identifier: Apache-2.0
 * A session as its client holds it: refresh token, cookies, and the replies that carry them. Every
 * login method uses this. */
#ifndef SLADESK_CORE_SESSION_TOKEN_H
#define SLADESK_CORE_SESSION_TOKEN_H

#include "core/request.h"

/* sr1.<tenant>.<session>.<secret>: can be used once, to get the next one. */
struct refresh_token {
	int64_t tenant_id, session_id;
	int64_t ends_us; /* when the session ends if it is not refreshed; 0: not known yet */
	char secret[65], sha256[65]; /* hex */
};
/* Create a refresh token with a new secret. Its session_id is set when the session is stored. */
void session_token_new(struct refresh_token *t, int64_t tenant_id);
/* Read TEXT (sr1.<tenant>.<session>.<secret>) and digest its secret. Returns false if it is not a
 * refresh token. */
bool session_token_read(struct str text, struct refresh_token *out);
/* Reply with tokens, in the body or (COOKIES) as cookies, and with the additional members MORE
 * (",…" or ""). DEVICE: the secret of a newly trusted device, or NULL. */
struct outcome *session_reply_tokens(struct req *req, const struct refresh_token *t, bool cookies,
	const char *device, const char *more) MUST_USE;
/* Answer with a page that navigates to PAGE (one of our paths) and sets the cookies. The cookies
 * are Strict, so the page itself must start the navigation. */
struct outcome *session_reply_page(
	struct req *req, const struct refresh_token *t, const char *page) MUST_USE;
/* Append the Set-Cookie lines that delete a browser's session cookies. */
void session_drop_cookies(struct buf *headers);
/* When a session ends if it is not refreshed (microseconds). */
int64_t session_expiry(bool staff);
/* The days after which a session ends, however often it is refreshed. */
int64_t session_days_max(bool staff);
/* The client's address, and its User-Agent, in the arena. */
const char *session_peer(struct req *req);
/* Printable ASCII of the User-Agent, at most 200 bytes, in the arena: the session's name. */
const char *session_device(struct req *req);
/* The name by which schema door finds the customer whose host name was requested. */
const char *session_host_tenant(struct req *req);
struct desk_event;
/* Call FN for each session that E says has ended. */
void session_each_ended(
	const struct desk_event *e, void (*fn)(int64_t tenant_id, int64_t session_id));

#endif
