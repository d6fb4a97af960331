/* SPDX-License-Identifier: Apache-2.0
 * Turns an incident log into tickets: the history of each incident goes through the same pure
 * rules, with its own timestamps. Rows are copied into temporary tables (row-level security forbids
 * COPY elsewhere) and moved from there in one transaction per batch, which also records that the
 * batch is done, so that an interrupted import continues where it stopped. Nothing is dropped
 * silently: what cannot be read goes to the rejects file. */
#include "import.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "desk/versions.h"

#include <stdlib.h>
#include <unistd.h>

#define BATCH 1000

static void copy_in(PGconn *pg, const char *table, struct buf *rows)
{
	char sql[80];
	PGresult *r;

	snprintf(sql, sizeof(sql), "copy %s from stdin", table);
	r = PQexec(pg, sql);
	if (PQresultStatus(r) != PGRES_COPY_IN)
		die("copy %s: %s", table, PQresultErrorMessage(r));
	PQclear(r);
	for (size_t at = 0; at < rows->n; at += 1 << 20)
		if (PQputCopyData(pg, rows->p + at,
			    (int)(rows->n - at < 1 << 20 ? rows->n - at : 1 << 20)) != 1)
			die("copy %s: %s", table, PQerrorMessage(pg));
	PQputCopyEnd(pg, NULL);
	while ((r = PQgetResult(pg))) {
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			die("copy %s: %s", table, PQresultErrorMessage(r));
		PQclear(r);
	}
	rows->n = 0;
}

static const char *const stage_sql =
	"create temp table s_ticket (n bigint, external_id text, title text, status text, priority "
	"text, cycle int, level int, opened bigint, last bigint, first_response bigint, "
	"resolved bigint, last_stop bigint, closed bigint, responded bool, breached bool, events "
	"int, category text, impact int, urgency int);"
	"create temp table s_event (n bigint, i int, type text, actor text, audience text, at "
	"bigint, data jsonb);"
	"create temp table s_clock (n bigint, clock text, state text, cycle int, budget int, "
	"origin bigint, start_at bigint, stopped bigint, breached bigint, due bigint, carry "
	"bigint, "
	"runs bigint[], fired int, high int, missed int, by_priority bool, verdict text);"
	"create temp table s_fire (n bigint, i int, clock text, origin bigint, threshold text, "
	"cycle int, due bigint, at bigint);"
	"create temp table s_new (n bigint primary key, id bigint, base bigint)";

/* $1 tenant, $2 policy, $3 calendar, $4 now */
static const char *const store_sql[] = {
	"with c as (update tenant_counters set seq = seq + (select sum(events) from s_ticket) "
	"where tenant_id = $1::bigint returning seq - (select sum(events) from s_ticket) as base) "
	"insert into s_new select s.n, nextval(pg_get_serial_sequence('tickets', 'id')), c.base + "
	"sum(s.events) over (order by s.n) - s.events from s_ticket s, c",
	"insert into tickets (tenant_id, id, title, status, priority, priority_source, "
	"priority_confirmed, source, category, impact, urgency, requester_kind, level, policy_id, "
	"calendar_id, cycle, opened_at, last_at, updated_at, first_response_at, resolved_at, "
	"last_stop_at, closed_at, closed_by, sla_breached, first_response_done, muted, "
	"external_id) "
	"overriding system value select $1::bigint, m.id, s.title, s.status, "
	"s.priority, 'import', true, 'import', s.category, nullif(s.impact, 0), nullif(s.urgency, "
	"0), "
	"'system', least(s.level, 3), $2::bigint, $3::bigint, s.cycle, ts(s.opened), ts(s.last), "
	"ts(s.last), ts(s.first_response), ts(s.resolved), ts(s.last_stop), ts(s.closed), "
	"case when s.closed is not null then 'import' end, s.breached, s.responded, true, "
	"s.external_id from s_ticket s join s_new m using (n)",
	"insert into events (tenant_id, seq, type, ticket_id, actor_kind, audience, at, data) "
	"select $1::bigint, m.base + e.i, e.type, m.id, e.actor, e.audience, ts(e.at), e.data from "
	"s_event e join s_new m using (n)",
	"insert into sla_clocks (tenant_id, ticket_id, clock, state, cycle, budget_s, origin_seq, "
	"start_at, stopped_at, breached_at, due_at, carry_us, runs, fired, high, missed, "
	"by_priority, verdict) select $1::bigint, m.id, k.clock, k.state, k.cycle, k.budget, "
	"real_seq(k.origin, m.base), ts(k.start_at), ts(k.stopped), ts(k.breached), ts(k.due), "
	"k.carry, "
	"k.runs, k.fired, k.high, k.missed, k.by_priority, k.verdict from s_clock k join s_new m "
	"using (n)",
	"insert into sla_fires (tenant_id, ticket_id, clock, origin_seq, threshold, cycle, due_at, "
	"fired_at, lag_ms, alerted, event_seq) "
	"select $1::bigint, m.id, f.clock, real_seq(f.origin, m.base), f.threshold, f.cycle, "
	"ts(f.due), ts(f.at), (f.at - f.due) / 1000, false, m.base + f.i from s_fire f join s_new "
	"m using (n)",
};

