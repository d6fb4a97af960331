/* SPDX-License-Identifier: Apache-2.0
 * What the files of single sign-on share: a provider's documents, fetched and cached. */
#ifndef SLADESK_FEATURE_SSO_H
#define SLADESK_FEATURE_SSO_H

#include "base/claim.h"
#include "core/feature.h"
#include "core/flow.h"

struct json_object;

/* The documents that a provider publishes; cached for an hour. */
struct sso_documents {
	struct json_object *metadata; /* OpenID Provider Metadata */
	char *keys;                   /* its JWK Set */
	size_t keys_n;
};

/* Wait for the documents of ISSUER: STEP of F finds them as brought, or NULL if they cannot be
 * fetched. FRESH_KEYS: fetch the keys again if the cached ones are older than half a minute. */
struct outcome *sso_documents_wait(
	struct flow *f, int step, const char *issuer, bool fresh_keys) MUST_USE;

/* Send a POST (a form, or JSON, which begins with a brace) or a GET to a provider: STEP of F finds
 * the JSON response (an object) as brought, or NULL if it failed, which was logged. */
struct outcome *sso_ask_wait(struct flow *f, int step, const char *url, const char *body,
	const char *authorization) MUST_USE;

/* Verify that a mail domain is the customer's, by its DNS record. */
struct outcome *sso_domain_verify(struct req *req) MUST_USE;

/* Forget the cached documents of providers. */
void sso_free(void);
/* The address at which the browser ends its session at the provider in ROWS (sso/provider_get), or
 * NULL. In the arena. */
const char *sso_signout_location(
	struct req *req, const PGresult *rows, const char *subject, const char *sid);

/* The user whom a provider has identified. Must be at the beginning of the request's state. */
struct sso_identity {
	int64_t tenant_id, provider_id;
	const char *subject, *mail, *name, *sid, *next, *role;
	bool may_create, asked_id;    /* a user who is not known yet */
	bool mail_verified, fresh;    /* fresh: the user was to log in anew */
	int64_t proved_us;            /* when the user did, by the provider; 0: not asked */
	struct json_object *settings; /* the provider's session id */
	void (*forget)(
		struct req *req); /* frees the contents of the state when sign-in takes it over */
};
/* The text of a claim (base/claim.h) in the arena. NULL if it is absent, or if it is of another
 * type, which is logged. NAME: NULL: its usual name. */
const char *sso_claim(
	struct req *req, struct json_object *doc, enum claim_kind kind, const char *name);
/* Read mail address and name of WHO from CLAIMS: MAIL and NAME are their names unless the settings
 * say otherwise. A mail address is verified if email_verified is true; if there is no such claim,
 * the setting trust_email decides. */
void sso_read_person(struct req *req, struct sso_identity *who, struct json_object *claims,
	const char *mail, const char *name);
/* May URL be an address of a provider? https, and no characters that end it. */
bool sso_url_is_allowed(const char *url);
/* Find or create the account, apply the role that CLAIMS (an object of names and values) give, and
 * begin the session. */
struct outcome *sso_enter(struct req *req, struct json_object *claims) MUST_USE;
/* Pages that explain a failure and lead back to the login. */
struct outcome *sso_fail_page(struct req *req, int status, const char *en, const char *zh) MUST_USE;
/* End with a page: the login has expired or was used. */
struct outcome *sso_fail_over(struct req *req) MUST_USE;
/* End with a page: the provider refused or cannot be used. */
struct outcome *sso_fail_provider(struct req *req) MUST_USE;
/* The provider does not answer. */
struct outcome *sso_fail_outside(struct req *req) MUST_USE;

/* Use up login LOGIN of TENANT, whose secret has the digest SHA256 (which must live until STEP):
 * STEP of F finds the provider and what the login has stored (sso/login_use), or no row. */
struct outcome *sso_use_login(
	struct flow *f, int step, int64_t tenant, int64_t login, const char *sha256) MUST_USE;
/* The state of a login in progress at TENANT, s1.<tenant>.<login>.<secret>. Returns false if it is
 * none, or another tenant's. */
bool sso_read_state(const char *text, int64_t tenant, int64_t *out_login, char sha256[65]);
/* The headers of a redirect to LOCATION that begins a sign-in: its cookie, for PATH,
 * holds SHA256.
 * FROM_OTHER_SITE: the answer is posted by the provider's page. */
const char *sso_headers(struct req *req, const char *location, const char *path,
	const char sha256[65], bool from_other_site);
/* Did the browser of REQ begin the login whose secret has the digest SHA256? */
bool sso_began_here(const struct req *req, const char sha256[65]);

/* The path below BASE that only this provider uses (RFC 9700, 4.4.2.2). In the arena. */
const char *sso_own_path(struct req *req, const char *base, const struct sso_identity *who);
/* The same as an address. */
const char *sso_own_address(struct req *req, const char *base, const struct sso_identity *who);
/* Has login LOGIN, which WHO's provider brings back, begun there? ROWS: sso/login_use. Logged and
 * audited if not. */
bool sso_asked_there(struct req *req, const struct sso_identity *who, const PGresult *rows);

/* Has the user logged in at the provider within the last minutes, AT_US by its clock, as this login
 * asked? Sets who->proved_us. True if it did not ask. */
bool sso_is_fresh(struct sso_identity *who, int64_t at_us);

/* saml.c: send the browser to WHO's provider with a signed AuthnRequest. */
struct outcome *saml_redirect(struct req *req, const struct sso_identity *who, const char *entity,
	const char *state, const char *sha256) MUST_USE;

/* Endpoint: GET /api/v1/auth/sso/start. */
struct outcome *sso_start(struct req *req) MUST_USE;
/* Check what the contract of POST /api/v1/auth/sso/discover cannot say. */
void sso_discover_check(struct req *req);
/* Endpoint: POST /api/v1/auth/sso/discover. */
struct outcome *sso_discover(struct req *req) MUST_USE;
/* Endpoints: GET /api/v1/auth/sso/callback and POST /api/v1/auth/sso/acs. */
struct outcome *sso_moved(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/auth/sso/callback/{tenant_id}/{provider_id}. */
struct outcome *sso_callback(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/sso/backchannel/{tenant_id}/{provider_id}. */
struct outcome *sso_backchannel(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/sso/acs/{tenant_id}/{provider_id}. */
struct outcome *saml_acs(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/auth/sso/slo/{tenant_id}/{provider_id}. */
struct outcome *saml_slo(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/auth/sso/slo/{tenant_id}/{provider_id}. */
struct outcome *saml_slo_back(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/auth/sso/saml-metadata/{tenant_id}/{provider_id}. */
struct outcome *saml_metadata(struct req *req) MUST_USE;
/* Read the key that signs our requests, or create it. */
void saml_init(void);
/* For --check: what saml_init would refuse. */
void saml_check(struct buf *faults);
/* Check what the contract of POST /api/v1/client/admin/identity-providers cannot say. */
void sso_provider_check(struct req *req);
/* Endpoint: POST /api/v1/client/admin/identity-providers. */
struct outcome *sso_provider_put(struct req *req) MUST_USE;
/* Forget the cached documents of providers. */
void sso_free(void);

/* routes.c; ends with an empty row */
extern const struct route sso_routes[];

extern const struct feature sso_feature;

#endif
