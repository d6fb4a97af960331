/* SPDX-License-Identifier: Apache-2.0 */
#include "core/csv_writer.h"

#include <stdlib.h>
#include <zlib.h>

/* The length of the text in LIST (ends with NULL) that V contains at position AT; 0: none. */
static size_t begins_with(struct str v, size_t at, const char *const *list)
{
	for (; *list; list++)
		if (v.n - at >= strlen(*list) && memcmp(v.p + at, *list, strlen(*list)) == 0)
			return strlen(*list);
	return 0;
}

/* Would a spreadsheet evaluate the cell? Some skip blanks before a formula, treat full-width signs
 * as ASCII ones, and begin a new cell at a control character. */
static bool is_formula(struct str v)
{
	static const char *const blanks[] = { " ", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80",
		"\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85",
		"\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a",
		"\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x80\xa8", "\xe2\x80\xa9",
		"\xe2\x80\xaf", "\xe2\x81\x9f", "\xe2\x81\xa0", "\xe3\x80\x80", "\xef\xbb\xbf",
		"\xc2\x85", "\xc2\xad", NULL };
	static const char *const signs[] = { "=", "+", "-", "@", "＝", "＋", "－", "＠", NULL };
	size_t at = 0, n;

	while (at < v.n && (n = begins_with(v, at, blanks)))
		at += n;
	return at < v.n &&
	       ((unsigned char)v.p[at] < ' ' || v.p[at] == 0x7f || begins_with(v, at, signs));
}

void csv_add_cell(struct buf *b, struct str v)
{
	buf_addc(b, '"');
	if (is_formula(v))
		buf_addc(b, '\'');
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '"')
			buf_addc(b, '"');
		buf_addc(b, v.p[i]);
	}
	buf_addc(b, '"');
}

/* Move PLAIN to OUT, compressed if requested. */
static void deflate_plain(struct csv_writer *s, struct buf *out, int flush)
{
	unsigned char block[16384];

	if (!s->compressed) {
		buf_add(out, s->plain.p, s->plain.n);
		s->plain.n = 0;
		return;
	}
	s->z->next_in = (unsigned char *)s->plain.p;
	s->z->avail_in = (unsigned)s->plain.n;
	do {
		s->z->next_out = block;
		s->z->avail_out = sizeof(block);
		deflate(s->z, flush);
		buf_add(out, block, sizeof(block) - s->z->avail_out);
	} while (s->z->avail_out == 0);
	s->plain.n = 0;
}

void csv_writer_begin(struct csv_writer *s, bool headers, struct buf *out)
{
	if (s->compressed) {
		s->z = xcalloc(1, sizeof(*s->z));
		/* 16: with a header of gzip (zlib.h) */
		bug_on(deflateInit2(s->z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK);
	}
	if (s->json)
		buf_addc(&s->plain, '[');
	else
		buf_adds(&s->plain, "\xef\xbb\xbf"); /* so that Excel recognises UTF-8 */
	for (int c = 0; !s->json && headers && c < s->columns; c++)
		buf_addf(&s->plain, "%s%s", s->name[c], c + 1 < s->columns ? "," : "\r\n");
	deflate_plain(s, out, Z_NO_FLUSH);
}

static void add_csv_row(struct csv_writer *s, const PGresult *rows, int i, struct buf *cell)
{
	for (int c = 0; c < s->columns; c++) {
		cell->n = 0;
		db_cell_to_text(cell, rows, i, s->column[c]);
		csv_add_cell(&s->plain, (struct str){ cell->n ? cell->p : "", cell->n });
		buf_adds(&s->plain, c + 1 < s->columns ? "," : "\r\n");
	}
}

static void add_json_row(struct csv_writer *s, const PGresult *rows, int i)
{
	buf_adds(&s->plain, s->rows ? ",\n{" : "\n{");
	for (int c = 0; c < s->columns; c++) {
		buf_addf(&s->plain, "%s\"%s\":", c ? "," : "", s->name[c]);
		db_cell_to_json(&s->plain, rows, i, s->column[c]);
	}
	buf_addc(&s->plain, '}');
}

void csv_writer_rows(struct csv_writer *s, const PGresult *rows, int n, struct buf *out)
{
	struct buf cell = { 0 };

	for (int i = 0; i < n; i++, s->rows++) {
		if (s->json)
			add_json_row(s, rows, i);
		else
			add_csv_row(s, rows, i, &cell);
	}
	buf_free(&cell);
	deflate_plain(s, out, Z_NO_FLUSH);
}

void csv_writer_end(struct csv_writer *s, struct buf *out)
{
	if (s->json)
		buf_adds(&s->plain, "\n]\n");
	deflate_plain(s, out, Z_FINISH);
}

void csv_writer_free(struct csv_writer *s)
{
	if (s->z)
		deflateEnd(s->z);
	free(s->z);
	s->z = NULL;
	buf_free(&s->plain);
}
