/* SPDX-License-Identifier: Apache-2.0
 * Tenants, users, tokens. Passwords come from standard input, never from the arguments.
 */
#include "cmd_key.h"
#include "cmd_report.h"
#include "base/text.h"
#include "cli/cli.h"
#include "config/zones.h"
#include "core/session.h"
#include "crypto/crypto.h"
#include "crypto/password.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

/* As the schema has them. */
#define LANGUAGES "zh|en"
#define STAFF_ROLES "engineer|supervisor|manager|customer_success|admin|auditor"
#define USER_ROLES "user|manager|admin"

static const char *now_us_text(void)
{
	static char t[24];

	snprintf(t, sizeof(t), "%lld", (long long)clock_now_us());
	return t;
}

static const char *zone_option(int argc, char **argv)
{
	const char *zone = cli_option(argc, argv, "timezone", "");

	if (*zone && !zone_find(zone))
		die("--timezone: a zone name, such as Asia/Shanghai");
	return zone;
}

static const char *mail_option(int argc, char **argv)
{
	const char *mail = cli_option(argc, argv, "email", NULL);

	if (!text_is_mail(mail))
		die("--email: a mail address in ASCII, such as user@example.com (an international "
		    "domain in its xn-- form)");
	return mail;
}

static const char *seats_option(int argc, char **argv)
{
	const char *seats = cli_option(argc, argv, "max-users", "");
	int64_t n;

	if (*seats && strcmp(seats, "-") != 0 && !str_to_int(str_of(seats), 0, INT32_MAX, &n))
		die("--max-users: a number of users, such as 50, or - for no limit");
	return seats;
}

/* From and to of the hours of work. They may go past midnight. */
static const char *work_hours_option(int argc, char **argv)
{
	const char *hours = cli_option(argc, argv, "work-hours", "");
	size_t n = strcspn(hours, "-");
	int64_t from, to;

	if (*hours && (!hours[n] || !str_to_int((struct str){ hours, n }, 0, 23, &from) ||
			      !str_to_int(str_of(hours + n + 1), 0, 24, &to) || from == to))
		die("--work-hours: two hours of the day, such as 8-20, or 20-8 for a night");
	return hours;
}

static const char *host_option(int argc, char **argv)
{
	const char *host = cli_option(argc, argv, "host", "");

	if (*host && strcmp(host, "-") != 0 && !text_is_host(host))
		die("--host: a host name, such as desk.example.com, or - for none");
	return host;
}

static const char *code_option(int argc, char **argv)
{
	const char *code = cli_option(argc, argv, "code", NULL);
	size_t n = strlen(code);

	if (n == 0 || n > 63 || strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789-") != n ||
		code[0] == '-')
		die("--code: up to 63 lower-case letters, digits and hyphens, beginning with a "
		    "letter or a digit, such as acme");
	if (strspn(code, "0123456789") == n)
		die("--code: not digits only, because those are a customer's number; such as "
		    "acme");
	return code;
}

static const char *login_option(int argc, char **argv)
{
	const char *name = cli_option(argc, argv, "username", NULL);

	if (!text_is_login_name(name))
		die("--username: up to 100 lower-case letters, digits and . _ @ -, beginning with "
		    "a letter or a digit, such as wang");
	return name;
}

/* What a data scope selects by; empty if it is not given. */
static const char *attribute_option(int argc, char **argv, const char *name)
{
	return *cli_option(argc, argv, name, "") ? cli_text(argc, argv, name, 100) : "";
}

#define NO_POLICY                                                                                  \
	"--policy: no such policy: %s\n  sladesk policy list shows them, such as standard; one "   \
	"for a single service type applies by itself"

static int cmd_tenant(int argc, char **argv)
{
	PGconn *pg = cli_connect();
	const char *what = argc ? argv[0] : "";
	PGresult *r;

	if (strcmp(what, "list") == 0) {
		cli_print_rows(cli_exec(pg, &sql_cli_tenant_list, NULL));
	} else if (strcmp(what, "add") == 0) {
		const char *p[] = { code_option(argc, argv), cli_text(argc, argv, "name", 200),
			cli_choice(argc, argv, "lang", "zh", LANGUAGES),
			cli_option(argc, argv, "policy", "standard"), cli_now() };

		r = cli_exec(pg, &sql_cli_tenant_add, p);
		if (!PQntuples(r))
			die(NO_POLICY, p[3]);
		cli_print_rows(r);
	} else if (strcmp(what, "set") == 0) {
		const char *p[] = { cli_option(argc, argv, "code", NULL), host_option(argc, argv),
			seats_option(argc, argv), cli_choice(argc, argv, "mfa", "", "yes|no"),
			zone_option(argc, argv), work_hours_option(argc, argv),
			cli_choice(argc, argv, "mail-factor", "", "yes|no"),
			cli_option(argc, argv, "policy", ""), cli_now() };

		free(cli_tenant_id(pg, p[0]));
		r = cli_exec(pg, &sql_cli_tenant_set, p);
		if (!PQntuples(r))
			die(NO_POLICY, p[7]);
		cli_print_rows(r);
	} else if (strcmp(what, "suspend") == 0 || strcmp(what, "resume") == 0) {
		const char *p[] = { cli_option(argc, argv, "code", NULL),
			*what == 's' ? "suspended" : "active", now_us_text(), cli_operator() };

		if (!cli_finds(pg, &sql_cli_tenant_status, p))
			die("--code: no such customer: %s; it is a code of tenant list, such as "
			    "acme",
				p[0]);
	} else {
		die("tenant add, tenant set, tenant suspend, tenant resume or tenant list");
	}
	PQfinish(pg);
	return 0;
}

