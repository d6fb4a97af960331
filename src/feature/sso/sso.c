/* SPDX-License-Identifier: Apache-2.0
 * Login with a customer's own identity provider: OpenID Connect (authorization code, PKCE, state,
 * nonce), or plain OAuth 2.0 with userinfo. A login that comes back is used once, and only by the
 * browser that began it. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "config/options.h"
#include "core/hooks.h"
#include "core/signin.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "crypto/idtoken.h"
#include "flow_gen.h"
#include "sql_gen.h"
#include "sso_login.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	USE,
	ASK_DOCUMENTS,
	ASK_TOKENS,
	READ_TOKENS,
	VERIFY,
	ASK_USERINFO,
	READ_USERINFO,
	ASK_PROFILE,
	READ_PROFILE,
};

/* --- shared with sso_begin.c --- */

static void free_login(struct req *req)
{
	struct sso *x = req_state(req, sso);

	json_object_put(x->who.settings);
	json_object_put(x->claims);
}

struct sso *sso_login_new(struct req *req)
{
	struct sso *x = req_state_new_of(req, sso, sso_identity);

	req->cleanup = x->who.forget = free_login;
	return x;
}

const char *sso_login_setting(const struct sso *x, const char *key)
{
	return json_get_string(x->who.settings, key);
}

static const char *keep_text(struct req *req, struct str s)
{
	return s.n ? arena_dup(&req->arena, s.p, s.n) : NULL;
}

void sso_login_add_param(struct buf *b, const char *key, const char *value)
{
	buf_addf(b, "%s%s=", b->n && b->p[b->n - 1] != '?' ? "&" : "", key);
	buf_add_url(b, value, strlen(value));
}

const char *sso_login_endpoint(const struct sso *x, const char *key)
{
	const struct sso_vendor *v = x->vendor;
	const char *set = sso_login_setting(x, key);

	if (set || !v)
		return set;
	return strcmp(key, "authorization_endpoint") == 0 ? v->authorization_endpoint
	       : strcmp(key, "token_endpoint") == 0       ? v->token_endpoint
							  : v->userinfo_endpoint;
}

bool sso_login_read(
	struct req *req, struct sso *x, const PGresult *rows, int kind, int client, int settings)
{
	struct json_error err;
	struct str doc = db_text(rows, 0, settings);

	x->kind = str_is(db_text(rows, 0, kind), "oidc")   ? OIDC
		  : str_is(db_text(rows, 0, kind), "saml") ? SAML
							   : OAUTH2;
	x->client_id = keep_text(req, db_text(rows, 0, client));
	x->who.settings = json_read(doc.p, doc.n, &err);
	x->vendor = x->kind == OAUTH2 ? sso_vendor_find(sso_login_setting(x, "vendor")) : NULL;
	return x->who.settings && x->client_id &&
	       (x->kind == OAUTH2 || sso_login_setting(x, "issuer"));
}

/* --- the login that comes back --- */

static bool open_sealed(struct req *req, const PGresult *rows, int column, const char **out)
{
	struct buf text = { 0 };
	bool ok = db_open(&text, rows, 0, column);

	if (ok)
		*out = arena_dup(&req->arena, text.n ? text.p : "", text.n);
	buf_free(&text);
	return ok;
}

struct outcome *sso_use_login(
	struct flow *f, int step, int64_t tenant, int64_t login, const char *sha256)
{
	flow_param_int(f, 0, tenant);
	flow_param_int(f, 1, login);
	flow_param_text(f, 2, sha256);
	flow_param_int(f, 3, clock_now_us());
	return flow_query(f, step, &sql_sso_login_use);
}

static struct outcome *step_use(struct flow *f)
{
	struct sso *x = req_state(f->req, sso);

	return sso_use_login(f, ASK_DOCUMENTS, x->who.tenant_id, x->login_id, x->sha256);
}

static struct outcome *step_ask_documents(struct flow *f)
{
	struct req *req = f->req;
	struct sso *x = req_state(req, sso);
	const struct in_sso_callback *in = REQ_INPUT(req, sso_callback);
	const PGresult *rows = f->rows;

