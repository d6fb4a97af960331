/* SPDX-License-Identifier: Apache-2.0
 * The first half of a login with a customer's identity provider: find the provider, store the
 * login, and send the browser there. */
#include "base/clock.h"
#include "base/json.h"
#include "config/options.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "flow_gen.h"
#include "sql_gen.h"
#include "sso_login.h"

enum { FIND, STORE, ASK_DOCUMENTS, REDIRECT };

static char *state_text(struct req *req, const struct sso *x)
{
	/* WeCom accepts only letters and digits */
	return arena_printf(&req->arena, "s1%c%lld%c%lld%c%s", x->vendor ? 'x' : '.',
		(long long)x->who.tenant_id, x->vendor ? 'x' : '.', (long long)x->login_id,
		x->vendor ? 'x' : '.', x->state);
}

static void add_vendor_params(struct buf *url, const struct sso *x)
{
	if (x->vendor->authorize_more)
		buf_addf(url, "%s%s", url->p[url->n - 1] == '?' ? "" : "&",
			x->vendor->authorize_more);
	if (sso_login_setting(x, "agent_id"))
		sso_login_add_param(url, "agentid", sso_login_setting(x, "agent_id"));
}

static struct outcome *step_redirect(struct flow *f)
{
	struct req *req = f->req;
	struct sso *x = req_state(req, sso);
	const struct sso_documents *d = f->brought; /* of OIDC; NULL if they cannot be fetched */
	const char *endpoint = x->kind == OIDC ? json_get_string(d ? d->metadata : NULL,
							 "authorization_endpoint")
					       : sso_login_endpoint(x, "authorization_endpoint"),
		   *scopes = sso_login_setting(x, "scopes");
	struct buf url = { 0 }, challenge = { 0 };
	unsigned char digest[32];
	const char *headers;
	const char *redirect;
	char *state;

	if (!endpoint)
		return x->kind == OIDC && !d ? sso_fail_outside(req) : sso_fail_provider(req);
	redirect = sso_own_address(req, SSO_CALLBACK, &x->who);
	state = state_text(req, x);
	crypto_sha256(x->verifier, strlen(x->verifier), digest);
	buf_add_base64url(&challenge, digest, sizeof(digest));
	buf_addf(&url, "%s%s", endpoint, strchr(endpoint, '?') ? "" : "?");
	if (x->vendor)
		add_vendor_params(&url, x);
	sso_login_add_param(&url, "response_type", "code");
	sso_login_add_param(&url, x->vendor ? x->vendor->client_param : "client_id", x->client_id);
	sso_login_add_param(&url, "redirect_uri", redirect);
	if (!scopes)
		scopes = x->kind == OIDC ? "openid email profile"
			 : x->vendor     ? x->vendor->scope
					 : "";
	if (scopes)
		sso_login_add_param(&url, "scope", scopes);
	sso_login_add_param(&url, "state", state);
	if (x->kind == OIDC)
		sso_login_add_param(&url, "nonce", x->nonce);
	if (x->kind == OIDC && x->who.fresh) { /* then the ID token has auth_time */
		sso_login_add_param(&url, "prompt", "login");
		sso_login_add_param(&url, "max_age", "0");
	}
	if (!x->vendor || x->vendor->pkce) {
		sso_login_add_param(&url, "code_challenge", buf_cstr(&challenge));
		sso_login_add_param(&url, "code_challenge_method", "S256");
	}
	headers = sso_headers(
		req, buf_cstr(&url), sso_own_path(req, SSO_CALLBACK, &x->who), x->sha256, false);
	buf_free(&url);
	buf_free(&challenge);
	return req_reply_raw(req, 302, "text/plain", headers, "", 0);
}

static struct outcome *step_find(struct flow *f)
{
	const struct in_sso_start *in = REQ_INPUT(f->req, sso_start);

	flow_param_text(f, 0, in->tenant);
	if (in->has_provider)
		flow_param_int(f, 1, in->provider);
	return flow_query(f, STORE, &sql_sso_provider_find);
}

static struct outcome *step_store(struct flow *f)
{
	struct req *req = f->req;
	struct sso *x = req_state(req, sso);
	struct buf sealed = { 0 };
	char *verifier = arena_alloc(&req->arena, 65), *nonce = arena_alloc(&req->arena, 65);

	if (f->error != DB_OK)
		return req_fail_db(req, f->error);
	if (PQntuples(f->rows) == 0 || !sso_login_read(req, x, f->rows, 2, 4, 5))
		return sso_fail_page(req, 404,
			"Single sign-on is not configured for this customer.",
			"该客户未配置单点登录。");
	x->who.tenant_id = db_int(f->rows, 0, 0);
	x->who.provider_id = db_int(f->rows, 0, 1);
	x->version = db_int(f->rows, 0, 6);
	crypto_random_hex(x->state, 32);
	crypto_sha256_hex(x->state, 64, x->sha256);
	crypto_random_hex(verifier, 32);
	crypto_random_hex(nonce, 16);
	x->verifier = verifier;
	x->nonce = nonce;
	field_seal_at(&sealed, FIELD_SSO_LOGINS_VERIFIER, x->who.tenant_id, x->sha256,
		str_of(verifier), clock_now_us() / US_PER_S);
	flow_param_int(f, 0, x->who.tenant_id);
	flow_param_int(f, 1, x->who.provider_id);
	flow_param_text(f, 2, x->sha256);
	flow_param_text(f, 3, nonce);
	flow_param_text(f, 4, arena_dup(&req->arena, sealed.p, sealed.n));
	flow_param_text(f, 5, x->who.next);
	flow_param_int(f, 6, clock_now_us());
	flow_param_int(f, 7, x->version);
	flow_param_text(f, 8, x->who.fresh ? "true" : "false");
	buf_free(&sealed);
	return flow_query(f, ASK_DOCUMENTS, &sql_sso_login_new);
}

static struct outcome *step_ask_documents(struct flow *f)
{
	struct sso *x = req_state(f->req, sso);

	if (f->error != DB_OK)
		return req_fail_db(f->req, f->error);
	f->id = x->login_id = db_int(f->rows, 0, 0);
	if (x->kind == SAML)
		return saml_redirect(
			f->req, &x->who, x->client_id, state_text(f->req, x), x->sha256);
	if (x->kind == OIDC)
		return sso_documents_wait(f, REDIRECT, sso_login_setting(x, "issuer"), false);
	return flow_go(f, REDIRECT);
}

static const struct flow_step steps[] = {
	[FIND] = { "find", step_find },
	[STORE] = { "store", step_store },
	[ASK_DOCUMENTS] = { "ask_documents", step_ask_documents },
	[REDIRECT] = { "redirect", step_redirect },
};
static const struct flow_kind start_flow = { .name = "sso_start", .steps = steps };

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
	struct sso *x = sso_login_new(req);

	x->who.next = read_next(REQ_INPUT(req, sso_start)->next);
	x->who.fresh = REQ_INPUT(req, sso_start)->fresh;
	return flow_answer(&x->flow, &start_flow, req);
}

/* --- discovery --- */

static struct outcome *on_discovered(struct req *req, enum db_error error, const PGresult *rows)
{
	const char *data = "{\"sso\":false}";

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows))
		data = arena_printf(&req->arena,
			"{\"sso\":true,\"location\":\"/api/v1/auth/sso/"
			"start?tenant=%.*s&provider=%lld\"}",
			(int)db_text(rows, 0, 7).n, db_text(rows, 0, 7).p,
			(long long)db_int(rows, 0, 1));
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
