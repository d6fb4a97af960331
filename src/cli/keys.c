/* SPDX-License-Identifier: Apache-2.0
 * sladesk keys: the keys of personal fields. rotate creates a data key and re-encrypts every value
 * with it, and can be interrupted at any time; rewrap changes the master key; backup and restore
 * protect against its loss. */
#include "cli/cli.h"
#include "reseal.h"
#include "crypto/crypto.h"
#include "config/fieldkeys.h"
#include "config/options.h"
#include "sql_gen.h"

#include <argon2.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SALT 16

static unsigned char master[FIELD_KEY_BYTES];

/* --- keys --- */

/* Every use of the master key is recorded in the provider's audit log; a change of keys is a row
 * anyway. */
static void audit(PGconn *pg)
{
	cli_audit(pg, "1", "master key");
}

static void insert_key(PGconn *pg, int64_t id, int64_t delay_s)
{
	unsigned char wrapped[FIELD_WRAPPED_BYTES];
	struct buf hex = { 0 };
	char text[24], from[32];
	const char *p[] = { text, NULL, cli_now(), from };

	field_key_make(master, id, wrapped);
	buf_add_hex(&hex, wrapped, sizeof(wrapped));
	snprintf(text, sizeof(text), "%lld", (long long)id);
	time_format(clock_now_us() + delay_s * US_PER_S, 6, from);
	p[1] = buf_cstr(&hex);
	cli_do(pg, &sql_cli_key_add, p);
	buf_free(&hex);
}

/* Read all keys. Returns the highest id. */
static int64_t read_keys(PGconn *pg)
{
	PGresult *r = cli_exec(pg, &sql_cli_key_list, NULL);
	int64_t last = -1;

	for (int i = 0; i < PQntuples(r); i++) {
		unsigned char wrapped[FIELD_WRAPPED_BYTES];

		last = strtoll(PQgetvalue(r, i, 0), NULL, 10);
		if (!fieldkeys_parse(PQgetvalue(r, i, 1), wrapped, sizeof(wrapped)) ||
			!field_key_add(master, last, wrapped, sizeof(wrapped),
				strtoll(PQgetvalue(r, i, 2), NULL, 10)))
			die("field key %lld: cannot be decrypted with the master key",
				(long long)last);
	}
	PQclear(r);
	return last;
}

int64_t cli_field_keys(PGconn *pg)
{
	const char *error = "";
	int64_t last;

	if (!fieldkeys_master(master, &error))
		die("%s", error);
	last = read_keys(pg);
	if (last < 0) {
		insert_key(pg, FIELD_INDEX_KEY, 0);
		insert_key(pg, FIELD_PLACED_KEY, 0);
		last = read_keys(pg);
	}
	return last;
}

char *cli_next_id(PGconn *pg, const char *table)
{
	PGresult *r = cli_exec(pg, &sql_keys_next_id, &table);
	char *id = xstrdup(PQgetvalue(r, 0, 0));

	PQclear(r);
	return id;
}

void cli_seal_mail(struct buf *sealed, char index[FIELD_MAIL_INDEX_MAX], enum field_column column,
	const char *tenant, const char *id, const char *mail)
{
	int64_t tenant_id = strtoll(tenant, NULL, 10);

	field_seal_at(sealed, column, tenant_id, id, str_of(mail), clock_now_us() / US_PER_S);
	field_mail_index(tenant_id, str_of(mail), index);
}

/* --- encryption --- */

static void wait_for_key(const char *what, int64_t id)
{
	for (int64_t left = options.crypto_key_delay_s; left >= 0; left--) {
		fprintf(stderr, "\rkey %lld %s; every instance reads it within %lld s ",
			(long long)id, what, (long long)left);
		sleep(left ? 1 : 0);
	}
	fputc('\n', stderr);
}

/* What the daemon does after an upgrade, by hand: the operator says that no instance of an earlier
 * version runs, and that what is in the database now is to be believed. */
