/* SPDX-License-Identifier: Apache-2.0
 * What the pools (pool.c) and their connections (pgconn.c) share. A connection is in exactly one
 * list, that of its pool for its state, and only conn_move moves it. A call is in exactly one list:
 * waiting (of a pool) or sent (of a connection). */
#ifndef SLADESK_DB_INNER_H
#define SLADESK_DB_INNER_H

#include "base/magic.h"
#include "base/base.h"
#include "base/log.h"
#include "base/outage.h"
#include "db/db.h"

#include <libpq-fe.h>

enum conn_state { CONN_DOWN, CONN_CONNECTING, CONN_SETUP, CONN_READY, CONN_DRAINING, CONN_STATES };

struct pool;

/* On one connection, a statement's prepared name is s<index>_<name>. */
struct prepared {
	unsigned name;  /* 0: none yet */
	unsigned stale; /* a name that is invalid after a change of the schema, to be deallocated;
			   0: none */
	bool confirmed; /* the server has confirmed that NAME exists */
};

struct conn {
	uint32_t magic;
	struct pool *pool;
	struct list node; /* in pool->in[state] */
	struct who who;
	enum conn_state state;
	PGconn *pg;
	struct event *read_ev, *write_ev;
	struct list sent; /* struct db_call, in the order of the pipeline */
	int depth;
	int64_t head_since_us; /* since when the server can work on the first call of SENT */
	bool flush_queued;
	struct prepared *prepared; /* by the index of the statement */
	unsigned names;            /* names given so far on this connection */
	int64_t changed_us, retry_us, retry_wait_us;
};
MAGIC(conn, 0xfc4f8a0d);

struct pool {
	enum sql_class class;
	bool job_role;
	int size, max_depth, statement_ms, lock_ms;
	int statements; /* size of each connection's table */
	int at_most;    /* maximum number of calls in flight over all connections; 0: no limit */
	struct conn *conns;
	struct list in[CONN_STATES]; /* struct conn */
	struct list waiting;
	int waiting_n;
	bool up, tried;
	int64_t since_us;
};

/* Begin to connect to URL. Retries automatically, no sooner than retry_us. */
void conn_connect(struct conn *c, const char *url, const char *password);
void conn_move(struct conn *c, enum conn_state to);
void conn_lost(struct conn *c, const char *why);
/* Returns false if CALL was not taken, because the connection is unusable. */
bool conn_send(struct conn *c, struct db_call *call);
/* Time limits. */
void conn_tick(struct conn *c, int64_t now);
uint64_t conn_calls_total(void);

/* CHANGE is what the statement of CALL has changed so far. */
void call_note_change(struct db_call *call, const char *change);
/* Run CALL's on_done on a later turn. */
void call_finish(struct db_call *call, enum db_error error);
/* The outside part that P belongs to, for the log. */
const char *pool_part(const struct pool *p);
/* If no connection to P's part is missing any more, its outage ends. */
void pools_note_whole(const struct pool *p);
/* Send waiting calls to connections that are free. */
void pool_feed(struct pool *p);

/* Begin to connect as the job role, outside the pools. The caller completes it. */
PGconn *db_start_job_connection(const char *name, const char *settings);

#endif
