/* SPDX-License-Identifier: Apache-2.0
 * Creates roles, database and schema. Works with a managed PostgreSQL: the administrator needs only
 * CREATEROLE and CREATEDB, and no role gets BYPASSRLS. */
#include "cli/cli.h"
#include "crypto/secretfile.h"
#include "db/migrate.h"

#include <stdio.h>
#include <stdlib.h>

static bool exists(PGconn *pg, const char *sql, const char *name)
{
	PGresult *r = cli_query(pg, sql, 1, &name);
	bool yes = PQntuples(r) > 0;

	PQclear(r);
	return yes;
}

static void make_role(PGconn *pg, const char *name, const char *password)
{
	char *quoted =
		PQescapeLiteral(pg, password ? password : "", strlen(password ? password : ""));
	char *sql;

	if (!exists(pg, "select from pg_roles where rolname = $1", name)) {
		sql = xasprintf("create role %s login nosuperuser nobypassrls", name);
		cli_run(pg, sql);
		free(sql);
	}
	if (password) {
		sql = xasprintf("alter role %s password %s", name, quoted);
		cli_run(pg, sql);
		free(sql);
	}
	PQfreemem(quoted);
}

int cmd_init(int argc, char **argv)
{
	static const char *const roles[] = { "sladesk_owner", "sladesk_app", "sladesk_job",
		"sladesk_report" };
	const char *database = cli_option(argc, argv, "database", "sladesk");
	PGconn *pg = cli_connect_to(cli_option(argc, argv, "admin-url", NULL));
	char *password = secretfile_line(cli_option(argc, argv, "password-file", "")), *sql,
	     *name = PQescapeIdentifier(pg, database, strlen(database));

	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		make_role(pg, roles[i], password);
	if (!exists(pg, "select from pg_database where datname = $1", database)) {
		cli_run(pg, "grant sladesk_owner to current_user");
		sql = xasprintf("create database %s owner sladesk_owner encoding 'UTF8' lc_collate "
				"'C.UTF-8' lc_ctype 'C.UTF-8' template template0",
			name);
		cli_run(pg, sql);
		free(sql);
	}
	PQfreemem(name);
	PQfinish(pg);
	free(password);
	return 0;
}

static void print_line(const char *line)
{
	puts(line);
}

int cmd_migrate(int argc, char **argv)
{
	const char *error = "", *url = cli_option(argc, argv, "owner-url", NULL);
	PGconn *pg = cli_connect_to(url);
	bool ok = schema_migrate((struct pg_conn *)pg, print_line, &error);

	PQfinish(pg);
	if (!ok)
		die("migrate: %s", error);
	printf("schema %d\n", schema_needed());
	return 0;
}
