/* SPDX-License-Identifier: Apache-2.0
 * Connections. One request at a time on each, so pipelined ones are answered in order and
 * back-pressure is the read watermark. */
#include "conn.h"
#include "base/clock.h"
#include "loop/loop.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define READ_HIGH (64 * 1024)
#define LINGER_S 2

void http_conn_set_state(struct http_conn *c, enum http_conn_state s)
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
	http_count.connections--;
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
	http_conn_set_state(c, CONN_LINGERING);
	bufferevent_setwatermark(c->bev, EV_READ, 0, 0);
	bufferevent_enable(c->bev, EV_READ);
}

void http_conn_close(struct http_conn *c)
{
	http_conn_set_state(c, CONN_CLOSING);
	bufferevent_disable(c->bev, EV_READ);
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
		conn_flushed(c);
}

static void drop_input(struct http_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	evbuffer_drain(in, evbuffer_get_length(in));
}

void http_conn_replied(struct http_conn *c)
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
	http_conn_set_state(c, CONN_HEAD);
	/* A reply that came on another turn: the next request may already wait in the input. */
	if (!c->working)
		bufferevent_trigger(
			c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

bool http_conn_has_body(const struct http_conn *c)
{
	return c->chunk.done && (c->req->head.chunked || c->body_left == 0);
}

/* --- reading --- */

/* A head we cannot accept: answer in plain, then close. */
static void refuse_head(struct http_conn *c, int status)
{
	char line[160];
	int n = snprintf(line, sizeof(line),
		"HTTP/1.1 %d %s\r\n%sContent-Length: 0\r\nConnection: close\r\n\r\n", status,
		http_reason(status), http_date_line());

	http_count.parse_errors++;
	drop_input(c);
	bufferevent_write(c->bev, line, (size_t)n);
	c->linger = true;
	http_conn_close(c);
}

static void refuse_body(struct http_conn *c, int status)
{
	const char *text = status == 413 ? "{\"code\":41004,\"message\":\"body too large\"}"
					 : "{\"code\":40002,\"message\":\"malformed body\"}";

	c->close_after = c->linger = true;
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

	http_conn_set_state(c, CONN_BODY);
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

	while (!http_conn_has_body(c) && !c->read_paused) {
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
	return http_conn_has_body(c);
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
		http_conn_set_state(c, CONN_HANDLING);
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
		http_conn_set_state(c, CONN_HEAD);
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

void http_conn_begin(struct http_conn *c)
{
	c->last_write_us = clock_mono_us();
	http_conn_set_state(c, CONN_HEAD);
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, READ_HIGH);
	bufferevent_setwatermark(c->bev, EV_WRITE, 0, 0);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* --- time limits --- */

void http_conn_tick(struct http_conn *c, int64_t now)
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
	http_count.timeouts++;
	if (partial && !out)
		refuse_head(c, 408);
	else
		http_conn_free(c);
}
