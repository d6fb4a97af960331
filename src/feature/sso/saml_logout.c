/* SPDX-License-Identifier: Apache-2.0
 * Single logout by SAML 2.0 in both directions: the provider ends a session with a signed
 * LogoutRequest; a user who logs out here is sent on to the provider with our LogoutRequest. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "config/options.h"
#include "sso.h"
#include "saml.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <stdio.h>

enum { FIND, VERIFY, END_SESSIONS, REPLY };

/* --- the provider ends a session --- */

static struct outcome *bad_logout(struct req *req, const char *why)
{
	log_warn(&req->who, "SAML logout refused why=\"%s\"", why);
	return req_reply_raw(req, 400, "text/plain", "Cache-Control: no-store\r\n", "refused\n", 8);
}

static struct outcome *step_reply(struct flow *f)
{
	struct req *req = f->req;
	struct saml *x = req_state(req, saml);
	const char *back = json_get_string(x->who.settings, "logout_endpoint");
	struct buf xml = { 0 };
	char now[32], id[33];
	const char *headers;

	if (f->error != DB_OK)
		return req_fail_db(req, f->error);
	if (PQntuples(f->rows) == 0)
		return bad_logout(req, "used before");
	if (!back)
		return req_reply_raw(req, 200, "text/plain", "Cache-Control: no-store\r\n", "", 0);
	time_format(clock_now_us(), 0, now);
	crypto_random_hex(id, 16);
	buf_addf(&xml,
		"<samlp:LogoutResponse xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
		"ID=\"_%s\" Version=\"2.0\" IssueInstant=\"%s\" "
		"InResponseTo=\"",
		id, now);
	saml_add_text(&xml, saml_said(x, "id"));
	buf_adds(&xml, "\"><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">");
	saml_add_text(&xml, x->client_id);
	buf_adds(&xml, "</saml:Issuer><samlp:Status><samlp:StatusCode "
		       "Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>"
		       "</samlp:Status></samlp:LogoutResponse>");
	headers = arena_printf(&req->arena, "Location: %s\r\nCache-Control: no-store\r\n",
		saml_location(req, back, "SAMLResponse", (struct str){ xml.p, xml.n }, NULL));
	buf_free(&xml);
	return req_reply_raw(req, 302, "text/plain", headers, "", 0);
}

static struct outcome *step_end_sessions(struct flow *f)
{
	struct req *req = f->req;
	struct saml *x = req_state(req, saml);
	const char *issuer = json_get_string(x->who.settings, "issuer"), *subject;
	int64_t at, now = clock_now_us();
	char slo[600];

	snprintf(slo, sizeof(slo), "%s" SAML_SLO "/%lld/%lld", options.http_url,
		(long long)x->who.tenant_id, (long long)x->who.provider_id);
	if (!saml_read_answer(x, f))
		return bad_logout(req, saml_said(x, "why"));
	if (strcmp(saml_said(x, "kind"), "logout") != 0 || !issuer ||
		strcmp(saml_said(x, "issuer"), issuer) != 0 ||
		!(subject = sso_claim(req, x->said, CLAIM_SUBJECT, "name_id")) ||
		(saml_said(x, "destination")[0] && strcmp(saml_said(x, "destination"), slo) != 0) ||
		!saml_instant(saml_said(x, "issued"), &at) || at > now + SAML_SKEW_US ||
		at < now - 10 * SAML_SKEW_US)
		return bad_logout(req, "wrong destination, or not valid at this time");
	flow_param_int(f, 0, x->who.tenant_id);
	flow_param_int(f, 1, x->who.provider_id);
	flow_param_text(f, 2, subject);
	flow_param_text(f, 3, sso_claim(req, x->said, CLAIM_SESSION, "session_index"));
	flow_param_text(f, 4, saml_said(x, "id"));
	flow_param_int(f, 5, now);
	return flow_query(f, REPLY, &sql_sso_logout);
}

static struct outcome *step_find(struct flow *f)
{
	struct saml *x = req_state(f->req, saml);

	flow_param_int(f, 0, x->who.tenant_id);
	flow_param_int(f, 1, x->who.provider_id);
	return flow_query(f, VERIFY, &sql_sso_provider_get);
}

static struct outcome *step_verify(struct flow *f)
{
	struct req *req = f->req;

	if (f->error != DB_OK)
		return req_fail_db(req, f->error);
	if (PQntuples(f->rows) == 0 ||
		!saml_read_settings(req, req_state(req, saml), f->rows, 0, 1, 2))
		return bad_logout(req, "no such provider");
	return saml_verify_wait(f, END_SESSIONS, REQ_INPUT(req, sso_slo)->saml_request);
}

static const struct flow_step steps[] = {
	[FIND] = { "find", step_find },
	[VERIFY] = { "verify", step_verify },
	[END_SESSIONS] = { "end_sessions", step_end_sessions },
	[REPLY] = { "reply", step_reply },
};
static const struct flow_kind slo_flow = { .name = "saml_slo", .steps = steps };

struct outcome *saml_slo(struct req *req)
{
	const struct in_sso_slo *in = REQ_INPUT(req, sso_slo);
	struct saml *x = req_state_new_of(req, saml, sso_identity);

	req->cleanup = saml_forget;
	x->who.tenant_id = in->tenant_id;
	x->who.provider_id = in->provider_id;
	if (!in->saml_request || !in->saml_request[0])
		return bad_logout(req, "no request");
	x->flow.id = x->who.provider_id;
	return flow_answer(&x->flow, &slo_flow, req);
}

/* --- we end one --- */

const char *saml_logout_location(struct req *req, struct json_object *settings, const char *entity,
	const char *subject, const char *sid)
{
	const char *endpoint = json_get_string(settings, "logout_endpoint"), *location;
	struct buf xml = { 0 };
	char now[32], id[33];

	if (!endpoint)
		return NULL;
	time_format(clock_now_us(), 0, now);
	crypto_random_hex(id, 16);
	buf_addf(&xml,
		"<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
		"xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_%s\" Version=\"2.0\" "
		"IssueInstant=\"%s\" Destination=\"",
		id, now);
	saml_add_text(&xml, endpoint);
	buf_adds(&xml, "\"><saml:Issuer>");
	saml_add_text(&xml, entity);
	buf_adds(&xml, "</saml:Issuer><saml:NameID>");
	saml_add_text(&xml, subject);
	buf_adds(&xml, "</saml:NameID>");
	if (sid) {
		buf_adds(&xml, "<samlp:SessionIndex>");
		saml_add_text(&xml, sid);
		buf_adds(&xml, "</samlp:SessionIndex>");
	}
	buf_adds(&xml, "</samlp:LogoutRequest>");
	location = saml_location(req, endpoint, "SAMLRequest", (struct str){ xml.p, xml.n }, NULL);
	buf_free(&xml);
	return location;
}

/* The provider's response to it: the session has ended already, whatever it says. */
struct outcome *saml_slo_back(struct req *req)
{
	return req_reply_raw(
		req, 302, "text/plain", "Location: /\r\nCache-Control: no-store\r\n", "", 0);
}
