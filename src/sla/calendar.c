/* SPDX-License-Identifier: Apache-2.0
 * A date's windows are local seconds of the day. They are converted to UTC along the zone's
 * stretches of constant offset, so that a skipped local time adds nothing and a repeated one counts
 * twice, without a special case. */
#include "sla/calendar.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_WINDOWS 16               /* of a day, as written */
#define MAX_PIECES (2 * MAX_WINDOWS) /* each break cuts at most one window in two */
#define SEARCH_DAYS 400

struct window {
	int32_t open_s, close_s;
};

struct windows {
	int n;
	struct window w[MAX_PIECES];
};

struct dated {
	int64_t day;
	struct windows windows;
};

struct dates {
	struct dated *d;
	size_t n;
};

struct calendar {
	const struct zone *zone;
	bool always;
	struct windows weekly[7];
	struct dates holidays, overrides, breaks;
};

static const char *const weekday_keys[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
static _Thread_local char error_text[160];

static bool refuse_calendar(const char **out_error, const char *what, const char *detail)
{
	utf8_format(error_text, sizeof(error_text), "calendar: %s%s%s", what, detail ? ": " : "",
		detail ? detail : "");
	*out_error = error_text;
	return false;
}

static bool read_tod(struct json_object *v, bool close, int32_t *out)
{
	struct str s;

	if (!json_object_is_type(v, json_type_string))
		return false;
	s = json_str(v);
	if (s.n != 5 || s.p[2] != ':')
		return false;
	for (int i = 0; i < 5; i++)
		if (i != 2 && (s.p[i] < '0' || s.p[i] > '9'))
			return false;
	*out = ((s.p[0] - '0') * 10 + (s.p[1] - '0')) * 3600 +
	       ((s.p[3] - '0') * 10 + (s.p[4] - '0')) * 60;
	return s.p[3] <= '5' && (*out < 86400 || (close && *out == 86400));
}

static bool read_windows(
	struct json_object *list, struct windows *out, const char **out_error, const char *where)
{
	out->n = 0;
	if (!json_object_is_type(list, json_type_array))
		return refuse_calendar(out_error, "windows must be a list of [open, close]", where);
	if (json_object_array_length(list) > MAX_WINDOWS)
		return refuse_calendar(out_error, "at most 16 windows a day", where);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *pair = json_object_array_get_idx(list, i);
		struct window *w = &out->w[out->n];

		if (!json_object_is_type(pair, json_type_array) ||
			json_object_array_length(pair) != 2 ||
			!read_tod(json_object_array_get_idx(pair, 0), false, &w->open_s) ||
			!read_tod(json_object_array_get_idx(pair, 1), true, &w->close_s))
			return refuse_calendar(
				out_error, "a window is [\"HH:MM\", \"HH:MM\"]", where);
		if (w->open_s >= w->close_s)
			return refuse_calendar(
				out_error, "a window must open before it closes", where);
		if (out->n && out->w[out->n - 1].close_s > w->open_s)
			return refuse_calendar(
				out_error, "windows must be sorted and disjoint", where);
		out->n++;
	}
	return true;
}

static int by_day(const void *a, const void *b)
{
	int64_t x = ((const struct dated *)a)->day, y = ((const struct dated *)b)->day;

	return (x > y) - (x < y);
}

static const struct windows *find_date(const struct dates *dates, int64_t day)
{
	struct dated key = { .day = day };
	const struct dated *hit =
		dates->n ? bsearch(&key, dates->d, dates->n, sizeof(key), by_day) : NULL;

	return hit ? &hit->windows : NULL;
}

static bool read_dates(
	struct json_object *json, const char *key, struct dates *out, const char **out_error)
{
	struct json_object *v = json_get(json, key);

