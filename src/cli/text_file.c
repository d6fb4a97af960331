/* SPDX-License-Identifier: Apache-2.0 */
#include "text_file.h"
#include "cli/cli.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>

struct text_file {
	const char *file, *encoding;
	gzFile f;
	iconv_t conv; /* (iconv_t)-1 for UTF-8 */
	char raw[65536];
	size_t raw_n;
	bool raw_end;
};

/* --- recognising the encoding --- */

/* Counts the characters of more than one byte, the bytes that are part of no character, and, as
 * GB2312 has them, pairs of high bytes. */
struct utf8_count {
	int64_t good, bad, high, pairs;
	bool half; /* the first byte of a possible pair */
	unsigned char lead;
	int need, got;
};

/* The smallest and the largest second byte after LEAD (Unicode, table 3-7). */
static bool second_byte_fits(unsigned char lead, unsigned char b)
{
	unsigned char min = lead == 0xe0   ? 0xa0
			    : lead == 0xf0 ? 0x90
					   : 0x80,
		      max = lead == 0xed   ? 0x9f
			    : lead == 0xf4 ? 0x8f
					   : 0xbf;

	return b >= min && b <= max;
}

static void count_pair(struct utf8_count *u, unsigned char b)
{
	u->high += b >= 0x80;
	u->pairs += u->half && b >= 0xa1;
	u->half = !u->half && b >= 0xa1;
}

static void count_byte(struct utf8_count *u, unsigned char b)
{
	count_pair(u, b);
	if (u->need) {
		if (u->got == 1 ? second_byte_fits(u->lead, b) : (b & 0xc0) == 0x80) {
			if (++u->got == u->need) {
				u->good++;
				u->need = 0;
			}
			return;
		}
		u->bad += u->got;
		u->need = 0;
	}
	if (b < 0x80)
		return;
	if (b < 0xc2 || b > 0xf4) {
		u->bad++;
		return;
	}
	u->lead = b;
	u->got = 1;
	u->need = b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
}

static const char *by_mark(const unsigned char *p, size_t n)
{
	if (n >= 2 && p[0] == 0xff && p[1] == 0xfe)
		return "UTF-16LE";
	if (n >= 2 && p[0] == 0xfe && p[1] == 0xff)
		return "UTF-16BE";
	return NULL;
}

/* Is it GBK? Chinese text in GBK contains hardly any valid UTF-8 sequence, and most of its
 * characters are those of GB2312. Anything else counts as UTF-8, so that only its damaged rows are
 * refused. */
static const char *recognise(struct text_file *t)
{
	struct utf8_count u = { 0 };
	const char *marked = NULL;
	int n;

	for (bool first = true; (n = gzread(t->f, t->raw, sizeof(t->raw))) > 0; first = false) {
		if (first)
			marked = by_mark((unsigned char *)t->raw, (size_t)n);
		if (marked)
			break;
		for (int i = 0; i < n; i++)
			count_byte(&u, (unsigned char)t->raw[i]);
	}
	if (marked)
		return marked;
	return u.bad > u.good && u.pairs * 4 > u.high ? "GB18030" : "UTF-8";
}

/* --- reading --- */

/* A file that is truncated, corrupt or unreadable from some point on is an error, not the end of
 * the file. */
static void fill_raw(struct text_file *t, long line)
{
	int error, n = gzread(t->f, t->raw + t->raw_n, (unsigned)(sizeof(t->raw) - t->raw_n));

	if (n > 0) {
		t->raw_n += (size_t)n;
		return;
	}
	t->raw_end = true;
	gzerror(t->f, &error);
	if (error == Z_ERRNO)
		die("%s: line %ld: %s", t->file, line, strerror(errno));
	if (error != Z_OK && error != Z_STREAM_END)
		die("%s: line %ld: %s", t->file, line,
			error == Z_BUF_ERROR   ? "the compressed file is cut short"
			: error == Z_MEM_ERROR ? "out of memory"
					       : "the compressed file is corrupt");
}

static void drop_raw(struct text_file *t, size_t n)
{
	t->raw_n -= n;
	memmove(t->raw, t->raw + n, t->raw_n);
}

/* Convert what is in raw. A byte that is no character becomes U+FFFD. */
static size_t convert(struct text_file *t, char *out, size_t size)
{
	char *in = t->raw, *to = out;
	size_t in_n = t->raw_n, room = size;

	while (in_n && room >= 4) {
		if (iconv(t->conv, &in, &in_n, &to, &room) != (size_t)-1 || errno == E2BIG)
			break;
		if (errno == EINVAL && !t->raw_end) /* the rest of the character follows */
			break;
		if (room < 3)
			break;
		memcpy(to, "\xef\xbf\xbd", 3);
		to += 3;
		room -= 3;
		in++;
		in_n--;
	}
	drop_raw(t, t->raw_n - in_n);
	return size - room;
}

size_t text_file_read(struct text_file *t, char *out, size_t size, long line)
{
	size_t n = 0;

	while (!n && !(t->raw_end && !t->raw_n)) {
		if (!t->raw_end && t->raw_n < 4)
			fill_raw(t, line);
		if (t->conv != (iconv_t)-1) {
			n = convert(t, out, size);
			if (!n && !t->raw_end)
				fill_raw(t, line);
		} else {
			n = t->raw_n < size ? t->raw_n : size;
			memcpy(out, t->raw, n);
			drop_raw(t, n);
		}
	}
	return n;
}

static void open_file(struct text_file *t)
{
	t->f = gzopen(t->file, "rb");
	if (!t->f)
		die("%s: cannot be read", t->file);
}

struct text_file *text_file_open(const char *file)
{
	struct text_file *t = xcalloc(1, sizeof(*t));
	size_t mark = 0;
	struct stat st;

	t->file = file;
	t->conv = (iconv_t)-1;
	open_file(t);
	t->encoding = "UTF-8";
	if (stat(file, &st) == 0 && S_ISREG(st.st_mode)) { /* a pipe cannot be read twice */
		t->encoding = recognise(t);
		gzclose(t->f);
		open_file(t);
	}
	if (strcmp(t->encoding, "UTF-8") != 0) {
		t->conv = iconv_open("UTF-8", t->encoding);
		if (t->conv == (iconv_t)-1)
			die("%s: this system cannot read %s", file, t->encoding);
	}
	fill_raw(t, 1);
	if (by_mark((unsigned char *)t->raw, t->raw_n))
		mark = 2;
	else if (t->raw_n >= 3 && memcmp(t->raw, "\xef\xbb\xbf", 3) == 0)
		mark = 3;
	drop_raw(t, mark);
	return t;
}

void text_file_close(struct text_file *t)
{
	gzclose(t->f);
	if (t->conv != (iconv_t)-1)
		iconv_close(t->conv);
	free(t);
}

const char *text_file_encoding(const struct text_file *t)
{
	return t->encoding;
}

uint64_t text_file_offset(const struct text_file *t)
{
	return (uint64_t)gzoffset(t->f);
}
