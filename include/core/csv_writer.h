/* SPDX-License-Identifier: Apache-2.0
 * Rows of a result as a file for people: CSV (RFC 4180) or JSON, gzip if wanted, piece by piece. */
#ifndef SLADESK_FEATURE_SHEET_H
#define SLADESK_FEATURE_SHEET_H

#include "db/db.h"

#define SHEET_COLUMNS_MAX 32

struct z_stream_s;
struct sheet {
	bool json, compressed;
	int column[SHEET_COLUMNS_MAX]; /* of the result */
	const char *name[SHEET_COLUMNS_MAX];
	int columns;
	int64_t rows;
	struct z_stream_s *z;
	struct buf plain;
};

/* One cell: quoted; what a spreadsheet would take for a formula gets an apostrophe. */
void csv_add_cell(struct buf *b, struct str v);
/* Begin: S's columns and form are set. HEADERS: CSV begins with their names. */
void sheet_begin(struct sheet *s, bool headers, struct buf *out);
/* Append ROWS to OUT. */
void sheet_rows(struct sheet *s, const PGresult *rows, struct buf *out);
/* The file's end, to OUT. */
void sheet_end(struct sheet *s, struct buf *out);
/* Free what it holds, at any time. */
void sheet_free(struct sheet *s);

#endif
