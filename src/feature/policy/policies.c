/* SPDX-License-Identifier: Apache-2.0
 * Policies and calendars: a change creates a new version, validated by the code that will use it.
 */
#include "policy.h"
#include "base/clock.h"
#include "base/json.h"
#include "desk/versions.h"
#include "policy_fault_text.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <stdio.h>

struct draft {
	int64_t tenant_id;
	const char *code, *doc;
	struct json_object *json;
	bool additive;
	int64_t id, version;
};

static struct outcome *reply_version(
	struct req *req, const struct draft *d, int64_t id, int64_t version, bool changed)
{
	const char *t = arena_printf(&req->arena,
		"{\"id\":%lld,\"code\":\"%s\",\"version\":%lld,\"changed\":%s,\"takes_over_running_"
		"tickets\":%s}",
		(long long)id, d->code, (long long)version, changed ? "true" : "false",
		d->additive ? "true" : "false");

	return req_reply(req, 200, t, strlen(t));
}

/* Read the tenant of the document, its code, and the document itself. */
static struct draft *read_draft(struct req *req)
{
	const struct in_policy_draft *in = REQ_INPUT(req, policy_draft);
	struct draft *d = req_state_new(req, draft);

	d->tenant_id = in->has_tenant_id ? in->tenant_id : req->session->tenant_id;
	d->code = in->code;
	d->json = in->document;
	d->doc = req_json_text(req, in->document);
	return d;
}

/* The database writes blanks into a document that it keeps, and every instance must be able to read
 * it (JSON_MAX_BYTES). */
static bool is_small(struct json_object *doc, const char **out_error)
{
	struct buf b = { 0 };
	bool small;

	json_write(&b, doc);
	small = b.n <= JSON_MAX_BYTES / 2;
	buf_free(&b);
	if (!small)
		*out_error = "at most 128 KiB";
	return small;
}

/* --- policies --- */

static struct outcome *on_policy(struct req *req, enum db_error error, const PGresult *rows)
{
	struct draft *d = req_state(req, draft);

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0) {
		req_note_invalid(req, "calendar",
			"no such calendar (in calendar or delivery_hours)",
			"没有该日历（见 calendar 或 delivery_hours）");
		return req_invalid(req);
	}
	return reply_version(req, d, db_int(rows, 0, 0), db_int(rows, 0, 1), true);
}

void policy_check(struct req *req)
{
	struct json_object *doc = REQ_INPUT(req, policy_draft)->document;
	struct sla_policy checked;
	const char *error = "";

	if (doc && (!is_small(doc, &error) || !sla_policy_read(doc, &checked, &error) ||
			   !sla_policy_is_exact(doc, &error)))
		policy_fault_text_note(req, error);
}

struct outcome *policy_put(struct req *req)
{
	const struct in_policy_put *in = REQ_INPUT(req, policy_put);
	const char **p = arena_alloc(&req->arena, 6 * sizeof(*p));
	struct draft *d = read_draft(req);
	struct outcome *refusal = req_guard_documents(req, d->tenant_id);

	if (refusal)
		return refusal;
	p[0] = req_int(req, d->tenant_id);
	p[1] = d->code;
	p[2] = in->service_type;
	p[3] = in->calendar;
	p[4] = d->doc;
	p[5] = req_int(
		req, in->effective_from == INSTANT_NONE ? clock_now_us() : in->effective_from);
	return req_query_job(req, &sql_sla_policy_new, p, on_policy);
}

/* --- calendars --- */

static struct outcome *on_calendar(struct req *req, enum db_error error, const PGresult *rows)
{
	struct draft *d = req_state(req, draft);

	if (error == DB_CONFLICT)
		return req_fail(req, ERR_WRONG_STATE,
			req->zh ? "{\"rule\":\"该日历刚被他人修改，请重新加载\"}"
				: "{\"rule\":\"this calendar was just changed by someone else; "
				  "reload it\"}");
	if (error != DB_OK)
		return req_fail_db(req, error);
	return reply_version(req, d, db_int(rows, 0, 0), db_int(rows, 0, 1), true);
}

/* Dates are local to the calendar: a date that is in the future in every time zone is after
 * today. */
static bool only_adds(struct draft *d, struct str doc)
{
	struct json_error err;
	struct json_object *old = json_read(doc.p, doc.n, &err);
	char today[32];
	bool only;

	time_format(clock_now_us() + 14 * 3600 * US_PER_S, 0, today);
	today[10] = 0;
	only = old && calendar_only_adds(old, d->json, today);
	json_object_put(old);
	return only;
}

static struct outcome *on_latest(struct req *req, enum db_error error, const PGresult *rows)
{
	struct draft *d = req_state(req, draft);
	const char **p = arena_alloc(&req->arena, 6 * sizeof(*p));
	struct json_error err;
	struct str doc;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows)) {
		struct json_object *old;
		bool same;

		doc = db_text(rows, 0, 2);
		old = json_read(doc.p, doc.n, &err);
		same = json_object_equal(old, d->json);
		json_object_put(old);
		if (same)
			return reply_version(req, d, db_int(rows, 0, 0), db_int(rows, 0, 1), false);
		d->additive = only_adds(d, doc);
		d->version = db_int(rows, 0, 1);
	}
	p[0] = req_int(req, d->tenant_id);
	p[1] = d->code;
	p[2] = req_int(req, d->version + 1);
	p[3] = d->doc;
	p[4] = req_int(req, clock_now_us());
	p[5] = d->additive ? "true" : "false";
	return req_query_job(req, &sql_sla_calendar_new, p, on_calendar);
}

void calendar_check(struct req *req)
{
	struct json_object *doc = REQ_INPUT(req, policy_draft)->document;
	const char *error = "";
	struct calendar *c = doc ? calendar_read(doc, zone_find, &error) : NULL;

	if (doc && (!is_small(doc, &error) || !c || !calendar_is_usable(c, clock_now_us(), &error)))
		policy_fault_text_note(req, error);
	calendar_free(c);
}

struct outcome *calendar_put(struct req *req)
{
	const char **p = arena_alloc(&req->arena, 2 * sizeof(*p));
	struct draft *d = read_draft(req);
	struct outcome *refusal = req_guard_documents(req, d->tenant_id);

	if (refusal)
		return refusal;
	p[0] = req_int(req, d->tenant_id);
	p[1] = d->code;
	return req_query_job(req, &sql_sla_calendar_latest, p, on_latest);
}
