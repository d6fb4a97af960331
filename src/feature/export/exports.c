/* SPDX-License-Identifier: Apache-2.0
 * Data exports: a request creates a job, and its file can be downloaded until it expires. */
#include "exports.h"
#include "base/clock.h"
#include "base/json.h"
#include "ticket/names.h"
#include "core/request.h"
#include "export.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <stdlib.h>

#define DAYS_MAX 1100
#define BYTES_A_RECORD 180 /* assumed size of a row, for estimates */
#define RECORDS_A_SECOND 10000

const char *const export_columns[] = { "ticket_id", "title", "status", "priority", "service_type",
	"department", "project", "region", "created_at", "first_response_at", "resolved_at",
	"closed_at", "sla_breached", NULL };

/* --- creating an export --- */

static const char columns_rule[] = "a list of ticket_id, title, status, priority, service_type, "
				   "department, project, region, created_at, first_response_at, "
				   "resolved_at, closed_at, sla_breached, without duplicates",
		  columns_rule_zh[] =
			  "由 ticket_id、title、status、priority、service_type、department、"
			  "project、region、created_at、first_response_at、resolved_at、"
			  "closed_at、sla_breached 组成的列表，不得重复";

static const char *no_column(struct str name)
{
	for (int i = 0; export_columns[i]; i++)
		if (str_is(name, export_columns[i]))
			return export_columns[i];
	return NULL;
}

/* Append an element of an array in PostgreSQL's syntax, quoted, because a code may contain
 * anything. */
static void add_element(struct buf *b, size_t i, const char *text)
{
	buf_adds(b, i ? ",\"" : "\"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *text);
	}
	buf_addc(b, '"');
}

/* {"a","b"} for a list of names known to NAME_OF, without duplicates. Notes an error and returns
 * NULL if it is not such a list. */
static const char *names(struct req *req, struct json_object *list, const char *where,
	const char *(*name_of)(struct str s), const char *rule_en, const char *rule_zh)
{
	struct buf b = { 0 };
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	const char *seen[CSV_WRITER_COLUMNS_MAX], *text = NULL;
	bool sound = n > 0 && n <= CSV_WRITER_COLUMNS_MAX;

	buf_addc(&b, '{');
	for (size_t i = 0; i < n && sound; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		seen[i] = json_object_is_type(v, json_type_string) ? name_of(json_str(v)) : NULL;
		sound = seen[i] != NULL;
		for (size_t k = 0; k < i && sound; k++)
			sound = strcmp(seen[k], seen[i]) != 0;
		if (sound)
			add_element(&b, i, seen[i]);
	}
	buf_addc(&b, '}');
	if (sound)
		text = arena_dup(&req->arena, b.p, b.n);
	else
		req_note_invalid(req, where, rule_en, rule_zh);
	buf_free(&b);
	return text;
}

static const char *status_name(struct str s)
{
	enum ticket_state state = ticket_state_parse(s);

	return state == TICKET_STATE_COUNT ? NULL : ticket_state_name(state);
}

static const char *priority_of(struct str s)
{
	enum priority p = priority_parse(s);

	return p == PRIORITY_NONE ? NULL : priority_name(p);
}

/* A catalogue code can be any text. */
static const char *service_type_name(struct str s)
{
	return s.n && utf8_length(s.p, s.n) <= 100 ? s.p : NULL;
}

/* Two dates in order. Returns false if they are not. */
static bool read_range(struct json_object *v, const char **from, const char **to)
{
	struct json_object *a = json_object_array_get_idx(v, 0),
			   *b = json_object_array_get_idx(v, 1);
	int64_t first, last;

	if (!json_object_is_type(a, json_type_string) ||
		!json_object_is_type(b, json_type_string) || !date_parse(json_str(a), &first) ||
		!date_parse(json_str(b), &last) || last < first || last - first > DAYS_MAX)
		return false;
	*from = json_object_get_string(a);
	*to = json_object_get_string(b);
	return true;
}

/* The parameters of export/new. */
struct export_params {
	const char *p[13];
};

/* The requested lists in the form that export/new expects, into P. */
static void read_lists(struct req *req, const struct in_export_ask *in, const char **p)
{
	if (in->columns)
		p[2] = names(req, in->columns, "parameters.columns", no_column, columns_rule,
			columns_rule_zh);
	if (in->status)
		p[3] = names(req, in->status, "parameters.filters.status", status_name,
			"a list of states, such as [\"resolved\", \"closed\"]",
			"状态列表，例如 [\"resolved\", \"closed\"]");
	if (in->priority)
		p[4] = names(req, in->priority, "parameters.filters.priority", priority_of,
			"a list of P0 to P4, or critical, high, medium, low, general",
			"P0 到 P4 的列表，或 critical、high、medium、low、general");
	if (in->service_type)
		p[5] = names(req, in->service_type, "parameters.filters.service_type",
			service_type_name, "a list of codes, such as [\"incident\", \"request\"]",
			"代码列表，例如 [\"incident\", \"request\"]");
	if (in->date_range && !read_range(in->date_range, &p[6], &p[7]))
		req_note_invalid(req, "parameters.date_range",
			"two dates in order, at most three years apart, such as [\"2026-01-01\", "
			"\"2026-01-31\"]",
			"两个日期，先后有序，相隔不超过三年，例如 [\"2026-01-01\", "
			"\"2026-01-31\"]");
}

