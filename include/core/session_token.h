/* SPDX-License-Identifier: Apache-2.0
 * A session as its client holds it: refresh token, cookies, and the replies that carry them. Used
 * by every way to sign in. */
#ifndef SLADESK_CORE_SESSION_TOKEN_H
#define SLADESK_CORE_SESSION_TOKEN_H

#include "core/request.h"

/* sr1.<tenant>.<session>.<secret>: good once, for the next. */
struct refresh_token {
	int64_t tenant_id, session_id;
	char secret[65], sha256[65]; /* hex */
};
/* Make a refresh token with a new secret; its session_id is set when the session is stored. */
void session_token_new(struct refresh_token *t, int64_t tenant_id);
/* Read TEXT (sr1.<tenant>.<session>.<secret>) and digest its secret; false when it is none. */
bool session_token_read(struct str text, struct refresh_token *out);
/* Reply with tokens, in the body or, COOKIES, as cookies, and with the members MORE (",…" or "").
 * DEVICE: the secret of a device just trusted, or NULL. */
struct outcome *session_reply_tokens(struct req *req, const struct refresh_token *t, bool cookies,
	const char *device, const char *more) MUST_USE;
/* A page that goes on to PAGE (a path of ours), with the tokens as cookies: they are Strict, so
 * that the page itself must be the one that navigates. */
struct outcome *session_reply_page(
	struct req *req, const struct refresh_token *t, const char *page) MUST_USE;
/* Append the Set-Cookie lines that take a browser's cookies back. */
void session_drop_cookies(struct buf *headers);
/* When a session ends that is not renewed (microseconds). */
int64_t session_expiry(bool staff);
/* In the arena: the client's address, and what it calls itself. */
const char *session_peer(struct req *req);
/* Printable ASCII of the User-Agent, at most 200 bytes, in the arena: the session's name. */
const char *session_device(struct req *req);
/* How the doors know the customer whose host name the request came to. */
const char *session_host_tenant(struct req *req);
/* Call FN for each session that E says has ended. */
struct desk_event;
/* Call FN for each session that E says has ended. */
void session_each_ended(
	const struct desk_event *e, void (*fn)(int64_t tenant_id, int64_t session_id));

#endif
