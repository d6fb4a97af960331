/* SPDX-License-Identifier: Apache-2.0
 * Reading what an identity provider signed (SAML 2.0 core and bindings), over libxml2 and xmlsec1.
 * What is refused outright: a DTD, comments, an ID that is there twice, more than one assertion, an
 * encrypted one, a signature that is not a child of what it signs, references to anything else,
 * algorithms other than SHA-256 with RSA or ECDSA. The key is the pinned certificate's, never one
 * that the document brings. */
#include "worker.h"

/* clang-format off: xmlsec.h must come before its others */
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/errors.h>
#include <xmlsec/xmltree.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/openssl/app.h>
#include <xmlsec/openssl/crypto.h>
/* clang-format on */

#define NS_PROTOCOL "urn:oasis:names:tc:SAML:2.0:protocol"
#define NS_ASSERTION "urn:oasis:names:tc:SAML:2.0:assertion"
#define NS_SIGNATURE "http://www.w3.org/2000/09/xmldsig#"
#define DEPTH_MAX 64
#define STR_OF(x) ((const char *)(x))

struct scan {
	xmlDocPtr doc;
	int assertions;
	const char *why;
};

static void quiet(void *arg, const char *fmt, ...)
{
	(void)arg;
	(void)fmt;
}

static void quiet_xmlsec(const char *file, int line, const char *func, const char *object,
	const char *subject, int reason, const char *msg)
{
	(void)file, (void)line, (void)func, (void)object, (void)subject, (void)reason, (void)msg;
}

void saml_init(void)
{
	xmlInitParser();
	xmlSetGenericErrorFunc(NULL, quiet);
	if (xmlSecInit() < 0 || xmlSecOpenSSLAppInit(NULL) < 0 || xmlSecOpenSSLInit() < 0)
		die("worker: xmlsec does not start");
	xmlSecErrorsSetCallback(quiet_xmlsec);
}

/* --- looking for elements --- */

static bool is(xmlNodePtr n, const char *ns, const char *name)
{
	return n && n->type == XML_ELEMENT_NODE && n->ns && strcmp(STR_OF(n->ns->href), ns) == 0 &&
	       strcmp(STR_OF(n->name), name) == 0;
}

/* The only child of this name; NULL when there is none, or two. */
static xmlNodePtr only(xmlNodePtr parent, const char *ns, const char *name)
{
	xmlNodePtr found = NULL;

	for (xmlNodePtr n = parent ? parent->children : NULL; n; n = n->next) {
		if (!is(n, ns, name))
			continue;
		if (found)
			return NULL;
		found = n;
	}
	return found;
}

/* The whole document, once: every ID registered, none twice. */
static void scan(struct scan *s, xmlNodePtr n, int depth)
{
	for (; n && !s->why; n = n->next) {
		xmlAttrPtr id = n->type == XML_ELEMENT_NODE ? xmlHasProp(n, BAD_CAST "ID") : NULL;

		if (depth > DEPTH_MAX)
			s->why = "nested too deep";
		if (n->type == XML_COMMENT_NODE || n->type == XML_PI_NODE ||
			n->type == XML_ENTITY_REF_NODE)
			s->why = "comments, processing instructions and entities are refused";
		if (is(n, NS_ASSERTION, "EncryptedAssertion") || is(n, NS_ASSERTION, "EncryptedID"))
			s->why = "encrypted parts are not read";
		if (is(n, NS_ASSERTION, "Assertion"))
			s->assertions++;
		if (id) {
			xmlChar *v = xmlGetProp(n, BAD_CAST "ID");

			if (!v || !*v || xmlGetID(s->doc, v) || !xmlAddID(NULL, s->doc, v, id))
				s->why = "an ID that is empty or there twice";
			xmlFree(v);
		}
		if (n->type == XML_ELEMENT_NODE)
			scan(s, n->children, depth + 1);
	}
}

/* --- the signature --- */

static bool refers_to_parent(xmlNodePtr signature)
{
	xmlNodePtr info = only(signature, NS_SIGNATURE, "SignedInfo"),
		   ref = only(info, NS_SIGNATURE, "Reference");
	xmlChar *uri = ref ? xmlGetProp(ref, BAD_CAST "URI") : NULL,
		*id = xmlGetProp(signature->parent, BAD_CAST "ID");
	bool ok = uri && id && uri[0] == '#' && xmlStrcmp(uri + 1, id) == 0 &&
		  !only(signature, NS_SIGNATURE, "Object");

	xmlFree(uri);
	xmlFree(id);
	return ok;
}

