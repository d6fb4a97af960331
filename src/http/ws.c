/* SPDX-License-Identifier: Apache-2.0
 * WebSockets. wslay does the framing. Its context (8.8 kB) exists only while a message is partly
 * read, because an idle client must be cheap: complete frames are awaited in the connection's own
 * buffer first. Outgoing frames are built once and shared. */
#include "conn.h"
#include "base/magic.h"
#include "ws_frame.h"
#include "base/clock.h"
#include "loop/loop.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <wslay/wslay.h>
#include <zlib.h>

#define FRAGMENTS_MAX 256

struct ws {
	uint32_t magic;
	struct http_conn *conn;
	const struct ws_handler *h;
	void *user;
	wslay_event_context_ptr ctx;
	const uint8_t *in; /* the frame being processed */
	size_t in_n;
	int64_t seen_us;
	size_t fragments; /* of the message that is being received */
	bool deflate, fragmented, closing;
};
MAGIC(ws, 0x84796d93);

void *ws_user(struct ws *ws)
{
	return ws->user;
}

bool ws_count_user(struct ws *ws, struct str user)
{
	struct http_conn *c = ws->conn;

	http_conn_disown(c, HTTP_OWNER_GUEST);
	return http_conn_own(c, HTTP_OWNER_USER, user, (uint64_t)c->server->set.user_connections);
}

int64_t ws_last_seen_us(const struct ws *ws)
{
	return ws->seen_us;
}

/* --- handshake --- */

static bool accept_key(struct str key, char out[29])
{
	static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char bytes[64], digest[20];
	char joined[24 + sizeof(magic)];

	if (key.n != 24 || EVP_DecodeBlock(bytes, (const unsigned char *)key.p, 24) != 18)
		return false;
	memcpy(joined, key.p, 24);
	memcpy(joined + 24, magic, sizeof(magic));
	EVP_Digest(joined, 24 + sizeof(magic) - 1, digest, NULL, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)out, digest, 20);
	return true;
}

/* Can we accept this offer with both no_context_takeover and default windows? */
static bool offer_fits(struct str offer)
{
	bool first = true;

	while (offer.n) {
		const char *semi = str_chr(offer, ';');
		struct str item = { offer.p, semi ? (size_t)(semi - offer.p) : offer.n };

		while (item.n && item.p[0] == ' ')
			item.p++, item.n--;
		while (item.n && item.p[item.n - 1] == ' ')
			item.n--;
		if (first && !str_case_is(item, "permessage-deflate"))
			return false;
		if (!first && !str_case_is(item, "server_no_context_takeover") &&
			!str_case_is(item, "client_no_context_takeover") &&
			!(item.n >= 22 && strncasecmp(item.p, "client_max_window_bits", 22) == 0))
			return false;
		first = false;
		if (!semi)
			break;
		offer.n -= item.n ? (size_t)(semi - offer.p) + 1 : 1;
		offer.p = semi + 1;
	}
	return !first;
}

static bool wants_deflate(const struct http_head *h)
{
	for (int i = 0; i < h->headers; i++) {
		struct str v = h->header[i].value;

		if (!str_case_is(h->header[i].name, "sec-websocket-extensions"))
			continue;
		while (v.n) {
			const char *comma = str_chr(v, ',');
			struct str offer = { v.p, comma ? (size_t)(comma - v.p) : v.n };

			if (offer_fits(offer))
				return true;
			if (!comma)
				break;
			v = (struct str){ comma + 1, v.n - offer.n - 1 };
		}
	}
	return false;
}

static const struct http_protocol ws_protocol;

/* Refuse a request that is not the handshake of a WebSocket. */
static void refuse(struct http_request *r, int status, const char *header)
{
	struct buf b = { 0 };

	r->conn->server->h->refusal(r, status, &b);
	http_reply(r, status, "application/json; charset=utf-8", header, b.p, b.n);
	buf_free(&b);
}

struct ws *ws_accept(struct http_request *r, const struct ws_handler *h, void *user)
{
	struct http_conn *c = r->conn;
	char key[29];
	struct ws *ws;
	struct buf b = { 0 };

