/* SPDX-License-Identifier: Apache-2.0
 * What the files of src/http share: a connection (conn.c), its replies (reply.c), the listener that
 * accepts it (server.c), its life as a WebSocket (ws.c). */
#ifndef SLADESK_HTTP_CONN_H
#define SLADESK_HTTP_CONN_H

#include "http/server.h"

struct bufferevent;
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
};

extern struct http_counts http_count;

enum http_conn_state {
	CONN_HEAD, /* between requests, or reading a head */
	CONN_BODY,
	CONN_HANDLING,  /* the handler has it all */
	CONN_REPLYING,  /* a reply in pieces has begun */
	CONN_CLOSING,   /* the last bytes go out */
	CONN_LINGERING, /* they are out; what the peer still sends is read and dropped */
	CONN_WEBSOCKET,
};

struct http_conn {
	struct list node;
	struct http_server *server;
	struct bufferevent *bev;
	struct http_request *req;
	struct ws *ws;
	enum http_conn_state state;
	bool close_after, linger, chunked_reply, head_only, read_paused, handshaking, stream,
		working, fresh;
	int64_t state_us, last_write_us, head_began_us; /* monotonic */
	size_t last_out;
	uint64_t body_left, body_max;
	struct http_chunked chunk;
	void (*on_drain)(struct http_request *r);
	char peer[46];
};

/* A connection that was just accepted begins to read. */
void http_conn_begin(struct http_conn *c);
void http_conn_set_state(struct http_conn *c, enum http_conn_state s);
void http_conn_free(struct http_conn *c);
/* Close after flushing, and, when C->linger, after the peer has closed too. */
void http_conn_close(struct http_conn *c);
/* Twice a second: time limits. */
void http_conn_tick(struct http_conn *c, int64_t now);
/* The reply is complete: count it, forget the request, go on or close. */
void http_conn_replied(struct http_conn *c);
/* Has all of the request's body come? */
bool http_conn_has_body(const struct http_conn *c);
/* The Date header's line, made once a second. */
const char *http_date_line(void);
void http_request_free(struct http_request *r);
void http_request_done(struct http_request *r, struct http_conn *c);
struct ssl_st *http_conn_ssl(struct http_conn *c);
/* Bytes came for a WebSocket connection; the connection's time limits once a second. */
void ws_on_read(struct http_conn *c);
void ws_on_gone(struct http_conn *c);
void ws_on_tick(struct http_conn *c, int64_t now);

#endif
