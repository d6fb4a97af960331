/* SPDX-License-Identifier: Apache-2.0
 * CSV by RFC 4180: quotes are doubled inside quotes, where newlines are allowed too. Bytes are read
 * through zlib, which also reads plain files. */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

struct csv {
	const char *file;
	gzFile f;
	struct buf record;
	unsigned char in[65536];
	int at, n;
	long line;
};

struct csv *csv_open(const char *file)
{
	struct csv *c = xcalloc(1, sizeof(*c));

	c->file = file;
	c->f = gzopen(file, "rb");
	if (!c->f)
		die("%s: cannot be read", file);
	c->line = 1;
	return c;
}

void csv_close(struct csv *c)
{
	gzclose(c->f);
	buf_free(&c->record);
	free(c);
}

uint64_t csv_bytes_read(const struct csv *c)
{
	return (uint64_t)gzoffset(c->f);
}

/* A file that is truncated, corrupt or unreadable from some point on is an error, not the end of
 * the file. */
static void fill(struct csv *c)
{
	int error;

	c->at = 0;
	c->n = gzread(c->f, c->in, sizeof(c->in));
	if (c->n > 0)
		return;
	c->n = 0;
	gzerror(c->f, &error);
	if (error == Z_ERRNO)
		die("%s: line %ld: %s", c->file, c->line, strerror(errno));
	if (error != Z_OK && error != Z_STREAM_END)
		die("%s: line %ld: %s", c->file, c->line,
			error == Z_BUF_ERROR   ? "the compressed file is cut short"
			: error == Z_MEM_ERROR ? "out of memory"
					       : "the compressed file is corrupt");
}

static int next_byte(struct csv *c)
{
	if (c->at == c->n)
		fill(c);
	if (!c->n)
		return -1;
	return c->in[c->at++];
}

static void skip_line(struct csv *c)
{
	int b;

	while ((b = next_byte(c)) >= 0 && b != '\n')
		;
	c->line++;
}

int csv_next(struct csv *c, struct str *fields, int max, long *out_line, long *out_column)
{
	size_t starts[256], ends[256];
	int n = 0, b;
	long column = 0;

	c->record.n = 0;
	*out_line = c->line;
	b = next_byte(c);
	if (b < 0)
		return -1;
	bug_on(max > 256);
	for (;;) {
		bool quoted = b == '"';

		if (n == max)
			goto broken;
		starts[n] = c->record.n;
		if (quoted) {
			for (;;) {
				b = next_byte(c);
				column++;
				if (b < 0)
					goto broken;
				if (b == '\n')
					c->line++;
				if (b == '"') {
					b = next_byte(c);
					column++;
					if (b != '"')
						break;
				}
				buf_addc(&c->record, (char)b);
			}
		} else {
			for (; b >= 0 && b != ',' && b != '\n' && b != '\r';
				b = next_byte(c), column++) {
				if (b == '"' || b == 0)
					goto broken;
				buf_addc(&c->record, (char)b);
			}
		}
		ends[n++] = c->record.n;
		if (b == '\r') {
			b = next_byte(c);
			if (b != '\n' && b >= 0)
				goto broken;
		}
		if (b < 0 || b == '\n')
			break;
		if (b != ',')
			goto broken;
		b = next_byte(c);
		column++;
	}
	c->line++;
	buf_cstr(&c->record);
	for (int i = 0; i < n; i++)
		fields[i] = (struct str){ c->record.p + starts[i], ends[i] - starts[i] };
	return n;
broken:
	*out_column = column + 1;
	if (b != '\n')
		skip_line(c);
	else
		c->line++;
	return -2;
}
