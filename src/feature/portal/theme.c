/* SPDX-License-Identifier: Apache-2.0
 * The appearance of a customer's portal. It is public, so that the login page shows it too. An
 * uploaded logo is served from here, as the bytes of an image and nothing else. */
#include "core/session_token.h"
#include "base/clock.h"
#include "core/request.h"
#include "crypto/crypto.h"
#include "portal.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <stdlib.h>

#define LOGO_MAX 65536

/* The last answer for each customer, for use while the database is down. */
#define THEMES_KEPT 256
static struct theme {
	char *of, *body; /* the customer as the request named it */
	int64_t tenant_id, at_us;
} themes[THEMES_KEPT];

static struct theme *theme_slot(const char *of)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (const char *p = of; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return &themes[h % THEMES_KEPT];
}

static void free_theme(struct theme *t)
{
	free(t->of);
	free(t->body);
	*t = (struct theme){ 0 };
}

static void keep_theme(const char *of, int64_t tenant_id, const struct buf *b)
{
	struct theme *t = theme_slot(of);

	free_theme(t);
	*t = (struct theme){ .of = xstrdup(of),
		.body = xstrndup(b->p, b->n),
		.tenant_id = tenant_id,
		.at_us = clock_now_us() };
}

void themes_free(void)
{
	for (size_t i = 0; i < THEMES_KEPT; i++)
		free_theme(&themes[i]);
}

/* Whose theme a request asks for, as it names the customer. */
struct theme_of {
	const char *text;
};

/* A number can be counted up by anybody, so without a session that serves the customer it tells
 * nothing: neither whose it is, nor whether there is one. */
static bool is_bare_number(const char *of)
{
	return *of && strspn(of, "0123456789") == strlen(of);
}

static bool is_for_nobody(const struct req *req, const char *of, int64_t tenant_id)
{
	return is_bare_number(of) &&
	       (!req->session || !tenant_id || !session_serves(req->session, tenant_id));
}

/* Public before the login. After it, users see only their own customer's theme, and staff those of
 * the customers they serve. TENANT_ID: whose it is; 0: nobody's. */
static bool is_anothers(const struct req *req, int64_t tenant_id)
{
	return req->session && (!tenant_id || !session_serves(req->session, tenant_id));
}

static int64_t owner_of(const PGresult *rows)
{
	return PQntuples(rows) ? db_int(rows, 0, 0) : 0;
}

static struct outcome *stale_theme(struct req *req, enum db_error error)
{
	const char *of = req_state(req, theme_of)->text;
	const struct theme *t = theme_slot(of);
	struct buf b = { 0 };

	if (is_for_nobody(req, of, t->tenant_id) || !t->of || strcmp(t->of, of) != 0)
		return req_fail_db(req, error);
	if (is_anothers(req, t->tenant_id))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	buf_add(&b, t->body, strlen(t->body) - 1);
	buf_adds(&b, ",\"stale\":true,\"as_of\":");
	buf_add_time_json(&b, t->at_us);
	buf_addc(&b, '}');
	return req_reply_take(req, 200, &b);
}

/* {"tenant_id":…,…,"login_methods":[…],"sso":…} */
static void write_theme(struct buf *b, const PGresult *rows)
{
	static const char *const names[] = { "logo_url", "primary_color", "accent_color",
		"support_contact" };

	buf_addf(b, "{\"tenant_id\":%lld,\"name\":", (long long)db_int(rows, 0, 0));
	buf_add_json(b, db_text(rows, 0, 1).p, db_text(rows, 0, 1).n);
	for (int i = 0; i < (int)ARRAY_LEN(names); i++) {
		buf_addf(b, ",\"%s\":", names[i]);
		db_cell_to_json(b, rows, 0, i + 2);
	}
	buf_adds(b, ",\"login_methods\":[\"password\",\"passkey\"");
	if (db_is_null(rows, 0, 7)) {
		buf_adds(b, "],\"sso\":null}");
		return;
	}
	buf_adds(b, ",\"sso\"],\"sso\":{\"name\":");
	buf_add_json(b, db_text(rows, 0, 7).p, db_text(rows, 0, 7).n);
	buf_addf(b, ",\"location\":\"/api/v1/auth/sso/start?tenant=%.*s\"}}",
		(int)db_text(rows, 0, 8).n, db_text(rows, 0, 8).p);
}

/* Answer with the theme. NULL: the client does not have the version of TAG. */
static struct outcome *reply_unchanged(struct req *req, const char *tag)
{
	if (!req->http || !str_is(http_header_find(&req->http->head, "if-none-match"),
				  arena_printf(&req->arena, "\"%s\"", tag)))
		return NULL;
	return req_reply_raw(
		req, 304, NULL, arena_printf(&req->arena, "ETag: \"%s\"\r\n", tag), NULL, 0);
}

static struct outcome *on_theme(struct req *req, enum db_error error, const PGresult *rows)
{
	const char *of = req_state(req, theme_of)->text;
	struct buf b = { 0 };
	struct outcome *o;
	char tag[65];

