/* SPDX-License-Identifier: Apache-2.0
 * sladesk report: which tenants a database login for reports may read. */
#include "cmd_report.h"
#include "cli/cli.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int change(PGconn *pg, const struct sql_stmt *stmt, int argc, char **argv)
{
	const char *login = cli_option(argc, argv, "login", NULL);
	char *tenant = cli_tenant_id(pg, cli_option(argc, argv, "tenant", NULL));
	const char *p[] = { tenant, login };
	bool changed;

	cli_begin(pg, CLI_WRITE);
	changed = cli_finds(pg, stmt, p);
	if (changed)
		cli_audit(pg, tenant, login);
	cli_commit(pg);
	puts(changed ? "done" : "nothing to change");
	free(tenant);
	return 0;
}

int cmd_report(int argc, char **argv)
{
	const char *what = argc ? argv[0] : "";
	PGconn *pg = cli_connect();
	int rc = 0;

	if (strcmp(what, "grant") == 0)
		rc = change(pg, &sql_cli_report_grant, argc, argv);
	else if (strcmp(what, "revoke") == 0)
		rc = change(pg, &sql_cli_report_revoke, argc, argv);
	else if (strcmp(what, "list") == 0)
		cli_print_rows(cli_exec(pg, &sql_cli_report_list, NULL));
	else
		die("report grant --login L --tenant C | report revoke --login L --tenant C | "
		    "report list");
	PQfinish(pg);
	return rc;
}
