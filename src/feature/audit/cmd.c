/* SPDX-License-Identifier: Apache-2.0
 * sladesk audit: verify each tenant's chain of the audit log, in the database and in its files. */
#include "cmd_anchors.h"
#include "cmd_archive.h"
#include "cli/cli.h"
#include "sql_gen.h"

#include <stdio.h>

/* Print one line for the tenant in row I. Returns true if its chain or a file fails
 * verification. */
static bool verify_tenant(PGconn *pg, const PGresult *r, int i, const char *dir)
{
	bool holds = PQgetisnull(r, i, 3), archived = !PQgetisnull(r, i, 6);
	int files = archived && *dir ? audit_files_broken(pg, PQgetvalue(r, i, 0), dir) : 0;

	printf("%-20s %8s rows  ", PQgetvalue(r, i, 1), PQgetvalue(r, i, 2));
	if (!holds)
		printf("BROKEN at %s: %s", PQgetvalue(r, i, 3), PQgetvalue(r, i, 4));
	else
		printf("holds  %.16s", PQgetvalue(r, i, 5));
	if (files)
		printf("  files BROKEN: %d", files);
	else if (archived)
		printf("  files up to %s %s", PQgetvalue(r, i, 6),
			*dir ? "hold" : "not checked (use --dir)");
	files += audit_anchors_broken(pg, PQgetvalue(r, i, 0));
	putchar('\n');
	return !holds || files;
}

static int verify(int argc, char **argv, const char *code)
{
	const char *dir = cli_option(argc, argv, "dir", ""),
		   *file = cli_option(argc, argv, "anchors", "");
	PGconn *pg = cli_connect();
	PGresult *r = cli_exec(pg, &sql_cli_audit_verify, &code);
	int broken = 0;

	if (!PQntuples(r))
		die("--tenant: no such customer: %s; it is a code of tenant list, such as "
		    "acme",
			code);
	if (*file)
		broken += audit_anchors_read(pg, file, cli_option(argc, argv, "key", ""));
	for (int i = 0; i < PQntuples(r); i++)
		broken += verify_tenant(pg, r, i, dir);
	if (!*code)
		broken += audit_anchors_left();
	PQclear(r);
	PQfinish(pg);
	audit_anchors_free();
	return broken ? 1 : 0;
}

static int cmd_audit(int argc, char **argv)
{
	const char *code = cli_option(argc, argv, "tenant", "");
	int64_t years;

	if (argc >= 1 && strcmp(argv[0], "verify") == 0)
		return verify(argc, argv, code);
	if (argc < 1 || strcmp(argv[0], "archive") != 0)
		die("audit verify [--tenant C] [--dir D] [--anchors F [--key PUB]] | audit archive "
		    "--dir D --owner-url URL [--owner-password-file F] "
		    "[--tenant C] [--before YYYY-MM] [--keep-years 7]");
	if (!str_to_int(str_of(cli_option(argc, argv, "keep-years", "7")), 1, 100, &years))
		die("--keep-years: a number from 1 to 100, such as 7");
	return audit_archive(cli_option(argc, argv, "dir", NULL),
		cli_option(argc, argv, "owner-url", NULL),
		cli_option(argc, argv, "owner-password-file", ""), code,
		cli_option(argc, argv, "before", ""), (int)years);
}

const struct command audit_commands[] = {
	{ "audit", cmd_audit,
		"audit verify [--tenant C] [--dir D] [--anchors F [--key PUB]]\n"
		"  audit archive --dir D --owner-url URL [--owner-password-file F] "
		"[--tenant C] [--before YYYY-MM] "
		"[--keep-years 7]\n"
		"      find edited, removed or moved rows of the audit log and its files, and "
		"chains that are not those of the signed anchors; move "
		"whole months into files" },
	{ 0 },
};
