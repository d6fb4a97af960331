/* SPDX-License-Identifier: Apache-2.0
 * Heads, chunked bodies, query strings, ranges: any bytes. What the parser accepts must satisfy its
 * own contract. */
#include "http/parse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct http_head h;
	const char *p = (const char *)data, *body;
	int used = http_parse_head(p, n, &h);
	struct http_chunked c = { 0 };
	size_t at = 0, got, out_n;
	uint64_t a, b;
	char *out;

	bug_on(used > (int)n);
	if (used > 0) {
		struct str rest = h.query, k, v;

		bug_on(h.chunked && h.has_length);
		bug_on(memchr(h.path.p, ' ', h.path.n) != NULL);
		out = xmalloc(n + 1);
		while (http_query_next(&rest, &k, &v))
			if (http_decode(v, true, out, &out_n))
				bug_on(!utf8_is_valid(out, out_n));
		free(out);
		if (http_range(http_header_find(&h, "range"), 1000, &a, &b) == 206)
			bug_on(a > b || b >= 1000);
		at = (size_t)used;
	}
	while (at < n && !c.done) {
		int64_t u = http_chunked_next(&c, p + at, n - at, &body, &got);

		if (u <= 0)
			break;
		bug_on((size_t)u > n - at || got > (size_t)u);
		at += (size_t)u;
	}
	return 0;
}
