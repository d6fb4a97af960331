/* SPDX-License-Identifier: Apache-2.0
 * The only event base. Turns are measured from libevent's cached time, which it sets when poll
 * returns. */
#include "loop/loop.h"
#include "base/magic.h"
#include "base/clock.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/time.h>

struct later {
	void (*fn)(void *arg);
	void *arg;
};

struct loop_timer {
	uint32_t magic;
	struct event *ev;
	void (*fn)(void *arg);
	void *arg;
	struct loop_timer *next_owned; /* timers and signals that live as long as the loop */
};
MAGIC(loop_timer, 0xbdcc14b5);

#define SLICE_US 2000 /* runs the later calls */
#define TURN_US 5000

static struct {
	struct event_base *base;
	struct evdns_base *dns;
	struct event *later_event;
	struct later *later; /* the calls from later_done to later_n are pending */
	size_t later_done, later_n, later_cap;
	struct loop_timer *owned;
	int64_t longest_us, longest_since_us;
	const char *where, *where_since;
} loop;

/* Run the calls that were pending when the turn began, for at most SLICE_US; the rest run next
 * turn, in order. */
static void run_later(evutil_socket_t fd, short what, void *arg)
{
	size_t left = loop.later_n - loop.later_done;
	int64_t began = clock_mono_us();

	(void)fd;
	(void)what;
	(void)arg;
	if (!left) /* loop_run_later has already run them */
		return;
	do {
		struct later l = loop.later[loop.later_done++]; /* a call may move the list */

		l.fn(l.arg);
	} while (--left && clock_mono_us() - began < SLICE_US);
	if (loop.later_done == loop.later_n)
		loop.later_done = loop.later_n = 0;
	else
		event_active(loop.later_event, EV_TIMEOUT, 0);
	loop_note_turn("later");
}

void loop_init(void)
{
	static const struct timeval slice = { 0, TURN_US };
	struct event_config *cfg = event_config_new();

	bug_on(loop.base || !cfg);
	/* End a turn after TURN_US even if more descriptors are ready, so that timers and other
	 * descriptors get their share. */
	event_config_set_max_dispatch_interval(cfg, &slice, -1, 0);
	event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NOLOCK);
	loop.base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	bug_on(!loop.base);
	loop.later_event = event_new(loop.base, -1, 0, run_later, NULL);
	loop.dns = evdns_base_new(
		loop.base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (!loop.dns) /* no name servers are known: look-ups of names fail, addresses work */
		loop.dns = evdns_base_new(loop.base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	bug_on(!loop.dns);
}

struct event_base *loop_base(void)
{
	return loop.base;
}

struct evdns_base *loop_dns(void)
{
	return loop.dns;
}

bool loop_set_name_server(const char *address)
{
	evdns_base_clear_nameservers_and_suspend(loop.dns);
	if (evdns_base_nameserver_ip_add(loop.dns, address) != 0)
		return false;
	evdns_base_resume(loop.dns);
	return true;
}

void loop_run(void)
{
	event_base_dispatch(loop.base);
}

void loop_stop(void)
{
	event_base_loopbreak(loop.base);
}

void loop_run_later(void)
{
	while (loop.later_done < loop.later_n)
		run_later(-1, 0, NULL);
}

void loop_free(void)
{
	loop_run_later();
	while (loop.owned) {
		struct loop_timer *t = loop.owned;

		loop.owned = t->next_owned;
		loop_timer_free(t);
	}
	evdns_base_free(loop.dns, 0);
	event_free(loop.later_event);
	event_base_free(loop.base);
	free(loop.later);
	memset(&loop, 0, sizeof(loop));
}

void later_call(void (*fn)(void *arg), void *arg)
{
	if (loop.later_n == loop.later_cap && loop.later_done > loop.later_cap / 2) {
		loop.later_n -= loop.later_done;
		memmove(loop.later, loop.later + loop.later_done,
			loop.later_n * sizeof(*loop.later));
		loop.later_done = 0;
	}
	if (loop.later_n == loop.later_cap) {
		loop.later_cap = loop.later_cap ? loop.later_cap * 2 : 32;
		loop.later = xrealloc(loop.later, loop.later_cap * sizeof(*loop.later));
	}
	if (loop.later_done == loop.later_n)
		event_active(loop.later_event, EV_TIMEOUT, 0);
	loop.later[loop.later_n++] = (struct later){ fn, arg };
}

void later_free(void *p)
{
	later_call(free, p);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = magic_cast(loop_timer, arg);

	(void)fd;
	(void)what;
	t->fn(t->arg);
	loop_note_turn("timer");
}

struct loop_timer *loop_timer_new(void (*fn)(void *arg), void *arg)
{
	struct loop_timer *t = magic_new(loop_timer);

	t->ev = event_new(loop.base, -1, 0, on_timer, t);
	t->fn = fn;
	t->arg = arg;
	bug_on(!t->ev);
	return t;
}

static struct timeval timeval_of(int64_t us)
{
	us = us < 0 ? 0 : us;
	return (struct timeval){ us / US_PER_S, us % US_PER_S };
}

void loop_timer_set(struct loop_timer *t, int64_t wait_us)
{
	struct timeval tv = timeval_of(wait_us);

	event_add(t->ev, &tv);
}

void loop_timer_cancel(struct loop_timer *t)
{
	event_del(t->ev);
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	event_free(t->ev);
	magic_end(t);
	free(t);
}

static void keep_until_end(struct loop_timer *t)
{
	t->next_owned = loop.owned;
	loop.owned = t;
}

void loop_every(int64_t period_ms, void (*fn)(void *arg), void *arg)
{
	struct loop_timer *t = magic_new(loop_timer);
	struct timeval tv = timeval_of(period_ms * 1000);

	*t = (struct loop_timer){ .magic = loop_timer_magic, .fn = fn, .arg = arg };
	t->ev = event_new(loop.base, -1, EV_PERSIST, on_timer, t);
	event_add(t->ev, &tv);
	keep_until_end(t);
}

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
	union {
		void *p;
		void (*fn)(int);
	} u = { .p = arg };

	(void)what;
	u.fn((int)signo);
}

void loop_on_signal(int signo, void (*fn)(int signo))
{
	struct loop_timer *t = magic_new(loop_timer);
	union {
		void (*fn)(int);
		void *p;
	} u = { .fn = fn };

	t->ev = evsignal_new(loop.base, signo, on_signal, u.p);
	event_add(t->ev, NULL);
	keep_until_end(t);
}

void loop_note_turn(const char *where)
{
	struct timeval began, now;
	int64_t us;

	event_base_gettimeofday_cached(loop.base, &began);
	evutil_gettimeofday(&now, NULL);
	us = (now.tv_sec - began.tv_sec) * US_PER_S + (now.tv_usec - began.tv_usec);
	if (us > loop.longest_us)
		loop.longest_us = us, loop.where = where;
	if (us > loop.longest_since_us)
		loop.longest_since_us = us, loop.where_since = where;
}

int64_t loop_longest_turn_us(bool reset, const char **out_where)
{
	int64_t us = reset ? loop.longest_since_us : loop.longest_us;

	if (out_where)
		*out_where = reset ? loop.where_since : loop.where;
	if (reset)
		loop.longest_since_us = 0;
	return us;
}
