/* SPDX-License-Identifier: Apache-2.0
 * add_working_time, working_time_between and escalation, with the fixed rules that sla.md 8 gives
 * them. */
#include "sla/calc.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

struct span {
	int64_t from, to;
};

struct spans {
	struct span *s;
	size_t n;
};

#define SECONDS_MAX (100LL * 366 * 86400)

struct question {
	struct json_object *json;
	struct calendar *cal;
	const char *error;
	char text[160];
};

static bool refuse_question(struct question *q, const char *key, const char *rule)
{
	snprintf(q->text, sizeof(q->text), "%s: %s", key, rule);
	q->error = q->text;
	return false;
}

static bool read_instant(struct question *q, struct json_object *o, const char *key, int64_t *out)
{
	struct json_object *v = json_get(o, key);

	if (!json_object_is_type(v, json_type_string) || !time_parse(json_str(v), out))
		return refuse_question(q, key, "an RFC 3339 instant");
	return true;
}

static void add_instant(struct buf *b, int64_t at)
{
	char t[32];

	at -= ((at % US_PER_S) + US_PER_S) % US_PER_S;
	time_format(at, 3, t);
	buf_addf(b, "\"%.19sZ\"", t);
}

static bool answer_add(struct question *q, struct buf *out)
{
	int64_t start, seconds = json_get_int(q->json, "seconds", -1), at;

	if (!read_instant(q, q->json, "start", &start))
		return false;
	if (!json_object_is_type(json_get(q->json, "seconds"), json_type_int) || seconds < 0)
		return refuse_question(q, "seconds", "a whole number, not negative");
	if (seconds > SECONDS_MAX)
		return refuse_question(q, "seconds", "at most 100 years");
	if (!calendar_add(q->cal, start, seconds * US_PER_S, &at))
		return refuse_question(q, "calendar", "no window in 400 days from the start");
	add_instant(out, at);
	return true;
}

static bool answer_between(struct question *q, struct buf *out)
{
	int64_t start, end;

	if (!read_instant(q, q->json, "start", &start) || !read_instant(q, q->json, "end", &end))
		return false;
	buf_add_int(out, calendar_between(q->cal, start, end) / US_PER_S);
	return true;
}

/* --- escalation --- */

struct event {
	int64_t at;
	size_t order;
	const char *type;
	struct json_object *json;
};

static int by_instant(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static struct event *read_events(struct question *q, size_t *out_n)
{
	static const char *const types[] = { "pause", "resume", "agent_reply", "customer_reply",
		"policy_change", "close" };
	struct json_object *list = json_get(q->json, "events");
	struct event *ev;

	*out_n = 0;
	if (list && !json_object_is_type(list, json_type_array)) {
		refuse_question(q, "events", "a list");
		return NULL;
	}
	ev = xcalloc(list ? json_object_array_length(list) : 1, sizeof(*ev));
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		bool known = false;

		ev[i] = (struct event){ .order = i, .json = o, .type = json_get_string(o, "type") };
		for (size_t k = 0; ev[i].type && k < ARRAY_LEN(types); k++)
			known |= strcmp(ev[i].type, types[k]) == 0;
		if (!read_instant(q, o, "at", &ev[i].at) ||
			(!known && !refuse_question(q, "events.type", "unknown"))) {
			free(ev);
			return NULL;
		}
		(*out_n)++;
	}
	qsort(ev, *out_n, sizeof(*ev), by_instant);
	return ev;
}

static struct spans read_pauses(const struct event *ev, size_t n)
{
	struct spans p = { xcalloc(n + 1, sizeof(struct span)), 0 };
	bool paused = false;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(ev[i].type, "pause") == 0 && !paused) {
			p.s[p.n++] = (struct span){ ev[i].at, INSTANT_NONE };
			paused = true;
		} else if (strcmp(ev[i].type, "resume") == 0 && paused) {
			p.s[p.n - 1].to = ev[i].at;
			paused = false;
		}
	}
	return p;
}

/* The earliest instant at which WORK_US has passed since FROM outside PAUSES. Returns false if a
 * pause without an end comes first. */
static bool due_at(const struct question *q, const struct spans *pauses, int64_t from,
	int64_t work_us, int64_t *out)
{
	for (size_t i = 0; i < pauses->n; i++) {
		const struct span *p = &pauses->s[i];
		int64_t had;

		if (p->to != INSTANT_NONE && p->to <= from)
			continue;
		had = calendar_between(q->cal, from, p->from);
		if (had >= work_us && p->from >= from)
			return calendar_add(q->cal, from, work_us, out);
		if (p->to == INSTANT_NONE)
			return false;
		work_us -= had;
		from = p->to;
	}
	return calendar_add(q->cal, from, work_us, out);
}

static int64_t worked(
	const struct question *q, const struct spans *pauses, int64_t from, int64_t to)
{
	int64_t sum = calendar_between(q->cal, from, to);

	for (size_t i = 0; i < pauses->n; i++) {
		int64_t a = pauses->s[i].from < from ? from : pauses->s[i].from;
		int64_t b = pauses->s[i].to == INSTANT_NONE || pauses->s[i].to > to
				    ? to
				    : pauses->s[i].to;

		sum -= calendar_between(q->cal, a, b);
	}
	return sum;
}

static bool names_clock(struct question *q, const char *clock)
{
	struct json_object *list = json_get(q->json, "pause_clocks");

	for (size_t i = 0;
		json_object_is_type(list, json_type_array) && i < json_object_array_length(list);
		i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		if (json_object_is_type(v, json_type_string) && str_is(json_str(v), clock))
			return true;
	}
	return false;
}

