/* SPDX-License-Identifier: Apache-2.0
 * openapi.json from the routes and their contracts, so that the documentation cannot disagree with
 * the program. Each operation is one line, so that a review of doc/api/openapi.json shows what
 * changed. */
#include "openapi.h"
#include "app.h"
#include "flow_gen.h"

#include <ctype.h>
#include <stdio.h>

static struct buf doc;

static const struct contract *contract_of(const struct route *r)
{
	return r->sql ? r->sql->contract : r->contract;
}

static bool has_source(const struct contract *c, enum param_source source)
{
	for (int i = 0; i < c->param_count; i++)
		if (c->params[i].source == source)
			return true;
	return false;
}

static bool has_parameter(const struct contract *c, const char *key)
{
	for (int i = 0; i < c->param_count; i++)
		if (strcmp(c->params[i].key, key) == 0)
			return true;
	return false;
}

/* --- parameters --- */

/* Descriptions of common parameters. */
static const char *const usual[][3] = {
	{ "limit", "maximum number of items", "每页条数" },
	{ "cursor", "next_cursor of the previous page", "上一页返回的 next_cursor" },
	{ "tenant_id", "only this customer; the caller must serve it",
		"仅此客户；调用者须服务于该客户" },
	{ "period", "number of past days, including today", "最近若干天（含今天）" },
	{ "Idempotency-Key",
		"the same request with the same key takes effect once; the reply to a repeated "
		"request has Idempotency-Replayed: true",
		"同一请求以同一键重复发送只生效一次；重复时应答带 Idempotency-Replayed: true" },
	{ "Range", "the bytes wanted; several ranges are answered with the whole file",
		"所需的字节范围；多个范围时返回整个文件" },
	{ "If-Range", "the ETag of an earlier answer; if it is another one, the whole file is sent",
		"先前应答的 ETag；不一致时返回整个文件" },
	{ "If-Match", "the version the caller has seen, with or without quotes",
		"调用者所见的版本号，可加引号" },
};

/* "name", "in", "required", and a description if one is known. */
static void begin_parameter(
	struct buf *b, bool *first, const char *name, const char *in, bool required)
{
	buf_addf(b, "%s{\"name\":\"%s\",\"in\":\"%s\",\"required\":%s", *first ? "" : ",", name, in,
		required ? "true" : "false");
	*first = false;
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (strcmp(name, usual[i][0]) == 0) {
			buf_adds(b, ",\"description\":");
			openapi_quote(b, usual[i][1]);
			buf_adds(b, ",\"x-description-zh\":");
			openapi_quote(b, usual[i][2]);
		}
	buf_adds(b, ",\"schema\":");
}

static void add_text_parameter(
	struct buf *b, bool *first, const char *name, const char *in, const char *example)
{
	begin_parameter(b, first, name, in, false);
	buf_addf(b, "{\"type\":\"string\"},\"example\":\"%s\"}", example);
}

/* Does the route answer with a file, of which a range can be asked? */
static bool is_file(const struct contract *c)
{
	return c->reply == REPLY_MEDIA && strcmp(c->media, "application/octet-stream") == 0;
}

static void add_parameters(struct buf *b, const struct route *r, const struct contract *c)
{
	static const char *const in[] = {
		[FROM_PATH] = "path", [FROM_QUERY] = "query", [FROM_HEADER] = "header"
	};
	bool first = true;

	buf_adds(b, ",\"parameters\":[");
	for (int i = 0; i < c->param_count; i++) {
		const struct param *p = &c->params[i];

		if (p->source != FROM_PATH && p->source != FROM_QUERY && p->source != FROM_HEADER)
			continue;
		begin_parameter(
			b, &first, p->key, in[p->source], p->required || p->source == FROM_PATH);
		openapi_param_schema(b, c, i);
		if (p->words) /* one parameter, its words separated by commas */
			buf_adds(b, ",\"style\":\"form\",\"explode\":false");
		buf_adds(b, ",\"example\":");
		openapi_param_example(b, c, i);
		buf_addc(b, '}');
	}
	if (has_source(c, FROM_CURSOR))
		add_text_parameter(b, &first, "cursor", "query", "1769846400000000_7");
	if (r->variant.key) {
		begin_parameter(b, &first, r->variant.key, "query", false);
		buf_addf(b, "{\"type\":\"string\",\"enum\":[\"%s\"]},\"example\":\"%s\"}",
			r->variant.value, r->variant.value);
	}
	if (r->replay)
		add_text_parameter(b, &first, "Idempotency-Key", "header", "b7e0c1");
	if (is_file(c)) {
		add_text_parameter(b, &first, "Range", "header", "bytes=0-1023");
		add_text_parameter(b, &first, "If-Range", "header", "\\\"7-2048\\\"");
	}
	buf_addc(b, ']');
}