/* Codes of customers, separated by commas; "" for -, which stands for none. NULL if the option is
 * not given: nothing must not look like everything. */
static const char *codes_option(int argc, char **argv, const char *name)
{
	static const char absent[] = "";
	const char *codes = cli_option(argc, argv, name, absent);

	if (codes == absent)
		return NULL;
	if (!*codes)
		die("--%s: codes of customers, such as acme,globex, or - for none", name);
	return strcmp(codes, "-") == 0 ? "" : codes;
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
	char *password = read_password(login_option(argc, argv)), *hash = cli_hash(password), *id,
	     index[FIELD_MAIL_INDEX_MAX];
	const char *mail = mail_option(argc, argv);
	struct buf sealed = { 0 };
	PGresult *r;

	(void)cli_field_keys(pg);
	if (cli_flag(argc, argv, "staff")) {
		const char *p[] = { login_option(argc, argv), cli_name(argc, argv, "name", NULL),
			NULL, cli_choice(argc, argv, "lang", "zh", LANGUAGES),
			cli_choice(argc, argv, "role", "engineer", STAFF_ROLES),
			cli_choice(argc, argv, "level", "1", "1|2|3"),
			cli_flag(argc, argv, "on-call") ? "t" : "f", hash, cli_now(),
			cli_flag(argc, argv, "must-change") ? "t" : "f",
			codes_option(argc, argv, "customers"), NULL, index };

		p[11] = id = cli_next_id(pg, "staff");
		cli_seal_mail(&sealed, index, FIELD_STAFF_EMAIL, "1", id, mail);
		p[2] = buf_cstr(&sealed);
		r = cli_exec(pg, &sql_cli_staff_add, p);
		if (!PQntuples(r))
			die("--customers: codes of customers, such as acme,globex, or - for none");
	} else {
		char *tenant = cli_tenant_id(pg, cli_option(argc, argv, "tenant", NULL));
		const char *p[] = { tenant, login_option(argc, argv),
			cli_name(argc, argv, "name", NULL), NULL,
			cli_choice(argc, argv, "lang", "zh", LANGUAGES),
			cli_choice(argc, argv, "role", "user", USER_ROLES), hash, cli_now(),
			attribute_option(argc, argv, "department"),
			attribute_option(argc, argv, "project"),
			attribute_option(argc, argv, "contract"),
			attribute_option(argc, argv, "cost-centre"),
			attribute_option(argc, argv, "region"),
			attribute_option(argc, argv, "office"),
			cli_flag(argc, argv, "must-change") ? "t" : "f", NULL, index };

		p[15] = id = cli_next_id(pg, "client_users");
		cli_seal_mail(&sealed, index, FIELD_CLIENT_USERS_EMAIL, tenant, id, mail);
		p[3] = buf_cstr(&sealed);
		r = cli_exec(pg, &sql_cli_user_add, p);
		free(tenant);
	}
	cli_print_rows(r);
	buf_free(&sealed);
	free(id);
	free(password);
	free(hash);
}

static void user_customers(PGconn *pg, int argc, char **argv)
{
	const char *codes = codes_option(argc, argv, "set");
	bool all = cli_flag(argc, argv, "all");
	const char *p[] = { login_option(argc, argv), all ? "t" : "f", codes ? codes : "",
		now_us_text(), cli_operator() };
	PGresult *r;

	if (all && codes)
		die("--set or --all");
	if (all || codes) {
		r = cli_exec(pg, &sql_cli_staff_serve, p);
		if (!PQgetisnull(r, 0, 0))
			die(strcmp(PQgetvalue(r, 0, 0), "staff") == 0
					? "--username: no such user of the staff, such as wang"
					: "--set: codes of customers, such as acme,globex, or - "
					  "for none");
		PQclear(r);
	}
	cli_print_rows(cli_exec(pg, &sql_cli_staff_customers, p));
}

/* WHAT: password, disable or enable. */
static void user_change(PGconn *pg, int argc, char **argv, const char *what)
{
	const char *code = cli_option(argc, argv, "tenant", "");
	char *tenant = *code ? cli_tenant_id(pg, code) : xstrdup("1"),
	     *password = strcmp(what, "password") == 0
				 ? read_password(cli_option(argc, argv, "username", NULL))
				 : NULL,
	     *hash = password ? cli_hash(password) : NULL;
	const char *p[] = { tenant, cli_option(argc, argv, "username", NULL), what, hash,
		cli_flag(argc, argv, "must-change") ? "t" : "f", now_us_text(), cli_operator() };

	if (!cli_finds(pg, &sql_cli_user_change, p))
		die("--username: no such user of this customer, or of the staff without "
		    "--tenant, such as wang");
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
	else if (strcmp(what, "password") == 0 || strcmp(what, "disable") == 0 ||
		 strcmp(what, "enable") == 0)
		user_change(pg, argc, argv, what);
	else if (strcmp(what, "customers") == 0)
		user_customers(pg, argc, argv);
	else
		die("user add, user password, user disable, user enable or user customers");
	PQfinish(pg);
	return 0;
}

