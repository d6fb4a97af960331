/* SPDX-License-Identifier: Apache-2.0
 * Reads an incident log as entries; a mapping file names the columns and values. Nothing is dropped
 * silently: what cannot be read goes to the rejects file. */
#include "import.h"
#include "base/json.h"
#include "desk/versions.h"
#include "ticket/instants.h"

#include <stdlib.h>

#define COLUMNS_MAX 64
#define TEXT_MAX 100 /* maximum length of an incident's number and category in characters */
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

struct map {
	struct json_object *json, *values, *priorities;
	const char *time, *verdict_met;
	const struct zone *zone;
	int column[FIELDS]; /* -1: the log has no such column */
	int columns;
	int64_t monday;
};

static struct map map;

/* --- the mapping --- */

void import_read_map(const char *file, struct import_log *out)
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
	out->kind = kind[0] == 'c'                ? IMPORT_COMMANDS
		    : strcmp(kind, "single") == 0 ? IMPORT_SINGLE
						  : IMPORT_STATES;
	map.values = json_get(map.json, "values");
	map.priorities = json_get(map.json, "priorities");
	out->name = json_get_string(map.json, "name");
	map.time = json_get_string(map.json, "time");
	out->title = json_get_string(map.json, "title");
	map.verdict_met = json_get_string(map.json, "verdict_met");
	zone = json_get_string(map.json, "zone");
	map.zone = zone_find(zone ? zone : "UTC");
	if (!out->name || !out->title || !map.zone)
		die("%s: name, title and a known zone are required", file);
	/* an incident's number of up to 100 characters is appended to both */
	if (utf8_length(out->name, strlen(out->name)) >= TEXT_MAX ||
		utf8_length(out->title, strlen(out->title)) >= TEXT_MAX)
		die("%s: name and title have at most 99 characters", file);
	if (out->kind == IMPORT_SINGLE &&
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

struct rejects {
	FILE *to;
	long n;
};

static void reject(struct rejects *r, long line, int column, const char *why)
{
	r->n++;
	fprintf(r->to, "%ld,%d,%s\n", line, column + 1, why);
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

static bool parse_time(struct str s, int64_t *out)
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

/* The rule that an instant breaks; NULL if it can be imported. A log describes the past: with an
 * instant in the future, the clocks of all its tickets would stand still until then. An instant
 * before the opening of its incident counts as the opening (import_replay.c). */
static const char *instant_fault(int64_t at)
{
	if (!instant_is_sane(at))
		return "not in the years 1970 to 2199";
	return at > clock_now_us() + INSTANT_SKEW_US ? "in the future" : NULL;
}

static const char *read_time(struct str s, int64_t *out)
{
	return parse_time(s, out) ? instant_fault(*out) : "not a time";
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
	char *k = xstrndup(key.p, key.n);
	const char *v = json_get_string(table, k);

	free(k);
	return v;
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
					    (int64_t)e->order % 3600 * US_PER_S;
			return true;
		}
	return false;
}

static bool read_value(const struct import_log *log, const struct str *f, struct entry *e)
{
	const char *v = mapped(map.values, cell(f, F_STATE));

	if (!v)
		return false;
	e->value = log->kind == IMPORT_STATES ? (int)ticket_state_parse(str_of(v))
					      : (int)ticket_command_parse(str_of(v));
	return e->value != (log->kind == IMPORT_STATES ? TICKET_STATE_COUNT : (int)CMD_COUNT);
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

/* An invalid text rejects this row, not the whole import. */
static bool texts_fit(const struct str *f, int n, long line, struct rejects *r)
{
	static const enum field limited[] = { F_ID, F_CATEGORY };

	for (int i = 0; i < n; i++)
		if (!utf8_is_valid(f[i].p, f[i].n) || str_chr(f[i], 0))
			return reject(r, line, i, "not UTF-8, or with a NUL"), false;
	for (size_t i = 0; i < ARRAY_LEN(limited); i++)
		if (utf8_length(cell(f, limited[i]).p, cell(f, limited[i]).n) > TEXT_MAX)
			return reject(r, line, map.column[limited[i]],
				       "longer than 100 characters"),
			       false;
	return true;
}

/* When the incident was opened and closed, where the log tells it. */
static bool read_span(const struct str *f, long line, struct entry *e, struct rejects *r)
{
	struct {
		enum field field;
		int64_t *at;
	} all[] = { { F_OPENED, &e->opened }, { F_CLOSED, &e->closed } };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct str text = cell(f, all[i].field);
		const char *why = is_unknown(text) ? NULL : read_time(text, all[i].at);

		if (why)
			return reject(r, line, map.column[all[i].field], why), false;
	}
	return true;
}

static bool read_row(const struct import_log *log, const struct str *f, int n, long line,
	struct entry *e, struct rejects *r)
{
	const char *p, *why;

	*e = (struct entry){ .line = line,
		.order = (uint32_t)log->n,
		.opened = INSTANT_NONE,
		.closed = INSTANT_NONE,
		.priority = PRIORITY_NONE,
		.verdict = -1 };
	if (n != map.columns)
		return reject(r, line, n - 1, "wrong number of columns"), false;
	if (log->kind == IMPORT_SINGLE) {
		if (!read_weekday(f, e))
			return reject(r, line, map.column[F_WEEKDAY], "not a weekday and hour"),
			       false;
		why = instant_fault(e->at);
		if (why)
			return reject(r, line, map.column[F_WEEKDAY], why), false;
	} else {
		if (is_unknown(cell(f, F_ID)))
			return reject(r, line, map.column[F_ID], "no incident number"), false;
		why = read_time(cell(f, F_AT), &e->at);
		if (why)
			return reject(r, line, map.column[F_AT], why), false;
		if (!read_value(log, f, e))
			return reject(r, line, map.column[F_STATE], "unknown state or activity"),
			       false;
	}
	if (!read_span(f, line, e, r))
		return false;
	if (!is_unknown(cell(f, F_PRIORITY))) {
		p = mapped(map.priorities, cell(f, F_PRIORITY));
		e->priority = (int8_t)priority_parse(str_of(p ? p : ""));
		if (e->priority == PRIORITY_NONE)
			return reject(r, line, map.column[F_PRIORITY], "unknown priority"), false;
	}
	if (!read_small(cell(f, F_IMPACT), &e->impact) ||
		!read_small(cell(f, F_URGENCY), &e->urgency))
		return reject(r, line, map.column[F_IMPACT], "impact and urgency are 1 to 5"),
		       false;
	if (!is_unknown(cell(f, F_VERDICT)) && map.verdict_met)
		e->verdict = str_is(cell(f, F_VERDICT), map.verdict_met);
	if (!texts_fit(f, n, line, r))
		return false;
	e->id = log->kind == IMPORT_SINGLE ? xasprintf("row-%ld", line)
					   : xstrndup(cell(f, F_ID).p, cell(f, F_ID).n);
	e->category = is_unknown(cell(f, F_CATEGORY))
			      ? NULL
			      : xstrndup(cell(f, F_CATEGORY).p, cell(f, F_CATEGORY).n);
	return true;
}

static int by_incident(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = strcmp(x->id, y->id);

	return c ? c : (x->order > y->order) - (x->order < y->order);
}

void import_read_log(const char *file, FILE *rejects, struct import_log *log, struct totals *totals)
{
	struct csv *c = csv_open(file);
	struct str fields[COLUMNS_MAX];
	struct rejects r = { rejects, 0 };
	long line, column = 0;
	int n = csv_next(c, fields, COLUMNS_MAX, &line, &column);

	if (n <= 0)
		die("%s: no header line", file);
	if (strcmp(csv_encoding(c), "UTF-8") != 0)
		fprintf(stderr, "%s: read as %s\n", file, csv_encoding(c));
	find_columns(fields, n);
	log->last_instant = INT64_MIN;
	while ((n = csv_next(c, fields, COLUMNS_MAX, &line, &column)) != -1) {
		if (n == 1 && !fields[0].n) /* a blank line, usually the last */
			continue;
		totals->rows++;
		if (n == -2) {
			reject(&r, line, (int)column - 1, "broken CSV record");
			continue;
		}
		if (log->n == log->room) {
			log->room = log->room ? log->room * 2 : 4096;
			log->entry = xrealloc(log->entry, log->room * sizeof(*log->entry));
		}
		if (!read_row(log, fields, n, line, &log->entry[log->n], &r))
			continue;
		if (log->entry[log->n].at > log->last_instant)
			log->last_instant = log->entry[log->n].at;
		log->n++;
	}
	totals->rejected = r.n;
	csv_close(c);
	qsort(log->entry, log->n, sizeof(*log->entry), by_incident);
}
