/* SPDX-License-Identifier: Apache-2.0
 * Creates roles, database and schema. Works with a managed PostgreSQL: the administrator needs only
 * CREATEROLE and CREATEDB, and no role gets BYPASSRLS. */
#include "cli/cli.h"
#include "crypto/crypto.h"
#include "crypto/secretfile.h"
#include "db/migrate.h"
#include "sla/shape.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool exists(PGconn *pg, const char *sql, const char *name)
{
	PGresult *r = cli_query(pg, sql, 1, &name);
	bool yes = PQntuples(r) > 0;

	PQclear(r);
	return yes;
}

static void make_role(PGconn *pg, const char *name, const char *password)
{
	char *quoted =
		PQescapeLiteral(pg, password ? password : "", strlen(password ? password : ""));
	char *sql;

	if (!exists(pg, "select from pg_roles where rolname = $1", name)) {
		sql = xasprintf("create role %s login nosuperuser nobypassrls", name);
		cli_run(pg, sql);
		free(sql);
	}
	if (password) {
		sql = xasprintf("alter role %s password %s", name, quoted);
		cli_run(pg, sql);
		free(sql);
	}
	PQfreemem(quoted);
}

/* The password of ROLE from its file in DIR, which is created with a new one if it does not exist,
 * owned by OWNER (NULL: whoever runs this). The caller frees it. */
static char *password_of(const char *dir, const char *role, const struct passwd *owner)
{
	char *file = xasprintf("%s/%s.password", dir, role), text[65], *password;
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0) {
		crypto_random_hex(text, 32);
		if (dprintf(fd, "%s\n", text) < 0 || fsync(fd) != 0 ||
			(owner && fchown(fd, owner->pw_uid, owner->pw_gid) != 0))
			die("%s: %s", file, strerror(errno));
		close(fd);
		OPENSSL_cleanse(text, sizeof(text));
	} else if (errno != EEXIST) {
		die("%s: %s", file, strerror(errno));
	}
	password = secretfile_line(file);
	if (!password)
		die("%s: %s", file, secretfile_error(errno));
	free(file);
	return password;
}

/* Each role gets a password of its own. The daemon does not get the owner's. */
static void make_roles(PGconn *pg, int argc, char **argv)
{
	static const char *const roles[] = { "sladesk_owner", "sladesk_app", "sladesk_job",
		"sladesk_report" };
	const char *dir = cli_option(argc, argv, "password-dir", ""),
		   *file = cli_option(argc, argv, "password-file", ""),
		   *user = cli_option(argc, argv, "daemon-user", "");
	const struct passwd *daemon = *user ? getpwnam(user) : NULL;

	if (*user && !daemon)
		die("--daemon-user: no such user: %s", user);
	if (*dir && *file)
		die("either --password-dir or --password-file");
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		bool daemons = strcmp(roles[i], "sladesk_app") == 0 ||
			       strcmp(roles[i], "sladesk_job") == 0;
		char *password = *dir ? password_of(dir, roles[i], daemons ? daemon : NULL)
				      : secretfile_line(file);

		if (*file && !password)
			die("%s: not a password that only you can read", file);
		make_role(pg, roles[i], password);
		free(password);
	}
}

int cmd_init(int argc, char **argv)
{
	const char *database = cli_option(argc, argv, "database", "sladesk");
	PGconn *pg = cli_connect_to(cli_option(argc, argv, "admin-url", NULL),
		cli_option(argc, argv, "admin-password-file", ""));
	char *sql, *name = PQescapeIdentifier(pg, database, strlen(database));

	make_roles(pg, argc, argv);
	if (!exists(pg, "select from pg_database where datname = $1", database)) {
		cli_run(pg, "grant sladesk_owner to current_user");
		sql = xasprintf("create database %s owner sladesk_owner encoding 'UTF8' lc_collate "
				"'C.UTF-8' lc_ctype 'C.UTF-8' template template0",
			name);
		cli_run(pg, sql);
		free(sql);
	}
	PQfreemem(name);
	PQfinish(pg);
	return 0;
}

static void print_line(const char *line)
{
	puts(line);
}

#define LEASE_S 10 /* how long an instance that has died seems to run */

/* The form of policies that the oldest instance which runs can read, and how often the instances
 * have renewed their leases. Returns false if none runs that reads less than this program. */
static bool find_older(PGconn *pg, int *out_format, long long *out_leased)
{
	PGresult *r = PQexec(pg,
		"select coalesce((to_jsonb(o) ->> 'policy_format')::int, 1) as f, "
		"extract(epoch from max(o.expires_at))::bigint from lease_owners o where "
		"o.expires_at > clock_timestamp() group by 1 order by 1 limit 1");
	bool found = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1 &&
		     (*out_format = atoi(PQgetvalue(r, 0, 0))) < SLA_POLICY_FORMAT;

	if (found)
		*out_leased = atoll(PQgetvalue(r, 0, 1));
	PQclear(r); /* without the table, no instance has ever run */
	return found;
}

static bool is_behind(PGconn *pg)
{
	PGresult *r = PQexec(pg, "select max(version) from schema_version");
	bool behind =
		PQresultStatus(r) != PGRES_TUPLES_OK || atoi(PQgetvalue(r, 0, 0)) < schema_needed();

	PQclear(r);
	return behind;
}

/* Migrations may write policies that an instance of an earlier version cannot read; it would fire
 * no deadline of the tickets that have them. One that has just ended is waited for. */
static void refuse_older_instances(PGconn *pg)
{
	int format;
	long long first = 0, leased;

	for (int s = 0; s <= LEASE_S && is_behind(pg) && find_older(pg, &format, &leased); s++) {
		if (!s)
			first = leased;
		if (leased > first || s == LEASE_S)
			die("migrate: an instance of an earlier version runs, which reads "
			    "policies of format %d, and this version writes format %d; stop all "
			    "instances, migrate, and start the new version (doc/ops.md, Upgrade)",
				format, SLA_POLICY_FORMAT);
		sleep(1);
	}
}

int cmd_migrate(int argc, char **argv)
{
	const char *error = "", *url = cli_option(argc, argv, "owner-url", NULL);
	PGconn *pg = cli_connect_to(url, cli_option(argc, argv, "owner-password-file", ""));
	char version[24];

	refuse_older_instances(pg);
	if (!schema_migrate((struct pg_conn *)pg, print_line, &error))
		die("migrate: %s", error);
	snprintf(version, sizeof(version), "schema %d", schema_needed());
	cli_keep_changes(pg, true);
	cli_audit(pg, "1", version);
	PQfinish(pg);
	puts(version);
	return 0;
}
