/* SPDX-License-Identifier: Apache-2.0
 * Incident logs into tickets: each incident's history goes through the same pure rules with its own
 * timestamps. Bulk goes by COPY into temporary tables (row-level security forbids it elsewhere) and
 * from there in one transaction a batch, which also records that the batch is done, so that a
 * broken import goes on where it stopped. Nothing is dropped silently: what cannot be read goes to
 * the rejects file. */
#include "cli.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "desk/ticket_doc.h"
#include "desk/versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH 1000
#define COLUMNS_MAX 64
#define FIELDS 12

enum field {
	F_ID,
	F_AT,
	F_OPENED,
	F_CLOSED,
	F_STATE,
	F_PRIORITY,
	F_IMPACT,
	F_URGENCY,
	F_CATEGORY,
	F_VERDICT,
	F_WEEKDAY,
	F_HOUR
};
static const char *const field_keys[FIELDS] = { "id", "at", "opened_at", "closed_at", "state",
	"priority", "impact", "urgency", "category", "verdict", "weekday", "hour" };

enum map_kind { MAP_STATES, MAP_COMMANDS, MAP_SINGLE };

struct map {
	struct json_object *json, *values, *priorities;
	enum map_kind kind;
	const char *name, *time, *title, *verdict_met;
	const struct zone *zone;
	int column[FIELDS]; /* -1: the log has none */
	int columns;
	int64_t monday;
};

struct entry {
	char *id, *category;
	long line;
	uint32_t order;
	int64_t at, opened, closed;
	int value;                                 /* a ticket_state or a ticket_command */
	int8_t priority, impact, urgency, verdict; /* verdict: 1 met, 0 not, -1 unknown */
};

struct totals {
	long rows, rejected, tickets, events, matrix_checked, matrix_differ, verdict_checked,
		verdict_differ, skipped;
	long met[PRIORITY_COUNT][2], breached[PRIORITY_COUNT][2];
};

static struct map map;
static struct totals totals;
static FILE *rejects;
static struct entry *entries;
static size_t entry_count, entry_cap;
static int64_t last_instant = INT64_MIN;

/* --- the mapping --- */

static void read_map(const char *file)
{
	FILE *f = fopen(file, "re");
	char *text = xmalloc(JSON_MAX_BYTES);
	size_t n = f ? fread(text, 1, JSON_MAX_BYTES, f) : 0;
	struct json_error err;
	const char *kind, *zone;

	if (!f)
		die("%s: cannot be read", file);
	fclose(f);
	map.json = json_read(text, n, &err);
	free(text);
	if (!map.json)
		die("%s: not JSON: wanted %s at byte %zu", file, err.rule, err.at);
	kind = json_get_string(map.json, "kind");
	if (!kind || (strcmp(kind, "states") != 0 && strcmp(kind, "commands") != 0 &&
			     strcmp(kind, "single") != 0))
		die("%s: kind must be states, commands or single", file);
	map.kind = kind[0] == 'c'                ? MAP_COMMANDS
		   : strcmp(kind, "single") == 0 ? MAP_SINGLE
						 : MAP_STATES;
	map.values = json_get(map.json, "values");
	map.priorities = json_get(map.json, "priorities");
	map.name = json_get_string(map.json, "name");
	map.time = json_get_string(map.json, "time");
	map.title = json_get_string(map.json, "title");
	map.verdict_met = json_get_string(map.json, "verdict_met");
	zone = json_get_string(map.json, "zone");
	map.zone = zone_find(zone ? zone : "UTC");
	if (!map.name || !map.title || !map.zone)
		die("%s: name, title and a known zone are required", file);
	if (map.kind == MAP_SINGLE &&
		!date_parse(str_of(json_get_string(map.json, "monday")), &map.monday))
		die("%s: monday must be a date", file);
}

static void find_columns(const struct str *header, int n)
{
	map.columns = n;
	for (int k = 0; k < FIELDS; k++) {
		const char *name = json_get_string(map.json, field_keys[k]);

		map.column[k] = -1;
		for (int i = 0; name && i < n; i++)
			if (str_is(header[i], name))
				map.column[k] = i;
		if (name && map.column[k] < 0)
			die("the file has no column %s", name);
	}
}

