/* SPDX-License-Identifier: Apache-2.0
 * The strict parser. Every rule here excludes a way in which two parsers could disagree about where
 * a message ends. */
#include "http/parse.h"

#include <stdlib.h>
#include <strings.h>

static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

const char *http_method_name(enum http_method m)
{
	return methods[m];
}

/* tchar of RFC 9110 5.6.2 */
static bool is_token(unsigned char c)
{
	static const char extra[] = "!#$%&'*+-.^_`|~";

	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr(extra, c));
}

static bool all_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_token((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

/* Read one line up to CRLF. 1: done, 0: more bytes needed, -1: a bare LF, a bare CR or a NUL. */
static int take_line(const char *p, size_t n, size_t *at, struct str *out)
{
	for (size_t i = *at; i < n; i++) {
		if (p[i] == '\n' || p[i] == 0)
			return -1;
		if (p[i] != '\r')
			continue;
		if (i + 1 == n)
			return 0;
		if (p[i + 1] != '\n')
			return -1;
		*out = (struct str){ p + *at, i - *at };
		*at = i + 2;
		return 1;
	}
	return 0;
}

static int parse_method(struct str s, enum http_method *out)
{
	for (int i = 0; i < HTTP_METHODS; i++)
		if (str_is(s, methods[i])) {
			*out = (enum http_method)i;
			return 0;
		}
	return all_token(s) && s.n <= 32 ? -501 : -400;
}

static bool host_is_valid(struct str v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!(is_token((unsigned char)v.p[i]) || strchr(":[]", v.p[i])))
			return false;
	return v.n > 0 && v.n <= 255;
}

static int parse_target(struct http_head *h)
{
	struct str t = h->target;
	const char *q;

	if (t.n == 0)
		return -400;
	if (t.n > HTTP_TARGET_MAX)
		return -414;
	for (size_t i = 0; i < t.n; i++)
		if ((unsigned char)t.p[i] <= 0x20 || (unsigned char)t.p[i] >= 0x7f || t.p[i] == '#')
			return -400;
	if (t.n > 7 &&
		strncasecmp(t.p, "http://", 7) == 0) { /* absolute form: we use only the path */
		const char *slash = memchr(t.p + 7, '/', t.n - 7);

		h->host = (struct str){ t.p + 7, slash ? (size_t)(slash - t.p) - 7 : t.n - 7 };
		if (!host_is_valid(h->host))
			return -400;
		t = slash ? (struct str){ slash, t.n - (size_t)(slash - t.p) } : STR("/");
	} else if (t.p[0] != '/' && !(h->method == HTTP_OPTIONS && str_is(t, "*"))) {
		return -400;
	}
	q = str_chr(t, '?');
	h->path = (struct str){ t.p, q ? (size_t)(q - t.p) : t.n };
	h->query = q ? (struct str){ q + 1, t.n - (size_t)(q - t.p) - 1 } : (struct str){ "", 0 };
	return 0;
}

static int parse_request_line(struct str line, struct http_head *h)
{
	const char *sp1 = str_chr(line, ' '), *sp2;
	struct str version;
	int err;

	if (!sp1)
		return -400;
	sp2 = memchr(sp1 + 1, ' ', (size_t)(line.p + line.n - sp1) - 1);
	if (!sp2)
		return -400;
	err = parse_method((struct str){ line.p, (size_t)(sp1 - line.p) }, &h->method);
	if (err == -400)
		return err;
	h->target = (struct str){ sp1 + 1, (size_t)(sp2 - sp1) - 1 };
	version = (struct str){ sp2 + 1, (size_t)(line.p + line.n - sp2) - 1 };
	if (version.n != 8 || memcmp(version.p, "HTTP/", 5) != 0 || version.p[6] != '.' ||
		version.p[5] < '0' || version.p[5] > '9' || version.p[7] < '0' ||
		version.p[7] > '9')
		return -400;
	if (version.p[5] != '1')
		return -505;
	h->minor = version.p[7] != '0';
	h->keep_alive = h->minor == 1;
	if (err)
		return err;
	return parse_target(h);
}

static struct str trim(struct str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s.p++, s.n--;
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* Does the comma-separated list V contain the token WORD? */
static bool has_token(struct str v, const char *word)
{
	while (v.n) {
		const char *comma = str_chr(v, ',');
		struct str item = trim((struct str){ v.p, comma ? (size_t)(comma - v.p) : v.n });

		if (str_case_is(item, word))
			return true;
		if (!comma)
			break;
		v.n -= (size_t)(comma - v.p) + 1;
		v.p = comma + 1;
	}
	return false;
}

struct seen {
	int host, length, te, expect;
	bool upgrade, connection_upgrade;
};

static int take_header(struct http_head *h, struct http_header x, struct seen *seen)
{
	int64_t v;

	if (str_case_is(x.name, "host")) {
		if (seen->host++ || !host_is_valid(x.value))
			return -400;
		if (!h->host.p)
			h->host = x.value;
	} else if (str_case_is(x.name, "content-length")) {
		if (seen->length++ || x.value.n == 0 || x.value.n > 18)
			return -400;
		v = 0;
		for (size_t i = 0; i < x.value.n; i++) {
			if (x.value.p[i] < '0' || x.value.p[i] > '9')
				return -400;
			v = v * 10 + (x.value.p[i] - '0');
		}
		h->has_length = true;
		h->length = (uint64_t)v;
	} else if (str_case_is(x.name, "transfer-encoding")) {
		if (seen->te++ || !str_case_is(x.value, "chunked"))
			return seen->te > 1                              ? -400
			       : str_chr(x.value, ',') || x.value.n == 0 ? -400
									 : -501;
		h->chunked = true;
	} else if (str_case_is(x.name, "connection")) {
		if (has_token(x.value, "close"))
			h->keep_alive = false;
		else if (h->minor == 0 && has_token(x.value, "keep-alive"))
			h->keep_alive = true;
		seen->connection_upgrade |= has_token(x.value, "upgrade");
	} else if (str_case_is(x.name, "expect")) {
		if (!str_case_is(x.value, "100-continue"))
			return -417;
		h->expect_continue = h->minor == 1;
	} else if (str_case_is(x.name, "upgrade")) {
		seen->upgrade |= has_token(x.value, "websocket");
	}
	return 0;
}

static int parse_header_line(struct str line, struct http_header *out)
{
	const char *colon = str_chr(line, ':');

	if (!colon)
		return -400;
	out->name = (struct str){ line.p, (size_t)(colon - line.p) };
	if (!all_token(
		    out->name)) /* this also refuses a blank before the colon, and folded lines */
		return -400;
	out->value = trim((struct str){ colon + 1, (size_t)(line.p + line.n - colon) - 1 });
	for (size_t i = 0; i < out->value.n; i++) {
		unsigned char c = (unsigned char)out->value.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return -400;
	}
	return 0;
}

int http_parse_head(const char *p, size_t n, struct http_head *h)
{
	struct seen seen = { 0 };
	struct str line;
	size_t at = 0;
	int got, err;

	h->host = (struct str){ 0 };
	h->headers = 0;
	h->keep_alive = h->chunked = h->has_length = h->expect_continue = h->upgrade_websocket =
		false;
	h->length = 0;
	if (n >= 2 && p[0] == '\r' &&
		p[1] == '\n') /* RFC 9112 2.2: one empty line before the request line is accepted */
		at = 2;
	got = take_line(p, n, &at, &line);
	if (got <= 0)
		return got < 0 ? -400 : n > HTTP_HEAD_MAX ? -431 : 0;
	err = parse_request_line(line, h);
	if (err)
		return err;
	for (;;) {
		got = take_line(p, n, &at, &line);
		if (got <= 0)
			return got < 0 ? -400 : n > HTTP_HEAD_MAX ? -431 : 0;
		if (line.n == 0)
			break;
		if (h->headers == HTTP_HEADERS_MAX)
			return -431;
		err = parse_header_line(line, &h->header[h->headers]);
		if (!err)
			err = take_header(h, h->header[h->headers], &seen);
		if (err)
			return err;
		h->headers++;
	}
	if (at > HTTP_HEAD_MAX)
		return -431;
	if (h->minor == 1 && !seen.host)
		return -400;
	if (h->chunked && (h->has_length || h->minor == 0))
		return -400;
	h->upgrade_websocket =
		seen.upgrade && seen.connection_upgrade && h->method == HTTP_GET && h->minor == 1;
	return (int)at;
}

struct str http_header_find(const struct http_head *h, const char *name)
{
	for (int i = 0; i < h->headers; i++)
		if (str_case_is(h->header[i].name, name))
			return h->header[i].value;
	return (struct str){ 0 };
}

/* --- chunked --- */

enum {
	CHUNK_SIZE,
	CHUNK_EXT,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_TRAILER,
	CHUNK_TRAILER_LINE,
	CHUNK_TRAILER_LF,
	CHUNK_END_LF
};

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static bool chunk_byte(struct http_chunked *c, char b)
{
	int d;

	switch (c->state) {
	case CHUNK_SIZE:
		d = hex(b);
		if (d >= 0) {
			c->left = c->left * 16 + (uint64_t)d;
			return ++c->digits <= 8;
		}
		c->state = b == '\r' ? CHUNK_SIZE_LF : CHUNK_EXT;
		c->line = 0;
		return c->digits > 0 && (b == '\r' || b == ';');
	case CHUNK_EXT:
		if (b == '\r') {
			c->state = CHUNK_SIZE_LF;
			return !c->quoted;
		}
		c->quoted ^= b == '"';
		return ++c->line <= 256 &&
		       (is_token((unsigned char)b) || b == '=' || b == ';' || b == '"');
	case CHUNK_SIZE_LF:
		c->state = c->left ? CHUNK_DATA : CHUNK_TRAILER;
		c->digits = c->line = 0;
		return b == '\n';
	case CHUNK_DATA_CR:
		c->state = CHUNK_DATA_LF;
		return b == '\r';
	case CHUNK_DATA_LF:
		c->state = CHUNK_SIZE;
		return b == '\n';
	case CHUNK_TRAILER: /* trailers are read, limited, checked for syntax and dropped */
		if (b == '\r') {
			c->state = CHUNK_END_LF;
			return true;
		}
		c->state = CHUNK_TRAILER_LINE;
		return ++c->line <= 4096 && is_token((unsigned char)b);
	case CHUNK_TRAILER_LINE:
		if (b == '\r') {
			c->state = CHUNK_TRAILER_LF;
			return true;
		}
		return ++c->line <= 4096 && ((unsigned char)b >= 0x20 || b == '\t') && b != 0x7f;
	case CHUNK_TRAILER_LF:
		c->state = CHUNK_TRAILER;
		return b == '\n';
	case CHUNK_END_LF:
		c->done = true;
		return b == '\n';
	}
	return false;
}

int64_t http_chunked_next(
	struct http_chunked *c, const char *p, size_t n, const char **out_data, size_t *out_n)
{
	size_t i = 0;

	*out_n = 0;
	while (i < n && !c->done) {
		if (c->state == CHUNK_DATA) {
			*out_data = p + i;
			*out_n = n - i < c->left ? n - i : (size_t)c->left;
			c->left -= *out_n;
			if (!c->left)
				c->state = CHUNK_DATA_CR;
			return (int64_t)(i + *out_n);
		}
		if (!chunk_byte(c, p[i++]))
			return -400;
	}
	return (int64_t)i;
}

/* --- helpers --- */

bool http_decode(struct str s, bool plus_is_space, char *out, size_t *out_n)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			int hi = i + 2 < s.n + 0 ? hex(s.p[i + 1]) : -1,
			    lo = i + 2 < s.n + 0 ? hex(s.p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return false;
			c = (char)(hi * 16 + lo);
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if (!c)
			return false;
		out[n++] = c;
	}
	*out_n = n;
	return utf8_is_valid(out, n);
}

bool http_query_next(struct str *rest, struct str *out_key, struct str *out_value)
{
	const char *amp, *eq;
	struct str pair;

	if (!rest->n)
		return false;
	amp = str_chr(*rest, '&');
	pair = (struct str){ rest->p, amp ? (size_t)(amp - rest->p) : rest->n };
	*rest = amp ? (struct str){ amp + 1, rest->n - pair.n - 1 }
		    : (struct str){ rest->p + rest->n, 0 };
	eq = str_chr(pair, '=');
	*out_key = (struct str){ pair.p, eq ? (size_t)(eq - pair.p) : pair.n };
	*out_value = eq ? (struct str){ eq + 1, pair.n - out_key->n - 1 } : (struct str){ "", 0 };
	return true;
}

int http_range(struct str v, uint64_t size, uint64_t *out_from, uint64_t *out_to)
{
	int64_t a, b;
	const char *dash;
	struct str from, to;

	if (!v.p || v.n < 7 || strncasecmp(v.p, "bytes=", 6) != 0 || str_chr(v, ','))
		return 0;
	v.p += 6, v.n -= 6;
	dash = str_chr(v, '-');
	if (!dash)
		return 0;
	from = (struct str){ v.p, (size_t)(dash - v.p) };
	to = (struct str){ dash + 1, v.n - from.n - 1 };
	if (from.n == 0) {
		if (!str_to_int(to, 0, INT64_MAX, &b))
			return 0;
		if (b == 0 || size == 0)
			return 416;
		*out_from = (uint64_t)b < size ? size - (uint64_t)b : 0;
		*out_to = size - 1;
		return 206;
	}
	if (!str_to_int(from, 0, INT64_MAX, &a) ||
		(to.n && (!str_to_int(to, 0, INT64_MAX, &b) || b < a)))
		return 0;
	if ((uint64_t)a >= size)
		return 416;
	*out_from = (uint64_t)a;
	*out_to = to.n && (uint64_t)b < size ? (uint64_t)b : size - 1;
	return 206;
}

const char *http_reason(int status)
{
	switch (status) {
	case 100:
		return "Continue";
	case 101:
		return "Switching Protocols";
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 202:
		return "Accepted";
	case 204:
		return "No Content";
	case 206:
		return "Partial Content";
	case 304:
		return "Not Modified";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 409:
		return "Conflict";
	case 412:
		return "Precondition Failed";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 415:
		return "Unsupported Media Type";
	case 416:
		return "Range Not Satisfiable";
	case 417:
		return "Expectation Failed";
	case 422:
		return "Unprocessable Content";
	case 426:
		return "Upgrade Required";
	case 428:
		return "Precondition Required";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	case 501:
		return "Not Implemented";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	}
	return "Status";
}
