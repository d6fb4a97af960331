/* SPDX-License-Identifier: Apache-2.0
 * Reads what an identity provider has signed (SAML 2.0 core and bindings), with libxml2 and
 * xmlsec1. Refused outright: DTDs, comments, duplicate IDs, more than one assertion, a signature
 * that is not a child of what it signs, references to anything else, algorithms other than SHA-256
 * with RSA or ECDSA. The key is that of the pinned certificate, never one from the document. An
 * encrypted assertion is decrypted with our key: AES-GCM with RSA-OAEP, or AES-CBC if the
 * surrounding response is signed (otherwise anyone who can change the cipher text can use us to
 * decrypt it: Jager and Somorovsky, How to Break XML Encryption, 2011). */
#include "saml.h"

/* clang-format off: xmlsec.h must come before its other headers */
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/errors.h>
#include <xmlsec/xmltree.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlenc.h>
#include <xmlsec/openssl/app.h>
#include <xmlsec/openssl/crypto.h>
/* clang-format on */

#define NS_PROTOCOL "urn:oasis:names:tc:SAML:2.0:protocol"
#define NS_ASSERTION "urn:oasis:names:tc:SAML:2.0:assertion"
#define NS_SIGNATURE "http://www.w3.org/2000/09/xmldsig#"
#define NS_ENCRYPTION "http://www.w3.org/2001/04/xmlenc#"
#define DEPTH_MAX 64
#define STR_OF(x) ((const char *)(x))

struct scan {
	xmlDocPtr doc;
	int assertions, encrypted;
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
		die("helper: xmlsec does not start");
	xmlSecErrorsSetCallback(quiet_xmlsec);
}

/* --- looking for elements --- */

static bool is(xmlNodePtr n, const char *ns, const char *name)
{
	return n && n->type == XML_ELEMENT_NODE && n->ns && strcmp(STR_OF(n->ns->href), ns) == 0 &&
	       strcmp(STR_OF(n->name), name) == 0;
}

/* The only child with this name; NULL if there is none, or more than one. */
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

