/* SPDX-License-Identifier: Apache-2.0
 * From path, query and body to a statement's parameters, as its contract says; and from its rows to
 * JSON. Every bad field is listed. */
#include "base/json.h"
#include "inner.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

/* --- query --- */

static char *decode_in_arena(struct req *req, struct str raw)
{
	char *out = arena_alloc(&req->arena, raw.n + 1);
	size_t n;

	if (!http_decode(raw, true, out, &n))
		return NULL;
	out[n] = 0;
	return out;
}

char *req_query_value(struct req *req, const char *key)
{
	struct str rest = req->query, k, v;

	while (http_query_next(&rest, &k, &v))
		if (str_is(k, key))
			return decode_in_arena(req, v);
	return NULL;
}

char *req_form_value(struct req *req, const char *key)
{
	struct str rest = { req->http ? req->http->body.p : NULL,
		req->http ? req->http->body.n : 0 },
		   k, v;

	while (rest.n && http_query_next(&rest, &k, &v))
		if (str_is(k, key))
			return decode_in_arena(req, v);
	return NULL;
}

static bool contract_has_query(const struct req *req, const struct sql_stmt *stmt, struct str key)
{
	bool cursor = false;

	for (int i = 0; i < stmt->param_count; i++) {
		if (stmt->params[i].source == SQL_FROM_QUERY && str_is(key, stmt->params[i].key))
			return true;
		cursor |= stmt->params[i].source == SQL_FROM_CURSOR;
	}
	if (cursor && str_is(key, "cursor"))
		return true;
	return (req->route->variant.key && str_is(key, req->route->variant.key)) ||
	       (req->session && req->session->staff && str_is(key, "tenant_id"));
}

static void check_query_names(struct req *req, const struct sql_stmt *stmt)
{
	struct str rest = req->query, k, v;

	while (http_query_next(&rest, &k, &v))
		if (k.n && !contract_has_query(req, stmt, k))
			req_note_invalid(req, arena_dup(&req->arena, k.p, k.n < 100 ? k.n : 100),
				"unknown query parameter", "未知的查询参数");
}

/* --- checking one value --- */

