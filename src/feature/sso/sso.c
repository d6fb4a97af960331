/* SPDX-License-Identifier: Apache-2.0
 * Login with a customer's own identity provider: OpenID Connect (authorization code, PKCE, state,
 * nonce), or plain OAuth 2.0 with userinfo. A login that comes back is used once, and only by the
 * browser that began it. */
#include "sso.h"
#include "core/hooks.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "crypto/idtoken.h"
#include "config/options.h"

#include "core/signin.h"
#include "flow_gen.h"
#include "sql_gen.h"
#include "sso_vendor.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define CALLBACK "/api/v1/auth/sso/callback"

struct sso {
	struct sso_identity who; /* must be first: sso_enter takes it over */
	int64_t login_id;
	enum { OIDC, OAUTH2, SAML } kind;
	bool retried;
	const char *client_id, *secret, *nonce, *verifier, *code, *id_token, *access_token;
	struct json_object *claims;
	const struct sso_vendor *vendor; /* of OAUTH2: a vendor with its own protocol */
	char state[65], sha256[65];
};

static void free_login(struct req *req)
{
	struct sso *x = req_state(req, sso);

	json_object_put(x->who.settings);
	json_object_put(x->claims);
}

static const char *setting(const struct sso *x, const char *key)
{
	return json_get_string(x->who.settings, key);
}

static const char *keep_text(struct req *req, struct str s)
{
	return s.n ? arena_dup(&req->arena, s.p, s.n) : NULL;
}

static void add_param(struct buf *b, const char *key, const char *value)
{
	buf_addf(b, "%s%s=", b->n && b->p[b->n - 1] != '?' ? "&" : "", key);
	buf_add_url(b, value, strlen(value));
}

/* --- the beginning --- */

static char *state_text(struct req *req, const struct sso *x)
{
	/* WeCom accepts only letters and digits */
	return arena_printf(&req->arena, "s1%c%lld%c%lld%c%s", x->vendor ? 'x' : '.',
		(long long)x->who.tenant_id, x->vendor ? 'x' : '.', (long long)x->login_id,
		x->vendor ? 'x' : '.', x->state);
}

/* The configured value, or the vendor's default. */
static const char *endpoint_of(const struct sso *x, const char *key)
{
	const struct sso_vendor *v = x->vendor;
	const char *set = setting(x, key);

	if (set || !v)
		return set;
	return strcmp(key, "authorization_endpoint") == 0 ? v->authorization_endpoint
	       : strcmp(key, "token_endpoint") == 0       ? v->token_endpoint
							  : v->userinfo_endpoint;
}

static void add_vendor_params(struct buf *url, const struct sso *x)
{
	if (x->vendor->authorize_more)
		buf_addf(url, "%s%s", url->p[url->n - 1] == '?' ? "" : "&",
			x->vendor->authorize_more);
	if (setting(x, "agent_id"))
		add_param(url, "agentid", setting(x, "agent_id"));
}

static struct outcome *on_authorize(struct req *req, const struct sso_documents *d)
{
	struct sso *x = req_state(req, sso);
	const char *endpoint = x->kind == OIDC ? json_get_string(d ? d->metadata : NULL,
							 "authorization_endpoint")
					       : endpoint_of(x, "authorization_endpoint"),
		   *scopes = setting(x, "scopes");
	struct buf url = { 0 }, challenge = { 0 };
	unsigned char digest[32];
	const char *headers;
	char *redirect, *state;

