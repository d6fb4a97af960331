/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/dns_txt.h"
#include "base/magic.h"
#include "loop/loop.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <event2/event.h>
#include <stdlib.h>

#define TRY_MS 2000
#define TRIES 2
#define TEXTS_MAX 100

/* A descriptor of c-ares that is watched. */
struct watch {
	struct watch *next;
	ares_socket_t fd;
	struct event *event;
};

static struct {
	ares_channel channel;
	bool started;
	struct watch *watched;
	struct loop_timer *timer;
} dns;

/* A question, from dns_txt_ask until its callback has run. */
struct question {
	uint32_t magic;
	dns_txt_done *on_done;
	void *arg;
	struct dns_txt result;
};
MAGIC(question, 0x7d0c51aa);

/* --- c-ares on the loop --- */

static void set_timer(void)
{
	struct timeval most = { 2 * TRY_MS / 1000, 0 }, wait, *t;

	t = ares_timeout(dns.channel, &most, &wait);
	loop_timer_set(dns.timer, (int64_t)t->tv_sec * 1000000 + t->tv_usec);
}

static void on_timer(void *arg)
{
	(void)arg;
	ares_process_fd(dns.channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	if (dns.watched)
		set_timer();
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	(void)arg;
	ares_process_fd(dns.channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
		what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	if (dns.watched)
		set_timer();
}

static void forget(struct watch **at)
{
	struct watch *w = *at;

	*at = w->next;
	event_free(w->event);
	free(w);
}

/* c-ares wants to read from FD, to write to it, both, or nothing more. */
static void on_state(void *arg, ares_socket_t fd, int read, int write)
{
	struct watch **at = &dns.watched, *w;

	(void)arg;
	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	if (*at)
		forget(at);
	if (!read && !write)
		return;
	w = xcalloc(1, sizeof(*w));
	w->fd = fd;
	w->event = event_new(loop_base(), fd,
		(short)(EV_PERSIST | (read ? EV_READ : 0) | (write ? EV_WRITE : 0)), on_ready,
		NULL);
	bug_on(!w->event);
	event_add(w->event, NULL);
	w->next = dns.watched;
	dns.watched = w;
}

bool dns_txt_init(const char *servers)
{
	struct ares_options o = { .timeout = TRY_MS, .tries = TRIES, .sock_state_cb = on_state };

	bug_on(ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS);
	if (ares_init_options(&dns.channel, &o,
		    ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS)
		return false;
	dns.started = true;
	dns.timer = loop_timer_new(on_timer, NULL);
	return !*servers || ares_set_servers_ports_csv(dns.channel, servers) == ARES_SUCCESS;
}

/* --- questions --- */

static void question_end(void *arg)
{
	struct question *q = magic_cast(question, arg);

	q->on_done(q->arg, &q->result);
	for (size_t i = 0; i < q->result.n; i++)
		free(q->result.found[i]);
	free(q->result.found);
	magic_end(q);
	free(q);
}

/* A text longer than 255 bytes comes in pieces (RFC 7208, section 3.3). */
static void keep_texts(struct dns_txt *r, const struct ares_txt_ext *list)
{
	struct buf text = { 0 };

	r->found = xcalloc(TEXTS_MAX, sizeof(*r->found));
	for (; list && r->n < TEXTS_MAX; list = list->next) {
		buf_add(&text, list->txt, list->length);
		if (list->next && !list->next->record_start)
			continue;
		r->found[r->n++] = buf_take(&text);
	}
	buf_free(&text);
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *packet, int n)
{
	struct question *q = magic_cast(question, arg);
	struct ares_txt_ext *list = NULL;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		status = ares_parse_txt_reply_ext(packet, n, &list);
	q->result.answered =
		status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
	if (!q->result.answered)
		q->result.error = ares_strerror(status);
	else if (list)
		keep_texts(&q->result, list);
	if (list)
		ares_free_data(list);
	if (dns.started)
		later_call(question_end, q);
	else
		question_end(q);
}

void dns_txt_ask(const char *name, dns_txt_done *on_done, void *arg)
{
	struct question *q = magic_new(question);

	q->on_done = on_done;
	q->arg = arg;
	if (!dns.started) {
		q->result.error = "stopped";
		later_call(question_end, q);
		return;
	}
	ares_query(dns.channel, name, ns_c_in, ns_t_txt, on_answer, q);
	set_timer();
}

void dns_txt_free(void)
{
	if (!dns.channel)
		return;
	dns.started = false;
	ares_destroy(dns.channel);
	dns.channel = NULL;
	while (dns.watched)
		forget(&dns.watched);
	loop_timer_free(dns.timer);
	dns.timer = NULL;
	ares_library_cleanup();
}
