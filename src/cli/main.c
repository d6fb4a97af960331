/* SPDX-License-Identifier: Apache-2.0
 * sladesk: init, migrate, tenants, people, tokens, SLA tools, import, demo. */
#include "cli/cli.h"
#include "config/options.h"
#include "config/secret.h"

#include <argon2.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "init", cmd_init,
		"init --admin-url URL --database NAME [--password-file F]   make roles and "
		"database" },
	{ "migrate", cmd_migrate, "migrate --owner-url URL   bring the schema up to date" },
	{ "tenant", cmd_tenant,
		"tenant add --code C --name N [--lang zh|en] [--policy P] | tenant set --code C "
		"[--host H|-] [--max-users N|-] "
		"[--mfa yes|no] [--timezone Z] [--work-hours 8-20] | tenant list" },
	{ "user", cmd_user,
		"user add --staff --username U --name N --email E [--role R] [--level 1..3] "
		"[--on-call] [--must-change] | user add --tenant C …; user password --username U "
		"[--tenant C] [--must-change]; "
		"user disable … (password from standard input)" },
	{ "token", cmd_token,
		"token add --tenant C --name N --scopes tickets:read,tickets:write [--days 90] | "
		"token list | token revoke --tenant C --id N" },
	{ "key", cmd_key,
		"key rotate [--at-once]   a new key for access tokens; at once: instead of all "
		"others" },
	{ "isolation", cmd_isolation,
		"isolation check --as C --against C [--url U]   prove against the running server "
		"that one customer "
		"cannot reach another's data" },
	{ "keys", cmd_keys,
		"keys status | keys rotate [--resume] | keys rewrap | keys backup --out F | keys "
		"restore --in F [--check]   "
		"the keys of personal fields (passphrase from standard input)" },
	{ "webhook", cmd_webhook, "webhook add --tenant C --url U --secret S" },
	{ "sla", cmd_sla,
		"sla calc | sla explain TICKET | sla verify [--tenant C] | sla replay --policy P "
		"[--tenant C] [--from T] [--to T]" },
	{ "import", cmd_import,
		"import --map FILE --tenant C --policy P [--rejects FILE] CSV   replay an incident "
		"log | import --go-live --tenant C   its tickets run from now on" },
	{ "audit", cmd_audit,
		"audit verify [--tenant C] [--dir D]   find any edited, removed or moved row of "
		"the "
		"audit log, in its files, too | audit archive --dir D --owner-url URL [--before "
		"YYYY-MM] [--keep-years 7]   move whole months into files, remove files that are "
		"too old" },
	{ "deadletter", cmd_deadletter,
		"deadletter list | deadletter retry ID|all   messages of leading systems that "
		"could not be "
		"applied" },
	{ "rollup", cmd_rollup,
		"rollup rebuild [--tenant C] | rollup check   make the counts that dashboards show "
		"anew; see whether they are true" },
	{ "demo", cmd_demo, "demo   make a demonstration provider" },
};

void cli_progress(size_t done, size_t all)
{
	int width = 40, full = (int)(done * (size_t)width / (all ? all : 1));

	if (!isatty(2))
		return;
	fprintf(stderr, "\r[%.*s%*s] %3d %%", full, "########################################",
		width - full, "", (int)(done * 100 / (all ? all : 1)));
	if (done == all)
		fputc('\n', stderr);
}

PGconn *cli_connect(void)
{
	const char *keys[] = { "dbname", "password", "application_name", NULL },
		   *values[] = { options.database_job_url, "", "sladesk", NULL };
	char *password = config_secret_read(options.database_password_file);
	PGconn *pg;

	if (password)
		values[1] = password;
	pg = PQconnectdbParams(keys, values, 1);
	free(password);
	if (PQstatus(pg) != CONNECTION_OK)
		die("database: %s", PQerrorMessage(pg));
	cli_run(pg, "set timezone = 'UTC'; set jit = off; set client_min_messages = warning");
	return pg;
}

PGresult *cli_query(PGconn *pg, const char *sql, int n, const char *const *params)
{
	PGresult *r = PQexecParams(pg, sql, n, NULL, params, NULL, NULL, 0);

	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		die("database: %s", PQresultErrorMessage(r));
	return r;
}

void cli_run(PGconn *pg, const char *sql)
{
	PGresult *r = PQexec(pg, sql);

	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		die("database: %s", PQresultErrorMessage(r));
	PQclear(r);
}

char *cli_hash(const char *password)
{
	unsigned char salt[16];
	char *out = xmalloc(128);

	if (RAND_bytes(salt, sizeof(salt)) != 1 ||
		argon2id_hash_encoded(2, 19 * 1024, 1, password, strlen(password), salt,
			sizeof(salt), 32, out, 128) != ARGON2_OK)
		die("cannot hash the password");
	return out;
}

const char *cli_option(int argc, char **argv, const char *name, const char *fallback)
{
	for (int i = 0; i + 1 < argc; i++)
		if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0)
			return argv[i + 1];
	if (!fallback)
		die("--%s is required (see sladesk --help)", name);
	return fallback;
}

bool cli_flag(int argc, char **argv, const char *name)
{
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0)
			return true;
	return false;
}

static int usage(void)
{
	puts("usage: sladesk [-c FILE] COMMAND …\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("  %s\n", commands[i].help);
	return 0;
}

int main(int argc, char **argv)
{
	const char *file = NULL, *error;
	int at = 1, rc;

	if (argc > 2 && strcmp(argv[1], "-c") == 0) {
		file = argv[2];
		at = 3;
	}
	if (at >= argc || strcmp(argv[at], "--help") == 0)
		return usage();
	if (!options_load(file, &error))
		die("%s", error);
	failpoint_arm(options.test_failpoint);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[at], commands[i].name) == 0) {
			rc = commands[i].run(argc - at - 1, argv + at + 1);
			options_free();
			return rc;
		}
	die("unknown command %s (see sladesk --help)", argv[at]);
}
