/* SPDX-License-Identifier: Apache-2.0
 * Reading CSV: RFC 4180 case by case, broken records and what follows them, the borders of the read
 * buffer, and compressed files that are cut short. */
#include "unit.h"
#include "cli/cli.h"

#include <iconv.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

static char file[] = "/tmp/sladesk-csv-XXXXXX";

static void write_file(const char *bytes, size_t n)
{
	FILE *f = fopen(file, "wb");

	CU_ASSERT_FATAL(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
}

/* The records of TEXT as one text: fields as [field], records end with ";", a broken one is
 * "!line:column;". */
static void read_all(const char *text, size_t n, int max, struct buf *out)
{
	struct str fields[256];
	struct csv *c;
	long line = 0, column = 0;
	int got;

	write_file(text, n);
	c = csv_open(file);
	while ((got = csv_next(c, fields, max, &line, &column)) != -1) {
		if (got == -2)
			buf_addf(out, "!%ld:%ld", line, column);
		for (int i = 0; i < got; i++)
			buf_addf(out, "[%.*s]", (int)fields[i].n, fields[i].p);
		buf_adds(out, ";");
	}
	csv_close(c);
}

static void records(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "a", "[a];" },
		{ "a\n", "[a];" },
		{ "a\r\n", "[a];" },
		{ "\n", "[];" },
		{ "\r\n", "[];" },
		{ "a,b\nc,d\n", "[a][b];[c][d];" },
		{ "a,b\r\nc,d", "[a][b];[c][d];" },
		{ ",\n", "[][];" },
		{ ",,", "[][][];" },
		{ "a,\n", "[a][];" },
		{ " a , b \n", "[ a ][ b ];" },
		{ "\"a\"\n", "[a];" },
		{ "\"\"\n", "[];" },
		{ "\"\"\"\"\n", "[\"];" },
		{ "\"a\"\"b\",c\n", "[a\"b][c];" },
		{ "\"a,b\",c\n", "[a,b][c];" },
		{ "\"a\nb\",c\nd\n", "[a\nb][c];[d];" },
		{ "\"a\r\nb\"\r\nc\n", "[a\r\nb];[c];" },
		{ "\"a\"", "[a];" },
		{ "工单,\"标题，含逗号\"\n", "[工单][标题，含逗号];" },
		/* broken; reading goes on in the next line */
		{ "a\"b\nc\n", "!1:2;[c];" },
		{ "x,a\"b\nc\n", "!1:4;[c];" },
		{ "\"a\"b\nc\n", "!1:4;[c];" },
		{ "\"a", "!1:3;" },
		{ "\"a\n\nb", "!1:6;" },
		{ "a\rb\nc\n", "!1:2;[c];" },
		{ "a\r,b\nc\n", "!1:2;[c];" },
		{ "a\n\"b\nc\"x\nd\n", "[a];!2:6;[d];" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = { 0 };

		read_all(rows[i].text, strlen(rows[i].text), 256, &b);
		if (strcmp(buf_cstr(&b), rows[i].want) != 0) {
			printf("# row %zu: %s, not %s\n", i, buf_cstr(&b), rows[i].want);
			CU_FAIL("a record is read wrongly");
		}
		buf_free(&b);
	}
}

static void zero_bytes(void)
{
	struct buf b = { 0 };

	read_all("a\0b\nc\n", 6, 256, &b);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b), "!1:2;[c];");
	buf_free(&b);
}

static void too_many_fields(void)
{
	struct buf b = { 0 };

	read_all("a,b\na,b,c\nd,e\n", 14, 2, &b);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b), "[a][b];!2:5;[d][e];");
	buf_free(&b);
}

/* The line of a record counts the lines inside quotes. */
static void lines(void)
{
	static const char text[] = "a\n\"b\n\n\nc\"\nd\nx\"\ne\n";
	static const long want[] = { 1, 2, 6, 7, 8 };
	struct str fields[4];
	struct csv *c;
	long line = 0, column = 0;

	write_file(text, sizeof(text) - 1);
	c = csv_open(file);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		CU_ASSERT_NOT_EQUAL(csv_next(c, fields, 4, &line, &column), -1);
		CU_ASSERT_EQUAL(line, want[i]);
	}
	CU_ASSERT_EQUAL(csv_next(c, fields, 4, &line, &column), -1);
	CU_ASSERT_EQUAL(csv_bytes_read(c), sizeof(text) - 1);
	csv_close(c);
}

