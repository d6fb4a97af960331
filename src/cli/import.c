/* SPDX-License-Identifier: Apache-2.0
 * Turns an incident log into tickets: the history of each incident goes through the same pure
 * rules, with its own timestamps. Rows are copied into temporary tables (row-level security forbids
 * COPY elsewhere) and moved from there in one transaction per batch, which also records that the
 * batch is done, so that an interrupted import continues where it stopped. Nothing is dropped
 * silently: what cannot be read goes to the rejects file. */
#include "import.h"
#include "base/json.h"
#include "base/rate.h"
#include "crypto/crypto.h"
#include "desk/versions.h"
#include "sql_gen.h"

#include <stdlib.h>
#include <unistd.h>

#define BATCH 1000

static void stage(PGconn *pg, struct build *b)
{
	cli_do(pg, &sql_cli_import_stage, NULL);
	cli_copy_in(pg, "s_ticket", &b->tickets);
	cli_copy_in(pg, "s_event", &b->events);
	cli_copy_in(pg, "s_clock", &b->clocks);
	cli_copy_in(pg, "s_fire", &b->fires);
	cli_do(pg, &sql_cli_import_partitions, NULL);
}

static void store_batch(PGconn *pg, struct build *b, const char *const ids[3], const char *sha,
	int batch, long tickets, long events)
{
	char n[16], t[24], e[24], now[32], until[32];
	const char *done[] = { ids[0], b->log->name, sha, n, t, e, now, until };

	stage(pg, b);
	cli_begin(pg, CLI_WRITE);
	cli_do(pg, &sql_cli_import_numbers, ids);
	cli_do(pg, &sql_cli_import_tickets, ids);
	cli_do(pg, &sql_cli_import_events, ids);
	cli_do(pg, &sql_cli_import_clocks, ids);
	cli_do(pg, &sql_cli_import_fires, ids);
	snprintf(n, sizeof(n), "%d", batch);
	snprintf(t, sizeof(t), "%ld", tickets);
	snprintf(e, sizeof(e), "%ld", events);
	time_format(clock_now_us(), 6, now);
	time_format(b->log->last_instant, 6, until);
	cli_do(pg, &sql_cli_import_note, done);
	cli_commit(pg);
	b->ticket_n = 0;
}

static bool batch_is_done(
	PGconn *pg, const char *tenant, const char *source, const char *sha, int batch)
{
	char n[16];
	const char *p[] = { tenant, source, sha, n };

	snprintf(n, sizeof(n), "%d", batch);
	return cli_finds(pg, &sql_cli_import_done, p);
}

static void file_digest(const char *file, char out[65])
{
	FILE *f = fopen(file, "re");
	struct buf b = { 0 };
	char block[65536];
	size_t n;

	if (!f)
		die("%s: cannot be read", file);
	while ((n = fread(block, 1, sizeof(block), f)))
		buf_add(&b, block, n);
	fclose(f);
	crypto_sha256_hex(b.p, b.n, out);
	buf_free(&b);
}

static void import_all(PGconn *pg, struct build *b, const char *const ids[3], const char *sha)
{
	const struct import_log *log = b->log;
	size_t i = 0;
	int batch = 0;

	while (i < log->n) {
		size_t end = i, incidents = 0;
		long events = b->totals->events, tickets;
		bool done;

		while (end < log->n && incidents < BATCH) {
			size_t k = end;

			while (end < log->n && strcmp(log->entry[end].id, log->entry[k].id) == 0)
				end++;
			incidents++;
		}
		done = batch_is_done(pg, ids[0], b->log->name, sha, batch);
		while (i < end) {
			size_t k = i;

			while (i < end && strcmp(log->entry[i].id, log->entry[k].id) == 0)
				i++;
			import_replay(b, &log->entry[k], i - k);
			b->totals->tickets++;
		}
		tickets = b->ticket_n;
		if (done) {
			b->totals->skipped += tickets;
			b->tickets.n = b->events.n = b->clocks.n = b->fires.n = 0;
			b->ticket_n = 0;
		} else {
			store_batch(pg, b, ids, sha, batch, tickets, b->totals->events - events);
		}
		batch++;
		cli_progress(i, log->n);
	}
}

static void print_rate(long met, long all)
{
	char rate[16], counts[40];

	snprintf(counts, sizeof(counts), "(%ld of %ld)", met, all);
	if (all)
		printf("%7s %% %-18s ", rate_text(met, all, rate), counts);
	else
		printf("%-28s ", "      -");
}

