/* SPDX-License-Identifier: Apache-2.0
 * SAML 2.0 as a service provider: login (saml.c) and logout (saml_logout.c). */
#ifndef SLADESK_FEATURE_SSO_SAML_H
#define SLADESK_FEATURE_SSO_SAML_H

#include "sso.h"

#define SAML_ACS "/api/v1/auth/sso/acs"
#define SAML_SLO "/api/v1/auth/sso/slo"
#define SAML_SKEW_US (60 * US_PER_S)

struct saml {
	struct sso_identity who; /* must be first: sso_enter takes it over */
	struct flow flow;
	int64_t login_id;
	const char *client_id, *certificate;
	struct json_object *said, *claims;
	char sha256[65];
};

/* Free what a struct saml in req->state holds. */
void saml_forget(struct req *req);
/* Append text for the inside of an element or an attribute, escaped. */
void saml_add_text(struct buf *b, const char *s);
/* ENDPOINT with XML as the parameter MESSAGE (SAMLRequest, SAMLResponse), packed and signed with
 * our key (saml-bindings 3.4). STATE may be NULL. In the arena. */
const char *saml_location(struct req *req, const char *endpoint, const char *message,
	struct str xml, const char *state);
/* Let a helper verify and read the document BASE64. The state of F's request is a struct saml. STEP
 * runs next and must call saml_read_answer first. */
struct outcome *saml_verify_wait(struct flow *f, int step, const char *base64) MUST_USE;
/* Read the helper's answer that F has waited for. Returns false if the document was refused; why
 * tells the reason. */
bool saml_read_answer(struct saml *x, const struct flow *f);
/* The value of KEY in the document; "" if there is none. */
const char *saml_said(const struct saml *x, const char *key);
/* Read an xs:dateTime in UTC as microseconds since 1970. Returns false if it is not one. */
bool saml_instant(const char *text, int64_t *out);
/* Read a provider from the columns of row 0. Returns false if it is not a SAML provider. */
bool saml_read_settings(
	struct req *req, struct saml *x, const PGresult *rows, int kind, int client, int settings);
/* The address to which the browser is sent after a logout here, if the provider began the session;
 * NULL if the provider has no logout_endpoint. In the arena. */
const char *saml_logout_location(struct req *req, struct json_object *settings, const char *entity,
	const char *subject, const char *sid);

#endif
