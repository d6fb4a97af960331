/* SPDX-License-Identifier: Apache-2.0
 * Explains each clock of a ticket: its intervals, who paused it and why. */
#include "ticket.h"
#include "base/magic.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "desk/command.h"
#include "config/options.h"
#include "sla/explain.h"
#include "flow_gen.h"
#include "sql_gen.h"
#include <stdio.h>

struct explain {
	uint32_t magic;
	struct ticket ticket;
	const struct sla_version *v;
	struct buf out;
	const PGresult *history;
	int n;
};
MAGIC(explain, 0xad34a1c1);

static void explain_cleanup(struct req *req)
{
	struct explain *x = req_state(req, explain);

	ticket_clear(&x->ticket);
	buf_free(&x->out);
}

/* The columns of ticket/explain_events. */
enum {
	E_POLICY,
	E_POLICY_VERSION,
	E_CALENDAR,
	E_CALENDAR_VERSION,
	E_SEQ,
	E_TYPE,
	E_ACTOR_KIND,
	E_ACTOR_ID,
	E_AT,
	E_NAME,
	E_REASON
};

/* Who paused, when and why: the event at the interval's first instant. */
static void add_cause(struct explain *x, int64_t from)
{
	for (int i = 0; i < PQntuples(x->history); i++)
		if (!db_is_null(x->history, i, E_AT) && db_int(x->history, i, E_AT) == from) {
			struct str type = db_text(x->history, i, E_TYPE),
				   actor = db_text(x->history, i, E_ACTOR_KIND);

			buf_addf(&x->out,
				",\"by\":{\"event\":\"%.*s\",\"seq\":%lld,\"actor_kind\":\"%.*s\","
				"\"actor_id\":",
				(int)type.n, type.p, (long long)db_int(x->history, i, E_SEQ),
				(int)actor.n, actor.p);
			db_cell_to_json(&x->out, x->history, i, E_ACTOR_ID);
			buf_adds(&x->out, ",\"name\":");
			db_cell_to_json(&x->out, x->history, i, E_NAME);
			buf_adds(&x->out, ",\"reason\":");
			db_cell_to_json(&x->out, x->history, i, E_REASON);
			buf_addc(&x->out, '}');
			return;
		}
}

static void add_interval(
	void *arg, enum sla_interval_kind kind, int64_t from, int64_t to, int64_t consumed_us)
{
	struct explain *x = magic_cast(explain, arg);

	buf_addf(&x->out, "%s{\"from\":", x->n++ ? "," : "");
	buf_add_time_json(&x->out, from);
	buf_adds(&x->out, ",\"to\":");
	buf_add_time_json(&x->out, to);
	buf_addf(&x->out, ",\"kind\":\"%s\",\"seconds\":%lld", sla_interval_name(kind),
		(long long)(consumed_us / US_PER_S));
	if (kind == INTERVAL_PAUSED)
		add_cause(x, from);
	buf_addc(&x->out, '}');
}

