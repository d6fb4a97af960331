/* SPDX-License-Identifier: Apache-2.0
 * sladesk audit: does each tenant's chain of the audit log hold? */
#include "cli.h"

#include <stdio.h>

int cmd_audit(int argc, char **argv)
{
	const char *code = cli_option(argc, argv, "tenant", "");
	int broken = 0;
	PGconn *pg;
	PGresult *r;

	if (argc < 1 || strcmp(argv[0], "verify") != 0)
		die("audit verify [--tenant C]");
	pg = cli_connect();
	r = cli_query(pg,
		"select c.tenant_id, c.code, (select count(*) from audit_logs a where a.tenant_id "
		"= "
		"c.tenant_id), b.chain_no, b.why, (select encode(a.digest, 'hex') from audit_logs "
		"a "
		"where a.tenant_id = c.tenant_id order by a.chain_no desc limit 1) from customers "
		"c "
		"left join lateral audit_broken(c.tenant_id) b on true where $1 in ('', c.code) "
		"order "
		"by c.tenant_id",
		1, &code);
	if (!PQntuples(r))
		die("no such tenant: %s", code);
	for (int i = 0; i < PQntuples(r); i++) {
		bool holds = PQgetisnull(r, i, 3);

		printf("%-20s %8s rows  ", PQgetvalue(r, i, 1), PQgetvalue(r, i, 2));
		if (holds)
			printf("holds  %.16s\n", PQgetvalue(r, i, 5));
		else
			printf("BROKEN at %s: %s\n", PQgetvalue(r, i, 3), PQgetvalue(r, i, 4));
		broken += !holds;
	}
	PQclear(r);
	PQfinish(pg);
	return broken ? 1 : 0;
}
