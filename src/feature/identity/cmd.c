/* SPDX-License-Identifier: Apache-2.0
 * Tenants, users, tokens, webhooks. Passwords come from standard input, never from the arguments.
 */
#include "cli/cli.h"
#include "crypto/crypto.h"
#include "crypto/password.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *now_text(void)
{
	static char t[32];

	time_format(clock_now_us(), 6, t);
	return t;
}

static char *tenant_id(PGconn *pg, const char *code)
{
	PGresult *r = cli_query(pg, "select tenant_id from customers where code = $1", 1, &code);
	char *id;

	if (!PQntuples(r))
		die("no such tenant: %s", code);
	id = xstrdup(PQgetvalue(r, 0, 0));
	PQclear(r);
	return id;
}

static void print_rows(PGresult *r)
{
	for (int i = 0; i < PQntuples(r); i++) {
		for (int c = 0; c < PQnfields(r); c++)
			printf("%s%s", c ? "\t" : "", PQgetvalue(r, i, c));
		putchar('\n');
	}
	PQclear(r);
}

static int cmd_tenant(int argc, char **argv)
{
	PGconn *pg = cli_connect();
	const char *what = argc ? argv[0] : "";

	if (strcmp(what, "list") == 0) {
		print_rows(cli_query(pg,
			"select tenant_id, code, name, lang, policy_code, status from customers "
			"order by 1",
			0, NULL));
	} else if (strcmp(what, "add") == 0) {
		const char *p[] = { cli_option(argc, argv, "code", NULL),
			cli_option(argc, argv, "name", NULL), cli_option(argc, argv, "lang", "zh"),
			cli_option(argc, argv, "policy", "standard"), now_text() };
		PGresult *r = cli_query(pg,
			"with c as (insert into customers (code, name, lang, policy_code, "
			"created_at) values ($1, $2, $3, $4, $5::timestamptz) returning "
			"tenant_id), "
			"n as (insert into tenant_counters (tenant_id) select tenant_id from c "
			"returning tenant_id) select tenant_id from n",
			5, p);

		print_rows(r);
	} else if (strcmp(what, "set") == 0) {
		const char *p[] = { cli_option(argc, argv, "code", NULL),
			cli_option(argc, argv, "host", ""), cli_option(argc, argv, "max-users", ""),
			cli_option(argc, argv, "mfa", ""), cli_option(argc, argv, "timezone", ""),
			cli_option(argc, argv, "work-hours", "") };
		PGresult *r = cli_query(pg,
			"update customers set host = case when $2 = '' then host else "
			"nullif(lower($2), '-') end, max_users = case "
			"when $3 = '' then max_users else nullif($3, '-')::int end, mfa_required = "
			"case $4 when '' then mfa_required "
			"else $4::boolean end, timezone = case when $5 = '' then timezone else $5 "
			"end, work_from = case when $6 = '' "
			"then work_from else split_part($6, '-', 1)::smallint end, work_to = case "
			"when $6 = '' then work_to else "
			"split_part($6, '-', 2)::smallint end where code = $1 returning tenant_id, "
			"code, host, max_users, "
			"mfa_required, timezone, work_from || '-' || work_to",
			6, p);

		if (!PQntuples(r))
			die("no such tenant: %s", p[0]);
		print_rows(r);
	} else {
		die("tenant add, tenant set or tenant list");
	}
	PQfinish(pg);
	return 0;
}

static char *read_password(const char *username)
{
	char *line = cli_read_line("password: ");
	const char *broken;

	if (!line)
		die("no password on standard input");
	broken = password_rule_broken(line, username, false);
	if (broken)
		die("password: %s", broken);
	return line;
}

