/* SPDX-License-Identifier: Apache-2.0
 * The command line: blocking, one command a run. What its files share. */
#ifndef SLADESK_CLI_CLI_H
#define SLADESK_CLI_CLI_H

#include "base/base.h"
#include "base/clock.h"

#include "sla/clock.h"

#include <libpq-fe.h>

struct json_object;

/* Connect as the job role by the settings (dies with a clear line). The caller finishes. */
PGconn *cli_connect(void);
/* The same by URL, as the owner or the administrator. */
PGconn *cli_connect_to(const char *url);
/* Run a statement with text parameters; dies with the database's message when it fails. The caller
 * clears. */
PGresult *cli_query(PGconn *pg, const char *sql, int n, const char *const *params);
/* Run SQL, which returns no rows that matter; dies with the database's message when it fails. */
void cli_run(PGconn *pg, const char *sql);
/* argon2id, as the helpers do it. The caller frees. */
char *cli_hash(const char *password);
/* The value of --NAME among the arguments, or FALLBACK; dies when a required one (FALLBACK NULL) is
 * missing. */
const char *cli_option(int argc, char **argv, const char *name, const char *fallback);
/* The same of a name that people are shown: dies when it has not 1 to 100 characters. */
const char *cli_name(int argc, char **argv, const char *name, const char *fallback);
/* Is --NAME among the arguments? */
bool cli_flag(int argc, char **argv, const char *name);
/* Ask on a terminal with PROMPT, and read a line of standard input without its line end; NULL at
 * the end. The caller frees. */
char *cli_read_line(const char *prompt) MUST_USE;

/* The keys of personal fields, made when there are none; the newest's id. Dies when the master key
 * is another's. */
int64_t cli_field_keys(PGconn *pg);
/* Encrypt what personal fields were just written plain. */
void cli_seal_people(PGconn *pg);

/* An immutable pair of versions. Lives until the process ends. */
struct cli_version {
	char policy_id[24], calendar_id[24];
	struct sla_policy policy;
	struct calendar *calendar;
	struct cli_version *next;
};
/* Dies when there is none. */
const struct cli_version *cli_version(PGconn *pg, const char *policy, const char *calendar);
/* Parse JSON that the database holds; dies when it cannot be read. The caller puts it. */
struct json_object *cli_json(const char *text);

/* A bar on standard error, when that is a terminal. */
void cli_progress(size_t done, size_t all);
/* Count a tenant anew. */
void cli_rollup_rebuild(PGconn *pg, const char *tenant_id);
/* sladesk import --go-live: what an import of TENANT (its code) left frozen begins to run. */
int import_go_live(PGconn *pg, const char *tenant);

/* A command of sladesk: a row of its owner's table, which ends with an empty one. A capability's
 * table is <capability>_commands in its cmd.c; the build finds it there. */
struct command {
	const char *name;
	int (*run)(int argc, char **argv); /* what follows the name; returns the exit status */
	const char *help;
};
/* The tables of the capabilities, made by the build; ends with NULL. */
extern const struct command *const feature_commands[];

/* sladesk init. Returns the exit status, as all commands. */
int cmd_init(int argc, char **argv);
/* sladesk migrate. */
int cmd_migrate(int argc, char **argv);
/* sladesk import. */
int cmd_import(int argc, char **argv);
/* sladesk keys. */
int cmd_keys(int argc, char **argv);
/* sladesk key. */
int cmd_key(int argc, char **argv);
/* sladesk demo. */
int cmd_demo(int argc, char **argv);

/* What of the audit log lies in files (audit_archive.c). Move the months before --before of all
 * tenants, or of CODE, into files of DIR, one month a file; remove files whose time is over. */
int audit_archive(const char *dir, const char *owner_url, const char *code, const char *before,
	int keep_years);
/* Do a tenant's files hold: each there, unchanged, their rows one chain that the database goes on
 * from? Prints a line each that does not; how many. */
int audit_files_broken(PGconn *pg, const char *tenant_id, const char *dir);

/* Reading CSV (RFC 4180), plain or gzip, by record. */
struct csv;
/* Open FILE (gzip is recognised) or die. csv_close releases it. */
struct csv *csv_open(const char *file);
/* Close the file and release C. */
void csv_close(struct csv *c);
/* The next record's fields (valid until the next call), or -1 at the end, -2 when the record is
 * broken. */
int csv_next(struct csv *c, struct str *fields, int max, long *out_line, long *out_column);
/* How many bytes of the file were read so far, for a progress bar. */
uint64_t csv_bytes_read(const struct csv *c);

#endif
