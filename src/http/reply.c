/* SPDX-License-Identifier: Apache-2.0
 * Replies: complete, in pieces with back-pressure, or from a file, part by part. */
#include "conn.h"
#include "base/clock.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <unistd.h>

static void put_head(
	struct http_conn *c, struct buf *b, int status, const char *type, const char *extra)
{
	c->http1.req->status = status;
	/* An error while the body is still arriving: the following bytes cannot be told from a next
	 * request. */
	if (c->http1.state == HTTP1_BODY && !http1_has_body(c))
		c->linger = c->http1.close_after = true;
	buf_adds(b, "HTTP/1.1 ");
	buf_add_int(b, status);
	buf_addc(b, ' ');
	buf_adds(b, http_reason(status));
	buf_adds(b, "\r\n");
	buf_adds(b, http_date_line());
	buf_adds(b, http_every_reply(c->server));
	if (type) {
		buf_adds(b, "Content-Type: ");
		buf_adds(b, type);
		buf_adds(b, "\r\n");
	}
	if (extra)
		buf_adds(b, extra);
	if (c->http1.close_after || c->server->draining)
		buf_adds(b, "Connection: close\r\n");
	else if (c->http1.req->head.minor == 0)
		buf_adds(b, "Connection: keep-alive\r\n");
}

static bool has_body(const struct http_conn *c, int status)
{
	return c->http1.req->head.method != HTTP_HEAD && status != 204 && status != 304 &&
	       status >= 200;
}

static void finish_head(struct http_conn *c, struct buf *b, int status, uint64_t n)
{
	if (status != 204 && status >= 200 && status != 304) {
		buf_adds(b, "Content-Length: ");
		buf_add_int(b, (int64_t)n);
		buf_adds(b, "\r\n");
	}
	buf_adds(b, "\r\n");
	c->http1.req->sent_bytes = n;
}

void http_reply(struct http_request *r, int status, const char *type, const char *extra,
	const void *body, size_t n)
{
	struct http_conn *c = r->conn;
	static struct buf
		b; /* one reply is built at a time; the buffer is kept to save allocations */

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
	http1_replied(c);
}

void http_reply_lasting(struct http_request *r, int status, const char *type, const char *extra,
	const void *body, size_t n)
{
	struct http_conn *c = r->conn;
	struct buf b = { 0 };

	if (!c)
		return;
	put_head(c, &b, status, type, extra);
	finish_head(c, &b, status, n);
	bufferevent_write(c->bev, b.p, b.n);
	buf_free(&b);
	if (has_body(c, status) && n)
		evbuffer_add_reference(http_conn_output(c), body, n, NULL, NULL);
	http1_replied(c);
}

void http_reply_start(struct http_request *r, int status, const char *type, const char *extra,
	int64_t length, void (*on_drain)(struct http_request *r))
{
	struct http_conn *c = r->conn;
	struct buf b = { 0 };

	if (!c)
		return;
	c->http1.sized_reply = length >= 0;
	c->http1.reply_left = length >= 0 ? (uint64_t)length : 0;
	c->http1.chunked_reply = length < 0 && r->head.minor == 1;
	c->http1.head_only = r->head.method == HTTP_HEAD;
	if (length < 0 && !c->http1.chunked_reply)
		c->http1.close_after = true;
	put_head(c, &b, status, type, extra);
	if (length >= 0)
		finish_head(c, &b, status, (uint64_t)length);
	else
		buf_adds(
			&b, c->http1.chunked_reply ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
	bufferevent_write(c->bev, b.p, b.n);
	buf_free(&b);
	r->sent_bytes = 0;
	c->http1.on_drain = on_drain;
	http1_set_state(c, HTTP1_REPLYING);
}

static bool has_room(const struct http_conn *c)
{
	return evbuffer_get_length(http_conn_output(c)) < HTTP_OUT_MAX;
}

bool http_reply_piece(struct http_request *r, const void *p, size_t n)
{
	struct http_conn *c = r->conn;
	struct evbuffer *out;

	if (!c)
		return false;
	out = http_conn_output(c);
	if (c->http1.sized_reply) {
		n = n < c->http1.reply_left ? n : (size_t)c->http1.reply_left;
		c->http1.reply_left -= n;
	}
	r->sent_bytes += n;
	if (n && !c->http1.head_only) {
		if (c->http1.chunked_reply)
			evbuffer_add_printf(out, "%zx\r\n", n);
		evbuffer_add(out, p, n);
		if (c->http1.chunked_reply)
			evbuffer_add(out, "\r\n", 2);
	}
	return has_room(c);
}

void http_reply_end(struct http_request *r)
{
	struct http_conn *c = r->conn;

	if (!c)
		return;
	if (c->http1.reply_left && !c->http1.head_only)
		c->http1.close_after = true; /* cut */
	if (c->http1.chunked_reply && !c->http1.head_only)
		bufferevent_write(c->bev, "0\r\n\r\n", 5);
	http1_replied(c);
}

void http_reply_cut(struct http_request *r)
{
	struct http_conn *c = r->conn;

	if (!c)
		return;
	c->http1.close_after = true;
	http1_replied(c);
}

/* Write parts of the file while there is room. The last one ends the reply. */
static void send_file(struct http_request *r)
{
	struct http_conn *c = r->conn;
	struct http_file *f = c->http1.file;
	static char part[16384];

	while (c->http1.reply_left && has_room(c)) {
		size_t n = c->http1.reply_left < sizeof(part) ? (size_t)c->http1.reply_left
							      : sizeof(part);
		ssize_t got = pread(f->fd, part, n, (off_t)f->at);

		if (got <= 0) { /* the file was truncated meanwhile */
			http_reply_cut(r);
			return;
		}
		f->at += (uint64_t)got;
		(void)http_reply_piece(r, part, (size_t)got);
	}
	if (!c->http1.reply_left)
		http_reply_end(r);
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
	buf_adds(&b, extra);
	buf_adds(&b, "Accept-Ranges: bytes\r\n");
	if (status == 206)
		buf_addf(&b, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)from,
			(unsigned long long)to, (unsigned long long)size);
	http_reply_start(r, status, type, buf_cstr(&b), (int64_t)n, send_file);
	buf_free(&b);
	c->http1.file = xmalloc(sizeof(*c->http1.file));
	*c->http1.file = (struct http_file){ fd, from };
	if (c->http1.head_only)
		c->http1.reply_left = 0;
	send_file(r);
}

void http_close_after(struct http_request *r)
{
	if (r->conn)
		r->conn->http1.close_after = true;
}
