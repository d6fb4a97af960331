/* SPDX-License-Identifier: Apache-2.0
 * sladesk rca. */
#include "cli/cli.h"
#include "sql_gen.h"

#include <stdlib.h>

static int cmd_rca(int argc, char **argv)
{
	PGconn *pg = cli_connect();
	const char *code = cli_option(argc, argv, "tenant", "");
	char *tenant = *code ? cli_tenant_id(pg, code) : NULL;
	const char *limit = cli_option(argc, argv, "limit", "50");

	cli_print_rows(cli_exec(pg, &sql_cli_rca, (const char *[]){ tenant, limit }));
	free(tenant);
	PQfinish(pg);
	return 0;
}

const struct command ticket_commands[] = {
	{ "rca", cmd_rca,
		"rca [--tenant C] [--limit N]\n"
		"      list the root-cause analyses that are not done: owner, due, overdue" },
	{ 0 },
};
