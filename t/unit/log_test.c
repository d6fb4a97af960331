/* SPDX-License-Identifier: Apache-2.0
 * Log lines: each message is one line, whatever it contains. Lines that a slow reader does not
 * take are kept, then counted; the writer never waits. */
#include "base/json.h"
#include "base/clock.h"
#include "base/log.h"
#include "unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sladesk-unit-XXXXXX", file[64];

static char *content(const char *name)
{
	FILE *f = fopen(name, "r");
	struct buf b = { 0 };
	char block[4096];
	size_t n;

	while (f && (n = fread(block, 1, sizeof(block), f)))
		buf_add(&b, block, n);
	if (f)
		fclose(f);
	return buf_take(&b);
}

static void lines(void)
{
	struct who who = { .kind = "req", .id = 7, .tenant_id = 12, .user_id = 3 };
	struct json_object *o;
	char *text;

	CU_ASSERT_TRUE(log_open(file, LOG_INFO, false));
	log_info(&who, "%s", "broken\r\ninto\x7ftwo");
	log_debug(&who, "below the level");
	log_error(NULL, "nobody's");
	text = content(file);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, " info  req=7 tenant=12 user=3 broken  into two\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, " error nobody's\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "below"));
	free(text);
	unlink(file);
	CU_ASSERT_TRUE(log_open(file, LOG_DEBUG, true));
	log_debug(&who, "a \"quoted\" 中 text");
	text = content(file);
	o = json_tokener_parse(text);
	CU_ASSERT_STRING_EQUAL(json_get_string(o, "msg"), "a \"quoted\" 中 text");
	CU_ASSERT_STRING_EQUAL(json_get_string(o, "level"), "debug");
	CU_ASSERT_EQUAL(json_get_int(o, "tenant", 0), 12);
	json_object_put(o);
	free(text);
}

static void long_lines(void)
{
	char wide[3000], *text;

	for (size_t i = 0; i + 3 < sizeof(wide); i += 3)
		memcpy(wide + i, "中", 3);
	wide[2997] = 0;
	unlink(file);
	CU_ASSERT_TRUE(log_open(file, LOG_INFO, false));
	log_info(NULL, "%s", wide);
	text = content(file);
	CU_ASSERT_TRUE(strlen(text) < 700 && utf8_is_valid(text, strlen(text)));
	CU_ASSERT_EQUAL(text[strlen(text) - 1], '\n');
	free(text);
}

static void levels(void)
{
	enum log_level level = LOG_INFO;

	CU_ASSERT_TRUE(log_level_parse("error", &level) && level == LOG_ERROR);
	CU_ASSERT_TRUE(log_level_parse("debug", &level) && level == LOG_DEBUG);
	CU_ASSERT_FALSE(log_level_parse("", &level) || log_level_parse("INFO", &level) ||
			log_level_parse("warning", &level));
	CU_ASSERT_EQUAL(level, LOG_DEBUG);
}

static void rotation(void)
{
	char moved[80], *text;

	unlink(file);
	CU_ASSERT_TRUE(log_open(file, LOG_INFO, false));
	log_info(NULL, "first");
	snprintf(moved, sizeof(moved), "%s.1", file);
	rename(file, moved);
	log_info(NULL, "still the old file");
	log_reopen();
	log_info(NULL, "new");
	text = content(moved);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "still the old file\n"));
	free(text);
	text = content(file);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, " new\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "first"));
	free(text);
	CU_ASSERT_FALSE(log_open("/nonexistent/x", LOG_INFO, false));
	log_info(NULL, "kept where it was");
	text = content(file);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "kept where it was"));
	free(text);
	unlink(moved);
}

/* A pipe that nobody reads: 64 KiB in the kernel, 256 KiB here, then lines are counted. */
static void slow_reader(void)
{
	char pipe_name[64], block[65536];
	uint64_t before = log_dropped();
	int64_t began = clock_mono_us();
	size_t got = 0;
	ssize_t n;
	int fd;

	snprintf(pipe_name, sizeof(pipe_name), "%s/pipe", folder);
	CU_ASSERT_EQUAL_FATAL(mkfifo(pipe_name, 0600), 0);
	fd = open(pipe_name, O_RDONLY | O_NONBLOCK);
	CU_ASSERT_TRUE(log_open(pipe_name, LOG_INFO, false));
	for (int i = 0; i < 5000; i++)
		log_info(NULL, "line %05d %080d", i, i);
	CU_ASSERT_TRUE(log_dropped() > before);
	CU_ASSERT_TRUE(clock_mono_us() - began < 5000000);
	for (int i = 0; i < 200; i++) { /* read: what was kept follows, in order */
		while ((n = read(fd, block, sizeof(block))) > 0)
			got += (size_t)n;
		log_flush();
	}
	CU_ASSERT_TRUE(got > 256 * 1024 && got < 500 * 1024);
	before = log_dropped();
	log_info(NULL, "after");
	CU_ASSERT_EQUAL(log_dropped(), before);
	n = read(fd, block, sizeof(block));
	CU_ASSERT_TRUE(n > 6 && memcmp(block + n - 6, "after\n", 6) == 0);
	close(fd);
	unlink(pipe_name);
	CU_ASSERT_TRUE(log_open("stderr", LOG_INFO, false));
}

static void begin(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/log", folder);
}

static void finish(void)
{
	unlink(file);
	CU_ASSERT_EQUAL(rmdir(folder), 0);
}

UNIT_MAIN("log", { "a folder", begin }, { "one line is one line", lines },
	{ "a long line is cut at a character", long_lines }, { "levels", levels },
	{ "rotation", rotation }, { "a slow reader", slow_reader }, { "no traces", finish })
