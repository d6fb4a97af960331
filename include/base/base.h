/* SPDX-License-Identifier: Apache-2.0
 * What every module shares: exits on bugs and fatal errors, checked allocation, strings and byte
 * buffers. Pure: no I/O except the last line of a process that exits. */
#ifndef SLADESK_BASE_BASE_H
#define SLADESK_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdarg.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define UNUSED __attribute__((unused))

/* Abort with file, line and condition if COND holds. Use it for states that only a bug of ours can
 * cause. */
#define bug_on(cond) ((cond) ? bug_fail(__FILE__, __LINE__, #cond) : (void)0)
/* Log WHAT, which must not happen, with its place, and abort. */
void bug_fail(const char *file, int line, const char *what) __attribute__((noreturn));

/* A point at which a test can make the process die as by kill -9 (setting test.failpoint).
 * doc/HACKING.md lists the names. */
void failpoint(const char *name);
/* Arm the failpoint NAME, which must stay valid as long as the process. NULL or empty arms none. */
void failpoint_arm(const char *name);

/* Print "sladesk: what: why" and exit with status 1. Only for start-up and the command line. */
void die(const char *fmt, ...) __attribute__((noreturn)) PRINTF(1, 2);

/* Allocation that never returns NULL: the process aborts when it is out of memory. A restart loses
 * nothing. */
void *xmalloc(size_t size) MUST_USE;
/* COUNT times SIZE zeroed bytes; free() releases them. */
void *xcalloc(size_t count, size_t size) MUST_USE;
/* As realloc, but never NULL. */
void *xrealloc(void *ptr, size_t size) MUST_USE;
/* A copy of S; the caller frees it. */
char *xstrdup(const char *s) MUST_USE;
/* A copy of the LEN bytes at S with a NUL behind them; the caller frees it. */
char *xstrndup(const char *s, size_t len) MUST_USE;
/* Return the formatted text; the caller frees it. */
char *xasprintf(const char *fmt, ...) MUST_USE PRINTF(1, 2);

/* Write the folder of FILE to the disk: a new name is there only with it. It waits for the disk.
 * Returns false with errno set if that fails. */
bool folder_sync(const char *file) MUST_USE;

/* A view of bytes that someone else owns. */
struct str {
	const char *p;
	size_t n;
};
#define STR(lit) ((struct str){ "" lit, sizeof(lit) - 1 })
static inline struct str str_of(const char *s)
{
	return (struct str){ s, s ? strlen(s) : 0 };
}
/* Are the bytes the same? Not for secrets: see crypto_equal. */
bool str_eq(struct str a, struct str b);
/* Is A the text B, byte for byte? */
bool str_is(struct str a, const char *b);
/* The same, without regard to the case of ASCII letters. */
bool str_case_is(struct str a, const char *b);
/* The first C in S, or NULL. S may be empty without a place, which memchr must not be given. */
static inline const char *str_chr(struct str s, char c)
{
	return s.n ? memchr(s.p, c, s.n) : NULL;
}
/* Read an exact decimal integer (-?(0|[1-9][0-9]*)) within [min, max]. Returns false for anything
 * else. */
bool str_to_int(struct str s, int64_t min, int64_t max, int64_t *out);

/* A growing byte buffer. Zero-initialised is empty; buf_free releases it. */
struct buf {
	char *p;
	size_t n, cap;
};
/* Make room for MORE bytes beyond B->n, and a NUL. Only buf_reserve calls it. */
void buf_grow(struct buf *b, size_t more);
static inline void buf_reserve(struct buf *b, size_t more)
{
	if (b->n + more >= b->cap)
		buf_grow(b, more);
}
static inline void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!n)
		return;
	buf_reserve(b, n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
}
static inline void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}
static inline void buf_addc(struct buf *b, char c)
{
	buf_reserve(b, 1);
	b->p[b->n++] = c;
}
/* Append formatted text. */
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* Append V in decimal. */
void buf_add_int(struct buf *b, int64_t v);
/* Append the N bytes at P as lower-case hexadecimal digits. */
void buf_add_hex(struct buf *b, const void *p, size_t n);
/* Append a JSON string literal of the UTF-8 bytes P, quotes included, escaped so that it is also
 * safe in HTML. */
void buf_add_json(struct buf *b, const char *p, size_t n);
/* Append S percent-encoded, except for the unreserved characters of RFC 3986, section 2.3. */
void buf_add_url(struct buf *b, const char *p, size_t n);
/* NUL-terminate the bytes and return them. The buffer keeps ownership. */
const char *buf_cstr(struct buf *b);
/* Hand over the bytes, NUL-terminated. The caller frees them; the buffer is empty afterwards. */
char *buf_take(struct buf *b) MUST_USE;
/* Release the bytes; B is empty and usable again. */
void buf_free(struct buf *b);
/* Empty B for its next use: a buffer that is kept to save allocations must not keep the size of the
 * largest thing that was ever in it. */
void buf_reuse(struct buf *b);

/* The memory of a request. One call frees everything that was allocated from it. */
struct arena {
	struct arena_block *head;
};
/* SIZE zeroed bytes that live as long as the arena. */
void *arena_alloc(struct arena *a, size_t size) MUST_USE;
/* A copy of the N bytes at P with a NUL behind them, in the arena. */
char *arena_dup(struct arena *a, const char *p, size_t n) MUST_USE;
/* Formatted text in the arena. */
char *arena_printf(struct arena *a, const char *fmt, ...) MUST_USE PRINTF(2, 3);
/* Release everything that was allocated in A. */
void arena_free(struct arena *a);

/* Room for a text of at most CHARS characters of up to four bytes each, and its NUL. Contracts
 * count characters, so an array of CHARS bytes is too small for what they allow. */
#define TEXT_SIZE(chars) (4 * (chars) + 1)

/* True when the N bytes are well-formed UTF-8 (no overlong forms, no surrogates, nothing above
 * U+10FFFF). */
bool utf8_is_valid(const char *p, size_t n);
/* Code points in well-formed UTF-8. */
size_t utf8_length(const char *p, size_t n);
/* The first CHARS characters of well-formed S, or all of it. */
struct str utf8_head(struct str s, size_t chars);
/* Like snprintf; a text that does not fit into SIZE bytes ends with a complete character. For
 * errors and log lines only: texts that users write are never cut, they have room (TEXT_SIZE) or
 * memory of their own. Returns the number of bytes written. */
size_t utf8_format(char *out, size_t size, const char *fmt, ...) PRINTF(3, 4);
/* The same with a va_list. */
size_t utf8_vformat(char *out, size_t size, const char *fmt, va_list ap) PRINTF(3, 0);

#endif
