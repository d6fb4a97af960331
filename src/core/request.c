/* SPDX-License-Identifier: Apache-2.0
 * One request from its head to its reply. The guards run in order: route, method, limits, body,
 * session, permission; then the handler. The struct lives until its reply is sent and nothing that
 * it waits for is left, so a client that leaves early does no harm. */
#include "base/json.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "inner.h"
#include "loop/loop.h"
#include "work/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
	struct request_settings settings;
	const struct route *routes;
	size_t route_n;
	struct request_metrics *metrics;
	request_listener **listeners; /* in the order of their registration */
	size_t listener_n;
} serving;
#define GUEST_BODY_MAX (64 * 1024) /* of a route that is open to everyone */

const double request_buckets[11] = { .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5 };

/* --- guards --- */

/* May the request need the keys of personal fields, which are read from the database after the
 * start? A write may encrypt a field or look one up by its blind index. A single sign-on begins and
 * ends with a GET. */
static bool may_seal(const struct route *r)
{
	return (r->method != HTTP_GET && r->method != HTTP_HEAD) ||
	       strncmp(r->path, "/api/v1/auth/sso/", 17) == 0;
}

/* A condition that nobody would check must not be taken for one that holds (RFC 9110, 13.1.1). */
static void note_unknown_match(struct req *req)
{
	const struct contract *c =
		req->route->contract ? req->route->contract : req->route->sql->contract;

	if (!req->if_match || req->route->method == HTTP_GET)
		return;
	for (int i = 0; i < c->param_count; i++)
		if (c->params[i].source == FROM_HEADER && strcmp(c->params[i].key, "If-Match") == 0)
			return;
	req_note_invalid(req, "If-Match", "this request knows no version; leave it out",
		"该请求不支持版本条件，请勿填写");
}

static struct outcome *run_route(struct req *req)
{
	const struct route *r = req->route;
	const char *variant;

	if (r->file)
		return req_serve_file(req, serving.settings.static_dir);
	values_read(req);
	if (r->ws)
		note_unknown_query(req, r->contract);
	note_unknown_match(req);
	if (req_has_invalid(req))
		return req_invalid(req);
	if (r->ws)
		return r->on_ws(req);
	if (may_seal(r) && !field_keys_ready())
		return req_fail(req, ERR_DB, NULL); /* the keys are read from the database */
	if (r->flow)
		return req_run_flow(req);
	variant = r->variant.key ? req_query_value(req, r->variant.key) : NULL;
	if (variant && strcmp(variant, r->variant.value) != 0) {
		req_note_invalid(req, r->variant.key,
			arena_printf(&req->arena, "%s or absent", r->variant.value),
			arena_printf(&req->arena, "%s 或不填", r->variant.value));
		return req_invalid(req);
	}
	return req_run_statement(req, variant ? r->variant.sql : r->sql);
}

static struct outcome *refuse_unready(struct req *req)
{
	if (req->session->must_change)
		return req_forbid(req, NULL, "change your password first", "请先修改密码",
			"POST /api/v1/auth/password");
	if (req->session->must_enrol)
		return req_forbid(req, NULL, "set up two-step verification first",
			"请先设置两步验证", "POST /api/v1/auth/factors/totp");
	return req_fail(req, ERR_FORBIDDEN, NULL);
}

/* Routes that change how a user logs in require a session that has proved its user recently. */
static bool needs_step_up(const struct req *req)
{
	const struct route *r = req->route;
	bool needs = !r->step_up_if;

	if (!r->step_up || !req->session->session_id)
		return false;
	if (!needs && req->body) {
		json_object_object_foreach(req->body, key, val)
		{
			(void)val;
			needs |= choice_is_listed(r->step_up_if, str_of(key));
		}
	}
	return needs;
}

static void on_session(void *arg, struct session *s, enum db_error error)
{
	struct req *req = magic_cast(req, arg);
	struct outcome *o;

	req_begin_step(req);
	req->session = s;
	if (s) {
		req->who.tenant_id = s->tenant_id;
		req->who.user_id = s->actor_id;
	}
	if (error == DB_BUSY && session_is_full())
		o = guard_refuse_degraded(req);
	else if (error != DB_OK)
		o = req_fail(req, error == DB_BUSY ? ERR_BUSY : ERR_DB, NULL);
	else if (!s)
		o = guard_refuse_nobody(req);
	else if ((o = guard_session(req)))
		;
	else if (!session_may(s, req->route->permission))
		o = refuse_unready(req);
	else if (!guard_only(s, req->route->only))
		o = req_fail(req, ERR_FORBIDDEN, NULL);
	else if (!(o = guard_reach(req, req->route->reach)))
		o = needs_step_up(req) ? step_up_check(req, run_route) : run_route(req);
	req_settle(req, o);
}

