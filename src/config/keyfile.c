/* SPDX-License-Identifier: Apache-2.0 */
#include "config/keyfile.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "crypto/secretfile.h"
#include "config/options.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX 16384

static struct stat seen;

char *keyfile_beside(const char *setting, const char *name)
{
	const char *slash = strrchr(options.token_key_file, '/');

	if (*setting)
		return xstrdup(setting);
	return xasprintf("%.*s%s", slash ? (int)(slash - options.token_key_file) + 1 : 0,
		options.token_key_file, name);
}

/* The file, or -1 with errno. */
static int open_file(void)
{
	if (!secretfile_is_exposed(options.token_key_file))
		return open(options.token_key_file, O_RDONLY | O_CLOEXEC);
	errno = EPERM;
	return -1;
}

/* Read the whole file into TEXT. Returns its length, or -1. */
static ssize_t read_file(int fd, char text[TEXT_MAX])
{
	ssize_t n = pread(fd, text, TEXT_MAX, 0);

	return n < TEXT_MAX ? n : -1;
}

/* Returns NULL, or why the keys cannot be used. */
static const char *load_keys(void)
{
	int fd = open_file();
	const char *why = fd < 0 ? secretfile_error(errno) : NULL;
	char text[TEXT_MAX];
	ssize_t n = fd < 0 ? -1 : read_file(fd, text);

	if (!why && n < 0)
		why = "it is no file of keys, or larger than one";
	if (!why && (fstat(fd, &seen) != 0 || !token_keys_load(text, (size_t)n)))
		why = "not a set of EC P-256 keys with a kid (JWK Set)";
	OPENSSL_cleanse(text, sizeof(text));
	if (fd >= 0)
		close(fd);
	return why;
}

/* Replace the file atomically: write a new one next to OLD, sync it, give it OLD's owner, rename
 * it. */
static bool replace(const struct stat *old, const char *text)
{
	char *path = xasprintf("%s.new", options.token_key_file);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = (ssize_t)strlen(text);
	bool ok = fd >= 0 && fchown(fd, old->st_uid, old->st_gid) == 0 &&
		  write(fd, text, (size_t)n) == n && fsync(fd) == 0 &&
		  rename(path, options.token_key_file) == 0;
	int why = errno;

	if (fd >= 0)
		close(fd);
	if (!ok && fd >= 0)
		unlink(path);
	free(path);
	errno = why;
	return ok;
}

/* Does the name still belong to FD, which we have locked? */
static bool is_current(int fd, struct stat *out)
{
	struct stat b;

	return fstat(fd, out) == 0 && stat(options.token_key_file, &b) == 0 &&
	       out->st_ino == b.st_ino && out->st_dev == b.st_dev;
}

bool keyfile_rotate(bool at_once)
{
	int fd = open_file();
	char text[TEXT_MAX], *fresh;
	struct stat old;
	ssize_t n;
	bool ok;

	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !is_current(fd, &old)) {
		close(fd);
		errno = EBUSY;
		return false;
	}
	n = read_file(fd, text);
	fresh = n < 0 ? NULL
		      : token_keys_rotate(text, (size_t)n, clock_now_us() / US_PER_S, at_once);
	ok = fresh && replace(&old, fresh);
	if (fresh) {
		OPENSSL_cleanse(fresh, strlen(fresh));
		free(fresh);
	}
	OPENSSL_cleanse(text, sizeof(text));
	close(fd); /* this also releases the lock */
	return ok;
}

static void make(void)
{
	char *text = token_keys_rotate(NULL, 0, clock_now_us() / US_PER_S, true);
	int fd = open(options.token_key_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n = (ssize_t)strlen(text);

	if (fd < 0 || write(fd, text, (size_t)n) != n || fsync(fd) != 0)
		die("token.key_file: %s: %s", options.token_key_file, strerror(errno));
	close(fd);
	OPENSSL_cleanse(text, (size_t)n);
	free(text);
}

void keyfile_open(void)
{
	const char *why;

	if (access(options.token_key_file, F_OK) != 0 && errno == ENOENT)
		make();
	why = load_keys();
	if (why)
		die("token.key_file: %s: %s", options.token_key_file, why);
}

void keyfile_tick(void)
{
	int64_t age_s = clock_now_us() / US_PER_S - token_keys_newest_s();
	const char *why;
	struct stat now;

	if (stat(options.token_key_file, &now) == 0 &&
		(now.st_ino != seen.st_ino ||
			memcmp(&now.st_mtim, &seen.st_mtim, sizeof(seen.st_mtim)) != 0) &&
		(why = load_keys()))
		log_error(NULL,
			"token.key_file cannot be read; keeping the current keys path=%s err=%s",
			options.token_key_file, why);
	if (age_s < options.token_rotate_days * 86400)
		return;
	if (keyfile_rotate(false)) {
		log_info(NULL, "a new signing key was created; it signs in ten minutes");
		load_keys();
	} else if (errno != EBUSY) {
		log_error(NULL, "token.key_file cannot be rotated path=%s err=%s",
			options.token_key_file, strerror(errno));
	}
}
