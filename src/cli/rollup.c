/* SPDX-License-Identifier: Apache-2.0
 * sladesk rollup: the counts that dashboards show, made anew. */
#include "cli.h"

#include <stdio.h>

void cli_rollup_rebuild(PGconn *pg, const char *tenant_id)
{
	PQclear(cli_query(pg, "select rollup_rebuild($1::bigint)", 1, &tenant_id));
}

int cmd_rollup(int argc, char **argv)
{
	const char *code = cli_option(argc, argv, "tenant", "");
	PGconn *pg;
	PGresult *r;
	int n;

	if (argc < 1 || strcmp(argv[0], "rebuild") != 0)
		die("rollup rebuild [--tenant C]");
	pg = cli_connect();
	r = cli_query(pg,
		"select tenant_id from customers where $1 in ('', code) order by tenant_id", 1,
		&code);
	n = PQntuples(r);
	if (!n)
		die("no such tenant: %s", code);
	for (int i = 0; i < n; i++) {
		cli_rollup_rebuild(pg, PQgetvalue(r, i, 0));
		cli_progress((size_t)i + 1, (size_t)n);
	}
	printf("%d tenants counted anew\n", n);
	PQclear(r);
	PQfinish(pg);
	return 0;
}