static bool is_form(const struct route *r)
{
	return r->contract && r->contract->form;
}

static struct outcome *parse_body(struct req *req)
{
	struct http_request *h = req->http;
	struct json_error err;
	const char *p = h->body.p;
	size_t n = h->body.n;

	if (!n || is_form(req->route))
		return NULL;
	if (req->route->method == HTTP_GET) {
		req_note_invalid(req, "body", "GET takes no body", "GET 请求不能带请求体");
		return req_invalid(req);
	}
	req->body = json_read(p, n, &err);
	if (!req->body)
		return req_fail(req, ERR_MALFORMED,
			arena_printf(
				&req->arena, "{\"at\":%zu,\"expected\":\"%s\"}", err.at, err.rule));
	if (!json_object_is_type(req->body, json_type_object))
		return req_fail(req, ERR_MALFORMED, "{\"at\":0,\"expected\":\"an object\"}");
	return NULL;
}

/* An Idempotency-Key stands for the whole request, so that the key of one command does not answer
 * another command, or the same one for another ticket. */
static void add_fingerprint(struct req *req)
{
	const struct http_request *h = req->http;
	struct buf b = { 0 };

	buf_addf(&b, "%s %s", http_method_name(req->route->method), req->route->path);
	for (int i = 0; i < req->path_params; i++)
		buf_addf(&b, " %.*s", (int)req->path_value[i].n, req->path_value[i].p);
	buf_addf(&b, "?%.*s\n", (int)req->query.n, req->query.p);
	buf_add(&b, h->body.p, h->body.n);
	crypto_sha256_hex(b.p, b.n, req->fingerprint);
	buf_free(&b);
}

/* A form on another site can send JSON as text/plain, and would log its visitor in as another user.
 * So cookies are set only for requests of type JSON, which forms cannot send, from our own pages or
 * without an Origin (programs). */
static struct outcome *guard_cookies(struct req *req)
{
	const struct http_head *h = &req->http->head;
	struct str type = http_header_find(h, "content-type");
	const char *end = type.p ? str_chr(type, ';') : NULL;

	if (req->route->permission != PERM_ANYONE || !json_get_bool(req->body, "cookies", false))
		return NULL;
	if (end)
		type.n = (size_t)(end - type.p);
	while (type.n && type.p[type.n - 1] == ' ')
		type.n--;
	if (type.p && !str_case_is(type, "application/json"))
		return req_fail(req, ERR_MEDIA,
			"{\"field\":\"Content-Type\",\"rule\":\"application/json\"}");
	if (!http_origin_is_ours(h))
		return req_forbid(req, "Origin", "from our own pages only", "仅限本站页面", NULL);
	return NULL;
}

static struct outcome *copy_headers(struct req *req)
{
	const struct http_head *h = &req->http->head;
	struct str key = http_header_find(h, "idempotency-key"),
		   match = http_header_find(h, "if-match");

	req->query = (struct str){ arena_dup(&req->arena, h->query.p, h->query.n), h->query.n };
	for (int i = 0; i < req->path_params; i++)
		req->path_value[i].p =
			arena_dup(&req->arena, req->path_value[i].p, req->path_value[i].n);
	if (match.p)
		req->if_match = arena_dup(&req->arena, match.p, match.n);
	values_note_headers(req);
	if (req_has_invalid(req))
		return req_invalid(req);
	if (!key.p)
		return NULL;
	for (size_t i = 0; i < key.n; i++)
		if ((unsigned char)key.p[i] < 0x21 || (unsigned char)key.p[i] > 0x7e)
			key.n = 0;
	if (key.n < 1 || key.n > 200) {
		req_note_invalid(req, "Idempotency-Key", "1 to 200 visible ASCII characters",
			"1 到 200 个可见 ASCII 字符");
		return req_invalid(req);
	}
	req->idempotency_key = arena_dup(&req->arena, key.p, key.n);
	add_fingerprint(req);
	return NULL;
}

static struct str bearer(const struct http_request *h)
{
	struct str v = http_header_find(&h->head, "authorization");

	if (v.n > 7 && strncasecmp(v.p, "bearer ", 7) == 0)
		return (struct str){ v.p + 7, v.n - 7 };
	return (struct str){ 0 };
}

/* The token is invalid, or the database could not be asked. */
static void on_known(void *arg, struct session *s, enum db_error error)
{
	struct req *req = magic_cast(req, arg);

	(void)error;
	req_begin_step(req);
	req->session = s;
	req_settle(req, run_route(req));
}

struct str req_token(struct req *req)
{
	struct str token = bearer(req->http);

