/* SPDX-License-Identifier: Apache-2.0
 * HTTP/1.1 parsing of bytes (RFC 9112), pure: heads, chunked bodies, query strings, ranges.
 * Anything ambiguous is refused. */
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
	struct str target, path, query; /* path, still percent-encoded */
	int minor;                      /* HTTP/1.minor */
	struct str host;
	struct http_header header[HTTP_HEADERS_MAX];
	int headers;
	bool keep_alive, chunked, has_length, expect_continue, upgrade_websocket;
	uint64_t length;
};

/* Parse a head. Returns the bytes consumed (> 0), 0 if more are needed, or minus the status to
 * answer before closing. */
int http_parse_head(const char *p, size_t n, struct http_head *out);
/* The value of the first header NAME (in any case); empty if there is none. */
struct str http_header_find(
	const struct http_head *h, const char *name); /* p is NULL if it is absent */

/* An incremental decoder of chunked bodies. A zero-initialised decoder is ready to use. */
struct http_chunked {
	int state;
	uint64_t left;
	int digits, line; /* bytes of the current line so far, to limit it */
	bool quoted;      /* inside a quoted value of a chunk extension */
	bool done;
};
/* Decode from P. OUT_DATA and OUT_N get the next run of body bytes (possibly empty). Returns the
 * bytes consumed, or -400 if they are malformed. Call again until it consumes nothing or done is
 * set. */
int64_t http_chunked_next(
	struct http_chunked *c, const char *p, size_t n, const char **out_data, size_t *out_n);

/* Percent-decode into OUT (at most N bytes), with the length in *OUT_N. Returns false for an
 * invalid escape, NUL, or bytes that are not UTF-8. */
bool http_decode(struct str s, bool plus_is_space, char *out, size_t *out_n);
/* Take the next pair from the query string *REST, which becomes the remainder. Returns false at the
 * end. */
bool http_query_next(struct str *rest, struct str *out_key, struct str *out_value);

/* Read a Range header for a body of SIZE. Returns 0 to serve everything (no usable header), 206
 * with the range, or 416. Only single ranges. */
int http_range(struct str value, uint64_t size, uint64_t *out_from, uint64_t *out_to);
/* The reason phrase of STATUS (RFC 9110). */
const char *http_reason(int status);

#endif
