/* SPDX-License-Identifier: Apache-2.0
 * The SLA tools: calc (pure, from standard input), explain, verify (recompute every stored clock
 * from the events), replay (simulate another policy). */
#include "cli/cli.h"
#include "cmd_document.h"
#include "base/json.h"
#include "base/rate.h"
#include "ticket/replay.h"
#include "ticket/ticket_doc.h"
#include "desk/versions.h"
#include "sla/calc.h"
#include "sla/explain.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

static int calc(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int rc = 0;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		struct buf out = { 0 };

		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			n--;
		if (n == 0)
			continue;
		if (!sla_calc_line(line, (size_t)n, zone_find, &out))
			rc = 1;
		puts(buf_cstr(&out));
		buf_free(&out);
	}
	free(line);
	if (!feof(stdin))
		die("standard input cannot be read: %m");
	if (fflush(stdout) != 0)
		die("standard output cannot be written: %m");
	return rc;
}

/* --- replaying a ticket's history --- */

/* The versions named by a creation or a rebind. */
static struct sla_rules rules_of(PGconn *pg, struct json_object *data)
{
	char policy[24], calendar[24];
	const struct cli_version *v;

	snprintf(policy, sizeof(policy), "%lld", (long long)json_get_int(data, "policy_id", 0));
	snprintf(calendar, sizeof(calendar), "%lld",
		(long long)json_get_int(data, "calendar_id", 0));
	v = cli_version(pg, policy, calendar);
	return (struct sla_rules){ &v->policy, v->calendar };
}

/* Replay one ticket: rows of (ticket_id, seq, type, us, data) from I on. If OWN_RULES is not NULL,
 * the ticket's own versions are looked up there as its history names them. UNNAMED_LAW is the law
 * of the events that name none. Returns the first row of the next ticket. */
static int fold(PGconn *own_rules, const PGresult *r, int i, struct sla_rules rules,
	enum sla_law unnamed_law, struct sla_ticket *t)
{
	const char *id = PQgetvalue(r, i, 0);

	sla_ticket_free(t);
	sla_ticket_init(t);
	t->unnamed_law = unnamed_law;
	for (; i < PQntuples(r) && strcmp(PQgetvalue(r, i, 0), id) == 0; i++) {
		int64_t at = strtoll(PQgetvalue(r, i, 3), NULL, 10);
		enum ticket_command cmd = ticket_command_of_event(str_of(PQgetvalue(r, i, 2)));
		struct json_object *data = cli_json(PQgetvalue(r, i, 4));

		replay_before(t, rules, cmd, at, data);
		if (own_rules && cmd != CMD_COUNT && json_get(data, "policy_id"))
			rules = rules_of(own_rules, data);
		if (cmd != CMD_COUNT)
			replay_event(
				t, rules, cmd, strtoll(PQgetvalue(r, i, 1), NULL, 10), at, data);
		json_object_put(data);
	}
	return i;
}

/* The number of clocks that differ; they are printed if PRINT says so. */
static int compare(const struct sla_ticket *folded, const struct ticket *stored, const char *number,
	bool print)
{
	int bad = 0;

	for (int k = 0; k < SLA_CLOCKS; k++) {
		const struct sla_clock *was = &stored->sla.clock[k], *is = &folded->clock[k];
		struct buf a = { 0 }, b = { 0 };

		if (replay_differs(was, is, &a, &b) && ++bad && print)
			printf("%s %s\n  stored   %s\n  reckoned %s\n", number,
				sla_clock_name((enum sla_clock_kind)k), a.p, b.p);
		buf_free(&a);
		buf_free(&b);
	}
	return bad;
}

/* Replay the ticket of row *I of EVENTS, and compare it with DOC as it is stored. Events that name
 * no law were applied by the second one, or by the first: a ticket agrees with one of them. Returns
 * the number of clocks that differ, and moves *I to the next ticket. */