	if (!token.n) {
		token = http_cookie(&req->http->head, COOKIE_ACCESS);
		req->by_cookie = token.n > 0;
	}
	return token;
}

static void on_request(struct http_request *h)
{
	struct req *req = magic_cast(req, h->user);
	struct outcome *o;
	struct str token;

	req_begin_step(req);
	o = copy_headers(req);
	if (!o && req->route->permission == PERM_ANYONE && !req->counted)
		o = guard_address(req);
	if (!o)
		o = parse_body(req);
	if (!o)
		o = guard_cookies(req);
	if (o) {
		req_settle(req, o);
		return;
	}
	token = req_token(req);
	if (req->by_cookie && (req->route->permission != PERM_ANYONE || req->route->know) &&
		!cookie_is_token(req, COOKIE_ACCESS, token)) {
		req_settle(req, req_invalid(req));
		return;
	}
	if (req->route->permission == PERM_ANYONE && req->route->know && token.n) {
		req->waiting = true;
		session_find(token, on_known, req);
		return;
	}
	if (req->route->permission == PERM_ANYONE) {
		req_settle(req, run_route(req));
		return;
	}
	if (!token.n) {
		req_settle(req, req_fail(req, ERR_NO_AUTH, NULL));
		return;
	}
	if (req->by_cookie && h->head.method != HTTP_GET && h->head.method != HTTP_HEAD &&
		!http_csrf_is_right(&h->head)) {
		req_settle(req, req_refuse_csrf(req));
		return;
	}
	req->waiting = true;
	session_find(token, on_session, req);
}

static struct outcome *no_route(struct req *req, const struct route_match *m)
{
	struct buf b = { 0 }, allow = { 0 };
	struct outcome *o;

	if (!m->path_known)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	buf_adds(&allow, "Allow: ");
	buf_adds(&b, "{\"allowed\":[");
	for (int i = 0; i < HTTP_METHODS; i++)
		if (m->methods >> i & 1) {
			const char *name = http_method_name((enum http_method)i);
			bool first = b.p[b.n - 1] == '[';

			buf_addf(&b, "%s\"%s\"", first ? "" : ",", name);
			buf_addf(&allow, "%s%s", first ? "" : ", ", name);
		}
	buf_adds(&b, "]}");
	req->failure_header = buf_cstr(&allow);
	o = req_fail(req, ERR_METHOD, buf_cstr(&b));
	req->failure_header = NULL;
	buf_free(&allow);
	buf_free(&b);
	return o;
}

/* /api/x is served as /api/v1/x. */
static struct str canonical(struct req *req, struct str path)
{
	if (path.n > 5 && memcmp(path.p, "/api/", 5) == 0 &&
		!(path.n > 8 && memcmp(path.p + 5, "v1/", 3) == 0)) {
		char *p = arena_printf(&req->arena, "/api/v1/%.*s", (int)path.n - 5, path.p + 5);

		return str_of(p);
	}
	return path;
}

static bool wants_chinese(const struct http_request *h)
{
	struct str v = http_header_find(&h->head, "accept-language");

	return !(v.n >= 2 && strncasecmp(v.p, "en", 2) == 0);
}

/* --- before the body --- */

/* The session that the token names was looked up before the body was read. It is looked up again
 * with the whole request, from the cache. */
static void on_sender(void *arg, struct session *s, enum db_error error)
{
	struct req *req = magic_cast(req, arg);

	if (!req->http) { /* the client has left */
		session_put(s);
		req_begin_step(req);
		req->ended = true;
		req_settle(req, GOES_ON);
	} else if (!s) {
		on_session(req, s, error);
	} else {
		session_put(s);
		req->waiting = false;
		http_resume(req->http);
	}
}

static bool has_body(const struct http_head *h)
{
	return h->chunked || h->length > 0;
}

/* Decide from the head alone who may send a body, and how large. A body that would be refused is
 * not read. */
static enum http_body admit_body(struct req *req, uint64_t *max)
{
	struct http_request *http = req->http;
	const struct http_head *h = &http->head;
	bool anyone = req->route->permission == PERM_ANYONE;
	struct outcome *o = NULL;
	struct str token;

	*max = anyone && !is_form(req->route) ? GUEST_BODY_MAX : JSON_MAX_BYTES;
	if (!has_body(h) || (h->has_length && h->length > *max))
		return HTTP_BODY_BUFFER; /* or refused by the server */
	if (anyone) {
		req->counted = true;
		http->guest = true;
		o = guard_address(req);
		if (!o)
			return HTTP_BODY_BUFFER;
		req_settle(req, o);
		return HTTP_BODY_REPLIED;
	}
	token = req_token(req);
	if (!token.n) {
		req_settle(req, req_fail(req, ERR_NO_AUTH, NULL));
		return HTTP_BODY_REPLIED;
	}
	req->waiting = true;
	session_find(token, on_sender, req);
	if (http->status) /* refused at once: REQ is freed, HTTP on a later turn */
		return HTTP_BODY_REPLIED;
	return req->waiting ? HTTP_BODY_HOLD : HTTP_BODY_BUFFER;
}

