/* SPDX-License-Identifier: Apache-2.0
 * The HTTP/1.1 server: connections on bufferevents, plain or TLS; one request at a time, in order;
 * bodies buffered (limited) or streamed; replies complete, in pieces with back-pressure, or from a
 * file. If a client does not read its replies, nothing more is read from it, and in the end it is
 * closed. Another protocol (http/ws.h) can take over a connection. The handler decides what a
 * request means. */
#ifndef SLADESK_HTTP_SERVER_H
#define SLADESK_HTTP_SERVER_H

#include "base/list.h"
#include "base/log.h"
#include "http/parse.h"

struct http_conn;
struct evbuffer;

#define HTTP_ADDRESS_MAX 46 /* an address as text */

/* Whose connections are limited. A connection counts for at most one owner of each kind. */
enum http_owner {
	HTTP_OWNER_ADDRESS,
	HTTP_OWNER_USER,
	HTTP_OWNER_GUEST, /* an address, for a feed that has not logged in yet */
	HTTP_OWNERS
};
/* The kind as the metrics and the log name it. */
const char *http_owner_name(enum http_owner kind);

/* One request, from its head to its reply. Its memory comes from the arena. */
struct http_request {
	struct http_conn *conn;
	struct http_head head; /* views into head_bytes */
	char *head_bytes;
	struct arena arena;
	struct buf body; /* if buffered */
	uint64_t body_seen;
	void *user;       /* for the handler */
	const char *peer; /* address, for logs and limits */
	bool tls;
	bool guest; /* the sender is unknown: all such bodies share one budget */
	int status; /* of the reply, once it has begun */
	uint64_t sent_bytes;
	int64_t began_us; /* monotonic */
};

enum http_body {
	HTTP_BODY_BUFFER,
	HTTP_BODY_HOLD, /* buffered, but not read, and 100 Continue not sent, before http_resume */
	HTTP_BODY_STREAM,
	HTTP_BODY_REPLIED
};

struct http_handler {
	/* The head has arrived. Return how the body is wanted (buffered up to *MAX bytes), or reply
	 * at once and return HTTP_BODY_REPLIED. */
	enum http_body (*on_head)(struct http_request *r, uint64_t *max);
	/* For streamed bodies: a piece has arrived. */
	void (*on_piece)(struct http_request *r, const char *p, size_t n);
	/* The body is complete. Must lead to a reply, now or later. */
	void (*on_request)(struct http_request *r);
	/* The client left before the reply was complete. R is freed when this returns. Not called
	 * after a complete reply. */
	void (*on_gone)(struct http_request *r);
	/* A reply is complete, for counting. R is freed when this returns. */
	void (*on_done)(struct http_request *r);
	/* Write the JSON body with which the server itself refuses R, its body, or its handshake
	 * (426, and 400 otherwise). R is NULL if its head could not be read, or if there is no room
	 * for the connection. */
	void (*refusal)(struct http_request *r, int status, struct buf *out);
};

struct http_settings {
	int header_s, body_s, idle_s, write_s, total_s; /* time limits */
	/* Bytes per second that a client must send of a body, in each window of body_s, and take of
	 * a reply, in each window of write_s. */
	uint64_t min_rate;
	int max_connections;
	int64_t address_connections, user_connections; /* 0: no limit */
	/* Addresses, separated by commas, whose X-Forwarded-For is believed and whose connections
	 * have no limit; NULL: none. */
	const char *trusted_proxies;
	const char *cert_file, *key_file; /* NULL: plain */
	bool tls12;
	const char *every_reply; /* header lines of every reply, also of those that no handler
				  * makes; NULL: none */
};

struct http_server;

/* Serve on an open listening socket, which the server then owns. */
struct http_server *http_server_new(int listen_fd, const struct http_settings *s,
	const struct http_handler *h, const char **out_error) MUST_USE;
/* Stop accepting, and close each connection when its request ends. Idle connections are closed
 * after GRACE_MS, so that a request that is just being sent is still answered. ON_EMPTY runs once
 * when none is left. */
void http_server_drain(struct http_server *s, int grace_ms, void (*on_empty)(void *arg), void *arg);
/* Close the listener and all connections, and free S. */
void http_server_free(struct http_server *s);
/* Read certificate and key again. New connections use them; open ones keep the old ones. Returns
 * false, and keeps the old ones, if they cannot be read. Does nothing without TLS. */
bool http_server_reload_tls(struct http_server *s, const char **out_error);

