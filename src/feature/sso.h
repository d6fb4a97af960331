/* SPDX-License-Identifier: Apache-2.0
 * What the two halves of single sign-on share: a provider's documents, fetched and kept. */
#ifndef SLADESK_FEATURE_SSO_H
#define SLADESK_FEATURE_SSO_H

#include "core/request.h"

struct json_object;

/* What a provider publishes of itself; kept for an hour. */
struct sso_documents {
	struct json_object *metadata; /* OpenID Provider Metadata */
	char *keys;                   /* its JWK Set */
	size_t keys_n;
};

/* The documents of ISSUER, then STEP (with NULL when they cannot be had). FRESH_KEYS: not the keys
 * that are kept, if those are older than half a minute. */
typedef struct outcome *sso_step(struct req *req, const struct sso_documents *d);
struct outcome *sso_documents_get(
	struct req *req, const char *issuer, bool fresh_keys, sso_step *step) MUST_USE;

/* A form POST or a GET to a provider, its JSON answer to STEP (NULL: it failed, and the log says
 * why). */
typedef struct outcome *sso_json_step(struct req *req, struct json_object *answer);
struct outcome *sso_ask(struct req *req, const char *url, const char *form,
	const char *authorization, sso_json_step *step) MUST_USE;

void sso_free(void);

#endif
