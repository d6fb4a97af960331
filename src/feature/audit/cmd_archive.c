/* SPDX-License-Identifier: Apache-2.0
 * The older audit log in files. A file is a stretch of one tenant's chain, compressed with gzip,
 * one line per row: the digest in hex, a space, the row's values as a JSON array of texts. Each
 * digest is the SHA-256 of the previous digest and of the values, each with its length
 * (audit_digest), so the file can be verified without the database. Rows leave the database only
 * after their file has been written, synced and read back. */
#include "base/json.h"
#include "cmd_anchors.h"
#include "cmd_archive.h"
#include "cli/cli.h"
#include "crypto/crypto.h"
#include "sql_gen.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define PAGE 5000 /* rows read at a time: the limit in the statement below */
#define LINE_MAX_BYTES (1 << 20)

struct stretch {
	const char *tenant;                     /* the tenant's id */
	char code[64], first[24], last[24];     /* chain numbers */
	char month[12], last_at[40], file[160]; /* file: its name in the directory */
	unsigned char digest[32]; /* digest of the row before the first; "" at the beginning */
	size_t digest_n;
	int64_t rows;
	char sha256[65];
	PGresult *anchors; /* chain_no and digest in hex of the anchored rows, in order; or NULL */
	int anchor;
};

/* --- verification --- */

/* Add the row's values to the digest of the rows before it. Returns NULL or the error. */
static const char *chain_on(struct stretch *s, struct json_object *values, const char *digest_hex)
{
	struct buf b = { 0 };
	char hex[65];

	if (!json_object_is_type(values, json_type_array) || json_object_array_length(values) != 14)
		return "a line is not a valid row";
	buf_add(&b, s->digest, s->digest_n);
	for (size_t i = 0; i < 14; i++) {
		struct json_object *v = json_object_array_get_idx(values, i);
		const char *p =
			json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";

		buf_addf(&b, "%s%zu:", i ? "," : "", utf8_length(p, strlen(p)));
		buf_adds(&b, p);
	}
	crypto_sha256(b.p, b.n, s->digest);
	crypto_sha256_hex(b.p, b.n, hex);
	s->digest_n = 32;
	buf_free(&b);
	return strcmp(hex, digest_hex) == 0 ? NULL : "a row was changed, removed or moved";
}

/* If row NO was anchored, does the anchor have this digest? */
static const char *check_anchor(struct stretch *s, int64_t no, const char *digest_hex)
{
	while (s->anchors && s->anchor < PQntuples(s->anchors) &&
		strtoll(PQgetvalue(s->anchors, s->anchor, 0), NULL, 10) <= no) {
		int i = s->anchor++;

		if (strtoll(PQgetvalue(s->anchors, i, 0), NULL, 10) == no &&
			strcmp(PQgetvalue(s->anchors, i, 1), digest_hex) != 0)
			return "not the row that was anchored";
	}
	return NULL;
}

/* Check one line of the file; NO is the chain number that it must have. */
static const char *check_line(struct stretch *s, char *line, int64_t no)
{
	size_t n = strcspn(line, "\n");
	struct json_error err;
	struct json_object *values;
	const char *why, *tenant, *number;
	char expected[24];

	line[n] = 0;
	if (n < 70 || line[64] != ' ')
		return "a line is not a valid row";
	line[64] = 0;
	values = json_read(line + 65, n - 65, &err);
	if (!values)
		return "a line is not a valid row";
	why = chain_on(s, values, line);
	if (!why) {
		tenant = json_object_get_string(json_object_array_get_idx(values, 0));
		number = json_object_get_string(json_object_array_get_idx(values, 1));
		snprintf(expected, sizeof(expected), "%lld", (long long)no);
		if (!tenant || !number || strcmp(tenant, s->tenant) != 0 ||
			strcmp(number, expected) != 0)
			why = "a row of another tenant or month";
	}
	json_object_put(values);
	return why ? why : check_anchor(s, no, line);
}

static void file_sha256(const char *path, char out[65])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char block[65536], digest[32];
	FILE *f = fopen(path, "rb");
	size_t n;

	out[0] = 0;
	if (f && md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1) {
		while ((n = fread(block, 1, sizeof(block), f)) > 0)
			EVP_DigestUpdate(md, block, n);
		if (!ferror(f) && EVP_DigestFinal_ex(md, digest, NULL) == 1)
			for (int i = 0; i < 32; i++)
				snprintf(out + 2 * i, 3, "%02x", digest[i]);
	}
	if (f)
		fclose(f);
	EVP_MD_CTX_free(md);
}

/* Read the file of S. Returns NULL or the error. S->digest is the digest of the row before the file
 * and becomes that of its last row. Fills rows and sha256. */
