/* SPDX-License-Identifier: Apache-2.0 */
#include "sso.h"
#include "base/clock.h"
#include "base/magic.h"
#include "base/json.h"
#include "base/log.h"
#include "base/outage.h"
#include "config/options.h"

#include "fetch/fetch.h"
#include "loop/loop.h"

#include <stdio.h>
#include <stdlib.h>

#define KEPT_MAX 64
#define FRESH_US (3600 * US_PER_S)
#define REFETCH_US (30 * US_PER_S)
#define ANSWER_MAX (256 * 1024)
#define TIMEOUT_MS 8000
#define PROVIDER "a login at an identity provider"

static struct cached_documents {
	char *issuer;
	struct sso_documents d;
	int64_t at_us, keys_us;
} kept[KEPT_MAX];
static size_t kept_n;

struct asking {
	uint32_t magic;
	struct flow *flow;
	char *issuer;
	struct json_object *metadata;
};
MAGIC(asking, 0xfc60ec31);

/* --- the cache --- */

static struct cached_documents *find_documents(const char *issuer)
{
	for (size_t i = 0; i < kept_n; i++)
		if (strcmp(kept[i].issuer, issuer) == 0)
			return &kept[i];
	return NULL;
}

static void forget(struct cached_documents *k)
{
	free(k->issuer);
	json_object_put(k->d.metadata);
	free(k->d.keys);
	*k = (struct cached_documents){ 0 };
}

void sso_free(void)
{
	while (kept_n)
		forget(&kept[--kept_n]);
}

static struct cached_documents *keep_documents(struct asking *a, const char *keys, size_t n)
{
	struct cached_documents *k = find_documents(a->issuer);

	if (!k) {
		if (kept_n == KEPT_MAX)
			sso_free();
		k = &kept[kept_n++];
	} else {
		forget(k);
	}
	*k = (struct cached_documents){ .issuer = xstrdup(a->issuer),
		.d = { a->metadata, xstrndup(keys, n), n },
		.at_us = clock_mono_us(),
		.keys_us = clock_mono_us() };
	a->metadata = NULL;
	return k;
}

/* --- requests --- */

static void finish_asking(struct asking *a, struct sso_documents *d)
{
	struct flow *f = a->flow;

	json_object_put(a->metadata);
	free(a->issuer);
	magic_end(a);
	free(a);
	flow_bring(f, d);
}

static void fetch_json(const char *url, fetch_done *on_done, struct asking *a)
{
	fetch_http(&(struct fetch_http){ .url = url,
			   .get = true,
			   .headers = (const char *const[]){ "Accept: application/json", NULL },
			   .allow_private = options.sso_allow_private,
			   .answer_max = ANSWER_MAX,
			   .ca_file = options.sso_ca_file,
			   .timeout_ms = TIMEOUT_MS },
		on_done, a);
}

/* ERROR: why the provider's documents cannot be read or used; NULL: they can. */
static void note_outage(const struct asking *a, const char *error)
{
	char part[300];

	snprintf(part, sizeof(part), "identity provider %s", a->issuer);
	if (error)
		outage_note(LOG_WARN, part, "%s", error);
	else
		outage_back(part);
}

static void on_keys(void *arg, const struct fetch_result *r)
{
	struct asking *a = magic_cast(asking, arg);

	note_outage(a, r->ok ? NULL : r->error);
	if (!r->ok) {
		finish_asking(a, NULL);
		return;
	}
	finish_asking(a, &keep_documents(a, r->body, r->body_n)->d);
}

/* They lead browsers and requests on, so each must be an address; only userinfo may be missing. */
static bool addresses_broken(struct json_object *metadata)
{
	static const char *const keys[] = { "userinfo_endpoint", "jwks_uri", "token_endpoint",
		"authorization_endpoint" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct claim c = claim_read(metadata, CLAIM_ADDRESS, keys[i]);

		if (c.state == CLAIM_ABSENT ? i > 0 : !c.text || !sso_url_is_allowed(c.text))
			return true;
	}
	return false;
}

static void on_metadata(void *arg, const struct fetch_result *r)
{
	struct asking *a = magic_cast(asking, arg);
	struct json_error err;
	const char *issuer;

	a->metadata = r->ok ? json_read(r->body, r->body_n, &err) : NULL;
	issuer = claim_read(a->metadata, CLAIM_ISSUER, "issuer").text;
	/* the issuer in the document must be the configured one (OpenID Connect Discovery 4.3) */
	if (!issuer || strcmp(issuer, a->issuer) != 0 || addresses_broken(a->metadata)) {
		note_outage(
			a, r->ok ? "another issuer, or an endpoint that is missing or no address"
				 : r->error);
		finish_asking(a, NULL);
		return;
	}
	fetch_json(json_get_string(a->metadata, "jwks_uri"), on_keys, a);
}

struct outcome *sso_documents_wait(struct flow *f, int step, const char *issuer, bool fresh_keys)
{
	struct cached_documents *k = find_documents(issuer);
	int64_t now = clock_mono_us();
	struct asking *a;
	char *url;

	if (k && now - k->at_us < FRESH_US && (!fresh_keys || now - k->keys_us < REFETCH_US)) {
		flow_bring(f, &k->d);
		return flow_wait(f, step);
	}
	a = magic_new(asking);
	a->flow = f;
	a->issuer = xstrdup(issuer);
	url = xasprintf("%s%s.well-known/openid-configuration", issuer,
		issuer[0] && issuer[strlen(issuer) - 1] == '/' ? "" : "/");
	fetch_json(url, on_metadata, a);
	free(url);
	return flow_wait(f, step);
}

static void on_answer(void *arg, const struct fetch_result *r)
{
	struct flow *f = magic_cast(flow, arg);
	struct json_error err;
	struct json_object *o = r->body_n ? json_read(r->body, r->body_n, &err) : NULL;
	bool away = r->status == 0 || r->status >= 500;

	if (away)
		outage_note(LOG_WARN, PROVIDER, "%s", r->error);
	else
		outage_back(PROVIDER);
	if (!r->ok || !json_object_is_type(o, json_type_object)) {
		if (!away)
			log_warn(&f->req->who, "identity provider refused err=%s reason=%s",
				r->ok ? "not a JSON object" : r->error,
				json_get_string(o, "error") ? json_get_string(o, "error") : "");
		json_object_put(o);
		o = NULL;
	}
	flow_bring(f, o);
	json_object_put(o);
}

struct outcome *sso_ask_wait(
	struct flow *f, int step, const char *url, const char *body, const char *authorization)
{
	fetch_http(&(struct fetch_http){ .url = url,
			   .get = body == NULL,
			   .body = body,
			   .body_n = body ? strlen(body) : 0,
			   .headers = (const char *const[]){ "Accept: application/json",
				   authorization ? authorization : "X-Nothing: 1",
				   !body ? NULL
				   : body[0] == '{'
					   ? "Content-Type: application/json"
					   : "Content-Type: application/x-www-form-urlencoded",
				   NULL },
			   .allow_private = options.sso_allow_private,
			   .answer_max = ANSWER_MAX,
			   .ca_file = options.sso_ca_file,
			   .timeout_ms = TIMEOUT_MS },
		on_answer, f);
	return flow_wait(f, step);
}
