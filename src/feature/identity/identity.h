/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability identity. */
#ifndef SLADESK_FEATURE_IDENTITY_H
#define SLADESK_FEATURE_IDENTITY_H

#include "core/feature.h"
#include "core/job.h"

/* Check what the contract of POST /api/v1/auth/login cannot say. */
void login_check(struct req *req);
/* Endpoint: POST /api/v1/auth/login. */
struct outcome *login(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/refresh. */
struct outcome *session_refresh(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/auth/sessions. */
struct outcome *session_list(struct req *req) MUST_USE;
/* Endpoint: DELETE /api/v1/auth/sessions/{id}. */
struct outcome *session_revoke(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/logout. */
struct outcome *logout(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/logout-everywhere. */
struct outcome *logout_everywhere(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/password. */
struct outcome *password_change(struct req *req) MUST_USE;
/* Forget sessions that have ended, here or on another instance. */
void account_on_event(const struct desk_event *e);
/* Endpoint: GET /api/v1/auth/permissions. */
struct outcome *permissions_get(struct req *req) MUST_USE;
/* Check what the contract of POST /api/v1/client/admin/users cannot say. */
void user_new_check(struct req *req);
/* Check what the contract of PUT /api/v1/client/admin/users/{user_id} cannot say. */
void user_set_check(struct req *req);
/* Check what the contract of PUT /api/v1/client/admin/users/{user_id}/permissions cannot say. */
void user_grants_check(struct req *req);
/* Endpoint: POST /api/v1/client/admin/users. */
struct outcome *user_new(struct req *req) MUST_USE;
/* Endpoint: PUT /api/v1/client/admin/users/{user_id}. */
struct outcome *user_set(struct req *req) MUST_USE;
/* Endpoint: PUT /api/v1/client/admin/users/{user_id}/permissions. */
struct outcome *user_grants_put(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/second-factor. */
struct outcome *second_factor(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/second-factor/mail. */
struct outcome *second_factor_mail(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/second-factor/sms. */
struct outcome *second_factor_sms(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/auth/factors. */
struct outcome *factor_list(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/factors/totp. */
struct outcome *factor_totp_new(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/factors/{factor_id}/confirm. */
struct outcome *factor_confirm(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/recovery-codes. */
struct outcome *factor_codes(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/factors/{factor_id}/remove. */
struct outcome *factor_remove(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/client/admin/users/{user_id}/reset-factors. */
struct outcome *factor_reset(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/factors/passkey/options. */
struct outcome *passkey_new_options(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/factors/passkey. */
struct outcome *passkey_new(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/passkey/options. */
struct outcome *passkey_options(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/passkey. */
struct outcome *passkey_login(struct req *req) MUST_USE;
/* signin_risk.c: unusual logins */
void signin_risk_init(void);
/* Release the list of networks. */
void signin_risk_free(void);
/* Endpoint: GET /api/v1/client/admin/security. */
struct outcome *security_get(struct req *req) MUST_USE;
/* Endpoint: PUT /api/v1/client/admin/security. */
struct outcome *security_put(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/link. */
struct outcome *link_ask(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/link/use. */
struct outcome *link_use(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/address/confirm. */
struct outcome *address_confirm(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/password/forgot. */
struct outcome *password_forgot(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/password/reset. */
struct outcome *password_reset(struct req *req) MUST_USE;
/* Check what the contract of POST /api/v1/auth/step-up cannot say. */
void step_up_check_input(struct req *req);
/* Endpoint: POST /api/v1/auth/step-up. */
struct outcome *step_up(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/step-up/passkey. */
struct outcome *step_up_passkey(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/step-up/mail. */
struct outcome *step_up_mail(struct req *req) MUST_USE;
/* When recovery_run is due again: soon, while the keys of fields are not loaded. */
int64_t recovery_every(void);
/* A job: convert the digests of recovery codes that an earlier version stored. */
void recovery_run(struct job_run *run);
/* Check what the contract of PUT /api/v1/staff/{staff_id}/customers cannot say. */
void staff_customers_check(struct req *req);
/* Endpoint: PUT /api/v1/staff/{staff_id}/customers. */
struct outcome *staff_customers_put(struct req *req) MUST_USE;
/* Endpoint: GET /.well-known/jwks.json. */
struct outcome *jwks(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/me. */
struct outcome *whoami(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route identity_routes[];

extern const struct feature identity_feature;

#endif
