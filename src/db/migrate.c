/* SPDX-License-Identifier: Apache-2.0
 * Forward only: each migration is one transaction, recorded with its checksum. Functions, views and
 * policies are applied again afterwards. */
#include "db/migrate.h"
#include "base/clock.h"
#include "crypto/crypto.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

static char error_text[600];

int schema_needed(void)
{
	int n = 0;

	for (const struct embedded_file *f = embedded_migrations; f->name; f++)
		n = atoi(f->name);
	return n;
}

static bool run_script(PGconn *pg, const char *what, const char *sql, const char **out_error)
{
	PGresult *r = PQexec(pg, sql);
	bool ok = PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK;

	if (!ok) {
		snprintf(error_text, sizeof(error_text), "%s: %.500s", what,
			PQresultErrorMessage(r));
		*out_error = error_text;
	}
	PQclear(r);
	return ok;
}

/* 1: applied with this checksum, 0: not applied, -1: applied with another text. */
static int applied(PGconn *pg, int version, const char *sha)
{
	char v[16];
	const char *p[] = { v };
	PGresult *r;
	int out = 0;

	snprintf(v, sizeof(v), "%d", version);
	r = PQexecParams(pg, "select checksum from schema_version where version = $1::int", 1, NULL,
		p, NULL, NULL, 0);
	if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1)
		out = strcmp(PQgetvalue(r, 0, 0), sha) == 0 ? 1 : -1;
	PQclear(r);
	return out;
}

static bool apply(
	PGconn *pg, const struct embedded_file *f, const char *sha, const char **out_error)
{
	char v[16];
	const char *p[] = { v, f->name, sha };
	PGresult *r;
	bool ok;

	snprintf(v, sizeof(v), "%d", atoi(f->name));
	if (!run_script(pg, f->name, "begin; set local lock_timeout = '5s'", out_error) ||
		!run_script(pg, f->name, f->text, out_error)) {
		PQclear(PQexec(pg, "rollback"));
		return false;
	}
	r = PQexecParams(pg,
		"insert into schema_version (version, name, checksum, applied_at) values ($1::int, "
		"$2, $3, statement_timestamp())",
		3, NULL, p, NULL, NULL, 0);
	ok = PQresultStatus(r) == PGRES_COMMAND_OK;
	PQclear(r);
	return run_script(pg, f->name, ok ? "commit" : "rollback", out_error) && ok;
}

static bool apply_code(PGconn *pg, const char **out_error)
{
	if (!run_script(pg, "code", "begin", out_error))
		return false;
	for (const struct embedded_file *f = embedded_code; f->name; f++)
		if (!run_script(pg, f->name, f->text, out_error)) {
			PQclear(PQexec(pg, "rollback"));
			return false;
		}
	return run_script(pg, "code", "commit", out_error);
}

static bool make_partitions(PGconn *pg, const char **out_error)
{
	char sql[160];
	long long now = (long long)(clock_now_us() / US_PER_S);

	snprintf(sql, sizeof(sql),
		"select door.partitions(to_timestamp(%lld), to_timestamp(%lld) + interval '3 "
		"months')",
		now, now);
	return run_script(pg, "partitions", sql, out_error);
}

bool schema_migrate(struct pg_conn *conn, void (*say)(const char *line), const char **out_error)
{
	PGconn *pg = (PGconn *)conn;
	char line[200], sha[65];
	bool ok =
		run_script(pg, "lock",
			"set client_min_messages = warning; select pg_advisory_lock(7305731)",
			out_error) &&
		run_script(pg, "schema_version",
			"create table if not exists schema_version (version int primary key, name "
			"text not null, checksum text not null, applied_at timestamptz not null);"
			"create table if not exists schema_range (compatible_from int not null);"
			"insert into schema_range select 1 where not exists (select from "
			"schema_range)",
			out_error);

	for (const struct embedded_file *f = embedded_migrations; ok && f->name; f++) {
		int have;

		crypto_sha256_hex(f->text, strlen(f->text), sha);
		have = applied(pg, atoi(f->name), sha);
		if (have < 0) {
			snprintf(error_text, sizeof(error_text),
				"%s was changed after it was applied; an applied migration must "
				"not change",
				f->name);
			*out_error = error_text;
			ok = false;
		} else if (!have) {
			ok = apply(pg, f, sha, out_error);
			failpoint("migration-applied");
			snprintf(line, sizeof(line), "applied %s", f->name);
			if (ok)
				say(line);
		}
	}
	ok = ok && apply_code(pg, out_error) && make_partitions(pg, out_error);
	PQclear(PQexec(pg, "select pg_advisory_unlock(7305731)"));
	return ok;
}