	if (!endpoint)
		return sso_fail_provider(req);
	redirect = arena_printf(&req->arena, "%s" CALLBACK, options.http_url);
	state = state_text(req, x);
	crypto_sha256(x->verifier, strlen(x->verifier), digest);
	buf_add_base64url(&challenge, digest, sizeof(digest));
	buf_addf(&url, "%s%s", endpoint, strchr(endpoint, '?') ? "" : "?");
	if (x->vendor)
		add_vendor_params(&url, x);
	add_param(&url, "response_type", "code");
	add_param(&url, x->vendor ? x->vendor->client_param : "client_id", x->client_id);
	add_param(&url, "redirect_uri", redirect);
	if (!scopes)
		scopes = x->kind == OIDC ? "openid email profile"
			 : x->vendor     ? x->vendor->scope
					 : "";
	if (scopes)
		add_param(&url, "scope", scopes);
	add_param(&url, "state", state);
	if (x->kind == OIDC)
		add_param(&url, "nonce", x->nonce);
	if (!x->vendor || x->vendor->pkce) {
		add_param(&url, "code_challenge", buf_cstr(&challenge));
		add_param(&url, "code_challenge_method", "S256");
	}
	headers = arena_printf(&req->arena,
		"Location: %s\r\nSet-Cookie: sd_login=%s; Path=" CALLBACK
		"; Max-Age=600; HttpOnly; SameSite=Lax%s\r\nCache-Control: "
		"no-store\r\n",
		buf_cstr(&url), x->sha256,
		strncmp(options.http_url, "https://", 8) == 0 ? "; Secure" : "");
	buf_free(&url);
	buf_free(&challenge);
	return req_reply_raw(req, 302, "text/plain", headers, "", 0);
}

static struct outcome *on_begun(struct req *req, enum db_error error, const PGresult *rows)
{
	struct sso *x = req_state(req, sso);

	if (error != DB_OK)
		return req_fail_db(req, error);
	x->login_id = db_int(rows, 0, 0);
	if (x->kind == SAML)
		return saml_redirect(
			req, x->who.settings, x->client_id, state_text(req, x), x->sha256);
	return x->kind == OIDC ? sso_documents_get(req, setting(x, "issuer"), false, on_authorize)
			       : on_authorize(req, NULL);
}

static bool read_provider(
	struct req *req, struct sso *x, const PGresult *rows, int kind, int client, int settings)
{
	struct json_error err;
	struct str doc = db_text(rows, 0, settings);

	x->kind = str_is(db_text(rows, 0, kind), "oidc")   ? OIDC
		  : str_is(db_text(rows, 0, kind), "saml") ? SAML
							   : OAUTH2;
	x->client_id = keep_text(req, db_text(rows, 0, client));
	x->who.settings = json_read(doc.p, doc.n, &err);
	x->vendor = x->kind == OAUTH2 ? sso_vendor_find(setting(x, "vendor")) : NULL;
	return x->who.settings && x->client_id && (x->kind == OAUTH2 || setting(x, "issuer"));
}

static struct outcome *on_provider(struct req *req, enum db_error error, const PGresult *rows)
{
	struct sso *x = req_state(req, sso);
	const char **p = arena_alloc(&req->arena, 7 * sizeof(*p));
	struct buf sealed = { 0 };
	char *verifier = arena_alloc(&req->arena, 65), *nonce = arena_alloc(&req->arena, 65);

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0 || !read_provider(req, x, rows, 2, 4, 5))
		return sso_fail_page(req, 404,
			"Single sign-on is not configured for this customer.",
			"该客户未配置单点登录。");
	x->who.tenant_id = db_int(rows, 0, 0);
	x->who.provider_id = db_int(rows, 0, 1);
	crypto_random_hex(x->state, 32);
	crypto_sha256_hex(x->state, 64, x->sha256);
	crypto_random_hex(verifier, 32);
	crypto_random_hex(nonce, 16);
	x->verifier = verifier;
	x->nonce = nonce;
	field_seal(&sealed, "verifier", str_of(verifier), clock_now_us() / US_PER_S);
	p[0] = req_int(req, x->who.tenant_id);
	p[1] = req_int(req, x->who.provider_id);
	p[2] = x->sha256;
	p[3] = nonce;
	p[4] = arena_dup(&req->arena, sealed.p, sealed.n);
	p[5] = x->who.next;
	p[6] = req_int(req, clock_now_us());
	buf_free(&sealed);
	return req_query_job(req, &sql_sso_login_new, p, on_begun);
}