static const char *check_file(struct stretch *s, const char *path)
{
	int64_t first = strtoll(s->first, NULL, 10), last = strtoll(s->last, NULL, 10);
	char *line = xcalloc(1, LINE_MAX_BYTES);
	gzFile f = gzopen(path, "rb");
	const char *why = f ? NULL : "the file is missing";
	int error = 0;

	s->rows = 0;
	while (!why && gzgets(f, line, LINE_MAX_BYTES))
		why = check_line(s, line, first + s->rows++);
	if (f && !why)
		gzerror(f, &error);
	if (f && gzclose(f) != Z_OK)
		error = -1;
	if (!why && (error || s->rows != last - first + 1))
		why = "the file is truncated";
	free(line);
	file_sha256(path, s->sha256);
	return why;
}

static size_t digest_of_hex(const char *hex, unsigned char out[32])
{
	for (size_t i = 0; i < 32 && strlen(hex) == 64; i++) {
		unsigned v = 0;

		sscanf(hex + 2 * i, "%2x", &v);
		out[i] = (unsigned char)v;
	}
	return strlen(hex) == 64 ? 32 : 0;
}

int audit_files_broken(PGconn *pg, const char *tenant_id, const char *dir)
{
	PGresult *r = cli_exec(pg, &sql_cli_audit_archive_list, &tenant_id);
	char path[4096], *known;
	const char *p[] = { tenant_id, NULL };
	PGresult *anchors;
	int broken = 0;

	p[1] = known = audit_anchors_of(tenant_id);
	anchors = cli_exec(pg, &sql_cli_audit_anchor_list, p);
	free(known);
	for (int i = 0; i < PQntuples(r); i++) {
		struct stretch s = { .tenant = tenant_id, .anchors = anchors };
		unsigned char stored[32];
		const char *why;

		if (PQgetvalue(r, i, 5)[0] == 't')
			continue;
		snprintf(s.first, sizeof(s.first), "%s", PQgetvalue(r, i, 0));
		snprintf(s.last, sizeof(s.last), "%s", PQgetvalue(r, i, 1));
		s.digest_n = digest_of_hex(PQgetvalue(r, i, 6), s.digest);
		digest_of_hex(PQgetvalue(r, i, 4), stored);
		snprintf(path, sizeof(path), "%s/%s", dir, PQgetvalue(r, i, 2));
		why = check_file(&s, path);
		if (!why && (strcmp(s.sha256, PQgetvalue(r, i, 3)) != 0 ||
				    memcmp(s.digest, stored, 32) != 0))
			why = "the file differs from what was written";
		if (why)
			printf("%s: BROKEN: %s\n", PQgetvalue(r, i, 2), why);
		broken += why != NULL;
	}
	PQclear(anchors);
	PQclear(r);
	return broken;
}

/* --- archiving --- */

static void write_rows(PGconn *pg, const struct stretch *s, gzFile f, const char *path)
{
	char after[24];
	const char *p[] = { s->tenant, after, s->last };
	bool more = true;

	snprintf(after, sizeof(after), "%lld", strtoll(s->first, NULL, 10) - 1);
	while (more) {
		PGresult *r = cli_exec(pg, &sql_cli_audit_archive_rows, p);

		for (int i = 0; i < PQntuples(r); i++)
			if (gzputs(f, PQgetvalue(r, i, 1)) < 0 || gzputc(f, '\n') < 0)
				die("%s: cannot be written", path);
		more = PQntuples(r) == PAGE;
		if (more)
			snprintf(after, sizeof(after), "%s", PQgetvalue(r, PAGE - 1, 0));
		PQclear(r);
	}
}

