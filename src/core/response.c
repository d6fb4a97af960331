/* SPDX-License-Identifier: Apache-2.0
 * The end of a request: a reply, or an error with its code, the reason for each field, and advice.
 */
#include "inner.h"

#include <stdio.h>
#include <stdlib.h>

#define FIELD_SHOWN 120
/* The largest reply in one piece. Pages of lists end long before this (rows_to_json); larger
 * documents are sent in pieces (pieces.c). */
#define REPLY_MAX (4 * 1024 * 1024)

char outcome_token;
static struct {
	const struct request_settings *settings;
} responses;

void ending_init(const struct request_settings *s)
{
	responses.settings = s;
}

static const char security_headers[] =
	"X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: "
	"no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\n"
	"Content-Security-Policy: default-src 'self'; connect-src 'self'; img-src 'self' "
	"data: https:; object-src 'none'; frame-ancestors "
	"'none'; base-uri 'none'; form-action 'self'\r\n";

const char *reply_security_headers(void)
{
	return security_headers;
}

static void add_deprecation(struct buf *b, const struct deprecation *d)
{
	char text[HTTP_DATE_MAX];
	int64_t since = 0, sunset = 0;

	bug_on(!date_parse(str_of(d->since), &since) || !date_parse(str_of(d->sunset), &sunset));
	http_date(sunset * 86400, text);
	buf_addf(b, "Deprecation: @%lld\r\nSunset: %s\r\nLink: </docs>; rel=\"deprecation\"",
		(long long)since * 86400, text);
	if (d->instead && !strchr(d->instead, '{')) /* a template is no address */
		buf_addf(b, ", <%s>; rel=\"successor-version\"", d->instead);
	buf_adds(b, "\r\n");
}

const char *reply_headers(const struct req *req, const char *extra)
{
	static struct buf head;

	head.n = 0;
	buf_adds(&head, "X-Request-Id: ");
	buf_adds(&head, req->id);
	buf_adds(&head, "\r\n");
	buf_adds(&head, reply_security_headers());
	if (req->route && req->route->old)
		add_deprecation(&head, req->route->old);
	buf_adds(&head, extra ? extra : "Cache-Control: no-store\r\n");
	return buf_cstr(&head);
}

struct outcome *req_reply_raw(
	struct req *req, int status, const char *type, const char *extra, const void *p, size_t n)
{
	bug_on(req->ended);
	req->ended = true;
	if (req->http)
		http_reply(req->http, status, type, reply_headers(req, extra), p, n);
	return GOES_ON;
}

struct outcome *req_reply_lasting(
	struct req *req, const char *type, const char *extra, const void *p, size_t n)
{
	bug_on(req->ended);
	req->ended = true;
	if (req->http)
		http_reply_lasting(req->http, 200, type, reply_headers(req, extra), p, n);
	return GOES_ON;
}

struct outcome *req_reply_headers(
	struct req *req, int status, const char *extra, const char *data, size_t n)
{
	static struct buf b;
	struct outcome *o;

	if (n > REPLY_MAX) {
		log_warn(&req->who, "reply refused route=%s bytes=%zu: too large", req->route->path,
			n);
		return req_fail(req, ERR_LIMIT, NULL);
	}
	b.n = 0;
	buf_adds(&b, "{\"code\":");
	buf_add_int(&b, status == 204 ? 200 : status);
	buf_adds(&b, req->zh ? ",\"message\":\"成功\",\"data\":" : ",\"message\":\"ok\",\"data\":");
	buf_add(&b, data, n);
	buf_addc(&b, '}');
	o = req_reply_raw(req, status, "application/json; charset=utf-8", extra, b.p, b.n);
	buf_reuse(&b);
	return o;
}

struct outcome *req_reply(struct req *req, int status, const char *data, size_t n)
{
	return req_reply_headers(req, status, NULL, data, n);
}

struct outcome *req_reply_take(struct req *req, int status, struct buf *take_data)
{
	struct outcome *o = req_reply(req, status, take_data->p, take_data->n);

	buf_free(take_data);
	return o;
}

struct outcome *req_reply_null(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	return req_reply(req, 200, "null", 4);
}

/* Write DETAILS, an object or NULL, and add advice and a support contact if they are missing. */
static void add_details(struct buf *b, const struct req *req, bool zh, const struct error_text *t,
	const char *details)
{
	const char *support = req && req->session && req->session->support
				      ? req->session->support
				      : responses.settings->support_contact;
	size_t n = details ? strlen(details) : 0;

	buf_add(b, n > 2 ? details : "{", n > 2 ? n - 1 : 1);
	if (!n || !strstr(details, "\"user_message\""))
		buf_addf(b, "%s\"user_message\":\"%s\"", n > 2 ? "," : "",
			zh ? t->user_zh : t->user_en);
	if (!n || !strstr(details, "\"suggested_actions\""))
		buf_addf(b, ",\"suggested_actions\":%s", zh ? t->todo_zh : t->todo_en);
	if (support && *support) {
		buf_adds(b, ",\"support_contact\":");
		buf_add_json(b, support, strlen(support));
	}
	buf_addc(b, '}');
}