	if (!r->head.upgrade_websocket) {
		refuse(r, 426, "Upgrade: websocket\r\n");
		return NULL;
	}
	if (!str_is(http_header_find(&r->head, "sec-websocket-version"), "13") ||
		!accept_key(http_header_find(&r->head, "sec-websocket-key"), key)) {
		http_close_after(r); /* what follows may be frames */
		refuse(r, 400, "Sec-WebSocket-Version: 13\r\n");
		return NULL;
	}
	ws = xcalloc(1, sizeof(*ws));
	*ws = (struct ws){ .magic = ws_magic,
		.conn = c,
		.h = h,
		.user = user,
		.seen_us = clock_mono_us(),
		.deflate = wants_deflate(&r->head) };
	buf_addf(&b,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
		"Upgrade\r\n%sSec-WebSocket-Accept: %s\r\n%s\r\n",
		http_every_reply(c->server), key,
		ws->deflate ? "Sec-WebSocket-Extensions: permessage-deflate; "
			      "server_no_context_takeover; client_no_context_takeover\r\n"
			    : "");
	bufferevent_write(c->bev, b.p, b.n);
	buf_free(&b);
	http1_hand_over(r, 101, &ws_protocol, ws);
	c->linger = true;
	bufferevent_setwatermark(c->bev, EV_READ, 0, h->max_message + 64);
	return ws;
}

/* --- sending --- */

size_t ws_queued(const struct ws *ws)
{
	return evbuffer_get_length(http_conn_output(ws->conn));
}

/* Write as much of V as the socket takes at once, and return the number of bytes. Errors are
 * reported by the connection's own events. */
static size_t write_now(struct ws *ws, struct iovec *v, size_t n)
{
	struct msghdr m = { .msg_iov = v, .msg_iovlen = n };
	ssize_t sent = sendmsg(bufferevent_getfd(ws->conn->bev), &m, MSG_DONTWAIT | MSG_NOSIGNAL);

	return sent > 0 ? (size_t)sent : 0;
}

bool ws_send(struct ws *ws, struct ws_frame *const *frames, size_t n, size_t limit)
{
	struct evbuffer *out = http_conn_output(ws->conn);
	struct iovec v[WS_SEND_MAX];
	size_t sent = 0;

	bug_on(n > WS_SEND_MAX);
	if (ws->closing)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct str b = ws_frame_bytes(frames[i], ws->deflate);

		v[i] = (struct iovec){ (char *)(uintptr_t)b.p, b.n };
	}
	/* Going through the buffer costs two more epoll_ctl calls per frame. */
	if (!evbuffer_get_length(out) && !http_conn_ssl(ws->conn))
		sent = write_now(ws, v, n);
	for (size_t i = 0; i < n; i++) {
		struct str b = { v[i].iov_base, v[i].iov_len };

		if (sent >= b.n) {
			sent -= b.n;
			continue;
		}
		if (!sent && evbuffer_get_length(out) + b.n > limit)
			return false;
		ws_frame_queue(out, frames[i], (struct str){ b.p + sent, b.n - sent });
		sent = 0;
	}
	return true;
}

static void send_control(struct ws *ws, unsigned opcode, const void *p, size_t n)
{
	unsigned char head[10];

	bufferevent_write(ws->conn->bev, head, ws_put_frame_head(head, 0x80 | opcode, n));
	if (n)
		bufferevent_write(ws->conn->bev, p, n);
}

void ws_ping(struct ws *ws)
{
	if (!ws->closing)
		send_control(ws, 9, NULL, 0);
}

void ws_close(struct ws *ws, uint16_t code, const char *reason)
{
	unsigned char p[125];
	size_t n = strlen(reason);

	if (ws->closing)
		return;
	n = n > 123 ? 123 : n;
	p[0] = (unsigned char)(code >> 8);
	p[1] = (unsigned char)code;
	memcpy(p + 2, reason, n);
	send_control(ws, 8, p, n + 2);
	ws->closing = true;
}