struct reckoning {
	int64_t created, reply_at, close_at, update_from;
	int64_t first_response_s, resolution_s, update_s; /* -1 = none */
	struct spans pauses, none;
};

static void take_budgets(struct json_object *o, struct reckoning *k)
{
	struct json_object *p = json_get(o, "policy") ? json_get(o, "policy") : o;

	k->first_response_s = json_get_int(p, "first_response_s", k->first_response_s);
	k->resolution_s = json_get_int(p, "resolution_s", k->resolution_s);
	k->update_s = json_get_int(p, "update_s", k->update_s);
}

static void take_events(struct reckoning *k, const struct event *ev, size_t n)
{
	int64_t customer = INSTANT_NONE, agent = INSTANT_NONE;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(ev[i].type, "agent_reply") == 0) {
			agent = ev[i].at;
			if (k->reply_at == INSTANT_NONE)
				k->reply_at = ev[i].at;
		} else if (strcmp(ev[i].type, "customer_reply") == 0) {
			customer = ev[i].at;
		} else if (strcmp(ev[i].type, "close") == 0 && k->close_at == INSTANT_NONE) {
			k->close_at = ev[i].at;
		} else if (strcmp(ev[i].type, "policy_change") == 0) {
			take_budgets(ev[i].json, k);
		}
	}
	k->update_from = customer != INSTANT_NONE ? customer
			 : agent != INSTANT_NONE  ? agent
						  : k->created;
}

static void add_due(struct question *q, struct buf *out, const char *clock,
	const struct reckoning *k, int64_t from, int64_t budget_s)
{
	const char *name = strcmp(clock, "update") == 0 ? "update" : clock;
	int64_t at;

	if (budget_s < 0 || q->error)
		return;
	if (budget_s > SECONDS_MAX) {
		refuse_question(q, name, "a budget is at most 100 years of seconds");
		return;
	}
	if (!due_at(q, names_clock(q, clock) ? &k->pauses : &k->none, from, budget_s * US_PER_S,
		    &at))
		return;
	buf_addf(out, "%s\"%s_due\":", out->p[out->n - 1] == '{' ? "" : ",", name);
	add_instant(out, at);
}

static void add_elapsed(struct question *q, struct buf *out, const char *clock,
	const struct reckoning *k, int64_t end)
{
	if (end == INSTANT_NONE)
		return;
	buf_addf(out, "%s\"%s_elapsed_s\":%lld", out->p[out->n - 1] == '{' ? "" : ",", clock,
		(long long)(worked(q, names_clock(q, clock) ? &k->pauses : &k->none, k->created,
				    end) /
			    US_PER_S));
}

static bool answer_escalation(struct question *q, struct buf *out)
{
	struct reckoning k = { .reply_at = INSTANT_NONE,
		.close_at = INSTANT_NONE,
		.first_response_s = -1,
		.resolution_s = -1,
		.update_s = -1 };
	struct event *ev;
	size_t n;
	int64_t paused = 0, last;

	if (!read_instant(q, q->json, "created", &k.created))
		return false;
	ev = read_events(q, &n);
	if (!ev)
		return false;
	take_budgets(json_get(q->json, "policy"), &k);
	take_events(&k, ev, n);
	k.pauses = read_pauses(ev, n);
	last = n ? ev[n - 1].at : k.created;
	for (size_t i = 0; i < k.pauses.n; i++)
		paused += calendar_between(q->cal, k.pauses.s[i].from,
			k.pauses.s[i].to == INSTANT_NONE ? last : k.pauses.s[i].to);
	buf_addc(out, '{');
	add_due(q, out, "first_response", &k, k.created, k.first_response_s);
	add_due(q, out, "resolution", &k, k.created, k.resolution_s);
	add_due(q, out, "update", &k, k.update_from, k.update_s);
	add_elapsed(q, out, "first_response", &k, k.reply_at);
	add_elapsed(q, out, "resolution", &k, k.close_at);
	buf_addf(out, "%s\"paused_working_s\":%lld}", out->p[out->n - 1] == '{' ? "" : ",",
		(long long)(paused / US_PER_S));
	free(k.pauses.s);
	free(ev);
	return !q->error;
}

static bool answer_question(struct question *q, zone_finder *find, struct buf *out)
{
	const char *op = json_get_string(q->json, "op");

	q->cal = calendar_read(json_get(q->json, "calendar"), find, &q->error);
	if (!q->cal || !calendar_is_usable(q->cal, INSTANT_NONE, &q->error))
		return false;
	if (op && strcmp(op, "add_working_time") == 0)
		return answer_add(q, out);
	if (op && strcmp(op, "working_time_between") == 0)
		return answer_between(q, out);
	if (op && strcmp(op, "escalation") == 0)
		return answer_escalation(q, out);
	return refuse_question(q, "op", "add_working_time, working_time_between or escalation");
}

bool sla_calc_line(const char *line, size_t n, zone_finder *find, struct buf *out)
{
	struct json_error err;
	struct question q = { .json = json_read(line, n, &err) };
	struct buf result = { 0 };
	struct json_object *id = json_get(q.json, "id");
	bool ok;

	if (!q.json)
		snprintf(q.text, sizeof(q.text), "not JSON: wanted %s at byte %zu", err.rule,
			err.at),
			q.error = q.text;
	ok = q.json && answer_question(&q, find, &result);
	buf_adds(out, "{\"id\":");
	json_write(out, id);
	if (ok) {
		buf_adds(out, ",\"result\":");
		buf_add(out, result.p, result.n);
	} else {
		buf_adds(out, ",\"error\":");
		buf_add_json(out, q.error, strlen(q.error));
	}
	buf_addc(out, '}');
	buf_free(&result);
	calendar_free(q.cal);
	json_object_put(q.json);
	return ok;
}
