/* SPDX-License-Identifier: Apache-2.0
 * Statement routes: take the parameters from a request as the contract says, and write the rows as
 * JSON. */
#include "base/json.h"
#include "config/options.h"
#include "crypto/field.h"
#include "inner.h"
#include "sql_gen.h"
#include "ticket/names.h"

#include <stdio.h>
#include <stdlib.h>

/* A page of a list ends at its first row beyond this many bytes. */
#define PAGE_MAX (1024 * 1024)
#define PAGE_MIN (64 * 1024)
#define UNSENT_MAX (16 * 1024 * 1024)

/* --- a statement's parameters --- */

/* What a cursor may hold: numbers, and instants until 2255. The latter is "never", which sorts
 * behind all of them and which no other value has. */
#define CURSOR_MAX (1LL << 53)

/* "<value>_<id>", the form of next_cursor. */
static const char *cursor_part(struct req *req, const char *which)
{
	char *c = req_query_value(req, "cursor"), *us;
	int64_t a, b;

	if (!c)
		return NULL;
	us = strchr(c, '_');
	if (!us || !str_to_int((struct str){ c, (size_t)(us - c) }, -CURSOR_MAX, CURSOR_MAX, &a) ||
		!str_to_int(str_of(us + 1), 0, CURSOR_MAX, &b)) {
		if (which[0] == '0')
			req_note_invalid(req, "cursor", "a next_cursor from an earlier response",
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

static const char *session_value(struct req *req, const struct param *p)
{
	const struct session *s = req->session;

	if (strcmp(p->key, "now") == 0)
		return req_int(req, clock_now_us());
	if (strcmp(p->key, "row") == 0)
		return req_int(req, req->row_id);
	if (strcmp(p->key, "url") == 0) /* ours */
		return options.http_url;
	if (strcmp(p->key, "tenant") == 0)
		return s ? req_int(req, s->tenant_id) : NULL;
	if (strcmp(p->key, "customer") ==
		0) /* ids of staff and of services are separate number ranges */
		return s && s->actor == ACTOR_CUSTOMER ? req_int(req, s->actor_id) : "0";
	bug_on(!strchr(p->key, ':')); /* session.may.<permission>; the generator knows no other */
	return s && s->perms & permissions_parse(str_of(p->key)) ? "true" : "false";
}

static const char *idem_value(struct req *req, const struct param *p)
{
	if (!req->idempotency_key)
		return NULL;
	return strcmp(p->key, "key") == 0      ? req->idempotency_key
	       : strcmp(p->key, "sha256") == 0 ? req->fingerprint
					       : idem_actor(req);
}

/* Bound to the row that the statement will make: session.row. */
static const char *sealed_param(struct req *req, const struct param *p, const char *text)
{
	struct buf place = { 0 }, b = { 0 };
	const char *out;

	buf_addf(&place, "%s:%lld:%lld", p->sealed, (long long)req->session->tenant_id,
		(long long)req->row_id);
	field_seal_place(
		&b, (struct str){ place.p, place.n }, str_of(text), clock_now_us() / US_PER_S);
	out = arena_dup(&req->arena, b.p, b.n);
	buf_free(&place);
	buf_free(&b);
	return out;
}

/* The form that the database reads. */
static const char *json_param(struct req *req, const struct param *p, struct json_object *v)
{
	struct value out = { 0 };

	if (!read_json_value(req, p, NULL, v, &out))
		return NULL;
	if (out.text)
		return p->sealed ? sealed_param(req, p, out.text) : out.text;
	if (p->type == PARAM_BOOL)
		return out.n ? "true" : "false";
	return p->type == PARAM_JSON ? req_json_text(req, v) : req_int(req, out.n);
}

static const char *text_param(struct req *req, const struct param *p)
{
	struct value out = { 0 };
	const char *v = NULL;

	switch (p->source) {
	case FROM_PATH:
		v = req_path_value(req, p->key);
		break;
	case FROM_QUERY:
		v = req_query_value(req, p->key);
		break;
	case FROM_CURSOR:
		return cursor_part(req, p->key);
	case FROM_SESSION:
		return session_value(req, p);
	case FROM_IDEM:
		return idem_value(req, p);
	case FROM_BODY:
	case FROM_FORM:
	case FROM_HEADER:
	case FROM_CALL:
		bug_fail(__FILE__, __LINE__, "a statement's parameter that no request can give");
	}
	return v && read_text_value(req, p, NULL, v, &out) ? out.text : NULL;
}

void bind_params(struct req *req, const struct sql_stmt *stmt, const char **out)
{
	const struct contract *c = stmt->contract;
	int members = 0;

	note_unknown_query(req, c);
	for (int i = 0; i < c->param_count; i++) {
		const struct param *p = &c->params[i];
		int before = req->invalid_n;
		struct json_object *v = NULL;

		if (p->source == FROM_BODY)
			members += json_object_object_get_ex(req->body, p->key, &v);
		out[i] = v                        ? json_param(req, p, v)
			 : p->source != FROM_BODY ? text_param(req, p)
						  : NULL;
		if (out[i] || req->invalid_n != before)
			continue;
		if (p->required && p->source != FROM_PATH)
			note_absent(req, p, NULL);
		out[i] = p->fallback;
	}
	if (req->body && members != json_object_object_length(req->body))
		note_unknown_members(req, c, -1, NULL, req->body);
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
	buf_add_int(b, t == INT64_MAX ? CURSOR_MAX : t);
}

/* Do two rows have the same cursor? A page must not end between them. */
static bool same_cursor(const PGresult *rows, int a, int b, const struct sql_stmt *stmt)
{
	for (int i = 0; i < 2; i++) {
		int col = PQfnumber(rows, stmt->cursor[i]);
		int n = PQgetlength(rows, a, col);

		if (n != PQgetlength(rows, b, col) ||
			memcmp(PQgetvalue(rows, a, col), PQgetvalue(rows, b, col), (size_t)n) != 0)
			return false;
	}
	return true;
}

/* The maximum size of a page in bytes. It shrinks as unread replies accumulate: clients that
 * request large pages and do not read them must not fill the memory, and the others continue with
 * the cursor. */
static size_t page_bytes(void)
{
	uint64_t unsent = http_unsent(), left = unsent < UNSENT_MAX ? UNSENT_MAX - unsent : 0;
	size_t n = (size_t)(left / 16);

	return n < PAGE_MIN ? PAGE_MIN : n < PAGE_MAX ? n : PAGE_MAX;
}

/* The column priority_label holds the priority; what is shown is its name in the reader's language.
 */
static void add_label(struct buf *b, const PGresult *rows, int row, int col, bool zh)
{
	const char *label = priority_label(priority_parse(db_text(rows, row, col)), zh);

	if (db_is_null(rows, row, col))
		buf_adds(b, "null");
	else
		buf_add_json(b, label, strlen(label));
}

static void row_to_json(
	struct buf *b, const PGresult *rows, int row, const struct str *names, bool zh)
{
	int cols = PQnfields(rows), label = PQfnumber(rows, "priority_label"),
	    event = PQfnumber(rows, "data"); /* what an event says, with the priority it had then */

	buf_addc(b, '{');
	for (int c = 0; c < cols; c++) {
		if (!names[c].n)
			continue;
		buf_add(b, names[c].p, names[c].n);
		if (c == label)
			add_label(b, rows, row, c, zh);
		else if (c == event && !db_is_null(rows, row, c))
			priority_add_labelled(b, db_text(rows, row, c), zh);
		else
			db_cell_to_json(b, rows, row, c);
	}
	buf_addc(b, '}');
}

bool req_sees_internal(const struct req *req)
{
	return req->session && req->session->staff;
}

/* Append rows as the list or object that the contract describes. A list of fewer than LIMIT rows is
 * the end of what there is: it has no next cursor. Who does not see internal fields gets no such
 * columns (ticket_field_is_internal). */
static void rows_to_json(struct buf *b, const struct req *req, const struct sql_stmt *stmt,
	const PGresult *rows, int limit)
{
	bool internal = req_sees_internal(req);
	static struct buf text; /* the text ,"name": of each column, one after the other */
	struct str names[64];
	int n = PQntuples(rows), cols = PQnfields(rows);
	bool full; /* cut by bytes: more rows may follow, although these are few */
	size_t most = stmt->cursor[0] ? b->n + page_bytes() : SIZE_MAX;

	bug_on(cols > 64);
	text.n = 0;
	buf_reserve(&text,
		64 * 68); /* names have at most 63 bytes, so the buffer is not moved any more */
	for (int c = 0; c < cols; c++) {
		size_t from = text.n;

		names[c] = (struct str){ 0 };
		if (!internal && ticket_field_is_internal(str_of(PQfname(rows, c))))
			continue;
		buf_adds(&text, from ? ",\"" : "\"");
		buf_adds(&text, PQfname(rows, c));
		buf_adds(&text, "\":");
		names[c] = (struct str){ text.p + from, text.n - from };
	}
	if (stmt->shape == SQL_OBJECT) {
		row_to_json(b, rows, 0, names, req->zh);
	} else {
		buf_adds(b, "{\"items\":[");
		for (int r = 0; r < n; r++) {
			if (r && b->n >= most && !same_cursor(rows, r - 1, r, stmt))
				n = r; /* the next page begins here */
			if (r == n)
				break;
			if (r)
				buf_addc(b, ',');
			row_to_json(b, rows, r, names, req->zh);
		}
		/* A statement that itself stops at PAGE_MAX (ticket/comments) ends here, too. */
		full = b->n >= most;
		buf_adds(b, "],\"next_cursor\":");
		if (stmt->cursor[0] && n > 0 && (full || n >= limit)) {
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
	rows_to_json(&b, req, req->call.stmt, rows, 1);
	o = req_reply_headers(
		req, 201, "Idempotency-Replayed: true\r\nCache-Control: no-store\r\n", b.p, b.n);
	buf_free(&b);
	return o;
}

/* Read what the key created earlier as it was then, if the request was the same. */
static struct outcome *on_key(struct req *req, enum db_error error, const PGresult *rows)
{
	const char **p = arena_alloc(&req->arena, sizeof(*p));

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail_key(req, ERR_IN_FLIGHT);
	if (!str_is(db_text(rows, 0, 1), req->fingerprint))
		return req_fail_key(req, ERR_KEY_REUSED);
	p[0] = req_int(req, db_int(rows, 0, 0));
	return req_query(req, req->route->replay, p, on_replayed);
}

/* Another request has stored the key or is about to. The statement waited for it until its time
 * limit. */
static bool is_key_taken(const struct db_call *call, enum db_error error)
{
	return error == DB_RETRY ||
	       (error == DB_CONFLICT && strcmp(call->constraint, "idempotency_keys_pkey") == 0);
}

static struct outcome *look_up_key(struct req *req)
{
	const char **p = arena_alloc(&req->arena, 2 * sizeof(*p));

	p[0] = idem_actor(req);
	p[1] = req->idempotency_key;
	return req_query(req, &sql_ticket_idempotent, p, on_key);
}

/* The rows that CALL may return: its limit. A shorter page is the last one. */
static int limit_of(const struct db_call *call)
{
	const struct contract *c = call->stmt->contract;
	int64_t n;

	for (int i = 0; i < c->param_count; i++)
		if (c->params[i].source == FROM_QUERY && strcmp(c->params[i].key, "limit") == 0 &&
			str_to_int(str_of(call->param[i]), 1, INT32_MAX, &n))
			return (int)n;
	return 1;
}

static struct outcome *on_statement(struct req *req, enum db_error error, const PGresult *rows)
{
	const struct sql_stmt *stmt = req->call.stmt;
	static struct buf b;
	struct outcome *o;

	if (req->route->replay && req->idempotency_key && is_key_taken(&req->call, error))
		return look_up_key(req);
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (stmt->shape == SQL_OBJECT && PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	rows_to_json(&b, req, stmt, rows, limit_of(&req->call));
	o = req_reply(req, req->route->method == HTTP_POST ? 201 : 200, b.p, b.n);
	buf_reuse(&b);
	return o;
}

/* A filter makes a list selective; the page position or a single tenant does not. */
static bool is_selective(const struct sql_stmt *stmt, const char *const *params)
{
	if (stmt->shape != SQL_LIST)
		return false;
	for (int i = 0; i < stmt->param_count; i++) {
		const struct param *p = &stmt->contract->params[i];

		if (p->source == FROM_QUERY && params[i] && strcmp(p->key, "limit") != 0 &&
			strcmp(p->key, "tenant_id") != 0)
			return true;
	}
	return false;
}

struct outcome *req_run_flow(struct req *req)
{
	const struct route *r = req->route;
	enum bound bound = bind_input(req, r->contract);

	if (r->check)
		r->check(req);
	if (req_has_invalid(req))
		return req_invalid(req);
	switch (bound) {
	case BOUND_FOREIGN:
		return req_fail(req, ERR_FORBIDDEN, NULL);
	case BOUND_NOTHING:
		return req_fail(req, ERR_NOT_FOUND, NULL);
	case BOUND:
		break;
	}
	return r->flow(req);
}

/* Does the request filter by a field that its caller does not see? For customers no ticket has such
 * a field, so nothing matches; a real answer would reveal the field's value. */
static bool filters_unseen(struct req *req, const struct sql_stmt *stmt)
{
	for (int i = 0; !req_sees_internal(req) && i < stmt->param_count; i++) {
		const struct param *p = &stmt->contract->params[i];

		if (p->source == FROM_QUERY && ticket_field_is_internal(str_of(p->key)) &&
			req_query_value(req, p->key))
			return true;
	}
	return false;
}

static struct outcome *on_row_id(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	req->row_id = db_int(rows, 0, 0);
	return req_run_statement(req, req->row_stmt);
}

/* The parameter that is stored encrypted, if there is one. */
static const struct param *sealed_one(const struct sql_stmt *stmt)
{
	for (int i = 0; i < stmt->param_count; i++)
		if (stmt->contract->params[i].sealed)
			return &stmt->contract->params[i];
	return NULL;
}

/* Its value names the row, so the row's id is needed first. */
static struct outcome *ask_row_id(
	struct req *req, const struct sql_stmt *stmt, const struct param *p)
{
	const char **params = arena_alloc(&req->arena, sizeof(*params));

	params[0] = arena_printf(&req->arena, "%.*s", (int)strcspn(p->sealed, "."), p->sealed);
	req->row_stmt = stmt;
	return req_query_job(req, &sql_keys_next_id, params, on_row_id);
}

struct outcome *req_run_statement(struct req *req, const struct sql_stmt *stmt)
{
	const struct param *sealed = req->row_id ? NULL : sealed_one(stmt);
	const char **params = arena_alloc(&req->arena, sizeof(char *) * SQL_PARAMS_MAX);
	const char *tenant = req_query_value(req, "tenant_id");
	int64_t id;

	if (sealed)
		return ask_row_id(req, stmt, sealed);
	bind_params(req, stmt, params);
	if (req->route->check)
		req->route->check(req);
	if (req_has_invalid(req))
		return req_invalid(req);
	for (int i = 0; i < stmt->param_count; i++)
		if (stmt->contract->params[i].source == FROM_PATH && !params[i])
			return req_fail(req, ERR_NOT_FOUND, NULL);
	/* A request that names another tenant is refused, not answered with an empty result. */
	if (tenant && req->session &&
		(!str_to_int(str_of(tenant), 1, 1LL << 53, &id) ||
			!session_serves(req->session, id)))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	if (filters_unseen(req, stmt)) {
		static const char nothing[] = "{\"items\":[],\"next_cursor\":null}";

		return req_reply(req, 200, nothing, sizeof(nothing) - 1);
	}
	req->replan = is_selective(stmt, params);
	return req_query(req, stmt, params, on_statement);
}