static void sync_path(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

/* Write the file of S: complete, synced, renamed to its final name, and verified by reading it
 * back. */
static void write_file(PGconn *pg, struct stretch *s, const char *dir)
{
	char path[4096], part[4200];
	const char *why;
	gzFile f;
	int fd;

	snprintf(s->file, sizeof(s->file), "audit-%s-%.7s-%s-%s.ndjson.gz", s->code, s->month,
		s->first, s->last);
	snprintf(path, sizeof(path), "%s/%s", dir, s->file);
	snprintf(part, sizeof(part), "%s.part", path);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : gzdopen(fd, "wb6");
	if (!f)
		die("%s: %s", part, strerror(errno));
	write_rows(pg, s, f, part);
	if (gzclose(f) != Z_OK)
		die("%s: cannot be written", part);
	sync_path(part, O_RDONLY);
	why = check_file(s, part);
	if (why)
		die("%s: %s", part, why);
	if (rename(part, path) != 0)
		die("%s: %s", path, strerror(errno));
	sync_path(dir, O_RDONLY | O_DIRECTORY);
}

static void move_stretch(PGconn *pg, struct stretch *s, const char *dir)
{
	char hex[65], now[24];
	const char *p[] = { s->tenant, s->first, s->last, s->month, s->last_at, s->file, s->sha256,
		hex, now };

	write_file(pg, s, dir);
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", s->digest[i]);
	snprintf(now, sizeof(now), "%lld", (long long)clock_now_us());
	cli_begin(pg, CLI_WRITE);
	cli_do(pg, &sql_cli_audit_archive_add, p);
	cli_do(pg, &sql_cli_audit_archive_delete, p);
	cli_commit(pg);
	printf("%s: %lld rows\n", s->file, (long long)s->rows);
}

/* Find TENANT's next complete month before BEFORE. Returns false if there is none. The last row of
 * the chain stays in the database, because the next row continues it. */
static bool next_stretch(PGconn *pg, const char *tenant, const char *before, struct stretch *s)
{
	const char *p[] = { tenant, before };
	PGresult *r = cli_exec(pg, &sql_cli_audit_archive_next, p);
	bool any = PQntuples(r) == 1;

	if (any) {
		*s = (struct stretch){ .tenant = tenant };
		snprintf(s->first, sizeof(s->first), "%s", PQgetvalue(r, 0, 0));
		snprintf(s->last, sizeof(s->last), "%s", PQgetvalue(r, 0, 1));
		snprintf(s->month, sizeof(s->month), "%s", PQgetvalue(r, 0, 2));
		snprintf(s->last_at, sizeof(s->last_at), "%s", PQgetvalue(r, 0, 3));
		snprintf(s->code, sizeof(s->code), "%s", PQgetvalue(r, 0, 4));
		s->digest_n = digest_of_hex(PQgetvalue(r, 0, 5), s->digest);
	}
	PQclear(r);
	return any;
}

/* Returns 1 if the tenant's chain fails verification; then nothing of it is moved. */
static int archive_tenant(
	PGconn *pg, const char *tenant, const char *code, const char *before, const char *dir)
{
	struct stretch s;
	PGresult *r = cli_exec(pg, &sql_cli_audit_broken, &tenant);
	bool broken = PQntuples(r) > 0;

	if (broken)
		fprintf(stderr, "%s: BROKEN at %s: %s; this chain is not moved\n", code,
			PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1));
	PQclear(r);
	while (!broken && next_stretch(pg, tenant, before, &s))
		move_stretch(pg, &s, dir);
	return broken;
}

/* A missing file counts as removed. */
static void expire(PGconn *pg, const char *dir, int keep_years)
{
	char now[24], years[12], path[4096];
	const char *p[] = { now, years };
	PGresult *r;

	snprintf(now, sizeof(now), "%lld", (long long)clock_now_us());
	snprintf(years, sizeof(years), "%d", keep_years);
	r = cli_exec(pg, &sql_cli_audit_archive_old, p);
	for (int i = 0; i < PQntuples(r); i++) {
		const char *q[] = { PQgetvalue(r, i, 0), PQgetvalue(r, i, 1), now };

		snprintf(path, sizeof(path), "%s/%s", dir, PQgetvalue(r, i, 2));
		if (unlink(path) != 0 && errno != ENOENT)
			die("%s: %s", path, strerror(errno));
		cli_do(pg, &sql_cli_audit_archive_expire, q);
		printf("%s: removed, older than %d years\n", PQgetvalue(r, i, 2), keep_years);
	}
	PQclear(r);
}

/* The first day of the month BEFORE. If it is empty, the first day of the previous month, so that
 * the current and the previous month stay. */
static void first_day(const char *before, char out[12])
{
	int year, month, n = 0;
	char now[32];

	if (*before) {
		if (sscanf(before, "%4d-%2d%n", &year, &month, &n) != 2 || before[n] || month < 1 ||
			month > 12 || year < 2000 || year > 9999)
			die("--before: a month, such as 2026-01");
	} else {
		time_format(clock_now_us(), 0, now);
		sscanf(now, "%4d-%2d", &year, &month);
		month = month > 1 ? month - 1 : (year--, 12);
	}
	snprintf(out, 12, "%04u-%02u-01", (unsigned)year % 10000, (unsigned)month % 100);
}

int audit_archive(const char *dir, const char *owner_url, const char *owner_password_file,
	const char *code, const char *before, int keep_years)
{
	PGconn *pg = cli_connect_to(owner_url, owner_password_file);
	char day[12], next[32];
	const char *p[] = { code };
	PGresult *r;
	int broken = 0;

	cli_keep_changes(pg, true);
	first_day(before, day);
	time_format(clock_now_us(), 0, next);
	if (strcmp(day, next) > 0)
		die("--before: must not be a future month");
	r = cli_exec(pg, &sql_cli_audit_archive_lock, NULL);
	if (PQgetvalue(r, 0, 0)[0] != 't')
		die("another archive run is in progress");
	PQclear(r);
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		die("%s: %s", dir, strerror(errno));
	r = cli_exec(pg, &sql_cli_tenants, p);
	if (!PQntuples(r))
		die("--tenant: no such customer: %s; it is a code of tenant list, such as "
		    "acme",
			code);
	for (int i = 0; i < PQntuples(r); i++) {
		broken += archive_tenant(pg, PQgetvalue(r, i, 0), PQgetvalue(r, i, 1), day, dir);
		cli_progress((size_t)i + 1, (size_t)PQntuples(r));
	}
	expire(pg, dir, keep_years);
	cli_audit(pg, "1", *code ? code : dir);
	PQclear(r);
	PQfinish(pg);
	return broken ? 1 : 0;
}
