/* SPDX-License-Identifier: Apache-2.0 */
#include "config/fieldkeys.h"
#include "config/keyfile.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "crypto/secretfile.h"
#include "db/db.h"
#include "config/options.h"
#include "sql_gen.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	unsigned char master[FIELD_KEY_BYTES];
	struct db_call call;
	char first_hex[2][2 * FIELD_WRAPPED_BYTES + 1];
	bool asking, running;
	int64_t newest_s;
} keys;
static void (*tell_ready)(void);

/* --- the master key --- */

bool fieldkeys_parse(const char *hex, unsigned char *out, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	memset(out, 0, n);
	for (size_t i = 0; i < 2 * n; i++) {
		const char *d = hex[i] ? strchr(digits, hex[i] >= 'A' && hex[i] <= 'F' ? hex[i] + 32
										       : hex[i])
				       : NULL;

		if (!d)
			return false;
		out[i / 2] = (unsigned char)(out[i / 2] << 4 | (d - digits));
	}
	return strspn(hex + 2 * n, "\r\n ") == strlen(hex + 2 * n);
}

char *fieldkeys_file(void)
{
	return keyfile_beside(options.crypto_master_key_file, "master.key");
}

bool fieldkeys_make_file(const char *file, const unsigned char key[FIELD_KEY_BYTES])
{
	char *folder = xstrdup(file), *slash = strrchr(folder, '/');
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct buf hex = { 0 };
	struct stat st;
	bool ok;

	buf_add_hex(&hex, key, FIELD_KEY_BYTES);
	buf_addc(&hex, '\n');
	if (slash)
		*slash = 0;
	/* the owner of the folder runs the daemon */
	ok = fd >= 0 && write(fd, hex.p, hex.n) == (ssize_t)hex.n && fsync(fd) == 0 &&
	     (geteuid() != 0 || stat(slash ? folder : ".", &st) != 0 ||
		     fchown(fd, st.st_uid, st.st_gid) == 0);
	OPENSSL_cleanse(hex.p, hex.n);
	buf_free(&hex);
	free(folder);
	if (fd >= 0)
		close(fd);
	return ok;
}

bool fieldkeys_read_file(const char *file, unsigned char out[FIELD_KEY_BYTES])
{
	FILE *f = secretfile_open(file);
	int why = f ? 0 : errno;
	char line[200];
	bool ok = f && fgets(line, sizeof(line), f) && fieldkeys_parse(line, out, FIELD_KEY_BYTES);

	OPENSSL_cleanse(line, sizeof(line));
	if (f)
		fclose(f);
	errno = why;
	return ok;
}

/* Run by a shell, as the operator wrote it. Its standard error is ours. */
static bool ask_command(unsigned char out[FIELD_KEY_BYTES])
{
	char *argv[] = { "sh", "-c", options.crypto_master_key_command, NULL }, line[200] = "";
	posix_spawn_file_actions_t actions;
	int fd[2], status = -1;
	size_t n = 0;
	ssize_t got;
	pid_t pid;
	bool ok;

	if (pipe2(fd, O_CLOEXEC) != 0)
		return false;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd[1], 1);
	ok = posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	close(fd[1]);
	while (ok && n < sizeof(line) - 1 &&
		(got = read(fd[0], line + n, sizeof(line) - 1 - n)) > 0)
		n += (size_t)got;
	close(fd[0]);
	line[strcspn(line, "\r\n")] = 0;
	ok = ok && waitpid(pid, &status, 0) == pid && status == 0 &&
	     fieldkeys_parse(line, out, FIELD_KEY_BYTES);
	OPENSSL_cleanse(line, sizeof(line));
	return ok;
}

bool fieldkeys_master(unsigned char out[FIELD_KEY_BYTES], const char **out_error)
{
	static char text[400];
	char *file;
	bool ok;

	if (options.crypto_master_key_command[0]) {
		*out_error = "crypto.master_key_command: must end with 0 and print 64 hex digits";
		return ask_command(out);
	}
	file = fieldkeys_file();
	if (access(file, F_OK) != 0 && errno == ENOENT) {
		crypto_random(out, FIELD_KEY_BYTES);
		ok = fieldkeys_make_file(file, out) || errno == EEXIST;
	}
	ok = fieldkeys_read_file(file, out);
	snprintf(text, sizeof(text), "crypto.master_key_file: %s: %s", file,
		errno ? secretfile_error(errno) : "must hold 64 hex digits");
	*out_error = text;
	free(file);
	return ok;
}

void fieldkeys_check(struct buf *faults)
{
	unsigned char master[FIELD_KEY_BYTES];
	char *file = fieldkeys_file();
	bool command = options.crypto_master_key_command[0];
	const char *why = command ? NULL : keyfile_fault(file);

	if (why)
		buf_addf(faults, "crypto.master_key_file: %s: %s\n", file, why);
	else if ((command || access(file, F_OK) == 0) && !fieldkeys_master(master, &why))
		buf_addf(faults, "%s\n", why);
	OPENSSL_cleanse(master, sizeof(master));
	free(file);
}

/* --- the data keys --- */

