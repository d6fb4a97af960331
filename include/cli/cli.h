/* SPDX-License-Identifier: Apache-2.0
 * The command line: blocking code, one command per run. This header declares what its files share.
 */
#ifndef SLADESK_CLI_CLI_H
#define SLADESK_CLI_CLI_H

#include "base/base.h"
#include "base/clock.h"

#include "crypto/field.h"
#include "db/stmt.h"
#include "sla/clock.h"

#include <libpq-fe.h>

struct json_object;
struct buf;

/* Connect as the job role, as the settings say. Exits with a clear line on failure. The caller
 * closes the connection. */
PGconn *cli_connect(void);
/* The same by URL, as the owner or the administrator, with the password in PASSWORD_FILE (empty: as
 * libpq finds it). */
PGconn *cli_connect_to(const char *url, const char *password_file);
/* The command that runs, such as "tenant set", and its name in the audit log: "tenants.set". */
extern char cli_command[64], cli_operation[64];
/* Who runs it: the name in the operating system. */
const char *cli_operator(void);
/* From now on, does what is changed on this connection become rows of the audit log? cli_connect
 * switches it on. */
void cli_keep_changes(PGconn *pg, bool on);
/* The row of this command in the audit log of tenant TENANT_ID, for RESOURCE, with what it changed
 * in this transaction. What a transaction changes becomes such a row anyway when it commits; this
 * is for a command that changes something else. */
void cli_audit(PGconn *pg, const char *tenant_id, const char *resource);
/* Run a statement of the contract files with its parameters, as text. Exits with the database's
 * message if it fails. The caller clears the result, whose cells are text. */
PGresult *cli_exec(PGconn *pg, const struct sql_stmt *stmt, const char *const *params);
/* The same, if the rows are not needed. */
void cli_do(PGconn *pg, const struct sql_stmt *stmt, const char *const *params);
/* The same: does it return a row? */
bool cli_finds(PGconn *pg, const struct sql_stmt *stmt, const char *const *params);
/* The same within a transaction, with a plan that favours the first rows. */
PGresult *cli_exec_by_cursor(PGconn *pg, const struct sql_stmt *stmt, const char *const *params);
/* STMT, if it has at most N parameters; the process ends otherwise. */
const struct sql_stmt *cli_fitting(const struct sql_stmt *stmt, size_t n);
/* An array that is shorter than the statement's parameters is noticed, not read past its end. */
#define CLI_FITTING(stmt, ...)                                                                     \
	cli_fitting(stmt, __builtin_object_size(__VA_ARGS__, 0) / sizeof(const char *)), __VA_ARGS__
#define cli_exec(pg, stmt, ...) cli_exec(pg, CLI_FITTING(stmt, __VA_ARGS__))
#define cli_do(pg, stmt, ...) cli_do(pg, CLI_FITTING(stmt, __VA_ARGS__))
#define cli_finds(pg, stmt, ...) cli_finds(pg, CLI_FITTING(stmt, __VA_ARGS__))
#define cli_exec_by_cursor(pg, stmt, ...) cli_exec_by_cursor(pg, CLI_FITTING(stmt, __VA_ARGS__))
enum cli_transaction {
	CLI_WRITE,
	CLI_SNAPSHOT, /* reads only; all statements see the database at one instant */
};
/* Begin a transaction. */
void cli_begin(PGconn *pg, enum cli_transaction kind);
/* Commit. Exits with the database's message if that fails. */
void cli_commit(PGconn *pg);
/* COPY ROWS, in the text format, into TABLE, and empty ROWS. */
void cli_copy_in(PGconn *pg, const char *table, struct buf *rows);
/* Run SQL that cannot be in a contract file, because its names are parameters or it defines
 * something. The caller clears the result. t/lint/sql.sh lists the files that may use these two
 * functions. */
PGresult *cli_query(PGconn *pg, const char *sql, int n, const char *const *params);
/* The same, for SQL that returns nothing. */
void cli_run(PGconn *pg, const char *sql);
/* Hash with argon2id, as the helpers do. The caller frees the result. */
char *cli_hash(const char *password);
/* The value of --NAME in the arguments, or FALLBACK. Exits if a required option (FALLBACK NULL) is
 * missing. */
const char *cli_option(int argc, char **argv, const char *name, const char *fallback);
/* The same, if the value is one of CHOICES ("zh|en") or FALLBACK. Exits otherwise. */
const char *cli_choice(
	int argc, char **argv, const char *name, const char *fallback, const char *choices);