	if (f->error != DB_OK)
		return req_fail_db(req, f->error);
	if (PQntuples(rows) == 0)
		return sso_fail_over(req);
	if (!sso_asked_there(req, &x->who, rows))
		return sso_fail_over(req);
	x->nonce = keep_text(req, db_text(rows, 0, 5));
	x->who.next = db_is_null(rows, 0, 7) ? NULL : keep_text(req, db_text(rows, 0, 7));
	x->who.fresh = db_int(rows, 0, 8) != 0;
	if (!sso_login_read(req, x, rows, 1, 2, 4) || !open_sealed(req, rows, 6, &x->verifier) ||
		(!db_is_null(rows, 0, 3) && !open_sealed(req, rows, 3, &x->secret)) ||
		(x->vendor && !x->secret))
		return sso_fail_provider(req);
	x->code = x->vendor && strcmp(x->vendor->code_param, "authCode") == 0 ? in->auth_code
									      : in->code;
	if (!x->code || !x->code[0] || strlen(x->code) > 4000)
		return sso_fail_provider(req);
	if (x->kind == OIDC)
		return sso_documents_wait(f, ASK_TOKENS, sso_login_setting(x, "issuer"), false);
	return flow_go(f, ASK_TOKENS);
}

/* --- tokens --- */

static struct outcome *ask_vendor_tokens(struct flow *f)
{
	struct req *req = f->req;
	struct sso *x = req_state(req, sso);
	struct buf url = { 0 }, body = { 0 };
	struct outcome *o;

	buf_adds(&url, sso_login_endpoint(x, "token_endpoint"));
	sso_vendor_ask_token(x->vendor, x->client_id, x->secret, x->code, x->verifier,
		sso_own_address(req, SSO_CALLBACK, &x->who), &url, &body);
	o = sso_ask_wait(f, READ_TOKENS, buf_cstr(&url), body.n ? buf_cstr(&body) : NULL, NULL);
	OPENSSL_cleanse(url.p, url.n);
	if (body.n)
		OPENSSL_cleanse(body.p, body.n);
	buf_free(&url);
	buf_free(&body);
	return o;
}

static struct outcome *refuse(struct req *req, const char *what, const char *why)
{
	struct sso *x = req_state(req, sso);

	log_warn(&req->who, "%s refused tenant=%lld provider=%lld why=\"%s\"", what,
		(long long)x->who.tenant_id, (long long)x->who.provider_id, why);
	audit_note(req, x->who.tenant_id, false, 0, "", "auth.sso", "refused", 401);
	return sso_fail_provider(req);
}

/* RFC 9207: the answer names its issuer if it announces so, and is used only if that is the one
 * that was asked. Without a configured issuer a name cannot be compared, so it is refused. */
static const char *issuer_broken(struct req *req, const struct sso_documents *d)
{
	static const char announced[] = "authorization_response_iss_parameter_supported";
	struct sso *x = req_state(req, sso);
	const char *iss = REQ_INPUT(req, sso_callback)->iss,
		   *asked = sso_login_setting(x, "issuer");
	struct json_object *v;

	if (iss)
		return !asked                    ? "it names an issuer, and none is configured"
		       : strcmp(iss, asked) != 0 ? "another issuer's"
						 : NULL;
	return d && json_object_object_get_ex(d->metadata, announced, &v) &&
			       !(json_object_is_type(v, json_type_boolean) &&
				       !json_object_get_boolean(v))
		       ? "it names no issuer, although the metadata announce it"
		       : NULL;
}

static struct outcome *step_ask_tokens(struct flow *f)
{
	struct req *req = f->req;
	struct sso *x = req_state(req, sso);
	const struct sso_documents *d = f->brought; /* of OIDC; NULL if they cannot be fetched */
	const char *endpoint = x->kind == OIDC
				       ? json_get_string(d ? d->metadata : NULL, "token_endpoint")
				       : sso_login_setting(x, "token_endpoint"),
		   *authorization = NULL, *method = sso_login_setting(x, "token_auth");
	struct buf form = { 0 }, pair = { 0 }, basic = { 0 };
	const char *broken = issuer_broken(req, d);
	struct outcome *o;

