/* SPDX-License-Identifier: Apache-2.0
 * A connection: bytes in and out, its end, and the limits that apply whatever protocol is spoken on
 * it. */
#include "conn.h"
#include "base/clock.h"
#include "loop/loop.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

#define READ_HIGH (32 * 1024)
#define OUT_LOW (16 * 1024) /* below this there is room again */
#define LINGER_S 2

struct http_counts http_count;

struct http_counts http_counts(void)
{
	return http_count;
}

uint64_t http_unsent(void)
{
	return http_count.unsent;
}

struct evbuffer *http_conn_input(const struct http_conn *c)
{
	return bufferevent_get_input(c->bev);
}

struct evbuffer *http_conn_output(const struct http_conn *c)
{
	return bufferevent_get_output(c->bev);
}

SSL *http_conn_ssl(const struct http_conn *c)
{
	return c->server->tls ? bufferevent_openssl_get_ssl(c->bev) : NULL;
}

void http_conn_drop_input(struct http_conn *c)
{
	struct evbuffer *in = http_conn_input(c);

	evbuffer_drain(in, evbuffer_get_length(in));
}

void http_conn_look_again(struct http_conn *c)
{
	bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

bool http_conn_hold(struct http_conn *c)
{
	if (evbuffer_get_length(http_conn_output(c)) < HTTP_OUT_MAX)
		return false;
	c->held = true;
	bufferevent_disable(c->bev, EV_READ);
	return true;
}

static void release(struct http_conn *c)
{
	c->held = false;
	if (!c->ended)
		bufferevent_enable(c->bev, EV_READ);
	http_conn_look_again(c);
}

static void on_output_changed(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg);

/* --- ending --- */

static void set_state(struct http_conn *c, enum http_conn_state s)
{
	c->state = s;
	c->state_us = clock_mono_us();
}

/* Close the TLS session, so that the peer can tell an end from a cut. */
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

	c->protocol->on_gone(c);
	http_conn_disown_all(c);
	if (c->state != CONN_LINGERING)
		send_close_notify(c);
	list_remove(&c->node);
	s->count--;
	http_count.connections--;
	http_count.unsent -= evbuffer_get_length(http_conn_output(c));
	evbuffer_remove_cb(http_conn_output(c), on_output_changed, c);
	bufferevent_free(c->bev);
	free(c);
	s->on_conn_gone(s);
}

/* Closing a socket that holds unread bytes resets it, and the peer may lose the end of the reply.
 * So announce the end, then read until the peer closes too (RFC 9112 9.6). */
static void on_flushed(struct http_conn *c)
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
	if (evbuffer_get_length(http_conn_output(c)) == 0)
		on_flushed(c);
}

/* --- events --- */

static void on_read(struct bufferevent *bev, void *arg)
{
	struct http_conn *c = magic_cast(http_conn, arg);

	(void)bev;
	if (c->state == CONN_LINGERING)
		http_conn_drop_input(c);
	else if (c->state == CONN_OPEN)
		c->protocol->on_input(c);
	loop_note_turn("http");
}

static void on_write(struct bufferevent *bev, void *arg)
{
	struct http_conn *c = magic_cast(http_conn, arg);

	(void)bev;
	if (c->state == CONN_OPEN) {
		if (c->held)
			release(c);
		c->protocol->on_room(c);
	} else if (c->state == CONN_CLOSING && evbuffer_get_length(http_conn_output(c)) == 0) {
		on_flushed(c);
	}
	loop_note_turn("http");
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct http_conn *c = magic_cast(http_conn, arg);

	(void)bev;
	if (what & BEV_EVENT_CONNECTED) {
		c->handshaking = false;
		c->protocol->on_open(c);
	} else if (!(what & BEV_EVENT_EOF) || !(what & BEV_EVENT_READING) || c->handshaking ||
		   c->state == CONN_LINGERING) {
		http_conn_free(c);
	} else if (c->state == CONN_OPEN) {
		c->ended = true;
		c->protocol->on_end(c);
	}
}

