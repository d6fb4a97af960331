/* SPDX-License-Identifier: Apache-2.0
 * Writes the rows of a result as a file for users: CSV (RFC 4180) or JSON, optionally compressed
 * with gzip, piece by piece. */
#ifndef SLADESK_CORE_CSV_WRITER_H
#define SLADESK_CORE_CSV_WRITER_H

#include "db/db.h"

#define CSV_WRITER_COLUMNS_MAX 32

struct z_stream_s;
struct csv_writer {
	bool json, compressed;
	int column[CSV_WRITER_COLUMNS_MAX]; /* of the result */
	const char *name[CSV_WRITER_COLUMNS_MAX];
	int columns;
	int64_t rows;
	struct z_stream_s *z;
	struct buf plain;
};

/* Append one cell, quoted. Text that a spreadsheet would treat as a formula gets an apostrophe. */
void csv_add_cell(struct buf *b, struct str v);
/* Begin the file; columns and format of S must be set. HEADERS: a CSV file begins with the column
 * names. */
void csv_writer_begin(struct csv_writer *s, bool headers, struct buf *out);
/* Append the first N of ROWS to OUT. */
void csv_writer_rows(struct csv_writer *s, const PGresult *rows, int n, struct buf *out);
/* Append the end of the file to OUT. */
void csv_writer_end(struct csv_writer *s, struct buf *out);
/* Free the writer's memory. Can be called at any time. */
void csv_writer_free(struct csv_writer *s);

#endif