	if (broken)
		return refuse(req, "authorization response", broken);
	if (x->vendor)
		return ask_vendor_tokens(f);
	if (!endpoint)
		return x->kind == OIDC && !d ? sso_fail_outside(req) : sso_fail_provider(req);
	sso_login_add_param(&form, "grant_type", "authorization_code");
	sso_login_add_param(&form, "code", x->code);
	sso_login_add_param(&form, "redirect_uri", sso_own_address(req, SSO_CALLBACK, &x->who));
	sso_login_add_param(&form, "code_verifier", x->verifier);
	if (x->secret && !(method && strcmp(method, "client_secret_post") == 0)) {
		/* RFC 6749 2.3.1: both parts are form-encoded first */
		sso_login_add_param(&pair, "", x->client_id);
		buf_addc(&pair, ':');
		{
			struct buf secret = { 0 };

			sso_login_add_param(&secret, "", x->secret);
			buf_add(&pair, secret.p + 1, secret.n - 1);
			buf_free(&secret);
		}
		buf_adds(&basic, "Authorization: Basic ");
		buf_add_base64(&basic, pair.p + 1, pair.n - 1);
		authorization = arena_dup(&req->arena, basic.p, basic.n);
	} else {
		sso_login_add_param(&form, "client_id", x->client_id);
		if (x->secret)
			sso_login_add_param(&form, "client_secret", x->secret);
	}
	o = sso_ask_wait(f, READ_TOKENS, endpoint, buf_cstr(&form), authorization);
	OPENSSL_cleanse(form.p, form.n);
	buf_free(&form);
	buf_free(&pair);
	buf_free(&basic);
	return o;
}

static struct json_object *vendor_data(struct req *req, struct json_object *answer)
{
	const struct sso *x = req_state(req, sso);
	struct json_object *data = answer ? sso_vendor_data(x->vendor, answer) : NULL;

	if (answer && !data)
		log_warn(&req->who, "%s refused %s=%lld", x->vendor->name, x->vendor->error_field,
			(long long)claim_read(answer, CLAIM_RESULT, x->vendor->error_field).number);
	return data;
}

/* Anybody may log in at a vendor; the answer names the enterprise for which. */
static const char *enterprise_broken(
	struct req *req, struct json_object *answer, enum sso_enterprise_at at)
{
	const struct sso *x = req_state(req, sso);
	const char *ours = sso_login_setting(x, "corp_id"), *its;

	if (!x->vendor || x->vendor->enterprise_at != at)
		return NULL;
	if (!ours)
		return x->vendor->enterprise_required ? "the setting corp_id is missing" : NULL;
	its = sso_claim(req, answer, CLAIM_ENTERPRISE, x->vendor->enterprise_field);
	return its && strcmp(its, ours) == 0 ? NULL : "another enterprise's";
}

static struct outcome *step_read_tokens(struct flow *f)
{
	struct req *req = f->req;
	struct sso *x = req_state(req, sso);
	struct json_object *answer = f->brought;
	const char *why;

	if (x->vendor)
		answer = vendor_data(req, answer);
	x->access_token = sso_claim(
		req, answer, CLAIM_ACCESS_TOKEN, x->vendor ? x->vendor->token_field : NULL);
	x->id_token = sso_claim(req, answer, CLAIM_ID_TOKEN, NULL);
	why = enterprise_broken(req, answer, ENTERPRISE_IN_TOKEN);
	if (why)
		return refuse(req, "token response", why);
	if (x->kind != OIDC)
		return x->access_token ? flow_go(f, ASK_USERINFO) : sso_fail_provider(req);
	return x->id_token ? sso_documents_wait(f, VERIFY, sso_login_setting(x, "issuer"), false)
			   : sso_fail_provider(req);
}

static void read_person(struct req *req, struct json_object *claims)
{
	struct sso *x = req_state(req, sso);

	sso_read_person(req, &x->who, claims, x->vendor ? x->vendor->email_field : NULL,
		x->vendor ? x->vendor->name_field : NULL);
}

static struct outcome *step_verify(struct flow *f)
{
	struct req *req = f->req;
	struct sso *x = req_state(req, sso);
	const struct sso_documents *d = f->brought;
	const char *why = "the provider's keys cannot be read";
	enum idtoken_result result = IDTOKEN_BAD;

	if (d)
		result = idtoken_verify(
			(struct str){ d->keys, d->keys_n }, str_of(x->id_token), &x->claims, &why);
	if (result == IDTOKEN_UNKNOWN_KEY && !x->retried) { /* the provider may have new keys */
		x->retried = true;
		return sso_documents_wait(f, VERIFY, sso_login_setting(x, "issuer"), true);
	}
	if (result == IDTOKEN_OK)
		why = idtoken_claims_broken(x->claims, sso_login_setting(x, "issuer"), x->client_id,
			x->nonce, clock_now_us() / US_PER_S);
	if (result != IDTOKEN_OK || why)
		return refuse(req, "identity token", why);
	x->who.subject = sso_claim(req, x->claims, CLAIM_SUBJECT, NULL);
	if (!x->who.subject)
		return refuse(req, "identity token", "nobody's");
	if (!sso_is_fresh(&x->who, claim_read(x->claims, CLAIM_AUTH_TIME, NULL).number))
		return refuse(req, "identity token", "the user did not log in anew");
	x->who.sid = sso_claim(req, x->claims, CLAIM_SESSION, NULL);
	read_person(req, x->claims);
	x->userinfo = sso_claim(req, d->metadata, CLAIM_ADDRESS, "userinfo_endpoint");
	if (!x->who.mail && x->access_token && x->userinfo)
		return flow_go(f, ASK_USERINFO);
	return sso_enter(req, x->claims);
}

