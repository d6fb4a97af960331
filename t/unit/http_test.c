/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"
#include "http/parse.h"
#include "http/server.h"

static int parse(const char *text, struct http_head *h)
{
	return http_parse_head(text, strlen(text), h);
}

static void takes_good_heads(void)
{
	static struct http_head h;

	CU_ASSERT(parse("GET /a/b?x=1 HTTP/1.1\r\nHost: x\r\n\r\n", &h) > 0);
	CU_ASSERT(str_is(h.path, "/a/b") && str_is(h.query, "x=1") && h.keep_alive && !h.chunked);
	CU_ASSERT(parse("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nExpect: "
			"100-continue\r\n\r\n",
			  &h) > 0);
	CU_ASSERT(h.has_length && h.length == 12 && h.expect_continue);
	CU_ASSERT(
		parse("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", &h) > 0 &&
		h.chunked);
	CU_ASSERT(parse("GET / HTTP/1.0\r\n\r\n", &h) > 0 && !h.keep_alive);
	CU_ASSERT(parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: "
			"websocket\r\n\r\n",
			  &h) > 0 &&
		  h.upgrade_websocket);
	CU_ASSERT_EQUAL(parse("GET / HTTP/1.1\r\nHost: x\r\n", &h), 0);
	CU_ASSERT(parse("GET http://h/p HTTP/1.1\r\nHost: h\r\n\r\n", &h) > 0 &&
		  str_is(h.path, "/p"));
}

static void refuses_ambiguity(void)
{
	static const char *const bad[] = { "GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\nHost: x\n\n",
		"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: "
		"chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nX: \x01\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n", "GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
		"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n" };
	static struct http_head h;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int got = parse(bad[i], &h);

		if (got != -400)
			fprintf(stderr, "case %zu gave %d\n", i, got);
		CU_ASSERT_EQUAL(got, -400);
	}
	CU_ASSERT_EQUAL(
		parse("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n", &h),
		-501);
	CU_ASSERT_EQUAL(parse("GET / HTTP/2.0\r\nHost: x\r\n\r\n", &h), -505);
	CU_ASSERT_EQUAL(parse("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", &h), -501);
}

/* Cut off anywhere, the parser asks for more bytes and never answers anything else. */
static void waits_for_every_byte(void)
{
	static const char text[] = "PUT /x HTTP/1.1\r\nHost: example.org:8080\r\nX-A: b "
				   "c\r\nContent-Length: 3\r\n\r\n";
	static struct http_head h;

	for (size_t n = 0; n < sizeof(text) - 1; n++)
		CU_ASSERT_EQUAL(http_parse_head(text, n, &h), 0);
	CU_ASSERT_EQUAL(http_parse_head(text, sizeof(text) - 1, &h), (int)sizeof(text) - 1);
}

static int dechunk(const char *text, size_t step, struct buf *out)
{
	struct http_chunked c = { 0 };
	size_t n = strlen(text), at = 0;

	while (at < n && !c.done) {
		size_t give = n - at < step ? n - at : step, data_n;
		const char *data;
		int64_t used = http_chunked_next(&c, text + at, give, &data, &data_n);

		if (used < 0)
			return -1;
		buf_add(out, data, data_n);
		at += (size_t)used;
	}
	return c.done ? (int)at : 0;
}

