/* SPDX-License-Identifier: Apache-2.0
 * Cells of the database in C, in JSON and as a table: every type that statements return, and the
 * values that are masked. */
#include "base/clock.h"
#include "base/json.h"
#include "core/csv_writer.h"
#include "crypto/field.h"
#include "unit.h"

#include <endian.h>
#include <string.h>
#include <zlib.h>

enum {
	BOOL = 16,
	BYTEA = 17,
	INT8 = 20,
	INT2 = 21,
	INT4 = 23,
	TEXT = 25,
	JSON = 114,
	TEXTS = 1009,
	BIGINTS = 1016,
	TIME = 1184,
	NUMERIC = 1700,
	JSONB = 3802
};

/* One column of one type, of ROWS rows. */
static PGresult *result(const char *name, Oid type)
{
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc column = { .name = (char *)(uintptr_t)name, .typid = type, .format = 1 };

	CU_ASSERT_TRUE_FATAL(PQsetResultAttrs(r, 1, &column));
	return r;
}

static void put(PGresult *r, int row, const void *p, int n)
{
	CU_ASSERT_TRUE_FATAL(PQsetvalue(r, row, 0, (char *)(uintptr_t)p, n));
}

static void put_int(PGresult *r, int row, int64_t v, int bytes)
{
	uint64_t big = htobe64((uint64_t)v << (64 - 8 * bytes));

	put(r, row, &big, bytes);
}

/* The cell as JSON. Clears R. */
static bool is_json(PGresult *r, const char *want)
{
	struct buf b = { 0 };
	bool ok;

	db_cell_to_json(&b, r, 0, 0);
	ok = strcmp(buf_cstr(&b), want) == 0;
	if (!ok)
		printf("# got %s, not %s\n", buf_cstr(&b), want);
	buf_free(&b);
	PQclear(r);
	return ok;
}

static PGresult *number(Oid type, int bytes, int64_t v)
{
	PGresult *r = result("n", type);

	put_int(r, 0, v, bytes);
	return r;
}

static PGresult *text(Oid type, const char *v)
{
	PGresult *r = result("t", type);

	put(r, 0, v, (int)strlen(v));
	return r;
}

static void numbers(void)
{
	PGresult *r = number(INT2, 2, -7);

	CU_ASSERT_EQUAL(db_int(r, 0, 0), -7);
	CU_ASSERT_EQUAL(db_int(r, 1, 0), 0); /* no such row */
	CU_ASSERT_TRUE(is_json(r, "-7"));
	CU_ASSERT_TRUE(is_json(number(INT4, 4, INT32_MIN), "-2147483648"));
	CU_ASSERT_TRUE(is_json(number(INT8, 8, 9007199254740992), "9007199254740992"));
	CU_ASSERT_TRUE(is_json(number(INT8, 8, -9007199254740992), "-9007199254740992"));
	/* a reader of JSON would round it to another's id */
	CU_ASSERT_TRUE(is_json(number(INT8, 8, 9007199254740993), "null"));
	CU_ASSERT_TRUE(is_json(number(INT8, 8, INT64_MIN), "null"));
	CU_ASSERT_TRUE(is_json(number(BOOL, 1, 1), "true"));
	CU_ASSERT_TRUE(is_json(number(BOOL, 1, 0), "false"));
}

static void times(void)
{
	PGresult *r = number(TIME, 8, 0);

	CU_ASSERT_EQUAL(db_time(r, 0, 0), 946684800000000); /* PostgreSQL counts from 2000 */
	CU_ASSERT_TRUE(is_json(r, "\"2000-01-01T00:00:00.000Z\""));
	r = number(TIME, 8, INT64_MAX);
	CU_ASSERT_EQUAL(db_time(r, 0, 0), INT64_MAX); /* infinity */
	CU_ASSERT_TRUE(is_json(r, "null"));
	r = result("t", TIME);
	PQsetvalue(r, 0, 0, NULL, -1);
	CU_ASSERT_TRUE(db_is_null(r, 0, 0) && db_time(r, 0, 0) == INSTANT_NONE);
	CU_ASSERT_TRUE(is_json(r, "null"));
}

