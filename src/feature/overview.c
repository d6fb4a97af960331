/* SPDX-License-Identifier: Apache-2.0
 * What a customer sees first: the numbers of a period beside those of the one before, day by day,
 * and what is about to be missed; and how well the promises were kept, by group. Definitions:
 * doc/api/metrics.md. */
#include "answers.h"
#include "base/clock.h"
#include "feature/feature.h"
#include "sql_gen.h"

#include <stdio.h>

#define DAYS_MAX 366

struct sums {
	int64_t opened, pending, resolved, overdue, response_n, response_s, resolution_n,
		resolution_s, response_decided, response_met, resolution_decided, resolution_met,
		decided, met, counted, met_counted, ratings, scores;
};

/* What the plans carry along. */
struct reader {
	int days;
	bool zh, sla, satisfaction;
	char group[16];
};

/* --- writing --- */

static void add_percent(struct buf *b, const char *name, int64_t part, int64_t all)
{
	if (all)
		buf_addf(b, ",\"%s\":%.1f", name, 100.0 * (double)part / (double)all);
	else
		buf_addf(b, ",\"%s\":null", name);
}

/* Minutes below an hour, hours below a day, days beyond: as people say it. */
static void add_duration(struct buf *b, const char *name, int64_t seconds, int64_t n, bool zh)
{
	double s = n ? (double)seconds / (double)n : 0;

	if (!n) {
		buf_addf(b, ",\"%s\":null,\"%s_seconds\":null", name, name);
		return;
	}
	if (s < 3600)
		buf_addf(b, ",\"%s\":\"%.0f%s\"", name, s / 60, zh ? "分钟" : " min");
	else if (s < 86400)
		buf_addf(b, ",\"%s\":\"%.1f%s\"", name, s / 3600, zh ? "小时" : " h");
	else
		buf_addf(b, ",\"%s\":\"%.1f%s\"", name, s / 86400, zh ? "天" : " d");
	buf_addf(b, ",\"%s_seconds\":%.0f", name, s);
}

static void add_summary(struct buf *b, const struct sums *s, const struct reader *who)
{
	buf_addf(b,
		"{\"total_tickets\":%lld,\"pending_tickets\":%lld,\"resolved_tickets\":%lld,"
		"\"overdue_tickets\":%lld",
		(long long)s->opened, (long long)s->pending, (long long)s->resolved,
		(long long)s->overdue);
	add_percent(b, "sla_compliance", s->met, who->sla ? s->decided : 0);
	add_percent(b, "sla_compliance_adjusted", s->met_counted, who->sla ? s->counted : 0);
	add_percent(b, "response_compliance", s->response_met, who->sla ? s->response_decided : 0);
	add_percent(b, "resolution_compliance", s->resolution_met,
		who->sla ? s->resolution_decided : 0);
	add_duration(b, "avg_response_time", s->response_s, s->response_n, who->zh);
	add_duration(b, "avg_resolution_time", s->resolution_s, s->resolution_n, who->zh);
	if (who->satisfaction && s->ratings)
		buf_addf(b, ",\"satisfaction_score\":%.1f,\"ratings\":%lld}",
			(double)s->scores / (double)s->ratings, (long long)s->ratings);
	else
		buf_adds(b, ",\"satisfaction_score\":null,\"ratings\":null}");
}

/* --- overview --- */

static void add_row(struct sums *s, const PGresult *rows, int i)
{
	int64_t *v = &s->opened;

	for (size_t k = 0; k < sizeof(*s) / sizeof(*v); k++)
		v[k] += db_int(rows, i, (int)k + 1);
}