/* Can the certificate and the key of S be used? If not, set *OUT_ERROR to setting and reason. */
bool http_tls_is_usable(const struct http_settings *s, const char **out_error) MUST_USE;

struct http_counts {
	uint64_t refused[HTTP_OWNERS];
	uint64_t connections, accepted, timeouts, parse_errors, accept_pauses;
	uint64_t guest_bytes;   /* in the bodies of requests from unknown senders */
	uint64_t guest_refused; /* such bodies, because others had taken all the room */
	uint64_t unsent;        /* bytes of replies */
};
/* Counts for /metrics. */
struct http_counts http_counts(void);
/* The bytes of replies that wait for clients to read them. */
uint64_t http_unsent(void);

/* Reply with a complete body. EXTRA is additional header lines, each ending in CRLF, or NULL. The
 * connection then takes its next request. */
void http_reply(struct http_request *r, int status, const char *type, const char *extra,
	const void *body, size_t n);
/* Like http_reply, for a BODY that never changes and outlives the server: it is not copied. */
void http_reply_lasting(struct http_request *r, int status, const char *type, const char *extra,
	const void *body, size_t n);
/* Reply in pieces with a total of LENGTH bytes; -1 if the length is unknown (chunked, or until the
 * end of the connection for HTTP/1.0). ON_DRAIN runs when the client has taken most of what was
 * written, the first time when the head has been sent; write no more than requested in between. End
 * with http_reply_end or http_reply_cut. */
void http_reply_start(struct http_request *r, int status, const char *type, const char *extra,
	int64_t length, void (*on_drain)(struct http_request *r));
/* Send N bytes of the reply. Returns false if enough is queued: wait for on_drain. Bytes beyond the
 * length are dropped. */
bool http_reply_piece(struct http_request *r, const void *p, size_t n);
/* Complete the streamed reply. Frees R. */
void http_reply_end(struct http_request *r);
/* Close the connection, because the rest of the streamed reply is not available; the client can see
 * that the reply is incomplete. Frees R. */
void http_reply_cut(struct http_request *r);
/* Reply with FD[FROM..TO], part by part, and close FD. SIZE is that of the whole file, for
 * Content-Range. The reply is complete when this returns, or later. */
void http_reply_file(struct http_request *r, int status, const char *type, const char *extra,
	int fd, uint64_t from, uint64_t to, uint64_t size);
/* ADDRESS as limits count it: an IPv6 /64 is one address, because its owner can use all of it. */
void http_address_key(const char *address, char out[HTTP_ADDRESS_MAX]);
/* Did R come through a trusted proxy? R->peer is the proxy's address until the caller replaces
 * it. */
bool http_from_proxy(const struct http_request *r);
/* Is ADDRESS that of a trusted proxy? */
bool http_is_proxy(const struct http_request *r, const char *address);
/* Are all entries of LIST addresses or networks (address/bits)? If not, OUT_BAD is the first that
 * is not. */
bool http_list_is_sound(const char *list, struct str *out_bad) MUST_USE;
/* Write the address TEXT in its usual spelling to OUT; an IPv4 address that is mapped into IPv6 as
 * an IPv4 address. Returns false if TEXT is not an address. */
bool http_address_read(struct str text, char out[HTTP_ADDRESS_MAX]) MUST_USE;
/* Count R's connection for the address R->peer until it is counted for another address or ends
 * (that of a proxy: until the reply). Returns false if the address has too many connections. */
bool http_count_address(struct http_request *r);
/* The same for USER. */
bool http_count_user(struct http_request *r, struct str user);
/* The same for an upgrade whose client has not logged in yet: at most LIMIT for an address. The
 * count ends with ws_count_user, or with the reply if there is no upgrade. */
bool http_count_guest(struct http_request *r, uint64_t limit);
/* Start to read the body, which on_head held. */
void http_resume(struct http_request *r);
#define HTTP_DATE_MAX 32
/* The instant S, in seconds since 1970, as HTTP writes it: "Sat, 28 Nov 2026 00:00:00 GMT". */
void http_date(int64_t s, char out[HTTP_DATE_MAX]);
/* Close the connection after the reply. */
void http_close_after(struct http_request *r);

/* Does LIST, addresses and networks separated by commas (::1, 10.0.0.0/8), cover ADDRESS? A local
 * socket counts as the address 127.0.0.1. */
bool http_list_covers(const char *list, struct str address);

#endif
