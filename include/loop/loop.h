/* SPDX-License-Identifier: Apache-2.0
 * libevent wrapped once: the loop, timers, signals, and work for the next turn. One loop a process;
 * nothing on it may take more than 5 ms. */
#ifndef SLADESK_LOOP_LOOP_H
#define SLADESK_LOOP_LOOP_H

#include "base/base.h"

struct event_base;
struct evdns_base;
struct loop_timer;

/* Make the process's loop (precise timers). Call once, before anything else of this folder. */
void loop_init(void);
/* For libraries that bring events of their own; nobody else needs it. */
struct event_base *loop_base(void);
/* Resolves names on the loop, by the system's name servers (without any, names fail at once). */
struct evdns_base *loop_dns(void);
/* Run until loop_stop. */
void loop_run(void);
/* Let loop_run return after this turn. */
void loop_stop(void);
/* Free what is left; the loop must have stopped. */
void loop_free(void);

/* Call FN(ARG) on a later turn, in order of asking. */
void later_call(void (*fn)(void *arg), void *arg);
/* Run what waits for a later turn now, until nothing does: for stopping. */
void loop_run_later(void);
/* free(P) on a later turn: never free inside your own callback. */
void later_free(void *p);

/* A timer that calls FN(ARG) once after loop_timer_set. */
struct loop_timer *loop_timer_new(void (*fn)(void *arg), void *arg) MUST_USE;
/* Run it WAIT_US from now; an earlier setting is replaced. */
void loop_timer_set(struct loop_timer *t, int64_t wait_us);
/* It does not run until it is set again. */
void loop_timer_cancel(struct loop_timer *t);
/* Release T, which then never runs. NULL is allowed. */
void loop_timer_free(struct loop_timer *t);
/* Call FN(ARG) every PERIOD_MS, and whenever SIGNO comes; both live as long as the loop. */
void loop_every(int64_t period_ms, void (*fn)(void *arg), void *arg);
/* Call FN whenever SIGNO comes, as long as the loop lives. */
void loop_on_signal(int signo, void (*fn)(int signo));

/* Note how long this turn has lasted so far; drivers call it at the end of their callbacks. */
void loop_note_turn(const char *where);
/* The longest turn since the start, and since the last call with RESET. */
int64_t loop_longest_turn_us(bool reset, const char **out_where);

#endif