/* --- receiving --- */

static ssize_t feed_wslay(
	wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *user)
{
	struct ws *ws = magic_cast(ws, user);
	size_t n = ws->in_n < len ? ws->in_n : len;

	(void)flags;
	if (!n) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(buf, ws->in, n);
	ws->in += n;
	ws->in_n -= n;
	return (ssize_t)n;
}

static ssize_t send_wslay(
	wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags, void *user)
{
	struct ws *ws = magic_cast(ws, user);

	(void)ctx;
	(void)flags;
	bufferevent_write(ws->conn->bev, data, len);
	return (ssize_t)len;
}

/* Inflate a message. Returns false if it is broken or longer than MAX. */
static bool inflate_message(const uint8_t *p, size_t n, size_t max, struct buf *out)
{
	static const unsigned char tail[4] = { 0, 0, 0xff, 0xff };
	z_stream z = { 0 };
	int err = Z_OK;

	if (inflateInit2(&z, -15) != Z_OK)
		return false;
	for (int part = 0; part < 2 && err == Z_OK; part++) {
		z.next_in = part ? (Bytef *)(uintptr_t)tail : (Bytef *)(uintptr_t)p;
		z.avail_in = part ? 4 : (uInt)n;
		do {
			buf_reserve(out, 16384);
			z.next_out = (Bytef *)out->p + out->n;
			z.avail_out = 16384;
			err = inflate(&z, Z_SYNC_FLUSH);
			out->n += 16384 - z.avail_out;
			if (err == Z_BUF_ERROR)
				err = Z_OK;
		} while (err == Z_OK && z.avail_out == 0 && out->n <= max);
	}
	inflateEnd(&z);
	return (err == Z_OK || err == Z_STREAM_END) && out->n <= max;
}

static void on_wslay_message(
	wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *m, void *user)
{
	struct ws *ws = magic_cast(ws, user);
	struct buf plain = { 0 };

	(void)ctx;
	if (wslay_is_ctrl_frame(m->opcode) || ws->closing)
		return;
	if (!(m->rsv & WSLAY_RSV1_BIT)) {
		ws->h->on_message(ws, m->msg ? (const char *)m->msg : "", m->msg_length,
			m->opcode == WSLAY_BINARY_FRAME);
		return;
	}
	if (!inflate_message(m->msg, m->msg_length, ws->h->max_message, &plain))
		ws_close(ws, plain.n > ws->h->max_message ? 1009 : 1007, "");
	else if (m->opcode == WSLAY_TEXT_FRAME && !utf8_is_valid(plain.p, plain.n))
		ws_close(ws, 1007, "");
	else
		ws->h->on_message(
			ws, plain.p ? plain.p : "", plain.n, m->opcode == WSLAY_BINARY_FRAME);
	buf_free(&plain);
}

static void context_new(struct ws *ws)
{
	static const struct wslay_event_callbacks cb = { feed_wslay, send_wslay, NULL, NULL, NULL,
		NULL, on_wslay_message };

	bug_on(wslay_event_context_server_init(&ws->ctx, &cb, ws) != 0);
	wslay_event_config_set_max_recv_msg_length(ws->ctx, ws->h->max_message);
	if (ws->deflate)
		wslay_event_config_set_allowed_rsv_bits(ws->ctx, WSLAY_RSV1_BIT);
}

/* The length of the first frame in the N bytes at P; 0 if its head is not complete. */
static uint64_t frame_length(const unsigned char *p, size_t n)
{
	uint64_t len;
	size_t head = 2;

	if (n < 2)
		return 0;
	len = p[1] & 0x7f;
	if (len == 126) {
		head = 4;
		if (n < 4)
			return 0;
		len = (uint64_t)p[2] << 8 | p[3];
	} else if (len == 127) {
		head = 10;
		if (n < 10)
			return 0;
		len = 0;
		for (int i = 2; i < 10; i++)
			len = len << 8 | p[i];
		if (len >> 63)
			return UINT64_MAX;
	}
	return head + (p[1] & 0x80 ? 4 : 0) + len;
}

