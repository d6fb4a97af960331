/* SPDX-License-Identifier: Apache-2.0
 * Connections. One request at a time on each, so pipelined ones are answered in order and
 * back-pressure is the read watermark. */
#include "conn.h"
#include "base/clock.h"
#include "loop/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_HIGH (64 * 1024)
#define LINGER_S 2
#define WRITE_HIGH (128 * 1024)

struct http_server {
	int fd;
	struct evconnlistener *listener;
	struct http_settings set;
	const struct http_handler *h;
	SSL_CTX *tls;
	struct list conns;
	uint64_t count;
	struct loop_timer *resume_accept, *tick;
	bool draining;
	int64_t drain_until_us;
	void (*on_empty)(void *arg);
	void *on_empty_arg;
};

static struct http_counts counts;

struct http_counts http_counts(void)
{
	return counts;
}

static void set_state(struct http_conn *c, enum http_conn_state s)
{
	c->state = s;
	c->state_us = clock_mono_us();
}

/* --- ending --- */

void http_request_free(struct http_request *r)
{
	if (!r)
		return;
	free(r->head_bytes);
	buf_free(&r->body);
	arena_free(&r->arena);
	later_free(r);
}

SSL *http_conn_ssl(struct http_conn *c)
{
	return c->server->tls ? bufferevent_openssl_get_ssl(c->bev) : NULL;
}

void http_request_done(struct http_request *r, struct http_conn *c)
{
	c->server->h->on_done(r);
}

/* So that the peer can tell an end from a cut. */
static void send_close_notify(struct http_conn *c)
{
	SSL *ssl = http_conn_ssl(c);

	if (!ssl || c->handshaking)
		return;
	SSL_set_quiet_shutdown(ssl, 0);
	SSL_shutdown(ssl);
	ERR_clear_error();
}

void http_conn_free(struct http_conn *c)
{
	struct http_server *s = c->server;
	struct http_request *r = c->req;

	c->req = NULL;
	if (c->ws)
		ws_on_gone(c);
	if (r) {
		r->conn = NULL;
		s->h->on_gone(r);
		http_request_free(r);
	}
	if (c->state != CONN_LINGERING)
		send_close_notify(c);
	list_remove(&c->node);
	s->count--;
	counts.connections--;
	bufferevent_free(c->bev);
	free(c);
	if (s->draining && s->count == 0 && s->on_empty) {
		later_call(s->on_empty, s->on_empty_arg);
		s->on_empty = NULL;
	}
}

/* Closing a socket that holds unread bytes resets it, and the peer may lose our last words: say
 * that we are done, then read until the peer is too (RFC 9112 9.6). */
static void conn_flushed(struct http_conn *c)
{
	if (!c->linger) {
		http_conn_free(c);
		return;
	}
	send_close_notify(c);
	shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	set_state(c, CONN_LINGERING);
	bufferevent_setwatermark(c->bev, EV_READ, 0, 0);
	bufferevent_enable(c->bev, EV_READ);
}

void http_conn_close(struct http_conn *c)
{
	set_state(c, CONN_CLOSING);
	bufferevent_disable(c->bev, EV_READ);
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
		conn_flushed(c);
}

static void drop_input(struct http_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	evbuffer_drain(in, evbuffer_get_length(in));
}

