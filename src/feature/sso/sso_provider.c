/* SPDX-License-Identifier: Apache-2.0
 * A customer's administrator configures the customer's own identity providers. */
#include "base/clock.h"
#include "base/json.h"
#include "core/contract.h"
#include "core/request.h"
#include "crypto/field.h"
#include "crypto/spkey.h"
#include "config/options.h"
#include "sso.h"
#include "flow_gen.h"
#include "sql_gen.h"
#include "sso_vendor.h"

#include <stdlib.h>

bool sso_url_is_allowed(const char *url)
{
	return (strncmp(url, "https://", 8) == 0 ||
		       (options.sso_allow_private && strncmp(url, "http://", 7) == 0)) &&
	       !strpbrk(url, " \"'<>\\\r\n#");
}

/* The settings that are text, and whether each is an address. */
struct setting {
	const char *key, *value;
	bool url;
};
#define SETTINGS 15

static void list_settings(const struct in_sso_provider *in, struct setting out[SETTINGS])
{
	/* the entity id of a SAML provider need not be an address */
	const struct setting all[SETTINGS] = {
		{ "issuer", in->issuer, !in->kind || strcmp(in->kind, "saml") != 0 },
		{ "authorization_endpoint", in->authorization_endpoint, true },
		{ "token_endpoint", in->token_endpoint, true },
		{ "userinfo_endpoint", in->userinfo_endpoint, true },
		{ "logout_endpoint", in->logout_endpoint, true },
		{ "profile_endpoint", in->profile_endpoint, true },
		{ "scopes", in->scopes },
		{ "role_attribute", in->role_attribute },
		{ "subject_field", in->subject_field },
		{ "email_field", in->email_field },
		{ "name_field", in->name_field },
		{ "token_auth", in->token_auth },
		{ "vendor", in->vendor },
		{ "agent_id", in->agent_id },
		{ "corp_id", in->corp_id },
	};

	memcpy(out, all, sizeof(all));
}

static void check_addresses(struct req *req, const struct in_sso_provider *in)
{
	struct setting all[SETTINGS];

	list_settings(in, all);
	for (size_t i = 0; i < SETTINGS; i++)
		if (all[i].url && all[i].value && !sso_url_is_allowed(all[i].value))
			req_note_invalid(req, all[i].key, "an https address", "https 地址");
}

static void check_role_map(struct req *req, struct json_object *map)
{
	bool ok = !map || json_object_object_length(map) <= 100;

	if (ok && map) {
		json_object_object_foreach(map, key, val)
		{
			(void)key;
			ok &= json_object_is_type(val, json_type_string) &&
			      choice_is_listed("admin|manager|user", json_str(val));
		}
	}
	if (!ok)
		req_note_invalid(req, "role_map",
			"values of the claim, each mapped to admin, manager or user",
			"声明的取值到 admin、manager 或 user 的映射");
}

static void check_certificate(struct req *req, const char *text)
{
	char *pem = text ? certificate_to_pem(text) : NULL;

	if (text && !pem)
		req_note_invalid(req, "certificate", "an X.509 certificate, PEM or base64",
			"X.509 证书（PEM 或 base64）");
	free(pem);
}

static void need(struct req *req, const char *key, const void *value, const char *rule_en,
	const char *rule_zh)
{
	if (!value)
		req_note_invalid(req, key, rule_en, rule_zh);
}

/* The required settings of each kind. */
static void check_kind(struct req *req, const struct in_sso_provider *in)
{
	static const char plain_en[] = "required for oauth2 without a vendor",
			  plain_zh[] = "oauth2 未指定 vendor 时必填",
			  saml_en[] = "required for saml", saml_zh[] = "saml 必填";

	if (!in->kind)
		return;
	if (strcmp(in->kind, "oidc") == 0) {
		need(req, "issuer", in->issuer, "required: the issuer's https address",
			"必填：issuer 的 https 地址");
	} else if (strcmp(in->kind, "saml") == 0) {
		need(req, "issuer", in->issuer, saml_en, saml_zh);
		need(req, "authorization_endpoint", in->authorization_endpoint, saml_en, saml_zh);
		need(req, "certificate", in->certificate, saml_en, saml_zh);
	} else if (json_get(req->body, "vendor")) { /* also for an unknown vendor, which has been
						       noted already */
		need(req, "client_secret", in->client_secret, "required for a vendor",
			"指定 vendor 时必填");
		if (in->vendor && strcmp(in->vendor, "dingtalk") == 0)
			need(req, "corp_id", in->corp_id, "required: the enterprise's corpId",
				"必填：企业的 corpId");
	} else {
		need(req, "authorization_endpoint", in->authorization_endpoint, plain_en, plain_zh);
		need(req, "token_endpoint", in->token_endpoint, plain_en, plain_zh);
		need(req, "userinfo_endpoint", in->userinfo_endpoint, plain_en, plain_zh);
	}
}