void export_check(struct req *req)
{
	const char **p = req_state_new(req, export_params)->p;

	p[2] = "{ticket_id,title,status,priority,service_type,created_at,resolved_at}";
	read_lists(req, REQ_INPUT(req, export_ask), p);
}

/* For display: "15KB". */
static const char *size_text(struct req *req, int64_t bytes)
{
	return bytes < 1048576
		       ? arena_printf(&req->arena, "%lldKB", (long long)(bytes + 1023) / 1024)
		       : arena_printf(&req->arena, "%.1fMB", (double)bytes / 1048576);
}

static struct outcome *on_new(struct req *req, enum db_error error, const PGresult *rows)
{
	struct buf b = { 0 };
	int64_t n;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_LIMIT,
			req->zh ? "{\"limit\":\"exports_queued\",\"max\":10,\"user_message\":"
				  "\"已有 10 个导出任务在等待\",\"suggested_actions\":"
				  "[\"等待其中一个完成\"]}"
				: "{\"limit\":\"exports_queued\",\"max\":10,\"user_message\":\"ten "
				  "exports are already waiting\",\"suggested_actions\":[\"wait "
				  "until one of them is finished\"]}");
	exports_wake();
	n = db_int(rows, 0, 2);
	buf_adds(&b, "{\"export_id\":");
	db_cell_to_json(&b, rows, 0, 0);
	buf_addf(&b,
		",\"status\":\"processing\",\"estimated_records\":%lld,\"estimated_size\":\"%s\","
		"\"estimated_time\":%lld,\"download_url\":null,\"expires_at\":",
		(long long)n, size_text(req, n * BYTES_A_RECORD),
		(long long)(1 + n / RECORDS_A_SECOND));
	db_cell_to_json(&b, rows, 0, 3);
	buf_addc(&b, '}');
	return req_reply_take(req, 202, &b);
}

struct outcome *export_post(struct req *req)
{
	const struct in_export_ask *in = REQ_INPUT(req, export_ask);
	const char **p = req_state(req, export_params)->p; /* export_check has filled it in */

	p[0] = req_int(req, req->session->actor_id);
	p[1] = strcmp(in->format, "json") == 0 ? "json" : "csv";
	p[8] = req->session->scope;
	p[9] = in->include_headers ? "true" : "false";
	p[10] = in->compression ? "true" : "false";
	p[11] = req_int(req, in->max_records);
	p[12] = req_int(req, clock_now_us());
	return req_query(req, &sql_export_new, p, on_new);
}

/* --- progress --- */

/* The code of the row's ERROR, as the answer to a request would have it. */
static void add_error_code(struct buf *b, struct str error)
{
	if (!error.n)
		buf_adds(b, "null");
	else
		buf_add_int(
			b, error_text(str_is(error, "too_large") ? ERR_LIMIT : ERR_REPORT)->code);
}

/* The explanation of the row's ERROR for users. */
static void add_error(const struct req *req, struct buf *b, struct str error)
{
	if (str_is(error, "too_large"))
		buf_adds(b, req->zh ? "\"文件将超过 8 MiB：请缩小日期范围、减少列或选择压缩\""
				    : "\"the file would exceed 8 MiB; narrow the date range, "
				      "choose fewer columns, or enable compression\"");
	else if (str_is(error, "not_written"))
		buf_adds(b, req->zh ? "\"三次写入均未成功，请重新导出\""
				    : "\"writing the file failed three times; request the export "
				      "again\"");
	else
		buf_adds(b, "null");
}

static struct outcome *on_export(struct req *req, enum db_error error, const PGresult *rows)
{
	static const char *const members[] = { "export_id", "export_type", "format", "status",
		"records", "estimated_records", "size_bytes", "file_id", "error", "created_at",
		"done_at", "expires_at", "complete" };
	struct buf b = { 0 };

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	for (int i = 0; i < (int)ARRAY_LEN(members); i++) {
		buf_addf(&b, "%s\"%s\":", i ? "," : "{", members[i]);
		db_cell_to_json(&b, rows, 0, i);
	}
	buf_adds(&b, ",\"error_code\":");
	add_error_code(&b, db_text(rows, 0, 8));
	buf_adds(&b, ",\"error_text\":");
	add_error(req, &b, db_text(rows, 0, 8));
	buf_adds(&b, ",\"download_url\":");
	if (db_is_null(rows, 0, 7))
		buf_adds(&b, "null");
	else
		buf_addf(&b, "\"/api/v1/client/files/download/%lld\"",
			(long long)db_int(rows, 0, 7));
	buf_addc(&b, '}');
	return req_reply_take(req, 200, &b);
}

