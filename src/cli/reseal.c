/* SPDX-License-Identifier: Apache-2.0
 * sladesk keys seal, rotate and check: go through the values of all encrypted columns. */
#include "cli/cli.h"
#include "reseal.h"
#include "base/clock.h"
#include "sql_gen.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH "500"

static struct str cell(PGresult *r, int i, int col)
{
	return (struct str){ PQgetvalue(r, i, col), (size_t)PQgetlength(r, i, col) };
}

static size_t count(PGconn *pg, const char *column, const char *like)
{
	const char *p[] = { column, like };
	PGresult *r = cli_exec(pg, &sql_sealing_count, p);
	size_t n = strtoull(PQgetvalue(r, 0, 0), NULL, 10);

	PQclear(r);
	return n;
}

/* The batch after the position AFTER, which goes on. */
static PGresult *next(PGconn *pg, const char *column, const char *like, char after[40])
{
	const char *p[] = { column, like, after, BATCH };
	PGresult *r = cli_exec(pg, &sql_sealing_next, p);
	int n = PQntuples(r);

	if (n)
		snprintf(after, 40, "%s", PQgetvalue(r, n - 1, 0));
	return r;
}

/* One pass through a column, each batch in a transaction of its own, so that an interrupted run can
 * continue. Returns how many values were stored; OUT_REFUSED: how many were not. */
static size_t pass(
	PGconn *pg, const char *column, const char *like, size_t all, size_t *out_refused)
{
	char after[40] = "(0,0)";
	size_t done = 0, looked = 0;
	bool more = true;

	*out_refused = 0;
	while (more) {
		PGresult *r = next(pg, column, like, after);
		struct buf rows = { 0 };
		const char *p[] = { column, NULL };
		PGresult *stored;

		more = PQntuples(r) > 0;
		buf_addc(&rows, '[');
		for (int i = 0; i < PQntuples(r); i++)
			*out_refused += !field_reseal(&rows, cell(r, i, 0), cell(r, i, 1),
				cell(r, i, 2), clock_now_us() / US_PER_S);
		buf_addc(&rows, ']');
		p[1] = buf_cstr(&rows);
		if (rows.n > 2) {
			stored = cli_exec(pg, &sql_sealing_put, p);
			done += strtoull(PQgetvalue(stored, 0, 0), NULL, 10);
			PQclear(stored);
		}
		looked += (size_t)PQntuples(r);
		if (all)
			cli_progress(looked < all ? looked : all, all);
		PQclear(r);
		buf_free(&rows);
	}
	return done;
}

void reseal_columns(PGconn *pg, const char *like, bool close, int64_t key)
{
	for (int c = 0; c < FIELD_COLUMNS; c++) {
		const char *column = field_column_name((enum field_column)c);
		size_t all = count(pg, column, like), done = 0, n, refused;

		/* a row that was written to meanwhile has moved in the table */
		do
			done += n = pass(pg, column, like, all, &refused);
		while (n);
		if (close)
			cli_do(pg, &sql_sealing_close, &column);
		printf("%s: %zu values under key %lld\n", column, done, (long long)key);
		if (refused)
			printf("%s: %zu values refused; sladesk keys check names them\n", column,
				refused);
	}
}

bool reseal_check(PGconn *pg)
{
	bool sound = true;

	for (int c = 0; c < FIELD_COLUMNS; c++) {
		const char *column = field_column_name((enum field_column)c);
		char after[40] = "(0,0)";
		size_t good = 0, bad = 0;
		bool more = true;

		while (more) {
			PGresult *r = next(pg, column, "", after);

			more = PQntuples(r) > 0;
			for (int i = 0; i < PQntuples(r); i++) {
				struct buf text = { 0 };
				bool ok = field_open_place(&text, cell(r, i, 1), cell(r, i, 2));

				good += ok;
				bad += !ok;
				if (!ok)
					printf("refused %s\n", PQgetvalue(r, i, 1));
				if (text.n)
					OPENSSL_cleanse(text.p, text.n);
				buf_free(&text);
			}
			PQclear(r);
		}
		printf("%s: %zu values, %zu refused\n", column, good + bad, bad);
		sound = sound && !bad;
	}
	return sound;
}