/* --- rows --- */

static void reject(long line, int column, const char *why)
{
	totals.rejected++;
	fprintf(rejects, "%ld,%d,%s\n", line, column + 1, why);
}

static bool numbers(struct str s, const char *separators, int64_t *out, int n)
{
	for (int i = 0; i < n; i++) {
		bool any = false;

		out[i] = 0;
		while (s.n && s.p[0] >= '0' && s.p[0] <= '9' && out[i] < 100000) {
			out[i] = out[i] * 10 + (s.p[0] - '0');
			s.p++, s.n--;
			any = true;
		}
		if (!any || (separators[i] ? s.n == 0 || s.p[0] != separators[i] : s.n != 0))
			return false;
		if (separators[i])
			s.p++, s.n--;
	}
	return true;
}

static int64_t from_local(int64_t local_s)
{
	int64_t until, utc = local_s - zone_offset(map.zone, local_s, &until);

	return (local_s - zone_offset(map.zone, utc, &until)) * US_PER_S;
}

static bool read_time(struct str s, int64_t *out)
{
	int64_t v[6] = { 0 };

	if (strcmp(map.time, "rfc3339") == 0)
		return time_parse(s, out);
	if (strcmp(map.time, "D/M/YYYY HH:MM") == 0) {
		if (!numbers(s, "// :", v, 5) ||
			!date_is_valid(v[2], (unsigned)v[1], (unsigned)v[0]) || v[3] > 23 ||
			v[4] > 59)
			return false;
		*out = from_local(days_from_civil(v[2], (unsigned)v[1], (unsigned)v[0]) * 86400 +
				  v[3] * 3600 + v[4] * 60);
		return true;
	}
	if (!numbers(s, "-- ::", v, 6) || !date_is_valid(v[0], (unsigned)v[1], (unsigned)v[2]) ||
		v[3] > 23 || v[4] > 59 || v[5] > 59)
		return false;
	*out = from_local(days_from_civil(v[0], (unsigned)v[1], (unsigned)v[2]) * 86400 +
			  v[3] * 3600 + v[4] * 60 + v[5]);
	return true;
}

static struct str cell(const struct str *fields, enum field f)
{
	return map.column[f] < 0 ? (struct str){ 0 } : fields[map.column[f]];
}

static bool is_unknown(struct str s)
{
	return s.n == 0 || str_is(s, "?");
}

static const char *mapped(struct json_object *table, struct str key)
{
	char k[200];

	snprintf(k, sizeof(k), "%.*s", (int)key.n, key.p);
	return json_get_string(table, k);
}

static bool read_weekday(const struct str *f, struct entry *e)
{
	static const char *const days[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
		"Saturday", "Sunday" };
	int64_t hour;

	for (int i = 0; i < 7; i++)
		if (str_is(cell(f, F_WEEKDAY), days[i]) &&
			str_to_int(cell(f, F_HOUR), 0, 23, &hour)) {
			e->at = e->opened = from_local((map.monday + i) * 86400 + hour * 3600) +
					    (int64_t)entry_count % 3600 * US_PER_S;
			return true;
		}
	return false;
}

static bool read_value(const struct str *f, struct entry *e)
{
	const char *v = mapped(map.values, cell(f, F_STATE));

	if (!v)
		return false;
	e->value = map.kind == MAP_STATES ? (int)ticket_state_parse(str_of(v))
					  : (int)ticket_command_parse(str_of(v));
	return e->value != (map.kind == MAP_STATES ? TICKET_STATE_COUNT : (int)CMD_COUNT);
}

static bool read_small(struct str s, int8_t *out)
{
	int64_t v = 0;

	if (is_unknown(s))
		return true;
	if (!str_to_int(s, 1, 5, &v))
		return false;
	*out = (int8_t)v;
	return true;
}

