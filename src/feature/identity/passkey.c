/* SPDX-License-Identifier: Apache-2.0
 * Passkeys (WebAuthn Level 2): a fingerprint or face on a phone, or a security key. The challenge
 * is the digest of a signed token that is valid for five minutes and once. The origin must be ours.
 * The authenticator must state that its user was present and verified, which makes it both factors.
 * libfido2 checks the signature. */
#include "account.h"
#include "auth_data.h"
#include "core/hooks.h"
#include "base/clock.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "config/options.h"
#include "identity.h"
#include "core/signin.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <fido.h>
#include <fido/es256.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#define CHALLENGE_S 300

/* --- our side --- */

/* The origin: scheme://host[:port] of http.url. */
static struct str our_origin(void)
{
	const char *host = strstr(options.http_url, "://");

	host = host ? host + 3 : options.http_url;
	return (struct str){ options.http_url,
		(size_t)(host - options.http_url) + strcspn(host, "/") };
}

static struct str our_host(void)
{
	const char *host = strstr(options.http_url, "://");

	host = host ? host + 3 : options.http_url;
	return (struct str){ host, strcspn(host, ":/") };
}

/* The challenge for TOKEN: base64url of its SHA-256. */
static void challenge_of(const char *token, char out[44])
{
	unsigned char d[32];
	struct buf b = { 0 };

	crypto_sha256(token, strlen(token), d);
	buf_add_base64url(&b, d, sizeof(d));
	snprintf(out, 44, "%s", buf_cstr(&b));
	buf_free(&b);
}

static char *new_challenge(int64_t tenant_id, int64_t session_id, char challenge[44])
{
	int64_t now_s = clock_now_us() / US_PER_S;
	struct token_claims c = {
		.tenant_id = tenant_id, .session_id = session_id, .expires_s = now_s + CHALLENGE_S
	};
	char *token = token_sign(TOKEN_CHALLENGE, &c, now_s);

	challenge_of(token, challenge);
	return token;
}

/* --- the browser's side --- */

struct ceremony {
	const char *token, *credential, *name;
	struct bytes client_data, auth_data, key, signature;
	struct token_claims claims;
	bool cookies;
	bool step_up; /* no login: the session's user proves to be it */
	int64_t tenant_id, factor_id, subject_id, counter;
	bool staff;
	const char *username;
};

/* TEXT is base64url, as the contract has checked. */
static struct bytes read_bytes(struct req *req, const char *text)
{
	struct bytes b = { .p = arena_alloc(&req->arena, strlen(text) + 3) };

	b.n = base64url_decode(str_of(text), b.p);
	return b;
}

/* Is the page that asked our own, and not inside one of another origin? */
static bool is_top_page(struct json_object *client_data)
{
	struct json_object *v;

	return !json_object_object_get_ex(client_data, "topOrigin", NULL) &&
	       (!json_object_object_get_ex(client_data, "crossOrigin", &v) ||
		       (json_object_is_type(v, json_type_boolean) && !json_object_get_boolean(v)));
}

/* Check the browser's client data: the ceremony, our origin, this challenge. */
static bool client_data_holds(const struct ceremony *c, const char *type)
{
	struct json_error err;
	struct json_object *o = json_read((const char *)c->client_data.p, c->client_data.n, &err);
	const char *t = json_get_string(o, "type"), *challenge = json_get_string(o, "challenge"),
		   *origin = json_get_string(o, "origin");
	char ours[44];
	bool ok;

	challenge_of(c->token, ours);
	ok = t && strcmp(t, type) == 0 && challenge && strlen(challenge) == strlen(ours) &&
	     crypto_equal(challenge, ours, strlen(ours)) && origin &&
	     str_eq(str_of(origin), our_origin()) && is_top_page(o);
	json_object_put(o);
	return ok;
}

/* Check the authenticator data: our host, its user present and verified. */
static bool auth_data_holds(const struct ceremony *c)
{
	struct str host = our_host();
	unsigned char d[32];

	crypto_sha256(host.p, host.n, d);
	return c->auth_data.n >= AUTH_DATA_MIN && crypto_equal(c->auth_data.p, d, 32) &&
	       (c->auth_data.p[32] & FLAG_PRESENT) && (c->auth_data.p[32] & FLAG_VERIFIED) &&
	       (!(c->auth_data.p[32] & FLAG_BACKED_UP) ||
		       (c->auth_data.p[32] & FLAG_BACKUP_ELIGIBLE));
}