static void texts(void)
{
	static const unsigned char list[] = { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 25, 0, 0, 0, 3, 0, 0,
		0, 1, 0, 0, 0, 1, 'a', 255, 255, 255, 255, 0, 0, 0, 2, '"', 'b' },
				   empty[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25 },
				   ids[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0,
					   0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 1, 2 };
	PGresult *r;

	CU_ASSERT_TRUE(is_json(text(TEXT, "a \"中\""), "\"a \\\"中\\\"\""));
	CU_ASSERT_TRUE(is_json(text(TEXT, ""), "\"\""));
	CU_ASSERT_TRUE(is_json(text(JSON, "{\"a\":1}"), "{\"a\":1}"));
	r = text(JSONB, "\1{\"a\":1}");
	CU_ASSERT_TRUE(str_is(db_text(r, 0, 0), "{\"a\":1}"));
	CU_ASSERT_TRUE(is_json(r, "{\"a\":1}"));
	r = result("t", TEXTS);
	put(r, 0, list, sizeof(list));
	CU_ASSERT_TRUE(is_json(r, "[\"a\",null,\"\\\"b\"]"));
	r = result("t", TEXTS);
	put(r, 0, empty, sizeof(empty));
	CU_ASSERT_TRUE(is_json(r, "[]"));
	r = result("t", BIGINTS);
	put(r, 0, ids, sizeof(ids));
	CU_ASSERT_TRUE(is_json(r, "[258]"));
	/* a type that no statement should return is not guessed at */
	CU_ASSERT_TRUE(is_json(text(NUMERIC, "12345678"), "null"));
}

/* A cell as sealed_at() in SQL makes it. */
static PGresult *placed(char shown, const char *place, const char *value)
{
	PGresult *r = result("email", BYTEA);
	struct buf b = { 0 };

	buf_addc(&b, shown);
	buf_add(&b, place, strlen(place) + 1);
	buf_adds(&b, value);
	put(r, 0, b.p, (int)b.n);
	buf_free(&b);
	return r;
}

/* Sealed values are opened at their place only; and a text that looks like one is a text. */
static void sealed(void)
{
	static const unsigned char master[FIELD_KEY_BYTES] = { 4 };
	static const char place[] = "client_users.email:7:12";
	static const int64_t ids[] = { FIELD_INDEX_KEY, FIELD_PLACED_KEY };
	unsigned char wrapped[FIELD_WRAPPED_BYTES];
	struct buf v = { 0 }, json = { 0 }, out = { 0 };
	PGresult *r;

	for (int i = 0; i < 2; i++) {
		field_key_make(master, ids[i], wrapped);
		CU_ASSERT_TRUE_FATAL(field_key_add(master, ids[i], wrapped, sizeof(wrapped), 0));
	}
	field_seal_at(&v, FIELD_CLIENT_USERS_EMAIL, 7, "12", STR("ada@example.com"), 1);
	CU_ASSERT_TRUE(is_json(placed('t', place, buf_cstr(&v)), "\"ada@example.com\""));
	CU_ASSERT_TRUE(is_json(placed('m', place, buf_cstr(&v)), "\"a***@example.com\""));
	CU_ASSERT_TRUE(is_json(placed('t', "client_users.email:7:13", buf_cstr(&v)), "null"));
	CU_ASSERT_TRUE(is_json(placed('m', "client_users.email:8:12", buf_cstr(&v)), "null"));
	CU_ASSERT_TRUE(is_json(placed('t', "client_users.phone:7:12", buf_cstr(&v)), "null"));
	CU_ASSERT_TRUE(is_json(placed('t', "tickets.title:7:12", buf_cstr(&v)), "null"));
	CU_ASSERT_TRUE(is_json(placed('t', place, "ada@example.com"), "null"));
	CU_ASSERT_TRUE(is_json(placed('t', place, ""), "null"));
	r = result("email", BYTEA);
	put(r, 0, "tx", 2); /* no place */
	CU_ASSERT_FALSE(db_open(&out, r, 0, 0));
	CU_ASSERT_TRUE(is_json(r, "null"));
	r = placed('t', place, buf_cstr(&v));
	CU_ASSERT_TRUE(db_open(&out, r, 0, 0) && strcmp(buf_cstr(&out), "ada@example.com") == 0);
	out.n = 0;
	db_cell_to_text(&out, r, 0, 0);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&out), "ada@example.com");
	PQclear(r);
	/* the same bytes as a text of a user */
	buf_addf(&json, "\"%s\"", buf_cstr(&v));
	CU_ASSERT_TRUE(is_json(text(TEXT, buf_cstr(&v)), buf_cstr(&json)));
	CU_ASSERT_TRUE(is_json(text(TEXT, "e1.1.no"), "\"e1.1.no\""));
	CU_ASSERT_TRUE(is_json(text(TEXT, "m:x"), "\"m:x\""));
	field_keys_free();
	buf_free(&v);
	buf_free(&json);
	buf_free(&out);
}

/* --- a table --- */

