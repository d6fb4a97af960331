/* SPDX-License-Identifier: Apache-2.0
 * sladesk rollup: rebuild or check the counts behind the dashboards. */
#include "cli/cli.h"
#include "base/clock.h"
#include "sql_gen.h"

#include <stdio.h>

/* Recount the numbers of all customers now, as the daemon does periodically. Returns 1 if a number
 * was wrong. */
static int check(void)
{
	PGconn *pg = cli_connect();
	char now[24];
	const char *p[] = { now };
	int wrong = 0;

	/* one instant for all steps, so that each customer is due once */
	snprintf(now, sizeof(now), "%lld", (long long)clock_now_us());
	for (;;) {
		PGresult *r = cli_exec(pg, &sql_cli_rollup_check_step, p);
		bool any = PQntuples(r) == 1;

		if (any && PQgetvalue(r, 0, 5)[0] == 't') {
			printf("%s: %s tickets, %s counted wrong, %s rows wrong, %s still wrong\n",
				PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1), PQgetvalue(r, 0, 2),
				PQgetvalue(r, 0, 3), PQgetvalue(r, 0, 4));
			wrong |= strcmp(PQgetvalue(r, 0, 2), "0") ||
				 strcmp(PQgetvalue(r, 0, 3), "0");
		}
		PQclear(r);
		if (!any)
			break;
	}
	cli_audit(pg, "1", "rollups");
	PQfinish(pg);
	return wrong;
}

static int cmd_rollup(int argc, char **argv)
{
	const char *code = cli_option(argc, argv, "tenant", "");
	PGconn *pg;
	PGresult *r;
	int n;

	if (argc >= 1 && strcmp(argv[0], "check") == 0)
		return check();
	if (argc < 1 || strcmp(argv[0], "rebuild") != 0)
		die("rollup rebuild [--tenant C] | rollup check");
	pg = cli_connect();
	r = cli_exec(pg, &sql_cli_tenants, &code);
	n = PQntuples(r);
	if (!n)
		die("--tenant: no such customer: %s; it is a code of tenant list, such as "
		    "acme",
			code);
	for (int i = 0; i < n; i++) {
		const char *tenant = PQgetvalue(r, i, 0);

		cli_do(pg, &sql_cli_rollup_rebuild, &tenant);
		cli_audit(pg, tenant, "rollups");
		cli_progress((size_t)i + 1, (size_t)n);
	}
	printf("%d tenants recounted\n", n);
	PQclear(r);
	PQfinish(pg);
	return 0;
}

const struct command dashboard_commands[] = {
	{ "rollup", cmd_rollup,
		"rollup rebuild [--tenant C]\n"
		"  rollup check\n"
		"      rebuild or check the counts behind the dashboards" },
	{ 0 },
};