	if (!v)
		return true;
	if (!json_object_is_type(v, json_type_object))
		return refuse_calendar(out_error, "must be an object of dates", key);
	out->d = xcalloc((size_t)json_object_object_length(v), sizeof(*out->d));
	json_object_object_foreach(v, date, windows)
	{
		struct dated *d = &out->d[out->n];

		if (!date_parse(str_of(date), &d->day))
			return refuse_calendar(out_error, "not a date (YYYY-MM-DD)", date);
		if (!read_windows(windows, &d->windows, out_error, date))
			return false;
		out->n++;
	}
	qsort(out->d, out->n, sizeof(*out->d), by_day);
	return true;
}

static bool read_holidays(struct json_object *json, struct dates *out, const char **out_error)
{
	struct json_object *v = json_get(json, "holidays");
	size_t n;

	if (!v)
		return true;
	if (!json_object_is_type(v, json_type_array))
		return refuse_calendar(out_error, "holidays must be a list of dates", NULL);
	n = json_object_array_length(v);
	out->d = xcalloc(n, sizeof(*out->d));
	for (size_t i = 0; i < n; i++) {
		struct json_object *date = json_object_array_get_idx(v, i);

		if (!json_object_is_type(date, json_type_string) ||
			!date_parse(json_str(date), &out->d[i].day))
			return refuse_calendar(out_error, "holidays must be dates (YYYY-MM-DD)",
				json_object_get_string(date));
	}
	out->n = n;
	qsort(out->d, out->n, sizeof(*out->d), by_day);
	return true;
}

static bool read_hours(struct json_object *json, struct calendar *c, const char **out_error)
{
	struct json_object *hours = json_get(json, "hours");

	if (!json_object_is_type(hours, json_type_object))
		return refuse_calendar(out_error, "hours must be an object of weekdays", NULL);
	json_object_object_foreach(hours, key, windows)
	{
		int day = -1;

		for (int i = 0; i < 7; i++)
			if (strcmp(key, weekday_keys[i]) == 0)
				day = i;
		if (day < 0)
			return refuse_calendar(out_error, "not a weekday (mon..sun)", key);
		if (!read_windows(windows, &c->weekly[day], out_error, key))
			return false;
	}
	return true;
}

static bool works_always(const struct calendar *c)
{
	if (c->holidays.n || c->overrides.n || c->breaks.n)
		return false;
	for (int i = 0; i < 7; i++)
		if (c->weekly[i].n != 1 || c->weekly[i].w[0].open_s != 0 ||
			c->weekly[i].w[0].close_s != 86400)
			return false;
	return true;
}

struct calendar *calendar_read(struct json_object *json, zone_finder *find, const char **out_error)
{
	static const char *const known[] = { "tz", "hours", "holidays", "overrides", "breaks" };
	struct calendar *c = xcalloc(1, sizeof(*c));
	const char *tz = json_get_string(json, "tz");

	if (!json_object_is_type(json, json_type_object)) {
		refuse_calendar(out_error, "must be an object", NULL);
		goto bad;
	}
	json_object_object_foreach(json, key, val)
	{
		bool ok = false;

		(void)val;
		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			ok |= strcmp(key, known[i]) == 0;
		if (!ok) {
			refuse_calendar(out_error, "unknown key", key);
			goto bad;
		}
	}
	c->zone = tz ? find(tz) : NULL;
	if (!c->zone) {
		refuse_calendar(out_error, "tz must be an IANA zone name", tz);
		goto bad;
	}
	if (!read_hours(json, c, out_error) || !read_holidays(json, &c->holidays, out_error) ||
		!read_dates(json, "overrides", &c->overrides, out_error) ||
		!read_dates(json, "breaks", &c->breaks, out_error))
		goto bad;
	c->always = works_always(c);
	return c;
bad:
	calendar_free(c);
	return NULL;
}

struct calendar *calendar_always(void)
{
	struct calendar *c = xcalloc(1, sizeof(*c));

	c->always = true;
	return c;
}

void calendar_free(struct calendar *c)
{
	if (!c)
		return;
	free(c->holidays.d);
	free(c->overrides.d);
	free(c->breaks.d);
	free(c);
}

