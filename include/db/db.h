/* SPDX-License-Identifier: Apache-2.0
 * PostgreSQL, asynchronously: pools of pipelined connections, one pool per statement class. A call
 * consists of context, statement and Sync in one round trip and one implicit transaction. It
 * completes at its Sync, never at its row. Nothing here blocks. */
#ifndef SLADESK_DB_DB_H
#define SLADESK_DB_DB_H

#include "base/list.h"
#include "base/log.h"
#include "base/magic.h"
#include "db/stmt.h"

#include <libpq-fe.h>

enum db_error {
	DB_OK,
	DB_DOWN,      /* no connection; nothing was sent */
	DB_BUSY,      /* the waiting list is full, or the call waited for a second */
	DB_UNKNOWN,   /* sent, but the connection was lost before Sync: the outcome is unknown */
	DB_TIMEOUT,   /* the statement's time limit was exceeded; nothing was done */
	DB_CONFLICT,  /* 23505 and the like: something with this key exists */
	DB_FORBIDDEN, /* row-level security refused */
	DB_RETRY,     /* serialization failure, deadlock, lock timeout: can be retried */
	DB_MISSING,   /* a row that it references does not exist (23503), or not there (SD002) */
	DB_STALE,     /* SD001: the configuration has changed */
	DB_REFUSED,   /* SD003: a rule of the schema refuses it; call->constraint names the rule */
	DB_FAILED,    /* anything else; see the log */
};
/* A name for the log. */
const char *db_error_name(enum db_error e);
/* The database was down or overloaded: the error says nothing about the statement. */
bool db_is_away(enum db_error e);
/* A line about what ended with ERROR. That the database is away is a line of its own, written once
 * (base/outage.h), and what follows from it none. */
#define db_log(level, who, error, ...)                                                             \
	log_line(db_is_away(error) ? LOG_DEBUG : (level), who, __VA_ARGS__)

/* The role for which a statement runs. A call that does not set it is refused. */
enum db_role {
	DB_ROLE_NONE,
	DB_ROLE_PREAUTH, /* before the login: only the functions of schema door */
	DB_ROLE_TENANT,  /* the tenants of the context, enforced by row-level security */
	DB_ROLE_JOB,     /* every tenant; the caller has checked what it may touch */
};

/* What the statements of a request changed, for its row of the audit log: a JSON array without its
 * brackets, as schema/code/062_changes.sql makes it. */
struct db_trail {
	struct buf changes;
	int n, more; /* so many are in CHANGES, and so many others were made */
};
/* Forget what TRAIL holds. */
void db_trail_clear(struct db_trail *trail);

/* The identity for which the statement runs. It becomes transaction-local settings that row-level
 * security reads. */
struct db_context {
	enum db_role role;
	const char *tenants; /* "{12,13}"; "{}" for none */
	int64_t tenant_id;   /* the only tenant that a write may touch; 0 for none */
	int64_t user_id;
	int64_t behalf; /* with DB_ROLE_JOB: the customer that asked, in whose share of the pool it
			   counts; 0 or 1: nobody */
	bool staff;
	struct db_trail *trail; /* takes what the statement changed, and outlives the call; NULL:
				   the listener of db_on_changes does */
	const char
		*scope; /* the only visible tickets of the tenants (scope_ok()); NULL or "": all */
};

struct db_call {
	uint32_t magic;
	const struct sql_stmt *stmt;
	const char *param[SQL_PARAMS_MAX]; /* text; NULL = SQL null */
	struct db_context ctx;
	bool replan;    /* its filters are selective: plan for their values, not generically */
	bool replica;   /* a read on the replica, which may lag behind or be down: DB_DOWN */
	bool keep_rows; /* ROWS are kept as CALL->rows until the caller's PQclear */
	/* Runs exactly once, on a later turn. ROWS is NULL on error and valid until this
	 * returns. */
	void (*on_done)(struct db_call *call, enum db_error error, const PGresult *rows);
	void *arg;
	/* for the driver */
	char number[SQL_PARAMS_MAX][24]; /* texts written by db_call_int */
	struct list node;
	int64_t queued_us;
	PGresult *rows;
	struct db_trail changed; /* in this attempt */
	enum db_error error;
	char sqlstate[6], constraint[64];
	unsigned name, drops; /* names of prepared statements */
	bool prepares, retried;
};
MAGIC(db_call, 0xa2d48dc1);