static int64_t counter_of(const struct ceremony *c)
{
	const unsigned char *p = c->auth_data.p + 33;

	return (int64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static struct outcome *refuse_passkey(struct req *req)
{
	return req_fail(req, ERR_NO_AUTH,
		req->zh ? "{\"user_message\":\"通行密钥验证失败，请重试\"}"
			: "{\"user_message\":\"this passkey could not be verified; try again\"}");
}

/* --- registering --- */

/* Has the authenticator made this credential, with this key, and nothing else? The browser gives id
 * and key once more, outside the authenticator's data: both must be spelt as that has them. */
static bool credential_is_attested(const struct ceremony *c)
{
	struct new_credential made;
	struct buf id = { 0 };
	bool same;

	if (!auth_data_read(c->auth_data, &made))
		return false;
	buf_add_base64url(&id, made.id.p, made.id.n);
	same = str_eq(str_of(c->credential), str_of(buf_cstr(&id))) &&
	       c->key.n == sizeof(made.key) && crypto_equal(c->key.p, made.key, sizeof(made.key));
	buf_free(&id);
	return same;
}

/* Read a P-256 key from SubjectPublicKeyInfo. The caller frees it. */
static EVP_PKEY *read_key(struct bytes b)
{
	const unsigned char *p = b.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)b.n);
	es256_pk_t *pk = es256_pk_new();

	if (key && (p != b.p + b.n || !pk || es256_pk_from_EVP_PKEY(pk, key) != FIDO_OK)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	es256_pk_free(&pk);
	return key;
}

static struct outcome *on_registered(struct req *req, enum db_error error, const PGresult *rows)
{
	const char *data;

	if (error == DB_CONFLICT)
		return req_fail(req, ERR_EXISTS, NULL);
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_LIMIT,
			"{\"rule\":\"at most ten verification methods / 最多十种验证方式\"}");
	notify_wake();
	session_forget_all();
	data = arena_printf(&req->arena, "{\"factor_id\":%lld}", (long long)db_int(rows, 0, 0));
	return req_reply(req, 201, data, strlen(data));
}

/* Read the authenticator's response, in both ceremonies. Returns false, with a note, if its
 * challenge is not ours or not fresh. */
static bool read_answer(struct req *req, struct ceremony *c)
{
	const struct in_identity_passkey_answer *in = REQ_INPUT(req, identity_passkey_answer);

	c->token = in->challenge_token;
	c->credential = in->credential_id;
	c->client_data = read_bytes(req, in->client_data);
	c->auth_data = read_bytes(req, in->authenticator_data);
	if (token_verify(TOKEN_CHALLENGE, c->token, strlen(c->token), clock_now_us() / US_PER_S,
		    &c->claims))
		return true;
	req_note_invalid(req, "challenge_token", "a challenge_token from the last five minutes",
		"应为五分钟内取得的 challenge_token");
	return false;
}

struct outcome *passkey_new(struct req *req)
{
	const struct in_identity_passkey_new *in = REQ_INPUT(req, identity_passkey_new);
	struct ceremony *c = req_state_new(req, ceremony);
	const char **p = account_params(req, 10);
	EVP_PKEY *key = NULL;
	bool ok;

	c->name = in->name ? in->name : req->zh ? "通行密钥" : "passkey";
	c->key = read_bytes(req, in->public_key);
	if (!read_answer(req, c))
		return req_invalid(req);
	ok = c->claims.tenant_id == req->session->tenant_id &&
	     c->claims.session_id == req->session->session_id &&
	     client_data_holds(c, "webauthn.create") && auth_data_holds(c) &&
	     credential_is_attested(c) && (key = read_key(c->key));
	EVP_PKEY_free(key);
	if (!ok)
		return refuse_passkey(req);
	p[3] = "passkey";
	p[4] = c->name;
	p[5] = NULL;
	p[6] = c->credential;
	p[7] = in->public_key;
	p[8] = req_int(req, counter_of(c));
	p[9] = req_int(req, clock_now_us());
	p[10] = req->session->name;
	p[11] = session_peer(req);
	p[12] = NULL;
	return req_query_job(req, &sql_factor_new, p, on_registered);
}

