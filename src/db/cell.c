/* SPDX-License-Identifier: Apache-2.0
 * Converts binary cells to C and to JSON. The types are those that our statements return; another
 * type is a bug that the query tests find. */
#include "db/db.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/field.h"

#include <endian.h>
#include <stdio.h>

#define OID_BOOL 16
#define OID_BYTEA 17
#define OID_INT8 20
#define OID_INT2 21
#define OID_INT4 23
#define OID_TEXT 25
#define OID_JSON 114
#define OID_TEXT_ARRAY 1009
#define OID_BIGINT_ARRAY 1016
#define OID_VARCHAR 1043
#define OID_TIMESTAMPTZ 1184
#define OID_JSONB 3802
#define OID_UNKNOWN 705
#define JSON_INT_MAX (1LL << 53)
#define PG_EPOCH_US 946684800000000LL /* PostgreSQL counts from 2000 */

void db_call_int(struct db_call *call, int i, int64_t v)
{
	bug_on(i < 0 || i >= SQL_PARAMS_MAX);
	snprintf(call->number[i], sizeof(call->number[i]), "%lld", (long long)v);
	call->param[i] = call->number[i];
}

bool db_is_null(const PGresult *r, int row, int col)
{
	return PQgetisnull(r, row, col);
}

static int64_t be(const char *p, int n)
{
	uint16_t v2;
	uint32_t v4;
	uint64_t v8;

	switch (n) {
	case 1:
		return (unsigned char)p[0];
	case 2:
		memcpy(&v2, p, 2);
		return (int16_t)be16toh(v2);
	case 4:
		memcpy(&v4, p, 4);
		return (int32_t)be32toh(v4);
	default:
		memcpy(&v8, p, 8);
		return (int64_t)be64toh(v8);
	}
}

int64_t db_int(const PGresult *r, int row, int col)
{
	return PQgetisnull(r, row, col) ? 0 : be(PQgetvalue(r, row, col), PQgetlength(r, row, col));
}

struct str db_text(const PGresult *r, int row, int col)
{
	struct str s = { PQgetvalue(r, row, col), (size_t)PQgetlength(r, row, col) };

	if (PQftype(r, col) == OID_JSONB && s.n > 0)
		s.p++, s.n--;
	return s;
}

int64_t db_time(const PGresult *r, int row, int col)
{
	int64_t v;

	if (PQgetisnull(r, row, col))
		return INSTANT_NONE;
	v = be(PQgetvalue(r, row, col), 8);
	return v == INT64_MAX ? INT64_MAX : v + PG_EPOCH_US;
}

static void array_to_json(struct buf *b, const char *p, bool text)
{
	int64_t dims = be(p, 4), n = dims ? be(p + 12, 4) : 0;

	buf_addc(b, '[');
	p += dims ? 20 : 12;
	for (int64_t i = 0; i < n; i++) {
		int64_t len = be(p, 4);

		p += 4;
		if (i)
			buf_addc(b, ',');
		if (len < 0)
			buf_adds(b, "null");
		else if (text)
			buf_add_json(b, p, (size_t)len);
		else
			buf_add_int(b, be(p, (int)len));
		p += len > 0 ? len : 0;
	}
	buf_addc(b, ']');
}

/* For readers who may not see the full value; the same as masked_mail() and masked_phone(). */
static void mask(struct buf *out, const char *column, struct str v)
{
	const char *at = str_chr(v, '@');

	if (strcmp(column, "email") == 0) {
		buf_add(out, v.p, v.n > 0);
		buf_adds(out, "***");
		if (at)
			buf_add(out, at, (size_t)(v.p + v.n - at));
		return;
	}
	for (size_t i = 0; i < v.n; i++)
		buf_addc(out, v.n >= 8 && (i < 3 || i + 4 >= v.n) ? v.p[i] : '*');
}

/* An encrypted field, in full or, after m:, masked. A text that only looks encrypted is returned as
 * it is. */
static bool sealed_to_json(struct buf *b, const char *column, struct str v, bool json)
{
	bool masked = v.n > 2 && memcmp(v.p, "m:", 2) == 0;
	struct str sealed = masked ? (struct str){ v.p + 2, v.n - 2 } : v;
	struct buf text = { 0 }, shown = { 0 };
	bool ok = field_key_of(sealed) && field_open(&text, column, sealed);

	if (ok && json) {
		buf_add(b, text.p, text.n);
	} else if (ok) {
		if (masked)
			mask(&shown, column, (struct str){ text.n ? text.p : "", text.n });
		buf_add_json(b,
			masked   ? buf_cstr(&shown)
			: text.n ? text.p
				 : "",
			masked ? shown.n : text.n);
	}
	buf_free(&text);
	buf_free(&shown);
	return ok;
}

static bool looks_sealed(const char *p, int n)
{
	return n > 10 && (memcmp(p, "e1.", 3) == 0 || memcmp(p, "m:e1.", 5) == 0);
}

/* --- encrypted values with their place --- */

/* What sealed_at() in SQL makes, as the only bytea that statements return, so that no text of a
 * user is taken for one: how it is shown, the place as read, a zero byte, the stored value. */