static void add_body(struct buf *b, const struct contract *c)
{
	enum param_source source = c->form ? FROM_FORM : FROM_BODY;

	if (!has_source(c, source))
		return;
	buf_addf(b, ",\"requestBody\":{\"content\":{\"%s\":{\"schema\":",
		c->form ? "application/x-www-form-urlencoded" : "application/json");
	openapi_body_schema(b, c, source);
	buf_adds(b, ",\"example\":");
	openapi_body_example(b, c, source);
	buf_adds(b, "}}}");
}

/* --- replies --- */

static const struct failure {
	const char *name;
	int status;
	enum err err[4]; /* ends with ERR_COUNT */
	const char *details;
} failures[] = {
	{ "Invalid", 400, { ERR_VALIDATION, ERR_MALFORMED, ERR_COUNT },
		"{\"fields\":[{\"field\":\"title\",\"rule\":\"required\"}]}" },
	{ "NotAuthenticated", 401, { ERR_NO_AUTH, ERR_COUNT }, "{}" },
	{ "Forbidden", 403, { ERR_FORBIDDEN, ERR_STEP_UP, ERR_COUNT }, "{}" },
	{ "NotFound", 404, { ERR_NOT_FOUND, ERR_COUNT }, "{}" },
	{ "Conflict", 409, { ERR_WRONG_STATE, ERR_EXISTS, ERR_IN_FLIGHT, ERR_COUNT },
		"{\"state\":\"closed\",\"command\":\"reply\"}" },
	{ "OutsideRange", 416, { ERR_RANGE, ERR_COUNT }, "{}" },
	{ "TooLarge", 413, { ERR_LIMIT, ERR_COUNT }, "{}" },
	{ "KeyReused", 422, { ERR_KEY_REUSED, ERR_COUNT },
		"{\"fields\":[{\"field\":\"Idempotency-Key\",\"rule\":\"already used for another "
		"request\"}]}" },
	{ "TooOften", 429, { ERR_RATE, ERR_COUNT },
		"{\"limit\":\"user\",\"per_second\":50,\"burst\":100,\"retry_after_seconds\":1}" },
	{ "Outside", 502, { ERR_OUTSIDE, ERR_COUNT }, "{}" },
	{ "Unavailable", 503, { ERR_DB, ERR_BUSY, ERR_COUNT }, "{}" },
	{ "NotApplied", 503, { ERR_DB, ERR_SYNC, ERR_BUSY, ERR_COUNT }, "{}" },
};

/* Can R fail with this error? */
static bool can_fail(const struct route *r, const struct contract *c, const struct failure *f)
{
	switch (f->status) {
	case 401:
		return r->permission != PERM_ANYONE || r->limit == LIMIT_LOGIN;
	case 403:
		return r->permission != PERM_ANYONE || r->know;
	case 404:
		return has_source(c, FROM_PATH);
	case 409:
		return r->method != HTTP_GET;
	case 413:
		return has_source(c, FROM_BODY) || has_source(c, FROM_FORM);
	case 416:
		return is_file(c);
	case 422:
		return r->replay || has_parameter(c, "Idempotency-Key");
	case 502:
		return strncmp(c->name, "sso/", 4) == 0 && c->reply == REPLY_REDIRECT;
	case 503:
		return (f->err[1] == ERR_SYNC) ==
		       (strcmp(c->name, "integration/tickets_sync") == 0);
	default:
		return true;
	}
}

static void add_failures(struct buf *b, const struct route *r, const struct contract *c)
{
	/* SSO protocols define their own error replies for forms. */
	if (c->form)
		buf_adds(b, ",\"400\":{\"description\":\"refused, as the protocol says it\"}");
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		if (can_fail(r, c, &failures[i]) && failures[i].status != c->also &&
			!(c->form && failures[i].status == 400))
			buf_addf(b, ",\"%d\":{\"$ref\":\"#/components/responses/%s\"}",
				failures[i].status, failures[i].name);
	buf_adds(b, ",\"default\":{\"$ref\":\"#/components/responses/Failure\"}");
}

