/* SPDX-License-Identifier: Apache-2.0
 * The settings: files, the environment over them, and a reload that is all or nothing. */
#include "config/options.h"
#include "unit.h"

#include <string.h>
#include <unistd.h>

static char file[] = "/tmp/sladesk-unit-XXXXXX";

static void write_file(const char *text)
{
	FILE *f = fopen(file, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	fclose(f);
}

static const char *load(const char *text)
{
	const char *error = NULL;

	write_file(text);
	return options_load(file, &error) ? NULL : error;
}

static void begin(void)
{
	int fd = mkstemp(file);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	close(fd);
}

static void values(void)
{
	const char *error = "";

	CU_ASSERT_TRUE(options_load(NULL, &error)); /* no file: the defaults */
	CU_ASSERT_EQUAL(options.test_clock_scale, 1);
	CU_ASSERT_FALSE(options.test_echo);
	CU_ASSERT_PTR_NULL(load("; a comment\n[http]\nlisten = 127.0.0.1:9\n[test]\nclock_scale = "
				"60\necho = yes\n"));
	CU_ASSERT_STRING_EQUAL(options.http_listen, "127.0.0.1:9");
	CU_ASSERT_EQUAL(options.test_clock_scale, 60);
	CU_ASSERT_TRUE(options.test_echo);
	CU_ASSERT_PTR_NULL(load("[test]\necho = false\n"));
	CU_ASSERT_FALSE(options.test_echo);
	CU_ASSERT_EQUAL(options.test_clock_scale, 1); /* of this file, not of the one before */
}

static void refusals(void)
{
	static const struct {
		const char *text, *names;
	} bad[] = { { "[test]\nclock_scale = 0\n", "test.clock_scale" },
		{ "[test]\nclock_scale = 100001\n", "100000" },
		{ "[test]\nclock_scale = 1.5\n", "whole number" },
		{ "[test]\n\n\nclock_scale = x\n", "line 4" },
		{ "[test]\necho = on\n", "yes or no" }, { "[test]\nnothing = 1\n", "test.nothing" },
		{ "[nothing]\necho = yes\n", "nothing.echo" }, { "[test\n", "line 1" },
		{ "[test]\necho = on\nclock_scale = x\n", "line 2: /tmp" } };
	const char *error = NULL;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *why = load(bad[i].text);

		CU_ASSERT_PTR_NOT_NULL(why);
		if (why && !strstr(why, bad[i].names))
			CU_FAIL(bad[i].text);
	}
	CU_ASSERT_FALSE(options_load("/nonexistent/x", &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "cannot be read"));
}

static void environment(void)
{
	setenv("SLADESK_TEST_CLOCK_SCALE", "7", 1);
	CU_ASSERT_PTR_NULL(load("[test]\nclock_scale = 60\n"));
	CU_ASSERT_EQUAL(options.test_clock_scale, 7);
	setenv("SLADESK_TEST_CLOCK_SCALE", "seven", 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(load(""), "SLADESK_TEST_CLOCK_SCALE"));
	unsetenv("SLADESK_TEST_CLOCK_SCALE");
}

/* What cannot change while running stays; a file with a fault changes nothing. */
static void reload(void)
{
	const char *error = "";

	CU_ASSERT_PTR_NULL(load("[http]\nlisten = 127.0.0.1:9\n[test]\nclock_offset_s = "
				"5\n[database]\napp_url = dbname=one\n"));
	write_file("[http]\nlisten = 127.0.0.1:10\n[test]\nclock_offset_s = 6\n[database]\napp_url "
		   "= dbname=two\n");
	CU_ASSERT_TRUE(options_reload(&error));
	CU_ASSERT_STRING_EQUAL(options.http_listen, "127.0.0.1:9");
	CU_ASSERT_EQUAL(options.test_clock_offset_s, 6);
	CU_ASSERT_STRING_EQUAL(options.database_app_url, "dbname=two");
	write_file("[database]\napp_url = dbname=three\n[test]\nclock_offset_s = 7\nclock_scale = "
		   "1\nnonsense = 1\n");
	CU_ASSERT_FALSE(options_reload(&error));
	CU_ASSERT_EQUAL(options.test_clock_offset_s, 6);
	CU_ASSERT_STRING_EQUAL(options.database_app_url, "dbname=two");
	unlink(file);
	CU_ASSERT_FALSE(options_reload(&error));
	CU_ASSERT_EQUAL(options.test_clock_offset_s, 6);
	CU_ASSERT_STRING_EQUAL(options.database_app_url, "dbname=two");
	options_free();
	options_free();
}

UNIT_MAIN("options", { "a file", begin }, { "values", values }, { "refusals", refusals },
	{ "the environment", environment }, { "a reload", reload })
