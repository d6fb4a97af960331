/* SPDX-License-Identifier: Apache-2.0
 * Partial content (RFC 9110, section 14): one range of a file whose bytes never change under its
 * ETag. Several ranges at once are answered with the whole file, as the RFC allows. */
#include "inner.h"

int req_range(
	struct req *req, const char *etag, uint64_t size, uint64_t *out_from, uint64_t *out_to)
{
	const struct http_head *h = &req->http->head;
	struct str if_range = http_header_find(h, "if-range");

	*out_from = 0;
	*out_to = size ? size - 1 : 0;
	if (h->method != HTTP_GET || (if_range.p && !str_is(if_range, etag)))
		return 200;
	switch (http_range(http_header_find(h, "range"), size, out_from, out_to)) {
	case 206:
		return 206;
	case 416:
		return 416;
	default:
		*out_from = 0;
		*out_to = size ? size - 1 : 0;
		return 200;
	}
}

const char *req_range_header(struct req *req, uint64_t from, uint64_t to, uint64_t size)
{
	return arena_printf(&req->arena, "Content-Range: bytes %llu-%llu/%llu\r\n",
		(unsigned long long)from, (unsigned long long)to, (unsigned long long)size);
}

struct outcome *req_fail_range(struct req *req, uint64_t size)
{
	req->failure_header =
		arena_printf(&req->arena, "Content-Range: bytes */%llu", (unsigned long long)size);
	return req_fail(req, ERR_RANGE, NULL);
}
