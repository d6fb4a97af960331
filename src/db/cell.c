/* SPDX-License-Identifier: Apache-2.0
 * Binary cells to C and to JSON. The types are those our statements return; another one is a bug
 * that the query tests find. */
#include "db/db.h"
#include "base/clock.h"

#include <endian.h>

#define OID_BOOL 16
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
#define PG_EPOCH_US 946684800000000LL /* PostgreSQL counts from 2000 */

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

void db_cell_to_json(struct buf *b, const PGresult *r, int row, int col)
{
	const char *p = PQgetvalue(r, row, col);
	int n = PQgetlength(r, row, col);
	int64_t v;

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
		v = be(p, n);
		bug_on(v > (1LL << 53) || v < -(1LL << 53)); /* ids are JSON numbers */
		buf_add_int(b, v);
		break;
	case OID_TIMESTAMPTZ:
		v = db_time(r, row, col);
		buf_add_time_json(b, v == INT64_MAX ? INSTANT_NONE : v);
		break;
	case OID_JSONB:
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
		buf_add_json(b, p, (size_t)n);
		break;
	default:
		bug_fail(__FILE__, __LINE__, "a statement returns a type the writer does not know");
	}
}