/* The windows of W without those of CUT. */
static void cut_breaks(struct windows *w, const struct windows *cut)
{
	for (int b = 0; b < cut->n; b++) {
		struct windows left = { 0 };

		for (int i = 0; i < w->n; i++) {
			struct window a = w->w[i], x = cut->w[b];

			if (x.open_s >= a.close_s || x.close_s <= a.open_s) {
				left.w[left.n++] = a;
				continue;
			}
			if (a.open_s < x.open_s)
				left.w[left.n++] = (struct window){ a.open_s, x.open_s };
			if (x.close_s < a.close_s)
				left.w[left.n++] = (struct window){ x.close_s, a.close_s };
		}
		*w = left;
	}
}

/* The windows of local date DAY. SCRATCH is used if a break cuts them. */
static const struct windows *windows_of(
	const struct calendar *c, int64_t day, struct windows *scratch)
{
	static const struct windows none;
	const struct windows *w = find_date(&c->overrides, day), *cut;

	if (!w)
		w = find_date(&c->holidays, day) ? &none : &c->weekly[weekday_from_days(day)];
	cut = find_date(&c->breaks, day);
	if (!cut)
		return w;
	*scratch = *w;
	cut_breaks(scratch, cut);
	return scratch;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

bool calendar_next_open(const struct calendar *c, int64_t at_us, int64_t *out_from, int64_t *out_to)
{
	int64_t limit = at_us + SEARCH_DAYS * 86400 * US_PER_S, t = at_us;
	struct windows scratch;

	if (c->always) {
		*out_from = at_us;
		*out_to = INT64_MAX;
		return true;
	}
	while (t < limit) {
		int64_t until_s, off = zone_offset(c->zone, floor_div(t, US_PER_S), &until_s);
		int64_t until = until_s > INT64_MAX / US_PER_S ? INT64_MAX : until_s * US_PER_S;
		int64_t day = floor_div(t + off * US_PER_S, 86400 * US_PER_S),
			midnight = day * 86400 - off;
		const struct windows *w = windows_of(c, day, &scratch);

		for (int i = 0; i < w->n; i++) {
			int64_t from = (midnight + w->w[i].open_s) * US_PER_S,
				to = (midnight + w->w[i].close_s) * US_PER_S;

			from = from < t ? t : from;
			to = to > until ? until : to;
			if (from < to) {
				*out_from = from;
				*out_to = to;
				return true;
			}
		}
		t = (midnight + 86400) * US_PER_S;
		t = t > until ? until : t;
	}
	return false;
}

bool calendar_is_usable(const struct calendar *c, int64_t now_us, const char **out_error)
{
	struct windows scratch;
	int64_t from, to;
	char date[32];

	for (size_t i = 0; i < c->breaks.n; i++) {
		if (windows_of(c, c->breaks.d[i].day, &scratch)->n <= MAX_WINDOWS)
			continue;
		time_format(c->breaks.d[i].day * 86400 * US_PER_S, 0, date);
		date[10] = 0;
		return refuse_calendar(
			out_error, "at most 16 pieces a day are left by breaks", date);
	}
	if (now_us != INSTANT_NONE && !calendar_next_open(c, now_us, &from, &to))
		return refuse_calendar(out_error, "no window opens within 400 days", NULL);
	return true;
}

bool calendar_add(const struct calendar *c, int64_t start_us, int64_t work_us, int64_t *out)
{
	int64_t t = start_us, from, to;

	while (work_us > 0) {
		if (!calendar_next_open(c, t, &from, &to))
			return false;
		if (to == INT64_MAX || to - from >= work_us) {
			*out = from + work_us;
			return true;
		}
		work_us -= to - from;
		t = to;
	}
	*out = start_us;
	return true;
}

int64_t calendar_between(const struct calendar *c, int64_t from_us, int64_t to_us)
{
	int64_t sum = 0, t = from_us, from, to;

	if (c->always)
		return to_us > from_us ? to_us - from_us : 0;
	while (t < to_us) {
		if (!calendar_next_open(c, t, &from, &to)) {
			t += SEARCH_DAYS * 86400 * US_PER_S;
			continue;
		}
		if (from >= to_us)
			break;
		sum += (to < to_us ? to : to_us) - from;
		t = to;
	}
	return sum;
}

bool calendar_is_open(const struct calendar *c, int64_t at_us)
{
	int64_t from, to;

	return calendar_next_open(c, at_us, &from, &to) && from == at_us;
}

int64_t calendar_last_close(const struct calendar *c, int64_t at_us, int64_t floor_us)
{
	int64_t best = floor_us, t, from, to;

	if (calendar_is_open(c, at_us))
		return at_us;
	/* Look back a day at a time until a stretch before AT is found. */
	for (int64_t back = 1; back <= SEARCH_DAYS && best == floor_us; back++) {
		t = at_us - back * 86400 * US_PER_S;
		t = t < floor_us ? floor_us : t;
		for (int64_t s = t;
			s < at_us && calendar_next_open(c, s, &from, &to) && to <= at_us; s = to)
			best = to;
		if (t == floor_us)
			break;
	}
	return best;
}

enum calendar_day calendar_why(const struct calendar *c, int64_t at_us)
{
	int64_t until, day;

	if (c->always || calendar_is_open(c, at_us))
		return DAY_OPEN;
	day = floor_div(floor_div(at_us, US_PER_S) +
				zone_offset(c->zone, floor_div(at_us, US_PER_S), &until),
		86400);
	return find_date(&c->holidays, day) && !find_date(&c->overrides, day) ? DAY_HOLIDAY
									      : DAY_CLOSED;
}

int64_t calendar_date_end(const struct calendar *c, int64_t at_us)
{
	int64_t until_s = INT64_MAX,
		off = c->always ? 0 : zone_offset(c->zone, floor_div(at_us, US_PER_S), &until_s);
	int64_t until = until_s > INT64_MAX / US_PER_S ? INT64_MAX : until_s * US_PER_S,
		day = floor_div(at_us + off * US_PER_S, 86400 * US_PER_S),
		end = ((day + 1) * 86400 - off) * US_PER_S;

	return end < until ? end : until;
}

static bool adds_dates(struct json_object *old, struct json_object *new, const char *today)
{
	json_object_object_foreach(new, date, value)
	{
		struct json_object *had = json_get(old, date);

		if (had ? !json_object_equal(had, value) : strcmp(date, today) <= 0)
			return false;
	}
	json_object_object_foreach(old, kept, any)
	{
		(void)any;
		if (!json_get(new, kept))
			return false;
	}
	return true;
}

/* A list of dates as an object, so that both forms can be compared. The caller releases it. */
static struct json_object *dates_of(struct json_object *list)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0;
		json_object_is_type(list, json_type_array) && i < json_object_array_length(list);
		i++)
		json_object_object_add(o,
			json_object_get_string(json_object_array_get_idx(list, i)),
			json_object_new_boolean(true));
	return o;
}

bool calendar_only_adds(struct json_object *old, struct json_object *new, const char *today)
{
	static const char *const dated[] = { "overrides", "breaks" };
	struct json_object *a = dates_of(json_get(old, "holidays")),
			   *b = dates_of(json_get(new, "holidays")),
			   *none = json_object_new_object();
	bool only = adds_dates(a, b, today) &&
		    json_object_equal(json_get(old, "tz"), json_get(new, "tz")) &&
		    json_object_equal(json_get(old, "hours"), json_get(new, "hours"));

	for (size_t i = 0; only && i < ARRAY_LEN(dated); i++) {
		struct json_object *x = json_get(old, dated[i]), *y = json_get(new, dated[i]);

		only = adds_dates(x ? x : none, y ? y : none, today);
	}
	json_object_put(a);
	json_object_put(b);
	json_object_put(none);
	return only;
}