static bool read_row(const struct str *f, int n, long line, struct entry *e)
{
	const char *p;

	*e = (struct entry){ .line = line,
		.order = (uint32_t)entry_count,
		.opened = INSTANT_NONE,
		.closed = INSTANT_NONE,
		.priority = PRIORITY_NONE,
		.verdict = -1 };
	if (n != map.columns)
		return reject(line, n - 1, "wrong number of columns"), false;
	if (map.kind == MAP_SINGLE) {
		if (!read_weekday(f, e))
			return reject(line, map.column[F_WEEKDAY], "not a weekday and hour"), false;
	} else {
		if (is_unknown(cell(f, F_ID)))
			return reject(line, map.column[F_ID], "no incident number"), false;
		if (!read_time(cell(f, F_AT), &e->at))
			return reject(line, map.column[F_AT], "not a time"), false;
		if (!read_value(f, e))
			return reject(line, map.column[F_STATE], "unknown state or activity"),
			       false;
	}
	if (!is_unknown(cell(f, F_OPENED)) && !read_time(cell(f, F_OPENED), &e->opened))
		return reject(line, map.column[F_OPENED], "not a time"), false;
	if (!is_unknown(cell(f, F_CLOSED)) && !read_time(cell(f, F_CLOSED), &e->closed))
		return reject(line, map.column[F_CLOSED], "not a time"), false;
	if (!is_unknown(cell(f, F_PRIORITY))) {
		p = mapped(map.priorities, cell(f, F_PRIORITY));
		e->priority = (int8_t)priority_parse(str_of(p ? p : ""));
		if (e->priority == PRIORITY_NONE)
			return reject(line, map.column[F_PRIORITY], "unknown priority"), false;
	}
	if (!read_small(cell(f, F_IMPACT), &e->impact) ||
		!read_small(cell(f, F_URGENCY), &e->urgency))
		return reject(line, map.column[F_IMPACT], "impact and urgency are 1 to 5"), false;
	if (!is_unknown(cell(f, F_VERDICT)) && map.verdict_met)
		e->verdict = str_is(cell(f, F_VERDICT), map.verdict_met);
	for (int i = 0; i < n; i++)
		if (!utf8_is_valid(f[i].p, f[i].n))
			return reject(line, i, "not UTF-8"), false;
	e->id = map.kind == MAP_SINGLE ? xasprintf("row-%ld", line)
				       : xstrndup(cell(f, F_ID).p, cell(f, F_ID).n);
	e->category = is_unknown(cell(f, F_CATEGORY))
			      ? NULL
			      : xstrndup(cell(f, F_CATEGORY).p,
					cell(f, F_CATEGORY).n < 100 ? cell(f, F_CATEGORY).n : 100);
	return true;
}

static void read_file(const char *file)
{
	struct csv *c = csv_open(file);
	struct str fields[COLUMNS_MAX];
	long line, column = 0;
	int n = csv_next(c, fields, COLUMNS_MAX, &line, &column);

	if (n <= 0)
		die("%s: no header line", file);
	find_columns(fields, n);
	while ((n = csv_next(c, fields, COLUMNS_MAX, &line, &column)) != -1) {
		totals.rows++;
		if (n == -2) {
			totals.rejected++;
			fprintf(rejects, "%ld,%ld,broken CSV record\n", line, column);
			continue;
		}
		if (entry_count == entry_cap) {
			entry_cap = entry_cap ? entry_cap * 2 : 4096;
			entries = xrealloc(entries, entry_cap * sizeof(*entries));
		}
		if (read_row(fields, n, line, &entries[entry_count])) {
			last_instant = entries[entry_count].at > last_instant
					       ? entries[entry_count].at
					       : last_instant;
			entry_count++;
		}
	}
	csv_close(c);
}

static int by_incident(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = strcmp(x->id, y->id);

	return c ? c : (x->order > y->order) - (x->order < y->order);
}

/* --- one incident through the rules --- */

struct build {
	struct buf tickets, events, clocks, fires;
	struct sla_rules rules;
	int64_t tenant, policy_id, calendar_id, next_id;
	long ticket_n;
	/* the incident at hand */
	struct ticket t;
	int event_n;
	int64_t fired_at;
};

static void add_us(struct buf *b, int64_t at)
{
	if (at == INSTANT_NONE)
		buf_adds(b, "\t\\N");
	else {
		buf_addc(b, '\t');
		buf_add_int(b, at);
	}
}

