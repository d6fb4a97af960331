/* SPDX-License-Identifier: Apache-2.0
 * Outages: one line each at the beginning and at the end, for any number of failures and parts. */
#include "base/clock.h"
#include "base/outage.h"
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char file[] = "/tmp/sladesk-unit-XXXXXX";

/* The lines since the last call. The caller frees them. */
static char *written(void)
{
	static long at;
	FILE *f = fopen(file, "r");
	struct buf b = { 0 };
	char block[4096];
	size_t n;

	fseek(f, at, SEEK_SET);
	while ((n = fread(block, 1, sizeof(block), f)))
		buf_add(&b, block, n);
	at = ftell(f);
	fclose(f);
	buf_reserve(&b, 1);
	return buf_take(&b);
}

static int lines_with(const char *text, const char *word)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, word)); p++)
		n++;
	return n;
}

static void one_line(void)
{
	char *text;

	for (int i = 0; i < 1000; i++)
		outage_note(LOG_WARN, "the part", "no reply after %d ms\nand a hint", i);
	outage_tick(clock_mono_us());
	text = written();
	CU_ASSERT_EQUAL(lines_with(text, "\n"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "outage of the part begins: no reply after 0 ms\n"));
	free(text);
	CU_ASSERT_TRUE(outage_is_on("the part"));
	CU_ASSERT_FALSE(outage_is_on("another part"));
	outage_back("another part");
	outage_back("the part");
	CU_ASSERT_FALSE(outage_is_on("the part"));
	outage_tick(clock_mono_us() + 4900000); /* it has not settled yet */
	outage_note(LOG_WARN, "the part", "another reason");
	CU_ASSERT_TRUE(outage_is_on("the part"));
	text = written();
	CU_ASSERT_STRING_EQUAL(text, "");
	free(text);
	outage_back("the part");
	outage_tick(clock_mono_us() + 5100000);
	text = written();
	CU_ASSERT_EQUAL(lines_with(text, "\n"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "outage of the part has ended after_s="));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "failures=1001\n"));
	free(text);
	outage_note(LOG_WARN, "the part", "again");
	text = written();
	CU_ASSERT_EQUAL(lines_with(text, "outage of the part begins: again\n"), 1);
	free(text);
	outage_free();
}

static void many_parts(void)
{
	char part[400], *text;

	for (int again = 0; again < 3; again++)
		for (int i = 0; i < 200; i++) {
			snprintf(part, sizeof(part), "webhook %0*d", i % 2 ? 300 : 3, i);
			outage_note(LOG_WARN, part, "away");
		}
	text = written();
	CU_ASSERT(lines_with(text, "\n") >= 64 && lines_with(text, "\n") <= 66);
	CU_ASSERT_EQUAL(lines_with(text, "outage of of"), 0);
	free(text);
	outage_free();
}

static void begin(void)
{
	int fd = mkstemp(file);

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	CU_ASSERT_TRUE(log_open(file, LOG_INFO, false));
}

static void finish(void)
{
	CU_ASSERT_TRUE(log_open("stderr", LOG_INFO, false));
	unlink(file);
}

UNIT_MAIN("outage", { "a file", begin }, { "one line at the beginning, one at the end", one_line },
	{ "the list of outages is bounded", many_parts }, { "no traces", finish })
