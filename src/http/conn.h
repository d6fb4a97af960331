/* SPDX-License-Identifier: Apache-2.0
 * What the files of src/http share. A connection (conn.c) handles bytes, limits and its end; the
 * protocol on it is first HTTP/1.1 (http1.c, with replies in reply.c) and, after an upgrade, a
 * WebSocket (ws.c). server.c accepts connections. Each file may include those before it. */
#ifndef SLADESK_HTTP_CONN_H
#define SLADESK_HTTP_CONN_H

#include "base/magic.h"
#include "http/server.h"

struct bufferevent;
struct evbuffer;
struct http_owner_count;
struct sockaddr;
struct evconnlistener;
struct loop_timer;
struct ssl_ctx_st;
struct ssl_st;

struct http_server {
	uint32_t magic;
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

/* The header lines that every reply has. */
static inline const char *http_every_reply(const struct http_server *s)
{
	return s->set.every_reply ? s->set.every_reply : "";
}
MAGIC(http_server, 0x81fbb747);

extern struct http_counts http_count;

/* The protocol on a connection. A callback may free the connection as its last action. */
struct http_protocol {
	/* The connection is established, including the TLS handshake. */
	void (*on_open)(struct http_conn *c);
	/* There may be input: bytes arrived, or reading was resumed. */
	void (*on_input)(struct http_conn *c);
	/* The output has room again. */
	void (*on_room)(struct http_conn *c);
	/* The peer sends nothing more; it may still read. */
	void (*on_end)(struct http_conn *c);
	/* Twice a second, for time limits. */
	void (*on_tick)(struct http_conn *c, int64_t now, int64_t lost_us);
	/* The connection is freed right after. */
	void (*on_gone)(struct http_conn *c);
};

/* How fast a peer sends or takes, measured in one window after the other: a fast window does not
 * make up for a slow one. */
struct http_pace {
	int64_t since_us; /* monotonic; 0: nothing is measured */
	uint64_t before;  /* bytes until the beginning of the window */
};

enum http_conn_state {
	CONN_OPEN,
	CONN_CLOSING,   /* the last bytes are being sent */
	CONN_LINGERING, /* they have been sent; further input is read and dropped */
};

enum http1_state {
	HTTP1_HEAD, /* between requests, or reading a head */
	HTTP1_BODY,
	HTTP1_HANDLING, /* the handler has the complete request */
	HTTP1_REPLYING, /* a reply in pieces has begun */
	HTTP1_OVER,     /* closing, or taken over by another protocol */
};

/* A file that is being sent. */
struct http_file {
	int fd;
	uint64_t at;
};

/* The request being read or answered. */
struct http1 {
	struct http_request *req;
	enum http1_state state;
	int64_t state_us, head_began_us; /* monotonic */
	bool close_after, chunked_reply, sized_reply, head_only, stream, working, fresh;
	bool held; /* the body is not read yet */
	uint64_t body_left, body_max;
	struct http_pace body_pace;
	struct http_chunked chunk;
	void (*on_drain)(struct http_request *r);
	uint64_t reply_left; /* for a reply of known length: the bytes still to be written */
	struct http_file *file;
};

/* While more than this is unsent on a connection, nothing more is read or answered: a peer that
 * sends requests and does not read the replies must not fill the memory. */
#define HTTP_OUT_MAX (64 * 1024)

struct http_conn {
	uint32_t magic;
	struct list node;
	struct http_server *server;
	struct bufferevent *bev;
	enum http_conn_state state;
	bool linger, handshaking;
	bool held;                   /* reading is stopped until the output has room */
	bool ended;                  /* the peer sends nothing more */
	int64_t state_us, ticked_us; /* monotonic */
	uint64_t taken;              /* bytes that have left the buffer for the socket */
	struct http_pace reply_pace;
	bool proxy; /* a trusted one */
	char peer[HTTP_ADDRESS_MAX];
	struct http_owner_count *owner[HTTP_OWNERS]; /* the owners for whom it counts */
	const struct http_protocol *protocol;
	struct http1 http1;
	void *upgraded; /* the state of the protocol that took over */
};
MAGIC(http_conn, 0xc77f3b1f);

/* --- conn.c --- */

/* Create a connection that S accepted from PEER, with PROTOCOL. */
struct http_conn *http_conn_new(
	struct http_server *s, int fd, const char *peer, const struct http_protocol *protocol);
/* End it now. Its protocol gets on_gone. */
void http_conn_free(struct http_conn *c);
/* Close after flushing and, if C->linger, after the peer has closed too. C may be freed. */
void http_conn_close(struct http_conn *c);
/* Returns true if the output is full: the caller stops, and on_input runs again when there is
 * room. */
bool http_conn_hold(struct http_conn *c);
/* Call on_input again on a later turn. */
void http_conn_look_again(struct http_conn *c);
void http_conn_drop_input(struct http_conn *c);
/* The peer is too slow: count it and free C. */
void http_conn_end_late(struct http_conn *c);
/* Was the peer, which has transferred DONE bytes until NOW, slower than RATE bytes per second in a
 * whole window of WINDOW_S? LOST_US of the time since the last call were not the peer's fault. */
bool http_pace_is_slow(struct http_pace *p, int64_t now, int64_t lost_us, uint64_t done,
	uint64_t rate, int window_s);
/* Twice a second: time limits. C may be freed. */
void http_conn_tick(struct http_conn *c, int64_t now);
struct evbuffer *http_conn_input(const struct http_conn *c);
struct evbuffer *http_conn_output(const struct http_conn *c);
/* NULL if the connection is plain. */
struct ssl_st *http_conn_ssl(const struct http_conn *c);

/* --- peer.c --- */

/* The name of a peer without an address, such as a Unix socket. It has no limit. */
#define HTTP_PEER_LOCAL "local"
void http_peer_name(const struct sockaddr *sa, char out[HTTP_ADDRESS_MAX]);
/* Is ADDRESS one of the addresses and networks in LIST (NULL: none; separated by commas)? They are
 * compared as numbers: the same address in another spelling is the same. */
bool http_list_names(const char *list, const char *address);
/* Does KEY have fewer than LIMIT connections (0: no limit)? If not, count a refusal. */
bool http_owner_may(enum http_owner kind, struct str key, uint64_t limit);
/* Count C for KEY instead of its present owner. Returns false, and changes nothing, if KEY already
 * has LIMIT connections (0: no limit). */
bool http_conn_own(struct http_conn *c, enum http_owner kind, struct str key, uint64_t limit);
void http_conn_disown(struct http_conn *c, enum http_owner kind);
void http_conn_disown_all(struct http_conn *c);

/* --- http1.c --- */

extern const struct http_protocol http1_protocol;
void http1_set_state(struct http_conn *c, enum http1_state s);
/* Has the complete body of the request arrived? */
bool http1_has_body(const struct http_conn *c);
/* The reply is complete: count it, forget the request, and continue or close. */
void http1_replied(struct http_conn *c);
/* R was answered with STATUS, and its connection uses PROTOCOL from now on, with STATE. R is
 * counted and freed. */
struct http_conn *http1_hand_over(
	struct http_request *r, int status, const struct http_protocol *protocol, void *state);
/* The Date header's line, made once a second. */
const char *http_date_line(void);

#endif
