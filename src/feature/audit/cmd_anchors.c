/* SPDX-License-Identifier: Apache-2.0
 * Whoever owns the schema can cut the end off a chain or compute all of it anew, but cannot sign:
 * the anchors in the file say which digest a chain had at which row. */
#include "cmd_anchors.h"
#include "cli/cli.h"
#include "config/keyfile.h"
#include "config/options.h"
#include "crypto/anchor.h"
#include "sql_gen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FAULTS_SHOWN 10

static struct {
	struct anchor *item;
	bool *looked_at;
	size_t n, cap;
	bool loaded;
} anchors;

static void keep(const struct anchor *a)
{
	if (anchors.n == anchors.cap) {
		anchors.cap = anchors.cap ? 2 * anchors.cap : 256;
		anchors.item = xrealloc(anchors.item, anchors.cap * sizeof(*anchors.item));
		anchors.looked_at = xrealloc(anchors.looked_at, anchors.cap);
	}
	anchors.looked_at[anchors.n] = false;
	anchors.item[anchors.n++] = *a;
}

/* Does A stand where it should, after the line with the digest BEFORE and the number NO? */
static const char *misplaced(const struct anchor *a, int64_t no, const char *before)
{
	if (a->line_no == no + 1 && strcmp(a->before, before) == 0)
		return NULL;
	if (a->line_no > no + 1)
		return "lines before it were removed";
	return a->line_no <= no ? "it does not belong here: lines were moved or repeated"
				: "it does not follow the line before it";
}

#define KEYS_MAX 64

/* Keys sign one after the other: one that was replaced signs no more, so whoever has got hold of it
 * cannot continue the file. */
struct signers {
	char name[KEYS_MAX][17]; /* in the order of their first lines */
	size_t n;
};

static const char *replaced(struct signers *s, const char *key)
{
	if (s->n && strcmp(s->name[s->n - 1], key) == 0)
		return NULL;
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->name[i], key) == 0)
			return "signed with a key that had been replaced";
	if (s->n < KEYS_MAX)
		snprintf(s->name[s->n++], sizeof(s->name[0]), "%s", key);
	return NULL;
}

/* Check the lines of F. Returns the number of faults; *OUT_LAST is the last line's number. */
static int read_lines(FILE *f, const char *file, int64_t *out_last)
{
	char *line = NULL, before[65];
	struct signers signers = { 0 };
	size_t cap = 0;
	int faults = 0;
	ssize_t n;

	*out_last = 0;
	memset(before, '0', 64);
	before[64] = 0;
	for (long at = 1; (n = getline(&line, &cap, f)) >= 0; at++) {
		struct str text = { line, (size_t)n };
		struct anchor a;
		const char *why = memchr(line, 0, (size_t)n) ? "not an anchor"
							     : anchor_line_read(text, &a, &text);

		if (!why) {
			why = misplaced(&a, *out_last, before);
			if (!why)
				why = replaced(&signers, a.key);
			anchor_line_digest(text, before);
			*out_last = a.line_no;
			keep(&a);
		}
		if (why && faults++ < FAULTS_SHOWN)
			printf("%s:%ld: BROKEN: %s\n", file, at, why);
	}
	free(line);
	return faults;
}

int audit_anchors_read(PGconn *pg, const char *file, const char *key)
{
	const char *p[] = { cli_now() };
	PGresult *r = cli_exec(pg, &sql_cli_audit_signed_last, p); /* before the file */
	char *own = keyfile_beside(options.audit_key_file, "audit.pem");
	const char *why = *key ? anchor_keys_read(key) : anchor_key_open(own);
	FILE *f;
	int64_t last;
	int faults;

	if (why)
		die("%s: %s", *key ? key : own, why);
	f = fopen(file, "re");
	if (!f)
		die("%s: %s", file, strerror(errno));
	faults = read_lines(f, file, &last);
	fclose(f);
	if (PQntuples(r) && strtoll(PQgetvalue(r, 0, 0), NULL, 10) > last) {
		printf("%s: BROKEN: ends with line %lld, but line %s was signed: its end was cut "
		       "off\n",
			file, (long long)last, PQgetvalue(r, 0, 0));
		faults++;
	}
	PQclear(r);
	free(own);
	anchors.loaded = true;
	return faults;
}

char *audit_anchors_of(const char *tenant_id)
{
	int64_t tenant = strtoll(tenant_id, NULL, 10);
	struct buf b = { 0 };

	for (size_t i = 0; i < anchors.n; i++) {
		const struct anchor *a = &anchors.item[i];

		if (a->tenant_id == tenant)
			buf_addf(&b, "%s{\"no\":%lld,\"digest\":\"%s\"}", b.n ? "," : "[",
				(long long)a->chain_no, a->digest);
	}
	buf_adds(&b, b.n ? "]" : "[]");
	return buf_take(&b);
}

/* The last anchor of the tenant, and the first one that is not after its predecessor in the
 * chain. */
static const struct anchor *look_at(int64_t tenant, const struct anchor **out_back)
{
	const struct anchor *last = NULL;

	*out_back = NULL;
	for (size_t i = 0; i < anchors.n; i++) {
		if (anchors.item[i].tenant_id != tenant)
			continue;
		if (last && anchors.item[i].chain_no <= last->chain_no && !*out_back)
			*out_back = &anchors.item[i];
		anchors.looked_at[i] = true;
		last = &anchors.item[i];
	}
	return last;
}

int audit_anchors_broken(PGconn *pg, const char *tenant_id)
{
	const struct anchor *back, *last = look_at(strtoll(tenant_id, NULL, 10), &back);
	char *known, newest[24], at[40];
	const char *p[] = { tenant_id, NULL, newest, at, cli_now() };
	PGresult *r;
	int broken;

	if (!anchors.loaded)
		return 0;
	p[1] = known = audit_anchors_of(tenant_id);
	snprintf(newest, sizeof(newest), "%lld", last ? (long long)last->chain_no : 0);
	snprintf(at, sizeof(at), "%s", last ? last->at : "1970-01-01T00:00:00Z");
	r = cli_exec(pg, &sql_cli_audit_anchor_check, p);
	broken = PQntuples(r) > 0;
	if (back)
		printf("  anchors BROKEN: the chain was at %lld in line %lld, earlier than before",
			(long long)back->chain_no, (long long)back->line_no);
	else if (broken)
		printf("  anchors BROKEN at %s: %s", PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1));
	else
		printf("  anchors hold up to %s", newest);
	PQclear(r);
	free(known);
	return broken || back;
}

int audit_anchors_left(void)
{
	int left = 0;

	for (size_t i = 0; i < anchors.n; i++) {
		bool told = anchors.looked_at[i];

		for (size_t k = 0; k < i && !told; k++)
			told = anchors.item[k].tenant_id == anchors.item[i].tenant_id;
		if (told)
			continue;
		printf("tenant %lld: BROKEN: it has anchors, but is not in the database\n",
			(long long)anchors.item[i].tenant_id);
		left++;
	}
	return left;
}

void audit_anchors_free(void)
{
	free(anchors.item);
	free(anchors.looked_at);
	memset(&anchors, 0, sizeof(anchors));
	anchor_keys_free();
}