static void cells(void)
{
	static const struct {
		const char *cell, *csv;
	} cases[] = { { "plain", "\"plain\"" }, { "", "\"\"" }, { "a\"b", "\"a\"\"b\"" },
		{ "a,b\nc", "\"a,b\nc\"" }, { "=1+1", "\"'=1+1\"" }, { "+49", "\"'+49\"" },
		{ "-1", "\"'-1\"" }, { "@x", "\"'@x\"" }, { "\tx", "\"'\tx\"" },
		{ "1-2", "\"1-2\"" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = { 0 };

		csv_add_cell(&b, str_of(cases[i].cell));
		CU_ASSERT_STRING_EQUAL(buf_cstr(&b), cases[i].csv);
		buf_free(&b);
	}
}

/* Every sign, in both widths, after every blank and control character that a reader may skip. */
static void formulas(void)
{
	static const char *const signs[] = { "=", "+", "-", "@", "＝", "＋", "－", "＠" },
				 *const before[] = { "", " ", "   ", "\n", "\r", "\r\n", "\t", "\v",
					 "\f", " \t", "\xc2\xa0", "\xe2\x80\x83", "\xe2\x80\x8b",
					 "\xe3\x80\x80", "\xef\xbb\xbf", " \xe3\x80\x80 " },
				 *const harmless[] = { "a=1", "1+1", "x@y", "  a", "中＝1", "'=1",
					 " \xe3\x80\x80", "", "\xef", "\xe3\x80" };
	char cell[32], wanted[40];
	struct buf b = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(before); i++)
		for (size_t k = 0; k < ARRAY_LEN(signs); k++) {
			snprintf(cell, sizeof(cell), "%s%s1", before[i], signs[k]);
			snprintf(wanted, sizeof(wanted), "\"'%s\"", cell);
			b.n = 0;
			csv_add_cell(&b, str_of(cell));
			CU_ASSERT_STRING_EQUAL(buf_cstr(&b), wanted);
		}
	for (const char *c = "\n\r\t\v\f\x01\x7f"; *c; c++) {
		b.n = 0;
		csv_add_cell(&b, (struct str){ c, 1 });
		CU_ASSERT_EQUAL(b.p[1], '\'');
	}
	for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
		snprintf(wanted, sizeof(wanted), "\"%s\"", harmless[i]);
		b.n = 0;
		csv_add_cell(&b, str_of(harmless[i]));
		CU_ASSERT_STRING_EQUAL(buf_cstr(&b), wanted);
	}
	buf_free(&b);
}

static PGresult *two_rows(void)
{
	PGresult *r = result("title", TEXT);

	put(r, 0, "中", 3);
	put(r, 1, "=b", 2);
	return r;
}

static void write_all(struct csv_writer *w, struct buf *out)
{
	PGresult *r = two_rows();

	w->columns = 1;
	w->name[0] = "title";
	csv_writer_begin(w, true, out);
	csv_writer_rows(w, r, PQntuples(r), out);
	csv_writer_rows(w, r, PQntuples(r), out);
	csv_writer_end(w, out);
	CU_ASSERT_EQUAL(w->rows, 4);
	csv_writer_free(w);
	csv_writer_free(w);
	PQclear(r);
}

#define CSV                                                                                        \
	"\xef\xbb\xbf"                                                                             \
	"title\r\n\"中\"\r\n\"'=b\"\r\n\"中\"\r\n\"'=b\"\r\n"

static void files(void)
{
	struct csv_writer plain = { 0 }, json = { .json = true }, packed = { .compressed = true };
	struct buf b = { 0 };
	struct json_object *o;
	char text[1000];
	z_stream z = { 0 };

	write_all(&plain, &b);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b), CSV);
	b.n = 0;
	write_all(&json, &b);
	o = json_tokener_parse(buf_cstr(&b));
	CU_ASSERT_EQUAL(json_object_array_length(o), 4);
	CU_ASSERT_STRING_EQUAL(
		json_get_string(json_object_array_get_idx(o, 3), "title"), "=b"); /* as it is */
	json_object_put(o);
	b.n = 0;
	write_all(&packed, &b);
	CU_ASSERT_EQUAL_FATAL(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = (unsigned char *)b.p;
	z.avail_in = (unsigned)b.n;
	z.next_out = (unsigned char *)text;
	z.avail_out = sizeof(text);
	CU_ASSERT_EQUAL(inflate(&z, Z_FINISH), Z_STREAM_END);
	CU_ASSERT_TRUE(z.total_out == strlen(CSV) && memcmp(text, CSV, strlen(CSV)) == 0);
	inflateEnd(&z);
	buf_free(&b);
}

UNIT_MAIN("cell", { "numbers", numbers }, { "times", times }, { "texts", texts },
	{ "sealed values", sealed }, { "cells of a table", cells },
	{ "formulas in cells", formulas }, { "files", files })
