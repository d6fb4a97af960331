/* SPDX-License-Identifier: Apache-2.0
 * Routes that exist only if test.echo is set: public conformance suites and our own driver tests
 * use them. They run the same code as everything else: the WebSocket layer, streamed uploads,
 * chunked downloads with back-pressure, the helpers. */
#include "selftest.h"
#include "base/json.h"
#include "config/options.h"
#include "http/ws.h"
#include "work/work.h"
#include "flow_gen.h"

#include <event2/buffer.h>
#include <stdio.h>

static void echo_message(struct ws *ws, const char *p, size_t n, bool binary)
{
	struct ws_frame *f = ws_frame_new(p, n, binary);

	if (!ws_send(ws, &f, 1, 64u << 20))
		ws_close(ws, 1013, "slow");
	ws_frame_put(f);
}

static void echo_close(struct ws *ws)
{
	(void)ws;
}

const struct ws_handler echo_handler = { echo_message, echo_close, 17u << 20 };

struct outcome *echo_open(struct req *req)
{
	struct outcome *o;

	if (!options.test_echo)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	o = req_taken(req);
	ws_accept(req->http, &echo_handler, NULL);
	return o;
}

struct sunk {
	uint64_t bytes;
	uint32_t sum;
};

void sink_piece(struct req *req, const char *p, size_t n)
{
	struct sunk *s = req_state(req, sunk);

	if (!s)
		s = req_state_new(req, sunk);
	s->bytes += n;
	for (size_t i = 0; i < n; i++)
		s->sum = s->sum * 31 + (unsigned char)p[i];
}

struct outcome *sink_done(struct req *req)
{
	const struct sunk *s = req_state(req, sunk);
	char out[80];
	int n = snprintf(out, sizeof(out), "{\"bytes\":%llu,\"sum\":%u}",
		(unsigned long long)(s ? s->bytes : 0), s ? s->sum : 0);

	if (!options.test_echo)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	return req_reply(req, 200, out, (size_t)n);
}

struct flooding {
	int64_t left;
};

/* ?bytes=N of 'x', as fast as the client takes them. */
static void flood_more(struct http_request *h)
{
	static char block[16384];
	struct flooding *f = req_state(magic_cast(req, h->user), flooding);

	if (!block[0])
		memset(block, 'x', sizeof(block));
	while (f->left > 0) {
		size_t n = f->left < (int64_t)sizeof(block) ? (size_t)f->left : sizeof(block);

		f->left -= (int64_t)n;
		if (!http_reply_piece(h, block, n) && f->left > 0)
			return;
	}
	http_reply_end(h);
}

struct outcome *flood(struct req *req)
{
	const struct in_selftest_flood *in = REQ_INPUT(req, selftest_flood);
	struct http_request *h = req->http;
	struct outcome *o;

	if (!options.test_echo)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	if (!in->has_bytes) {
		req_note_invalid(req, "bytes", "required", "必填");
		return req_invalid(req);
	}
	req_state_new(req, flooding)->left = in->bytes;
	o = req_streaming(req);
	http_reply_start(h, 200, "application/octet-stream", NULL, -1,
		flood_more); /* the first piece is requested when the head has been sent */
	return o;
}

static struct outcome *on_probe(struct req *req, bool ok, struct str answer)
{
	struct buf b = { 0 };

	buf_adds(&b, "{\"ok\":");
	buf_adds(&b, ok ? "true" : "false");
	buf_adds(&b, ",\"answer\":");
	buf_add_json(&b, answer.p ? answer.p : "", answer.n);
	buf_addc(&b, '}');
	return req_reply_take(req, 200, &b);
}

static enum work_pool pool_named(const char *name)
{
	for (int i = 0; name && i < WORK_POOLS; i++)
		if (strcmp(name, work_pool_name((enum work_pool)i)) == 0)
			return (enum work_pool)i;
	return POOL_HASH;
}

struct outcome *probe_worker(struct req *req)
{
	const struct in_selftest_probe *in = REQ_INPUT(req, selftest_probe);
	enum work_kind kind = strcmp(in->kind, "hang") == 0 ? WORK_HANG : WORK_PROBE;
	size_t n = (size_t)in->bytes;

	if (!options.test_echo)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	return req_work(req, work_kind_in(pool_named(in->pool), kind),
		in->bytes ? memset(arena_alloc(&req->arena, n + 1), 'x', n) : in->call,
		n ? n : strlen(in->call), on_probe);
}

const struct feature selftest_feature = {
	.name = "selftest",
	.routes = selftest_routes,
	.jobs = heartbeat_jobs,
	.metrics = heartbeat_metrics,
};
