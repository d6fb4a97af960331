/* SPDX-License-Identifier: Apache-2.0
 * The database, blocking: connections, statements of the contract files, transactions. */
#include "cli/cli.h"
#include "config/options.h"
#include "crypto/secretfile.h"
#include "sql_gen.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define UNIQUE_VIOLATION "23505"
#define OWN_RULE "SD" /* a rule of schema/code, whose message is for users */

static void check_result(const PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE),
		   *rule = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);

	if (PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK)
		return;
	if (state && rule && strcmp(state, UNIQUE_VIOLATION) == 0)
		die("exists already (%s)", rule);
	if (state && strncmp(state, OWN_RULE, strlen(OWN_RULE)) == 0)
		die("%s", PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
	die("database: %s", PQresultErrorMessage(r));
}

void cli_run(PGconn *pg, const char *sql)
{
	PGresult *r = PQexec(pg, sql);

	check_result(r);
	PQclear(r);
}

const char *cli_operator(void)
{
	static char number[24];
	const struct passwd *p = getpwuid(getuid());

	snprintf(number, sizeof(number), "%u", (unsigned)getuid());
	return p ? p->pw_name : number;
}

void cli_keep_changes(PGconn *pg, bool on)
{
	char now[24];
	const char *p[] = { on ? "kept" : "", cli_operator(), cli_command, cli_operation, now };

	snprintf(now, sizeof(now), "%lld", (long long)clock_now_us());
	PQclear(cli_query(pg,
		"select set_config('app.changes', $1, false), set_config('app.operator', $2, "
		"false), set_config('app.command', $3, false), set_config('app.operation', $4, "
		"false), set_config('app.at', $5, false)",
		5, p));
}

void cli_audit(PGconn *pg, const char *tenant_id, const char *resource)
{
	char now[24];
	const char *p[] = { tenant_id, cli_operation, resource, now };

	snprintf(now, sizeof(now), "%lld", (long long)clock_now_us());
	cli_do(pg, &sql_cli_audit_note, p);
}

/* PASSWORD (NULL: as libpq finds it) is freed. SETTINGS: what the session begins with. */
static PGconn *connect_with(const char *url, char *password, const char *settings)
{
	const char *keys[] = { "dbname", "password", "application_name", NULL },
		   *values[] = { url, password ? password : "", "sladesk", NULL };
	PGconn *pg = PQconnectdbParams(keys, values, 1);

	free(password);
	if (PQstatus(pg) != CONNECTION_OK)
		die("database: %s", PQerrorMessage(pg));
	cli_run(pg, settings);
	return pg;
}

/* The password in FILE (empty: none; NULL, as libpq finds it). Exits if the file cannot be used. */
static char *password_in(const char *file)
{
	char *password = secretfile_line(file);
	FILE *f = *file && !password ? secretfile_open(file) : NULL;

	if (*file && !password)
		die("%s: %s (a file with a password of the database)", file,
			f ? "it is empty" : secretfile_error(errno));
	return password;
}

PGconn *cli_connect(void)
{
	const char *file = options.database_job_password_file[0]
				   ? options.database_job_password_file
				   : options.database_password_file;
	PGconn *pg = connect_with(options.database_job_url, password_in(file),
		"set timezone = 'UTC'; set jit = off; set client_min_messages = warning");

	cli_keep_changes(pg, true);
	return pg;
}

PGconn *cli_connect_to(const char *url, const char *password_file)
{
	return connect_with(url, password_in(password_file), "set client_min_messages = warning");
}

PGresult *cli_query(PGconn *pg, const char *sql, int n, const char *const *params)
{
	PGresult *r = PQexecParams(pg, sql, n, NULL, params, NULL, NULL, 0);

	check_result(r);
	return r;
}

const struct sql_stmt *cli_fitting(const struct sql_stmt *stmt, size_t n)
{
	bug_on((size_t)stmt->param_count > n);
	return stmt;
}

PGresult *(cli_exec)(PGconn *pg, const struct sql_stmt *stmt, const char *const *params)
{
	return cli_query(pg, stmt->text, stmt->param_count, params);
}

void(cli_do)(PGconn *pg, const struct sql_stmt *stmt, const char *const *params)
{
	PQclear(cli_exec(pg, stmt, params));
}

bool(cli_finds)(PGconn *pg, const struct sql_stmt *stmt, const char *const *params)
{
	PGresult *r = cli_exec(pg, stmt, params);
	bool found = PQntuples(r) > 0;

	PQclear(r);
	return found;
}

PGresult *(cli_exec_by_cursor)(PGconn *pg, const struct sql_stmt *stmt, const char *const *params)
{
	char *sql = xasprintf("declare h no scroll cursor for %s", stmt->text);

	PQclear(cli_query(pg, sql, stmt->param_count, params));
	free(sql);
	return cli_query(pg, "fetch all from h", 0, NULL);
}

void cli_begin(PGconn *pg, enum cli_transaction kind)
{
	static const char *const begin[] = { "begin",
		"begin isolation level repeatable read read only" };

	cli_run(pg, begin[kind]);
	if (kind == CLI_WRITE)
		cli_keep_changes(pg, true); /* with the time of this transaction */
}

void cli_commit(PGconn *pg)
{
	cli_run(pg, "commit");
}

void cli_copy_in(PGconn *pg, const char *table, struct buf *rows)
{
	char *sql = xasprintf("copy %s from stdin", table);
	PGresult *r = PQexec(pg, sql);

	free(sql);
	if (PQresultStatus(r) != PGRES_COPY_IN)
		die("copy %s: %s", table, PQresultErrorMessage(r));
	PQclear(r);
	for (size_t at = 0; at < rows->n; at += 1 << 20)
		if (PQputCopyData(pg, rows->p + at,
			    (int)(rows->n - at < 1 << 20 ? rows->n - at : 1 << 20)) != 1)
			die("copy %s: %s", table, PQerrorMessage(pg));
	PQputCopyEnd(pg, NULL);
	while ((r = PQgetResult(pg))) {
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			die("copy %s: %s", table, PQresultErrorMessage(r));
		PQclear(r);
	}
	rows->n = 0;
}

char *cli_tenant_id(PGconn *pg, const char *code)
{
	PGresult *r = cli_exec(pg, &sql_cli_tenant_id, &code);
	char *id;

	if (!PQntuples(r))
		die("--%s: no such customer: %s; it is a code of tenant list, such as acme",
			/* the customer is what `tenant` itself is about */
			strncmp(cli_command, "tenant", 6) == 0 ? "code" : "tenant", code);
	id = xstrdup(PQgetvalue(r, 0, 0));
	PQclear(r);
	return id;
}

const char *cli_now(void)
{
	static char t[32];

	time_format(clock_now_us(), 6, t);
	return t;
}

void cli_print_rows(PGresult *r)
{
	for (int i = 0; i < PQntuples(r); i++) {
		for (int c = 0; c < PQnfields(r); c++)
			printf("%s%s", c ? "\t" : "", PQgetvalue(r, i, c));
		putchar('\n');
	}
	PQclear(r);
}
