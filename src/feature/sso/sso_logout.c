/* SPDX-License-Identifier: Apache-2.0
 * An identity provider ends the sessions it began (OpenID Connect Back-Channel Logout 1.0). */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "config/options.h"
#include "crypto/idtoken.h"
#include "sso.h"
#include "saml.h"
#include "flow_gen.h"
#include "sql_gen.h"

enum { FIND, ASK_KEYS, END_SESSIONS, REPLY };

struct logout {
	struct flow flow;
	int64_t tenant_id, provider_id;
	const char *client_id, *issuer, *token;
	struct json_object *settings, *claims;
	bool retried;
};

static void free_logout(struct req *req)
{
	struct logout *x = req_state(req, logout);

	json_object_put(x->settings);
	json_object_put(x->claims);
}

static struct outcome *bad_logout(struct req *req, const char *why)
{
	log_warn(&req->who, "back-channel logout refused why=\"%s\"", why);
	return req_reply_raw(req, 400, "application/json", "Cache-Control: no-store\r\n",
		"{\"error\":\"invalid_request\"}", 27);
}

static struct outcome *step_reply(struct flow *f)
{
	if (f->error != DB_OK)
		return req_fail_db(f->req, f->error);
	if (PQntuples(f->rows) == 0)
		return bad_logout(f->req, "used before");
	return req_reply_raw(f->req, 200, "text/plain", "Cache-Control: no-store\r\n", "", 0);
}

static struct outcome *step_end_sessions(struct flow *f)
{
	struct req *req = f->req;
	struct logout *x = req_state(req, logout);
	const struct sso_documents *d = f->brought;
	const char *why = "the provider's keys cannot be read", *subject, *sid, *id;
	enum idtoken_result result = IDTOKEN_BAD;

	if (d)
		result = idtoken_verify(
			(struct str){ d->keys, d->keys_n }, str_of(x->token), &x->claims, &why);
	if (result == IDTOKEN_UNKNOWN_KEY && !x->retried) {
		x->retried = true;
		return sso_documents_wait(f, END_SESSIONS, x->issuer, true);
	}
	if (result == IDTOKEN_OK)
		why = idtoken_claims_broken(
			x->claims, x->issuer, x->client_id, NULL, clock_now_us() / US_PER_S);
	if (result == IDTOKEN_OK && !why &&
		!json_object_is_type(json_get(json_get(x->claims, claim_name(CLAIM_EVENTS)),
					     "http://schemas.openid.net/event/backchannel-logout"),
			json_type_object))
		why = "not a logout token";
	if (result != IDTOKEN_OK || why)
		return bad_logout(req, why);
	subject = sso_claim(req, x->claims, CLAIM_SUBJECT, NULL);
	sid = sso_claim(req, x->claims, CLAIM_SESSION, NULL);
	id = sso_claim(req, x->claims, CLAIM_TOKEN_ID, NULL);
	if (!id || (!subject && !sid))
		return bad_logout(req, "no subject");
	flow_param_int(f, 0, x->tenant_id);
	flow_param_int(f, 1, x->provider_id);
	flow_param_text(f, 2, subject);
	flow_param_text(f, 3, sid);
	flow_param_text(f, 4, id);
	flow_param_int(f, 5, clock_now_us());
	return flow_query(f, REPLY, &sql_sso_logout);
}

static struct outcome *step_find(struct flow *f)
{
	struct logout *x = req_state(f->req, logout);

	flow_param_int(f, 0, x->tenant_id);
	flow_param_int(f, 1, x->provider_id);
	return flow_query(f, ASK_KEYS, &sql_sso_provider_get);
}

static struct outcome *step_ask_keys(struct flow *f)
{
	struct req *req = f->req;
	struct logout *x = req_state(req, logout);
	struct json_error err;
	struct str doc, client;

	if (f->error != DB_OK)
		return req_fail_db(req, f->error);
	if (PQntuples(f->rows) == 0 || !str_is(db_text(f->rows, 0, 0), "oidc"))
		return bad_logout(req, "no such provider");
	client = db_text(f->rows, 0, 1);
	doc = db_text(f->rows, 0, 2);
	x->client_id = arena_dup(&req->arena, client.p, client.n);
	x->settings = json_read(doc.p, doc.n, &err);
	x->issuer = json_get_string(x->settings, "issuer");
	return x->issuer ? sso_documents_wait(f, END_SESSIONS, x->issuer, false)
			 : bad_logout(req, "no issuer");
}

static const struct flow_step steps[] = {
	[FIND] = { "find", step_find },
	[ASK_KEYS] = { "ask_keys", step_ask_keys },
	[END_SESSIONS] = { "end_sessions", step_end_sessions },
	[REPLY] = { "reply", step_reply },
};
static const struct flow_kind backchannel_flow = { .name = "sso_backchannel", .steps = steps };

struct outcome *sso_backchannel(struct req *req)
{
	const struct in_sso_backchannel *in = REQ_INPUT(req, sso_backchannel);
	struct logout *x = req_state_new(req, logout);

	req->cleanup = free_logout;
	x->tenant_id = in->tenant_id;
	x->provider_id = in->provider_id;
	x->token = in->logout_token;
	if (!x->token)
		return bad_logout(req, "no token");
	x->flow.id = x->provider_id;
	return flow_answer(&x->flow, &backchannel_flow, req);
}

/* --- a logout that begins here --- */

/* The browser logs out at the provider of ROWS that began the session, if the provider has an
 * address for that (SAML profiles 4.4; OpenID Connect RP-Initiated Logout 1.0). */
const char *sso_signout_location(
	struct req *req, const PGresult *rows, const char *subject, const char *sid)
{
	const char *location = NULL, *endpoint, *entity;
	struct json_object *settings;
	struct json_error err;
	struct buf url = { 0 };

	entity = arena_dup(&req->arena, db_text(rows, 0, 1).p, db_text(rows, 0, 1).n);
	settings = json_read(db_text(rows, 0, 2).p, db_text(rows, 0, 2).n, &err);
	endpoint = json_get_string(settings, "logout_endpoint");
	if (str_is(db_text(rows, 0, 0), "saml")) {
		location = saml_logout_location(req, settings, entity, subject, sid);
	} else if (endpoint) {
		buf_addf(&url, "%s%sclient_id=", endpoint, strchr(endpoint, '?') ? "&" : "?");
		buf_add_url(&url, entity, strlen(entity));
		buf_adds(&url, "&post_logout_redirect_uri=");
		buf_add_url(&url, options.http_url, strlen(options.http_url));
		location = arena_printf(&req->arena, "%s", buf_cstr(&url));
		buf_free(&url);
	}
	json_object_put(settings);
	return location;
}