static void seal_by_hand(PGconn *pg)
{
	int64_t current = cli_field_keys(pg);

	if (!field_placed()) {
		int64_t now = clock_now_us();
		char now_text[24], from[24];
		struct buf key = { 0 }, marks = { 0 };
		const char *p[] = { NULL, NULL, now_text, from, "true" };

		fieldkeys_change_over(master, now / US_PER_S + 86400, &key, &marks);
		snprintf(now_text, sizeof(now_text), "%lld", (long long)now);
		snprintf(from, sizeof(from), "%lld",
			(long long)(now + options.crypto_key_delay_s * US_PER_S));
		p[0] = buf_cstr(&key);
		p[1] = buf_cstr(&marks);
		if (!cli_finds(pg, &sql_sealing_begin, p))
			die("a value is bound to its place, but the key that did it is missing");
		buf_free(&key);
		buf_free(&marks);
		current = read_keys(pg);
		wait_for_key("made", current);
	}
	field_old_by_hand();
	cli_keep_changes(pg, false); /* the same values under another key */
	reseal_columns(pg, "e2.%", true, current);
	cli_keep_changes(pg, true);
}

static void rotate(PGconn *pg, bool resume)
{
	int64_t last = cli_field_keys(pg);
	char like[32];

	if (!field_placed() || cli_finds(pg, &sql_cli_key_marks, NULL))
		die("values of an earlier version are still to be encrypted anew: the daemon does "
		    "it (metric sladesk_sealing_columns), or sladesk keys seal");

	if (resume) {
		audit(pg);
	} else {
		insert_key(pg, ++last, options.crypto_key_delay_s);
		(void)read_keys(pg);
		wait_for_key("created", last);
	}
	while (field_key_current(clock_now_us() / US_PER_S) != last)
		sleep(1);
	snprintf(like, sizeof(like), "e2.%lld.%%", (long long)last);
	cli_keep_changes(pg, false); /* the same values under another key */
	reseal_columns(pg, like, false, last);
	cli_keep_changes(pg, true);
}

/* --- the master key --- */

static void read_passphrase(const unsigned char salt[SALT], unsigned char out[FIELD_KEY_BYTES])
{
	char *line = cli_read_line("passphrase: ");

	if (!line)
		die("no passphrase on standard input");
	if (utf8_length(line, strlen(line)) < 12)
		die("a passphrase has at least 12 characters");
	if (argon2id_hash_raw(3, 64 * 1024, 1, line, strlen(line), salt, SALT, out,
		    FIELD_KEY_BYTES) != ARGON2_OK)
		die("cannot derive a key");
	OPENSSL_cleanse(line, strlen(line));
	free(line);
}

static void backup(PGconn *pg, const char *file)
{
	unsigned char salt[SALT], key[FIELD_KEY_BYTES], box[FIELD_WRAPPED_BYTES];
	struct buf hex = { 0 };
	FILE *f;

	(void)cli_field_keys(pg);
	crypto_random(salt, SALT);
	read_passphrase(salt, key);
	field_box_seal(key, master, box);
	f = fopen(file, "wxe");
	if (!f)
		die("%s: %s", file, strerror(errno));
	buf_add_hex(&hex, salt, SALT);
	buf_addc(&hex, ' ');
	buf_add_hex(&hex, box, sizeof(box));
	fprintf(f, "sladesk-master-key-1 %s\n", buf_cstr(&hex));
	if (fclose(f) != 0)
		die("%s: %s", file, strerror(errno));
	audit(pg);
	OPENSSL_cleanse(key, sizeof(key));
	buf_free(&hex);
	printf("the master key, encrypted with the passphrase, is in %s; test it with 'sladesk "
	       "keys restore --check'\n",
		file);
}

static void restore(PGconn *pg, const char *file, bool check)
{
	unsigned char salt[SALT], key[FIELD_KEY_BYTES], box[FIELD_WRAPPED_BYTES];
	char name[32], hex[2][2 * FIELD_WRAPPED_BYTES + 1], *target;
	FILE *f = fopen(file, "re");
	PGresult *r;

	if (!f)
		die("%s: %s", file, strerror(errno));
	if (fscanf(f, "%31s %32s %120s", name, hex[0], hex[1]) != 3 ||
		strcmp(name, "sladesk-master-key-1") != 0 || !fieldkeys_parse(hex[0], salt, SALT) ||
		!fieldkeys_parse(hex[1], box, sizeof(box)))
		die("%s: not a backup of a master key", file);
	fclose(f);
	read_passphrase(salt, key);
	if (!field_box_open(key, box, master))
		die("wrong passphrase, or the file was changed");
	(void)read_keys(pg); /* exits if one key cannot be decrypted */
	r = cli_exec(pg, &sql_cli_key_list, NULL);
	printf("it decrypts all %d keys\n", PQntuples(r));
	PQclear(r);
	target = fieldkeys_file();
	if (!check && !fieldkeys_make_file(target, master))
		die("%s: %s", target, strerror(errno));
	if (!check)
		printf("written to %s\n", target);
	if (check)
		snprintf(cli_operation, sizeof(cli_operation), "keys.restore_check");
	audit(pg);
	free(target);
}