/* Accept only a path on our own page. */
static const char *read_next(const char *next)
{
	return next && strncmp(next, "/#/", 3) == 0 && strlen(next) < 200 &&
			       strspn(next + 3, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
						"YZ0123456789/-_") == strlen(next + 3)
		       ? next
		       : NULL;
}

struct outcome *sso_start(struct req *req)
{
	const struct in_sso_start *in = REQ_INPUT(req, sso_start);
	struct sso *x = req_state_new_of(req, sso, sso_identity);
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p));

	req->cleanup = x->who.forget = free_login;
	p[0] = in->tenant;
	p[1] = in->has_provider ? req_int(req, in->provider) : NULL;
	x->who.next = read_next(in->next);
	return req_query_job(req, &sql_sso_provider_find, p, on_provider);
}

static struct outcome *on_discovered(struct req *req, enum db_error error, const PGresult *rows)
{
	const char *data = "{\"sso\":false}";

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows))
		data = arena_printf(&req->arena,
			"{\"sso\":true,\"location\":\"/api/v1/auth/sso/"
			"start?tenant=%lld&provider=%lld\"}",
			(long long)db_int(rows, 0, 0), (long long)db_int(rows, 0, 1));
	return req_reply(req, 200, data, strlen(data));
}

void sso_discover_check(struct req *req)
{
	const char *mail = REQ_INPUT(req, sso_discover)->email,
		   *at = mail ? strrchr(mail, '@') : NULL;

	if (mail && (!at || !at[1]))
		req_note_invalid(req, "email", "a mail address, such as user@example.com",
			"邮箱地址，如 user@example.com");
}

/* The login service for a mail address, by its domain alone: the answer does not reveal whether the
 * user exists. */
struct outcome *sso_discover(struct req *req)
{
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p)),
		   *at = strrchr(REQ_INPUT(req, sso_discover)->email, '@');
	char *domain;

	p[0] = p[1] = NULL;
	p[2] = domain = arena_printf(&req->arena, "%s", at + 1);
	for (; *domain; domain++)
		*domain = (char)(*domain >= 'A' && *domain <= 'Z' ? *domain + 32 : *domain);
	return req_query_job(req, &sql_sso_provider_find, p, on_discovered);
}

/* --- the callback --- */

/* OIDC: email_verified decides. If the customer's own provider does not send it, a setting can tell
 * us to trust the address. */
static void read_claims(struct req *req, struct sso *x, struct json_object *claims)
{
	const char *mail = setting(x, "email_field"), *name = setting(x, "name_field");
	struct json_object *verified = json_get(claims, "email_verified");

	mail = mail ? mail : x->vendor ? x->vendor->email_field : "email";
	name = name ? name : x->vendor ? x->vendor->name_field : "name";
	x->who.mail = sso_text(req, json_get_string(claims, mail), 254);
	x->who.name = sso_text(req, json_get_string(claims, name), 100);
	x->who.mail_verified = json_object_get_boolean(verified) ||
			       (!verified && json_get_bool(x->who.settings, "trust_email", false));
	if (x->who.mail && (!strchr(x->who.mail, '@') || strpbrk(x->who.mail, " <>,;\"\r\n")))
		x->who.mail = NULL;
}

static struct json_object *vendor_data(struct req *req, struct json_object *answer)
{
	const struct sso *x = req_state(req, sso);
	struct json_object *data = answer ? sso_vendor_data(x->vendor, answer) : NULL;

	if (answer && !data)
		log_warn(&req->who, "%s refused %s=%lld", x->vendor->name, x->vendor->error_field,
			(long long)json_get_int(answer, x->vendor->error_field, 0));
	return data;
}

/* Fetch name and mail address if the first response only identifies the user. If that fails, the
 * user is still identified. */
static struct outcome *on_profile(struct req *req, struct json_object *answer)
{
	struct sso *x = req_state(req, sso);
	struct json_object *data = vendor_data(req, answer), *none;
	struct outcome *o;

