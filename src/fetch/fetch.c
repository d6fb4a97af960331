/* SPDX-License-Identifier: Apache-2.0
 * curl_multi_socket_action under libevent. Each transfer is one struct, from the request to its
 * single callback. */
#include "fetch/fetch.h"
#include "fetch/private_net.h"
#include "base/magic.h"
#include "base/clock.h"
#include "base/list.h"
#include "loop/loop.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netdb.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define ADDRESSES_MAX 16 /* addresses of a name; further ones are not tried */

struct transfer {
	uint32_t magic;
	CURL *easy;
	struct curl_slist *headers, *resolve;
	char *body, error[CURL_ERROR_SIZE];
	size_t body_n;
	bool allow_private, blocked, opened; /* an address was refused; one was tried */
	int64_t began_us;
	char *host;
	int port, timeout_ms;
	fetch_done *on_done;
	void *arg;
	struct evdns_getaddrinfo_request *resolving;
	bool added; /* added to the multi handle */
	struct list node;
	struct buf answer;
	size_t answer_max;
};
MAGIC(transfer, 0x4dd127fd);

struct watched {
	struct event *ev;
};

static struct {
	CURLM *multi;
	struct loop_timer *timer;
	int running;
	bool stopping;
	struct list transfers;
} fetch;

/* --- curl on the loop --- */

static void finish_transfer(struct transfer *t, CURLcode code);

static void take_finished(void)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(fetch.multi, &left))) {
		struct transfer *t = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		finish_transfer(t, m->data.result);
	}
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	int n;

	(void)arg;
	curl_multi_socket_action(fetch.multi, fd,
		(what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0),
		&n);
	take_finished();
	loop_note_turn("fetch");
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *sockp)
{
	struct watched *w = sockp;
	short want = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
			     (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);

	(void)easy;
	(void)user;
	if (w)
		event_free(w->ev);
	if (what == CURL_POLL_REMOVE) {
		free(w);
		return 0;
	}
	if (!w) {
		w = xcalloc(1, sizeof(*w));
		curl_multi_assign(fetch.multi, fd, w);
	}
	w->ev = event_new(loop_base(), fd, want, on_socket, NULL);
	event_add(w->ev, NULL);
	return 0;
}

static void on_timeout(void *arg)
{
	int n;

	(void)arg;
	curl_multi_socket_action(fetch.multi, CURL_SOCKET_TIMEOUT, 0, &n);
	take_finished();
}

static int set_timeout(CURLM *m, long ms, void *user)
{
	(void)m;
	(void)user;
	if (ms < 0)
		loop_timer_cancel(fetch.timer);
	else
		loop_timer_set(fetch.timer, ms * 1000);
	return 0;
}

void fetch_init(void)
{
	bug_on(curl_global_init(CURL_GLOBAL_DEFAULT) != 0);
	list_init(&fetch.transfers);
	fetch.multi = curl_multi_init();
	fetch.timer = loop_timer_new(on_timeout, NULL);
	curl_multi_setopt(fetch.multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(fetch.multi, CURLMOPT_TIMERFUNCTION, set_timeout);
	curl_multi_setopt(fetch.multi, CURLMOPT_MAX_HOST_CONNECTIONS, 8L);
}

int fetch_running(void)
{
	return fetch.running;
}

/* --- one transfer --- */

static void transfer_free(struct transfer *t)
{
	list_remove(&t->node);
	if (t->easy)
		curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->resolve);
	buf_free(&t->answer);
	free(t->body);
	free(t->host);
	magic_end(t);
	later_free(t);
}

static void finish_transfer(struct transfer *t, CURLcode code)
{
	bool refused = t->blocked && !t->opened;
	curl_off_t after = 0;
	struct fetch_result r = { .took_ms = (int)((clock_mono_us() - t->began_us) / 1000) };

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &r.status);
	curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &after);
	r.retry_after_s = after > INT_MAX ? INT_MAX : (int)after;
	r.ok = code == CURLE_OK && r.status >= 200 && r.status < 300;
	if (!r.ok)
		snprintf(r.error, sizeof(r.error), "%s",
			refused       ? "address refused: private network"
			: t->error[0] ? t->error
				      : curl_easy_strerror(code));
	if (!r.ok && code == CURLE_OK)
		snprintf(r.error, sizeof(r.error), "status %ld", r.status);
	else if (!r.ok && r.status)
		snprintf(r.error + strlen(r.error), sizeof(r.error) - strlen(r.error), " (%ld)",
			r.status);
	r.permanent = refused || code == CURLE_URL_MALFORMAT;
	if (t->answer_max) {
		r.body = buf_cstr(&t->answer);
		r.body_n = t->answer.n;
	}
	curl_multi_remove_handle(fetch.multi, t->easy);
	fetch.running--;
	t->on_done(t->arg, &r);
	transfer_free(t);
}

/* Webhook targets come from tenants, so they must not reach our own networks unless a setting
 * allows it. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct transfer *t = magic_cast(transfer, arg);

	(void)purpose;
	if (!t->allow_private && is_private_address(&a->addr)) {
		t->blocked = true;
		return CURL_SOCKET_BAD;
	}
	t->opened = true;
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t keep_answer(char *p, size_t size, size_t count, void *arg)
{
	struct transfer *t = magic_cast(transfer, arg);

	if (t->answer.n + size * count > t->answer_max)
		return 0;
	buf_add(&t->answer, p, size * count);
	return size * count;
}

static size_t drop_answer(char *p, size_t size, size_t count, void *arg)
{
	size_t *seen = arg;

	(void)p;
	*seen += size * count;
	return *seen > 65536 ? 0 : size * count; /* no caller needs a longer response */
}

