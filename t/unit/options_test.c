/* SPDX-License-Identifier: Apache-2.0
 * The settings: a reload changes the reloadable ones, and leaves the others where they are. */
#include "unit.h"
#include "config/options.h"

#include <string.h>
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

/* A sender or an address for answers that cannot stand in a mail is refused, by its name. */
static void test_mailboxes(void)
{
	static const struct {
		const char *key, *value;
		bool good;
	} rows[] = { { "from", "desk@example.com", true },
		{ "from", "Service desk <desk@example.com>", true },
		{ "from", "Service desk", false }, { "from", "desk@", false },
		{ "from", "a@b.c, d@e.f", false }, { "reply_to", "", true },
		{ "reply_to", "support@example.com", true }, { "reply_to", "nobody", false },
		{ "reply_to", "<a@b.c> x", false },
		{ "from", "x@example.com\n[engine]\nheartbeat_url = https://hc.example.com/ping/1",
			true },
		{ "from", "x@example.com\n[engine]\nheartbeat_url = http://127.0.0.1:9/p?x=1",
			true },
		{ "from", "x@example.com\n[engine]\nheartbeat_url = ftp://hc.example.com/", false },
		{ "from", "x@example.com\n[engine]\nheartbeat_url = https://u:p@hc.example.com/",
			false },
		{ "from", "x@example.com\n[engine]\nheartbeat_url = https:///x", false },
		{ "from", "x@example.com\n[engine]\nheartbeat_url = https://a b/", false } };
	char name[] = "/tmp/sladesk-options-XXXXXX";
	int fd = mkstemp(name);

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		FILE *f = fopen(name, "w");
		const char *error = "";

		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		fprintf(f, "[mail]\n%s = %s\n", rows[i].key, rows[i].value);
		fclose(f);
		CU_ASSERT_EQUAL(options_load(name, &error), rows[i].good);
		CU_ASSERT_TRUE(rows[i].good || strstr(error, rows[i].key) ||
			       strstr(error, "heartbeat_url"));
		options_free();
	}
	unlink(name);
}

UNIT_MAIN("options", { "a reload", test_reload }, { "mailboxes", test_mailboxes })