/* --- userinfo --- */

/* The token goes into the query, with the code, if there is no header for it. */
static struct outcome *ask_vendor_userinfo(struct flow *f)
{
	struct req *req = f->req;
	struct sso *x = req_state(req, sso);
	const char *endpoint = sso_login_endpoint(x, "userinfo_endpoint"), *token = x->access_token;
	struct buf url = { 0 };
	struct outcome *o;

	buf_addf(&url, "%s", endpoint);
	if (!x->vendor->token_header) {
		buf_addc(&url, '?');
		sso_login_add_param(&url, "access_token", token);
		sso_login_add_param(&url, "code", x->code);
	}
	o = sso_ask_wait(f, READ_USERINFO, buf_cstr(&url), NULL,
		x->vendor->token_header ? arena_printf(&req->arena, "%.*s%s",
						  (int)(strlen(x->vendor->token_header) - 2),
						  x->vendor->token_header, token)
					: NULL);
	buf_free(&url);
	return o;
}

static struct outcome *step_ask_userinfo(struct flow *f)
{
	struct req *req = f->req;
	struct sso *x = req_state(req, sso);

	if (x->vendor)
		return ask_vendor_userinfo(f);
	if (x->kind != OIDC)
		x->userinfo = sso_login_setting(x, "userinfo_endpoint");
	if (!x->userinfo)
		return sso_fail_provider(req);
	return sso_ask_wait(f, READ_USERINFO, x->userinfo, NULL,
		arena_printf(&req->arena, "Authorization: Bearer %s", x->access_token));
}

static struct outcome *step_read_userinfo(struct flow *f)
{
	struct req *req = f->req;
	struct sso *x = req_state(req, sso);
	struct json_object *answer = x->vendor ? vendor_data(req, f->brought) : f->brought;
	const char *field = sso_login_setting(x, "subject_field"), *subject, *why;

	if (!answer)
		return sso_fail_provider(req);
	why = enterprise_broken(req, answer, ENTERPRISE_IN_USERINFO);
	if (why)
		return refuse(req, "userinfo", why);
	if (!field && x->vendor)
		field = x->vendor->subject_field;
	subject = x->kind == OIDC ? sso_claim(req, answer, CLAIM_SUBJECT, NULL)
				  : sso_claim(req, answer, CLAIM_USER_ID, field);
	if (!subject)
		return refuse(req, "userinfo", "nobody's");
	if (x->kind == OIDC && strcmp(subject, x->who.subject) != 0) /* OpenID Connect Core 5.3.2 */
		return sso_fail_provider(req);
	x->who.subject = subject;
	if (x->vendor && x->vendor->profile_endpoint)
		return flow_go(f, ASK_PROFILE);
	read_person(req, answer);
	return sso_enter(req, answer);
}

/* Fetch name and mail address if the first response only identifies the user. */
static struct outcome *step_ask_profile(struct flow *f)
{
	struct sso *x = req_state(f->req, sso);
	const char *set = sso_login_setting(x, "profile_endpoint");
	struct buf url = { 0 };
	struct outcome *o;

	buf_addf(&url, "%s?", set ? set : x->vendor->profile_endpoint);
	sso_login_add_param(&url, "access_token", x->access_token);
	sso_login_add_param(&url, x->vendor->subject_field, x->who.subject);
	o = sso_ask_wait(f, READ_PROFILE, buf_cstr(&url), NULL, NULL);
	buf_free(&url);
	return o;
}

/* If that failed, the user is still identified. */
static struct outcome *step_read_profile(struct flow *f)
{
	struct req *req = f->req;
	struct json_object *data = vendor_data(req, f->brought), *none;
	struct outcome *o;

	if (data) {
		read_person(req, data);
		return sso_enter(req, data);
	}
	none = json_object_new_object();
	o = sso_enter(req, none);
	json_object_put(none);
	return o;
}

/* --- the callback --- */