static struct outcome *on_known(struct req *req, enum db_error error, const PGresult *rows)
{
	const struct session *s = req->session;
	struct str host = our_host();
	char challenge[44], *token, user[64];
	struct buf b = { 0 }, handle = { 0 };
	struct outcome *o;
	int n = 0;

	if (error != DB_OK)
		return req_fail_db(req, error);
	token = new_challenge(s->tenant_id, s->session_id, challenge);
	snprintf(user, sizeof(user), "%s:%lld:%lld", actor_kind_name(s->actor),
		(long long)s->tenant_id, (long long)s->actor_id);
	buf_add_base64url(&handle, user, strlen(user));
	buf_addf(&b,
		"{\"challenge_token\":\"%s\",\"challenge\":\"%s\",\"rp\":{\"id\":\"%.*s\",\"name\":"
		"\"sladesk\"},\"user\":{"
		"\"id\":\"%s\",\"name\":",
		token, challenge, (int)host.n, host.p, buf_cstr(&handle));
	buf_add_json(&b, s->username, strlen(s->username));
	buf_adds(&b, ",\"displayName\":");
	buf_add_json(&b, s->name, strlen(s->name));
	buf_addf(&b,
		"},\"pubKeyCredParams\":[{\"type\":\"public-key\",\"alg\":-7}],\"timeout\":%d,"
		"\"attestation\":\"none\","
		"\"authenticatorSelection\":{\"residentKey\":\"required\",\"userVerification\":"
		"\"required\"},"
		"\"excludeCredentials\":[",
		CHALLENGE_S * 1000);
	for (int i = 0; i < PQntuples(rows); i++)
		if (!db_is_null(rows, i, 6))
			buf_addf(&b, "%s{\"type\":\"public-key\",\"id\":\"%.*s\"}", n++ ? "," : "",
				(int)db_text(rows, i, 6).n, db_text(rows, i, 6).p);
	buf_adds(&b, "]}");
	o = req_reply(req, 200, b.p, b.n);
	free(token);
	buf_free(&b);
	buf_free(&handle);
	return o;
}

struct outcome *passkey_new_options(struct req *req)
{
	const char **p = account_params(req, 0);

	return req_query_job(req, &sql_factor_list, p, on_known);
}

/* --- login --- */

struct outcome *passkey_options(struct req *req)
{
	struct str host = our_host();
	char challenge[44], *token;
	struct outcome *o;
	uint64_t random;
	char *data;

	crypto_random(&random, sizeof(random));
	token = new_challenge(1, (int64_t)(random >> 12) + 1, challenge);
	data = arena_printf(&req->arena,
		"{\"challenge_token\":\"%s\",\"challenge\":\"%s\",\"rpId\":\"%.*s\",\"timeout\":%d,"
		"\"userVerification\":"
		"\"required\",\"allowCredentials\":[]}",
		token, challenge, (int)host.n, host.p, CHALLENGE_S * 1000);
	o = req_reply(req, 200, data, strlen(data));
	free(token);
	return o;
}

static bool signature_holds(const struct ceremony *c)
{
	struct str host = our_host();
	char *rp = xstrndup(host.p, host.n);
	fido_assert_t *a = fido_assert_new();
	es256_pk_t *pk = es256_pk_new();
	EVP_PKEY *key = read_key(c->key);
	unsigned char hash[32];
	bool ok;

	crypto_sha256(c->client_data.p, c->client_data.n, hash);
	ok = a && pk && key && es256_pk_from_EVP_PKEY(pk, key) == FIDO_OK &&
	     fido_assert_set_count(a, 1) == FIDO_OK && fido_assert_set_rp(a, rp) == FIDO_OK &&
	     fido_assert_set_clientdata_hash(a, hash, 32) == FIDO_OK &&
	     fido_assert_set_authdata_raw(a, 0, c->auth_data.p, c->auth_data.n) == FIDO_OK &&
	     fido_assert_set_sig(a, 0, c->signature.p, c->signature.n) == FIDO_OK &&
	     fido_assert_set_up(a, FIDO_OPT_TRUE) == FIDO_OK &&
	     fido_assert_set_uv(a, FIDO_OPT_TRUE) == FIDO_OK &&
	     fido_assert_verify(a, 0, COSE_ES256, pk) == FIDO_OK;
	EVP_PKEY_free(key);
	es256_pk_free(&pk);
	fido_assert_free(&a);
	free(rp);
	return ok;
}

