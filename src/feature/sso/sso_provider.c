/* SPDX-License-Identifier: Apache-2.0
 * A customer's administrator configures the customer's own identity providers. */
#include "base/clock.h"
#include "base/json.h"
#include "core/request.h"
#include "crypto/field.h"
#include "crypto/spkey.h"
#include "config/options.h"
#include "sso.h"
#include "sql_gen.h"
#include "sso_vendor.h"

#include <stdlib.h>

static const char *const text_settings[] = { "issuer", "authorization_endpoint", "token_endpoint",
	"userinfo_endpoint", "scopes", "role_attribute", "subject_field", "email_field",
	"name_field", "token_auth", "logout_endpoint", "profile_endpoint", "vendor", "agent_id" };

static bool url_is_allowed(const char *url)
{
	return (strncmp(url, "https://", 8) == 0 ||
		       (options.sso_allow_private && strncmp(url, "http://", 7) == 0)) &&
	       !strpbrk(url, " \"'<>\\\r\n#");
}

static bool is_url(const char *key)
{
	return strcmp(key, "issuer") == 0 || strstr(key, "_endpoint");
}

/* The entity id of a SAML provider need not be an address. */
static bool is_saml(const struct req *req)
{
	const char *kind = json_get_string(req->body, "kind");

	return kind && strcmp(kind, "saml") == 0;
}

static void read_certificate(struct req *req, struct json_object *doc)
{
	const char *text = NULL;
	char *pem;

	req_body_text(req, "certificate", false, 100, 10000, &text);
	if (!text)
		return;
	pem = certificate_to_pem(text);
	if (pem)
		json_object_object_add(doc, "certificate", json_object_new_string(pem));
	else
		req_note_invalid(req, "certificate", "an X.509 certificate, PEM or base64",
			"X.509 证书（PEM 或 base64）");
	free(pem);
}

/* Copy the text settings to DOC, after checking them. */
static void read_texts(struct req *req, struct json_object *doc)
{
	for (size_t i = 0; i < ARRAY_LEN(text_settings); i++) {
		const char *key = text_settings[i], *v = NULL;

		req_body_text(req, key, false, 1, 1000, &v);
		if (!v)
			continue;
		if (is_url(key) && !(strcmp(key, "issuer") == 0 && is_saml(req)) &&
			!url_is_allowed(v))
			req_note_invalid(req, key, "an https address", "https 地址");
		if (strcmp(key, "token_auth") == 0 && strcmp(v, "client_secret_basic") != 0 &&
			strcmp(v, "client_secret_post") != 0)
			req_note_invalid(req, key, "client_secret_basic or client_secret_post",
				"client_secret_basic 或 client_secret_post");
		if (strcmp(key, "vendor") == 0 && !sso_vendor_find(v))
			req_note_invalid(
				req, key, "wecom, dingtalk or feishu", "wecom、dingtalk 或 feishu");
		json_object_object_add(doc, key, json_object_new_string(v));
	}
}

static void read_domains(struct req *req, struct json_object *doc)
{
	struct json_object *list = json_get(req->body, "email_domains");
	bool ok = !list || (json_object_is_type(list, json_type_array) &&
				   json_object_array_length(list) <= 50);

	for (size_t i = 0; ok && list && i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		const char *s =
			json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";

		ok = strlen(s) >= 3 && strlen(s) <= 253 && strchr(s, '.') &&
		     strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(s);
	}
	if (!ok)
		req_note_invalid(req, "email_domains",
			"at most 50 domains in lower case, such as example.com",
			"最多 50 个小写域名，如 example.com");
	else if (list)
		json_object_object_add(doc, "email_domains", json_object_get(list));
}

static void read_role_map(struct req *req, struct json_object *doc)
{
	struct json_object *map = json_get(req->body, "role_map");
	bool ok = !map || (json_object_is_type(map, json_type_object) &&
				  json_object_object_length(map) <= 100);

	if (ok && map) {
		json_object_object_foreach(map, key, val)
		{
			const char *role = json_object_is_type(val, json_type_string)
						   ? json_object_get_string(val)
						   : "";

			(void)key;
			ok &= strcmp(role, "admin") == 0 || strcmp(role, "manager") == 0 ||
			      strcmp(role, "user") == 0;
		}
	}
	if (!ok)
		req_note_invalid(req, "role_map",
			"values of the claim, each to admin, manager or user",
			"声明的取值到 admin、manager 或 user 的映射");
	else if (map)
		json_object_object_add(doc, "role_map", json_object_get(map));
}