/* Write the new file next to the old one, rewrap all keys in one transaction, then rename the new
 * file. The old file is kept as .old. */
static void rewrap(PGconn *pg)
{
	unsigned char to[FIELD_KEY_BYTES], wrapped[FIELD_WRAPPED_BYTES], fresh[FIELD_WRAPPED_BYTES];
	char *file = fieldkeys_file(), *beside = xasprintf("%s.new", file),
	     *old = xasprintf("%s.old", file);
	PGresult *r;

	if (options.crypto_master_key_command[0])
		die("the master key comes from a command; to change it, use a key file for the "
		    "time of keys rewrap");
	(void)cli_field_keys(pg);
	crypto_random(to, sizeof(to));
	unlink(beside);
	if (!fieldkeys_make_file(beside, to))
		die("%s: %s", beside, strerror(errno));
	cli_begin(pg, CLI_WRITE);
	cli_run(pg, "lock table field_keys in exclusive mode");
	r = cli_exec(pg, &sql_cli_key_list, NULL);
	for (int i = 0; i < PQntuples(r); i++) {
		struct buf hex = { 0 };
		const char *p[] = { PQgetvalue(r, i, 0), NULL };

		if (!fieldkeys_parse(PQgetvalue(r, i, 1), wrapped, sizeof(wrapped)) ||
			!field_key_rewrap(master, to, strtoll(p[0], NULL, 10), wrapped,
				sizeof(wrapped), fresh))
			die("field key %s cannot be decrypted", p[0]);
		buf_add_hex(&hex, fresh, sizeof(fresh));
		p[1] = buf_cstr(&hex);
		cli_do(pg, &sql_cli_key_rewrap, p);
		buf_free(&hex);
	}
	PQclear(r);
	unlink(old);
	if (link(file, old) != 0 || rename(beside, file) != 0)
		die("%s: %s", file, strerror(errno));
	audit(pg);
	cli_commit(pg);
	printf("the new master key is in %s and the previous one in %s; keep the previous one for "
	       "backups made before now, and restart every sladeskd\n",
		file, old);
	free(file);
	free(beside);
	free(old);
}

static void status(PGconn *pg)
{
	PGresult *r = cli_exec(pg, &sql_cli_key_status, NULL);

	(void)cli_field_keys(pg);
	for (int i = 0; i < PQntuples(r); i++)
		printf("key %-4s made %s  %s\n", PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
			PQgetvalue(r, i, 2));
	PQclear(r);
}

int cmd_keys(int argc, char **argv)
{
	const char *what = argc ? argv[0] : "";
	PGconn *pg = cli_connect();
	int status_code = 0;

	if (strcmp(what, "rotate") == 0) {
		rotate(pg, cli_flag(argc, argv, "resume"));
	} else if (strcmp(what, "seal") == 0) {
		seal_by_hand(pg);
		audit(pg);
	} else if (strcmp(what, "check") == 0) {
		(void)cli_field_keys(pg);
		status_code = reseal_check(pg) ? 0 : 1;
	} else if (strcmp(what, "rewrap") == 0) {
		rewrap(pg);
	} else if (strcmp(what, "backup") == 0) {
		backup(pg, cli_option(argc, argv, "out", NULL));
	} else if (strcmp(what, "restore") == 0) {
		restore(pg, cli_option(argc, argv, "in", NULL), cli_flag(argc, argv, "check"));
	} else if (strcmp(what, "status") == 0) {
		status(pg);
	} else {
		die("keys status | rotate [--resume] | seal | check | rewrap | backup --out F | "
		    "restore "
		    "--in F "
		    "[--check]");
	}
	PQfinish(pg);
	field_keys_free();
	OPENSSL_cleanse(master, sizeof(master));
	return status_code;
}
