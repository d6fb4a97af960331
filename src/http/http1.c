/* SPDX-License-Identifier: Apache-2.0
 * HTTP/1.1 on a connection: one request at a time, so pipelined requests are answered in order, and
 * the read watermark gives back-pressure. */
#include "conn.h"
#include "base/clock.h"
#include "loop/loop.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The limit on all bodies of unknown senders together, however many addresses they come from. */
#define GUEST_BODIES_MAX (32 * 1024 * 1024)
/* Logins are smaller than this, and are still accepted when no larger body is. */
#define GUEST_BODY_SMALL 4096
#define AT_ONCE 8 /* pipelined requests processed before other connections get their turn */

void http1_set_state(struct http_conn *c, enum http1_state s)
{
	c->http1.state = s;
	c->http1.state_us = clock_mono_us();
}

bool http1_has_body(const struct http_conn *c)
{
	return c->http1.chunk.done && (c->http1.req->head.chunked || c->http1.body_left == 0);
}

/* --- ending a request --- */

static void request_free(struct http_request *r)
{
	if (!r)
		return;
	if (r->guest)
		http_count.guest_bytes -= r->body.n;
	free(r->head_bytes);
	buf_free(&r->body);
	arena_free(&r->arena);
	later_free(r);
}

/* Detach the request from its connection. */
static struct http_request *take_request(struct http_conn *c)
{
	struct http_request *r = c->http1.req;

	c->http1.req = NULL;
	c->http1.on_drain = NULL;
	if (c->http1.file) {
		close(c->http1.file->fd);
		free(c->http1.file);
		c->http1.file = NULL;
	}
	return r;
}

static void request_done(struct http_conn *c)
{
	struct http_request *r = take_request(c);

	c->server->h->on_done(r);
	request_free(r);
}

void http1_replied(struct http_conn *c)
{
	request_done(c);
	http_conn_disown(c, HTTP_OWNER_GUEST); /* it was not upgraded */
	if (c->proxy) /* the proxy's next request can be another client's */
		http_conn_disown_all(c);
	if (c->http1.close_after || c->server->draining) {
		http1_set_state(c, HTTP1_OVER);
		http_conn_close(c);
		return;
	}
	http1_set_state(c, HTTP1_HEAD);
	/* The reply was given on another turn: the next request may already be in the input. */
	if (!c->http1.working)
		http_conn_look_again(c);
}

struct http_conn *http1_hand_over(
	struct http_request *r, int status, const struct http_protocol *protocol, void *state)
{
	struct http_conn *c = r->conn;

	r->status = status;
	request_done(c);
	http1_set_state(c, HTTP1_OVER);
	c->protocol = protocol;
	c->upgraded = state;
	http_conn_look_again(c);
	return c;
}

/* --- reading --- */

