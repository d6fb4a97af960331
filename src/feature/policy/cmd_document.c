/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd_document.h"
#include "base/json.h"
#include "cli/cli.h"
#include "config/zones.h"
#include "sla/shape.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

/* --- reading --- */

static const char *file_argument(int argc, char **argv)
{
	/* the last word that is not an option's value; usage_is_kept has counted the words */
	for (int i = argc - 1; i > 0; i--)
		if (strncmp(argv[i], "--", 2) != 0 && strncmp(argv[i - 1], "--", 2) != 0)
			return argv[i];
	die("FILE: the document, or - for standard input");
}

static struct json_object *read_document(int argc, char **argv)
{
	const char *name = file_argument(argc, argv);
	FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	char *text = xmalloc(JSON_MAX_BYTES + 1);
	struct json_object *doc;
	struct json_error err;
	size_t n;

	if (!f)
		die("%s: %m", name);
	n = fread(text, 1, JSON_MAX_BYTES + 1, f);
	if (ferror(f))
		die("%s: %m", name);
	if (n > JSON_MAX_BYTES / 2)
		die("%s: at most 128 KiB", name);
	if (f != stdin)
		fclose(f);
	doc = json_read(text, n, &err);
	free(text);
	if (!doc)
		die("%s: byte %zu: %s expected", name, err.at, err.rule);
	return doc;
}

static void die_of(const struct shape_fault *fault)
{
	die("%s: %s; for example: %s", fault->field,
		strchr(fault->en, ':') ? strchr(fault->en, ':') + 2 : fault->en, fault->example);
}

static char *text_of(struct json_object *doc)
{
	struct buf b = { 0 };

	json_write(&b, doc);
	return buf_take(&b);
}

/* The provider's, unless --tenant names a customer. The caller frees it. */
static char *whose(PGconn *pg, int argc, char **argv)
{
	const char *code = cli_option(argc, argv, "tenant", "");

	return *code ? cli_tenant_id(pg, code) : xstrdup("1");
}

static const char *code_option(int argc, char **argv)
{
	const char *code = cli_option(argc, argv, "code", NULL);
	size_t n = strlen(code);

	if (n == 0 || n > 63 || strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789-") != n ||
		code[0] == '-')
		die("--code: up to 63 lower-case letters, digits and hyphens, such as standard");
	return code;
}

/* A number as a parameter; good until the fourth call after it. */
static const char *micros(int64_t us)
{
	static char text[4][24];
	static int next;
	char *one = text[next++ % 4];

	snprintf(one, sizeof(text[0]), "%lld", (long long)us);
	return one;
}

static const char *text_option(int argc, char **argv, const char *name)
{
	return *cli_option(argc, argv, name, "") ? cli_text(argc, argv, name, 100) : NULL;
}

static void list(PGconn *pg, const struct sql_stmt *stmt, int argc, char **argv)
{
	const char *code = cli_option(argc, argv, "tenant", "");
	char *tenant = *code ? cli_tenant_id(pg, code) : xstrdup("");
	const char *p[] = { tenant };

	cli_print_rows(cli_exec(pg, stmt, p));
	free(tenant);
}

static void show(PGconn *pg, const struct sql_stmt *stmt, int argc, char **argv)
{
	char *tenant = whose(pg, argc, argv);
	const char *p[] = { tenant, code_option(argc, argv),
		cli_option(argc, argv, "version", "") };
	int64_t version;
	PGresult *r;

	if (*p[2] && !str_to_int(str_of(p[2]), 1, INT32_MAX, &version))
		die("--version: a number, such as 2");
	r = cli_exec(pg, stmt, p);
	if (!PQntuples(r))
		die("no %s %s%s%s", argv[-1], p[1], *p[2] ? " of version " : "", p[2]);
	puts(PQgetvalue(r, 0, 0));
	PQclear(r);
	free(tenant);
}

static void print_form(const struct shape *rows)
{
	char rule[300];

	for (; rows->path; rows++) {
		shape_rule(rows, false, rule, sizeof(rule));
		printf("%s\t%s\t%s\t%s\n", *rows->path ? rows->path : "-",
			shape_type_name(rows->type), rule, rows->example);
	}
}

/* --- policies --- */

static const char *effective_option(int argc, char **argv, int64_t now)
{
	const char *from = cli_option(argc, argv, "effective-from", "");
	int64_t at = now;

	if (*from && !time_read(str_of(from), &at))
		die("--effective-from: an instant, such as 2026-12-31T16:00:00Z");
	return micros(at);
}