/* Set parameter I (counted from 0) of CALL to V. The text is stored in CALL, which must not be
 * copied afterwards. */
void db_call_int(struct db_call *call, int i, int64_t v);

struct db_settings {
	const char *app_url, *job_url; /* libpq connection strings; unix socket or hostaddr only */
	const char *replica_url;       /* like app_url; "": there is no replica */
	const char *password;          /* of the application role; may be NULL */
	const char *job_password;      /* of the job role; NULL: the same */
	int point_connections;
	int statements; /* the number of statements; their indexes are below it */
};

/* Is URL (a libpq connection string) acceptable? It must not contain host names that have to be
 * resolved, nor reach another machine without a verified certificate. Otherwise returns false and
 * sets *OUT_ERROR (static). Environment variables (PGHOST …) are taken into account as libpq uses
 * them. */
bool db_url_is_safe(const char *url, const char **out_error);
/* Open the pools. Connections are made in the background and replaced when they are lost. Returns
 * false and sets *OUT_ERROR if a setting is wrong. */
bool db_init(const struct db_settings *s, const char **out_error);
/* Use new addresses: connections drain and are replaced, and calls wait meanwhile. Unchanged
 * settings have no effect. */
bool db_reconfigure(const struct db_settings *s, const char **out_error);
/* Close all connections; every waiting call ends with DB_DOWN or DB_UNKNOWN before this returns. */
void db_free(void);

/* Run CALL->stmt in one transaction under CALL->ctx. The caller owns CALL, which must live until
 * on_done. If the role does not fit the mode of the statement, the call ends with DB_FORBIDDEN and
 * a log line; a sanitized build aborts. */
void db_exec(struct db_call *call);
/* FN is told of each change that no request's trail takes: CHANGED, by the statement named STMT. */
void db_on_changes(void (*fn)(const char *stmt, const struct db_trail *changed));
/* While fires lag behind, requests go to the database one at a time, so that the API never delays a
 * deadline. */
void db_limit_requests(bool favour);

struct db_health {
	bool up;
	int connections, ready, waiting, sent;
	int64_t since_us; /* monotonic instant of the last change of up */
};
/* The state of a class, for /readyz and /metrics. */
struct db_health db_health(enum sql_class class);
/* The number of calls sent since the start. */
uint64_t db_calls_total(void);

/* Stream the rows of STMT, which has one parameter, a number, by COPY in the binary format, over a
 * separate connection as the job role. ON_DATA gets the bytes of each row; ON_DONE runs once. */
void db_copy_out(const struct sql_stmt *stmt, int64_t param,
	void (*on_data)(void *arg, const char *bytes, size_t n),
	void (*on_done)(void *arg, bool ok), void *arg);

/* Cells of a binary result. */
bool db_is_null(const PGresult *r, int row, int col);
int64_t db_int(const PGresult *r, int row, int col); /* int2, int4, int8, bool */
struct str db_text(
	const PGresult *r, int row, int col); /* text, json (jsonb without its version byte) */
int64_t db_time(const PGresult *r, int row,
	int col); /* timestamptz as microseconds since 1970; INT64_MAX = infinity */
/* Append a cell as JSON by its type. */
void db_cell_to_json(struct buf *b, const PGresult *r, int row, int col);
/* Append the text of an encrypted cell, which sealed_at() in SQL made, to B. Returns false if it
 * was not written at that place. */
bool db_open(struct buf *b, const PGresult *r, int row, int col) MUST_USE;
/* The same as text, for a table of texts: numbers and times as written in JSON, strings without
 * quotes. */
void db_cell_to_text(struct buf *b, const PGresult *r, int row, int col);

#endif