static void explain_clock(struct explain *x, enum sla_clock_kind k, int64_t now)
{
	const struct sla_clock *c = &x->ticket.sla.clock[k];
	struct sla_rules r = { &x->v->policy, x->v->calendar };

	buf_addf(&x->out,
		"{\"clock\":\"%s\",\"state\":\"%s\",\"verdict\":\"%s\",\"cycle\":%d,\"budget_s\":%"
		"d,\"consumed_s\":%lld,\"start_at\":",
		sla_clock_name(k), sla_clock_state_name(c->state), sla_verdict_name(sla_verdict(c)),
		c->cycle, c->budget_s,
		(long long)(sla_consumed_us(&x->ticket.sla, r, k, now) / US_PER_S));
	buf_add_time_json(&x->out, c->start_at);
	buf_adds(&x->out, ",\"due_at\":");
	buf_add_time_json(&x->out, sla_due(&x->ticket.sla, r, k));
	buf_adds(&x->out, ",\"stopped_at\":");
	buf_add_time_json(&x->out, c->stopped_at);
	buf_adds(&x->out, ",\"breached_at\":");
	buf_add_time_json(&x->out, c->breached_at);
	buf_adds(&x->out, ",\"thresholds\":[");
	for (int i = 0, n = 0; k != SLA_LADDER && i < r.policy->thresholds; i++) {
		int64_t at = sla_threshold_at(&x->ticket.sla, r, k, i);

		if (at == INSTANT_NONE)
			continue;
		buf_addf(&x->out, "%s{\"threshold\":\"%s\",\"fired\":%s,\"at\":", n++ ? "," : "",
			r.policy->threshold[i].key, c->fired >> i & 1 ? "true" : "false");
		buf_add_time_json(&x->out, at);
		buf_addc(&x->out, '}');
	}
	buf_adds(&x->out, "],\"intervals\":[");
	x->n = 0;
	sla_explain(&x->ticket.sla, r, k, c->stopped_at != INSTANT_NONE ? c->stopped_at : now, 500,
		add_interval, x);
	buf_adds(&x->out, "]}");
}

static struct outcome *on_history(struct req *req, enum db_error error, const PGresult *rows)
{
	struct explain *x = req_state(req, explain);
	bool first = true;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	x->history = rows;
	buf_addf(&x->out,
		"{\"ticket_id\":%lld,\"status\":\"%s\",\"priority\":\"%s\",\"priority_label\":\"%"
		"s\","
		"\"policy_id\":%lld,\"calendar_id\":%lld",
		(long long)x->ticket.id, ticket_state_name(x->ticket.sla.state),
		priority_name(x->ticket.sla.priority),
		priority_label(x->ticket.sla.priority, req->zh), (long long)x->ticket.policy_id,
		(long long)x->ticket.calendar_id);
	for (int i = E_POLICY; i <= E_CALENDAR_VERSION; i++) {
		buf_addf(&x->out, ",\"%s\":", PQfname(rows, i));
		db_cell_to_json(&x->out, rows, 0, i);
	}
	buf_adds(&x->out, ",\"clocks\":[");
	for (int k = 0; k < SLA_CLOCKS; k++) {
		if (x->ticket.sla.clock[k].state == CLOCK_NONE)
			continue;
		if (!first)
			buf_addc(&x->out, ',');
		first = false;
		explain_clock(x, (enum sla_clock_kind)k, clock_now_us());
	}
	buf_adds(&x->out, "]}");
	return req_reply(req, 200, x->out.p, x->out.n);
}

static void on_explain_version(void *arg, const struct sla_version *v, enum db_error error)
{
	struct req *req = magic_cast(req, arg);
	struct explain *x = req_state(req, explain);
	const char **p = arena_alloc(&req->arena, sizeof(*p));

	req->waiting = false;
	if (!v) {
		req_continue(req, req_fail_db(req, error));
		return;
	}
	x->v = v;
	p[0] = arena_printf(&req->arena, "%lld", (long long)x->ticket.id);
	req_continue(req, req_query(req, &sql_ticket_explain_events, p, on_history));
}

static struct outcome *on_explain_loaded(struct req *req, enum db_error error, const PGresult *rows)
{
	struct explain *x = req_state(req, explain);
	struct str doc;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	doc = db_text(rows, 0, 0);
	if (!ticket_read(doc.p, doc.n, &x->ticket))
		return req_fail(req, ERR_INTERNAL, NULL);
	req->waiting = true;
	versions_get(x->ticket.policy_id, x->ticket.calendar_id, on_explain_version, req);
	return req_wait(req);
}

struct outcome *ticket_explain(struct req *req)
{
	const char **p = arena_alloc(&req->arena, sizeof(*p));

	magic_set(req_state_new(req, explain), explain_magic);
	req->cleanup = explain_cleanup;
	p[0] = req_int(req, REQ_INPUT(req, ticket_explain)->id);
	return req_query(req, &sql_ticket_load, p, on_explain_loaded);
}