/* Whose exports the caller sees: P[0] the own ones, P[1] all of the company. */
static void whose(struct req *req, const char **p)
{
	const struct session *s = req->session;

	p[0] = req_int(req, s->actor == ACTOR_CUSTOMER ? s->actor_id : 0);
	p[1] = session_may(s, PERM_EXPORT_ALL) ? "true" : "false";
}

struct outcome *export_get(struct req *req)
{
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p));
	const char *number = REQ_INPUT(req, export_look)->export_id;

	if (strlen(number) > 40)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	p[0] = number;
	whose(req, p + 1);
	return req_query(req, &sql_export_get, p, on_export);
}

/* --- the file --- */

struct fetching {
	const char *param[2];
	int64_t part;
	uint64_t size, from, to; /* the bytes that are sent */
	uint64_t skip, left;     /* of the next part, and of them all */
	int status;
	const char *type, *extra;
	bool begun;
};

static struct outcome *next_part(struct req *req);

static struct outcome *begin(struct req *req, const struct fetching *f)
{
	return req_pieces_begin(req, f->status, f->type, f->extra,
		f->size ? (int64_t)(f->to - f->from + 1) : 0, next_part);
}

/* Before the first byte, a failure is an error like any other; after it, the reply is cut. */
static struct outcome *fail_part(struct req *req, const struct fetching *f, enum db_error error)
{
	log_warn(&req->who, "download cut file=%s part=%lld err=%s", f->param[0],
		(long long)f->part, error == DB_OK ? "missing" : db_error_name(error));
	if (f->begun)
		return req_pieces_cut(req);
	return error == DB_OK ? req_fail(req, ERR_FILE, NULL) : req_fail_db(req, error);
}

static struct outcome *on_part(struct req *req, enum db_error error, const PGresult *rows)
{
	struct fetching *f = req_state(req, fetching);
	struct outcome *o;
	struct str p;

	if (error != DB_OK || PQntuples(rows) == 0)
		return fail_part(req, f, error);
	p = db_text(rows, 0, 0);
	if (p.n < f->skip)
		return fail_part(req, f, DB_OK);
	p.p += f->skip;
	p.n -= (size_t)f->skip;
	p.n = p.n < f->left ? p.n : (size_t)f->left;
	f->skip = 0;
	f->left -= p.n;
	f->part++;
	if (f->begun)
		return req_piece(req, p.p, p.n, next_part);
	f->begun = true;
	o = begin(req, f);
	return req->http ? req_piece(req, p.p, p.n, next_part) : o;
}

static struct outcome *next_part(struct req *req)
{
	struct fetching *f = req_state(req, fetching);

	if (!f->left)
		return req_pieces_end(req);
	f->param[1] = req_int(req, f->part);
	return req_query(req, &sql_export_file_part, f->param, on_part);
}

static struct outcome *on_at(struct req *req, enum db_error error, const PGresult *rows)
{
	struct fetching *f = req_state(req, fetching);

	if (error != DB_OK || PQntuples(rows) == 0)
		return fail_part(req, f, error);
	f->part = db_int(rows, 0, 0);
	f->skip = f->from - (uint64_t)db_int(rows, 0, 1);
	return next_part(req);
}

static struct outcome *on_file(struct req *req, enum db_error error, const PGresult *rows)
{
	struct fetching *f = req_state(req, fetching);
	const char *etag; /* a file is written once */
	struct str name, type;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	name = db_text(rows, 0, 0);
	type = db_text(rows, 0, 1);
	f->size = (uint64_t)db_int(rows, 0, 2);
	etag = arena_printf(&req->arena, "\"%s-%llu\"", f->param[0], (unsigned long long)f->size);
	f->status = req_range(req, etag, f->size, &f->from, &f->to);
	if (f->status == 416)
		return req_fail_range(req, f->size);
	f->left = f->size ? f->to - f->from + 1 : 0;
	f->type = arena_printf(&req->arena, "%.*s", (int)type.n, type.p);
	f->extra = arena_printf(&req->arena,
		"Content-Disposition: attachment; filename=\"%.*s\"\r\nCache-Control: no-store\r\n"
		"Accept-Ranges: bytes\r\nETag: %s\r\n%s",
		(int)name.n, name.p, etag,
		f->status == 206 ? req_range_header(req, f->from, f->to, f->size) : "");
	if (!f->size || req->http->head.method == HTTP_HEAD) {
		f->begun = true;
		return begin(req, f);
	}
	if (!f->from)
		return next_part(req);
	f->param[1] = arena_printf(&req->arena, "%llu", (unsigned long long)f->from);
	return req_query(req, &sql_export_file_at, f->param, on_at);
}

struct outcome *file_download(struct req *req)
{
	struct fetching *f = req_state_new(req, fetching);
	const struct in_export_download *in = REQ_INPUT(req, export_download);
	const char **p = arena_alloc(&req->arena, 4 * sizeof(*p));

	/* the session alone decides: an address stays in logs and histories, so it carries no right
	 */
	f->param[0] = p[0] = req_int(req, in->file_id);
	whose(req, p + 1);
	p[3] = req_int(req, clock_now_us());
	return req_query(req, &sql_export_file, p, on_file);
}
