/* SPDX-License-Identifier: Apache-2.0
 * SAML 2.0 as a service provider: a signed AuthnRequest by redirect, the Response by POST, a
 * LogoutRequest by POST, our metadata. A helper verifies signatures and reads what they cover
 * (helper/saml.c). This file checks that the result is meant for us and for this login, and that it
 * is valid now and used for the first time. */
#include "core/hooks.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "crypto/secretfile.h"
#include "crypto/spkey.h"
#include "config/keyfile.h"
#include "config/options.h"
#include "sso.h"
#include "saml.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define DOCUMENT_MAX (192 * 1024)

enum { USE, VERIFY, CHECK, ENTER };

void saml_forget(struct req *req)
{
	struct saml *x = req_state(req, saml);

	json_object_put(x->who.settings);
	json_object_put(x->said);
	json_object_put(x->claims);
}

/* --- our key --- */

static const char not_a_key[] = "not an RSA key and certificate in PEM";

void saml_check(struct buf *faults)
{
	char *file = keyfile_beside(options.sso_saml_key_file, "saml.pem");
	const char *why = keyfile_fault(file);

	if (!why && access(file, F_OK) == 0 && !spkey_open(file, "sladesk"))
		why = not_a_key;
	if (why)
		buf_addf(faults, "sso.saml_key_file: %s: %s\n", file, why);
	free(file);
}

void saml_init(void)
{
	char *file = keyfile_beside(options.sso_saml_key_file, "saml.pem");

	hooks.signout_location = sso_signout_location;
	errno = 0;
	if (!spkey_open(file, "sladesk"))
		die("sso.saml_key_file: %s: %s", file,
			errno == EPERM ? secretfile_error(errno) : not_a_key);
	free(file);
}

/* --- to the provider --- */

void saml_add_text(struct buf *b, const char *s)
{
	for (; *s; s++)
		if (*s == '&')
			buf_adds(b, "&amp;");
		else if (*s == '<')
			buf_adds(b, "&lt;");
		else if (*s == '"')
			buf_adds(b, "&quot;");
		else
			buf_addc(b, *s);
}

/* Raw deflate, as the redirect binding requires (saml-bindings 3.4.4.1). */
static void add_deflated(struct buf *b, struct str xml)
{
	z_stream z = { 0 };
	unsigned char *out = xmalloc(xml.n + 64);

	bug_on(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) !=
		Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)xml.p;
	z.avail_in = (unsigned)xml.n;
	z.next_out = out;
	z.avail_out = (unsigned)xml.n + 64;
	bug_on(deflate(&z, Z_FINISH) != Z_STREAM_END);
	buf_add_base64(b, out, z.total_out);
	deflateEnd(&z);
	free(out);
}

