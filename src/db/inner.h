/* SPDX-License-Identifier: Apache-2.0
 * What the pools (pool.c) and their connections (pgconn.c) share. A connection sits in exactly one
 * list, its pool's for the state it is in, and conn_move alone moves it; a call sits in exactly one
 * list: waiting (a pool's) or sent (a connection's). */
#ifndef SLADESK_DB_INNER_H
#define SLADESK_DB_INNER_H

#include "base/base.h"
#include "base/log.h"
#include "db/db.h"

#include <libpq-fe.h>

enum conn_state { CONN_DOWN, CONN_CONNECTING, CONN_SETUP, CONN_READY, CONN_DRAINING, CONN_STATES };

struct pool;

/* A statement's prepared name on one connection is s<index>_<name>. */
struct prepared {
	unsigned name;  /* 0: none yet */
	unsigned stale; /* a name that the schema has outrun, to be deallocated; 0: none */
	bool confirmed; /* the server has answered that NAME is there */
};

struct conn {
	struct pool *pool;
	struct list node; /* of pool->in[state] */
	struct who who;
	enum conn_state state;
	PGconn *pg;
	struct event *read_ev, *write_ev;
	struct list sent; /* struct db_call, in the order of the pipeline */
	int depth;
	int64_t head_since_us; /* since when the server can work at the first of SENT */
	bool flush_queued;
	struct prepared *prepared; /* by statement index */
	unsigned names;            /* given so far on this connection */
	int64_t changed_us, retry_us, retry_wait_us;
};

struct pool {
	enum sql_class class;
	bool job_role;
	int size, max_depth, statement_ms, lock_ms;
	int statements; /* of each connection's table */
	int at_most;    /* calls sent at a time, over all connections; 0: no such limit */
	struct conn *conns;
	struct list in[CONN_STATES]; /* struct conn */
	struct list waiting;
	int waiting_n;
	bool up, tried;
	int64_t since_us;
};

/* Begin to connect by URL; it retries by itself no sooner than retry_us. */
void conn_connect(struct conn *c, const char *url, const char *password);
void conn_move(struct conn *c, enum conn_state to);
void conn_lost(struct conn *c, const char *why);
/* False: CALL was not taken, and the connection is in no state to go on. */
bool conn_send(struct conn *c, struct db_call *call);
/* Time limits. */
void conn_tick(struct conn *c, int64_t now);
uint64_t conn_calls_total(void);

/* CALL's on_done on a later turn. */
void call_finish(struct db_call *call, enum db_error error);
/* Send what waits to whoever is free. */
void pool_feed(struct pool *p);

/* Begin to connect as the job role, outside the pools. The caller finishes it. */
PGconn *db_start_job_connection(const char *name, const char *settings);

#endif