static void check_kind(struct req *req, const char *kind, struct json_object *doc)
{
	static const char *const needed[] = { "authorization_endpoint", "token_endpoint",
		"userinfo_endpoint" };

	if (!kind)
		return;
	if (strcmp(kind, "oidc") == 0) {
		if (!json_get(doc, "issuer"))
			req_note_invalid(req, "issuer", "required: the issuer's https address",
				"必填：issuer 的 https 地址");
	} else if (strcmp(kind, "oauth2") == 0) {
		for (size_t i = 0; i < ARRAY_LEN(needed); i++)
			if (!json_get(doc, needed[i]) && !json_get(doc, "vendor"))
				req_note_invalid(req, needed[i],
					"required for oauth2 without a vendor",
					"oauth2 未指定 vendor 时必填");
		if (json_get(doc, "vendor") && !json_get(req->body, "client_secret"))
			req_note_invalid(req, "client_secret", "required for a vendor",
				"指定 vendor 时必填");
	} else if (strcmp(kind, "saml") == 0) {
		static const char *const wanted[] = { "issuer", "authorization_endpoint",
			"certificate" };

		for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
			if (!json_get(doc, wanted[i]))
				req_note_invalid(req, wanted[i], "required for saml", "saml 必填");
	} else {
		req_note_invalid(req, "kind", "oidc, oauth2 or saml", "oidc、oauth2 或 saml");
	}
}

static struct outcome *on_stored(struct req *req, enum db_error error, const PGresult *rows)
{
	const char *data;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_path(req, "provider_id").n ? req_fail(req, ERR_NOT_FOUND, NULL)
						      : req_fail(req, ERR_LIMIT,
								"{\"rule\":\"at most ten providers "
								"/ 最多十个提供方提供方\"}");
	data = arena_printf(&req->arena,
		"{\"provider_id\":%lld,\"version\":%lld,\"redirect_uri\":\"%s/api/v1/auth/sso/"
		"callback\",\"acs_uri\":\"%s/api/v1/auth/sso/"
		"acs\",\"metadata_uri\":\"%s/api/v1/auth/sso/saml-metadata/%lld/"
		"%lld\",\"backchannel_logout_uri\":\"%s/api/v1/auth/sso/"
		"backchannel/%lld/%lld\"}",
		(long long)db_int(rows, 0, 0), (long long)db_int(rows, 0, 1), options.http_url,
		options.http_url, options.http_url, (long long)req->session->tenant_id,
		(long long)db_int(rows, 0, 0), options.http_url, (long long)req->session->tenant_id,
		(long long)db_int(rows, 0, 0));
	return req_reply(req, req->route->method == HTTP_POST ? 201 : 200, data, strlen(data));
}

struct outcome *sso_provider_put(struct req *req)
{
	const char **p = arena_alloc(&req->arena, 8 * sizeof(*p)), *secret = NULL;
	struct json_object *doc = json_object_new_object();
	struct buf sealed = { 0 };
	bool create_users = false, trust_email = false, active = true;

	if (req->session->staff) {
		json_object_put(doc);
		return req_fail(req, ERR_FORBIDDEN, NULL);
	}
	req_body_only(req, req->route->fields);
	req_body_text(req, "kind", true, 1, 10, &p[1]);
	req_body_text(req, "name", true, 1, 100, &p[2]);
	req_body_text(req, "client_id", true, 1, 500, &p[3]);
	req_body_text(req, "client_secret", false, 1, 1000, &secret);
	read_texts(req, doc);
	read_certificate(req, doc);
	read_domains(req, doc);
	read_role_map(req, doc);
	req_body_bool(req, "create_users", &create_users);
	req_body_bool(req, "trust_email", &trust_email);
	req_body_bool(req, "active", &active);
	check_kind(req, p[1], doc);
	if (!req->body)
		req_note_invalid(req, "kind", "required", "必填");
	json_object_object_add(doc, "create_users", json_object_new_boolean(create_users));
	json_object_object_add(doc, "trust_email", json_object_new_boolean(trust_email));
	p[5] = req_json_text(req, doc);
	json_object_put(doc);
	if (req_has_invalid(req))
		return req_invalid(req);
	if (secret) {
		field_seal(&sealed, "client_secret", str_of(secret), clock_now_us() / US_PER_S);
		p[4] = arena_dup(&req->arena, sealed.p, sealed.n);
		buf_free(&sealed);
	}
	if (req_path(req, "provider_id").n) {
		if (!req_path_id(req, "provider_id"))
			return req_fail(req, ERR_NOT_FOUND, NULL);
		p[0] = req_int(req, req_path_id(req, "provider_id"));
	}
	p[6] = active ? "true" : "false";
	p[7] = req_int(req, clock_now_us());
	return req_query(req, &sql_sso_provider_put, p, on_stored);
}