/* COPY's text form: backslash, tab and newlines escaped. */
static void add_copy(struct buf *b, const char *s)
{
	buf_addc(b, '\t');
	for (; *s; s++)
		if (*s == '\\' || *s == '\t' || *s == '\n' || *s == '\r')
			buf_addf(b, "\\%c",
				*s == '\t'   ? 't'
				: *s == '\n' ? 'n'
				: *s == '\r' ? 'r'
					     : '\\');
		else
			buf_addc(b, *s);
}

static void put_event(struct build *b, const char *type, const char *actor, const char *audience,
	int64_t at, const char *more)
{
	b->event_n++;
	totals.events++;
	buf_addf(&b->events,
		"%ld\t%d\t%s\t%s\t%s\t%lld\t{\"status\":\"%s\",\"priority\":\"%s\"%s}\n",
		b->ticket_n, b->event_n, type, actor, audience, (long long)at,
		ticket_state_name(b->t.sla.state), priority_name(b->t.sla.priority), more);
}

static void settle(struct build *b, int64_t now)
{
	struct sla_fire f[64];
	size_t n;

	do {
		n = sla_settle(&b->t.sla, b->rules, now, f, ARRAY_LEN(f));
		for (size_t i = 0; i < n; i++) {
			char more[160];
			bool ladder = f[i].clock == SLA_LADDER,
			     due = !ladder && strcmp(f[i].key, "100") == 0;

			snprintf(more, sizeof(more),
				",\"clock\":\"%s\",\"threshold\":\"%s\",\"due_at\":%lld,"
				"\"imported\":true",
				sla_clock_name(f[i].clock), f[i].key, (long long)f[i].due_at);
			put_event(b,
				ladder                            ? "sla.ladder"
				: due && f[i].clock == SLA_UPDATE ? "sla.update_missed"
								  : "sla.threshold",
				"system", due ? "customer" : "staff", now, more);
			b->t.sla_breached |= due;
			buf_addf(&b->fires, "%ld\t%d\t%s\t%lld\t%s\t%d\t%lld\t%lld\n", b->ticket_n,
				b->event_n, sla_clock_name(f[i].clock), (long long)f[i].origin_seq,
				f[i].key, f[i].cycle, (long long)f[i].due_at, (long long)now);
		}
	} while (n == ARRAY_LEN(f));
}

static void step(
	struct build *b, enum ticket_command cmd, int64_t at, enum ticket_state to, enum priority p)
{
	struct ticket *t = &b->t;

	if (at <= t->last_at)
		at = t->last_at + 1;
	if (cmd != CMD_CREATE)
		settle(b, at);
	sla_apply(&t->sla, b->rules,
		&(struct sla_event){
			ticket_sla_event(cmd), at, SEQ_NEW + b->event_n + 1, INSTANT_NONE, to, p });
	t->last_at = at;
	if ((cmd == CMD_REPLY || cmd == CMD_RESOLVE) && t->first_response_at == INSTANT_NONE)
		t->first_response_at = at;
	if (cmd == CMD_RESOLVE)
		t->resolved_at = at;
	if (cmd == CMD_AUTO_CLOSE)
		t->closed_at = at;
	if (cmd == CMD_REOPEN)
		t->resolved_at = t->closed_at = INSTANT_NONE;
	put_event(b, ticket_rule(cmd)->event, cmd == CMD_CREATE ? "customer" : "staff",
		ticket_rule(cmd)->internal ? "staff" : "customer", at, "");
	settle(b, at);
}

/* Which command leads from one state of the log to the next. */
static enum ticket_command command_between(enum ticket_state from, enum ticket_state to)
{
	bool was_done = from == TICKET_RESOLVED || from == TICKET_CLOSED;

	switch (to) {
	case TICKET_ACCEPTED:
		return was_done ? CMD_REOPEN : from == TICKET_NEW ? CMD_ACCEPT : CMD_ASSIGN;
	case TICKET_IN_PROGRESS:
		return was_done                                        ? CMD_REOPEN
		       : from == TICKET_NEW || from == TICKET_ACCEPTED ? CMD_CONFIRM
								       : CMD_RESUME;
	case TICKET_PENDING_CUSTOMER:
		return CMD_WAIT_CUSTOMER;
	case TICKET_PENDING_AWS:
		return CMD_WAIT_AWS;
	case TICKET_SCHEDULED:
		return CMD_SCHEDULE;
	case TICKET_RESOLVED:
		return CMD_RESOLVE;
	case TICKET_CLOSED:
		return CMD_AUTO_CLOSE;
	case TICKET_CANCELLED:
		return CMD_CANCEL;
	default:
		return CMD_NOTE;
	}
}