void http_date(int64_t s, char out[HTTP_DATE_MAX])
{
	static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t y;
	unsigned m, d;

	civil_from_days(s / 86400, &y, &m, &d);
	snprintf(out, HTTP_DATE_MAX, "%s, %02u %s %04d %02d:%02d:%02d GMT",
		days[weekday_from_days(s / 86400)], d % 100u, months[(m - 1) % 12],
		(int)(y % 10000), (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
}

const char *http_date_line(void)
{
	static char line[HTTP_DATE_MAX + 8];
	static int64_t made_s;
	char date[HTTP_DATE_MAX];
	int64_t s = clock_now_us() / US_PER_S;

	if (s == made_s)
		return line;
	made_s = s;
	http_date(s, date);
	snprintf(line, sizeof(line), "Date: %s\r\n", date);
	return line;
}

/* Answer STATUS without asking the handler, then close, because the following bytes cannot be
 * interpreted as a request. */
static void refuse(struct http_conn *c, int status)
{
	struct http_request *r = c->http1.req;
	struct buf b = { 0 }, body = { 0 };

	c->server->h->refusal(r, status, &body);
	buf_addf(&b, "HTTP/1.1 %d %s\r\n%s%s%s%sContent-Length: %zu\r\nConnection: close\r\n\r\n",
		status, http_reason(status), http_date_line(), http_every_reply(c->server),
		"Content-Type: application/json; charset=utf-8\r\n",
		status == 503 ? "Retry-After: 5\r\n" : "", body.n);
	if (!r || r->head.method != HTTP_HEAD)
		buf_add(&b, body.p, body.n);
	bufferevent_write(c->bev, b.p, b.n);
	buf_free(&b);
	c->linger = true;
	if (r) {
		r->status = status;
		r->sent_bytes = body.n;
		request_done(c);
	}
	buf_free(&body);
	http1_set_state(c, HTTP1_OVER);
	http_conn_close(c);
}

static void refuse_head(struct http_conn *c, int status)
{
	http_count.parse_errors++;
	http_conn_drop_input(c);
	refuse(c, status);
}

/* Take a head from the input into a new request. Returns false if more bytes are needed or the
 * connection ended. */
static bool read_head(struct http_conn *c)
{
	struct evbuffer *in = http_conn_input(c);
	size_t n = evbuffer_get_length(in), want = n < HTTP_HEAD_MAX + 1 ? n : HTTP_HEAD_MAX + 1;
	size_t there = evbuffer_get_contiguous_space(in);
	static struct http_head head;
	struct http_request *r;
	const char *p;
	int used = 0;

	if (!n)
		return false;
	/* The head usually is in one piece, and joining the pieces would copy all pipelined
	 * requests. */
	if (there < want) {
		p = (const char *)evbuffer_pullup(in, (ev_ssize_t)there);
		used = http_parse_head(p, there, &head);
	}
	if (used == 0) {
		p = (const char *)evbuffer_pullup(in, (ev_ssize_t)want);
		used = http_parse_head(p, want, &head);
	}
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
	c->http1.req = r;
	c->http1.close_after = !head.keep_alive;
	c->http1.fresh = false;
	c->http1.head_began_us = 0;
	return true;
}

static void ask_for_body(struct http_conn *c)
{
	c->http1.held = false;
	if (c->http1.req->head.expect_continue &&
		(c->http1.req->head.chunked || c->http1.body_left))
		bufferevent_write(c->bev, "HTTP/1.1 100 Continue\r\n\r\n", 25);
}

static bool begin_body(struct http_conn *c)
{
	struct http_request *r = c->http1.req;
	enum http_body how;

	http1_set_state(c, HTTP1_BODY);
	c->http1.body_pace = (struct http_pace){ c->http1.state_us, 0 };
	c->http1.body_max = 0;
	c->http1.body_left = r->head.length;
	c->http1.chunk = (struct http_chunked){ .done = !r->head.chunked };
	how = c->server->h->on_head(r, &c->http1.body_max);
	if (how == HTTP_BODY_REPLIED)
		return false;
	c->http1.stream = how == HTTP_BODY_STREAM;
	if (!c->http1.stream && r->head.has_length && r->head.length > c->http1.body_max) {
		refuse(c, 413);
		return false;
	}
	if (how == HTTP_BODY_HOLD)
		c->http1.held = true;
	else
		ask_for_body(c);
	return true;
}

/* Pass on a run of body bytes. Returns false if the request has ended. */
static bool give_body(struct http_conn *c, const char *p, size_t n)
{
	struct http_request *r = c->http1.req;

	r->body_seen += n;
	if (c->http1.stream) {
		c->server->h->on_piece(r, p, n);
		return c->http1.req == r;
	}
	if (r->body_seen > c->http1.body_max) {
		refuse(c, 413);
		return false;
	}
	if (r->guest && r->body_seen > GUEST_BODY_SMALL &&
		http_count.guest_bytes + n > GUEST_BODIES_MAX) {
		http_count.guest_refused++;
		refuse(c, 503);
		return false;
	}
	http_count.guest_bytes += r->guest ? n : 0;
	buf_add(&r->body, p, n);
	return true;
}

static bool read_body(struct http_conn *c)
{
	struct evbuffer *in = http_conn_input(c);

	while (!http1_has_body(c) && !c->http1.held) {
		size_t n = evbuffer_get_contiguous_space(in), data_n = 0;
		const char *p = n ? (const char *)evbuffer_pullup(in, (ev_ssize_t)n) : NULL,
			   *data = p;
		int64_t used;

		if (!n)
			return false;
		if (c->http1.req->head.chunked) {
			used = http_chunked_next(&c->http1.chunk, p, n, &data, &data_n);
			if (used < 0) {
				refuse(c, 400);
				return false;
			}
		} else {
			data_n = n < c->http1.body_left ? n : (size_t)c->http1.body_left;
			used = (int64_t)data_n;
			c->http1.body_left -= data_n;
		}
		if (data_n && !give_body(c, data, data_n))
			return false;
		evbuffer_drain(in, (size_t)used);
	}
	return http1_has_body(c);
}

/* The peer sends nothing more. An unfinished request is answered with 400; replies in progress are
 * completed. */
static void finish(struct http_conn *c)
{
	switch (c->http1.state) {
	case HTTP1_HEAD:
		if (evbuffer_get_length(http_conn_input(c)))
			refuse_head(c, 400);
		else if (evbuffer_get_length(http_conn_output(c)))
			http_conn_close(c);
		else
			http_conn_free(c);
		break;
	case HTTP1_BODY:
		if (c->http1.held)
			http_conn_free(c);
		else
			refuse(c, 400);
		break;
	case HTTP1_HANDLING: /* the client has probably left */
		http_conn_free(c);
		break;
	case HTTP1_REPLYING:
		c->http1.close_after = true;
		break;
	case HTTP1_OVER:
		break;
	}
}

/* Process the input, request after request, until bytes are missing, the output is full or the
 * handler is busy. Returns true if it will be called again. */
static bool take_input(struct http_conn *c)
{
	for (int n = 0;; n++) {
		if (c->http1.state == HTTP1_HEAD) {
			if (http_conn_hold(c))
				return true;
			if (n == AT_ONCE) {
				http_conn_look_again(c);
				return true;
			}
			if (!read_head(c))
				return false;
			if (!begin_body(c))
				continue; /* already answered: continue with the next head, or close
					   */
		}
		if (c->http1.state != HTTP1_BODY || !read_body(c))
			return false;
		http1_set_state(c, HTTP1_HANDLING);
		c->server->h->on_request(c->http1.req);
	}
}

static void on_input(struct http_conn *c)
{
	bool again;

	c->http1.working = true;
	again = take_input(c);
	c->http1.working = false;
	if (c->ended && !again)
		finish(c);
}

void http_resume(struct http_request *r)
{
	if (!r->conn || !r->conn->http1.held)
		return;
	ask_for_body(r->conn);
	http_conn_look_again(r->conn);
}

/* --- the protocol --- */

static void on_open(struct http_conn *c)
{
	c->http1.fresh = true;
	http1_set_state(c, HTTP1_HEAD);
}

static void on_room(struct http_conn *c)
{
	if (c->http1.state == HTTP1_REPLYING && c->http1.on_drain && c->http1.req)
		c->http1.on_drain(c->http1.req);
}

static void on_end(struct http_conn *c)
{
	if (c->http1.state == HTTP1_HEAD)
		on_input(c);
	else
		finish(c);
}

static bool is_late_with_head(struct http_conn *c, bool partial, int64_t now)
{
	const struct http_settings *set = &c->server->set;
	int64_t in_state_s = (now - c->http1.state_us) / US_PER_S;

	if (!partial)
		c->http1.head_began_us = 0;
	else if (!c->http1.head_began_us)
		c->http1.head_began_us = now;
	if (c->http1.fresh)
		return in_state_s >= set->header_s;
	return partial ? now - c->http1.head_began_us >= set->header_s * US_PER_S
		       : in_state_s >= set->idle_s;
}

static bool is_late_with_body(struct http_conn *c, int64_t now, int64_t lost_us)
{
	const struct http_settings *set = &c->server->set;
	int64_t s = (now - c->http1.state_us) / US_PER_S;
	uint64_t seen = c->http1.req->body_seen;

	if (c->http1.held) {
		c->http1.body_pace.since_us = 0;
		return false;
	}
	return s >= set->total_s || (s >= 5 && s < set->body_s && seen == 0) ||
	       http_pace_is_slow(
		       &c->http1.body_pace, now, lost_us, seen, set->min_rate, set->body_s);
}

static void tick_head(struct http_conn *c, int64_t now)
{
	bool partial = evbuffer_get_length(http_conn_input(c)) > 0;

	if (c->server->draining && !partial && now >= c->server->drain_until_us) {
		http_conn_close(c);
	} else if (evbuffer_get_length(http_conn_output(c))) {
		/* the last reply is still being sent, which has a limit of its own */
		http1_set_state(c, HTTP1_HEAD);
		c->http1.head_began_us = 0;
	} else if (is_late_with_head(c, partial, now)) {
		if (partial) {
			http_count.timeouts++;
			refuse_head(c, 408);
		} else {
			http_conn_end_late(c);
		}
	}
}

static void on_tick(struct http_conn *c, int64_t now, int64_t lost_us)
{
	switch (c->http1.state) {
	case HTTP1_HEAD:
		tick_head(c, now);
		break;
	case HTTP1_BODY:
		if (is_late_with_body(c, now, lost_us)) {
			http_count.timeouts++;
			refuse(c, 408);
		}
		break;
	case HTTP1_HANDLING:
		if (now - c->http1.state_us >= c->server->set.total_s * US_PER_S)
			http_conn_end_late(c);
		break;
	case HTTP1_REPLYING:
	case HTTP1_OVER:
		break;
	}
}

static void on_gone(struct http_conn *c)
{
	struct http_request *r = take_request(c);

	if (!r)
		return;
	r->conn = NULL;
	c->server->h->on_gone(r);
	request_free(r);
}

const struct http_protocol http1_protocol = { on_open, on_input, on_room, on_end, on_tick,
	on_gone };
