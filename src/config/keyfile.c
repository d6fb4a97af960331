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
static int locked = -1; /* the file while it is being replaced */

char *keyfile_beside(const char *setting, const char *name)
{
	const char *slash = strrchr(options.token_key_file, '/');

	if (*setting)
		return xstrdup(setting);
	return xasprintf("%.*s%s", slash ? (int)(slash - options.token_key_file) + 1 : 0,
		options.token_key_file, name);
}

const char *keyfile_fault(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *folder = slash ? xstrndup(file, (size_t)(slash - file) + 1) : xstrdup(".");
	bool good =
		access(file, R_OK) == 0 || (errno == ENOENT && access(folder, W_OK | X_OK) == 0);

	free(folder);
	if (!good)
		return strerror(errno);
	return secretfile_is_exposed(file) ? secretfile_error(EPERM) : NULL;
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
	int fd;
	ssize_t n = (ssize_t)strlen(text);
	bool ok;
	int why;

	unlink(path); /* of a process that died: we have the lock */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	ok = fd >= 0 && fchown(fd, old->st_uid, old->st_gid) == 0 &&
	     write(fd, text, (size_t)n) == n && fsync(fd) == 0 &&
	     rename(path, options.token_key_file) == 0 && folder_sync(options.token_key_file);
	why = errno;
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

/* Lock the file and make its new contents. Returns the locked descriptor, or -1 with errno; EBUSY
 * while another process is replacing it. */
static int begin(bool at_once, struct stat *old, char **out_fresh)
{
	int fd = open_file();
	char text[TEXT_MAX];
	ssize_t n;

	*out_fresh = NULL;
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !is_current(fd, old)) {
		close(fd);
		errno = EBUSY;
		return -1;
	}
	n = read_file(fd, text);
	if (n >= 0)
		*out_fresh = token_keys_rotate(text, (size_t)n, clock_now_us() / US_PER_S, at_once);
	OPENSSL_cleanse(text, sizeof(text));
	if (*out_fresh)
		return fd;
	close(fd); /* this also releases the lock */
	errno = EFBIG;
	return -1;
}

bool keyfile_rotate(bool at_once)
{
	struct stat old;
	char *fresh;
	int fd = begin(at_once, &old, &fresh);
	bool ok;

	if (fd < 0)
		return false;
	ok = replace(&old, fresh);
	OPENSSL_cleanse(fresh, strlen(fresh));
	free(fresh);
	close(fd);
	return ok;
}

static void make(void)
{
	char *text = token_keys_rotate(NULL, 0, clock_now_us() / US_PER_S, true);
	int fd = open(options.token_key_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n = (ssize_t)strlen(text);

	if (fd < 0 || write(fd, text, (size_t)n) != n || fsync(fd) != 0 ||
		!folder_sync(options.token_key_file))
		die("token.key_file: %s: %s", options.token_key_file, strerror(errno));
	close(fd);
	OPENSSL_cleanse(text, (size_t)n);
	free(text);
}

void keyfile_check(struct buf *faults)
{
	const char *why = keyfile_fault(options.token_key_file);

	if (!why && access(options.token_key_file, F_OK) == 0)
		why = load_keys();
	if (why)
		buf_addf(faults, "token.key_file: %s: %s\n", options.token_key_file, why);
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
	const char *why;
	struct stat now;

	if (stat(options.token_key_file, &now) == 0 &&
		(now.st_ino != seen.st_ino ||
			memcmp(&now.st_mtim, &seen.st_mtim, sizeof(seen.st_mtim)) != 0) &&
		(why = load_keys()))
		log_error(NULL,
			"token.key_file cannot be read; keeping the current keys path=%s err=%s",
			options.token_key_file, why);
}

static void cannot_rotate(const char *why)
{
	log_error(NULL, "token.key_file cannot be rotated path=%s err=%s", options.token_key_file,
		why);
}

char *keyfile_renew(void)
{
	int64_t age_s = clock_now_us() / US_PER_S - token_keys_newest_s();
	struct stat old;
	char *fresh;

	if (locked >= 0 || age_s < options.token_rotate_days * 86400)
		return NULL;
	locked = begin(false, &old, &fresh);
	if (locked < 0 && errno != EBUSY)
		cannot_rotate(strerror(errno));
	return locked < 0 ? NULL : fresh;
}

void keyfile_renewed(const char *why)
{
	close(locked); /* this also releases the lock */
	locked = -1;
	if (why)
		cannot_rotate(why);
	else
		log_info(NULL, "a new signing key was created; it signs in ten minutes");
	keyfile_tick();
}