/* FIELD names something that does not exist. */
static void die_of_missing(const char *field)
{
	const char *last = strrchr(field, '.');

	if (last && strcmp(last, ".event") == 0)
		die("%s: nobody is told of such an event; for example: \"sla.threshold\"", field);
	if (last && strcmp(last, ".template") == 0)
		die("%s: no such text; for example: \"sla_warning\"", field);
	die("%s: no such calendar; for example: \"24x7\"", field);
}

static void put_policy(PGconn *pg, int argc, char **argv)
{
	struct json_object *doc = read_document(argc, argv);
	const char *own = json_get_string(doc, "calendar"),
		   *calendar = cli_option(argc, argv, "calendar", own ? own : "24x7");
	int64_t now = clock_now_us();
	char *tenant = whose(pg, argc, argv), *text = text_of(doc);
	struct shape_fault fault;
	int format = 1;
	PGresult *r;

	if (!policy_is_valid(doc, &format, &fault))
		die_of(&fault);
	if (own && strcmp(own, calendar) != 0)
		die("--calendar: the document names another one, %s", own);
	const char *p[] = { tenant, code_option(argc, argv),
		text_option(argc, argv, "service-type"), calendar, text,
		effective_option(argc, argv, now), micros(format),
		text_option(argc, argv, "service-name"), NULL, NULL, micros(now) };
	r = cli_exec(pg, &sql_sla_policy_new, p);
	if (!PQgetisnull(r, 0, 2) && strcmp(PQgetvalue(r, 0, 2), "format") == 0)
		die("an instance that runs reads policies up to format %s only; upgrade it first",
			PQgetvalue(r, 0, 3));
	if (!PQgetisnull(r, 0, 2))
		die_of_missing(PQgetvalue(r, 0, 2));
	printf("%s\t%s\tversion %s\n", PQgetvalue(r, 0, 0), p[1], PQgetvalue(r, 0, 1));
	PQclear(r);
	free(tenant);
	free(text);
	json_object_put(doc);
}

int cmd_policy(int argc, char **argv)
{
	const char *what = argc ? argv[0] : "";
	PGconn *pg;

	if (strcmp(what, "format") == 0) {
		print_form(policy_shape);
		return 0;
	}
	pg = cli_connect();
	if (strcmp(what, "list") == 0)
		list(pg, &sql_cli_policy_list, argc, argv);
	else if (strcmp(what, "show") == 0)
		show(pg, &sql_cli_policy_show, argc, argv);
	else if (strcmp(what, "put") == 0)
		put_policy(pg, argc, argv);
	else
		die("policy list, policy show, policy put or policy format");
	PQfinish(pg);
	return 0;
}

/* --- calendars --- */

static void put_calendar(PGconn *pg, int argc, char **argv)
{
	struct json_object *doc = read_document(argc, argv), *old = NULL;
	int64_t now = clock_now_us(), version = 1;
	char *tenant = whose(pg, argc, argv), *text = text_of(doc);
	const char *q[] = { tenant, code_option(argc, argv) };
	struct shape_fault fault;
	PGresult *r;

	if (!calendar_is_valid(doc, zone_find, now, &fault))
		die_of(&fault);
	r = cli_exec(pg, &sql_sla_calendar_latest, q);
	if (PQntuples(r)) {
		old = cli_json(PQgetvalue(r, 0, 2));
		version = strtoll(PQgetvalue(r, 0, 1), NULL, 10) + 1;
	}
	PQclear(r);
	if (old && json_object_equal(old, doc)) {
		printf("%s\tunchanged\n", q[1]);
	} else {
		bool adds = old && calendar_adds_future(old, doc, now);
		const char *p[] = { tenant, q[1], micros(version), text, micros(now),
			adds ? "true" : "false" };

		r = cli_exec(pg, &sql_sla_calendar_new, p);
		printf("%s\t%s\tversion %s%s\n", PQgetvalue(r, 0, 0), q[1], PQgetvalue(r, 0, 1),
			adds ? ", taken over by open tickets" : "");
		PQclear(r);
	}
	json_object_put(old);
	json_object_put(doc);
	free(tenant);
	free(text);
}

int cmd_calendar(int argc, char **argv)
{
	const char *what = argc ? argv[0] : "";
	PGconn *pg;

	if (strcmp(what, "format") == 0) {
		print_form(calendar_shape);
		return 0;
	}
	pg = cli_connect();
	if (strcmp(what, "list") == 0)
		list(pg, &sql_cli_calendar_list, argc, argv);
	else if (strcmp(what, "show") == 0)
		show(pg, &sql_cli_calendar_show, argc, argv);
	else if (strcmp(what, "put") == 0)
		put_calendar(pg, argc, argv);
	else
		die("calendar list, calendar show, calendar put or calendar format");
	PQfinish(pg);
	return 0;
}