void sso_provider_check(struct req *req)
{
	const struct in_sso_provider *in = REQ_INPUT(req, sso_provider);

	check_addresses(req, in);
	check_certificate(req, in->certificate);
	check_role_map(req, in->role_map);
	check_kind(req, in);
}

/* The settings as they are stored: JSON. */
static const char *settings_text(struct req *req, const struct in_sso_provider *in)
{
	struct json_object *doc = json_object_new_object();
	char *pem = in->certificate ? certificate_to_pem(in->certificate) : NULL;
	struct setting all[SETTINGS];
	const char *text;

	list_settings(in, all);
	for (size_t i = 0; i < SETTINGS; i++)
		if (all[i].value)
			json_object_object_add(
				doc, all[i].key, json_object_new_string(all[i].value));
	if (pem)
		json_object_object_add(doc, "certificate", json_object_new_string(pem));
	if (in->email_domains)
		json_object_object_add(doc, "email_domains", json_object_get(in->email_domains));
	if (in->role_map)
		json_object_object_add(doc, "role_map", json_object_get(in->role_map));
	json_object_object_add(doc, "create_users", json_object_new_boolean(in->create_users));
	json_object_object_add(doc, "trust_email", json_object_new_boolean(in->trust_email));
	json_object_object_add(
		doc, "email_verified_text", json_object_new_boolean(in->email_verified_text));
	text = req_json_text(req, doc);
	json_object_put(doc);
	free(pem);
	return text;
}

static struct outcome *on_stored(struct req *req, enum db_error error, const PGresult *rows)
{
	static const char *const columns[] = { "redirect_uri", "acs_uri", "metadata_uri",
		"backchannel_logout_uri" };
	struct buf data = { 0 };
	struct str moved;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return REQ_INPUT_IF(req, sso_provider_set)
			       ? req_fail(req, ERR_NOT_FOUND, NULL)
			       : req_fail(req, ERR_LIMIT,
					 "{\"rule\":\"at most ten providers "
					 "/ 最多十个身份提供方\"}");
	moved = db_text(rows, 0, 0);
	if (!db_is_null(rows, 0, 0)) {
		req_note_invalid(req, "client_secret",
			arena_printf(&req->arena, "required again: %.*s has changed", (int)moved.n,
				moved.p),
			arena_printf(
				&req->arena, "%.*s 已更改，必须重新填写", (int)moved.n, moved.p));
		return req_invalid(req);
	}
	buf_addf(&data, "{\"provider_id\":%lld,\"version\":%lld", (long long)db_int(rows, 0, 1),
		(long long)db_int(rows, 0, 2));
	for (int i = 0; i < (int)ARRAY_LEN(columns); i++) {
		buf_addf(&data, ",\"%s\":", columns[i]);
		if (db_is_null(rows, 0, 3 + i))
			buf_adds(&data, "null");
		else
			buf_add_json(&data, db_text(rows, 0, 3 + i).p, db_text(rows, 0, 3 + i).n);
	}
	buf_addc(&data, '}');
	return req_reply_take(req, req->route->method == HTTP_POST ? 201 : 200, &data);
}

/* The secret is bound to the provider's row. */
static struct outcome *put(struct req *req, int64_t id)
{
	const struct in_sso_provider *in = REQ_INPUT(req, sso_provider);
	const struct in_sso_provider_set *set = REQ_INPUT_IF(req, sso_provider_set);
	const char **p = arena_alloc(&req->arena, 10 * sizeof(*p));
	struct buf sealed = { 0 };

	p[0] = set ? req_int(req, id) : NULL;
	p[1] = in->kind;
	p[2] = in->name;
	p[3] = in->client_id;
	p[4] = NULL;
	if (in->client_secret) {
		field_seal_at(&sealed, FIELD_IDENTITY_PROVIDERS_CLIENT_SECRET,
			req->session->tenant_id, req_int(req, id), str_of(in->client_secret),
			clock_now_us() / US_PER_S);
		p[4] = arena_dup(&req->arena, sealed.p, sealed.n);
		buf_free(&sealed);
	}
	p[5] = settings_text(req, in);
	p[6] = in->active ? "true" : "false";
	p[7] = req_int(req, clock_now_us());
	p[8] = options.http_url;
	p[9] = set ? NULL : req_int(req, id);
	return req_query(req, &sql_sso_provider_put, p, on_stored);
}

static struct outcome *on_id(struct req *req, enum db_error error, const PGresult *rows)
{
	return error == DB_OK ? put(req, db_int(rows, 0, 0)) : req_fail_db(req, error);
}

struct outcome *sso_provider_put(struct req *req)
{
	const struct in_sso_provider_set *set = REQ_INPUT_IF(req, sso_provider_set);
	const char **p = arena_alloc(&req->arena, sizeof(*p));

	if (set)
		return put(req, set->provider_id);
	p[0] = "identity_providers";
	return req_query_job(req, &sql_keys_next_id, p, on_id);
}
