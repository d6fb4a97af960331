/* SPDX-License-Identifier: Apache-2.0
 * What login and the account's own pages share. */
#ifndef SLADESK_FEATURE_ACCOUNT_H
#define SLADESK_FEATURE_ACCOUNT_H

#include "core/request.h"

/* sr1.<tenant>.<session>.<secret>: good once, for the next. */
struct refresh_token {
	int64_t tenant_id, session_id;
	char secret[65], sha256[65]; /* hex */
};
void account_new_refresh(struct refresh_token *t, int64_t tenant_id);
bool account_read_refresh(struct str text, struct refresh_token *out);
/* Reply with tokens, in the body or, COOKIES, as cookies, and with the members MORE (",…" or "").
 * DEVICE: the secret of a device just trusted, or NULL. */
struct outcome *account_reply_tokens(struct req *req, const struct refresh_token *t, bool cookies,
	const char *device, const char *more) MUST_USE;
/* A page that goes on to PAGE (a path of ours), with the tokens as cookies: they are Strict, so
 * that the page itself must be the one that navigates. */
struct outcome *account_reply_page(
	struct req *req, const struct refresh_token *t, const char *page) MUST_USE;
/* When a session ends that is not renewed. */
int64_t account_expiry(bool staff);
/* In the arena: the client's address, and what it calls itself. */
const char *account_peer(struct req *req);
const char *account_device(struct req *req);
/* How the doors know the customer whose host name the request came to. */
const char *account_host_tenant(struct req *req);
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
/* Call FN for each session that E says has ended. */
struct bus_event;
void account_each_ended(
	const struct bus_event *e, void (*fn)(int64_t tenant_id, int64_t session_id));

#endif
