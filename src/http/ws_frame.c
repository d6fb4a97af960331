/* SPDX-License-Identifier: Apache-2.0
 * Outgoing WebSocket frames: built once and shared, deflated for the first client that accepts it.
 */
#include "ws_frame.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <zlib.h>

struct ws_frame {
	unsigned refs;
	size_t head_n, plain_n, deflated_n;
	unsigned char *deflated; /* made for the first client that accepts it */
	bool incompressible;     /* was tried without success: deflated stays NULL */
	unsigned char plain[];
};

size_t ws_put_frame_head(unsigned char *o, unsigned first, size_t n)
{
	o[0] = (unsigned char)first;
	if (n < 126) {
		o[1] = (unsigned char)n;
		return 2;
	}
	if (n < 65536) {
		o[1] = 126;
		o[2] = (unsigned char)(n >> 8);
		o[3] = (unsigned char)n;
		return 4;
	}
	o[1] = 127;
	for (int i = 0; i < 8; i++)
		o[2 + i] = (unsigned char)((uint64_t)n >> (56 - 8 * i));
	return 10;
}

static void deflate_frame(struct ws_frame *f)
{
	z_stream z = { 0 };
	unsigned char *out, head[10], *p = f->plain + f->head_n;
	size_t bound, got, head_n, n = f->plain_n - f->head_n;

	f->incompressible = true;
	if (n <= 200 || deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	bound = deflateBound(&z, n) + 16;
	out = xmalloc(bound + 10);
	z.next_in = p;
	z.avail_in = (uInt)n;
	z.next_out = out + 10;
	z.avail_out = (uInt)bound;
	deflate(&z, Z_SYNC_FLUSH);
	got = bound - z.avail_out -
	      4; /* RFC 7692 7.2.1: without 00 00 ff ff, the end of the empty block */
	deflateEnd(&z);
	if (got >= n) {
		free(out);
		return;
	}
	head_n = ws_put_frame_head(head, f->plain[0] | 0x40u, got);
	memmove(out + head_n, out + 10, got);
	memcpy(out, head, head_n);
	f->deflated = out;
	f->deflated_n = head_n + got;
}

struct ws_frame *ws_frame_new(const char *p, size_t n, bool binary)
{
	struct ws_frame *f = xmalloc(sizeof(*f) + n + 10);

	*f = (struct ws_frame){ .refs = 1 };
	f->head_n = ws_put_frame_head(f->plain, binary ? 0x82 : 0x81, n);
	f->plain_n = f->head_n + n;
	if (n)
		memcpy(f->plain + f->head_n, p, n);
	return f;
}

void ws_frame_put(struct ws_frame *f)
{
	if (!f || --f->refs)
		return;
	free(f->deflated);
	free(f);
}

static void drop_frame(const void *p, size_t n, void *arg)
{
	(void)p;
	(void)n;
	ws_frame_put(arg);
}

struct str ws_frame_bytes(struct ws_frame *f, bool deflated)
{
	if (deflated && !f->deflated && !f->incompressible)
		deflate_frame(f);
	return deflated && f->deflated ? (struct str){ (char *)f->deflated, f->deflated_n }
				       : (struct str){ (char *)f->plain, f->plain_n };
}

void ws_frame_queue(struct evbuffer *out, struct ws_frame *f, struct str bytes)
{
	if (bytes.n < 512) { /* copying is cheaper than a reference chain */
		evbuffer_add(out, bytes.p, bytes.n);
		return;
	}
	f->refs++;
	evbuffer_add_reference(out, bytes.p, bytes.n, drop_frame, f);
}