static const char envelope[] =
	"{\"type\":\"object\",\"properties\":{\"code\":{\"type\":\"integer\"},\"message\":{"
	"\"type\":\"string\"},\"data\":";

/* For a list: one page of it. */
static void add_data_schema(struct buf *b, const struct route *r, const struct contract *c)
{
	if (c->reply == REPLY_LIST)
		buf_adds(b, "{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\","
			    "\"items\":");
	if (c->reply == REPLY_NULL)
		buf_adds(b, "{\"type\":\"null\"}");
	else
		openapi_reply_schema(b, c, r->sql != NULL);
	if (c->reply == REPLY_LIST)
		buf_adds(b, "},\"next_cursor\":{\"type\":[\"string\",\"null\"]}}}");
}

static void add_data_example(struct buf *b, const struct contract *c)
{
	if (c->reply == REPLY_LIST)
		buf_adds(b, "{\"items\":[");
	if (c->reply == REPLY_NULL)
		buf_adds(b, "null");
	else
		openapi_reply_example(b, c);
	if (c->reply == REPLY_LIST)
		buf_adds(b, "],\"next_cursor\":null}");
}

static void add_json_reply(
	struct buf *b, const struct route *r, const struct contract *c, int status)
{
	bool bare = c->reply == REPLY_BARE;

	buf_adds(b, ",\"content\":{\"application/json\":{\"schema\":");
	buf_adds(b, bare ? "" : envelope);
	add_data_schema(b, r, c);
	buf_adds(b, bare ? "" : "},\"required\":[\"code\",\"message\",\"data\"]}");
	buf_adds(b, ",\"example\":");
	if (!bare)
		buf_addf(b, "{\"code\":%d,\"message\":\"ok\",\"data\":", status);
	add_data_example(b, c);
	buf_adds(b, bare ? "}}" : "}}}");
}

static int success_of(const struct route *r, const struct contract *c)
{
	if (c->reply == REPLY_REDIRECT)
		return 302;
	if (c->reply == REPLY_SOCKET)
		return 101;
	if (c->status)
		return c->status;
	return r->sql && r->method == HTTP_POST ? 201 : 200;
}

static void add_success(struct buf *b, const struct route *r, const struct contract *c, int status)
{
	static const char *const what[] = { [REPLY_OBJECT] = "done",
		[REPLY_LIST] = "a page of the list",
		[REPLY_NULL] = "done",
		[REPLY_BARE] = "done",
		[REPLY_REDIRECT] = "go to Location",
		[REPLY_SOCKET] = "the connection has become a WebSocket",
		[REPLY_MEDIA] = "done" };

	buf_addf(b, "\"%d\":{\"description\":\"%s\"", status, what[c->reply]);
	if (c->reply == REPLY_REDIRECT)
		buf_adds(b, ",\"headers\":{\"Location\":{\"schema\":{\"type\":\"string\"}}}");
	else if (c->reply == REPLY_MEDIA)
		buf_addf(b, ",\"content\":{\"%s\":{\"schema\":{\"type\":\"string\"}}}", c->media);
	else if (c->reply != REPLY_SOCKET)
		add_json_reply(b, r, c, status);
	buf_addc(b, '}');
}

/* --- operations --- */

/* The name of the contract; below the customers' path with the prefix client_, so that an endpoint
 * with two paths has two names. */
static void add_operation_id(struct buf *b, const struct route *r, const struct contract *c)
{
	bool prefixed = strncmp(r->path, "/api/v1/client/", 15) == 0 && !strstr(c->name, "client");

	buf_addf(b, ",\"operationId\":\"%s", prefixed ? "client_" : "");
	for (const char *p = c->name; *p; p++)
		buf_addc(b, *p == '/' ? '_' : *p);
	buf_addc(b, '"');
}

/* A sentence without its full stop, as a summary. */
static void add_heading(struct buf *b, const char *key, const char *text)
{
	size_t n = strlen(text);

	if (n > 1 && text[n - 1] == '.')
		n--;
	else if (n > 3 && strcmp(text + n - 3, "。") == 0)
		n -= 3;
	buf_addf(b, "\"%s\":", key);
	buf_add_json(b, text, n);
}