/* The value of --NAME. Exits unless it is given, has 1 to MAX characters and is not blank. */
const char *cli_text(int argc, char **argv, const char *name, size_t max);
/* The same for a name of up to 100 characters that has a FALLBACK. */
const char *cli_name(int argc, char **argv, const char *name, const char *fallback);
/* The id of the tenant CODE. Exits if there is none. The caller frees it. */
char *cli_tenant_id(PGconn *pg, const char *code) MUST_USE;
/* Now, as a parameter of a statement; valid until the next call. */
const char *cli_now(void);
/* Print the rows, one a line, the columns separated by tabs, and clear R. */
void cli_print_rows(PGresult *r);
/* A usable value of --OPTION, for texts that refuse one. */
const char *cli_example(const char *option);
/* Is --NAME in the arguments? */
bool cli_flag(int argc, char **argv, const char *name);
/* Print PROMPT on a terminal, and read a line of standard input without its line end. NULL at the
 * end of the input. The caller frees the line. */
char *cli_read_line(const char *prompt) MUST_USE;

/* Load the keys of personal fields, creating the first ones if there are none. Returns the id of
 * the newest key. Exits if the master key does not decrypt them. */
int64_t cli_field_keys(PGconn *pg);
/* The id of a row of TABLE to come, because its encrypted values name it. The caller frees it. */
char *cli_next_id(PGconn *pg, const char *table) MUST_USE;
/* Append the mail address of a tenant's user to come, encrypted for the row ID, to SEALED, and
 * write its blind index. */
void cli_seal_mail(struct buf *sealed, char index[FIELD_MAIL_INDEX_MAX], enum field_column column,
	const char *tenant, const char *id, const char *mail);

/* A policy version and a calendar version. They do not change and live until the process ends. */
struct cli_version {
	char policy_id[24], calendar_id[24];
	struct sla_policy policy;
	struct calendar *calendar, *ladder; /* ladder: see policy.ladder_calendar */
	struct cli_version *next;
};
/* The version with these two ids. Exits if there is none. */
const struct cli_version *cli_version(PGconn *pg, const char *policy, const char *calendar);
/* Parse JSON from the database. Exits if it cannot be read. The caller releases it. */
struct json_object *cli_json(const char *text);

/* A progress bar on standard error, if that is a terminal. */
void cli_progress(size_t done, size_t all);
/* sladesk import --go-live: start the clocks of the open tickets that were imported for TENANT (its
 * code). */
int import_go_live(PGconn *pg, const char *tenant);

/* A command of sladesk: a row in the table of its owner, which ends with an empty row. The table of
 * a capability is <capability>_commands in its cmd.c, where the build finds it. */
struct command {
	const char *name;
	int (*run)(int argc, char **argv); /* gets the arguments after the command's name; returns
					      the exit status */
	const char *help;
};
/* Are the options among the arguments those of C's usage text, each at most once and with its
 * value? If not, print which one is wrong, and the usage. */
bool usage_is_kept(const struct command *c, int argc, char **argv);
/* The tables of the capabilities, generated by the build; ends with NULL. */
extern const struct command *const feature_commands[];

/* sladesk init. Returns the exit status, like all commands. */
int cmd_init(int argc, char **argv);
/* sladesk migrate. */
int cmd_migrate(int argc, char **argv);
/* sladesk import. */
int cmd_import(int argc, char **argv);
/* sladesk keys. */
int cmd_keys(int argc, char **argv);
/* sladesk demo. */
int cmd_demo(int argc, char **argv);

/* Reading CSV (RFC 4180), plain or gzip, record by record. */
struct csv;
/* Open FILE, plain or gzip. Exits on failure. csv_close releases it. */
struct csv *csv_open(const char *file);
/* Close the file and release C. */
void csv_close(struct csv *c);
/* The fields of the next record (valid until the next call). Returns -1 at the end and -2 if the
 * record is broken. */
int csv_next(struct csv *c, struct str *fields, int max, long *out_line, long *out_column);
/* The encoding of the file; the fields are UTF-8 in any case. */
const char *csv_encoding(const struct csv *c);
/* The number of bytes of the file read so far, for a progress bar. */
uint64_t csv_bytes_read(const struct csv *c);

#endif