static enum http_body on_head(struct http_request *h, uint64_t *max)
{
	struct req *req = req_new(h);
	struct route_match m;

	req->zh = wants_chinese(h);
	if (!guard_believe_proxy(h)) {
		req_settle(req, guard_refuse_connection(req, "address_connections"));
		return HTTP_BODY_REPLIED;
	}
	routes_match(h->head.method, canonical(req, h->head.path), &m);
	req->route = m.route;
	memcpy(req->path_name, m.name, sizeof(m.name));
	memcpy(req->path_value, m.value, sizeof(m.value));
	req->path_params = m.params;
	if (!req->route) {
		req_settle(req, no_route(req, &m));
		return HTTP_BODY_REPLIED;
	}
	return req->route->stream ? HTTP_BODY_STREAM : admit_body(req, max);
}

static void on_piece(struct http_request *h, const char *p, size_t n)
{
	struct req *req = magic_cast(req, h->user);

	req->route->stream(req, p, n);
}

/* A listener, too: counts for /metrics. */
static void count(struct req *req, const struct http_request *http, int status)
{
	struct request_metrics *m =
		&serving.metrics[req->route ? (size_t)(req->route - serving.routes)
					    : serving.route_n];
	double s = (double)(clock_mono_us() - req->began_us) / 1e6;
	size_t b = 0;

	(void)http;
	m->count[status / 100 < 6 ? status / 100 : 5]++;
	while (b < ARRAY_LEN(request_buckets) && s > request_buckets[b])
		b++;
	m->bucket[b]++;
	m->sum_s += s;
}

static void on_gone(struct http_request *h)
{
	struct req *req = magic_cast(req, h->user);

	if (!req)
		return;
	req->http = NULL;
	if (!req->waiting)
		req->ended = true;
	req_free_if_done(req);
}

static void on_done(struct http_request *h)
{
	struct req *req = magic_cast(req, h->user);

	for (size_t i = 0; i < serving.listener_n; i++)
		serving.listeners[i](req, h, h->status);
	req->http = NULL;
	/* The last piece of a streamed reply was taken, or the server itself refused the body. In
	 * all other cases, the caller of the step that replied frees the request. */
	if (req->streaming || !req->ended) {
		req->ended = true;
		if (!req->stepping)
			req_free_if_done(req);
	}
}

static const struct http_handler handler = { on_head, on_piece, on_request, on_gone, on_done,
	response_refusal };

const struct http_handler *request_handler(void)
{
	return &handler;
}

/* A server without the portal's files answers every page with 404; the log says why. */
static void look_for_files(const struct route *routes, size_t n, const char *dir)
{
	for (size_t i = 0; i < n; i++) {
		char *path;
		bool missing;

		if (!routes[i].file)
			continue;
		path = xasprintf("%s/%s", dir, routes[i].file);
		missing = access(path, R_OK) != 0;
		if (missing)
			log_warn(NULL, "no portal: %s cannot be read; see http.static_dir", path);
		free(path);
		if (missing)
			return;
	}
}

void request_init(const struct route *routes, size_t n, const struct request_settings *s)
{
	serving.settings = *s;
	ending_init(&serving.settings);
	cookies_init(s->secure_cookies);
	limit_init();
	serving.routes = routes;
	serving.route_n = n;
	serving.metrics = xcalloc(n + 1, sizeof(*serving.metrics));
	for (size_t i = 0; i < n; i++)
		serving.metrics[i].route = &routes[i];
	routes_build(routes, n);
	look_for_files(routes, n, s->static_dir);
	request_on_end(count);
}

void request_on_end(request_listener *fn)
{
	serving.listeners =
		xrealloc(serving.listeners, (serving.listener_n + 1) * sizeof(*serving.listeners));
	serving.listeners[serving.listener_n++] = fn;
}

void request_free(void)
{
	free(serving.listeners);
	serving.listeners = NULL;
	serving.listener_n = 0;
	routes_free();
	session_forget_all();
	session_limit_degraded(0);
	limit_free();
	free(serving.metrics);
	serving.metrics = NULL;
}

const struct route *request_routes(size_t *out_n)
{
	*out_n = serving.route_n;
	return serving.routes;
}

const struct request_metrics *request_metrics(size_t *out_n)
{
	*out_n = serving.route_n + 1;
	return serving.metrics;
}