static bool in_choices(const char *choices, const char *v)
{
	size_t n = strlen(v);

	for (const char *p = choices; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
		if (strncmp(p, v, n) == 0 && (p[n] == '|' || p[n] == 0))
			return true;
	return false;
}

static const char *check_value(struct req *req, const struct sql_param *p, const char *v)
{
	int64_t n;

	switch (p->type) {
	case SQL_T_INT:
	case SQL_T_BIGINT:
		if (!str_to_int(str_of(v),
			    p->has_range ? p->min : (p->type == SQL_T_INT ? INT32_MIN : INT64_MIN),
			    p->has_range ? p->max : (p->type == SQL_T_INT ? INT32_MAX : INT64_MAX),
			    &n)) {
			if (p->source == SQL_FROM_PATH)
				return NULL;
			req_note_invalid(req, p->name,
				p->has_range ? arena_printf(&req->arena,
						       "a whole number from %lld to %lld",
						       (long long)p->min, (long long)p->max)
					     : "a whole number",
				p->has_range ? arena_printf(&req->arena, "%lld 到 %lld 的整数",
						       (long long)p->min, (long long)p->max)
					     : "整数");
			return NULL;
		}
		return v;
	case SQL_T_BOOL:
		if (strcmp(v, "true") != 0 && strcmp(v, "false") != 0) {
			req_note_invalid(req, p->name, "true or false", "true 或 false");
			return NULL;
		}
		return v;
	case SQL_T_TIME:
		if (!time_parse(str_of(v), &n)) {
			req_note_invalid(req, p->name,
				"an RFC 3339 time, such as 2026-01-31T08:00:00Z",
				"RFC 3339 时间,例如 2026-01-31T08:00:00Z");
			return NULL;
		}
		return v;
	case SQL_T_JSON:
		return v;
	case SQL_T_TEXT:
		break;
	}
	if (p->has_range && ((int64_t)utf8_length(v, strlen(v)) < p->min ||
				    (int64_t)utf8_length(v, strlen(v)) > p->max)) {
		note_bad_length(req, p->name, p->min, p->max);
		return NULL;
	}
	if (p->in && !in_choices(p->in, v)) {
		req_note_invalid(req, p->name, arena_printf(&req->arena, "one of %s", p->in),
			arena_printf(&req->arena, "可选值:%s", p->in));
		return NULL;
	}
	return v;
}

static const char *body_value(struct req *req, const struct sql_param *p)
{
	struct json_object *v = json_get(req->body, p->key);

	if (!v)
		return NULL;
	if ((p->type == SQL_T_TEXT || p->type == SQL_T_TIME) !=
			json_object_is_type(v, json_type_string) ||
		(p->type == SQL_T_BOOL) != json_object_is_type(v, json_type_boolean)) {
		req_note_invalid(req, p->name, "of the wrong type", "类型错误");
		return NULL;
	}
	return arena_dup(&req->arena, json_object_get_string(v), strlen(json_object_get_string(v)));
}

/* "<value>_<id>", as next_cursor gave it. */
static const char *cursor_part(struct req *req, const char *which)
{
	char *c = req_query_value(req, "cursor"), *us;
	int64_t a, b;

	if (!c)
		return NULL;
	us = strchr(c, '_');
	if (!us || !str_to_int((struct str){ c, (size_t)(us - c) }, INT64_MIN + 1, INT64_MAX, &a) ||
		!str_to_int(str_of(us + 1), 0, 1LL << 53, &b)) {
		if (which[0] == '0')
			req_note_invalid(req, "cursor", "a next_cursor of an earlier answer",
				"应为上一页返回的 next_cursor");
		return NULL;
	}
	return arena_printf(&req->arena, "%lld", (long long)(which[0] == '0' ? a : b));
}

const char *idem_actor(struct req *req)
{
	return arena_printf(&req->arena, "%s:%lld", actor_kind_name(req->session->actor),
		(long long)req->session->actor_id);
}

static const char *raw_value(struct req *req, const struct sql_param *p)
{
	struct str s;

	switch (p->source) {
	case SQL_FROM_PATH:
		s = req_path(req, p->key);
		return decode_in_arena(req, s);
	case SQL_FROM_QUERY:
		return req_query_value(req, p->key);
	case SQL_FROM_BODY:
		return body_value(req, p);
	case SQL_FROM_CURSOR:
		return cursor_part(req, p->key);
	case SQL_FROM_SESSION:
		if (strcmp(p->key, "now") == 0)
			return arena_printf(&req->arena, "%lld", (long long)clock_now_us());
		if (strcmp(p->key, "tenant") == 0)
			return req->session ? req_int(req, req->session->tenant_id) : NULL;
		if (strcmp(p->key, "customer") == 0) /* ids of staff and services are others' */
			return req->session && req->session->actor == ACTOR_CUSTOMER
				       ? req_int(req, req->session->actor_id)
				       : "0";
		if (strcmp(p->key, "pii") == 0)
			return session_may(req->session, PERM_PII_READ) ? "true" : "false";
		if (strcmp(p->key, "exports") == 0) /* others', too */
			return session_may(req->session, PERM_EXPORT_ALL) ? "true" : "false";
		return req->session ? arena_printf(&req->arena, "%lld",
					      (long long)req->session->actor_id)
				    : NULL;
	case SQL_FROM_IDEM:
		if (!req->idempotency_key)
			return NULL;
		return strcmp(p->key, "key") == 0      ? req->idempotency_key
		       : strcmp(p->key, "sha256") == 0 ? req->body_sha256
						       : idem_actor(req);
	case SQL_FROM_CALL:
		break;
	}
	bug_fail(__FILE__, __LINE__, "a route's statement has a parameter no request can give");
}

static void check_body_names(struct req *req, const struct sql_stmt *stmt)
{
	struct buf keys = { 0 };

	for (int i = 0; i < stmt->param_count; i++)
		if (stmt->params[i].source == SQL_FROM_BODY)
			buf_addf(&keys, "%s ", stmt->params[i].key);
	req_body_only(req, buf_cstr(&keys));
	buf_free(&keys);
}

void bind_params(struct req *req, const struct sql_stmt *stmt, const char **out)
{
	check_query_names(req, stmt);
	check_body_names(req, stmt);
	for (int i = 0; i < stmt->param_count; i++) {
		const struct sql_param *p = &stmt->params[i];
		size_t before = req->invalid.n;
		const char *v = raw_value(req, p);

		if (!v && req->invalid.n == before)
			v = p->fallback;
		if (!v && p->required && req->invalid.n == before && p->source != SQL_FROM_PATH)
			req_note_invalid(req, p->name, "required", "必填");
		out[i] = v ? check_value(req, p, v) : NULL;
	}
}

/* --- rows --- */

static void cursor_value(struct buf *b, const PGresult *rows, int row, const char *column)
{
	int col = PQfnumber(rows, column);
	int64_t t;

	bug_on(col < 0);
	if (PQftype(rows, col) != 1184) {
		buf_add_int(b, db_int(rows, row, col));
		return;
	}
	t = db_time(rows, row, col);
	buf_add_int(b, t);
}

static void row_to_json(struct buf *b, const PGresult *rows, int row, const struct str *names)
{
	int cols = PQnfields(rows);

	buf_addc(b, '{');
	for (int c = 0; c < cols; c++) {
		buf_add(b, names[c].p, names[c].n);
		db_cell_to_json(b, rows, row, c);
	}
	buf_addc(b, '}');
}

void rows_to_json(struct buf *b, const struct sql_stmt *stmt, const PGresult *rows)
{
	static struct buf text; /* ,"name": of each column, one after the other */
	struct str names[64];
	int n = PQntuples(rows), cols = PQnfields(rows);

	bug_on(cols > 64);
	text.n = 0;
	buf_reserve(&text, 64 * 68); /* a name has at most 63 bytes: it does not move any more */
	for (int c = 0; c < cols; c++) {
		size_t from = text.n;

		buf_adds(&text, c ? ",\"" : "\"");
		buf_adds(&text, PQfname(rows, c));
		buf_adds(&text, "\":");
		names[c] = (struct str){ text.p + from, text.n - from };
	}
	if (stmt->shape == SQL_OBJECT) {
		row_to_json(b, rows, 0, names);
	} else {
		buf_adds(b, "{\"items\":[");
		for (int r = 0; r < n; r++) {
			if (r)
				buf_addc(b, ',');
			row_to_json(b, rows, r, names);
		}
		buf_adds(b, "],\"next_cursor\":");
		if (stmt->cursor[0] && n > 0) {
			buf_addc(b, '"');
			cursor_value(b, rows, n - 1, stmt->cursor[0]);
			buf_addc(b, '_');
			cursor_value(b, rows, n - 1, stmt->cursor[1]);
			buf_addc(b, '"');
		} else {
			buf_adds(b, "null");
		}
		buf_addc(b, '}');
	}
}

static struct outcome *on_replayed(struct req *req, enum db_error error, const PGresult *rows)
{
	struct buf b = { 0 };
	struct outcome *o;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	rows_to_json(&b, req->call.stmt, rows);
	o = req_reply_headers(req, req->replay_status,
		"Idempotency-Replayed: true\r\nCache-Control: no-store\r\n", b.p, b.n);
	buf_free(&b);
	return o;
}

struct outcome *req_replay(struct req *req, const struct sql_stmt *stmt, int64_t id, int status)
{
	const char **p = arena_alloc(&req->arena, sizeof(*p));

	p[0] = arena_printf(&req->arena, "%lld", (long long)id);
	req->replay_status = status;
	return req_query(req, stmt, p, on_replayed);
}

/* What the key made before: read again, if the request was the same. */
static struct outcome *on_key(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_BUSY, NULL);
	if (!str_is(db_text(rows, 0, 1), req->body_sha256)) {
		req_note_invalid(req, "Idempotency-Key", "already used for another request",
			"已用于其他请求");
		return req_invalid(req);
	}
	return req_replay(req, req->route->replay, db_int(rows, 0, 0), 201);
}