/* REQ is NULL if the head of the request could not be read. */
static void write_failure(struct buf *b, const struct req *req, enum err e, const char *details)
{
	const struct error_text *t = error_text(e);
	bool zh = !req || req->zh;
	char id[sizeof(req->id)];

	buf_addf(b, "{\"code\":%d,\"message\":\"%s\",\"details\":", t->code, zh ? t->zh : t->en);
	add_details(b, req, zh, t, details);
	buf_adds(b, ",\"timestamp\":");
	buf_add_time_json(b, clock_now_us());
	buf_addf(b, ",\"request_id\":\"%s\"}", req ? req->id : req_id_new(id));
}

static const struct refusal {
	int status;
	enum err err;
	const char *en, *zh; /* for the user, in place of the usual sentence */
} refusals[] = {
	{ 408, ERR_MALFORMED, "the request came too slowly", "请求发送过慢" },
	{ 413, ERR_LIMIT, NULL, NULL },
	{ 414, ERR_LIMIT, "the address is too long", "地址过长" },
	{ 417, ERR_MALFORMED, "only Expect: 100-continue is known", "仅支持 Expect: 100-continue" },
	{ 426, ERR_MALFORMED, "this address speaks WebSocket", "该地址使用 WebSocket 协议" },
	{ 431, ERR_LIMIT, "the header fields are too large", "请求头过大" },
	{ 503, ERR_BUSY, NULL, NULL },
	{ 505, ERR_MALFORMED, "only HTTP/1.1 and HTTP/1.0 are known",
		"仅支持 HTTP/1.1 与 HTTP/1.0" },
};

void response_refusal(struct http_request *http, int status, struct buf *out)
{
	const struct req *req = http && http->user ? magic_cast(req, http->user) : NULL;
	const struct refusal *r = refusals;
	char details[200];

	while (r < refusals + ARRAY_LEN(refusals) && r->status != status)
		r++;
	if (r == refusals + ARRAY_LEN(refusals)) {
		write_failure(out, req, ERR_MALFORMED, NULL);
		return;
	}
	if (r->en)
		snprintf(details, sizeof(details), "{\"user_message\":\"%s\"}",
			!req || req->zh ? r->zh : r->en);
	write_failure(out, req, r->err, r->en ? details : NULL);
}

struct outcome *req_fail(struct req *req, enum err e, const char *details)
{
	const struct error_text *t = error_text(e);
	const char *extra = NULL;
	struct buf b = { 0 };
	struct outcome *o;

	write_failure(&b, req, e, details);
	if (t->status == 429 || t->status == 503)
		extra = arena_printf(&req->arena,
			"Retry-After: %lld\r\nCache-Control: no-store\r\n",
			(long long)(req->retry_after_s ? req->retry_after_s : 1));
	else if (e == ERR_NO_AUTH)
		extra = "WWW-Authenticate: Bearer\r\nCache-Control: no-store\r\n";
	else if (req->failure_header)
		extra = arena_printf(
			&req->arena, "%s\r\nCache-Control: no-store\r\n", req->failure_header);
	o = req_reply_raw(req, t->status, "application/json; charset=utf-8", extra, b.p, b.n);
	buf_free(&b);
	return o;
}

struct outcome *req_forbid(
	struct req *req, const char *field, const char *en, const char *zh, const char *action)
{
	const char *rule = req->zh ? zh : en;
	struct buf b = { 0 };
	struct outcome *o;

	buf_addc(&b, '{');
	if (field)
		buf_addf(&b, "\"field\":\"%s\",", field);
	buf_addf(&b, "\"rule\":\"%s\",\"user_message\":\"%s\"", rule, rule);
	if (action)
		buf_addf(&b, ",\"suggested_actions\":[\"%s\"]", action);
	buf_addc(&b, '}');
	o = req_fail(req, ERR_FORBIDDEN, buf_cstr(&b));
	buf_free(&b);
	return o;
}

/* The rules that functions of the schema enforce (SQLSTATE SD003), and the field that each is
 * about. */
