/* SPDX-License-Identifier: Apache-2.0
 * sladesk-helper-file: appends lines to a file that only grows, or replaces a file of keys, and
 * answers when that is on the disk. Waiting for a disk would block the loop. */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAST_MAX 1000 /* the longest line */

/* The last complete line of FD, and where the file ends after it. A line without an end was being
 * written when the machine stopped. */
static size_t last_line(int fd, char out[LAST_MAX], off_t *out_end)
{
	char tail[2 * LAST_MAX];
	struct stat st;
	off_t from;
	ssize_t n;
	size_t end, start;

	*out_end = 0;
	if (fstat(fd, &st) != 0)
		return 0;
	from = st.st_size > (off_t)sizeof(tail) ? st.st_size - (off_t)sizeof(tail) : 0;
	n = pread(fd, tail, sizeof(tail), from);
	for (end = n > 0 ? (size_t)n : 0; end && tail[end - 1] != '\n';)
		end--;
	*out_end = from + (off_t)end;
	if (!end)
		return 0;
	for (start = --end; start && tail[start - 1] != '\n';)
		start--;
	if (end - start > LAST_MAX)
		return 0;
	memcpy(out, tail + start, end - start);
	return end - start;
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno != EINTR)
			return false;
		p += w > 0 ? (size_t)w : 0;
		n -= w > 0 ? (size_t)w : 0;
	}
	return true;
}

/* "+": appended; "=" and the last line: it is not the one expected, and nothing was appended; "!"
 * and a text: failed. */
static void append(const char *file, struct str expected, struct str lines)
{
	int fd = open(file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	char answer[1 + LAST_MAX];
	size_t n = 0;
	off_t end;
	bool ok = fd >= 0 && flock(fd, LOCK_EX) == 0;

	if (ok) {
		n = last_line(fd, answer + 1, &end);
		answer[0] = '=';
		if (lines.n && n == expected.n && memcmp(answer + 1, expected.p, n) == 0) {
			answer[0] = '+';
			n = 0;
			ok = ftruncate(fd, end) == 0 && write_all(fd, lines.p, lines.n) &&
			     fsync(fd) == 0 && (end || folder_sync(file));
		}
	}
	if (!ok)
		n = (size_t)snprintf(answer, sizeof(answer), "!%s", strerror(errno)) - 1;
	if (fd >= 0)
		close(fd);
	helper_answer(answer, n + 1);
}

/* "+": whoever opens FILE, now or after a crash at any point, finds all of the old contents or all
 * of TEXT; "!" and a text: it has the old ones. Who asks holds the lock of the file, so what is
 * left beside it by a process that died is nobody's. */
static void replace(const char *file, struct str text)
{
	char *fresh = xasprintf("%s.new", file), answer[200] = "+";
	int fd, why;
	bool ok;

	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	ok = fd >= 0 && write_all(fd, text.p, text.n) && fsync(fd) == 0 && rename(fresh, file) == 0;
	why = errno;
	if (fd >= 0)
		close(fd);
	if (!ok)
		unlink(fresh);
	else if (!folder_sync(file)) /* it is there, but may be lost with the power */
		ok = false, why = errno;
	if (!ok)
		snprintf(answer, sizeof(answer), "!%s", strerror(why));
	free(fresh);
	helper_answer(answer, strlen(answer));
}

static void on_job(enum work_kind kind, const char *p, size_t n)
{
	size_t file = strnlen(p, n), expected = file < n ? strnlen(p + file + 1, n - file - 1) : 0;

	if (kind == WORK_REPLACE && file + 1 < n) {
		replace(p, (struct str){ p + file + 1, n - file - 1 });
		return;
	}
	if (kind != WORK_APPEND || file + 1 + expected + 1 > n) {
		helper_fail();
		return;
	}
	append(p, (struct str){ p + file + 1, expected },
		(struct str){ p + file + expected + 2, n - file - expected - 2 });
}

int main(void)
{
	return helper_main(&(struct helper_rules){ .pool = POOL_FILE,
		.fn = on_job,
		.memory_max = 64u << 20,
		.nice = 5,
		.files = true });
}