static bool add_days(struct buf *b, const PGresult *rows, const struct reader *who)
{
	struct sums now = { 0 }, before = { 0 };
	int n = PQntuples(rows);

	if (n != 2 * who->days)
		return false;
	for (int i = 0; i < n; i++)
		add_row(i < who->days ? &before : &now, rows, i);
	buf_adds(b, "\"summary\":");
	add_summary(b, &now, who);
	buf_adds(b, ",\"previous\":");
	add_summary(b, &before, who);
	buf_addf(b, ",\"period\":{\"days\":%d,\"start\":\"%.*s\",\"end\":\"%.*s\"}", who->days,
		(int)db_text(rows, who->days, 0).n, db_text(rows, who->days, 0).p,
		(int)db_text(rows, n - 1, 0).n, db_text(rows, n - 1, 0).p);
	buf_adds(b, ",\"trends\":{\"ticket_trend\":[");
	for (int i = who->days; i < n; i++)
		buf_addf(b, "%s{\"date\":\"%.*s\",\"count\":%lld}", i > who->days ? "," : "",
			(int)db_text(rows, i, 0).n, db_text(rows, i, 0).p,
			(long long)db_int(rows, i, 1));
	buf_adds(b, "],\"sla_trend\":[");
	for (int i = who->days; who->sla && i < n; i++) {
		struct sums day = { 0 };

		add_row(&day, rows, i);
		buf_addf(b, "%s{\"date\":\"%.*s\"", i > who->days ? "," : "",
			(int)db_text(rows, i, 0).n, db_text(rows, i, 0).p);
		add_percent(b, "compliance", day.met, day.decided);
		buf_addc(b, '}');
	}
	buf_adds(b, "]},\"masked\":[");
	if (!who->sla)
		buf_adds(b, "\"sla_compliance\",\"sla_compliance_adjusted\","
			    "\"response_compliance\",\"resolution_compliance\",\"sla_trend\"");
	if (!who->satisfaction)
		buf_addf(b, "%s\"satisfaction_score\"", who->sla ? "" : ",");
	buf_addc(b, ']');
	return true;
}

static void add_alert(struct buf *b, const PGresult *rows, int i, bool zh)
{
	bool missed = db_int(rows, i, 5) != 0;
	struct str number = db_text(rows, i, 1), title = db_text(rows, i, 2);
	int high = (int)db_int(rows, i, 4);
	struct buf text = { 0 };

	if (missed)
		buf_addf(&text, zh ? "工单 %.*s 超出 SLA 时限" : "ticket %.*s has missed its SLA",
			(int)number.n, number.p);
	else
		buf_addf(&text,
			zh ? "工单 %.*s 已用去 SLA 时限的 %d%%"
			   : "ticket %.*s has used %d %% of its SLA",
			(int)number.n, number.p, high);
	buf_addf(b,
		"%s{\"type\":\"%s\",\"severity\":\"%s\",\"ticket_id\":%lld,\"number\":\"%.*s\","
		"\"priority\":\"%.*s\",\"message\":",
		i ? "," : "", missed ? "sla_violation" : "sla_warning",
		missed       ? "high"
		: high >= 90 ? "medium"
			     : "low",
		(long long)db_int(rows, i, 0), (int)number.n, number.p, (int)db_text(rows, i, 3).n,
		db_text(rows, i, 3).p);
	buf_add_json(b, buf_cstr(&text), text.n);
	buf_adds(b, ",\"title\":");
	buf_add_json(b, title.p, title.n);
	buf_adds(b, ",\"timestamp\":");
	buf_add_time_json(b, db_int(rows, i, 8));
	buf_addc(b, '}');
	buf_free(&text);
}

static bool add_overview(struct buf *b, int step, const PGresult *rows, const void *arg)
{
	const struct reader *who = arg;

	if (step == 0)
		return add_days(b, rows, who);
	buf_adds(b, ",\"alerts\":[");
	for (int i = 0; i < PQntuples(rows); i++)
		add_alert(b, rows, i, who->zh);
	buf_addc(b, ']');
	return true;
}

/* --- asking --- */

/* "30d" of the query into DAYS. */
static void read_period(struct req *req, int *days)
{
	const char *text = req_query_value(req, "period");
	int64_t v = 30;

	if (text && (strlen(text) < 2 || text[strlen(text) - 1] != 'd' ||
			    !str_to_int((struct str){ text, strlen(text) - 1 }, 1, DAYS_MAX, &v)))
		req_note_invalid(req, "period", "1d to 366d, as 30d", "1d 到 366d,如 30d");
	*days = (int)v;
}

