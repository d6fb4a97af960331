/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability identity. */
#ifndef SLADESK_FEATURE_IDENTITY_H
#define SLADESK_FEATURE_IDENTITY_H

#include "core/feature.h"

/* login.c, account.c, password.c */
void login_check(struct req *req);
struct outcome *login(struct req *req) MUST_USE;
struct outcome *session_refresh(struct req *req) MUST_USE;
struct outcome *session_list(struct req *req) MUST_USE;
struct outcome *session_revoke(struct req *req) MUST_USE;
struct outcome *logout(struct req *req) MUST_USE;
struct outcome *logout_everywhere(struct req *req) MUST_USE;
struct outcome *password_change(struct req *req) MUST_USE;
/* Forget sessions that have ended, here or on another instance. */
void account_on_event(const struct desk_event *e);
struct outcome *permissions_get(struct req *req) MUST_USE;
void user_new_check(struct req *req);
void user_set_check(struct req *req);
void user_grants_check(struct req *req);
struct outcome *user_new(struct req *req) MUST_USE;
struct outcome *user_set(struct req *req) MUST_USE;
struct outcome *user_grants_put(struct req *req) MUST_USE;
struct outcome *second_factor(struct req *req) MUST_USE;
struct outcome *second_factor_mail(struct req *req) MUST_USE;
struct outcome *second_factor_sms(struct req *req) MUST_USE;
struct outcome *factor_list(struct req *req) MUST_USE;
struct outcome *factor_totp_new(struct req *req) MUST_USE;
struct outcome *factor_confirm(struct req *req) MUST_USE;
struct outcome *factor_codes(struct req *req) MUST_USE;
struct outcome *factor_remove(struct req *req) MUST_USE;
struct outcome *factor_reset(struct req *req) MUST_USE;
struct outcome *passkey_new_options(struct req *req) MUST_USE;
struct outcome *passkey_new(struct req *req) MUST_USE;
struct outcome *passkey_options(struct req *req) MUST_USE;
struct outcome *passkey_login(struct req *req) MUST_USE;
/* signin_risk.c: unusual logins */
void signin_risk_init(void);
void signin_risk_free(void);
struct outcome *security_get(struct req *req) MUST_USE;
struct outcome *security_put(struct req *req) MUST_USE;
struct outcome *link_ask(struct req *req) MUST_USE;
struct outcome *link_use(struct req *req) MUST_USE;
struct outcome *password_forgot(struct req *req) MUST_USE;
struct outcome *password_reset(struct req *req) MUST_USE;
struct outcome *jwks(struct req *req) MUST_USE;
struct outcome *whoami(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route identity_routes[];

extern const struct feature identity_feature;

#endif
