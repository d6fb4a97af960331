/* SPDX-License-Identifier: Apache-2.0
 * PostgreSQL, asynchronously: pools of pipelined connections by statement class. A call is context
 * + statement + Sync in one round trip and one implicit transaction; it completes at its Sync,
 * never at its row. Nothing here blocks. */
#ifndef SLADESK_DB_DB_H
#define SLADESK_DB_DB_H

#include "base/list.h"
#include "db/stmt.h"

#include <libpq-fe.h>

enum db_error {
	DB_OK,
	DB_DOWN,      /* no connection; nothing was sent */
	DB_BUSY,      /* the waiting list is full, or waited a second */
	DB_UNKNOWN,   /* sent, connection lost before Sync: the outcome is unknown */
	DB_TIMEOUT,   /* the statement's time limit; nothing was done */
	DB_CONFLICT,  /* 23505 and its kin: something with this key exists */
	DB_FORBIDDEN, /* row-level security refused */
	DB_RETRY,     /* serialization, deadlock, lock timeout: may be tried again */
	DB_MISSING,   /* a row that it names is not there (23503), or not where it says (SD002) */
	DB_STALE,     /* SD001: configuration moved on */
	DB_FAILED,    /* anything else; the log has it */
};
/* A word for the log. */
const char *db_error_name(enum db_error e);
/* The database was not there or had no time: the error says nothing about the statement. */
bool db_is_away(enum db_error e);

/* Whom the statement acts for; becomes transaction-local settings that row-level security reads. */
struct db_context {
	const char *tenants; /* "{12,13}"; "{}" for none */
	int64_t tenant_id;   /* the one tenant a write may touch; 0 for none */
	int64_t user_id;
	bool staff;
	const char *scope; /* of the tenants' tickets only these (scope_ok()); NULL or "": all */
};

struct db_call {
	const struct sql_stmt *stmt;
	const char *param[SQL_PARAMS_MAX]; /* text; NULL = SQL null */
	struct db_context ctx;
	bool replan;    /* its filters are selective: plan for their values, not in general */
	bool replica;   /* a read for the replica, which may be behind and may be away: DB_DOWN */
	bool keep_rows; /* ROWS stay, as CALL->rows, until the caller's PQclear */
	/* Runs exactly once, on a later turn. ROWS is NULL on error and dies when it returns. */
	void (*on_done)(struct db_call *call, enum db_error error, const PGresult *rows);
	void *arg;
	/* the driver's own */
	struct list node;
	int64_t queued_us;
	PGresult *rows;
	enum db_error error;
	char sqlstate[6], constraint[64];
	unsigned name, drops; /* prepared names */
	bool prepares, retried;
};

struct db_settings {
	const char *app_url, *job_url; /* libpq connection strings; unix socket or hostaddr only */
	const char *replica_url;       /* as app_url; "": there is none */
	const char *password;          /* may be NULL */
	int point_connections;
	int statements; /* how many there are: indexes are below it */
};

/* Open the pools; connections come up by themselves and are replaced for ever. False with
 * *OUT_ERROR when a setting is wrong. */
bool db_init(const struct db_settings *s, const char **out_error);
/* New addresses: connections drain and are replaced. */
bool db_reconfigure(const struct db_settings *s, const char **out_error);
/* Close all connections; every waiting call ends with DB_DOWN or DB_UNKNOWN before this returns. */
void db_free(void);

/* Run CALL->stmt in one transaction under CALL->ctx. CALL stays the caller's and must live until
 * on_done. */
void db_exec(struct db_call *call);
/* While fires lag, requests go to the database one at a time: the API never delays a deadline. */
void db_limit_requests(bool favour);

struct db_health {
	bool up;
	int connections, ready, waiting, sent;
	int64_t since_us; /* monotonic instant of the last change of up */
};
/* The state of a class, for /readyz and /metrics. */
struct db_health db_health(enum sql_class class);
/* Calls sent since the start. */
uint64_t db_calls_total(void);

/* Stream SQL (a COPY … TO STDOUT) over a connection of its own as the job role. ON_DATA gets each
 * row's bytes; ON_DONE runs once. */
void db_copy_out(const char *sql, void (*on_data)(void *arg, const char *bytes, size_t n),
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
/* The same as text, for a table of text: numbers and times as they are written in JSON, strings
 * without quotes. */
void db_cell_to_text(struct buf *b, const PGresult *r, int row, int col);

#endif