static void store_batch(PGconn *pg, struct build *b, const char *const ids[3], const char *sha,
	int batch, long tickets, long events)
{
	char n[16], t[24], e[24], now[32], until[32];
	const char *done[] = { ids[0], b->log->name, sha, n, t, e, now, until };

	copy_in(pg, "s_ticket", &b->tickets);
	copy_in(pg, "s_event", &b->events);
	copy_in(pg, "s_clock", &b->clocks);
	copy_in(pg, "s_fire", &b->fires);
	/* months more than twenty years ago go to the default partition */
	cli_run(pg, "select door.partitions(greatest(min(ts(at)), max(ts(at)) - interval '20 "
		    "years'), max(ts(at))) from s_event");
	cli_run(pg, "begin");
	for (size_t i = 0; i < ARRAY_LEN(store_sql); i++)
		PQclear(cli_query(pg, store_sql[i], i == 1 ? 3 : i == 0 || i > 1 ? 1 : 0, ids));
	snprintf(n, sizeof(n), "%d", batch);
	snprintf(t, sizeof(t), "%ld", tickets);
	snprintf(e, sizeof(e), "%ld", events);
	time_format(clock_now_us(), 6, now);
	time_format(b->log->last_instant, 6, until);
	PQclear(cli_query(pg,
		"insert into import_batches (tenant_id, source, file_sha256, batch, tickets, "
		"events, rejected, done_at, log_until) values ($1::bigint, $2, $3, $4::int, "
		"$5::bigint, $6::bigint, 0, $7::timestamptz, $8::timestamptz)",
		8, done));
	cli_run(pg, "truncate s_ticket, s_event, s_clock, s_fire, s_new");
	cli_run(pg, "commit");
	b->ticket_n = 0;
}

static bool batch_is_done(
	PGconn *pg, const char *tenant, const char *source, const char *sha, int batch)
{
	char n[16];
	const char *p[] = { tenant, source, sha, n };
	PGresult *r;
	bool done;

	snprintf(n, sizeof(n), "%d", batch);
	r = cli_query(pg,
		"select from import_batches where tenant_id = $1::bigint and source = $2 and "
		"file_sha256 = $3 and batch = $4::int",
		4, p);
	done = PQntuples(r) > 0;
	PQclear(r);
	return done;
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

static void summary(const struct totals *t, int64_t us, const char *rejects_name)
{
	double s = (double)us / 1e6;

	printf("read      %ld log events, rejected %ld (%s)\nimported  %ld tickets, %ld events "
	       "written\n",
		t->rows, t->rejected, t->rejected ? rejects_name : "none", t->tickets - t->skipped,
		t->events);
	if (t->skipped)
		printf("skipped   %ld tickets, imported before\n", t->skipped);
	printf("speed     %.1f s, %.0f log events/s\n", s, (double)t->rows / s);
	printf("attainment      response            resolution\n");
	for (int p = 0; p < PRIORITY_COUNT; p++) {
		long n[2] = { t->met[p][0] + t->breached[p][0], t->met[p][1] + t->breached[p][1] };

		if (!n[0] && !n[1])
			continue;
		printf("  %s   ", priority_name((enum priority)p));
		for (int k = 0; k < 2; k++)
			if (n[k])
				printf("%7.2f %% of %-7ld ",
					100.0 * (double)t->met[p][k] / (double)n[k], n[k]);
			else
				printf("%19s ", "-");
		putchar('\n');
	}
	if (t->matrix_checked)
		printf("matrix    impact x urgency gives the log's priority in %ld of %ld rows\n",
			t->matrix_checked - t->matrix_differ, t->matrix_checked);
	if (t->verdict_checked)
		printf("verdicts  agree with the log's own for %.2f %% of %ld incidents (%ld "
		       "differ)\n",
			100.0 * (double)(t->verdict_checked - t->verdict_differ) /
				(double)t->verdict_checked,
			t->verdict_checked, t->verdict_differ);
}

static void bind_policy(
	PGconn *pg, struct build *b, const char *tenant_code, const char *policy, char ids[3][24])
{
	static struct sla_policy p;
	const char *error = "", *params[] = { tenant_code, policy };
	PGresult *r = cli_query(pg,
		"select c.tenant_id, p.id, k.id, p.doc, k.doc from customers c join "
		"sla_configurations p on p.tenant_id in (c.tenant_id, 1) and p.code = $2 "
		"join calendars k on k.tenant_id in (c.tenant_id, 1) and k.code = p.calendar_code "
		"where c.code = $1 order by p.version desc, k.version desc limit 1",
		2, params);
	struct json_error err;
	struct json_object *pj, *cj;

	if (!PQntuples(r))
		die("no tenant %s, or no policy %s", tenant_code, policy);
	for (int i = 0; i < 3; i++)
		snprintf(ids[i], 24, "%s", PQgetvalue(r, 0, i));
	pj = json_read(PQgetvalue(r, 0, 3), strlen(PQgetvalue(r, 0, 3)), &err);
	cj = json_read(PQgetvalue(r, 0, 4), strlen(PQgetvalue(r, 0, 4)), &err);
	b->rules.calendar = calendar_read(cj, zone_find, &error);
	b->rules.policy = &p;
	if (!b->rules.calendar || !sla_policy_read(pj, &p, &error))
		die("%s", error);
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
	cli_run(pg, stage_sql);
	import_all(pg, &b, id_list, sha);
	cli_rollup_rebuild(pg, ids[0]);
	fclose(rejects);
	if (!totals.rejected)
		unlink(rejects_name);
	summary(&totals, clock_mono_us() - began, rejects_name);
	PQfinish(pg);
	return 0;
}