	if (data) {
		read_claims(req, x, data);
		return sso_enter(req, data);
	}
	none = json_object_new_object();
	o = sso_enter(req, none);
	json_object_put(none);
	return o;
}

static struct outcome *ask_profile(struct req *req)
{
	struct sso *x = req_state(req, sso);
	const char *set = setting(x, "profile_endpoint");
	struct buf url = { 0 };
	struct outcome *o;

	buf_addf(&url, "%s?", set ? set : x->vendor->profile_endpoint);
	add_param(&url, "access_token", x->access_token);
	add_param(&url, x->vendor->subject_field, x->who.subject);
	o = sso_ask(req, buf_cstr(&url), NULL, NULL, on_profile);
	buf_free(&url);
	return o;
}

static struct outcome *on_userinfo(struct req *req, struct json_object *answer)
{
	struct sso *x = req_state(req, sso);
	const char *field = setting(x, "subject_field"), *subject;
	struct json_object *v;

	if (x->vendor)
		answer = vendor_data(req, answer);
	if (!answer)
		return sso_fail_provider(req);
	if (!field)
		field = x->vendor ? x->vendor->subject_field : "id";
	v = json_get(answer, x->kind == OIDC ? "sub" : field);
	subject = v && (json_object_is_type(v, json_type_string) ||
			       json_object_is_type(v, json_type_int))
			  ? json_object_get_string(v)
			  : NULL;
	subject = sso_text(req, subject, 300);
	if (!subject)
		return sso_fail_provider(req);
	if (x->kind == OIDC && strcmp(subject, x->who.subject) != 0) /* OpenID Connect Core 5.3.2 */
		return sso_fail_provider(req);
	x->who.subject = subject;
	if (x->vendor && x->vendor->profile_endpoint)
		return ask_profile(req);
	read_claims(req, x, answer);
	return sso_enter(req, answer);
}

/* The token goes into the query, with the code, if there is no header for it. */
static struct outcome *ask_vendor_userinfo(struct req *req)
{
	struct sso *x = req_state(req, sso);
	const char *endpoint = endpoint_of(x, "userinfo_endpoint"), *token = x->access_token;
	struct buf url = { 0 };
	struct outcome *o;

	buf_addf(&url, "%s", endpoint);
	if (!x->vendor->token_header) {
		buf_addc(&url, '?');
		add_param(&url, "access_token", token);
		add_param(&url, "code", x->code);
	}
	o = sso_ask(req, buf_cstr(&url), NULL,
		x->vendor->token_header ? arena_printf(&req->arena, "%.*s%s",
						  (int)(strlen(x->vendor->token_header) - 2),
						  x->vendor->token_header, token)
					: NULL,
		on_userinfo);
	buf_free(&url);
	return o;
}

static struct outcome *ask_userinfo(struct req *req, const char *endpoint)
{
	struct sso *x = req_state(req, sso);

	return sso_ask(req, endpoint, NULL,
		arena_printf(&req->arena, "Authorization: Bearer %s", x->access_token),
		on_userinfo);
}

static struct outcome *on_keys(struct req *req, const struct sso_documents *d)
{
	struct sso *x = req_state(req, sso);
	const char *why = "the provider's keys cannot be read", *userinfo, *sub;
	enum idtoken_result result = IDTOKEN_BAD;