struct placed {
	char shown; /* t: text, j: JSON, m: a masked mail address, p: a masked phone number */
	struct str place, value;
};

static bool read_placed(const PGresult *r, int row, int col, struct placed *out)
{
	const char *p = PQgetvalue(r, row, col), *zero;
	size_t n = (size_t)PQgetlength(r, row, col);

	if (PQgetisnull(r, row, col) || PQftype(r, col) != OID_BYTEA || !n ||
		!(zero = memchr(p, 0, n)))
		return false;
	*out = (struct placed){ *p, { p + 1, (size_t)(zero - p) - 1 },
		{ zero + 1, (size_t)(p + n - zero) - 1 } };
	return true;
}

bool db_open(struct buf *b, const PGresult *r, int row, int col)
{
	struct placed v;

	return read_placed(r, row, col, &v) && field_open_place(b, v.place, v.value);
}

/* The text as its reader may see it. Returns how it is to be shown; 0: it is refused. */
static char add_placed(struct buf *b, const PGresult *r, int row, int col)
{
	struct buf text = { 0 };
	struct placed v;
	char shown = 0;

	if (!read_placed(r, row, col, &v)) {
		log_error(NULL, "not an encrypted value column=%s", PQfname(r, col));
	} else if (field_open_place(&text, v.place, v.value)) {
		shown = v.shown;
		if (shown == 'm' || shown == 'p')
			mask(b, shown == 'm' ? "email" : "phone",
				(struct str){ buf_cstr(&text), text.n });
		else
			buf_add(b, text.p, text.n);
	}
	buf_free(&text);
	return shown;
}

static void placed_to_json(struct buf *b, const PGresult *r, int row, int col)
{
	struct buf text = { 0 };
	char shown = add_placed(&text, r, row, col);

	if (!shown)
		buf_adds(b, "null");
	else if (shown == 'j')
		buf_add(b, text.p, text.n);
	else
		buf_add_json(b, buf_cstr(&text), text.n);
	buf_free(&text);
}

/* A number that a JSON reader would round to another id is left out. */
static void int_to_json(struct buf *b, const char *column, int64_t v)
{
	if (v >= -JSON_INT_MAX && v <= JSON_INT_MAX) {
		buf_add_int(b, v);
		return;
	}
	log_error(
		NULL, "a number is too large for JSON column=%s value=%lld", column, (long long)v);
	buf_adds(b, "null");
}

void db_cell_to_json(struct buf *b, const PGresult *r, int row, int col)
{
	const char *p = PQgetvalue(r, row, col);
	int n = PQgetlength(r, row, col);
	int64_t at;

	if (PQgetisnull(r, row, col)) {
		buf_adds(b, "null");
		return;
	}
	switch (PQftype(r, col)) {
	case OID_BOOL:
		buf_adds(b, *p ? "true" : "false");
		break;
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
		int_to_json(b, PQfname(r, col), be(p, n));
		break;
	case OID_TIMESTAMPTZ:
		at = db_time(r, row, col);
		buf_add_time_json(b, at == INT64_MAX ? INSTANT_NONE : at);
		break;
	case OID_BYTEA:
		placed_to_json(b, r, row, col);
		break;
	case OID_JSONB:
		if (n > 12 && p[1] == '"' && looks_sealed(p + 2, n - 3) &&
			sealed_to_json(
				b, PQfname(r, col), (struct str){ p + 2, (size_t)n - 3 }, true))
			break;
		buf_add(b, p + 1, (size_t)n - 1);
		break;
	case OID_JSON:
		buf_add(b, p, (size_t)n);
		break;
	case OID_TEXT_ARRAY:
		array_to_json(b, p, true);
		break;
	case OID_BIGINT_ARRAY:
		array_to_json(b, p, false);
		break;
	case OID_TEXT:
	case OID_VARCHAR:
	case OID_UNKNOWN:
		if (looks_sealed(p, n) &&
			sealed_to_json(b, PQfname(r, col), (struct str){ p, (size_t)n }, false))
			break;
		buf_add_json(b, p, (size_t)n);
		break;
	default:
		log_error(NULL, "no JSON for a column's type column=%s oid=%u", PQfname(r, col),
			PQftype(r, col));
		buf_adds(b, "null");
	}
}

void db_cell_to_text(struct buf *b, const PGresult *r, int row, int col)
{
	struct str v = db_text(r, row, col);
	size_t from = b->n;

	if (PQgetisnull(r, row, col))
		return;
	switch (PQftype(r, col)) {
	case OID_BYTEA:
		(void)add_placed(b, r, row, col);
		return;
	case OID_TEXT:
	case OID_VARCHAR:
		if (!looks_sealed(v.p, (int)v.n) || !field_open(b, PQfname(r, col), v))
			buf_add(b, v.p, v.n);
		return;
	case OID_TIMESTAMPTZ:
		db_cell_to_json(b, r, row, col);
		if (b->n > from + 1 && b->p[from] == '"') { /* without its quotes */
			memmove(b->p + from, b->p + from + 1, b->n - from - 2);
			b->n -= 2;
		}
		return;
	default:
		db_cell_to_json(b, r, row, col);
	}
}
