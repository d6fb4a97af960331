/* SPDX-License-Identifier: Apache-2.0
 * What the files of src/http share. A connection (conn.c) knows bytes, limits and its end; what is
 * spoken on it is a protocol's: HTTP/1.1 (http1.c, with replies in reply.c) at first, a WebSocket
 * (ws.c) after an upgrade. server.c accepts connections. Each of them includes those before it. */
#ifndef SLADESK_HTTP_CONN_H
#define SLADESK_HTTP_CONN_H

#include "http/server.h"

struct bufferevent;
struct evbuffer;
struct evconnlistener;
struct loop_timer;
struct ssl_ctx_st;
struct ssl_st;

struct http_server {
	int fd;
	struct evconnlistener *listener;
	struct http_settings set;
	const struct http_handler *h;
	struct ssl_ctx_st *tls;
	struct list conns;
	uint64_t count;
	struct loop_timer *resume_accept, *tick;
	bool draining;
	int64_t drain_until_us;
	void (*on_empty)(void *arg);
	void *on_empty_arg;
	void (*on_conn_gone)(struct http_server *s);
};

extern struct http_counts http_count;

/* What is spoken on a connection. A callback may free the connection as the last thing it does. */
struct http_protocol {
	/* The connection is made, with TLS shaken hands. */
	void (*on_open)(struct http_conn *c);
	/* There is input, or there may be: bytes came, or reading was asked for again. */
	void (*on_input)(struct http_conn *c);
	/* The output has room again. */
	void (*on_room)(struct http_conn *c);
	/* The peer sends nothing more; it may still read. */
	void (*on_end)(struct http_conn *c);
	/* Twice a second, for time limits. */
	void (*on_tick)(struct http_conn *c, int64_t now);
	/* The connection is freed right after. */
	void (*on_gone)(struct http_conn *c);
};

enum http_conn_state {
	CONN_OPEN,
	CONN_CLOSING,   /* the last bytes go out */
	CONN_LINGERING, /* they are out; what the peer still sends is read and dropped */
};

enum http1_state {
	HTTP1_HEAD, /* between requests, or reading a head */
	HTTP1_BODY,
	HTTP1_HANDLING, /* the handler has it all */
	HTTP1_REPLYING, /* a reply in pieces has begun */
	HTTP1_OVER,     /* closing, or another protocol's */
};

/* The request that is being read or answered. */
struct http1 {
	struct http_request *req;
	enum http1_state state;
	int64_t state_us, head_began_us; /* monotonic */
	bool close_after, chunked_reply, head_only, read_paused, stream, working, fresh;
	uint64_t body_left, body_max;
	struct http_chunked chunk;
	void (*on_drain)(struct http_request *r);
};

struct http_conn {
	struct list node;
	struct http_server *server;
	struct bufferevent *bev;
	enum http_conn_state state;
	bool linger, handshaking;
	int64_t state_us, last_write_us; /* monotonic */
	size_t last_out;
	char peer[46];
	const struct http_protocol *protocol;
	struct http1 http1;
	void *upgraded; /* the state of the protocol that took over */
};

/* --- conn.c --- */

/* A connection that S accepted from PEER: it speaks PROTOCOL. */
void http_conn_new(
	struct http_server *s, int fd, const char *peer, const struct http_protocol *protocol);
/* End it now; its protocol hears on_gone. */
void http_conn_free(struct http_conn *c);
/* Close after flushing, and, when C->linger, after the peer has closed too. C may be freed. */
void http_conn_close(struct http_conn *c);
/* Let on_input run again on a later turn. */
void http_conn_look_again(struct http_conn *c);
void http_conn_drop_input(struct http_conn *c);
/* The peer is late: counted, and C is freed. */
void http_conn_end_late(struct http_conn *c);
/* Twice a second: time limits. C may be freed. */
void http_conn_tick(struct http_conn *c, int64_t now);
struct evbuffer *http_conn_input(const struct http_conn *c);
struct evbuffer *http_conn_output(const struct http_conn *c);
/* NULL when the connection is plain. */
struct ssl_st *http_conn_ssl(const struct http_conn *c);

/* --- http1.c --- */

extern const struct http_protocol http1_protocol;
void http1_set_state(struct http_conn *c, enum http1_state s);
/* Has all of the request's body come? */
bool http1_has_body(const struct http_conn *c);
/* The reply is complete: count it, forget the request, go on or close. */
void http1_replied(struct http_conn *c);
/* R was answered with STATUS, and its connection speaks PROTOCOL from now on, with STATE. R is
 * counted and dies. */
struct http_conn *http1_hand_over(
	struct http_request *r, int status, const struct http_protocol *protocol, void *state);
/* The Date header's line, made once a second. */
const char *http_date_line(void);

#endif