static void write_request(struct buf *xml, const char *entity, const char *endpoint,
	const char *acs, const char *sha256, bool fresh)
{
	char now[32];

	time_format(clock_now_us(), 0, now);
	buf_addf(xml,
		"<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
		"ID=\"_%.40s\" Version=\"2.0\" IssueInstant=\"%s\" %s"
		"Destination=\"",
		sha256, now, fresh ? "ForceAuthn=\"true\" " : "");
	saml_add_text(xml, endpoint);
	buf_adds(xml, "\" ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" "
		      "AssertionConsumerServiceURL=\"");
	saml_add_text(xml, acs);
	buf_adds(xml, "\"><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">");
	saml_add_text(xml, entity);
	buf_adds(xml, "</saml:Issuer></samlp:AuthnRequest>");
}

const char *saml_location(struct req *req, const char *endpoint, const char *message,
	struct str xml, const char *state)
{
	struct buf packed = { 0 }, query = { 0 }, signature = { 0 };
	char *location;

	add_deflated(&packed, xml);
	buf_addf(&query, "%s=", message);
	buf_add_url(&query, packed.p, packed.n);
	if (state) {
		buf_adds(&query, "&RelayState=");
		buf_add_url(&query, state, strlen(state));
	}
	buf_adds(&query, "&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23rsa-sha256");
	spkey_sign(&signature, query.p, query.n);
	buf_adds(&query, "&Signature=");
	buf_add_url(&query, signature.p, signature.n);
	location = arena_printf(&req->arena, "%s%s%s", endpoint, strchr(endpoint, '?') ? "&" : "?",
		buf_cstr(&query));
	buf_free(&packed);
	buf_free(&query);
	buf_free(&signature);
	return location;
}

struct outcome *saml_redirect(struct req *req, const struct sso_identity *who, const char *entity,
	const char *state, const char *sha256)
{
	const char *endpoint = json_get_string(who->settings, "authorization_endpoint"), *headers;
	struct buf xml = { 0 };

	write_request(
		&xml, entity, endpoint, sso_own_address(req, SAML_ACS, who), sha256, who->fresh);
	/* the response is posted from another site, so only a cookie without SameSite is sent with
	 * it, and such a cookie must be Secure */
	headers = sso_headers(req,
		saml_location(req, endpoint, "SAMLRequest", (struct str){ xml.p, xml.n }, state),
		sso_own_path(req, SAML_ACS, who), sha256, true);
	buf_free(&xml);
	return req_reply_raw(req, 302, "text/plain", headers, "", 0);
}

/* --- the response --- */

const char *saml_said(const struct saml *x, const char *key)
{
	const char *v = json_get_string(x->said, key);

	return v ? v : "";
}

bool saml_instant(const char *text, int64_t *out)
{
	return text[0] && time_parse(str_of(text), out);
}

static size_t length_of(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

/* Are we among the audiences of each restriction, of which there is at least one? */
static bool audience_is(const struct saml *x)
{
	struct json_object *all = json_get(x->said, "audience");

	for (size_t i = 0; i < length_of(all); i++) {
		struct json_object *one = json_object_array_get_idx(all, i);
		bool ours = false;

		for (size_t j = 0; j < length_of(one); j++)
			ours |= str_is(json_str(json_object_array_get_idx(one, j)), x->client_id);
		if (!ours)
			return false;
	}
	return length_of(all) > 0;
}

/* The checks of SAML profiles 4.1.4.3. Returns NULL or the error. */
static const char *response_broken(struct req *req, struct saml *x)
{
	static const char *const begins[] = { "not_before", "confirm_from" };
	int64_t now = clock_now_us(), until, from;
	const char *issuer = json_get_string(x->who.settings, "issuer"),
		   *acs = sso_own_address(req, SAML_ACS, &x->who);
	char id[48];

	snprintf(id, sizeof(id), "_%.40s", x->sha256);
	if (strcmp(saml_said(x, "status"), "urn:oasis:names:tc:SAML:2.0:status:Success") != 0)
		return "the provider refused";
	/* a signed Response must name it (saml-bindings 3.5.5.2) */
	if ((json_get(x->said, "destination") || json_get_bool(x->said, "response_signed", true)) &&
		strcmp(saml_said(x, "destination"), acs) != 0)
		return "wrong destination";
	if (!issuer || strcmp(saml_said(x, "issuer"), issuer) != 0 ||
		(json_get(x->said, "sender") && strcmp(saml_said(x, "sender"), issuer) != 0))
		return "wrong issuer";
	if (strcmp(saml_said(x, "method"), "urn:oasis:names:tc:SAML:2.0:cm:bearer") != 0 ||
		strcmp(saml_said(x, "recipient"), acs) != 0)
		return "wrong recipient";
	if (strcmp(saml_said(x, "in_response_to"), id) != 0 ||
		(json_get(x->said, "response_to") && strcmp(saml_said(x, "response_to"), id) != 0))
		return "for another login";
	if (!audience_is(x))
		return "wrong audience";
	if (!saml_instant(saml_said(x, "confirm_until"), &until) || until + SAML_SKEW_US <= now)
		return "over";
	if (json_get(x->said, "not_on_or_after") &&
		(!saml_instant(saml_said(x, "not_on_or_after"), &until) ||
			until + SAML_SKEW_US <= now))
		return "over";
	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (json_get(x->said, begins[i]) &&
			(!saml_instant(saml_said(x, begins[i]), &from) ||
				from - SAML_SKEW_US > now))
			return "not valid yet";
	if (claim_read(x->said, CLAIM_SUBJECT, "name_id").state != CLAIM_GOOD ||
		claim_read(x->said, CLAIM_SESSION, "session_index").state == CLAIM_WRONG ||
		!saml_said(x, "id")[0])
		return "no subject";
	if (x->who.fresh && (!saml_instant(saml_said(x, "authn_instant"), &from) ||
				    !sso_is_fresh(&x->who, from)))
		return "the user did not log in anew";
	return NULL;
}

/* Attributes by name: a single value as text, several as a list, so that roles are read as from any
 * other provider. */
static struct json_object *attributes_of(const struct saml *x)
{
	struct json_object *out = json_object_new_object(), *list = json_get(x->said, "attributes");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *pair = json_object_array_get_idx(list, i);
		const char *name = json_object_get_string(json_object_array_get_idx(pair, 0));
		struct json_object *v = json_object_array_get_idx(pair, 1),
				   *there = json_get(out, name);

		if (!there) {
			json_object_object_add(out, name, json_object_get(v));
			continue;
		}
		if (!json_object_is_type(there, json_type_array)) {
			struct json_object *several = json_object_new_array();

			json_object_array_add(several, json_object_get(there));
			json_object_object_add(out, name, several);
			there = several;
		}
		json_object_array_add(there, json_object_get(v));
	}
	return out;
}

bool saml_read_answer(struct saml *x, const struct flow *f)
{
	struct json_error err;

	x->said = f->worked ? json_read(f->answer.p, f->answer.n, &err) : NULL;
	return json_get_bool(x->said, "ok", false);
}

/* The job for the helper: the certificate, our key for encrypted parts, and the document decoded
 * from base64. */
struct outcome *saml_verify_wait(struct flow *f, int step, const char *base64)
{
	struct req *req = f->req;
	const struct saml *x = req_state(req, saml);
	const char *key = spkey_pem();
	size_t n = strlen(base64), cert = strlen(x->certificate) + 1, ours = strlen(key) + 1;
	char *job = arena_alloc(&req->arena, cert + ours + n + 4),
	     *url = arena_printf(&req->arena, "%s", base64);
	size_t k = 0, made;
	struct outcome *o;

	for (size_t i = 0; i < n; i++) /* the two base64 alphabets differ in two letters; white
					  space and padding are skipped */
		if (!strchr(" \r\n\t=", url[i]))
			url[k++] = (char)(url[i] == '+' ? '-' : url[i] == '/' ? '_' : url[i]);
	memcpy(job, x->certificate, cert);
	memcpy(job + cert, key, ours);
	made = base64url_decode((struct str){ url, k }, (unsigned char *)job + cert + ours);
	o = !made || made > DOCUMENT_MAX ? sso_fail_provider(req)
					 : flow_work(f, step, WORK_SAML, job, cert + ours + made);
	OPENSSL_cleanse(job + cert, ours);
	return o;
}

bool saml_read_settings(
	struct req *req, struct saml *x, const PGresult *rows, int kind, int client, int settings)
{
	struct json_error err;
	struct str doc = db_text(rows, 0, settings), id = db_text(rows, 0, client);

	x->client_id = arena_dup(&req->arena, id.p, id.n);
	x->who.settings = json_read(doc.p, doc.n, &err);
	x->certificate = json_get_string(x->who.settings, "certificate");
	return str_is(db_text(rows, 0, kind), "saml") && x->certificate;
}

static struct outcome *step_use(struct flow *f)
{
	struct saml *x = req_state(f->req, saml);

	return sso_use_login(f, VERIFY, x->who.tenant_id, x->login_id, x->sha256);
}

static struct outcome *step_verify(struct flow *f)
{
	struct req *req = f->req;
	struct saml *x = req_state(req, saml);
	struct str next;

	if (f->error != DB_OK)
		return req_fail_db(req, f->error);
	if (PQntuples(f->rows) == 0)
		return sso_fail_over(req);
	if (!sso_asked_there(req, &x->who, f->rows))
		return sso_fail_over(req);
	next = db_text(f->rows, 0, 7);
	x->who.next = db_is_null(f->rows, 0, 7) ? NULL : arena_dup(&req->arena, next.p, next.n);
	x->who.fresh = db_int(f->rows, 0, 8) != 0;
	if (!saml_read_settings(req, x, f->rows, 1, 2, 4))
		return sso_fail_provider(req);
	return saml_verify_wait(f, CHECK, REQ_INPUT(req, sso_acs)->saml_response);
}

static struct outcome *step_check(struct flow *f)
{
	struct req *req = f->req;
	struct saml *x = req_state(req, saml);
	const char *why = NULL;

	if (!f->worked)
		return req_fail(req, ERR_BUSY, NULL);
	if (!saml_read_answer(x, f))
		why = saml_said(x, "why");
	else if (strcmp(saml_said(x, "kind"), "response") != 0)
		why = "no Response";
	else
		why = response_broken(req, x);
	if (why) {
		log_warn(&req->who, "SAML response refused tenant=%lld provider=%lld why=\"%s\"",
			(long long)x->who.tenant_id, (long long)x->who.provider_id, why);
		audit_note(req, x->who.tenant_id, false, 0, "", "auth.sso", "refused", 401);
		return sso_fail_provider(req);
	}
	flow_param_text(f, 0,
		arena_printf(&req->arena, "saml:%lld:%s", (long long)x->who.provider_id,
			saml_said(x, "id")));
	flow_param_int(f, 1, clock_now_us());
	return flow_query(f, ENTER, &sql_sso_once);
}

static struct outcome *step_enter(struct flow *f)
{
	struct req *req = f->req;
	struct saml *x = req_state(req, saml);
	const char *mail = json_get_string(x->who.settings, "email_field");

	if (f->error != DB_OK)
		return req_fail_db(req, f->error);
	if (PQntuples(f->rows) == 0)
		return sso_fail_over(req);
	x->claims = attributes_of(x);
	x->who.subject = sso_claim(req, x->said, CLAIM_SUBJECT, "name_id");
	if (!x->who.subject)
		return sso_fail_provider(req);
	x->who.sid = sso_claim(req, x->said, CLAIM_SESSION, "session_index");
	sso_read_person(req, &x->who, x->claims, NULL, NULL);
	if (claim_read(x->claims, CLAIM_EMAIL, mail).state == CLAIM_ABSENT &&
		claim_read(x->said, CLAIM_EMAIL, "name_id").state == CLAIM_GOOD)
		x->who.mail = x->who.subject;
	return sso_enter(req, x->claims);
}

static const struct flow_step steps[] = {
	[USE] = { "use", step_use },
	[VERIFY] = { "verify", step_verify },
	[CHECK] = { "check", step_check },
	[ENTER] = { "enter", step_enter },
};
static const struct flow_kind acs_flow = { .name = "saml_acs", .steps = steps };

struct outcome *saml_acs(struct req *req)
{
	const struct in_sso_acs *in = REQ_INPUT(req, sso_acs);
	struct saml *x = req_state_new_of(req, saml, sso_identity);

	req->cleanup = x->who.forget = saml_forget;
	x->who.tenant_id = in->tenant_id;
	x->who.provider_id = in->provider_id;
	if (!sso_read_state(in->relay_state, in->tenant_id, &x->login_id, x->sha256) ||
		!sso_began_here(req, x->sha256) || !in->saml_response || !in->saml_response[0])
		return sso_fail_over(req);
	x->flow.id = x->login_id;
	return flow_answer(&x->flow, &acs_flow, req);
}

/* --- our metadata --- */

static struct outcome *on_metadata(struct req *req, enum db_error error, const PGresult *rows)
{
	const struct in_sso_saml_metadata *in = REQ_INPUT(req, sso_saml_metadata);
	struct buf b = { 0 };
	struct outcome *o;
	char *entity;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0 || !str_is(db_text(rows, 0, 0), "saml"))
		return req_fail(req, ERR_NOT_FOUND, NULL);
	entity = arena_dup(&req->arena, db_text(rows, 0, 1).p, db_text(rows, 0, 1).n);
	buf_adds(&b, "<?xml version=\"1.0\"?>\n<md:EntityDescriptor "
		     "xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"");
	saml_add_text(&b, entity);
	buf_adds(&b,
		"\"><md:SPSSODescriptor AuthnRequestsSigned=\"true\" WantAssertionsSigned=\"true\" "
		"protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><md:"
		"KeyDescriptor use=\"signing\"><ds:KeyInfo "
		"xmlns:ds=\"http://www.w3.org/2000/09/"
		"xmldsig#\"><ds:X509Data><ds:X509Certificate>");
	spkey_certificate(&b);
	buf_adds(&b, "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
		     "<md:KeyDescriptor use=\"encryption\"><ds:KeyInfo "
		     "xmlns:ds=\"http://www.w3.org/2000/09/"
		     "xmldsig#\"><ds:X509Data><ds:X509Certificate>");
	spkey_certificate(&b);
	buf_adds(&b, "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
		     "<md:EncryptionMethod "
		     "Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"/>"
		     "<md:EncryptionMethod "
		     "Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>"
		     "</md:KeyDescriptor><md:SingleLogoutService "
		     "Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"");
	saml_add_text(&b, options.http_url);
	buf_addf(&b,
		SAML_SLO
		"/%lld/%lld\"/><md:AssertionConsumerService index=\"0\" isDefault=\"true\" "
		"Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"",
		(long long)in->tenant_id, (long long)in->provider_id);
	saml_add_text(&b, options.http_url);
	buf_addf(&b, SAML_ACS "/%lld/%lld\"/></md:SPSSODescriptor></md:EntityDescriptor>\n",
		(long long)in->tenant_id, (long long)in->provider_id);
	o = req_reply_raw(req, 200, "application/samlmetadata+xml",
		"Cache-Control: max-age=3600\r\n", b.p, b.n);
	buf_free(&b);
	return o;
}

struct outcome *saml_metadata(struct req *req)
{
	const struct in_sso_saml_metadata *in = REQ_INPUT(req, sso_saml_metadata);
	const char **p = arena_alloc(&req->arena, 2 * sizeof(*p));

	p[0] = req_int(req, in->tenant_id);
	p[1] = req_int(req, in->provider_id);
	return req_query_job(req, &sql_sso_provider_get, p, on_metadata);
}
