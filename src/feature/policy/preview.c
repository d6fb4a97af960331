/* SPDX-License-Identifier: Apache-2.0
 * Previews a policy: replays the tickets of the last days under it, and compares the result with
 * the present one. Changes nothing. */
#include "base/clock.h"
#include "base/json.h"
#include "base/rate.h"
#include "core/request.h"
#include "ticket/replay.h"
#include "ticket/ticket_doc.h"
#include "desk/versions.h"
#include "policy.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <stdio.h>

#define PAGE_TICKETS 20 /* tickets replayed in one turn of the loop */
#define TICKETS_MAX 20000

struct tally {
	int64_t met[2], breached[2], both, both_met; /* response, resolution */
};

struct preview {
	int64_t tenant_id, from, to, after, tickets;
	struct sla_policy policy;
	struct calendar *calendar;
	struct tally was, would;
	const char *calendar_code, *service_type; /* NULL: all service types */
	int64_t days;
};

static void free_preview(struct req *req)
{
	struct preview *x = req_state(req, preview);

	calendar_free(x->calendar);
}

/* --- counting --- */

/* 1: met, -1: breached, 0: not decided. A waived breach counts as met. */
static void count(struct tally *n, int response, int resolution)
{
	int v[2] = { response, resolution };

	for (int k = 0; k < 2; k++) {
		n->met[k] += v[k] > 0;
		n->breached[k] += v[k] < 0;
	}
	if (v[0] && v[1]) {
		n->both++;
		n->both_met += v[0] > 0 && v[1] > 0;
	}
}

static int judged(enum sla_verdict v)
{
	return v == SLA_MET || v == SLA_IS_WAIVED ? 1 : v == SLA_BREACHED ? -1 : 0;
}

static int stored(struct str v)
{
	return str_is(v, "met") || str_is(v, "waived") ? 1 : str_is(v, "breached") ? -1 : 0;
}

/* --- replaying --- */

static void one_event(struct sla_ticket *t, struct sla_rules rules, const PGresult *r, int i)
{
	enum ticket_command cmd = ticket_command_of_event(db_text(r, i, 2));
	struct str text = db_text(r, i, 4);
	struct json_error err;
	struct json_object *data = json_read(text.p, text.n, &err);
	int64_t at = db_int(r, i, 3);

	replay_before(t, rules, cmd, at, data);
	if (cmd != CMD_COUNT)
		replay_event(t, rules, cmd, db_int(r, i, 1), at, data);
	json_object_put(data);
}

static void replay(struct preview *x, const PGresult *r)
{
	struct sla_rules rules = { &x->policy, x->calendar };
	int n = PQntuples(r);

	for (int i = 0; i < n;) {
		static struct sla_ticket t;
		int64_t id = db_int(r, i, 0);
		int first = i;

		sla_ticket_free(&t);
		sla_ticket_init(&t);
		for (; i < n && db_int(r, i, 0) == id; i++)
			one_event(&t, rules, r, i);
		/* a clock that still runs is judged at the end of the period: if its due instant
		 * has passed, it is breached */
		replay_settle(&t, rules, x->to);
		count(&x->would, judged(sla_verdict(&t.clock[SLA_RESPONSE])),
			judged(sla_verdict(&t.clock[SLA_RESOLUTION])));
		count(&x->was, stored(db_text(r, first, 5)), stored(db_text(r, first, 6)));
		x->tickets++;
		x->after = id;
	}
}

/* --- answering --- */

static void add_tally(struct buf *b, const char *name, const struct tally *n)
{
	buf_addf(b, ",\"%s\":{\"decided_tickets\":%lld", name, (long long)n->both);
	json_add_rate(b, "compliance_rate", n->both_met, n->both);
	json_add_rate(b, "response_compliance", n->met[0], n->met[0] + n->breached[0]);
	json_add_rate(b, "resolution_compliance", n->met[1], n->met[1] + n->breached[1]);
	buf_addc(b, '}');
}

static struct outcome *reply_preview(struct req *req, const struct preview *x)
{
	struct buf b = { 0 };

	buf_addf(&b, "{\"tenant_id\":%lld,\"days\":%lld,\"tickets\":%lld,\"complete\":%s",
		(long long)x->tenant_id, (long long)x->days, (long long)x->tickets,
		x->tickets < TICKETS_MAX ? "true" : "false");
	add_tally(&b, "was", &x->was);
	add_tally(&b, "would_have_been", &x->would);
	buf_addc(&b, '}');
	return req_reply_take(req, 200, &b);
}

static struct outcome *next_page(struct req *req);

static struct outcome *on_page(struct req *req, enum db_error error, const PGresult *rows)
{
	struct preview *x = req_state(req, preview);
	int64_t before = x->tickets;

	if (error != DB_OK)
		return req_fail_db(req, error);
	replay(x, rows);
	if (x->tickets - before < PAGE_TICKETS || x->tickets >= TICKETS_MAX || !req->http)
		return reply_preview(req, x);
	return req_delay(req, 1, next_page); /* other requests have their turn between the pages */
}

static struct outcome *next_page(struct req *req)
{
	struct preview *x = req_state(req, preview);
	const char **p = arena_alloc(&req->arena, 6 * sizeof(*p));

	p[0] = req_int(req, x->tenant_id);
	p[1] = req_int(req, x->from);
	p[2] = req_int(req, x->to);
	p[3] = req_int(req, x->after);
	p[4] = req_int(req, PAGE_TICKETS);
	p[5] = x->service_type;
	return req_query(req, &sql_sla_history_page, p, on_page);
}

static struct outcome *on_calendar(struct req *req, enum db_error error, const PGresult *rows)
{
	struct preview *x = req_state(req, preview);
	const char *why = "";
	struct json_error err;
	struct json_object *doc;
	struct str text;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0) {
		req_note_invalid(req, "calendar", "no such calendar", "没有该日历");
		return req_invalid(req);
	}
	text = db_text(rows, 0, 0);
	doc = json_read(text.p, text.n, &err);
	x->calendar = calendar_read(doc, zone_find, &why);
	json_object_put(doc);
	return x->calendar ? next_page(req) : req_fail(req, ERR_INTERNAL, NULL);
}

void policy_preview_check(struct req *req)
{
	struct json_object *doc = REQ_INPUT(req, policy_preview)->document;
	struct shape_fault fault;
	int format;

	if (doc && !policy_is_valid(doc, &format, &fault))
		document_note(req, &fault);
}

struct outcome *policy_preview(struct req *req)
{
	const struct in_policy_preview *in = REQ_INPUT(req, policy_preview);
	struct preview *x = req_state_new(req, preview);
	const char **p = arena_alloc(&req->arena, 2 * sizeof(*p)), *why;

	req->cleanup = free_preview;
	bug_on(!sla_policy_read(in->document, &x->policy, &why)); /* policy_preview_check */
	x->tenant_id = in->tenant_id;
	x->calendar_code = in->calendar;
	x->service_type = in->service_type;
	x->days = in->days;
	x->to = clock_now_us();
	x->from = x->to - x->days * 86400 * US_PER_S;
	p[0] = req_int(req, x->tenant_id);
	p[1] = x->calendar_code;
	return req_query_job(req, &sql_sla_calendar_any, p, on_calendar);
}