static void fail_later(void *arg)
{
	struct transfer *t = magic_cast(transfer, arg);
	struct fetch_result r = { .took_ms = (int)((clock_mono_us() - t->began_us) / 1000) };

	snprintf(r.error, sizeof(r.error), "%s", t->error);
	t->on_done(t->arg, &r);
	transfer_free(t);
}

static void transfer_go(struct transfer *t)
{
	fetch.running++;
	t->added = true;
	curl_multi_add_handle(fetch.multi, t->easy);
}

/* The addresses as CURLOPT_RESOLVE takes them: curl tries one after the other. */
static char *address_list(const struct transfer *t, const struct evutil_addrinfo *ai)
{
	struct buf b = { 0 };
	char addr[64];

	buf_addf(&b, "%s:%d:", t->host, t->port);
	for (int n = 0; ai && n < ADDRESSES_MAX; ai = ai->ai_next, n++) {
		bool v6 = ai->ai_family == AF_INET6;
		const void *p =
			v6 ? (const void *)&((struct sockaddr_in6 *)(void *)ai->ai_addr)->sin6_addr
			   : (const void *)&((struct sockaddr_in *)(void *)ai->ai_addr)->sin_addr;

		inet_ntop(ai->ai_family, p, addr, sizeof(addr));
		buf_addf(&b, "%s%s%s%s", n ? "," : "", v6 ? "[" : "", addr, v6 ? "]" : "");
	}
	return buf_take(&b);
}

static void on_resolved(int result, struct evutil_addrinfo *ai, void *arg)
{
	struct transfer *t = magic_cast(transfer, arg);

	t->resolving = NULL;
	if (result || !ai) {
		snprintf(t->error, sizeof(t->error), "cannot resolve %.100s: %s", t->host,
			evutil_gai_strerror(result));
		later_call(fail_later, t);
	} else {
		char *list = address_list(t, ai);

		t->resolve = curl_slist_append(NULL, list);
		free(list);
		curl_easy_setopt(t->easy, CURLOPT_RESOLVE, t->resolve);
		transfer_go(t);
	}
	if (ai)
		evutil_freeaddrinfo(ai);
}

/* Split the URL. Resolve a host name by evdns, or start at once if it is an address. */
static void transfer_resolve(struct transfer *t, const char *url)
{
	CURLU *u = curl_url();
	char *host = NULL, *port = NULL;
	unsigned char addr[16];
	struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };

	if (fetch.stopping) {
		snprintf(t->error, sizeof(t->error), "stopping");
		later_call(fail_later, t);
	} else if (curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) ||
		   curl_url_get(u, CURLUPART_HOST, &host, 0) ||
		   curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT)) {
		snprintf(t->error, sizeof(t->error), "bad URL");
		later_call(fail_later, t);
	} else {
		t->host = xstrdup(host);
		t->port = atoi(port);
		if (host[0] == '[' || inet_pton(AF_INET, host, addr) == 1)
			transfer_go(t);
		else
			t->resolving =
				evdns_getaddrinfo(loop_dns(), host, NULL, &hints, on_resolved, t);
	}
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
}

static struct transfer *transfer_new(
	const char *url, const char *body, size_t n, int timeout_ms, fetch_done *on_done, void *arg)
{
	struct transfer *t = xcalloc(1, sizeof(*t) + sizeof(size_t));

	t->magic = transfer_magic;
	t->easy = curl_easy_init();
	bug_on(!t->easy);
	t->body = xstrndup(body ? body : "", n);
	t->body_n = n;
	t->timeout_ms = timeout_ms;
	t->on_done = on_done;
	t->arg = arg;
	t->began_us = clock_mono_us();
	list_add_tail(&fetch.transfers, &t->node);
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(t->easy, CURLOPT_URL, url);
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(timeout_ms / 2));
	curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, drop_answer);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, (size_t *)(void *)(t + 1));
	return t;
}

void fetch_http(const struct fetch_http *f, fetch_done *on_done, void *arg)
{
	struct transfer *t = transfer_new(f->url, f->body, f->body_n, f->timeout_ms, on_done, arg);

	t->allow_private = f->allow_private;
	for (int i = 0; f->headers && f->headers[i]; i++)
		t->headers = curl_slist_append(t->headers, f->headers[i]);
	t->headers = curl_slist_append(t->headers, "Expect:");
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, f->allow_private ? "http,https" : "https");
	curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
	if (f->get) {
		curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
	} else {
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->body);
		curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE, (long)t->body_n);
	}
	if (f->ca_file && *f->ca_file)
		curl_easy_setopt(t->easy, CURLOPT_CAINFO, f->ca_file);
	if (f->answer_max) {
		t->answer_max = f->answer_max;
		curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, keep_answer);
		curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	}
	transfer_resolve(t, f->url);
}

/* Transfers in progress end as failed; the callers decide what that means. */
void fetch_stop(void)
{
	fetch.stopping = true;
	for (struct list *n = fetch.transfers.next; n != &fetch.transfers; n = n->next) {
		struct transfer *t = list_entry(n, struct transfer, node);

		if (t->resolving) {
			evdns_getaddrinfo_cancel(t->resolving);
		} else if (t->added) {
			curl_multi_remove_handle(fetch.multi, t->easy);
			t->added = false;
			fetch.running--;
			snprintf(t->error, sizeof(t->error), "stopping");
			later_call(fail_later, t);
		}
	}
}

void fetch_free(void)
{
	if (!fetch.multi)
		return;
	fetch_stop();
	event_base_loop(loop_base(),
		EVLOOP_NONBLOCK); /* a cancelled look-up answers by a deferred callback */
	loop_run_later();
	curl_multi_cleanup(fetch.multi);
	loop_timer_free(fetch.timer);
	fetch.multi = NULL;
	curl_global_cleanup();
}
