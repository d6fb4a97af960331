/* SPDX-License-Identifier: Apache-2.0
 * The audit log as a table: read and sent page by page, as CSV. The next cursor names where the
 * rest begins; it is a header, so the end is looked up first. */
#include "base/clock.h"
#include "core/request.h"
#include "audit.h"
#include "core/csv_writer.h"
#include "flow_gen.h"
#include "sql_gen.h"

#define PAGE 200
#define ROWS_MAX 10000

struct export
{
	const char *param[10];
	struct buf csv;
	int rows;
	bool done;
};

enum {
	P_LIMIT,
	P_CURSOR,
	P_CURSOR_ID,
	P_TENANT,
	P_USERNAME,
	P_OPERATION,
	P_RESULT,
	P_FROM,
	P_TO,
	P_TENANT_ID
};

static void free_export(struct req *req)
{
	struct export *x = req_state(req, export);

	buf_free(&x->csv);
}

static void add_rows(struct export *x, const PGresult *rows)
{
	struct buf cell = { 0 };

	for (int i = 0; i < PQntuples(rows); i++, x->rows++)
		for (int c = 0; c < PQnfields(rows); c++) {
			cell.n = 0;
			db_cell_to_text(&cell, rows, i, c);
			csv_add_cell(&x->csv, (struct str){ cell.n ? cell.p : "", cell.n });
			buf_adds(&x->csv, c + 1 < PQnfields(rows) ? "," : "\r\n");
		}
	buf_free(&cell);
}

static struct outcome *next_page(struct req *req);

static struct outcome *on_page(struct req *req, enum db_error error, const PGresult *rows)
{
	struct export *x = req_state(req, export);
	int n = error == DB_OK ? PQntuples(rows) : 0;

	if (error != DB_OK) {
		db_log(LOG_WARN, &req->who, error, "audit export cut err=%s", db_error_name(error));
		return req_pieces_cut(req);
	}
	x->csv.n = 0;
	if (!x->rows) {
		buf_adds(&x->csv, "\xef\xbb\xbf"); /* so that Excel recognises UTF-8 */
		for (int c = 0; c < PQnfields(rows); c++)
			buf_addf(&x->csv, "%s%s", PQfname(rows, c),
				c + 1 < PQnfields(rows) ? "," : "\r\n");
	}
	add_rows(x, rows);
	x->done = n < PAGE || x->rows >= ROWS_MAX;
	if (n)
		x->param[P_CURSOR] = x->param[P_CURSOR_ID] =
			req_int(req, db_int(rows, n - 1, PQfnumber(rows, "chain_no")));
	return req_piece(req, x->csv.p, x->csv.n, next_page);
}

static struct outcome *next_page(struct req *req)
{
	struct export *x = req_state(req, export);

	return x->done ? req_pieces_end(req) : req_query(req, &sql_audit_list, x->param, on_page);
}

/* The row that ends this export, and one more if something is left. */
static struct outcome *on_end(struct req *req, enum db_error error, const PGresult *rows)
{
	const char *next = "";
	char day[32];

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 2)
		next = arena_printf(&req->arena, "X-Next-Cursor: %lld_%lld\r\n",
			(long long)db_int(rows, 0, 0), (long long)db_int(rows, 0, 0));
	time_format(clock_now_us(), 0, day);
	day[10] = 0;
	return req_pieces_begin(req, 200, "text/csv; charset=utf-8",
		arena_printf(&req->arena,
			"Content-Disposition: attachment; "
			"filename=\"audit-%s.csv\"\r\nCache-Control: no-store\r\n%s",
			day, next),
		-1, next_page);
}

struct outcome *audit_export(struct req *req)
{
	struct export *x = req_state_new(req, export);
	const struct in_audit_export *in = REQ_INPUT(req, audit_export);
	const char **end = arena_alloc(&req->arena, sizeof(x->param));

	req->cleanup = free_export;
	if (in->cursor)
		x->param[P_CURSOR] = x->param[P_CURSOR_ID] =
			arena_dup(&req->arena, in->cursor, strcspn(in->cursor, "_"));
	x->param[P_USERNAME] = in->username;
	x->param[P_OPERATION] = in->operation;
	x->param[P_RESULT] = in->result;
	x->param[P_FROM] = in->from;
	x->param[P_TO] = in->to;
	x->param[P_LIMIT] = req_int(req, PAGE);
	x->param[P_TENANT] = req_int(req, req->session->tenant_id);
	x->param[P_TENANT_ID] = in->has_tenant_id ? req_int(req, in->tenant_id) : NULL;
	memcpy(end, x->param, sizeof(x->param));
	end[P_LIMIT] = req_int(req, ROWS_MAX);
	return req_query(req, &sql_audit_export_end, end, on_end);
}
