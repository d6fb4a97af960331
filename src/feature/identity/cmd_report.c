/* SPDX-License-Identifier: Apache-2.0
 * sladesk report: which tenants a database login for reports may read. */
#include "cmd_report.h"
#include "cli/cli.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The row of the audit log of the tenant that a grant concerns. */
static char *audit_row(const char *tenant, const char *operation, const char *login)
{
	struct buf b = { 0 };

	buf_addf(&b,
		"[{\"tenant_id\":%s,\"at\":%lld,\"actor_kind\":\"system\",\"actor_id\":0,"
		"\"username\":\"operator\",\"operation\":\"report.%s\",\"resource\":",
		tenant, (long long)clock_now_us(), operation);
	buf_add_json(&b, login, strlen(login));
	buf_addf(&b,
		",\"result\":\"success\",\"status\":200,\"address\":\"\",\"user_agent\":"
		"\"sladesk\",\"request_id\":\"\",\"details\":{\"uid\":%d}}]",
		(int)getuid());
	return buf_take(&b);
}

static int change(
	PGconn *pg, const char *operation, const struct sql_stmt *stmt, int argc, char **argv)
{
	const char *login = cli_option(argc, argv, "login", NULL);
	char *tenant = cli_tenant_id(pg, cli_option(argc, argv, "tenant", NULL)),
	     *row = audit_row(tenant, operation, login);
	const char *p[] = { tenant, login, row };
	bool changed = cli_finds(pg, stmt, p);

	puts(changed ? "done" : "nothing to change");
	free(row);
	free(tenant);
	return 0;
}

int cmd_report(int argc, char **argv)
{
	const char *what = argc ? argv[0] : "";
	PGconn *pg = cli_connect();
	int rc = 0;

	if (strcmp(what, "grant") == 0)
		rc = change(pg, what, &sql_cli_report_grant, argc, argv);
	else if (strcmp(what, "revoke") == 0)
		rc = change(pg, what, &sql_cli_report_revoke, argc, argv);
	else if (strcmp(what, "list") == 0)
		cli_print_rows(cli_exec(pg, &sql_cli_report_list, NULL));
	else
		die("report grant --login L --tenant C | report revoke --login L --tenant C | "
		    "report list");
	PQfinish(pg);
	return rc;
}