	if (d)
		result = idtoken_verify(
			(struct str){ d->keys, d->keys_n }, str_of(x->id_token), &x->claims, &why);
	if (result == IDTOKEN_UNKNOWN_KEY && !x->retried) { /* the provider may have new keys */
		x->retried = true;
		return sso_documents_get(req, setting(x, "issuer"), true, on_keys);
	}
	if (result == IDTOKEN_OK)
		why = idtoken_claims_broken(x->claims, setting(x, "issuer"), x->client_id, x->nonce,
			clock_now_us() / US_PER_S);
	sub = result == IDTOKEN_OK && !why ? sso_text(req, json_get_string(x->claims, "sub"), 300)
					   : NULL;
	if (!sub) {
		log_warn(&req->who, "identity token refused tenant=%lld provider=%lld why=\"%s\"",
			(long long)x->who.tenant_id, (long long)x->who.provider_id,
			why ? why : "nobody's");
		audit_note(req, x->who.tenant_id, false, 0, "", "auth.sso", "refused", 401);
		return sso_fail_provider(req);
	}
	x->who.subject = sub;
	x->who.sid = sso_text(req, json_get_string(x->claims, "sid"), 300);
	read_claims(req, x, x->claims);
	userinfo = json_get_string(d->metadata, "userinfo_endpoint");
	if (!x->who.mail && userinfo && x->access_token)
		return ask_userinfo(req, userinfo);
	return sso_enter(req, x->claims);
}

static struct outcome *on_tokens(struct req *req, struct json_object *answer)
{
	struct sso *x = req_state(req, sso);

	if (x->vendor)
		answer = vendor_data(req, answer);
	x->access_token = sso_text(req,
		json_get_string(answer, x->vendor ? x->vendor->token_field : "access_token"), 8192);
	x->id_token = sso_text(req, json_get_string(answer, "id_token"), 16384);
	if (x->access_token && strpbrk(x->access_token, "\r\n"))
		x->access_token = NULL;
	if (x->kind == OIDC)
		return x->id_token ? sso_documents_get(req, setting(x, "issuer"), false, on_keys)
				   : sso_fail_provider(req);
	if (x->vendor)
		return x->access_token ? ask_vendor_userinfo(req) : sso_fail_provider(req);
	return x->access_token && setting(x, "userinfo_endpoint")
		       ? ask_userinfo(req, setting(x, "userinfo_endpoint"))
		       : sso_fail_provider(req);
}

static struct outcome *exchange_vendor(struct req *req)
{
	struct sso *x = req_state(req, sso);
	struct buf url = { 0 }, body = { 0 };
	struct outcome *o;

	buf_adds(&url, endpoint_of(x, "token_endpoint"));
	sso_vendor_ask_token(x->vendor, x->client_id, x->secret, x->code, x->verifier,
		arena_printf(&req->arena, "%s" CALLBACK, options.http_url), &url, &body);
	o = sso_ask(req, buf_cstr(&url), body.n ? buf_cstr(&body) : NULL, NULL, on_tokens);
	OPENSSL_cleanse(url.p, url.n);
	if (body.n)
		OPENSSL_cleanse(body.p, body.n);
	buf_free(&url);
	buf_free(&body);
	return o;
}

static struct outcome *exchange(struct req *req, const struct sso_documents *d)
{
	struct sso *x = req_state(req, sso);
	const char *endpoint = x->kind == OIDC
				       ? json_get_string(d ? d->metadata : NULL, "token_endpoint")
				       : setting(x, "token_endpoint"),
		   *authorization = NULL, *method = setting(x, "token_auth");
	struct buf form = { 0 }, pair = { 0 }, basic = { 0 };
	struct outcome *o;

	if (!endpoint)
		return sso_fail_provider(req);
	add_param(&form, "grant_type", "authorization_code");
	add_param(&form, "code", x->code);
	add_param(
		&form, "redirect_uri", arena_printf(&req->arena, "%s" CALLBACK, options.http_url));
	add_param(&form, "code_verifier", x->verifier);
	if (x->secret && !(method && strcmp(method, "client_secret_post") == 0)) {
		/* RFC 6749 2.3.1: both parts are form-encoded first */
		add_param(&pair, "", x->client_id);
		buf_addc(&pair, ':');
		{
			struct buf secret = { 0 };

			add_param(&secret, "", x->secret);
			buf_add(&pair, secret.p + 1, secret.n - 1);
			buf_free(&secret);
		}
		buf_adds(&basic, "Authorization: Basic ");
		buf_add_base64(&basic, pair.p + 1, pair.n - 1);
		authorization = arena_dup(&req->arena, basic.p, basic.n);
	} else {
		add_param(&form, "client_id", x->client_id);
		if (x->secret)
			add_param(&form, "client_secret", x->secret);
	}
	o = sso_ask(req, endpoint, buf_cstr(&form), authorization, on_tokens);
	OPENSSL_cleanse(form.p, form.n);
	buf_free(&form);
	buf_free(&pair);
	buf_free(&basic);
	return o;
}