static void add_operation(struct buf *b, const struct route *r)
{
	const struct contract *c = contract_of(r);
	char method[10];
	size_t n = 0;

	for (const char *m = http_method_name(r->method); *m; m++)
		method[n++] = (char)tolower((unsigned char)*m);
	buf_addf(b, "\"%.*s\":{", (int)n, method);
	add_heading(b, "summary", c->about);
	buf_addc(b, ',');
	add_heading(b, "x-summary-zh", c->about_zh);
	add_operation_id(b, r, c);
	buf_addf(b, ",\"tags\":[\"%s\"],\"security\":[%s]", c->tag,
		r->permission == PERM_ANYONE ? "" : "{\"bearer\":[]},{\"cookie\":[]}");
	buf_addf(b,
		",\"x-permission\":\"%s\",\"x-only\":\"%s\",\"x-reach\":\"%s\",\"x-mode\":\"%s\"",
		permission_name(r->permission), route_only_name(r->only),
		route_reach_name(r->reach), contract_mode_name(c->mode));
	if (r->old)
		buf_addf(b,
			",\"deprecated\":true,\"x-deprecated-since\":\"%s\",\"x-sunset\":\"%s\"",
			r->old->since, r->old->sunset);
	if (r->step_up)
		buf_addf(b, ",\"x-step-up\":\"%s\"", r->step_up_if ? r->step_up_if : "always");
	add_parameters(b, r, c);
	add_body(b, c);
	buf_adds(b, ",\"responses\":{");
	add_success(b, r, c, success_of(r, c));
	if (c->also) {
		buf_addc(b, ',');
		add_success(b, r, c, c->also);
	}
	if (is_file(c)) {
		buf_addc(b, ',');
		add_success(b, r, c, 206);
	}
	add_failures(b, r, c);
	buf_adds(b, "}}");
}

/* --- the document --- */

/* Does one of the first N errors have the same code as ERR[N]? */
static bool code_is_among(const enum err *err, int n)
{
	for (int i = 0; i < n; i++)
		if (error_text(err[i])->code == error_text(err[n])->code)
			return true;
	return false;
}

/* What each code means, with the code if there are several. */
static void add_meanings(struct buf *b, const enum err *err, bool zh)
{
	struct buf text = { 0 };
	int codes = 0;

	for (int i = 0; err[i] != ERR_COUNT; i++)
		codes += !code_is_among(err, i);
	for (int i = 0; err[i] != ERR_COUNT; i++) {
		const struct error_text *t = error_text(err[i]);

		if (code_is_among(err, i))
			continue;
		buf_addf(&text, "%s%s", i == 0 ? "" : zh ? "；" : "; ", zh ? t->zh : t->en);
		if (codes > 1)
			buf_addf(&text, zh ? "（%d）" : " (%d)", t->code);
	}
	openapi_quote(b, buf_cstr(&text));
	buf_free(&text);
}

static void add_response(struct buf *b, const char *name, const enum err *err, const char *details)
{
	const struct error_text *t = error_text(err[0]);
	int own = (int)strlen(details) - 1;
	bool later = t->status == 429 || t->status == 503;

	buf_addf(b, "\"%s\":{\"description\":", name);
	add_meanings(b, err, false);
	buf_adds(b, ",\"x-description-zh\":");
	add_meanings(b, err, true);
	buf_adds(b, ",\"x-codes\":[");
	for (int i = 0; err[i] != ERR_COUNT; i++)
		if (!code_is_among(err, i))
			buf_addf(b, "%s%d", i ? "," : "", error_text(err[i])->code);
	buf_adds(b, "]");
	if (later)
		buf_adds(b, ",\"headers\":{\"Retry-After\":{\"description\":\"seconds to wait\","
			    "\"schema\":{\"type\":\"integer\"}}}");
	buf_addf(b,
		",\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/"
		"Error\"},\"example\":{\"code\":%d,\"message\":",
		t->code);
	openapi_quote(b, t->en);
	buf_addf(b,
		",\"details\":%.*s%s\"user_message\":\"%s\",\"suggested_actions\":%s},"
		"\"timestamp\":"
		"\"2026-01-31T08:00:00.000Z\",\"request_id\":\"5a6f521314f935db\"}}}}",
		own, details, own > 1 ? "," : "", t->user_en, t->todo_en);
}

static const char head[] =
	"{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"sladesk\",\"version\":\"1\",\"description\":"
	"\"A service desk for an AWS partner and its customers. Success is {code, message, data}; "
	"an error is {code, message, details, timestamp, request_id} and lists every invalid "
	"field.\",\"license\":{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}},"
	"\"servers\":[{\"url\":\"/\",\"description\":\"this server\"}],\n\"tags\":[";

