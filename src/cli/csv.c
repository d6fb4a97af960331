/* SPDX-License-Identifier: Apache-2.0
 * CSV by RFC 4180: quotes are doubled inside quotes, where newlines are allowed too. Bytes come
 * from text_file.c, which makes them UTF-8. */
#include "cli/cli.h"
#include "text_file.h"

#include <stdlib.h>

struct csv {
	struct text_file *t;
	struct buf record;
	char in[65536];
	size_t at, n;
	long line;
};

struct csv *csv_open(const char *file)
{
	struct csv *c = xcalloc(1, sizeof(*c));

	c->t = text_file_open(file);
	c->line = 1;
	return c;
}

void csv_close(struct csv *c)
{
	text_file_close(c->t);
	buf_free(&c->record);
	free(c);
}

const char *csv_encoding(const struct csv *c)
{
	return text_file_encoding(c->t);
}

uint64_t csv_bytes_read(const struct csv *c)
{
	return text_file_offset(c->t);
}

static int next_byte(struct csv *c)
{
	if (c->at == c->n) {
		c->at = 0;
		c->n = text_file_read(c->t, c->in, sizeof(c->in), c->line);
	}
	if (!c->n)
		return -1;
	return (unsigned char)c->in[c->at++];
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
