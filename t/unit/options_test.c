/* SPDX-License-Identifier: Apache-2.0
 * The settings: a reload changes the reloadable ones, and leaves the others where they are. */
#include "unit.h"
#include "config/options.h"

#include <unistd.h>

static void write_file(const char *name, const char *proxies, const char *level)
{
	FILE *f = fopen(name, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fprintf(f, "[http]\ntrusted_proxies = %s\n[log]\nlevel = %s\n", proxies, level);
	fclose(f);
}

static void test_reload(void)
{
	char name[] = "/tmp/sladesk-options-XXXXXX";
	int fd = mkstemp(name);
	const char *error = "", *kept;

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	write_file(name, "10.0.0.1", "info");
	CU_ASSERT_FATAL(options_load(name, &error));
	kept = options.http_trusted_proxies;
	CU_ASSERT_STRING_EQUAL(kept, "10.0.0.1");
	/* what may not change stays where it is: the daemon points to it */
	write_file(name, "10.0.0.2", "debug");
	CU_ASSERT(options_reload(&error));
	CU_ASSERT_PTR_EQUAL(options.http_trusted_proxies, kept);
	CU_ASSERT_STRING_EQUAL(kept, "10.0.0.1");
	CU_ASSERT_STRING_EQUAL(options.log_level, "debug");
	/* a fault changes nothing */
	write_file(name, "10.0.0.3", "info\nbogus = 1");
	CU_ASSERT_FALSE(options_reload(&error));
	CU_ASSERT_PTR_EQUAL(options.http_trusted_proxies, kept);
	CU_ASSERT_STRING_EQUAL(kept, "10.0.0.1");
	CU_ASSERT_STRING_EQUAL(options.log_level, "debug");
	options_free();
	unlink(name);
}

UNIT_MAIN("options", { "a reload", test_reload })