static struct outcome *on_used(struct req *req, enum db_error error, const PGresult *rows)
{
	struct ceremony *c = req_state(req, ceremony);
	struct sign_in *in;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0) {
		audit_note(req, c->tenant_id, c->staff, c->subject_id, c->username,
			"auth.passkey_copied", "refused", 401);
		return refuse_passkey(req);
	}
	if (c->step_up)
		return account_proved(req, NULL, NULL, NULL);
	in = arena_alloc(&req->arena, sizeof(*in));
	*in = (struct sign_in){ .tenant_id = c->tenant_id,
		.subject_id = c->subject_id,
		.username = c->username,
		.method = "passkey",
		.factor = "passkey",
		.staff = c->staff,
		.cookies = c->cookies };
	return signin_session(req, in);
}

static void read_candidate(struct req *req, const PGresult *rows, int row)
{
	struct ceremony *c = req_state(req, ceremony);
	struct str key = db_text(rows, row, 4), name = db_text(rows, row, 6);

	c->tenant_id = db_int(rows, row, 0);
	c->factor_id = db_int(rows, row, 1);
	c->staff = str_is(db_text(rows, row, 2), "staff");
	c->subject_id = db_int(rows, row, 3);
	c->username = arena_dup(&req->arena, name.p, name.n);
	c->key.p = arena_alloc(&req->arena, key.n + 3);
	c->key.n = base64url_decode(key, c->key.p);
}

static bool is_of_session(const struct ceremony *c, const struct session *s)
{
	return c->tenant_id == s->tenant_id && c->staff == s->staff && c->subject_id == s->actor_id;
}

/* Anyone can register a credential id that belongs to someone else, but only the owner's key
 * verifies the signature. A refusal is recorded for the user who registered the id first. */
static struct outcome *on_passkey(struct req *req, enum db_error error, const PGresult *rows)
{
	struct ceremony *c = req_state(req, ceremony);
	const char **p = arena_alloc(&req->arena, 4 * sizeof(*p));
	bool holds = false;

	if (error != DB_OK)
		return req_fail_db(req, error);
	for (int i = 0; i < PQntuples(rows) && !holds; i++) {
		read_candidate(req, rows, i);
		holds = signature_holds(c);
	}
	if (!holds && PQntuples(rows)) {
		read_candidate(req, rows, 0);
		audit_note(req, c->tenant_id, c->staff, c->subject_id, c->username, "auth.passkey",
			"refused", 401);
	}
	if (!holds || (c->step_up && !is_of_session(c, req->session)))
		return refuse_passkey(req);
	p[0] = req_int(req, c->tenant_id);
	p[1] = req_int(req, c->factor_id);
	p[2] = req_int(req, counter_of(c));
	p[3] = req_int(req, clock_now_us());
	return req_query_job(req, &sql_factor_passkey_used, p, on_used);
}

/* Find the passkey that SIGNATURE is said to be from. */
static struct outcome *find_passkey(struct req *req, const char *signature)
{
	struct ceremony *c = req_state(req, ceremony);
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p));
	char *challenge = arena_alloc(&req->arena, 44);

	c->signature = read_bytes(req, signature);
	if (!read_answer(req, c))
		return req_invalid(req);
	if (c->claims.tenant_id != 1 || !client_data_holds(c, "webauthn.get") ||
		!auth_data_holds(c) || !auth_data_is_login(c->auth_data))
		return refuse_passkey(req);
	challenge_of(c->token, challenge);
	p[0] = c->credential;
	p[1] = challenge;
	p[2] = req_int(req, clock_now_us());
	return req_query_job(req, &sql_factor_passkey_get, p, on_passkey);
}

struct outcome *passkey_login(struct req *req)
{
	const struct in_identity_passkey_login *in = REQ_INPUT(req, identity_passkey_login);

	req_state_new(req, ceremony)->cookies = in->cookies;
	return find_passkey(req, in->signature);
}

/* --- step-up --- */

static struct outcome *on_counted(struct req *req, const PGresult *rows)
{
	(void)rows;
	req_state_new(req, ceremony)->step_up = true;
	return find_passkey(req, REQ_INPUT(req, identity_step_up_passkey)->signature);
}

struct outcome *step_up_passkey(struct req *req)
{
	req_state_new(req, counted)->next = on_counted;
	return account_count_proof(req);
}
