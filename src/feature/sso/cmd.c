/* SPDX-License-Identifier: Apache-2.0
 * sladesk sso: the identity providers of all customers. */
#include "cli/cli.h"
#include "config/options.h"
#include "sql_gen.h"

#include <stdio.h>

/* The address to register at each provider. */
static int cmd_sso(int argc, char **argv)
{
	const char *p[] = { cli_option(argc, argv, "tenant", ""), options.http_url };
	PGconn *pg;
	PGresult *r;

	if (argc < 1 || strcmp(argv[0], "list") != 0)
		die("sso list [--tenant C]");
	pg = cli_connect();
	r = cli_exec(pg, &sql_cli_sso_list, p);
	for (int i = 0; i < PQntuples(r); i++)
		printf("%s\t%s\t%s\t%s\t%s\t%s\n", PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
			PQgetvalue(r, i, 2), PQgetvalue(r, i, 3), PQgetvalue(r, i, 4),
			PQgetvalue(r, i, 5));
	PQclear(r);
	PQfinish(pg);
	return 0;
}

/* The mail domains of customers, and the provider's word about one. */
static int cmd_domain(int argc, char **argv)
{
	bool confirm = argc > 0 && strcmp(argv[0], "confirm") == 0,
	     withdraw = argc > 0 && strcmp(argv[0], "withdraw") == 0,
	     list = argc > 0 && strcmp(argv[0], "list") == 0;
	PGconn *pg;

	if (!confirm && !withdraw && !list)
		die("domain list, domain confirm or domain withdraw");
	pg = cli_connect();
	if (list) {
		const char *p[] = { cli_option(argc, argv, "tenant", "") };

		cli_print_rows(cli_exec(pg, &sql_cli_domain_list, p));
	} else {
		const char *p[] = { cli_option(argc, argv, "tenant", NULL),
			cli_option(argc, argv, "domain", NULL), confirm ? "true" : "false",
			cli_now() };

		if (!cli_finds(pg, &sql_cli_domain_confirm, p))
			die("--tenant: no such customer; it is a code of tenant list, such as "
			    "acme");
	}
	PQfinish(pg);
	return 0;
}

const struct command sso_commands[] = {
	{ "domain", cmd_domain,
		"domain list [--tenant C]\n"
		"  domain confirm --tenant C --domain D\n"
		"  domain withdraw --tenant C --domain D\n"
		"      the customers' mail domains: who has proved each, and the provider's own "
		"word\n"
		"      about one" },
	{ "sso", cmd_sso,
		"sso list [--tenant C]\n"
		"      the identity providers of all customers, or of one: customer, id, kind,\n"
		"      name, whether it is in use, and the address to register there" },
	{ 0 },
};
