/* SPDX-License-Identifier: Apache-2.0
 * Memory, strings and buffers: the implementation of base/base.h. */
#include "base/base.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define BUF_KEPT (64 * 1024) /* the most that buf_reuse keeps */

void bug_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "sladesk: bug at %s:%d: %s\n", file, line, what);
	abort();
}

static const char *armed;

void failpoint_arm(const char *name)
{
	armed = name && *name ? name : NULL;
}

void failpoint(const char *name)
{
	if (armed && strcmp(armed, name) == 0)
		raise(SIGKILL);
}

void die(const char *fmt, ...)
{
	va_list ap;

	fputs("sladesk: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	bug_on(!p);
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	bug_on(!p);
	return p;
}

void *xrealloc(void *ptr, size_t size)
{
	void *p = realloc(ptr, size ? size : 1);

	bug_on(!p);
	return p;
}

char *xstrndup(const char *s, size_t len)
{
	char *p = xmalloc(len + 1);

	memcpy(p, s, len);
	p[len] = 0;
	return p;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xasprintf(const char *fmt, ...)
{
	char *p = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	bug_on(n < 0);
	return p;
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(struct str a, const char *b)
{
	return str_eq(a, str_of(b));
}

bool str_case_is(struct str a, const char *b)
{
	return a.n == strlen(b) && strncasecmp(a.p, b, a.n) == 0;
}

bool str_to_int(struct str s, int64_t min, int64_t max, int64_t *out)
{
	bool neg = s.n && s.p[0] == '-';
	size_t i = neg;
	uint64_t v = 0;

	if (s.n == i || s.n - i > 19 || (s.p[i] == '0' && s.n - i > 1) || (neg && s.p[i] == '0'))
		return false;
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	if (v > (uint64_t)INT64_MAX)
		return false;
	*out = neg ? -(int64_t)v : (int64_t)v;
	return *out >= min && *out <= max;
}

void buf_grow(struct buf *b, size_t more)
{
	size_t want = b->n + more + 1, cap = b->cap ? b->cap : 64;

	while (cap < want)
		cap *= 2;
	b->p = xrealloc(b->p, cap);
	b->cap = cap;
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	buf_reserve(b, 128);
	va_start(ap, fmt);
	n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, ap);
	va_end(ap);
	bug_on(n < 0);
	if ((size_t)n >= b->cap - b->n) {
		buf_reserve(b, (size_t)n);
		va_start(ap, fmt);
		vsnprintf(b->p + b->n, b->cap - b->n, fmt, ap);
		va_end(ap);
	}
	b->n += (size_t)n;
}

void buf_add_int(struct buf *b, int64_t v)
{
	char t[24];
	size_t i = sizeof(t);
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do
		t[--i] = (char)('0' + u % 10);
	while (u /= 10);
	if (v < 0)
		t[--i] = '-';
	buf_add(b, t + i, sizeof(t) - i);
}

void buf_add_hex(struct buf *b, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *u = p;

	for (size_t i = 0; i < n; i++) {
		buf_addc(b, digits[u[i] >> 4]);
		buf_addc(b, digits[u[i] & 15]);
	}
}

void buf_add_url(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] &&
			strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~",
				p[i]))
			buf_addc(b, p[i]);
		else
			buf_addf(b, "%%%02X", (unsigned char)p[i]);
}

void buf_add_json(struct buf *b, const char *p, size_t n)
{
	static const char *const shorts[32] = {
		['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"
	};
	size_t from = 0;

	buf_addc(b, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != 0x7f)
			continue;
		buf_add(b, p + from, i - from);
		from = i + 1;
		if (c < 32 && shorts[c])
			buf_adds(b, shorts[c]);
		else if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else
			buf_addf(b, "\\u%04x", c);
	}
	buf_add(b, p + from, n - from);
	buf_addc(b, '"');
}

const char *buf_cstr(struct buf *b)
{
	buf_reserve(b, 0);
	b->p[b->n] = 0;
	return b->p;
}

char *buf_take(struct buf *b)
{
	char *p = (buf_cstr(b), b->p);

	*b = (struct buf){ 0 };
	return p;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

void buf_reuse(struct buf *b)
{
	b->n = 0;
	if (b->cap > BUF_KEPT)
		buf_free(b);
}

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	max_align_t data[];
};

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *blk = a->head;
	size_t need = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	void *p;

	if (!blk || blk->size - blk->used < need) {
		size_t cap = need > 2048 ? need : 2048;

		blk = xmalloc(sizeof(*blk) + cap);
		*blk = (struct arena_block){ a->head, 0, cap };
		a->head = blk;
	}
	p = (char *)blk->data + blk->used;
	blk->used += need;
	memset(p, 0, need);
	return p;
}

char *arena_dup(struct arena *a, const char *p, size_t n)
{
	char *s = arena_alloc(a, n + 1);

	if (n)
		memcpy(s, p, n);
	return s;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	bug_on(n < 0);
	s = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void arena_free(struct arena *a)
{
	while (a->head) {
		struct arena_block *next = a->head->next;

		free(a->head);
		a->head = next;
	}
}

/* Table 3-7 of the Unicode standard: which second byte may follow which first. */
static int utf8_next(const unsigned char *p, size_t n)
{
	unsigned char c = p[0], lo = 0x80, hi = 0xbf;
	int len;

	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		len = 2;
	else if ((c & 0xf0) == 0xe0)
		len = 3, lo = c == 0xe0 ? 0xa0 : 0x80, hi = c == 0xed ? 0x9f : 0xbf;
	else if (c >= 0xf0 && c <= 0xf4)
		len = 4, lo = c == 0xf0 ? 0x90 : 0x80, hi = c == 0xf4 ? 0x8f : 0xbf;
	else
		return 0;
	if (n < (size_t)len || p[1] < lo || p[1] > hi)
		return 0;
	for (int i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool utf8_is_valid(const char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		int len = utf8_next((const unsigned char *)p + i, n - i);

		if (!len)
			return false;
		i += (size_t)len;
	}
	return true;
}

size_t utf8_length(const char *p, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)p[i] & 0xc0) != 0x80;
	return count;
}

struct str utf8_head(struct str s, size_t chars)
{
	size_t i = 0;

	for (; i < s.n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80 && chars-- == 0)
			break;
	return (struct str){ s.p, i };
}

/* The number of bytes of P that are complete characters, if P was cut at N. */
static size_t whole(const char *p, size_t n)
{
	size_t last = n;

	while (last && n - last < 3 && ((unsigned char)p[last - 1] & 0xc0) == 0x80)
		last--;
	if (!last)
		return n;
	return utf8_next((const unsigned char *)p + last - 1, n - last + 1) ? n : last - 1;
}

size_t utf8_vformat(char *out, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(out, size, fmt, ap);

	if (n < 0)
		n = 0;
	if ((size_t)n < size)
		return (size_t)n;
	n = (int)whole(out, size - 1);
	out[n] = 0;
	return (size_t)n;
}

size_t utf8_format(char *out, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = utf8_vformat(out, size, fmt, ap);
	va_end(ap);
	return n;
}

bool folder_sync(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *folder = slash ? xstrndup(file, (size_t)(slash - file) + 1) : xstrdup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	free(folder);
	return ok;
}