static int verify_ticket(PGconn *pg, const PGresult *events, int *i, struct sla_rules rules,
	const char *number, const char *doc)
{
	static struct sla_ticket folded;
	int row = *i, bad;
	struct ticket stored;

	if (!ticket_read(doc, strlen(doc), &stored))
		die("ticket %s cannot be read", number);
	*i = fold(pg, events, row, rules, SLA_LAW_LADDER, &folded);
	bad = compare(&folded, &stored, number, false);
	if (bad) {
		fold(pg, events, row, rules, SLA_LAW_FIRST, &folded);
		bad = compare(&folded, &stored, number, false);
	}
	if (bad) {
		fold(pg, events, row, rules, SLA_LAW_LADDER, &folded);
		bad = compare(&folded, &stored, number, true);
	}
	ticket_clear(&stored);
	return bad;
}

#define PAGE "2000"

static int verify(int argc, char **argv)
{
	PGconn *pg = cli_connect();
	const char *p[] = { cli_option(argc, argv, "tenant", ""), "0", PAGE };
	long tickets = 0, bad = 0;
	char last[24] = "0";

	for (;;) {
		PGresult *t, *e;
		int row = 0;

		p[1] = last;
		/* read tickets and events of one instant, because the daemon may be firing
		 * meanwhile */
		cli_begin(pg, CLI_SNAPSHOT);
		t = cli_exec(pg, &sql_cli_sla_verify_tickets, p);
		if (!PQntuples(t)) {
			PQclear(t);
			break;
		}
		const char *q[] = { PQgetvalue(t, 0, 0), PQgetvalue(t, PQntuples(t) - 1, 0), p[0] };
		e = cli_exec(pg, &sql_cli_sla_verify_events, q);
		for (int i = 0; i < PQntuples(t); i++) {
			const struct cli_version *v =
				cli_version(pg, PQgetvalue(t, i, 3), PQgetvalue(t, i, 4));

			while (row < PQntuples(e) && strtoll(PQgetvalue(e, row, 0), NULL, 10) <
							     strtoll(PQgetvalue(t, i, 0), NULL, 10))
				row++;
			if (row >= PQntuples(e) ||
				strcmp(PQgetvalue(e, row, 0), PQgetvalue(t, i, 0)) != 0) {
				printf("%s has no events\n", PQgetvalue(t, i, 1));
				bad++;
				continue;
			}
			bad += verify_ticket(pg, e, &row,
				(struct sla_rules){ &v->policy, v->calendar }, PQgetvalue(t, i, 1),
				PQgetvalue(t, i, 2));
			tickets++;
		}
		snprintf(last, sizeof(last), "%s", q[1]);
		PQclear(t);
		PQclear(e);
		cli_commit(pg);
	}
	printf("verified %ld tickets, %ld differences\n", tickets, bad);
	PQfinish(pg);
	return bad ? 1 : 0;
}

/* What the nightly check found. Returns 1 if there is anything. */
static int differences(int argc, char **argv)
{
	PGconn *pg = cli_connect();
	const char *p[] = { cli_option(argc, argv, "tenant", "") };
	PGresult *r = cli_exec(pg, &sql_cli_sla_differences, p);
	int n = PQntuples(r);

	for (int i = 0; i < n; i++)
		printf("%s %s %s, found %s\n  stored   %s\n  reckoned %s\n", PQgetvalue(r, i, 0),
			PQgetvalue(r, i, 1), PQgetvalue(r, i, 2), PQgetvalue(r, i, 3),
			PQgetvalue(r, i, 4), PQgetvalue(r, i, 5));
	PQclear(r);
	PQfinish(pg);
	return n > 0;
}

/* --- explain --- */

/* Who paused, and why: the event of EVENTS (cli/sla_explain_events) at the interval's first
 * instant. */