/* The same text in every encoding gives the same fields. */
static void encodings(void)
{
	static const char text[] = "number,标题\n1,\"宕机，数据库连接失败\"\n2,镕珺 A\n",
			  want[] = "[number][标题];[1][宕机，数据库连接失败];[2][镕珺 A];";
	static const struct {
		const char *name, *mark;
		size_t mark_n;
		const char *found;
	} rows[] = { { "UTF-8", "", 0, "UTF-8" }, { "UTF-8", "\xef\xbb\xbf", 3, "UTF-8" },
		{ "GBK", "", 0, "GB18030" }, { "GB18030", "", 0, "GB18030" },
		{ "UTF-16LE", "\xff\xfe", 2, "UTF-16LE" },
		{ "UTF-16BE", "\xfe\xff", 2, "UTF-16BE" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		iconv_t conv = iconv_open(rows[i].name, "UTF-8");
		struct buf got = { 0 };
		char in[sizeof(text)], out[512], *from = in, *to = out + rows[i].mark_n;
		size_t in_n = sizeof(text) - 1, room = sizeof(out) - rows[i].mark_n;
		struct csv *c;

		memcpy(in, text, sizeof(in));
		memcpy(out, rows[i].mark, rows[i].mark_n);
		CU_ASSERT_EQUAL_FATAL(iconv(conv, &from, &in_n, &to, &room), 0);
		iconv_close(conv);
		read_all(out, sizeof(out) - room, 4, &got);
		CU_ASSERT_STRING_EQUAL(buf_cstr(&got), want);
		c = csv_open(file);
		CU_ASSERT_STRING_EQUAL(csv_encoding(c), rows[i].found);
		csv_close(c);
		buf_free(&got);
	}
}

/* A damaged row of a UTF-8 file does not make it another encoding. */
static void damaged(void)
{
	struct buf got = { 0 };
	static const char text[] = "标题\n\xb1\xea,x\n数据库\n", cut[] = "\xff\xfe"
									 "a\0\n\0b";

	read_all(text, sizeof(text) - 1, 4, &got);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&got), "[标题];[\xb1\xea][x];[数据库];");
	got.n = 0;
	read_all("caf\xe9,na\xefve\n", 11, 4, &got); /* Latin-1: refused, not read as Chinese */
	CU_ASSERT_STRING_EQUAL(buf_cstr(&got), "[caf\xe9][na\xefve];");
	got.n = 0;
	read_all(cut, sizeof(cut) - 1, 4, &got);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&got), "[a];[\xef\xbf\xbd];");
	buf_free(&got);
}

/* Every character falls on every side of the border of the buffers. */
static void character_borders(void)
{
	static const char word[] = "\xe5\xae\x95\xf0\x9f\x98\x80\xc3\xa9"; /* 3, 4 and 2 bytes */

	for (size_t fill = 0; fill < 12; fill++) {
		iconv_t conv = iconv_open("GB18030", "UTF-8");
		struct buf text = { 0 }, got = { 0 }, want = { 0 };
		char *out, *from, *to;
		size_t in_n, room;

		for (size_t i = 0; i < fill; i++)
			buf_addc(&text, 'x');
		while (text.n < 200000)
			buf_add(&text, word, sizeof(word) - 1);
		in_n = text.n;
		room = 2 * text.n;
		out = malloc(room);
		from = text.p;
		to = out;
		CU_ASSERT_EQUAL_FATAL(iconv(conv, &from, &in_n, &to, &room), 0);
		iconv_close(conv);
		buf_addf(&want, "[%.*s];", (int)text.n, text.p);
		read_all(out, (size_t)(to - out), 4, &got);
		CU_ASSERT_EQUAL(got.n, want.n);
		CU_ASSERT_STRING_EQUAL(buf_cstr(&got), buf_cstr(&want));
		free(out);
		buf_free(&text);
		buf_free(&got);
		buf_free(&want);
	}
}

/* Every special byte falls on every side of the border of the read buffer (65,536 bytes). */
static void buffer_borders(void)
{
	for (size_t fill = 65536 - 12; fill <= 65536 + 2; fill++) {
		struct buf text = { 0 }, got = { 0 }, want = { 0 };

		for (size_t i = 0; i < fill; i++)
			buf_addc(&text, 'x');
		buf_addf(&want, "[%.*s]", (int)fill, text.p);
		buf_adds(&text, ",\"a\"\"b\"\r\nc,d\r\n");
		buf_adds(&want, "[a\"b];[c][d];");
		read_all(text.p, text.n, 4, &got);
		CU_ASSERT_STRING_EQUAL(buf_cstr(&got), buf_cstr(&want));
		buf_free(&text);
		buf_free(&got);
		buf_free(&want);
	}
}

/* The exit status of reading the whole file in a process of its own. */
static int reads_with(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct str fields[4];
		struct csv *c = csv_open(file);
		long line, column;

		if (!freopen("/dev/null", "w", stderr))
			_exit(90);
		while (csv_next(c, fields, 4, &line, &column) != -1)
			;
		csv_close(c);
		_exit(0);
	}
	CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A compressed file reads as its contents; cut or damaged, it is an error and not an early end. */
static void compressed(void)
{
	enum { ROWS = 20000 };
	unsigned char bytes[200000];
	size_t n;
	gzFile z = gzopen(file, "wb");
	FILE *f;

	CU_ASSERT_FATAL(z != NULL);
	for (int i = 0; i < ROWS; i++)
		gzprintf(z, "%d,row %d\n", i, i * 7919 % 10007);
	CU_ASSERT_EQUAL_FATAL(gzclose(z), Z_OK);
	f = fopen(file, "rb");
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	CU_ASSERT_FATAL(n > 1000 && n < sizeof(bytes));
	CU_ASSERT_EQUAL(reads_with(), 0);
	write_file((char *)bytes, n / 2);
	CU_ASSERT_EQUAL(reads_with(), 1);
	write_file((char *)bytes, n - 4); /* without the length at its end */
	CU_ASSERT_EQUAL(reads_with(), 1);
	bytes[n - 6] ^= 1; /* the checksum */
	write_file((char *)bytes, n);
	CU_ASSERT_EQUAL(reads_with(), 1);
	unlink(file);
	CU_ASSERT_EQUAL(reads_with(), 1);
}

static void prepare(void)
{
	int fd = mkstemp(file);

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
}

UNIT_MAIN("CSV", { "a file", prepare }, { "records", records }, { "encodings", encodings },
	{ "damaged", damaged }, { "character borders", character_borders },
	{ "zero bytes", zero_bytes }, { "too many fields", too_many_fields },
	{ "line numbers", lines }, { "borders of the buffer", buffer_borders },
	{ "compressed files", compressed })
