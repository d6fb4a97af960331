/* SPDX-License-Identifier: Apache-2.0
 * The only wrapper around libevent: the loop, timers, signals, and calls on the next turn. A
 * process has one loop, and nothing on it may take more than 5 ms. */
#ifndef SLADESK_LOOP_LOOP_H
#define SLADESK_LOOP_LOOP_H

#include "base/base.h"

struct event_base;
struct evdns_base;
struct loop_timer;

/* Create the process's loop (with precise timers). Call it once, before anything else in this
 * folder. */
void loop_init(void);
/* The event base, for libraries that need it. Nothing else should use it. */
struct event_base *loop_base(void);
/* The resolver of host names, on the loop and with the system's name servers. If there are none,
 * look-ups fail at once. */
struct evdns_base *loop_dns(void);
/* Ask only the name server at ADDRESS (with an optional port). Returns false if it is not an
 * address. */
bool loop_set_name_server(const char *address) MUST_USE;
/* Run until loop_stop. */
void loop_run(void);
/* Let loop_run return after this turn. */
void loop_stop(void);
/* Free everything that is left. The loop must have stopped. */
void loop_free(void);

/* Call FN(ARG) on a later turn, in the order of the requests. */
void later_call(void (*fn)(void *arg), void *arg);
/* Run the pending calls now until there are none left. For shutdown. */
void loop_run_later(void);
/* free(P) on a later turn: never free inside your own callback. */
void later_free(void *p);

/* A timer that calls FN(ARG) once after loop_timer_set. */
struct loop_timer *loop_timer_new(void (*fn)(void *arg), void *arg) MUST_USE;
/* Run the timer WAIT_US from now. This replaces an earlier setting. */
void loop_timer_set(struct loop_timer *t, int64_t wait_us);
/* Stop the timer until it is set again. */
void loop_timer_cancel(struct loop_timer *t);
/* Free T, which then never runs. NULL is allowed. */
void loop_timer_free(struct loop_timer *t);
/* Call FN(ARG) every PERIOD_MS, as long as the loop runs. For what belongs to the loop itself or to
 * a driver; upkeep is a row for the job runner (core/job.h). */
void loop_every(int64_t period_ms, void (*fn)(void *arg), void *arg);
/* Call FN whenever signal SIGNO arrives, as long as the loop runs. */
void loop_on_signal(int signo, void (*fn)(int signo));

/* Record how long this turn has lasted so far. Drivers call it at the end of their callbacks. */
void loop_note_turn(const char *where);
/* The longest turn since the start, or since the last call with RESET. */
int64_t loop_longest_turn_us(bool reset, const char **out_where);

#endif
