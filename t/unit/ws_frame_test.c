/* SPDX-License-Identifier: Apache-2.0
 * Outgoing WebSocket frames: their heads, and a deflated form that says the same. */
#include "http/ws_frame.h"
#include "unit.h"

#include <event2/buffer.h>
#include <string.h>
#include <zlib.h>

static void heads(void)
{
	static const struct {
		size_t n, head;
	} cases[] = { { 0, 2 }, { 125, 2 }, { 126, 4 }, { 65535, 4 }, { 65536, 10 },
		{ 1 << 20, 10 } };
	unsigned char o[10];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t n = 0;

		CU_ASSERT_EQUAL(ws_put_frame_head(o, 0x81, cases[i].n), cases[i].head);
		CU_ASSERT_EQUAL(o[0], 0x81);
		CU_ASSERT_EQUAL(o[1] & 0x80, 0); /* a server does not mask (RFC 6455 5.1) */
		for (size_t k = 2; k < cases[i].head; k++)
			n = n << 8 | o[k];
		CU_ASSERT_EQUAL(cases[i].head == 2 ? o[1] : n, cases[i].n);
	}
}

static void plain(void)
{
	struct ws_frame *f = ws_frame_new("abc", 3, false), *b = ws_frame_new("", 0, true);
	struct str bytes = ws_frame_bytes(f, false);

	CU_ASSERT_TRUE(bytes.n == 5 && memcmp(bytes.p,
					       "\x81\x03"
					       "abc",
					       5) == 0);
	CU_ASSERT_TRUE(str_eq(ws_frame_bytes(f, true), bytes)); /* too short to gain anything */
	bytes = ws_frame_bytes(b, false);
	CU_ASSERT_TRUE(bytes.n == 2 && memcmp(bytes.p, "\x82\x00", 2) == 0);
	ws_frame_put(f);
	ws_frame_put(b);
	ws_frame_put(NULL);
}

static void deflated(void)
{
	char text[5000], out[6000];
	unsigned char noise[1000];
	struct ws_frame *f, *r;
	struct str bytes;
	z_stream z = { 0 };
	size_t head, n;
	uint32_t seed = 1;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i % 7);
	f = ws_frame_new(text, sizeof(text), false);
	bytes = ws_frame_bytes(f, true);
	CU_ASSERT_TRUE(bytes.n < 1000);
	CU_ASSERT_EQUAL((unsigned char)bytes.p[0], 0xc1); /* FIN, RSV1: deflated, text */
	head = (bytes.p[1] & 0x7f) == 126 ? 4 : 2;
	n = bytes.n - head;
	/* what a client adds before it inflates (RFC 7692 7.2.2) */
	CU_ASSERT_EQUAL_FATAL(inflateInit2(&z, -15), Z_OK);
	memcpy(out, bytes.p + head, n);
	memcpy(out + n, "\x00\x00\xff\xff", 4);
	z.next_in = (unsigned char *)out;
	z.avail_in = (unsigned)n + 4;
	z.next_out = (unsigned char *)text;
	memset(text, 0, sizeof(text));
	z.avail_out = sizeof(text);
	CU_ASSERT_TRUE(inflate(&z, Z_SYNC_FLUSH) == Z_OK && z.total_out == sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++)
		if (text[i] != (char)('a' + i * i % 7)) {
			CU_FAIL("inflated otherwise");
			break;
		}
	inflateEnd(&z);
	CU_ASSERT_PTR_EQUAL(ws_frame_bytes(f, true).p, bytes.p); /* made once */
	CU_ASSERT_EQUAL(ws_frame_bytes(f, false).n, sizeof(text) + 4);
	ws_frame_put(f);
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (unsigned char)((seed = seed * 1664525 + 1013904223) >> 24);
	r = ws_frame_new((char *)noise, sizeof(noise), true);
	CU_ASSERT_EQUAL(ws_frame_bytes(r, true).n, sizeof(noise) + 4); /* it would only grow */
	ws_frame_put(r);
}

/* The frame lives until what was queued of it is sent. */
static void queued(void)
{
	struct evbuffer *out = evbuffer_new();
	char text[1000];
	struct ws_frame *f;

	memset(text, 'x', sizeof(text));
	f = ws_frame_new(text, sizeof(text), false);
	ws_frame_queue(out, f, ws_frame_bytes(f, false));
	ws_frame_put(f);
	CU_ASSERT_EQUAL(evbuffer_get_length(out), sizeof(text) + 4);
	evbuffer_drain(out, 4);
	CU_ASSERT_EQUAL(evbuffer_pullup(out, -1)[999], 'x');
	f = ws_frame_new("short", 5, false);
	ws_frame_queue(out, f, ws_frame_bytes(f, false));
	ws_frame_put(f);
	evbuffer_free(out);
}

UNIT_MAIN("ws_frame", { "heads", heads }, { "plain", plain }, { "deflated", deflated },
	{ "queued", queued })