static void print_cause(const PGresult *events, int64_t from)
{
	for (int i = 0; i < PQntuples(events); i++)
		if (!PQgetisnull(events, i, 4) &&
			strtoll(PQgetvalue(events, i, 4), NULL, 10) == from) {
			printf("  by %s%s", PQgetvalue(events, i, 5),
				PQgetisnull(events, i, 6) ? "" : ": ");
			for (const char *p = PQgetvalue(events, i, 6); *p; p++)
				putchar((unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p);
			return;
		}
}

static void print_interval(
	void *arg, enum sla_interval_kind kind, int64_t from, int64_t to, int64_t consumed_us)
{
	char a[32], b[32];

	time_format(from, 3, a);
	time_format(to, 3, b);
	printf("    %s  %s  %-8s %lld s", a, b, sla_interval_name(kind),
		(long long)(consumed_us / US_PER_S));
	if (kind == INTERVAL_PAUSED)
		print_cause(arg, from);
	putchar('\n');
}

static int explain(int argc, char **argv)
{
	const char *p[] = { argc > 1 ? argv[1] : "" };
	const struct cli_version *v;
	struct ticket t;
	PGresult *r, *events;
	PGconn *pg;

	if (!*p[0])
		die("sla explain TICKET, such as sla explain TKT-000001");
	pg = cli_connect();
	r = cli_exec(pg, &sql_cli_sla_explain_ticket, p);
	if (!PQntuples(r))
		die("no such ticket: %s", p[0]);
	v = cli_version(pg, PQgetvalue(r, 0, 1), PQgetvalue(r, 0, 2));
	if (!ticket_read(PQgetvalue(r, 0, 0), strlen(PQgetvalue(r, 0, 0)), &t))
		die("ticket cannot be read");
	events = cli_exec(pg, &sql_cli_sla_explain_events, p);
	if (!PQntuples(events))
		die("no such ticket: %s", p[0]);
	printf("%s %s, policy %s version %s, calendar %s version %s\n",
		ticket_state_name(t.sla.state), priority_name(t.sla.priority),
		PQgetvalue(events, 0, 0), PQgetvalue(events, 0, 1), PQgetvalue(events, 0, 2),
		PQgetvalue(events, 0, 3));
	for (int k = 0; k < SLA_CLOCKS; k++) {
		const struct sla_clock *c = &t.sla.clock[k];
		struct buf b = { 0 };
		int64_t due;
		char at[32];

		if (c->state == CLOCK_NONE)
			continue;
		replay_describe(&b, c, true);
		due = sla_due(&t.sla, (struct sla_rules){ &v->policy, v->calendar },
			(enum sla_clock_kind)k);
		if (due != INSTANT_NONE)
			time_format(due, 6, at);
		printf("  %s: %s due=%s\n", sla_clock_name((enum sla_clock_kind)k), buf_cstr(&b),
			due == INSTANT_NONE ? "" : at);
		buf_free(&b);
		sla_explain(&t.sla, (struct sla_rules){ &v->policy, v->calendar },
			(enum sla_clock_kind)k,
			c->stopped_at != INSTANT_NONE ? c->stopped_at : clock_now_us(), 500,
			print_interval, events);
	}
	PQclear(events);
	ticket_clear(&t);
	PQclear(r);
	PQfinish(pg);
	return 0;
}

/* --- replay: SLA attainment under another policy --- */

struct tally {
	long met[SLA_CLOCKS], breached[SLA_CLOCKS], waived, both_met, both;
};

/* A waived breach counts as met and is reported. */
static bool is_kept(enum sla_verdict v)
{
	return v == SLA_MET || v == SLA_IS_WAIVED;
}

static void count(struct tally *n, const struct sla_ticket *t)
{
	enum sla_verdict a = sla_verdict(&t->clock[SLA_RESPONSE]),
			 b = sla_verdict(&t->clock[SLA_RESOLUTION]);

	for (int k = 0; k < SLA_LADDER; k++) {
		n->met[k] += is_kept(sla_verdict(&t->clock[k]));
		n->waived += sla_verdict(&t->clock[k]) == SLA_IS_WAIVED;
		n->breached[k] += sla_verdict(&t->clock[k]) == SLA_BREACHED;
	}
	if ((!is_kept(a) && a != SLA_BREACHED) || (!is_kept(b) && b != SLA_BREACHED))
		return;
	n->both++;
	n->both_met += is_kept(a) && is_kept(b);
}

static void print_rate(long met, long all)
{
	char rate[16], text[64] = "-";

	if (all)
		snprintf(text, sizeof(text), "%s %% (%ld of %ld)", rate_text(met, all, rate), met,
			all);
	printf("  %-26s", text);
}

static void print_tally(const char *name, const struct tally *n)
{
	printf("%-8s", name);
	print_rate(n->both_met, n->both);
	for (int k = 0; k < SLA_UPDATE; k++)
		print_rate(n->met[k], n->met[k] + n->breached[k]);
	putchar('\n');
}

static int replay(int argc, char **argv)
{
	PGconn *pg = cli_connect();
	const char *p[] = { cli_option(argc, argv, "policy", NULL) };
	const char *from = cli_option(argc, argv, "from", "0001-01-01T00:00:00Z"),
		   *to = cli_option(argc, argv, "to", "9999-01-01T00:00:00Z");
	PGresult *r = cli_exec(pg, &sql_cli_sla_replay_versions, p);
	static struct tally by[PRIORITY_COUNT], all, without;
	const struct cli_version *v;
	long tickets = 0, excluded = 0;
	int64_t began = clock_mono_us();

	if (!PQntuples(r))
		die("--policy: no such policy: %s; a code of policy list, such as standard", p[0]);
	v = cli_version(pg, PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1));
	PQclear(r);
	const char *q[] = { cli_option(argc, argv, "tenant", ""), from, to };
	cli_begin(pg, CLI_SNAPSHOT);
	r = cli_exec_by_cursor(pg, &sql_cli_sla_replay_events, q);
	for (int row = 0; row < PQntuples(r);) {
		static struct sla_ticket t;
		bool left_out = PQgetvalue(r, row, 5)[0] == 't';

		row = fold(NULL, r, row, (struct sla_rules){ &v->policy, v->calendar },
			SLA_LAW_LADDER, &t);
		if (t.priority != PRIORITY_NONE)
			count(&by[t.priority], &t);
		count(&all, &t);
		if (left_out)
			excluded++;
		else
			count(&without, &t);
		tickets++;
	}
	printf("policy %s over %ld tickets, %d events, %.1f s; nothing was changed\n"
	       "%-8s  %-26s  %-26s  %s\n",
		p[0], tickets, PQntuples(r), (double)(clock_mono_us() - began) / 1e6, "",
		"attainment (both)", "response", "resolution");
	for (int i = 0; i < PRIORITY_COUNT; i++)
		if (by[i].both || by[i].met[1] + by[i].breached[1] ||
			by[i].met[0] + by[i].breached[0])
			print_tally(priority_name((enum priority)i), &by[i]);
	print_tally("all", &all);
	print_tally("adjusted", &without);
	printf("adjusted: without %ld excluded tickets; %ld waived breaches count as met\n",
		excluded, all.waived);
	PQclear(r);
	PQfinish(pg);
	return 0;
}