static bool allow(xmlSecDSigCtxPtr c)
{
	static xmlSecTransformId (*const references[])(void) = { xmlSecTransformEnvelopedGetKlass,
		xmlSecTransformExclC14NGetKlass, xmlSecOpenSSLTransformSha256GetKlass };
	static xmlSecTransformId (*const signatures[])(void) = { xmlSecTransformExclC14NGetKlass,
		xmlSecOpenSSLTransformRsaSha256GetKlass,
		xmlSecOpenSSLTransformEcdsaSha256GetKlass };
	bool ok = true;

	c->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
	for (size_t i = 0; i < ARRAY_LEN(references); i++)
		ok = ok && xmlSecDSigCtxEnableReferenceTransform(c, references[i]()) == 0;
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++)
		ok = ok && xmlSecDSigCtxEnableSignatureTransform(c, signatures[i]()) == 0;
	return ok;
}

static bool signature_holds(xmlNodePtr signature, const char *cert)
{
	xmlSecDSigCtxPtr c = xmlSecDSigCtxCreate(NULL);
	bool ok = c && refers_to_parent(signature) && allow(c);

	if (ok)
		c->signKey = xmlSecOpenSSLAppKeyLoadMemory(BAD_CAST cert, (xmlSecSize)strlen(cert),
			xmlSecKeyDataFormatCertPem, NULL, NULL, NULL);
	ok = ok && c->signKey && xmlSecDSigCtxVerify(c, signature) == 0 &&
	     c->status == xmlSecDSigStatusSucceeded &&
	     xmlSecPtrListGetSize(&c->signedInfoReferences) == 1;
	if (c)
		xmlSecDSigCtxDestroy(c);
	return ok;
}

/* --- what it says --- */

static void add_attribute(struct buf *b, const char *name, xmlNodePtr n, const char *attribute)
{
	xmlChar *v = n ? xmlGetProp(n, BAD_CAST attribute) : NULL;

	if (v) {
		buf_addf(b, ",\"%s\":", name);
		buf_add_json(b, STR_OF(v), strlen(STR_OF(v)));
	}
	xmlFree(v);
}

static void add_content(struct buf *b, const char *before, xmlNodePtr n)
{
	xmlChar *v = xmlNodeGetContent(n);

	buf_adds(b, before);
	buf_add_json(b, v ? STR_OF(v) : "", v ? strlen(STR_OF(v)) : 0);
	xmlFree(v);
}

static void add_audiences(struct buf *b, xmlNodePtr conditions)
{
	int n = 0;

	buf_adds(b, ",\"audience\":[");
	for (xmlNodePtr r = conditions ? conditions->children : NULL; r; r = r->next)
		for (xmlNodePtr a = is(r, NS_ASSERTION, "AudienceRestriction") ? r->children : NULL;
			a; a = a->next)
			if (is(a, NS_ASSERTION, "Audience"))
				add_content(b, n++ ? "," : "", a);
	buf_addc(b, ']');
}

static void add_attributes(struct buf *b, xmlNodePtr assertion)
{
	int n = 0;

	buf_adds(b, ",\"attributes\":[");
	for (xmlNodePtr s = assertion->children; s; s = s->next)
		for (xmlNodePtr a = is(s, NS_ASSERTION, "AttributeStatement") ? s->children : NULL;
			a; a = a->next) {
			xmlChar *name = is(a, NS_ASSERTION, "Attribute")
						? xmlGetProp(a, BAD_CAST "Name")
						: NULL;

			for (xmlNodePtr v = name ? a->children : NULL; v; v = v->next)
				if (is(v, NS_ASSERTION, "AttributeValue")) {
					buf_adds(b, n++ ? ",[" : "[");
					buf_add_json(b, STR_OF(name), strlen(STR_OF(name)));
					add_content(b, ",", v);
					buf_addc(b, ']');
				}
			xmlFree(name);
		}
	buf_addc(b, ']');
}