static void one_row(struct build *b, const struct entry *e, bool first)
{
	enum ticket_state now = b->t.sla.state, to = now;
	enum priority p = b->t.sla.priority;
	enum ticket_command cmd;

	if (e->priority != PRIORITY_NONE && !first) {
		enum priority want =
			sla_policy_nearest(b->rules.policy, (enum priority)e->priority);

		if (want != p && ticket_state_is_open(now)) {
			step(b, CMD_PRIORITY, e->at, now, want);
			p = want;
		}
	}
	if (map.kind == MAP_STATES) {
		to = (enum ticket_state)e->value;
		cmd = to == now || (to == TICKET_NEW && now != TICKET_NEW)
			      ? CMD_NOTE
			      : command_between(now, to);
		if (cmd == CMD_NOTE)
			to = now;
	} else {
		cmd = (enum ticket_command)e->value;
		if (ticket_apply(cmd, now, cmd == CMD_AUTO_CLOSE ? ACTOR_SYSTEM : ACTOR_STAFF,
			    &to) != TICKET_ALLOWED) {
			/* logs do what our rules would not: closing without resolving, working on
			 * after the end */
			if (cmd == CMD_AUTO_CLOSE && ticket_state_is_open(now))
				to = TICKET_CLOSED;
			else if (cmd != CMD_NOTE &&
				 (now == TICKET_RESOLVED || now == TICKET_CLOSED))
				cmd = CMD_REOPEN, to = TICKET_IN_PROGRESS;
			else
				cmd = CMD_NOTE, to = now;
		}
	}
	step(b, cmd, cmd == CMD_AUTO_CLOSE && e->closed != INSTANT_NONE ? e->closed : e->at, to, p);
}

static void write_clocks(struct build *b)
{
	for (int k = 0; k < SLA_CLOCKS; k++) {
		const struct sla_clock *c = &b->t.sla.clock[k];

		if (c->state == CLOCK_NONE && c->start_at == INSTANT_NONE)
			continue;
		buf_addf(&b->clocks, "%ld\t%s\t%s\t%d\t%d\t%lld", b->ticket_n,
			sla_clock_name((enum sla_clock_kind)k), sla_clock_state_name(c->state),
			c->cycle, c->budget_s, (long long)c->origin_seq);
		add_us(&b->clocks, c->start_at);
		add_us(&b->clocks, c->stopped_at);
		add_us(&b->clocks, c->breached_at);
		add_us(&b->clocks, k == SLA_LADDER
					   ? INSTANT_NONE
					   : sla_due(&b->t.sla, b->rules, (enum sla_clock_kind)k));
		buf_addf(&b->clocks, "\t%lld\t{", (long long)c->carry_us);
		for (int i = 0; i < c->run_count; i++) {
			buf_addf(&b->clocks, "%s%lld,", i ? "," : "", (long long)c->run[i].from);
			if (c->run[i].to == INSTANT_NONE)
				buf_adds(&b->clocks, "NULL");
			else
				buf_add_int(&b->clocks, c->run[i].to);
		}
		buf_addf(&b->clocks, "}\t%d\t%d\t%d\t%s\t%s\n", c->fired, c->high, c->missed,
			c->by_priority ? "t" : "f", sla_verdict_name(sla_verdict(c)));
	}
}

static void tally(const struct build *b, const struct entry *last)
{
	const struct sla_ticket *t = &b->t.sla;
	static const enum sla_clock_kind kinds[] = { SLA_RESPONSE, SLA_RESOLUTION };

	for (int i = 0; i < 2; i++) {
		enum sla_verdict v = sla_verdict(&t->clock[kinds[i]]);

		totals.met[t->priority][i] += v == SLA_MET;
		totals.breached[t->priority][i] += v == SLA_BREACHED;
	}
	if (last->verdict >= 0) {
		totals.verdict_checked++;
		totals.verdict_differ += (sla_verdict(&t->clock[SLA_RESOLUTION]) != SLA_BREACHED) !=
					 (last->verdict == 1);
	}
}