/* wslay keeps each fragment by itself, an empty one too. An honest client sends few. */
static bool too_many_fragments(struct ws *ws, unsigned opcode)
{
	if (opcode >= 8)
		return false;
	ws->fragments = opcode == WSLAY_CONTINUATION_FRAME ? ws->fragments + 1 : 0;
	return ws->fragments > FRAGMENTS_MAX + ws->h->max_message / 64;
}

static void feed_frame(struct ws *ws, const unsigned char *p, size_t n)
{
	unsigned opcode = p[0] & 15;

	if (too_many_fragments(ws, opcode)) {
		ws_close(ws, 1009, "");
		return;
	}
	if (!ws->ctx)
		context_new(ws);
	if (opcode < 8)
		ws->fragmented = !(p[0] & 0x80);
	ws->in = p;
	ws->in_n = n;
	if (wslay_event_recv(ws->ctx) != 0)
		ws_close(
			ws, 1002, ""); /* a close frame queued by wslay itself would have no code */
	else if (wslay_event_want_write(ws->ctx))
		wslay_event_send(ws->ctx);
	if (wslay_event_get_close_received(ws->ctx) || wslay_event_get_close_sent(ws->ctx))
		ws->closing = true;
	if (!ws->fragmented || ws->closing) {
		wslay_event_context_free(ws->ctx);
		ws->ctx = NULL;
	}
}

/* Do the first two bytes of a frame break a rule of RFC 6455, section 5, or RFC 7692, section 6? */
static bool head_is_broken(const struct ws *ws, const unsigned char *head)
{
	unsigned opcode = head[0] & 15, n = head[1] & 0x7f;
	bool control = opcode >= 8, masked = head[1] & 0x80, last = head[0] & 0x80;
	bool deflated = head[0] & 0x40;

	return (head[0] & 0x30) || !masked ||
	       (deflated && (!ws->deflate || control || opcode == WSLAY_CONTINUATION_FRAME)) ||
	       (control && (n > 125 || !last)) || (opcode == WSLAY_CONNECTION_CLOSE && n == 1);
}

static void on_input(struct http_conn *c)
{
	struct ws *ws = c->upgraded;
	struct evbuffer *in = http_conn_input(c);
	unsigned char head[14];

	ws->seen_us = clock_mono_us();
	/* Messages and pings get replies, so read no more of them while the output is full. */
	while (!ws->closing && evbuffer_get_length(in) && !http_conn_hold(c)) {
		ssize_t got = evbuffer_copyout(in, head, sizeof(head));
		uint64_t n = frame_length(head, got > 0 ? (size_t)got : 0);

		if (n > ws->h->max_message + 14) {
			ws_close(ws, 1009, "message too large");
			break;
		}
		/* A frame whose first two bytes break the rules need not be awaited. */
		if (got >= 2 && head_is_broken(ws, head)) {
			ws_close(ws, 1002, "");
			break;
		}
		if (!n || evbuffer_get_length(in) < n)
			break;
		feed_frame(ws, evbuffer_pullup(in, (ev_ssize_t)n), (size_t)n);
		evbuffer_drain(in, (size_t)n);
	}
	if (ws->closing)
		http_conn_close(c); /* nothing may touch WS or C after this */
}

static void on_gone(struct http_conn *c)
{
	struct ws *ws = c->upgraded;

	c->upgraded = NULL;
	ws->h->on_close(ws);
	if (ws->ctx)
		wslay_event_context_free(ws->ctx);
	later_free(ws);
}

static void on_room(struct http_conn *c)
{
	(void)c;
}

static void on_tick(struct http_conn *c, int64_t now, int64_t lost_us)
{
	struct ws *ws = c->upgraded;

	(void)now;
	(void)lost_us;
	if (ws->closing)
		http_conn_close(c);
}

static const struct http_protocol ws_protocol = { NULL, on_input, on_room, http_conn_free, on_tick,
	on_gone };