static void user_add(PGconn *pg, int argc, char **argv)
{
	char *password = read_password(cli_name(argc, argv, "username", NULL)),
	     *hash = cli_hash(password);
	PGresult *r;

	if (cli_flag(argc, argv, "staff")) {
		const char *p[] = { cli_name(argc, argv, "username", NULL),
			cli_name(argc, argv, "name", NULL), cli_option(argc, argv, "email", NULL),
			cli_option(argc, argv, "lang", "zh"),
			cli_option(argc, argv, "role", "engineer"),
			cli_option(argc, argv, "level", "1"),
			cli_flag(argc, argv, "on-call") ? "t" : "f", hash, now_text(),
			cli_flag(argc, argv, "must-change") ? "t" : "f" };

		r = cli_query(pg,
			"insert into staff (username, full_name, email, lang, role, level, "
			"on_call, password_hash, created_at, must_change) "
			"values ($1, $2, $3, $4, $5, $6::smallint, $7::bool, $8, $9::timestamptz, "
			"$10::bool) returning id",
			10, p);
	} else {
		char *tenant = tenant_id(pg, cli_option(argc, argv, "tenant", NULL));
		const char *p[] = { tenant, cli_name(argc, argv, "username", NULL),
			cli_name(argc, argv, "name", NULL), cli_option(argc, argv, "email", NULL),
			cli_option(argc, argv, "lang", "zh"),
			cli_option(argc, argv, "role", "user"), hash, now_text(),
			cli_option(argc, argv, "department", ""),
			cli_option(argc, argv, "project", ""),
			cli_option(argc, argv, "contract", ""),
			cli_option(argc, argv, "cost-centre", ""),
			cli_option(argc, argv, "region", ""), cli_option(argc, argv, "office", ""),
			cli_flag(argc, argv, "must-change") ? "t" : "f" };

		r = cli_query(pg,
			"insert into client_users (tenant_id, username, full_name, email, lang, "
			"role_type, password_hash, created_at, department, project, contract, "
			"cost_centre, region, office, must_change) "
			"values ($1::bigint, $2, $3, $4, $5, $6, $7, $8::timestamptz, nullif($9, "
			"''), "
			"nullif($10, ''), nullif($11, ''), nullif($12, ''), nullif($13, ''), "
			"nullif($14, ''), $15::bool) returning id",
			15, p);
		free(tenant);
	}
	cli_seal_people(pg);
	print_rows(r);
	free(password);
	free(hash);
}

static void user_change(PGconn *pg, int argc, char **argv, bool disable)
{
	const char *code = cli_option(argc, argv, "tenant", "");
	char *tenant = *code ? tenant_id(pg, code) : xstrdup("1"),
	     *password = disable ? NULL : read_password(cli_option(argc, argv, "username", NULL)),
	     *hash = password ? cli_hash(password) : NULL;
	const char *p[] = { tenant, cli_option(argc, argv, "username", NULL),
		disable ? now_text() : hash, cli_flag(argc, argv, "must-change") ? "t" : "f" };
	char *sql = xasprintf(
		"update %s set %s where tenant_id = $1::bigint and username = $2 returning id",
		*code ? "client_users" : "staff",
		disable ? "disabled_at = $3::timestamptz"
			: "password_hash = $3, must_change = $4::bool");
	PGresult *r = cli_query(pg, sql, disable ? 3 : 4, p);

	if (!PQntuples(r))
		die("no such user");
	PQclear(r);
	free(sql);
	free(tenant);
	free(password);
	free(hash);
}

static int cmd_user(int argc, char **argv)
{
	PGconn *pg = cli_connect();
	const char *what = argc ? argv[0] : "";

	if (strcmp(what, "add") == 0)
		user_add(pg, argc, argv);
	else if (strcmp(what, "password") == 0)
		user_change(pg, argc, argv, false);
	else if (strcmp(what, "disable") == 0)
		user_change(pg, argc, argv, true);
	else
		die("user add, user password or user disable");
	PQfinish(pg);
	return 0;
}