static const struct flow_step steps[] = {
	[USE] = { "use", step_use },
	[ASK_DOCUMENTS] = { "ask_documents", step_ask_documents },
	[ASK_TOKENS] = { "ask_tokens", step_ask_tokens },
	[READ_TOKENS] = { "read_tokens", step_read_tokens },
	[VERIFY] = { "verify", step_verify },
	[ASK_USERINFO] = { "ask_userinfo", step_ask_userinfo },
	[READ_USERINFO] = { "read_userinfo", step_read_userinfo },
	[ASK_PROFILE] = { "ask_profile", step_ask_profile },
	[READ_PROFILE] = { "read_profile", step_read_profile },
};
static const struct flow_kind callback_flow = { .name = "sso_callback", .steps = steps };

const char *sso_own_path(struct req *req, const char *base, const struct sso_identity *who)
{
	return arena_printf(&req->arena, "%s/%lld/%lld", base, (long long)who->tenant_id,
		(long long)who->provider_id);
}

const char *sso_own_address(struct req *req, const char *base, const struct sso_identity *who)
{
	return arena_printf(&req->arena, "%s%s", options.http_url, sso_own_path(req, base, who));
}

bool sso_asked_there(struct req *req, const struct sso_identity *who, const PGresult *rows)
{
	int64_t asked = db_int(rows, 0, 0);

	if (asked == who->provider_id)
		return true;
	log_warn(&req->who,
		"login refused tenant=%lld provider=%lld why=\"it was begun at provider %lld\"",
		(long long)who->tenant_id, (long long)who->provider_id, (long long)asked);
	audit_note(req, who->tenant_id, false, 0, "", "auth.sso_other_provider", "refused", 400);
	return false;
}

bool sso_read_state(const char *text, int64_t its_tenant, int64_t *out_login, char sha256[65])
{
	long long tenant, login;
	char secret[66] = "";
	int end = 0;

	if (!text || strlen(text) > 120 ||
		(sscanf(text, "s1.%lld.%lld.%65[0-9a-f]%n", &tenant, &login, secret, &end) != 3 &&
			sscanf(text, "s1x%lldx%lldx%65[0-9a-f]%n", &tenant, &login, secret, &end) !=
				3) ||
		text[end] || strlen(secret) != 64 || tenant != its_tenant || login < 1)
		return false;
	*out_login = login;
	crypto_sha256_hex(secret, 64, sha256);
	return true;
}

bool sso_began_here(const struct req *req, const char sha256[65])
{
	struct str v = req->http ? http_cookie(&req->http->head, COOKIE_LOGIN) : (struct str){ 0 };

	return v.n == 64 && crypto_equal(v.p, sha256, 64);
}

const char *sso_headers(struct req *req, const char *location, const char *path,
	const char sha256[65], bool from_other_site)
{
	struct buf b = { 0 };
	const char *text;

	buf_addf(&b, "Location: %s\r\nCache-Control: no-store\r\n", location);
	cookie_add_login(&b, sha256, path, from_other_site);
	text = arena_dup(&req->arena, b.p, b.n);
	buf_free(&b);
	return text;
}

struct outcome *sso_callback(struct req *req)
{
	const struct in_sso_callback *in = REQ_INPUT(req, sso_callback);
	struct sso *x = sso_login_new(req);

	x->who.tenant_id = in->tenant_id;
	x->who.provider_id = in->provider_id;
	if (!sso_read_state(in->state, in->tenant_id, &x->login_id, x->sha256) ||
		!sso_began_here(req, x->sha256))
		return sso_fail_over(req);
	x->flow.id = x->login_id;
	return flow_answer(&x->flow, &callback_flow, req);
}

/* One address for all providers let one provider pass on what another had answered. */
struct outcome *sso_moved(struct req *req)
{
	const char *door = req->route->method == HTTP_GET ? SSO_CALLBACK : SAML_ACS;

	return sso_fail_page(req, 410,
		arena_printf(&req->arena,
			"This address is no longer in use. Please ask your administrator to "
			"register "
			"%s%s/&lt;tenant&gt;/&lt;provider&gt; at your company's login service; "
			"the list of identity providers shows the exact address.",
			options.http_url, door),
		arena_printf(&req->arena,
			"此地址已停用。请管理员在贵公司的登录服务中登记 "
			"%s%s/&lt;tenant&gt;/&lt;provider&gt;，"
			"准确地址见身份提供方列表。",
			options.http_url, door));
}

const struct feature sso_feature = { .name = "sso",
	.routes = sso_routes,
	.init = saml_init,
	.check_settings = saml_check,
	.free = sso_free };