static const char schemes[] =
	"],\n\"components\":{\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":"
	"\"bearer\",\"description\":\"an access token from a login, or a service token\"},"
	"\"cookie\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"sd_access\",\"description\":"
	"\"requests that change data also need X-CSRF-Token\"}},\n\"schemas\":{\"Error\":{\"type\":"
	"\"object\",\"required\":[\"code\",\"message\",\"details\",\"timestamp\",\"request_id\"],"
	"\"properties\":{\"code\":{\"type\":\"integer\"},\"message\":{\"type\":\"string\"},"
	"\"details\":{\"type\":\"object\",\"additionalProperties\":true,\"required\":["
	"\"user_message\",\"suggested_actions\"],\"properties\":{\"fields\":"
	"{\"type\":\"array\",\"items\":"
	"{\"type\":\"object\",\"properties\":{\"field\":{\"type\":\"string\"},\"rule\":{\"type\":"
	"\"string\"},\"example\":{\"description\":\"a value in the right "
	"form\"}}}},\"user_message\":{\"type\":\"string\"},\"suggested_actions\":{\"type\":"
	"\"array\",\"items\":{\"type\":\"string\"}},\"more_fields\":{\"type\":\"integer\"},"
	"\"support_contact\":{\"type\":\"string\"}}},"
	"\"timestamp\":{\"type\":\"string\",\"format\":\"date-time\"},\"request_id\":{\"type\":"
	"\"string\"}}}},\n\"responses\":{";

static void add_tags(struct buf *b)
{
	bool first = true;

	for (int i = 0; i < FLOW_TAG_COUNT; i++) {
		const struct contract_tag *t = &flow_tags[i];

		if (strcmp(t->name, "selftest") == 0)
			continue;
		buf_addf(b, "%s\n{\"name\":\"%s\",\"description\":", first ? "" : ",", t->name);
		openapi_quote(b, t->about);
		buf_adds(b, ",\"x-description-zh\":");
		openapi_quote(b, t->about_zh);
		buf_addc(b, '}');
		first = false;
	}
}

static void add_responses(struct buf *b)
{
	static const enum err internal[] = { ERR_INTERNAL, ERR_FILE, ERR_COUNT };

	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		add_response(b, failures[i].name, failures[i].err, failures[i].details);
		buf_adds(b, ",\n");
	}
	add_response(b, "Failure", internal, "{}");
}

/* Every error that an answer can have. */
static void add_errors(struct buf *b)
{
	for (int e = 0; e < ERR_COUNT; e++) {
		const struct error_text *t = error_text((enum err)e);

		buf_addf(b, "%s\n{\"code\":%d,\"status\":%d,\"message\":", e ? "," : "", t->code,
			t->status);
		openapi_quote(b, t->en);
		buf_adds(b, ",\"x-message-zh\":");
		openapi_quote(b, t->zh);
		buf_adds(b, ",\"description\":");
		openapi_quote(b, t->user_en);
		buf_adds(b, ",\"x-description-zh\":");
		openapi_quote(b, t->user_zh);
		buf_addf(b, ",\"suggested_actions\":%s,\"x-suggested-actions-zh\":%s}", t->todo_en,
			t->todo_zh);
	}
}

static void add_paths(struct buf *b)
{
	const char *last = "";
	size_t n;
	const struct route *routes = app_routes(&n);

	for (size_t i = 0; i < n; i++) {
		const struct route *r = &routes[i];

		if (r->file || strcmp(contract_of(r)->tag, "selftest") == 0)
			continue;
		if (strcmp(r->path, last) != 0) {
			buf_adds(b, *last ? "},\n" : "\n");
			openapi_quote(b, r->path);
			buf_adds(b, ":{");
			last = r->path;
		} else {
			buf_adds(b, ",\n");
		}
		add_operation(b, r);
	}
}

void openapi_build(void)
{
	buf_adds(&doc, head);
	add_tags(&doc);
	buf_adds(&doc, schemes);
	add_responses(&doc);
	buf_adds(&doc, "},\n\"x-errors\":[");
	add_errors(&doc);
	buf_adds(&doc, "]},\n\"paths\":{");
	add_paths(&doc);
	buf_adds(&doc, "}}}\n");
}

void openapi_free(void)
{
	buf_free(&doc);
}

void openapi_print(void)
{
	openapi_build();
	fwrite(doc.p, 1, doc.n, stdout);
	openapi_free();
	app_routes_free();
}

struct outcome *openapi(struct req *req)
{
	return req_reply_lasting(
		req, "application/json", "Cache-Control: max-age=60\r\n", doc.p, doc.n);
}