static void summary(const struct totals *t, int64_t us, const char *rejects_name)
{
	char text[16];
	double s = (double)us / 1e6;

	printf("read      %ld log events, rejected %ld (%s)\nimported  %ld tickets, %ld events "
	       "written\n",
		t->rows, t->rejected, t->rejected ? rejects_name : "none", t->tickets - t->skipped,
		t->events);
	if (t->skipped)
		printf("skipped   %ld tickets, imported before\n", t->skipped);
	printf("speed     %.1f s, %.0f log events/s\n", s, (double)t->rows / s);
	printf("attainment      response                    resolution\n");
	for (int p = 0; p < PRIORITY_COUNT; p++) {
		long n[2] = { t->met[p][0] + t->breached[p][0], t->met[p][1] + t->breached[p][1] };

		if (!n[0] && !n[1])
			continue;
		printf("  %s   ", priority_name((enum priority)p));
		for (int k = 0; k < 2; k++)
			print_rate(t->met[p][k], n[k]);
		putchar('\n');
	}
	if (t->matrix_checked)
		printf("matrix    impact x urgency gives the log's priority in %ld of %ld rows\n",
			t->matrix_checked - t->matrix_differ, t->matrix_checked);
	if (t->verdict_checked)
		printf("verdicts  agree with the log's own for %s %% of %ld incidents (%ld "
		       "differ)\n",
			rate_text(t->verdict_checked - t->verdict_differ, t->verdict_checked, text),
			t->verdict_checked, t->verdict_differ);
}

static void bind_policy(
	PGconn *pg, struct build *b, const char *tenant_code, const char *policy, char ids[3][24])
{
	static struct sla_policy p;
	const char *error = "", *params[] = { tenant_code, policy };
	PGresult *r = cli_exec(pg, &sql_cli_import_target, params);
	struct json_error err;
	struct json_object *pj, *cj;

	if (!PQntuples(r))
		die("no tenant %s, or no policy %s", tenant_code, policy);
	for (int i = 0; i < 3; i++)
		snprintf(ids[i], 24, "%s", PQgetvalue(r, 0, i));
	b->policy_id = atoll(ids[1]);
	b->calendar_id = atoll(ids[2]);
	pj = json_read(PQgetvalue(r, 0, 3), strlen(PQgetvalue(r, 0, 3)), &err);
	cj = json_read(PQgetvalue(r, 0, 4), strlen(PQgetvalue(r, 0, 4)), &err);
	b->rules.calendar = calendar_read(cj, zone_find, &error);
	b->rules.policy = &p;
	if (!b->rules.calendar || !calendar_is_usable(b->rules.calendar, INSTANT_NONE, &error) ||
		!sla_policy_read(pj, &p, &error))
		die("%s", error);
	p.ladder_calendar = cli_version(pg, ids[1], ids[2])->ladder;
	json_object_put(pj);
	json_object_put(cj);
	PQclear(r);
}

int cmd_import(int argc, char **argv)
{
	const char *file = argc ? argv[argc - 1] : "",
		   *rejects_name = cli_option(argc, argv, "rejects", "sladesk-rejects.csv");
	static struct import_log log;
	static struct totals totals;
	static struct build b = { .log = &log, .totals = &totals };
	FILE *rejects;
	char ids[3][24], sha[65];
	const char *id_list[3] = { ids[0], ids[1], ids[2] };
	int64_t began = clock_mono_us();
	PGconn *pg;

	if (cli_flag(argc, argv, "go-live")) {
		pg = cli_connect();
		import_go_live(pg, cli_option(argc, argv, "tenant", NULL));
		PQfinish(pg);
		return 0;
	}
	import_read_map(cli_option(argc, argv, "map", NULL), &log);
	rejects = fopen(rejects_name, "we");
	if (!rejects)
		die("%s: cannot be written", rejects_name);
	fputs("line,column,reason\n", rejects);
	pg = cli_connect();
	bind_policy(pg, &b, cli_option(argc, argv, "tenant", NULL),
		cli_option(argc, argv, "policy", "standard"), ids);
	file_digest(file, sha);
	import_read_log(file, rejects, &log, &totals);
	import_all(pg, &b, id_list, sha);
	cli_do(pg, &sql_cli_rollup_rebuild, (const char *[]){ ids[0] });
	fclose(rejects);
	if (!totals.rejected)
		unlink(rejects_name);
	summary(&totals, clock_mono_us() - began, rejects_name);
	PQfinish(pg);
	return 0;
}