static void one_incident(struct build *b, const struct entry *e, size_t n)
{
	struct ticket *t = &b->t;
	int64_t opened = e->opened == INSTANT_NONE ? e->at : e->opened;
	enum priority first = sla_policy_nearest(
		b->rules.policy, e->priority == PRIORITY_NONE ? P3 : (enum priority)e->priority);
	char text[300];

	*t = (struct ticket){ .first_response_at = INSTANT_NONE,
		.resolved_at = INSTANT_NONE,
		.closed_at = INSTANT_NONE,
		.last_at = opened - 1,
		.opened_at = opened };
	sla_ticket_init(&t->sla);
	b->event_n = 0;
	step(b, CMD_CREATE, opened, TICKET_NEW, first);
	for (size_t i = 0; i < n; i++) {
		const struct sla_policy *p = b->rules.policy;

		if (map.kind != MAP_SINGLE)
			one_row(b, &e[i], i == 0);
		if (p->has_matrix && e[i].impact && e[i].urgency &&
			e[i].priority != PRIORITY_NONE) {
			totals.matrix_checked++;
			totals.matrix_differ +=
				p->matrix[e[i].impact - 1][e[i].urgency - 1] != e[i].priority;
		}
	}
	if (t->sla.state != TICKET_CLOSED && t->sla.state != TICKET_CANCELLED &&
		e[n - 1].closed != INSTANT_NONE && map.kind == MAP_STATES)
		step(b, CMD_AUTO_CLOSE, e[n - 1].closed, TICKET_CLOSED, t->sla.priority);
	tally(b, &e[n - 1]);
	snprintf(text, sizeof(text), "%s:%s", map.name, e->id);
	buf_addf(&b->tickets, "%ld", b->ticket_n);
	add_copy(&b->tickets, text);
	snprintf(text, sizeof(text), "%s %s", map.title, e->id);
	add_copy(&b->tickets, text);
	buf_addf(&b->tickets, "\t%s\t%s\t%d\t%d", ticket_state_name(t->sla.state),
		priority_name(t->sla.priority), t->sla.cycle, t->sla.level);
	add_us(&b->tickets, opened);
	add_us(&b->tickets, t->last_at);
	add_us(&b->tickets, t->first_response_at);
	add_us(&b->tickets, t->resolved_at);
	add_us(&b->tickets, t->sla.last_stop_at);
	add_us(&b->tickets, t->closed_at);
	buf_addf(&b->tickets, "\t%s\t%s\t%d", t->sla.first_response_done ? "t" : "f",
		t->sla_breached ? "t" : "f", b->event_n);
	if (e[n - 1].category)
		add_copy(&b->tickets, e[n - 1].category);
	else
		buf_adds(&b->tickets, "\t\\N");
	buf_addf(&b->tickets, "\t%d\t%d\n", e[n - 1].impact, e[n - 1].urgency);
	write_clocks(b);
	b->ticket_n++;
}

/* --- storing --- */

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
	"overriding system value select $1::bigint, m.id, left(s.title, 200), s.status, "
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
	const char *done[] = { ids[0], map.name, sha, n, t, e, now, until };

	copy_in(pg, "s_ticket", &b->tickets);
	copy_in(pg, "s_event", &b->events);
	copy_in(pg, "s_clock", &b->clocks);
	copy_in(pg, "s_fire", &b->fires);
	/* months before the last twenty years go to the default partition */
	cli_run(pg, "select door.partitions(greatest(min(ts(at)), max(ts(at)) - interval '20 "
		    "years'), max(ts(at))) from s_event");
	cli_run(pg, "begin");
	for (size_t i = 0; i < ARRAY_LEN(store_sql); i++)
		PQclear(cli_query(pg, store_sql[i], i == 1 ? 3 : i == 0 || i > 1 ? 1 : 0, ids));
	snprintf(n, sizeof(n), "%d", batch);
	snprintf(t, sizeof(t), "%ld", tickets);
	snprintf(e, sizeof(e), "%ld", events);
	time_format(clock_now_us(), 6, now);
	time_format(last_instant, 6, until);
	PQclear(cli_query(pg,
		"insert into import_batches (tenant_id, source, file_sha256, batch, tickets, "
		"events, rejected, done_at, log_until) values ($1::bigint, $2, $3, $4::int, "
		"$5::bigint, $6::bigint, 0, $7::timestamptz, $8::timestamptz)",
		8, done));
	cli_run(pg, "truncate s_ticket, s_event, s_clock, s_fire, s_new");
	cli_run(pg, "commit");
	b->ticket_n = 0;
}