static int cmd_sla(int argc, char **argv)
{
	const char *what = argc ? argv[0] : "";

	if (strcmp(what, "calc") == 0)
		return calc();
	if (strcmp(what, "verify") == 0)
		return verify(argc, argv);
	if (strcmp(what, "differences") == 0)
		return differences(argc, argv);
	if (strcmp(what, "explain") == 0)
		return explain(argc, argv);
	if (strcmp(what, "replay") == 0)
		return replay(argc, argv);
	die("sla calc, sla explain, sla verify, sla differences or sla replay");
}

const struct command policy_commands[] = {
	{ "policy", cmd_policy,
		"policy list [--tenant C]\n"
		"  policy show --code P [--tenant C] [--version N]\n"
		"  policy put --code P [--tenant C] [--calendar K] [--service-type S] "
		"[--service-name N] [--effective-from T] FILE\n"
		"  policy format\n"
		"      show the policies, save a version of one (FILE is JSON, or - for standard "
		"input), or list the fields of the document with their rules and examples" },
	{ "calendar", cmd_calendar,
		"calendar list [--tenant C]\n"
		"  calendar show --code K [--tenant C] [--version N]\n"
		"  calendar put --code K [--tenant C] FILE\n"
		"  calendar format\n"
		"      the same for calendars" },
	{ "sla", cmd_sla,
		"sla calc\n"
		"  sla explain TICKET\n"
		"  sla verify [--tenant C]\n"
		"  sla differences [--tenant C]\n"
		"  sla replay --policy P [--tenant C] [--from T] [--to T]\n"
		"      compute deadlines from standard input, explain a ticket's clocks, recompute "
		"all "
		"stored clocks, list what the nightly check found to differ, or simulate "
		"another policy" },
	{ 0 },
};