void fieldkeys_change_over(const unsigned char master[FIELD_KEY_BYTES], int64_t until_s,
	struct buf *key, struct buf *marks)
{
	unsigned char wrapped[FIELD_WRAPPED_BYTES];

	field_key_make(master ? master : keys.master, FIELD_PLACED_KEY, wrapped);
	buf_add_hex(key, wrapped, sizeof(wrapped));
	buf_addc(marks, '[');
	for (int c = 0; c < FIELD_COLUMNS; c++) {
		buf_addf(marks, "%s{\"name\":\"%s\",\"open\":\"", c ? "," : "",
			field_column_name(c));
		field_mark(marks, c, master ? master : keys.master, FIELD_PLACED_KEY, wrapped,
			until_s);
		buf_adds(marks, "\"}");
	}
	buf_addc(marks, ']');
}

/* The marks of columns follow the keys, which decrypt them. A column without one is closed. */
static void read_marks(const PGresult *rows)
{
	for (int c = 0; c < FIELD_COLUMNS; c++) {
		int64_t until = 0;

		for (int i = 0; i < PQntuples(rows); i++)
			if (!db_is_null(rows, i, 4) &&
				str_is(db_text(rows, i, 4), field_column_name(c)))
				until = field_mark_read(c, db_text(rows, i, 1));
		field_old_accept(c, until);
	}
}

static void add_keys(const PGresult *rows)
{
	for (int i = 0; i < PQntuples(rows); i++) {
		struct str hex = db_text(rows, i, 1);
		unsigned char wrapped[FIELD_WRAPPED_BYTES];
		char text[2 * FIELD_WRAPPED_BYTES + 1];

		if (!db_is_null(rows, i, 4))
			continue; /* a mark */
		snprintf(text, sizeof(text), "%.*s", (int)hex.n, hex.p);
		if (!fieldkeys_parse(text, wrapped, sizeof(wrapped)) ||
			!field_key_add(keys.master, db_int(rows, i, 0), wrapped, sizeof(wrapped),
				db_int(rows, i, 2))) {
			if (!field_keys_ready())
				die("field key %lld: cannot be decrypted with the master key "
				    "(crypto.master_key_file, crypto.master_key_command)",
					(long long)db_int(rows, i, 0));
			log_error(NULL, "field key cannot be decrypted id=%lld",
				(long long)db_int(rows, i, 0));
		}
		keys.newest_s = db_int(rows, i, 3);
	}
	read_marks(rows);
	if (tell_ready &&
		clock_now_us() / US_PER_S - keys.newest_s > options.crypto_rotate_days * 86400)
		log_warn(NULL, "the data key of personal fields is old; run sladesk keys rotate");
}

static void on_first(struct db_call *c, enum db_error error, const PGresult *rows)
{
	(void)c;
	(void)rows;
	keys.asking = false;
	if (error == DB_OK)
		fieldkeys_reload();
}

static void make_first(void)
{
	for (int i = 0; i < 2; i++) {
		unsigned char wrapped[FIELD_WRAPPED_BYTES];

		field_key_make(keys.master, i ? FIELD_PLACED_KEY : FIELD_INDEX_KEY, wrapped);
		for (size_t k = 0; k < sizeof(wrapped); k++)
			snprintf(keys.first_hex[i] + 2 * k, 3, "%02x", wrapped[k]);
	}
	keys.asking = true;
	keys.call = (struct db_call){ .stmt = &sql_keys_first,
		.ctx.role = DB_ROLE_JOB,
		.param = { keys.first_hex[0], keys.first_hex[1] },
		.on_done = on_first };
	db_call_int(&keys.call, 2, clock_now_us());
	db_exec(&keys.call);
}

static void on_list(struct db_call *c, enum db_error error, const PGresult *rows)
{
	(void)c;
	keys.asking = false;
	if (error != DB_OK || !keys.running)
		return;
	if (PQntuples(rows) == 0) {
		make_first();
		return;
	}
	add_keys(rows);
	if (tell_ready && field_keys_ready()) {
		void (*fn)(void) = tell_ready;

		tell_ready = NULL;
		log_info(NULL, "field keys decrypted n=%d", PQntuples(rows));
		fn();
	}
}

void fieldkeys_reload(void)
{
	if (keys.asking || !keys.running || (!tell_ready && !field_keys_ready()))
		return;
	keys.asking = true;
	keys.call = (struct db_call){
		.stmt = &sql_keys_list, .ctx.role = DB_ROLE_JOB, .on_done = on_list
	};
	db_exec(&keys.call);
}

void fieldkeys_load(void (*on_ready)(void))
{
	tell_ready = on_ready;
	fieldkeys_reload();
}

void fieldkeys_init(void)
{
	const char *error = "";

	keys.running = true;
	mlock(keys.master,
		sizeof(keys.master)); /* keep it out of swap, where the system allows that */
	if (!fieldkeys_master(keys.master, &error))
		die("%s", error);
}

void fieldkeys_free(void)
{
	keys.running = false;
	OPENSSL_cleanse(keys.master, sizeof(keys.master));
	field_keys_free();
}

int64_t fieldkeys_newest_s(void)
{
	return keys.newest_s;
}