static const char *scopes_option(int argc, char **argv)
{
	const char *scopes = cli_option(argc, argv, "scopes", "tickets:read,tickets:write"),
		   *p = scopes;

	for (;; p++) {
		struct str one = { p, strcspn(p, ",") };

		if (!scope_is_known(one)) {
			struct buf all = { 0 };

			scopes_add_names(&all);
			die("--scopes: unknown scope \"%.*s\"; a list without blanks of %s, such "
			    "as "
			    "ticket:read,sla:read",
				(int)one.n, one.p, buf_cstr(&all));
		}
		p += one.n;
		if (!*p)
			return scopes;
	}
}

static void token_add(PGconn *pg, int argc, char **argv)
{
	char secret[49], sha[65], until[32],
		*tenant = cli_tenant_id(pg, cli_option(argc, argv, "tenant", NULL));
	const char *by = cli_option(argc, argv, "by", "");
	int64_t days;
	PGresult *r;

	if (!str_to_int(str_of(cli_option(argc, argv, "days", "90")), 1, 3650, &days))
		die("--days: a number from 1 to 3650, such as 90");
	crypto_random_hex(secret, 24);
	crypto_sha256_hex(secret, strlen(secret), sha);
	time_format(clock_now_us() + days * 86400 * US_PER_S, 6, until);
	const char *p[] = { tenant, cli_name(argc, argv, "name", NULL), sha,
		scopes_option(argc, argv), until, cli_now(), *by ? by : NULL };
	r = cli_exec(pg, &sql_cli_token_add, p);
	if (!PQntuples(r))
		die("--by: no such user, or one who does not hold these permissions; a user of the "
		    "customer, such "
		    "as wang");
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
		cli_print_rows(cli_exec(pg, &sql_cli_token_list, NULL));
	} else if (strcmp(what, "revoke") == 0) {
		char *tenant = cli_tenant_id(pg, cli_option(argc, argv, "tenant", NULL));
		const char *p[] = { tenant, cli_option(argc, argv, "id", NULL), now_us_text() };
		int64_t id;

		if (!str_to_int(str_of(p[1]), 1, INT64_MAX, &id))
			die("--id: the number that token list shows, such as 12");

		if (!cli_finds(pg, &sql_cli_token_revoke, p))
			die("--id: no such token of this customer; the number that token list "
			    "shows, such as 12");
		free(tenant);
	} else {
		die("token add, token list or token revoke");
	}
	PQfinish(pg);
	return 0;
}

const struct command identity_commands[] = {
	{ "tenant", cmd_tenant,
		"tenant add --code C --name N [--lang zh|en] [--policy P]\n"
		"  tenant set --code C [--host H|-] [--max-users N|-] [--mfa yes|no] "
		"[--mail-factor yes|no] [--policy P] [--timezone "
		"Z] "
		"[--work-hours 8-20]\n"
		"  tenant suspend --code C\n"
		"  tenant resume --code C\n"
		"  tenant list\n"
		"      add, change, suspend and list customers" },
	{ "user", cmd_user,
		"user add --staff --username U --name N --email E [--lang zh|en] [--role R] "
		"[--level 1..3] [--on-call] [--customers C,C|-] [--must-change]\n"
		"  user add --tenant C --username U --name N --email E [--lang zh|en] [--role R] "
		"[--department D] [--project P] [--contract K] [--cost-centre K] [--region R] "
		"[--office O] [--must-change]\n"
		"  user password --username U [--tenant C] [--must-change]\n"
		"  user disable --username U [--tenant C]\n"
		"  user enable --username U [--tenant C]\n"
		"  user customers --username U [--set C,C|-] [--all]\n"
		"      manage staff and customers' users; the password is read from standard "
		"input" },
	{ "token", cmd_token,
		"token add --tenant C --name N [--scopes tickets:read,tickets:write] [--days 90] "
		"[--by U]\n"
		"  token list\n"
		"  token revoke --tenant C --id N\n"
		"      manage service tokens; a token made --by a user never holds "
		"more permissions than that user" },
	{ "key", cmd_key,
		"key rotate [--at-once]\n"
		"      create a signing key for access tokens; --at-once makes all earlier keys "
		"invalid\n"
		"  key rotate --anchors\n"
		"      create a key for the signed anchors of the audit log; what the earlier keys "
		"signed stays verifiable\n"
		"  key audit\n"
		"      print the public keys of the anchors, the present one first, and create the "
		"key if there is none" },
	{ "report", cmd_report,
		"report grant --login L --tenant C\n"
		"  report revoke --login L --tenant C\n"
		"  report list\n"
		"      let a database login (a member of sladesk_report) read a tenant" },
	{ 0 },
};