	if (error != DB_OK)
		return stale_theme(req, error);
	if (is_for_nobody(req, of, owner_of(rows)) ||
		(PQntuples(rows) == 0 && strncmp(of, "host:", 5) == 0))
		return req_reply(req, 200, "null",
			4); /* a host name that belongs to no customer is not an error */
	if (is_anothers(req, owner_of(rows)))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	write_theme(&b, rows);
	keep_theme(of, owner_of(rows), &b);
	crypto_sha256_hex(b.p, b.n, tag);
	tag[32] = 0;
	o = reply_unchanged(req, tag);
	if (!o)
		o = req_reply_headers(req, 200,
			arena_printf(&req->arena,
				"ETag: \"%s\"\r\nCache-Control: %s, max-age=60\r\n", tag,
				is_bare_number(of) ? "private" : "public"),
			b.p, b.n);
	buf_free(&b);
	return o;
}

/* OF: a number or a code, or "host" for the customer of this host name. */
static const char *named_customer(struct req *req, const char *of)
{
	return strcmp(of, "host") == 0 ? session_host_tenant(req) : of;
}

struct outcome *theme_get(struct req *req)
{
	const char **p = arena_alloc(&req->arena, sizeof(*p));
	const char *of = named_customer(req, REQ_INPUT(req, portal_theme_get)->tenant_id);

	p[0] = req_state_new(req, theme_of)->text = arena_dup(&req->arena, of, strlen(of));
	return req_query(req, &sql_client_theme_get, p, on_theme);
}

struct outcome *theme_put(struct req *req)
{
	const struct in_portal_theme_put *in = REQ_INPUT(req, portal_theme_put);
	const char **p = arena_alloc(&req->arena, 6 * sizeof(*p));

	p[0] = in->display_name;
	p[1] = in->logo_url;
	p[2] = in->primary_color;
	p[3] = in->accent_color;
	p[4] = in->support_contact;
	p[5] = req_int(req, clock_now_us());
	return req_query(req, &sql_client_theme_put, p, req_reply_null);
}

/* --- the logo --- */

/* The image type of the bytes, whatever the client claimed; NULL unless it is an image type that
 * cannot contain scripts. */
static const char *image_type(const unsigned char *p, size_t n)
{
	if (n > 16 && memcmp(p, "\x89PNG\r\n\x1a\n", 8) == 0)
		return "image/png";
	if (n > 16 && memcmp(p, "\xff\xd8\xff", 3) == 0)
		return "image/jpeg";
	if (n > 16 && memcmp(p, "RIFF", 4) == 0 && memcmp(p + 8, "WEBP", 4) == 0)
		return "image/webp";
	return NULL;
}

static struct outcome *on_logo(struct req *req, enum db_error error, const PGresult *rows)
{
	const char *of = req_state(req, theme_of)->text, *tag;
	struct outcome *o;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (is_for_nobody(req, of, owner_of(rows)))
		return req_fail(req, ERR_NOT_FOUND, NULL);
	if (is_anothers(req, owner_of(rows)))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	tag = arena_printf(&req->arena, "%.32s", db_text(rows, 0, 2).p);
	o = reply_unchanged(req, tag);
	if (o)
		return o;
	return req_reply_raw(req, 200,
		arena_printf(
			&req->arena, "%.*s", (int)db_text(rows, 0, 1).n, db_text(rows, 0, 1).p),
		arena_printf(&req->arena, "ETag: \"%s\"\r\nCache-Control: %s, max-age=3600\r\n",
			tag, is_bare_number(of) ? "private" : "public"),
		db_text(rows, 0, 3).p, db_text(rows, 0, 3).n);
}

struct outcome *logo_get(struct req *req)
{
	const char **p = arena_alloc(&req->arena, sizeof(*p));

	p[0] = req_state_new(req, theme_of)->text =
		named_customer(req, REQ_INPUT(req, portal_logo_get)->tenant_id);
	return req_query(req, &sql_client_logo_get, p, on_logo);
}

static const char *logo_rule_en = "a PNG, JPEG or WebP image of at most 64 KiB, in base64",
		  *logo_rule_zh = "不超过 64 KiB 的 PNG、JPEG 或 WebP 图像（base64）";

/* Put the image in BASE64 into P: its type and its digest. */
static void read_logo(struct req *req, const char *base64, const char **p)
{
	size_t n = strlen(base64), image_n;
	unsigned char *image = arena_alloc(&req->arena, n * 3 / 4 + 1);
	char *url = arena_dup(&req->arena, base64, n), *digest = arena_alloc(&req->arena, 65);

	while (n && url[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++)
		url[i] = url[i] == '+'                    ? '-'
			 : url[i] == '/'                  ? '_'
			 : url[i] == '-' || url[i] == '_' ? '?'
							  : url[i];
	image_n = base64url_decode((struct str){ url, n }, image);
	p[0] = image_type(image, image_n);
	if (!p[0] || image_n > LOGO_MAX || strlen(base64) % 4) {
		req_note_invalid(req, "logo", logo_rule_en, logo_rule_zh);
		return;
	}
	crypto_sha256_hex(image, image_n, digest);
	p[1] = digest;
	p[2] = base64;
}

static struct outcome *store_logo(struct req *req, const char **p)
{
	p[3] = req_int(req, clock_now_us());
	return req_query(req, &sql_client_logo_put, p, req_reply_null);
}

struct outcome *logo_put(struct req *req)
{
	const char **p = arena_alloc(&req->arena, 4 * sizeof(*p));

	read_logo(req, REQ_INPUT(req, portal_logo_put)->logo, p);
	return req_has_invalid(req) ? req_invalid(req) : store_logo(req, p);
}

struct outcome *logo_delete(struct req *req)
{
	return store_logo(req, arena_alloc(&req->arena, 4 * sizeof(const char *)));
}