/* Whose numbers: a customer's own; staff name the tenant. */
static int64_t read_tenant(struct req *req)
{
	const char *text = req_query_value(req, "tenant_id");
	int64_t id = req->session->tenant_id;

	if (text && !str_to_int(str_of(text), 1, 1LL << 53, &id))
		req_note_invalid(req, "tenant_id", "a tenant's id", "租户编号");
	else if (!text && req->session->staff)
		req_note_invalid(req, "tenant_id", "required for staff", "员工必填");
	return id;
}

static void read_reader(struct req *req, struct reader *out)
{
	out->zh = req->zh;
	out->sla = session_may(req->session, PERM_SLA_READ);
	out->satisfaction = session_may(req->session, PERM_SATISFACTION_READ);
}

struct outcome *overview_get(struct req *req)
{
	const char *refresh = req_query_value(req, "refresh");
	int64_t tenant = read_tenant(req);
	struct reader who = { 0 };
	struct answer_plan plan = { .tenant_id = tenant,
		.max_age_s = 300,
		.stmt = { &sql_rollup_days, &sql_rollup_alerts },
		.add = add_overview };

	req_query_only(req, req->route->query);
	read_period(req, &who.days);
	if (refresh && strcmp(refresh, "true") != 0 && strcmp(refresh, "false") != 0)
		req_note_invalid(req, "refresh", "true or false", "true 或 false");
	if (req_has_invalid(req))
		return req_invalid(req);
	if (!session_serves(req->session, tenant))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	read_reader(req, &who);
	memcpy(plan.arg, &who, sizeof(who));
	plan.key = arena_printf(&req->arena, "overview %lld %d %d%d%d %s", (long long)tenant,
		who.days, who.zh, who.sla, who.satisfaction, req->session->scope);
	plan.param[0][0] = req_int(req, clock_now_us());
	plan.param[0][1] = req_int(req, who.days);
	plan.param[0][2] = plan.param[1][0] = req_int(req, tenant);
	return answers_give(req, &plan, refresh && strcmp(refresh, "true") == 0);
}

/* --- compliance --- */

static void add_group(struct buf *b, const PGresult *rows, int i, const struct reader *who)
{
	int64_t decided = db_int(rows, i, 8), met = db_int(rows, i, 9);

	buf_addf(b, "%s{\"%s\":", i ? "," : "", who->group);
	buf_add_json(b, db_text(rows, i, 0).p, db_text(rows, i, 0).n);
	add_percent(b, "compliance_rate", met, decided);
	add_percent(b, "compliance_rate_adjusted", db_int(rows, i, 11), db_int(rows, i, 10));
	buf_addf(b, ",\"total_tickets\":%lld,\"decided_tickets\":%lld,\"violated_tickets\":%lld",
		(long long)db_int(rows, i, 3), (long long)decided, (long long)(decided - met));
	add_duration(b, "avg_response_time", db_int(rows, i, 5), db_int(rows, i, 4), who->zh);
	add_duration(b, "avg_resolution_time", db_int(rows, i, 7), db_int(rows, i, 6), who->zh);
	buf_addc(b, '}');
}

static bool add_groups(struct buf *b, const PGresult *rows, const struct reader *who)
{
	int64_t decided = 0, met = 0, counted = 0, met_counted = 0, total = 0;
	int n = PQntuples(rows);

	if (!n)
		return false;
	for (int i = 0; i < n; i++) {
		total += db_int(rows, i, 3);
		decided += db_int(rows, i, 8);
		met += db_int(rows, i, 9);
		counted += db_int(rows, i, 10);
		met_counted += db_int(rows, i, 11);
	}
	buf_addf(b, "\"period\":{\"days\":%d,\"start\":\"%.*s\",\"end\":\"%.*s\"}", who->days,
		(int)db_text(rows, 0, 1).n, db_text(rows, 0, 1).p, (int)db_text(rows, 0, 2).n,
		db_text(rows, 0, 2).p);
	add_percent(b, "overall_compliance", met, decided);
	add_percent(b, "overall_compliance_adjusted", met_counted, counted);
	buf_addf(b,
		",\"total_tickets\":%lld,\"decided_tickets\":%lld,\"violated_tickets\":%lld,"
		"\"group_by\":\"%s\",\"by_%s\":[",
		(long long)total, (long long)decided, (long long)(decided - met), who->group,
		who->group);
	for (int i = 0; i < n && !db_is_null(rows, i, 0); i++)
		add_group(b, rows, i, who);
	buf_addc(b, ']');
	return true;
}