static struct outcome *look_up_key(struct req *req)
{
	const char **p = arena_alloc(&req->arena, 2 * sizeof(*p));

	p[0] = idem_actor(req);
	p[1] = req->idempotency_key;
	return req_query(req, &sql_ticket_idempotent, p, on_key);
}

static struct outcome *on_statement(struct req *req, enum db_error error, const PGresult *rows)
{
	const struct sql_stmt *stmt = req->call.stmt;
	static struct buf b;

	if (error == DB_CONFLICT && req->route->replay && req->idempotency_key &&
		strcmp(req->call.constraint, "idempotency_keys_pkey") == 0)
		return look_up_key(req);
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (stmt->shape == SQL_OBJECT && PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	b.n = 0;
	rows_to_json(&b, stmt, rows);
	return req_reply(req, req->route->method == HTTP_POST ? 201 : 200, b.p, b.n);
}

/* A filter makes a list selective; a page of it, or one tenant's, does not. */
static bool is_selective(const struct sql_stmt *stmt, const char *const *params)
{
	if (stmt->shape != SQL_LIST)
		return false;
	for (int i = 0; i < stmt->param_count; i++)
		if (stmt->params[i].source == SQL_FROM_QUERY && params[i] &&
			strcmp(stmt->params[i].key, "limit") != 0 &&
			strcmp(stmt->params[i].key, "tenant_id") != 0)
			return true;
	return false;
}

struct outcome *req_run_statement(struct req *req, const struct sql_stmt *stmt)
{
	const char **params = arena_alloc(&req->arena, sizeof(char *) * SQL_PARAMS_MAX);
	const char *tenant = req_query_value(req, "tenant_id");
	int64_t id;

	bind_params(req, stmt, params);
	if (req_has_invalid(req))
		return req_invalid(req);
	for (int i = 0; i < stmt->param_count; i++)
		if (stmt->params[i].source == SQL_FROM_PATH && !params[i])
			return req_fail(req, ERR_NOT_FOUND, NULL);
	/* Naming a tenant that is not yours is refused, not answered with emptiness. */
	if (tenant && req->session &&
		(!str_to_int(str_of(tenant), 1, 1LL << 53, &id) ||
			!session_serves(req->session, id)))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	req->replan = is_selective(stmt, params);
	return req_query(req, stmt, params, on_statement);
}
