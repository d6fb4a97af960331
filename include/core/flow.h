/* SPDX-License-Identifier: Apache-2.0
 * Flows: work with three or more waits, as a table of named steps. A step looks at the result of
 * the last wait and ends with exactly one of the calls below that return an outcome: it starts the
 * next wait, continues with another step, or ends the flow. The runner logs each change of step
 * with the time that the step and its wait took. A flow either answers a request (its steps may end
 * with req_reply and the like) or runs on its own, from flow_start to on_end. */
#ifndef SLADESK_CORE_FLOW_H
#define SLADESK_CORE_FLOW_H

#include "core/request.h"
#include "fetch/fetch.h"

struct flow;
typedef struct outcome *flow_fn(struct flow *f);

struct flow_step {
	const char *name;
	flow_fn *run;
};

struct flow_kind {
	const char *name;              /* for the log */
	const struct flow_step *steps; /* in the usual order; indexed by an enum of the owner */
	/* A flow that runs on its own has ended or was stopped. Runs exactly once per flow_start,
	 * when no step is running: it may start the flow again, or free it. */
	void (*on_end)(struct flow *f);
};

struct flow {
	uint32_t magic;
	const struct flow_kind *kind;
	int64_t id;      /* for the log; can be set when it becomes known */
	struct req *req; /* the request that it answers, or NULL */
	bool stopped;    /* set by flow_stop */

	/* The result of the last wait. Valid until the step returns. */
	enum db_error error;
	const PGresult *rows;
	const struct fetch_result *fetched;
	bool worked; /* a helper has done the job; ANSWER is its answer */
	struct str answer;
	void *brought; /* by flow_bring */

	/* used by the runner */
	int at, next;
	bool fresh, running, ready, waiting, came;
	int64_t since_us;
	struct db_call call;
};
MAGIC(flow, 0x8aa4a2c6);

/* Start a flow that runs on its own, at its first step. F must be zero, or have ended. */
void flow_start(struct flow *f, const struct flow_kind *kind, int64_t id);
/* Start a flow that answers REQ, at its first step. F lives as long as the request. */
struct outcome *flow_answer(struct flow *f, const struct flow_kind *kind, struct req *req) MUST_USE;
/* Run no further steps: F ends when its present wait does. Only for a flow that runs on its own. */
void flow_stop(struct flow *f);
/* Has F been started, and not ended? */
bool flow_is_running(const struct flow *f);

/* --- how a step ends --- */

/* End the flow: on_end runs. */
struct outcome *flow_end(struct flow *f) MUST_USE;
/* Continue with STEP at once. */
struct outcome *flow_go(struct flow *f, int step) MUST_USE;

/* Run STMT as the job role with the parameters that were set. STEP gets error and rows. */
struct outcome *flow_query(struct flow *f, int step, const struct sql_stmt *stmt) MUST_USE;
/* The same under CTX, whose texts must live until STEP. */
struct outcome *flow_query_as(struct flow *f, int step, const struct sql_stmt *stmt,
	const struct db_context *ctx) MUST_USE;
/* Let a helper do a job for the request. STEP gets worked and answer. */
struct outcome *flow_work(
	struct flow *f, int step, enum work_kind kind, const void *p, size_t n) MUST_USE;
/* Wait until flow_arrived is called, which something that the caller has armed does exactly
 * once. */
struct outcome *flow_wait(struct flow *f, int step) MUST_USE;

/* Set parameter I (counted from 0) of the next flow_query to a number. */
void flow_param_int(struct flow *f, int i, int64_t v);
/* The same for a text, which must live until the query's step; NULL is SQL null. */
void flow_param_text(struct flow *f, int i, const char *text);

/* End the wait and run its step. A wait may end before the step that began it has returned. */
void flow_arrived(struct flow *f);
/* The same, and the step gets WHAT as brought. WHAT must live until the step has returned. */
void flow_bring(struct flow *f, void *what);
/* The same as a callback of fetch: the step gets fetched. ARG is the flow. */
void flow_on_fetched(void *arg, const struct fetch_result *r);

#endif
