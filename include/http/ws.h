/* SPDX-License-Identifier: Apache-2.0
 * WebSockets (RFC 6455, RFC 7692 without context takeover) on connections that began as HTTP. */
#ifndef SLADESK_HTTP_WS_H
#define SLADESK_HTTP_WS_H

#include "http/server.h"

struct ws;
struct ws_handler {
	void (*on_message)(struct ws *ws, const char *p, size_t n, bool binary);
	/* The socket is gone. WS is freed when this returns. */
	void (*on_close)(struct ws *ws);
	size_t max_message;
};
/* A frame that is built once and sent to many clients, in plain and deflated form. Its bytes never
 * change. */
struct ws_frame;

/* Answer the upgrade and turn the request's connection into a WebSocket. Frees R. Returns NULL,
 * after replying with an error, if it is not a valid upgrade. */
struct ws *ws_accept(struct http_request *r, const struct ws_handler *h, void *user);
/* The argument given to ws_accept. */
void *ws_user(struct ws *ws);
/* Count WS for USER, no longer as a guest. Returns false if USER then has too many connections. */
bool ws_count_user(struct ws *ws, struct str user);
/* A frame of the N bytes at P, with one reference; ws_frame_put releases it. */
struct ws_frame *ws_frame_new(const char *p, size_t n, bool binary) MUST_USE;
/* Release a reference. */
void ws_frame_put(struct ws_frame *f);
#define WS_SEND_MAX 32
/* Send N FRAMES (at most WS_SEND_MAX) in order. What the socket does not take at once is queued.
 * Returns false if a frame would have queued more than LIMIT bytes; that frame and the following
 * ones were not sent. The caller keeps its references. */
bool ws_send(struct ws *ws, struct ws_frame *const *frames, size_t n, size_t limit);
/* The number of bytes that the socket has not taken yet. */
size_t ws_queued(const struct ws *ws);
/* Send a ping without data. */
void ws_ping(struct ws *ws);
/* The monotonic instant at which the last byte arrived. */
int64_t ws_last_seen_us(const struct ws *ws);
/* Send a close frame with CODE and REASON and close the connection; on_close follows on a later
 * turn. */
void ws_close(struct ws *ws, uint16_t code, const char *reason);

#endif
