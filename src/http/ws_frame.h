/* SPDX-License-Identifier: Apache-2.0
 * Private to src/http: what ws.c needs to know about a frame. */
#ifndef SLADESK_HTTP_WS_FRAME_H
#define SLADESK_HTTP_WS_FRAME_H

#include "http/ws.h"

struct evbuffer;

/* Write the head of an unmasked frame of N bytes to O (at most 10 bytes). FIRST is its first byte.
 * Returns its length. */
size_t ws_put_frame_head(unsigned char *o, unsigned first, size_t n);
/* F in the form in which it is sent, deflated if that makes it smaller. The bytes live as long as
 * F. */
struct str ws_frame_bytes(struct ws_frame *f, bool deflated);
/* Append BYTES, which are part of F, to OUT. F lives until they have been sent. */
void ws_frame_queue(struct evbuffer *out, struct ws_frame *f, struct str bytes);

#endif