static void chunked_bodies(void)
{
	static const char good[] = "4;c=\"d\"\r\nwiki\r\n5;a=b\r\npedia\r\n0\r\nX: y\r\n\r\nrest";
	static const char *const bad[] = { "\r\n", "g\r\n", "4\nwiki", "4\r\nwikiX\r\n",
		"123456789\r\n", "4 \r\nwiki\r\n", "-1\r\n", "0\r\nX\x01: y\r\n\r\n", "4;\x01\r\n",
		"4;a=\"b\r\nwiki\r\n0\r\n\r\n", "4;a=b\"\r\nwiki\r\n0\r\n\r\n",
		"4;a=\"\"\"\r\nwiki\r\n0\r\n\r\n" };

	for (size_t step = 1; step < 20; step++) {
		struct buf b = { 0 };

		CU_ASSERT_EQUAL(dechunk(good, step, &b), (int)sizeof(good) - 5);
		CU_ASSERT_STRING_EQUAL(buf_cstr(&b), "wikipedia");
		buf_free(&b);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf b = { 0 };

		CU_ASSERT_EQUAL(dechunk(bad[i], 64, &b), -1);
		buf_free(&b);
	}
}

static void ranges_and_queries(void)
{
	uint64_t a, b;
	char out[32];
	size_t n;
	struct str rest = STR("a=1&b&=c&d=%E5%AE%95"), k, v;

	CU_ASSERT_EQUAL(http_range(STR("bytes=0-3"), 10, &a, &b), 206);
	CU_ASSERT(a == 0 && b == 3);
	CU_ASSERT_EQUAL(http_range(STR("bytes=-4"), 10, &a, &b), 206);
	CU_ASSERT(a == 6 && b == 9);
	CU_ASSERT_EQUAL(http_range(STR("bytes=5-"), 10, &a, &b), 206);
	CU_ASSERT(a == 5 && b == 9);
	CU_ASSERT_EQUAL(http_range(STR("bytes=10-"), 10, &a, &b), 416);
	CU_ASSERT_EQUAL(http_range(STR("bytes=4-2"), 10, &a, &b), 0);
	CU_ASSERT_EQUAL(http_range(STR("bytes=0-1,3-4"), 10, &a, &b), 0);
	CU_ASSERT(http_query_next(&rest, &k, &v) && str_is(k, "a") && str_is(v, "1"));
	CU_ASSERT(http_query_next(&rest, &k, &v) && str_is(k, "b") && v.n == 0);
	CU_ASSERT(http_query_next(&rest, &k, &v) && k.n == 0);
	CU_ASSERT(http_query_next(&rest, &k, &v) && http_decode(v, true, out, &n) && n == 3);
	CU_ASSERT_FALSE(http_query_next(&rest, &k, &v));
	CU_ASSERT_FALSE(http_decode(STR("%00"), false, out, &n));
	CU_ASSERT_FALSE(http_decode(STR("%ff"), false, out, &n));
	CU_ASSERT_FALSE(http_decode(STR("%4"), false, out, &n));
	CU_ASSERT(http_decode(STR("%41"), false, out, &n) && n == 1 && out[0] == 'A');
}

static const char *key_of(const char *address)
{
	static char out[HTTP_ADDRESS_MAX];

	http_address_key(address, out);
	return out;
}

static void addresses_as_limits_count_them(void)
{
	static const char *const same[][2] = { { "10.0.0.1", "10.0.0.1" },
		{ "2001:db8:1:2::5", "2001:db8:1:2::" },
		{ "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::" },
		{ "2001:DB8:1:3:0:0:0:1", "2001:db8:1:3::" },
		/* not one /64 of all IPv4 clients of a listener that takes both */
		{ "::ffff:10.0.0.1", "10.0.0.1" }, { "::ffff:10.0.0.2", "10.0.0.2" },
		{ "local", "local" }, { "", "" }, { ":", ":" },
		{ "a name that is far too long to be an address of any kind",
			"a name that is far too long to be an address " } };

	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		CU_ASSERT_STRING_EQUAL(key_of(same[i][0]), same[i][1]);
}

UNIT_MAIN("http", { "valid heads are accepted", takes_good_heads },
	{ "ambiguous heads are refused", refuses_ambiguity },
	{ "incomplete heads wait for more bytes", waits_for_every_byte },
	{ "chunked bodies", chunked_bodies }, { "ranges and queries", ranges_and_queries },
	{ "addresses as limits count them", addresses_as_limits_count_them })