static void add_violation(struct buf *b, const PGresult *rows, int i)
{
	int64_t target = db_int(rows, i, 5), actual = target + db_int(rows, i, 6) / US_PER_S;

	buf_addf(b, "%s{\"ticket_id\":\"%.*s\",\"id\":%lld,\"service_type\":", i ? "," : "",
		(int)db_text(rows, i, 1).n, db_text(rows, i, 1).p, (long long)db_int(rows, i, 0));
	buf_add_json(b, db_text(rows, i, 2).p, db_text(rows, i, 2).n);
	buf_addf(b,
		",\"priority\":\"%.*s\",\"violation_type\":\"%.*s_time\",\"target\":%lld,"
		"\"target_seconds\":%lld,\"actual\":%lld,\"actual_seconds\":%lld,\"waived\":%s,"
		"\"created_at\":",
		(int)db_text(rows, i, 3).n, db_text(rows, i, 3).p, (int)db_text(rows, i, 4).n,
		db_text(rows, i, 4).p, (long long)(target / 60), (long long)target,
		(long long)(actual / 60), (long long)actual, db_int(rows, i, 9) ? "true" : "false");
	buf_add_time_json(b, db_int(rows, i, 7));
	buf_adds(b, ",\"breached_at\":");
	buf_add_time_json(b, db_int(rows, i, 8));
	buf_addc(b, '}');
}

static bool add_compliance(struct buf *b, int step, const PGresult *rows, const void *arg)
{
	if (step == 0)
		return add_groups(b, rows, arg);
	buf_adds(b, ",\"violations\":[");
	for (int i = 0; i < PQntuples(rows); i++)
		add_violation(b, rows, i);
	buf_addc(b, ']');
	return true;
}

struct outcome *compliance_get(struct req *req)
{
	static const char *const groups[] = { "service_type", "priority", "engineer", "department",
		"project", "region" };
	const char *group = req_query_value(req, "group_by"),
		   *type = req_query_value(req, "service_type");
	int64_t tenant = read_tenant(req);
	struct reader who = { 0 };
	struct answer_plan plan = { .tenant_id = tenant,
		.max_age_s = 900,
		.stmt = { &sql_rollup_groups, &sql_rollup_violations },
		.add = add_compliance };
	bool known = !group;

	req_query_only(req, req->route->query);
	read_period(req, &who.days);
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		known |= group && strcmp(group, groups[i]) == 0;
	if (!known)
		req_note_invalid(req, "group_by",
			"service_type, priority, engineer, department, project or region",
			"service_type、priority、engineer、department、project 或 region");
	if (type && strlen(type) > 100)
		req_note_invalid(req, "service_type", "at most 100 characters", "最多 100 个字符");
	if (req_has_invalid(req))
		return req_invalid(req);
	if (!session_serves(req->session, tenant))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	if (type && strcmp(type, "all") == 0)
		type = NULL;
	read_reader(req, &who);
	snprintf(who.group, sizeof(who.group), "%s", group ? group : "service_type");
	memcpy(plan.arg, &who, sizeof(who));
	plan.key = arena_printf(&req->arena, "compliance %lld %d %d %s %s %s", (long long)tenant,
		who.days, who.zh, who.group, req->session->scope, type ? type : "");
	plan.param[0][0] = plan.param[1][0] = req_int(req, clock_now_us());
	plan.param[0][1] = plan.param[1][1] = req_int(req, who.days);
	plan.param[0][2] = plan.param[1][2] = req_int(req, tenant);
	plan.param[0][3] = who.group;
	plan.param[0][4] = plan.param[1][3] = type;
	return answers_give(req, &plan, false);
}