/* The reply is complete: count it, forget the request, go on or close. */
static void reply_done(struct http_conn *c)
{
	struct http_request *r = c->req;

	c->req = NULL;
	c->server->h->on_done(r);
	http_request_free(r);
	c->on_drain = NULL;
	if (c->close_after || c->server->draining) {
		http_conn_close(c);
		return;
	}
	set_state(c, CONN_HEAD);
	/* A reply that came on another turn: the next request may already wait in the input. */
	if (!c->working)
		bufferevent_trigger(
			c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

/* --- replying --- */

/* The Date header, made once a second. */
static const char *date_line(void)
{
	static char line[48];
	static int64_t made_s;
	static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t s = clock_now_us() / US_PER_S, y;
	unsigned m, d;

	if (s == made_s)
		return line;
	made_s = s;
	civil_from_days(s / 86400, &y, &m, &d);
	snprintf(line, sizeof(line), "Date: %s, %02u %s %04d %02d:%02d:%02d GMT\r\n",
		days[weekday_from_days(s / 86400)], d % 100u, months[(m - 1) % 12],
		(int)(y % 10000), (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
	return line;
}

static bool body_is_complete(const struct http_conn *c)
{
	return c->chunk.done && (c->req->head.chunked || c->body_left == 0);
}

static void put_head(
	struct http_conn *c, struct buf *b, int status, const char *type, const char *extra)
{
	c->req->status = status;
	/* An error while the body is still coming: what follows cannot be told from a next request.
	 */
	if (c->state == CONN_BODY && !body_is_complete(c))
		c->close_after = true;
	buf_adds(b, "HTTP/1.1 ");
	buf_add_int(b, status);
	buf_addc(b, ' ');
	buf_adds(b, http_reason(status));
	buf_adds(b, "\r\n");
	buf_adds(b, date_line());
	if (type) {
		buf_adds(b, "Content-Type: ");
		buf_adds(b, type);
		buf_adds(b, "\r\n");
	}
	if (extra)
		buf_adds(b, extra);
	if (c->close_after || c->server->draining)
		buf_adds(b, "Connection: close\r\n");
	else if (c->req->head.minor == 0)
		buf_adds(b, "Connection: keep-alive\r\n");
}

static bool has_body(const struct http_conn *c, int status)
{
	return c->req->head.method != HTTP_HEAD && status != 204 && status != 304 && status >= 200;
}

static void finish_head(struct http_conn *c, struct buf *b, int status, uint64_t n)
{
	if (status != 204 && status >= 200 && status != 304) {
		buf_adds(b, "Content-Length: ");
		buf_add_int(b, (int64_t)n);
		buf_adds(b, "\r\n");
	}
	buf_adds(b, "\r\n");
	c->req->sent_bytes = n;
}

void http_reply(struct http_request *r, int status, const char *type, const char *extra,
	const void *body, size_t n)
{
	struct http_conn *c = r->conn;
	static struct buf b; /* one reply at a time is put together; kept to save allocations */

	if (!c)
		return;
	b.n = 0;
	put_head(c, &b, status, type, extra);
	finish_head(c, &b, status, n);
	if (has_body(c, status) && n <= 16384)
		buf_add(&b, body, n);
	bufferevent_write(c->bev, b.p, b.n);
	if (has_body(c, status) && n > 16384)
		bufferevent_write(c->bev, body, n);
	reply_done(c);
}

void http_reply_buffer(struct http_request *r, int status, const char *type, const char *extra,
	struct evbuffer *body)
{
	struct http_conn *c = r->conn;
	struct buf b = { 0 };

	if (!c)
		return;
	put_head(c, &b, status, type, extra);
	finish_head(c, &b, status, evbuffer_get_length(body));
	bufferevent_write(c->bev, b.p, b.n);
	buf_free(&b);
	if (has_body(c, status))
		bufferevent_write_buffer(c->bev, body);
	reply_done(c);
}

void http_reply_start(struct http_request *r, int status, const char *type, const char *extra,
	void (*on_drain)(struct http_request *r))
{
	struct http_conn *c = r->conn;
	struct buf b = { 0 };

	if (!c)
		return;
	c->chunked_reply = r->head.minor == 1;
	c->head_only = r->head.method == HTTP_HEAD;
	if (!c->chunked_reply)
		c->close_after = true;
	put_head(c, &b, status, type, extra);
	buf_adds(&b, c->chunked_reply ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
	bufferevent_write(c->bev, b.p, b.n);
	buf_free(&b);
	c->on_drain = on_drain;
	set_state(c, CONN_REPLYING);
}

bool http_reply_piece(struct http_request *r, const void *p, size_t n)
{
	struct http_conn *c = r->conn;
	struct evbuffer *out;

	if (!c)
		return false;
	out = bufferevent_get_output(c->bev);
	r->sent_bytes += n;
	if (n && !c->head_only) {
		if (c->chunked_reply)
			evbuffer_add_printf(out, "%zx\r\n", n);
		evbuffer_add(out, p, n);
		if (c->chunked_reply)
			evbuffer_add(out, "\r\n", 2);
	}
	return evbuffer_get_length(out) < WRITE_HIGH;
}

void http_reply_end(struct http_request *r)
{
	struct http_conn *c = r->conn;

	if (!c)
		return;
	if (c->chunked_reply && !c->head_only)
		bufferevent_write(c->bev, "0\r\n\r\n", 5);
	reply_done(c);
}

void http_reply_file(struct http_request *r, int status, const char *type, const char *extra,
	int fd, uint64_t from, uint64_t to, uint64_t size)
{
	struct http_conn *c = r->conn;
	uint64_t n = size ? to - from + 1 : 0;
	struct buf b = { 0 };

	if (!c) {
		close(fd);
		return;
	}
	put_head(c, &b, status, type, extra);
	buf_adds(&b, "Accept-Ranges: bytes\r\n");
	if (status == 206)
		buf_addf(&b, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)from,
			(unsigned long long)to, (unsigned long long)size);
	finish_head(c, &b, status, n);
	bufferevent_write(c->bev, b.p, b.n);
	buf_free(&b);
	if (has_body(c, status) && n)
		evbuffer_add_file(bufferevent_get_output(c->bev), fd, (ev_off_t)from,
			(ev_off_t)n); /* sendfile when plain; owns fd */
	else
		close(fd);
	reply_done(c);
}

void http_close_after(struct http_request *r)
{
	if (r->conn)
		r->conn->close_after = true;
}

/* --- reading --- */

/* A head we cannot accept: answer in plain, then close. */
static void refuse_head(struct http_conn *c, int status)
{
	char line[160];
	int n = snprintf(line, sizeof(line),
		"HTTP/1.1 %d %s\r\n%sContent-Length: 0\r\nConnection: close\r\n\r\n", status,
		http_reason(status), date_line());

	counts.parse_errors++;
	drop_input(c);
	bufferevent_write(c->bev, line, (size_t)n);
	c->linger = true;
	http_conn_close(c);
}

static void refuse_body(struct http_conn *c, int status)
{
	static const char *const text = "{\"code\":40002,\"message\":\"malformed body\"}";

	c->close_after = c->linger = true;
	if (status == 413)
		http_reply(c->req, 413, "application/json", NULL,
			"{\"code\":41004,\"message\":\"body too large\"}", 40);
	else
		http_reply(c->req, status, "application/json", NULL, text, strlen(text));
}

/* Take the head from the input into a new request. False when more bytes are needed or the
 * connection ended. */
static bool read_head(struct http_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t n = evbuffer_get_length(in), want = n < HTTP_HEAD_MAX + 1 ? n : HTTP_HEAD_MAX + 1;
	static struct http_head head;
	struct http_request *r;
	const char *p;
	int used;

	if (!n)
		return false;
	p = (const char *)evbuffer_pullup(in, (ev_ssize_t)want);
	used = http_parse_head(p, want, &head);
	if (used < 0) {
		refuse_head(c, -used);
		return false;
	}
	if (used == 0)
		return false;
	r = xcalloc(1, sizeof(*r));
	r->conn = c;
	r->peer = c->peer;
	r->tls = c->server->tls != NULL;
	r->began_us = clock_mono_us();
	r->head_bytes = xmalloc((size_t)used + 1);
	memcpy(r->head_bytes, p, (size_t)used);
	r->head_bytes[used] = 0;
	evbuffer_drain(in, (size_t)used);
	r->head = head;
	/* the views move with the bytes */
#define MOVE(s) ((s).p = (s).p >= p && (s).p <= p + used ? r->head_bytes + ((s).p - p) : (s).p)
	MOVE(r->head.target);
	MOVE(r->head.path);
	MOVE(r->head.query);
	MOVE(r->head.host);
	for (int i = 0; i < head.headers; i++) {
		MOVE(r->head.header[i].name);
		MOVE(r->head.header[i].value);
	}
#undef MOVE
	c->req = r;
	c->close_after = !head.keep_alive;
	c->fresh = false;
	c->head_began_us = 0;
	return true;
}

static bool begin_body(struct http_conn *c)
{
	struct http_request *r = c->req;
	enum http_body how;

	set_state(c, CONN_BODY);
	c->body_max = 0;
	c->body_left = r->head.length;
	c->chunk = (struct http_chunked){ .done = !r->head.chunked };
	how = c->server->h->on_head(r, &c->body_max);
	if (how == HTTP_BODY_REPLIED)
		return false;
	c->stream = how == HTTP_BODY_STREAM;
	if (!c->stream && r->head.has_length && r->head.length > c->body_max) {
		refuse_body(c, 413);
		return false;
	}
	c->read_paused = false;
	if (r->head.expect_continue && (r->head.chunked || c->body_left))
		bufferevent_write(c->bev, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	return true;
}

/* Hand a run of body bytes on. False when the request has ended. */
static bool give_body(struct http_conn *c, const char *p, size_t n)
{
	struct http_request *r = c->req;

	r->body_seen += n;
	if (c->stream) {
		c->read_paused = !c->server->h->on_piece(r, p, n);
		return c->req == r;
	}
	if (r->body_seen > c->body_max) {
		refuse_body(c, 413);
		return false;
	}
	buf_add(&r->body, p, n);
	return true;
}

static bool read_body(struct http_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	while (!body_is_complete(c) && !c->read_paused) {
		size_t n = evbuffer_get_contiguous_space(in), data_n = 0;
		const char *p = n ? (const char *)evbuffer_pullup(in, (ev_ssize_t)n) : NULL,
			   *data = p;
		int64_t used;

		if (!n)
			return false;
		if (c->req->head.chunked) {
			used = http_chunked_next(&c->chunk, p, n, &data, &data_n);
			if (used < 0) {
				refuse_body(c, 400);
				return false;
			}
		} else {
			data_n = n < c->body_left ? n : (size_t)c->body_left;
			used = (int64_t)data_n;
			c->body_left -= data_n;
		}
		if (data_n && !give_body(c, data, data_n))
			return false;
		evbuffer_drain(in, (size_t)used);
	}
	return body_is_complete(c);
}

/* Take what the input holds, request after request, until bytes or the handler are wanting. */
static void conn_work(struct http_conn *c)
{
	c->working = true;
	for (;;) {
		if (c->state == CONN_HEAD) {
			if (!read_head(c))
				break;
			if (!begin_body(c))
				continue; /* replied already: the next head, or closing */
		}
		if (c->state != CONN_BODY || !read_body(c))
			break;
		set_state(c, CONN_HANDLING);
		c->server->h->on_request(c->req);
	}
	c->working = false;
}

void http_resume(struct http_request *r)
{
	if (!r->conn || !r->conn->read_paused)
		return;
	r->conn->read_paused = false;
	bufferevent_trigger(
		r->conn->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct http_conn *c = arg;

	(void)bev;
	if (c->state == CONN_WEBSOCKET)
		ws_on_read(c);
	else if (c->state == CONN_LINGERING)
		drop_input(c);
	else
		conn_work(c);
	loop_note_turn("http");
}

static void on_write(struct bufferevent *bev, void *arg)
{
	struct http_conn *c = arg;

	(void)bev;
	c->last_write_us = clock_mono_us();
	if (c->state == CONN_CLOSING && evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
		conn_flushed(c);
	else if (c->state == CONN_REPLYING && c->on_drain && c->req)
		c->on_drain(c->req);
	loop_note_turn("http");
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct http_conn *c = arg;

	(void)bev;
	if (what & BEV_EVENT_CONNECTED) {
		c->handshaking = false;
		set_state(c, CONN_HEAD);
		return;
	}
	/* The client is done sending but may still read: what it left unfinished is answered with
	 * 400, what is answered already goes out. */
	if ((what & BEV_EVENT_EOF) && (what & BEV_EVENT_READING) && !c->handshaking) {
		if (c->state == CONN_HEAD && evbuffer_get_length(bufferevent_get_input(c->bev)))
			conn_work(c);
		if (c->state == CONN_HEAD && !c->req &&
			evbuffer_get_length(bufferevent_get_input(c->bev))) {
			refuse_head(c, 400);
			return;
		}
		if (c->state == CONN_BODY && c->req) {
			refuse_body(c, 400);
			return;
		}
		if (evbuffer_get_length(bufferevent_get_output(c->bev)) && !c->req &&
			(c->state == CONN_HEAD || c->state == CONN_CLOSING)) {
			http_conn_close(c);
			return;
		}
	}
	http_conn_free(c);
}

/* --- time limits --- */

static void conn_tick(struct http_conn *c, int64_t now)
{
	const struct http_settings *set = &c->server->set;
	size_t out = evbuffer_get_length(bufferevent_get_output(c->bev));
	int64_t in_state_s = (now - c->state_us) / US_PER_S;
	bool partial =
		c->state == CONN_HEAD && evbuffer_get_length(bufferevent_get_input(c->bev)) > 0;

	if (!out || out != c->last_out) {
		c->last_out = out;
		c->last_write_us = now;
	}
	if (out && now - c->last_write_us > set->write_s * US_PER_S)
		goto late;
	if (c->server->draining && c->state == CONN_HEAD && !partial &&
		now >= c->server->drain_until_us) {
		http_conn_close(c);
		return;
	}
	switch (c->state) {
	case CONN_HEAD:
		if (partial && !c->head_began_us)
			c->head_began_us = now;
		if (!partial)
			c->head_began_us = 0;
		if (c->handshaking || c->fresh ? in_state_s >= set->header_s
			: partial              ? now - c->head_began_us >= set->header_s * US_PER_S
					       : in_state_s >= set->idle_s)
			goto late;
		break;
	case CONN_BODY:
		if (c->read_paused)
			break;
		if (in_state_s >= set->total_s ||
			(in_state_s >= set->body_s &&
				c->req->body_seen < (uint64_t)in_state_s * set->min_rate) ||
			(in_state_s >= 5 && in_state_s < set->body_s && c->req->body_seen == 0))
			goto late;
		break;
	case CONN_HANDLING:
		if (in_state_s >= set->total_s)
			goto late;
		break;
	case CONN_WEBSOCKET:
		ws_on_tick(c, now);
		break;
	case CONN_LINGERING:
		if (in_state_s >= LINGER_S)
			http_conn_free(c);
		break;
	case CONN_REPLYING:
	case CONN_CLOSING:
		break;
	}
	return;
late:
	counts.timeouts++;
	if (partial && !out)
		refuse_head(c, 408);
	else
		http_conn_free(c);
}

static void on_tick(void *arg)
{
	struct http_server *s = arg;
	int64_t now = clock_mono_us();
	struct list *next;

	for (struct list *n = s->conns.next; n != &s->conns; n = next) {
		next = n->next;
		conn_tick(list_entry(n, struct http_conn, node), now);
	}
	loop_timer_set(s->tick, s->draining ? US_PER_S / 10 : US_PER_S / 2);
}

/* --- accepting --- */

static void accept_again(void *arg)
{
	struct http_server *s = arg;

	if (s->listener && !s->draining)
		evconnlistener_enable(s->listener);
}

static void pause_accepting(struct http_server *s)
{
	counts.accept_pauses++;
	evconnlistener_disable(s->listener);
	loop_timer_set(s->resume_accept, 200000);
}

static void on_accept_error(struct evconnlistener *l, void *arg)
{
	static int64_t said_us;
	struct http_server *s = arg;

	(void)l;
	if (clock_mono_us() - said_us > 60 * US_PER_S) {
		said_us = clock_mono_us();
		log_error(NULL, "accept failed, pausing err=%s", strerror(errno));
	}
	pause_accepting(s);
}

static void name_peer(struct http_conn *c, const struct sockaddr *sa)
{
	const void *addr =
		sa->sa_family == AF_INET6
			? (const void *)&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr
			: (const void *)&((const struct sockaddr_in *)(const void *)sa)->sin_addr;

	if ((sa->sa_family != AF_INET && sa->sa_family != AF_INET6) ||
		!inet_ntop(sa->sa_family, addr, c->peer, sizeof(c->peer)))
		snprintf(c->peer, sizeof(c->peer), "local");
}

static void on_accept(
	struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct http_server *s = arg;
	struct http_conn *c;
	int one = 1;

	(void)l;
	(void)len;
	if (s->count >= (uint64_t)s->set.max_connections) {
		counts.refused++;
		close(fd);
		pause_accepting(s);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c = xcalloc(1, sizeof(*c));
	c->server = s;
	c->fresh = true;
	c->bev = s->tls ? bufferevent_openssl_socket_new(loop_base(), fd, SSL_new(s->tls),
				  BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
			: bufferevent_socket_new(loop_base(), fd, BEV_OPT_CLOSE_ON_FREE);
	bug_on(!c->bev);
	if (s->tls)
		bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
	c->handshaking = s->tls != NULL;
	name_peer(c, sa);
	list_add_tail(&s->conns, &c->node);
	s->count++;
	counts.connections++;
	counts.accepted++;
	c->last_write_us = clock_mono_us();
	set_state(c, CONN_HEAD);
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, READ_HIGH);
	bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static SSL_CTX *tls_new(const struct http_settings *set, const char **out_error)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	bug_on(!ctx);
	SSL_CTX_set_min_proto_version(ctx, set->tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
	SSL_CTX_set_options(ctx,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
	SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384");
	if (SSL_CTX_use_certificate_chain_file(ctx, set->cert_file) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, set->key_file, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_check_private_key(ctx) != 1) {
		*out_error = "certificate or key cannot be read, or they do not belong together";
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

struct http_server *http_server_new(int listen_fd, const struct http_settings *set,
	const struct http_handler *h, const char **out_error)
{
	struct http_server *s = xcalloc(1, sizeof(*s));

	s->fd = listen_fd;
	s->set = *set;
	s->h = h;
	list_init(&s->conns);
	if (set->cert_file && !(s->tls = tls_new(set, out_error))) {
		free(s);
		return NULL;
	}
	evutil_make_socket_nonblocking(listen_fd);
	s->listener =
		evconnlistener_new(loop_base(), on_accept, s, LEV_OPT_CLOSE_ON_EXEC, 0, listen_fd);
	if (!s->listener) {
		*out_error = "cannot listen";
		SSL_CTX_free(s->tls);
		free(s);
		return NULL;
	}
	evconnlistener_set_error_cb(s->listener, on_accept_error);
	s->resume_accept = loop_timer_new(accept_again, s);
	s->tick = loop_timer_new(on_tick, s);
	loop_timer_set(s->tick, US_PER_S / 2);
	return s;
}

bool http_server_reload_tls(struct http_server *s, const char **out_error)
{
	SSL_CTX *fresh = s->tls ? tls_new(&s->set, out_error) : NULL;

	if (!fresh)
		return !s->tls;
	SSL_CTX_free(s->tls); /* open connections hold their own reference */
	s->tls = fresh;
	return true;
}

int http_server_fd(const struct http_server *s)
{
	return s->fd;
}

void http_server_drain(struct http_server *s, int grace_ms, void (*on_empty)(void *arg), void *arg)
{
	s->draining = true;
	s->drain_until_us = clock_mono_us() + grace_ms * 1000LL;
	s->on_empty = on_empty;
	s->on_empty_arg = arg;
	if (s->listener) {
		evconnlistener_free(s->listener);
		s->listener = NULL;
		close(s->fd);
	}
	loop_timer_set(s->tick, 0);
	if (s->count == 0 && s->on_empty) {
		later_call(on_empty, arg);
		s->on_empty = NULL;
	}
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	s->on_empty = NULL;
	while (!list_is_empty(&s->conns))
		http_conn_free(list_entry(s->conns.next, struct http_conn, node));
	if (s->listener) {
		evconnlistener_free(s->listener);
		close(s->fd);
	}
	loop_timer_free(s->resume_accept);
	loop_timer_free(s->tick);
	SSL_CTX_free(s->tls);
	free(s);
}