static bool open_sealed(struct req *req, const char *column, struct str v, const char **out)
{
	struct buf text = { 0 };
	bool ok = field_open(&text, column, v);

	if (ok)
		*out = arena_dup(&req->arena, text.n ? text.p : "", text.n);
	buf_free(&text);
	return ok;
}

static struct outcome *on_login(struct req *req, enum db_error error, const PGresult *rows)
{
	struct sso *x = req_state(req, sso);

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return sso_fail_over(req);
	x->who.provider_id = db_int(rows, 0, 0);
	x->nonce = keep_text(req, db_text(rows, 0, 5));
	x->who.next = db_is_null(rows, 0, 7) ? NULL : keep_text(req, db_text(rows, 0, 7));
	if (!read_provider(req, x, rows, 1, 2, 4) ||
		!open_sealed(req, "verifier", db_text(rows, 0, 6), &x->verifier) ||
		(!db_is_null(rows, 0, 3) &&
			!open_sealed(req, "client_secret", db_text(rows, 0, 3), &x->secret)))
		return sso_fail_provider(req);
	if (x->vendor)
		return x->secret ? exchange_vendor(req) : sso_fail_provider(req);
	return x->kind == OIDC ? sso_documents_get(req, setting(x, "issuer"), false, exchange)
			       : exchange(req, NULL);
}

bool sso_read_state(const char *text, int64_t *out_tenant, int64_t *out_login, char sha256[65])
{
	long long tenant, login;
	char secret[66] = "";
	int end = 0;

	if (!text || strlen(text) > 120 ||
		(sscanf(text, "s1.%lld.%lld.%65[0-9a-f]%n", &tenant, &login, secret, &end) != 3 &&
			sscanf(text, "s1x%lldx%lldx%65[0-9a-f]%n", &tenant, &login, secret, &end) !=
				3) ||
		text[end] || strlen(secret) != 64 || tenant < 1 || login < 1)
		return false;
	*out_tenant = tenant;
	*out_login = login;
	crypto_sha256_hex(secret, 64, sha256);
	return true;
}

bool sso_began_here(const struct req *req, const char sha256[65])
{
	struct str v = req->http ? http_header_find(&req->http->head, "cookie") : (struct str){ 0 };
	const char *at = v.p ? memmem(v.p, v.n, "sd_login=", 9) : NULL;

	return at && (size_t)(v.p + v.n - at) >= 9 + 64 && crypto_equal(at + 9, sha256, 64);
}

struct outcome *sso_callback(struct req *req)
{
	const struct in_sso_callback *in = REQ_INPUT(req, sso_callback);
	struct sso *x = req_state_new_of(req, sso, sso_identity);
	const char **p = arena_alloc(&req->arena, 4 * sizeof(*p));

	req->cleanup = x->who.forget = free_login;
	x->code = in->code ? in->code : in->auth_code; /* DingTalk's name for it */
	if (!sso_read_state(in->state, &x->who.tenant_id, &x->login_id, x->sha256) ||
		!sso_began_here(req, x->sha256))
		return sso_fail_over(req);
	if (!x->code || strlen(x->code) > 4000)
		return sso_fail_provider(req);
	p[0] = req_int(req, x->who.tenant_id);
	p[1] = req_int(req, x->login_id);
	p[2] = x->sha256;
	p[3] = req_int(req, clock_now_us());
	return req_query_job(req, &sql_sso_login_use, p, on_login);
}

const struct feature sso_feature = {
	.name = "sso", .routes = sso_routes, .init = saml_init, .free = sso_free
};
