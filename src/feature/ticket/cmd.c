/* SPDX-License-Identifier: Apache-2.0
 * sladesk rca and sladesk reports. */
#include "cli/cli.h"
#include "sql_gen.h"

#include <stdlib.h>

static int print_due(const struct sql_stmt *stmt, int argc, char **argv)
{
	PGconn *pg = cli_connect();
	const char *code = cli_option(argc, argv, "tenant", "");
	char *tenant = *code ? cli_tenant_id(pg, code) : NULL;
	const char *limit = cli_option(argc, argv, "limit", "50");

	cli_print_rows(cli_exec(pg, stmt, (const char *[]){ tenant, limit }));
	free(tenant);
	PQfinish(pg);
	return 0;
}

static int cmd_rca(int argc, char **argv)
{
	return print_due(&sql_cli_rca, argc, argv);
}

static int cmd_reports(int argc, char **argv)
{
	return print_due(&sql_cli_reports, argc, argv);
}

const struct command ticket_commands[] = {
	{ "rca", cmd_rca,
		"rca [--tenant C] [--limit N]\n"
		"      list the root-cause analyses that are not done: owner, due, overdue" },
	{ "reports", cmd_reports,
		"reports [--tenant C] [--limit N]\n"
		"      list the reports on P0 and P1 that are not ticked off: engineer, due, "
		"overdue" },
	{ 0 },
};