static struct outcome *fail_rule(struct req *req, const char *rule)
{
	static const struct {
		const char *rule, *field, *en, *zh;
	} rules[] = {
		{ "webhooks_most", "url", "at most 20 active webhooks for each customer",
			"每个客户最多启用 20 个 webhook" },
		{ "catalogue_most", "code", "at most 20,000 catalogue entries for each customer",
			"每个客户最多 20000 个目录项" },
		{ "dashboards_most", "dashboard_name", "at most 100 dashboards for each user",
			"每个用户最多 100 个仪表板" },
		{ "mail_domains_public", "domain",
			"a domain of your own: below this one, everybody may have a name or an "
			"address",
			"应为贵公司自己的域名：该域名之下，任何人都可以拥有名称或邮箱" },
		{ "mail_domains_most", "domain", "at most 100 mail domains for each customer",
			"每个客户最多 100 个邮箱域名" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (strcmp(rules[i].rule, rule) == 0) {
			req_note_invalid(req, rules[i].field, rules[i].en, rules[i].zh);
			return req_invalid(req);
		}
	log_error(&req->who, "a rule of the schema has no text rule=%s", rule);
	return req_fail(req, ERR_INTERNAL, NULL);
}

struct outcome *req_fail_db(struct req *req, enum db_error e)
{
	db_log(LOG_WARN, &req->who, e, "database refused stmt=%s err=%s",
		req->call.stmt ? req->call.stmt->name : "", db_error_name(e));
	switch (e) {
	case DB_BUSY:
	case DB_RETRY:
		return req_fail(req, ERR_BUSY, NULL);
	case DB_UNKNOWN:
		return req_fail(req, ERR_UNKNOWN, "{\"outcome\":\"unknown\"}");
	case DB_CONFLICT:
		return req_fail(req, ERR_EXISTS, NULL);
	case DB_FORBIDDEN:
		return req_fail(req, ERR_FORBIDDEN, NULL);
	case DB_OK:
	case DB_DOWN:
	case DB_TIMEOUT:
		return req_fail(req, ERR_DB, NULL);
	case DB_MISSING:
		return req_fail(req, ERR_NOT_FOUND, NULL);
	case DB_REFUSED:
		return fail_rule(req, req->call.constraint);
	case DB_STALE:
	case DB_FAILED:
		break;
	}
	return req_fail(req, ERR_INTERNAL, NULL);
}

/* so many invalid fields are listed; the others are counted: a client that sends a thousand unknown
 * ones does not get a reply of megabytes */
#define INVALID_SHOWN 50

void req_note_invalid(struct req *req, const char *field, const char *en, const char *zh)
{
	req_note_invalid_like(req, field, en, zh, NULL);
}

void req_note_invalid_like(
	struct req *req, const char *field, const char *en, const char *zh, const char *example)
{
	struct str shown = utf8_head(str_of(field),
		FIELD_SHOWN); /* the address comes from the client and may be invented */

	if (req->invalid_n++ >= INVALID_SHOWN)
		return;
	buf_adds(&req->invalid, req->invalid.n ? ",{\"field\":" : "{\"field\":");
	buf_add_json(&req->invalid, shown.p, shown.n);
	buf_adds(&req->invalid, ",\"rule\":");
	buf_add_json(&req->invalid, req->zh ? zh : en, strlen(req->zh ? zh : en));
	if (example)
		buf_addf(&req->invalid, ",\"example\":%s", example);
	buf_addc(&req->invalid, '}');
}

struct outcome *req_invalid(struct req *req)
{
	struct outcome *o;
	int more = req->invalid_n - INVALID_SHOWN;
	char *details = more > 0 ? xasprintf("{\"fields\":[%s],\"more_fields\":%d}",
					   buf_cstr(&req->invalid), more)
				 : xasprintf("{\"fields\":[%s]}", buf_cstr(&req->invalid));

	o = req_fail(req, ERR_VALIDATION, details);
	free(details);
	return o;
}

struct outcome *req_fail_key(struct req *req, enum err e)
{
	const struct error_text *t = error_text(e);

	req_note_invalid(req, "Idempotency-Key", t->user_en, t->user_zh);
	return req_fail(
		req, e, arena_printf(&req->arena, "{\"fields\":[%s]}", buf_cstr(&req->invalid)));
}

struct outcome *req_taken(struct req *req)
{
	req->ended = true;
	return GOES_ON;
}

struct outcome *req_streaming(struct req *req)
{
	req->streaming = true;
	return GOES_ON;
}

/* --- rules that recur --- */

__attribute__((format(printf, 3, 0), format(printf, 4, 0))) static void note_range(struct req *req,
	const char *field, const char *en, const char *zh, int64_t min, int64_t max)
{
	char text[2][100];

	snprintf(text[0], sizeof(text[0]), en, (long long)min, (long long)max);
	snprintf(text[1], sizeof(text[1]), zh, (long long)min, (long long)max);
	req_note_invalid(req, field, text[0], text[1]);
}

void note_bad_length(struct req *req, const char *field, int64_t min, int64_t max)
{
	note_range(req, field, "%lld to %lld characters", "%lld 到 %lld 个字符", min, max);
}

void note_bad_number(struct req *req, const char *field, int64_t min, int64_t max)
{
	note_range(req, field, "a whole number from %lld to %lld", "%lld 到 %lld 的整数", min, max);
}
