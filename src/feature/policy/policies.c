/* SPDX-License-Identifier: Apache-2.0
 * Policies and calendars: a change creates a new version, validated by the code that will use it.
 */
#include "policy.h"
#include "base/clock.h"
#include "base/json.h"
#include "desk/versions.h"
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

/* --- policies --- */

static bool str_ends(struct str s, const char *end)
{
	size_t n = strlen(end);

	return s.n >= n && memcmp(s.p + s.n - n, end, n) == 0;
}

static void note_missing(
	struct req *req, struct str field, const char *en, const char *zh, const char *example)
{
	req_note_invalid_like(req, arena_dup(&req->arena, field.p, field.n), en, zh, example);
}

static struct outcome *refuse_policy(struct req *req, const PGresult *rows)
{
	struct str fault = db_text(rows, 0, 2);
	long long format = db_int(rows, 0, 3);

	if (str_is(fault, "format"))
		req_note_invalid(req, "document",
			arena_printf(&req->arena,
				"an instance that runs reads policies up to format %lld only (GET "
				"/api/v1/sla/format shows the format of each field); upgrade it "
				"first",
				format),
			arena_printf(&req->arena,
				"有运行中的实例只能读取格式 %lld 及以下的策略（GET "
				"/api/v1/sla/format "
				"列出各字段的格式），请先升级该实例",
				format));
	else if (str_ends(fault, "event"))
		note_missing(req, fault, "nobody is told of such an event",
			"没有会通知人员的该事件", "\"sla.threshold\"");
	else if (str_ends(fault, "template"))
		note_missing(req, fault, "no such text", "没有该文本模板", "\"sla_warning\"");
	else
		note_missing(req, fault, "no such calendar", "没有该日历", "\"24x7\"");
	return req_invalid(req);
}

static struct outcome *on_policy(struct req *req, enum db_error error, const PGresult *rows)
{
	struct draft *d = req_state(req, draft);

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (db_is_null(rows, 0, 0))
		return refuse_policy(req, rows);
	return reply_version(req, d, db_int(rows, 0, 0), db_int(rows, 0, 1), true);
}

void policy_check(struct req *req)
{
	const struct in_policy_put *in = REQ_INPUT(req, policy_put);
	struct json_object *doc = REQ_INPUT(req, policy_draft)->document;
	const char *own = json_get_string(doc, "calendar");
	struct shape_fault fault;
	int format;

	if (!doc || !document_is_small(req, doc))
		return;
	if (!policy_is_valid(doc, &format, &fault))
		document_note(req, &fault);
	else if (own && in->calendar && strcmp(own, in->calendar) != 0)
		req_note_invalid_like(req, "calendar", "the document names another calendar",
			"与文档中的 calendar 不一致", "\"24x7\"");
}

struct outcome *policy_put(struct req *req)
{
	const struct in_policy_put *in = REQ_INPUT(req, policy_put);
	const char **p = arena_alloc(&req->arena, 11 * sizeof(*p));
	struct draft *d = read_draft(req);
	struct outcome *refusal = req_guard_documents(req, d->tenant_id);
	const char *own = json_get_string(d->json, "calendar"), *now = req_int(req, clock_now_us());
	struct shape_fault fault;
	int format;

	if (refusal)
		return refusal;
	bug_on(!policy_is_valid(d->json, &format, &fault)); /* policy_check */
	p[0] = req_int(req, d->tenant_id);
	p[1] = d->code;
	p[2] = in->service_type;
	p[3] = in->calendar ? in->calendar : own ? own : "24x7";
	p[4] = d->doc;
	p[5] = in->effective_from == INSTANT_NONE ? now : req_int(req, in->effective_from);
	p[6] = req_int(req, format);
	p[7] = in->service_name;
	p[8] = actor_kind_name(req->session->actor);
	p[9] = req_int(req, req->session->actor_id);
	p[10] = now;
	return req_query_job(req, &sql_sla_policy_new, p, on_policy);
}

/* --- a customer's policy --- */

static struct outcome *on_chosen(struct req *req, enum db_error error, const PGresult *rows)
{
	const char *t;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0) {
		req_note_invalid_like(req, "policy",
			"no such policy in force for all service types (GET /api/v1/sla/policies)",
			"没有对全部服务类型生效的该策略（见 GET /api/v1/sla/policies）",
			"\"standard\"");
		return req_invalid(req);
	}
	t = arena_printf(&req->arena, "{\"tenant_id\":%lld,\"policy\":\"%s\"}",
		(long long)db_int(rows, 0, 0), REQ_INPUT(req, policy_choose)->policy);
	return req_reply(req, 200, t, strlen(t));
}

struct outcome *policy_choose(struct req *req)
{
	const struct in_policy_choose *in = REQ_INPUT(req, policy_choose);
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p));

	p[0] = req_int(req, in->tenant_id);
	p[1] = in->policy;
	p[2] = req_int(req, clock_now_us());
	return req_query_job(req, &sql_sla_choose, p, on_chosen);
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
		d->additive = old && calendar_adds_future(old, d->json, clock_now_us());
		json_object_put(old);
		if (same)
			return reply_version(req, d, db_int(rows, 0, 0), db_int(rows, 0, 1), false);
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
	struct shape_fault fault;

	if (doc && document_is_small(req, doc) &&
		!calendar_is_valid(doc, zone_find, clock_now_us(), &fault))
		document_note(req, &fault);
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