/* Walk the whole document once: register every ID, refuse duplicates. */
static void scan(struct scan *s, xmlNodePtr n, int depth)
{
	for (; n && !s->why; n = n->next) {
		xmlAttrPtr id = n->type == XML_ELEMENT_NODE ? xmlHasProp(n, BAD_CAST "ID") : NULL;

		if (depth > DEPTH_MAX)
			s->why = "nested too deeply";
		if (n->type == XML_COMMENT_NODE || n->type == XML_PI_NODE ||
			n->type == XML_ENTITY_REF_NODE)
			s->why = "comments, processing instructions and entities are refused";
		if (is(n, NS_ASSERTION, "EncryptedID") || is(n, NS_ASSERTION, "EncryptedAttribute"))
			s->why = "only an assertion may be encrypted";
		s->encrypted += is(n, NS_ASSERTION, "EncryptedAssertion");
		if (is(n, NS_ASSERTION, "Assertion"))
			s->assertions++;
		if (id) {
			xmlChar *v = xmlGetProp(n, BAD_CAST "ID");

			if (!v || !*v || xmlGetID(s->doc, v) || !xmlAddID(NULL, s->doc, v, id))
				s->why = "an empty or duplicate ID";
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

/* --- decryption --- */

/* Is the algorithm that ELEMENT names one of those allowed in its place? */
static bool method_is(xmlNodePtr element, const char *const *allowed, size_t n)
{
	xmlNodePtr method = only(element, NS_ENCRYPTION, "EncryptionMethod");
	xmlChar *v = method ? xmlGetProp(method, BAD_CAST "Algorithm") : NULL;
	bool ok = false;

	for (size_t i = 0; v && i < n; i++)
		ok = ok || strcmp(STR_OF(v), allowed[i]) == 0;
	xmlFree(v);
	return ok;
}

static const char *const gcm[] = { "http://www.w3.org/2009/xmlenc11#aes128-gcm",
	"http://www.w3.org/2009/xmlenc11#aes256-gcm" };
static const char *const cbc[] = { NS_ENCRYPTION "aes128-cbc", NS_ENCRYPTION "aes256-cbc" };
static const char *const oaep[] = { NS_ENCRYPTION "rsa-oaep-mgf1p" };

static bool decrypt(xmlNodePtr data, const char *key_pem)
{
	xmlSecKeysMngrPtr keys = xmlSecKeysMngrCreate();
	xmlSecKeyPtr key = NULL;
	xmlSecEncCtxPtr c = NULL;
	bool ok = keys && xmlSecOpenSSLAppDefaultKeysMngrInit(keys) == 0;

	if (ok)
		key = xmlSecOpenSSLAppKeyLoadMemory((const xmlSecByte *)key_pem,
			(xmlSecSize)strlen(key_pem), xmlSecKeyDataFormatPem, NULL, NULL, NULL);
	ok = key && xmlSecOpenSSLAppDefaultKeysMngrAdoptKey(keys, key) == 0;
	c = ok ? xmlSecEncCtxCreate(keys) : NULL;
	/* the key is in the document, encrypted with ours, and nowhere else */
	ok = c && xmlSecPtrListAdd(&c->keyInfoReadCtx.enabledKeyData,
			  (xmlSecPtr)xmlSecKeyDataEncryptedKeyGetKlass()) == 0;
	ok = ok && xmlSecEncCtxDecrypt(c, data) == 0 && c->result && c->resultReplaced;
	if (c)
		xmlSecEncCtxDestroy(c);
	if (keys)
		xmlSecKeysMngrDestroy(keys);
	return ok;
}

/* Decrypt RESPONSE's only EncryptedAssertion in place. Returns the assertion, or NULL and sets
 * *WHY. */
static xmlNodePtr open_assertion(
	struct scan *s, xmlNodePtr response, bool is_signed, const char *key_pem)
{
	xmlNodePtr outer = only(response, NS_ASSERTION, "EncryptedAssertion"),
		   data = only(outer, NS_ENCRYPTION, "EncryptedData"),
		   key = only(only(data, NS_SIGNATURE, "KeyInfo"), NS_ENCRYPTION, "EncryptedKey");

	s->why = "unsupported encryption: AES-GCM with RSA-OAEP, or AES-CBC in a signed response";
	if (!data || !key || !method_is(key, oaep, ARRAY_LEN(oaep)) ||
		!(method_is(data, gcm, ARRAY_LEN(gcm)) ||
			(is_signed && method_is(data, cbc, ARRAY_LEN(cbc)))))
		return NULL;
	s->why = "cannot be decrypted";
	if (!decrypt(data, key_pem))
		return NULL;
	s->why = NULL;
	s->assertions = s->encrypted = 0;
	scan(s, outer->children, 1);
	if (!s->why && (s->assertions != 1 || s->encrypted))
		s->why = "not exactly one Assertion";
	return s->why ? NULL : only(outer, NS_ASSERTION, "Assertion");
}

/* --- contents --- */

static void add_attribute(struct buf *b, const char *name, xmlNodePtr n, const char *attribute)
{
	xmlChar *v = n ? xmlGetProp(n, BAD_CAST attribute) : NULL;

	if (v) {
		buf_addf(b, ",\"%s\":", name);
		buf_add_json(b, STR_OF(v), strlen(STR_OF(v)));
	}
	xmlFree(v);
}

/* Does N hold text alone? The text around or inside another element is not a value. */
static bool is_plain(xmlNodePtr n)
{
	for (xmlNodePtr c = n->children; c; c = c->next)
		if (c->type != XML_TEXT_NODE)
			return false;
	return true;
}

static void add_content(struct buf *b, const char *before, xmlNodePtr n)
{
	xmlChar *v = is_plain(n) ? xmlNodeGetContent(n) : NULL;

	buf_adds(b, before);
	buf_add_json(b, v ? STR_OF(v) : "", v ? strlen(STR_OF(v)) : 0);
	xmlFree(v);
}

/* A list for each AudienceRestriction: all of them must hold, each by one of its audiences
 * (saml-core 2.5.1.4). */
static void add_audiences(struct buf *b, xmlNodePtr conditions)
{
	int restrictions = 0;

	buf_adds(b, ",\"audience\":[");
	for (xmlNodePtr r = conditions ? conditions->children : NULL; r; r = r->next) {
		int n = 0;

		if (!is(r, NS_ASSERTION, "AudienceRestriction"))
			continue;
		buf_adds(b, restrictions++ ? ",[" : "[");
		for (xmlNodePtr a = r->children; a; a = a->next)
			if (is(a, NS_ASSERTION, "Audience"))
				add_content(b, n++ ? "," : "", a);
		buf_addc(b, ']');
	}
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
				if (is(v, NS_ASSERTION, "AttributeValue") && is_plain(v)) {
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
		   sender = only(response, NS_ASSERTION, "Issuer"),
		   code = only(only(response, NS_PROTOCOL, "Status"), NS_PROTOCOL, "StatusCode");

	buf_addf(b, "{\"ok\":true,\"kind\":\"response\",\"response_signed\":%s",
		response_signed ? "true" : "false");
	add_attribute(b, "destination", response, "Destination");
	add_attribute(b, "response_to", response, "InResponseTo");
	add_attribute(b, "status", code, "Value");
	if (sender)
		add_content(b, ",\"sender\":", sender);
	add_attribute(b, "id", a, "ID");
	if (issuer)
		add_content(b, ",\"issuer\":", issuer);
	if (name)
		add_content(b, ",\"name_id\":", name);
	add_attribute(b, "method", confirmation, "Method");
	add_attribute(b, "recipient", data, "Recipient");
	add_attribute(b, "in_response_to", data, "InResponseTo");
	add_attribute(b, "confirm_from", data, "NotBefore");
	add_attribute(b, "confirm_until", data, "NotOnOrAfter");
	add_attribute(b, "not_before", conditions, "NotBefore");
	add_attribute(b, "not_on_or_after", conditions, "NotOnOrAfter");
	add_attribute(b, "session_index", statement, "SessionIndex");
	add_attribute(b, "authn_instant", statement, "AuthnInstant");
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

static const char *read_document(
	xmlDocPtr doc, const char *cert, const char *key_pem, struct buf *out)
{
	xmlNodePtr root = xmlDocGetRootElement(doc), assertion, signature;
	struct scan s = { .doc = doc };

	if (doc->intSubset || doc->extSubset)
		return "DTDs are refused";
	scan(&s, doc->children, 0);
	if (s.why)
		return s.why;
	signature = only(root, NS_SIGNATURE, "Signature");
	if (is(root, NS_PROTOCOL, "LogoutRequest")) {
		if (!signature || !signature_holds(signature, cert))
			return "invalid signature";
		add_logout(out, root);
		return NULL;
	}
	if (!is(root, NS_PROTOCOL, "Response") || s.assertions + s.encrypted != 1)
		return "not a Response with exactly one Assertion";
	/* one signature over the whole is enough; if there are two, both must be valid */
	if (signature && !signature_holds(signature, cert))
		return "invalid signature";
	assertion = s.encrypted ? open_assertion(&s, root, signature != NULL, key_pem)
				: only(root, NS_ASSERTION, "Assertion");
	if (!assertion)
		return s.why ? s.why : "not a Response with exactly one Assertion";
	if (only(assertion, NS_SIGNATURE, "Signature") &&
		!signature_holds(only(assertion, NS_SIGNATURE, "Signature"), cert))
		return "invalid signature of the assertion";
	if (!signature && !only(assertion, NS_SIGNATURE, "Signature"))
		return "not signed";
	add_assertion(out, root, assertion, signature != NULL);
	return NULL;
}

void saml_verify(const char *job, size_t n, struct buf *out)
{
	size_t cert_n = strnlen(job, n),
	       key_n = cert_n < n ? strnlen(job + cert_n + 1, n - cert_n - 1) : 0;
	const char *key = job + cert_n + 1, *xml = key + key_n + 1, *why = "no document";
	size_t xml_n = cert_n + key_n + 2 <= n ? n - cert_n - key_n - 2 : 0;
	xmlDocPtr doc = NULL;

	if (xml_n && xml_n < (1u << 20)) {
		why = "DTDs are refused";
		if (!memmem(xml, xml_n, "<!",
			    2)) { /* DTDs, CDATA and comments all begin like this */
			why = "not XML";
			doc = xmlReadMemory(xml, (int)xml_n, NULL, NULL,
				XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
		}
	}
	if (doc)
		why = read_document(doc, job, key, out);
	if (why)
		buf_addf(out, "{\"ok\":false,\"why\":\"%s\"}", why);
	if (doc)
		xmlFreeDoc(doc);
}
