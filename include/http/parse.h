/* SPDX-License-Identifier: Apache-2.0
 * HTTP/1.1 on bytes (RFC 9112), pure: heads, chunked bodies, query strings, ranges. Anything
 * ambiguous is refused. */
#ifndef SLADESK_HTTP_PARSE_H
#define SLADESK_HTTP_PARSE_H

#include "base/base.h"

#define HTTP_HEAD_MAX 16384
#define HTTP_HEADERS_MAX 64
#define HTTP_TARGET_MAX 8192

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_METHODS
};
/* "GET", "POST", … */
const char *http_method_name(enum http_method m);

struct http_header {
	struct str name, value;
};

/* Views into the parsed bytes. */
struct http_head {
	enum http_method method;
	struct str target, path, query; /* path still percent-encoded */
	int minor;                      /* HTTP/1.minor */
	struct str host;
	struct http_header header[HTTP_HEADERS_MAX];
	int headers;
	bool keep_alive, chunked, has_length, expect_continue, upgrade_websocket;
	uint64_t length;
};

/* Parse a head. Returns bytes consumed (> 0), 0 when more are needed, or minus the status to answer
 * before closing. */
int http_parse_head(const char *p, size_t n, struct http_head *out);
/* The value of the first header called NAME (in any case); empty when there is none. */
struct str http_header_find(
	const struct http_head *h, const char *name); /* p is NULL when absent */

/* An incremental chunked decoder. Zero-initialised is ready. */
struct http_chunked {
	int state;
	uint64_t left;
	int digits, line; /* bytes of the line so far, to bound it */
	bool done;
};
/* Decode from P; OUT_DATA and OUT_N get the next run of body bytes (maybe empty). Returns bytes
 * consumed, or -400 when malformed. Call again until it consumes nothing or done is set. */
int64_t http_chunked_next(
	struct http_chunked *c, const char *p, size_t n, const char **out_data, size_t *out_n);

/* Percent-decode into OUT (N bytes at most); false on a bad escape, NUL, or bytes that are not
 * UTF-8. Returns the length in *OUT_N. */
bool http_decode(struct str s, bool plus_is_space, char *out, size_t *out_n);
/* Step through a query string: *REST begins as the query. False at its end. */
bool http_query_next(struct str *rest, struct str *out_key, struct str *out_value);

/* Read a Range header for a body of SIZE: 0 = serve all (no or unusable header), 206 with the
 * range, or 416. One range only. */
int http_range(struct str value, uint64_t size, uint64_t *out_from, uint64_t *out_to);
/* The reason phrase of STATUS (RFC 9110). */
const char *http_reason(int status);

#endif