static void on_output_changed(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_conn *c = magic_cast(http_conn, arg);

	(void)out;
	c->taken += info->n_deleted;
	http_count.unsent += info->n_added;
	http_count.unsent -= info->n_deleted;
}

/* --- life --- */

struct http_conn *http_conn_new(
	struct http_server *s, int fd, const char *peer, const struct http_protocol *protocol)
{
	struct http_conn *c = magic_new(http_conn);

	c->server = s;
	c->protocol = protocol;
	c->bev = s->tls ? bufferevent_openssl_socket_new(loop_base(), fd, SSL_new(s->tls),
				  BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
			: bufferevent_socket_new(loop_base(), fd, BEV_OPT_CLOSE_ON_FREE);
	bug_on(!c->bev);
	if (s->tls)
		bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
	c->handshaking = s->tls != NULL;
	memcpy(c->peer, peer, strlen(peer) + 1);
	c->proxy = http_list_names(s->set.trusted_proxies, peer);
	list_add_tail(&s->conns, &c->node);
	s->count++;
	http_count.connections++;
	http_count.accepted++;
	set_state(c, CONN_OPEN);
	c->ticked_us = c->state_us;
	if (!c->handshaking)
		protocol->on_open(c);
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	evbuffer_add_cb(http_conn_output(c), on_output_changed, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, READ_HIGH);
	bufferevent_setwatermark(c->bev, EV_WRITE, OUT_LOW, 0);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	return c;
}

void http_conn_end_late(struct http_conn *c)
{
	http_count.timeouts++;
	http_conn_free(c);
}

bool http_pace_is_slow(struct http_pace *p, int64_t now, int64_t lost_us, uint64_t done,
	uint64_t rate, int window_s)
{
	bool slow;

	if (p->since_us)
		p->since_us += lost_us;
	if (p->since_us && now - p->since_us < window_s * US_PER_S)
		return false;
	slow = p->since_us && done - p->before < rate * (uint64_t)window_s;
	p->since_us = now;
	p->before = done;
	return slow;
}

/* The bytes that the peer has taken: those that its kernel has acknowledged. The socket's own
 * buffer accepts bytes in bursts, whatever the speed of the peer. */
static uint64_t bytes_taken(const struct http_conn *c)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);

	if (getsockopt(bufferevent_getfd(c->bev), IPPROTO_TCP, TCP_INFO, &info, &n) != 0 ||
		n < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked))
		return c->taken;
	return info.tcpi_bytes_acked;
}

/* While output is pending, the peer must take min_rate bytes per second in each window of
 * write_s. */
static bool takes_too_slowly(struct http_conn *c, int64_t now, int64_t lost_us)
{
	const struct http_settings *set = &c->server->set;

	if (!evbuffer_get_length(http_conn_output(c))) {
		c->reply_pace.since_us = 0;
		return false;
	}
	return http_pace_is_slow(
		&c->reply_pace, now, lost_us, bytes_taken(c), set->min_rate, set->write_s);
}

void http_conn_tick(struct http_conn *c, int64_t now)
{
	const struct http_settings *set = &c->server->set;
	int64_t in_state_s = (now - c->state_us) / US_PER_S;
	/* a stall of our own loop is not the peer's fault */
	int64_t gap = now - c->ticked_us, lost_us = gap > US_PER_S ? gap - US_PER_S : 0;

	c->ticked_us = now;
	if (takes_too_slowly(c, now, lost_us))
		http_conn_end_late(c);
	else if (c->handshaking && in_state_s >= set->header_s)
		http_conn_end_late(c);
	else if (c->state == CONN_LINGERING && in_state_s >= LINGER_S)
		http_conn_free(c);
	else if (c->state == CONN_OPEN && !c->handshaking)
		c->protocol->on_tick(c, now, lost_us);
}