static void token_add(PGconn *pg, int argc, char **argv)
{
	char secret[49], sha[65], until[32],
		*tenant = tenant_id(pg, cli_option(argc, argv, "tenant", NULL));
	int64_t days;
	PGresult *r;

	if (!str_to_int(str_of(cli_option(argc, argv, "days", "90")), 1, 3650, &days))
		die("--days: 1 to 3650");
	crypto_random_hex(secret, 24);
	crypto_sha256_hex(secret, strlen(secret), sha);
	time_format(clock_now_us() + days * 86400 * US_PER_S, 6, until);
	const char *p[] = { tenant, cli_name(argc, argv, "name", NULL), sha,
		cli_option(argc, argv, "scopes", "tickets:read,tickets:write"), until, now_text() };
	r = cli_query(pg,
		"insert into api_tokens (tenant_id, name, secret_sha256, scopes, expires_at, "
		"created_at) "
		"values ($1::bigint, $2, decode($3, 'hex'), string_to_array($4, ','), "
		"$5::timestamptz, $6::timestamptz) returning id",
		6, p);
	/* printed once; only its digest is stored */
	printf("sd1.%s.%s.%s\n", tenant, PQgetvalue(r, 0, 0), secret);
	PQclear(r);
	free(tenant);
}

static int cmd_token(int argc, char **argv)
{
	PGconn *pg = cli_connect();
	const char *what = argc ? argv[0] : "";

	if (strcmp(what, "add") == 0) {
		token_add(pg, argc, argv);
	} else if (strcmp(what, "list") == 0) {
		print_rows(cli_query(pg,
			"select tenant_id, id, name, array_to_string(scopes, ','), expires_at, "
			"revoked_at from api_tokens order by 1, 2",
			0, NULL));
	} else if (strcmp(what, "revoke") == 0) {
		char *tenant = tenant_id(pg, cli_option(argc, argv, "tenant", NULL));
		const char *p[] = { tenant, cli_option(argc, argv, "id", NULL), now_text() };
		PGresult *r = cli_query(pg,
			"update api_tokens set revoked_at = $3::timestamptz where tenant_id = "
			"$1::bigint and id = $2::bigint and revoked_at is null returning id",
			3, p);

		if (!PQntuples(r))
			die("no such token");
		PQclear(r);
		free(tenant);
	} else {
		die("token add, token list or token revoke");
	}
	PQfinish(pg);
	return 0;
}

static int cmd_webhook(int argc, char **argv)
{
	PGconn *pg = cli_connect();
	char *tenant = tenant_id(pg, cli_option(argc, argv, "tenant", NULL));
	const char *p[] = { tenant, cli_option(argc, argv, "url", NULL),
		cli_option(argc, argv, "secret", NULL), now_text() };

	if (!argc || strcmp(argv[0], "add") != 0)
		die("webhook add");
	print_rows(cli_query(pg,
		"insert into webhooks (tenant_id, url, secret, created_at) values ($1::bigint, $2, "
		"$3, $4::timestamptz) returning id",
		4, p));
	free(tenant);
	PQfinish(pg);
	return 0;
}

const struct command identity_commands[] = {
	{ "tenant", cmd_tenant,
		"tenant add --code C --name N [--lang zh|en] [--policy P]\n"
		"  tenant set --code C [--host H|-] [--max-users N|-] [--mfa yes|no] [--timezone "
		"Z] "
		"[--work-hours 8-20]\n"
		"  tenant list\n"
		"      add, change and list customers" },
	{ "user", cmd_user,
		"user add --staff --username U --name N --email E [--role R] [--level 1..3] "
		"[--on-call] [--must-change]\n"
		"  user add --tenant C --username U --name N --email E [--role R] [--must-change]\n"
		"  user password --username U [--tenant C] [--must-change]\n"
		"  user disable --username U [--tenant C]\n"
		"      manage staff and customers' users; the password is read from standard "
		"input" },
	{ "token", cmd_token,
		"token add --tenant C --name N --scopes tickets:read,tickets:write [--days 90]\n"
		"  token list\n"
		"  token revoke --tenant C --id N\n"
		"      manage service tokens" },
	{ "key", cmd_key,
		"key rotate [--at-once]\n"
		"      create a signing key for access tokens; --at-once makes all earlier keys "
		"invalid" },
	{ "webhook", cmd_webhook,
		"webhook add --tenant C --url U --secret S\n"
		"      register a webhook" },
	{ 0 },
};