static void add_assertion(struct buf *b, xmlNodePtr response, xmlNodePtr a, bool response_signed)
{
	xmlNodePtr subject = only(a, NS_ASSERTION, "Subject"),
		   name = only(subject, NS_ASSERTION, "NameID"),
		   confirmation = only(subject, NS_ASSERTION, "SubjectConfirmation"),
		   data = only(confirmation, NS_ASSERTION, "SubjectConfirmationData"),
		   conditions = only(a, NS_ASSERTION, "Conditions"),
		   statement = only(a, NS_ASSERTION, "AuthnStatement"),
		   issuer = only(a, NS_ASSERTION, "Issuer"),
		   code = only(only(response, NS_PROTOCOL, "Status"), NS_PROTOCOL, "StatusCode");

	buf_addf(b, "{\"ok\":true,\"kind\":\"response\",\"response_signed\":%s",
		response_signed ? "true" : "false");
	add_attribute(b, "destination", response, "Destination");
	add_attribute(b, "status", code, "Value");
	add_attribute(b, "id", a, "ID");
	if (issuer)
		add_content(b, ",\"issuer\":", issuer);
	if (name)
		add_content(b, ",\"name_id\":", name);
	add_attribute(b, "method", confirmation, "Method");
	add_attribute(b, "recipient", data, "Recipient");
	add_attribute(b, "in_response_to", data, "InResponseTo");
	add_attribute(b, "confirm_until", data, "NotOnOrAfter");
	add_attribute(b, "not_before", conditions, "NotBefore");
	add_attribute(b, "not_on_or_after", conditions, "NotOnOrAfter");
	add_attribute(b, "session_index", statement, "SessionIndex");
	add_audiences(b, conditions);
	add_attributes(b, a);
	buf_addc(b, '}');
}

static void add_logout(struct buf *b, xmlNodePtr r)
{
	xmlNodePtr issuer = only(r, NS_ASSERTION, "Issuer"), name = only(r, NS_ASSERTION, "NameID"),
		   session = only(r, NS_PROTOCOL, "SessionIndex");

	buf_adds(b, "{\"ok\":true,\"kind\":\"logout\"");
	add_attribute(b, "destination", r, "Destination");
	add_attribute(b, "id", r, "ID");
	add_attribute(b, "issued", r, "IssueInstant");
	add_attribute(b, "not_on_or_after", r, "NotOnOrAfter");
	if (issuer)
		add_content(b, ",\"issuer\":", issuer);
	if (name)
		add_content(b, ",\"name_id\":", name);
	if (session)
		add_content(b, ",\"session_index\":", session);
	buf_addc(b, '}');
}

static const char *read_document(xmlDocPtr doc, const char *cert, struct buf *out)
{
	xmlNodePtr root = xmlDocGetRootElement(doc), assertion, signature;
	struct scan s = { .doc = doc };

	if (doc->intSubset || doc->extSubset)
		return "a DTD is refused";
	scan(&s, doc->children, 0);
	if (s.why)
		return s.why;
	signature = only(root, NS_SIGNATURE, "Signature");
	if (is(root, NS_PROTOCOL, "LogoutRequest")) {
		if (!signature || !signature_holds(signature, cert))
			return "its signature does not hold";
		add_logout(out, root);
		return NULL;
	}
	assertion = only(root, NS_ASSERTION, "Assertion");
	if (!is(root, NS_PROTOCOL, "Response") || s.assertions != 1 || !assertion)
		return "not a Response with exactly one Assertion";
	/* one signature over the whole is enough; two must both hold */
	if (signature && !signature_holds(signature, cert))
		return "its signature does not hold";
	if (only(assertion, NS_SIGNATURE, "Signature") &&
		!signature_holds(only(assertion, NS_SIGNATURE, "Signature"), cert))
		return "the assertion's signature does not hold";
	if (!signature && !only(assertion, NS_SIGNATURE, "Signature"))
		return "it is not signed";
	add_assertion(out, root, assertion, signature != NULL);
	return NULL;
}

void saml_verify(const char *job, size_t n, struct buf *out)
{
	size_t cert_n = strnlen(job, n);
	const char *xml = job + cert_n + 1, *why = "no document";
	size_t xml_n = cert_n < n ? n - cert_n - 1 : 0;
	xmlDocPtr doc = NULL;

	if (xml_n && xml_n < (1u << 20)) {
		why = "a DTD is refused";
		if (!memmem(xml, xml_n, "<!", 2)) { /* DTDs, CDATA and comments all begin so */
			why = "no XML";
			doc = xmlReadMemory(xml, (int)xml_n, NULL, NULL,
				XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
		}
	}
	if (doc)
		why = read_document(doc, job, out);
	if (why)
		buf_addf(out, "{\"ok\":false,\"why\":\"%s\"}", why);
	if (doc)
		xmlFreeDoc(doc);
}