static bool batch_is_done(PGconn *pg, const char *tenant, const char *sha, int batch)
{
	char n[16];
	const char *p[] = { tenant, map.name, sha, n };
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
	size_t i = 0;
	int batch = 0;

	while (i < entry_count) {
		size_t end = i, incidents = 0;
		long events = totals.events, tickets;
		bool done;

		while (end < entry_count && incidents < BATCH) {
			size_t k = end;

			while (end < entry_count && strcmp(entries[end].id, entries[k].id) == 0)
				end++;
			incidents++;
		}
		done = batch_is_done(pg, ids[0], sha, batch);
		while (i < end) {
			size_t k = i;

			while (i < end && strcmp(entries[i].id, entries[k].id) == 0)
				i++;
			one_incident(b, &entries[k], i - k);
			totals.tickets++;
		}
		tickets = b->ticket_n;
		if (done) {
			totals.skipped += tickets;
			b->tickets.n = b->events.n = b->clocks.n = b->fires.n = 0;
			b->ticket_n = 0;
		} else {
			store_batch(pg, b, ids, sha, batch, tickets, totals.events - events);
		}
		batch++;
		cli_progress(i, entry_count);
	}
}

static void summary(int64_t us, const char *rejects_name)
{
	double s = (double)us / 1e6;

	printf("read      %ld log events, rejected %ld (%s)\nimported  %ld tickets, %ld events "
	       "written%s\n",
		totals.rows, totals.rejected, totals.rejected ? rejects_name : "none",
		totals.tickets - totals.skipped, totals.events, totals.skipped ? "" : "");
	if (totals.skipped)
		printf("skipped   %ld tickets, imported before\n", totals.skipped);
	printf("speed     %.1f s, %.0f log events/s\n", s, (double)totals.rows / s);
	printf("attainment      response            resolution\n");
	for (int p = 0; p < PRIORITY_COUNT; p++) {
		long n[2] = { totals.met[p][0] + totals.breached[p][0],
			totals.met[p][1] + totals.breached[p][1] };

		if (!n[0] && !n[1])
			continue;
		printf("  %s   ", priority_name((enum priority)p));
		for (int k = 0; k < 2; k++)
			if (n[k])
				printf("%7.2f %% of %-7ld ",
					100.0 * (double)totals.met[p][k] / (double)n[k], n[k]);
			else
				printf("%19s ", "-");
		putchar('\n');
	}
	if (totals.matrix_checked)
		printf("matrix    impact x urgency gives the log's priority in %ld of %ld rows\n",
			totals.matrix_checked - totals.matrix_differ, totals.matrix_checked);
	if (totals.verdict_checked)
		printf("verdicts  agree with the log's own for %.2f %% of %ld incidents (%ld "
		       "differ)\n",
			100.0 * (double)(totals.verdict_checked - totals.verdict_differ) /
				(double)totals.verdict_checked,
			totals.verdict_checked, totals.verdict_differ);
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
	static struct build b;
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
	read_map(cli_option(argc, argv, "map", NULL));
	rejects = fopen(rejects_name, "we");
	if (!rejects)
		die("%s: cannot be written", rejects_name);
	fputs("line,column,reason\n", rejects);
	pg = cli_connect();
	bind_policy(pg, &b, cli_option(argc, argv, "tenant", NULL),
		cli_option(argc, argv, "policy", "standard"), ids);
	file_digest(file, sha);
	read_file(file);
	qsort(entries, entry_count, sizeof(*entries), by_incident);
	cli_run(pg, stage_sql);
	import_all(pg, &b, id_list, sha);
	fclose(rejects);
	if (!totals.rejected)
		unlink(rejects_name);
	summary(clock_mono_us() - began, rejects_name);
	PQfinish(pg);
	return 0;
}
