/* SPDX-License-Identifier: Apache-2.0
 * The metrics that widgets can show, and the data of several widgets in one response. */
#include "core/cache.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/rate.h"
#include "dashboard.h"
#include "kpi.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define WIDGETS_MAX 50

enum shape {
	SHAPE_NUMBER,
	SHAPE_PERCENT,
	SHAPE_DURATION,
	SHAPE_SCORE,
	SHAPE_SERIES,
	SHAPE_GROUPS,
	SHAPE_LIST
};
static const char *const shape_names[] = { "number", "percent", "duration", "score", "series",
	"groups", "list" };

enum { STEP_DAYS, STEP_ALERTS, STEP_PRIORITY, STEP_TYPE, STEPS };

static const struct widget_metric {
	const char *name, *zh, *en;
	enum shape shape;
	int step;
	enum permission needs; /* in addition to dashboard:read */
} metrics[] = {
	{ "total_tickets", "工单总数", "Tickets opened", SHAPE_NUMBER, STEP_DAYS, PERM_ANYONE },
	{ "pending_tickets", "处理中工单", "Open tickets", SHAPE_NUMBER, STEP_DAYS, PERM_ANYONE },
	{ "resolved_tickets", "已解决工单", "Resolved tickets", SHAPE_NUMBER, STEP_DAYS,
		PERM_ANYONE },
	{ "overdue_tickets", "超时工单", "Overdue tickets", SHAPE_NUMBER, STEP_DAYS, PERM_ANYONE },
	{ "sla_compliance", "SLA 达成率", "SLA attainment", SHAPE_PERCENT, STEP_DAYS,
		PERM_SLA_READ },
	{ "response_compliance", "响应达成率", "Response attainment", SHAPE_PERCENT, STEP_DAYS,
		PERM_SLA_READ },
	{ "resolution_compliance", "解决达成率", "Resolution attainment", SHAPE_PERCENT, STEP_DAYS,
		PERM_SLA_READ },
	{ "avg_response_time", "平均响应时长", "Mean time to respond", SHAPE_DURATION, STEP_DAYS,
		PERM_ANYONE },
	{ "avg_resolution_time", "平均解决时长", "Mean time to resolve", SHAPE_DURATION, STEP_DAYS,
		PERM_ANYONE },
	{ "satisfaction_score", "满意度评分", "Satisfaction", SHAPE_SCORE, STEP_DAYS,
		PERM_SATISFACTION_READ },
	{ "ticket_trend", "工单趋势", "Tickets by day", SHAPE_SERIES, STEP_DAYS, PERM_ANYONE },
	{ "resolved_trend", "解决趋势", "Resolved by day", SHAPE_SERIES, STEP_DAYS, PERM_ANYONE },
	{ "sla_trend", "SLA 趋势", "Attainment by day", SHAPE_SERIES, STEP_DAYS, PERM_SLA_READ },
	{ "alerts", "告警", "Alerts", SHAPE_LIST, STEP_ALERTS, PERM_ANYONE },
	{ "by_priority", "按优先级", "By priority", SHAPE_GROUPS, STEP_PRIORITY, PERM_ANYONE },
	{ "by_service_type", "按服务类型", "By service type", SHAPE_GROUPS, STEP_TYPE,
		PERM_ANYONE },
};

static bool computes(const struct kpi_reader *who, size_t m)
{
	return who->metrics >> m & 1;
}

static bool masks(const struct kpi_reader *who, size_t m)
{
	return (metrics[m].needs == PERM_SLA_READ && !who->sla) ||
	       (metrics[m].needs == PERM_SATISFACTION_READ && !who->satisfaction);
}

/* --- the catalogue --- */

struct outcome *dashboard_metrics(struct req *req)
{
	struct buf b = { 0 };

	buf_adds(&b, "{\"items\":[");
	for (size_t m = 0; m < ARRAY_LEN(metrics); m++)
		buf_addf(&b,
			"%s{\"metric\":\"%s\",\"name\":\"%s\",\"name_zh\":\"%s\",\"name_en\":\"%"
			"s\",\"shape\":"
			"\"%s\",\"allowed\":%s}",
			m ? "," : "", metrics[m].name, req->zh ? metrics[m].zh : metrics[m].en,
			metrics[m].zh, metrics[m].en, shape_names[metrics[m].shape],
			session_may(req->session, metrics[m].needs) ? "true" : "false");
	buf_adds(&b, "]}");
	return req_reply_take(req, 200, &b);
}

/* --- values --- */

/* FIELD is the name of a member with its comma: ,"value" or ,"previous". */
static void add_value(struct buf *b, const char *field, size_t m, const struct kpi *f,
	const struct kpi_reader *who)
{
	const char *name = metrics[m].name;

	if (masks(who, m) && metrics[m].shape == SHAPE_PERCENT)
		json_add_rate_masked(b, field);
	else if (masks(who, m))
		buf_addf(b, ",\"%s\":null", field);
	else if (strcmp(name, "total_tickets") == 0)
		buf_addf(b, ",\"%s\":%lld", field, (long long)f->opened);
	else if (strcmp(name, "pending_tickets") == 0)
		buf_addf(b, ",\"%s\":%lld", field, (long long)f->pending);
	else if (strcmp(name, "resolved_tickets") == 0)
		buf_addf(b, ",\"%s\":%lld", field, (long long)f->resolved);
	else if (strcmp(name, "overdue_tickets") == 0)
		buf_addf(b, ",\"%s\":%lld", field, (long long)f->overdue);
	else if (strcmp(name, "sla_compliance") == 0)
		json_add_rate(b, field, f->met, f->decided);
	else if (strcmp(name, "response_compliance") == 0)
		json_add_rate(b, field, f->response_met, f->response_decided);
	else if (strcmp(name, "resolution_compliance") == 0)
		json_add_rate(b, field, f->resolution_met, f->resolution_decided);
	else if (strcmp(name, "avg_response_time") == 0)
		kpi_add_duration(b, field, f->response_s, f->response_n, who->zh);
	else if (strcmp(name, "avg_resolution_time") == 0)
		kpi_add_duration(b, field, f->resolution_s, f->resolution_n, who->zh);
	else if (f->ratings)
		buf_addf(b, ",\"%s\":%.1f", field, (double)f->scores / 100 / (double)f->ratings);
	else
		buf_addf(b, ",\"%s\":null", field);
}

static void add_series(struct buf *b, size_t m, const PGresult *rows, const struct kpi_reader *who)
{
	int n = PQntuples(rows);

	buf_adds(b, ",\"series\":[");
	for (int i = who->days; !masks(who, m) && i < n; i++) {
		struct kpi day = { 0 };

		kpi_add_row(&day, rows, i);
		buf_addf(b, "%s{\"date\":\"%.*s\"", i > who->days ? "," : "",
			(int)db_text(rows, i, 0).n, db_text(rows, i, 0).p);
		if (strcmp(metrics[m].name, "sla_trend") == 0)
			json_add_rate(b, "value", day.met, day.decided);
		else
			buf_addf(b, ",\"value\":%lld",
				(long long)(strcmp(metrics[m].name, "ticket_trend") == 0
						    ? day.opened
						    : day.resolved));
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

/* The cached text has a line for the period and one for each metric: its number, a tab, its
 * member. */
static void add_head(struct buf *b, size_t m, const struct kpi_reader *who)
{
	buf_addf(b, "\n%zu\t\"%s\":{\"shape\":\"%s\",\"title\":\"%s\"", m, metrics[m].name,
		shape_names[metrics[m].shape], who->zh ? metrics[m].zh : metrics[m].en);
}

static bool add_numbers(struct buf *b, const PGresult *rows, const struct kpi_reader *who)
{
	struct kpi now = { 0 }, before = { 0 };

	if (!kpi_sum(rows, who->days, &before, &now))
		return false;
	kpi_add_period(b, rows, who->days);
	for (size_t m = 0; m < ARRAY_LEN(metrics); m++) {
		if (!computes(who, m) || metrics[m].step != STEP_DAYS)
			continue;
		add_head(b, m, who);
		if (metrics[m].shape == SHAPE_SERIES) {
			add_series(b, m, rows, who);
		} else {
			add_value(b, "value", m, &now, who);
			add_value(b, "previous", m, &before, who);
		}
		buf_addc(b, '}');
	}
	return true;
}

static void add_groups(struct buf *b, const PGresult *rows, const struct kpi_reader *who)
{
	buf_adds(b, ",\"groups\":[");
	for (int i = 0; i < PQntuples(rows) && !db_is_null(rows, i, 0); i++) {
		buf_adds(b, i ? ",{\"name\":" : "{\"name\":");
		buf_add_json(b, db_text(rows, i, 0).p, db_text(rows, i, 0).n);
		buf_addf(b, ",\"total_tickets\":%lld", (long long)db_int(rows, i, 3));
		kpi_add_rate(b, "compliance_rate", db_int(rows, i, 9), db_int(rows, i, 8), who);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

/* Which of the four statements is the N-th of the plan? */
static int step_of(const struct kpi_reader *who, int n)
{
	for (int step = 0; step < STEPS; step++) {
		bool used = step == STEP_DAYS;

		for (size_t m = 0; m < ARRAY_LEN(metrics); m++)
			used |= computes(who, m) && metrics[m].step == step;
		if (used && n-- == 0)
			return step;
	}
	return STEPS;
}

static bool add_widgets(struct buf *b, int n, const PGresult *rows, const void *arg)
{
	const struct kpi_reader *who = magic_cast_const(kpi_reader, arg);
	int step = step_of(who, n);

	if (step == STEP_DAYS && !add_numbers(b, rows, who))
		return false;
	for (size_t m = 0; step != STEP_DAYS && m < ARRAY_LEN(metrics); m++) {
		if (metrics[m].step != step)
			continue;
		add_head(b, m, who);
		if (step == STEP_ALERTS)
			kpi_add_alerts(b, rows, who->zh);
		else
			add_groups(b, rows, who);
		buf_addc(b, '}');
	}
	return true;
}

/* Write the requested metrics out of those that were computed. */
static void pick_widgets(
	struct buf *b, const char *body, size_t n, const void *arg, uint32_t wanted)
{
	const struct kpi_reader *who = magic_cast_const(kpi_reader, arg);
	const char *end = body + n, *line = memchr(body, '\n', n);
	int masked = 0, shown = 0;

	buf_add(b, body, (size_t)((line ? line : end) - body));
	buf_adds(b, ",\"masked\":[");
	for (size_t m = 0; m < ARRAY_LEN(metrics); m++)
		if (wanted >> m & 1 && masks(who, m))
			buf_addf(b, "%s\"%s\"", masked++ ? "," : "", metrics[m].name);
	buf_adds(b, "],\"widgets\":{");
	while (line) {
		char *member;
		unsigned long m = strtoul(line + 1, &member, 10);
		const char *next = memchr(member, '\n', (size_t)(end - member));

		member++; /* skip the tab */
		if (wanted >> m & 1) {
			if (shown++)
				buf_addc(b, ',');
			buf_add(b, member, (size_t)((next ? next : end) - member));
		}
		line = next;
	}
	buf_addc(b, '}');
}

/* All metrics that the same statements give, so that one computation serves every choice among
 * them. */
static uint32_t widen(uint32_t asked)
{
	uint32_t all = 0;

	for (size_t m = 0; m < ARRAY_LEN(metrics); m++) {
		bool used = metrics[m].step == STEP_DAYS;

		for (size_t k = 0; k < ARRAY_LEN(metrics); k++)
			used |= (asked >> k & 1) && metrics[k].step == metrics[m].step;
		all |= (uint32_t)used << m;
	}
	return all;
}

/* --- requests --- */

static size_t metric_named(struct str name)
{
	size_t m = 0;

	while (m < ARRAY_LEN(metrics) && !str_is(name, metrics[m].name))
		m++;
	return m;
}

bool dashboard_has_metric(struct str name)
{
	return metric_named(name) < ARRAY_LEN(metrics);
}

/* The bits of the metrics in LIST, at most WIDGETS_MAX of them; 0 if it is not such a list. */
static uint32_t read_metrics(const char *list)
{
	uint32_t asked = 0;
	int n = 0;

	for (size_t part; *list; list += part, list += *list == ',') {
		size_t m;

		part = strcspn(list, ",");
		m = metric_named((struct str){ list, part });
		if (part && (m == ARRAY_LEN(metrics) || ++n > WIDGETS_MAX))
			return 0;
		asked |= part ? 1u << m : 0;
	}
	return asked;
}

void dashboard_data_check(struct req *req)
{
	const char *widgets = REQ_INPUT(req, dashboard_data)->widgets;

	kpi_check(req);
	if (widgets && !read_metrics(widgets))
		req_note_invalid(req, "widgets",
			"at most 50 names of GET /api/v1/client/dashboard/metrics, separated by "
			"commas",
			"最多 50 个，以逗号分隔；名称见 GET /api/v1/client/dashboard/metrics");
}

struct outcome *dashboard_data(struct req *req)
{
	static const struct sql_stmt *const stmts[STEPS] = { &sql_rollup_days, &sql_rollup_alerts,
		&sql_rollup_groups, &sql_rollup_groups };
	const struct in_dashboard_data *in = REQ_INPUT(req, dashboard_data);
	int64_t tenant = kpi_tenant(req);
	struct kpi_reader who = { .days = kpi_days(in->base.period) };
	struct cached_query query = { .name = "widgets",
		.tenant_id = tenant,
		.max_age_s = 300,
		.add = add_widgets,
		.pick = pick_widgets };

	query.wanted = read_metrics(in->widgets);
	who.metrics = widen(query.wanted);
	kpi_read_reader(req, &who);
	memcpy(query.arg, &who, sizeof(who));
	for (int n = 0, step; (step = step_of(&who, n)) < STEPS; n++) {
		const char **p = query.param[n];

		query.stmt[n] = stmts[step];
		if (step == STEP_ALERTS) {
			p[0] = req_int(req, tenant);
			continue;
		}
		p[0] = cache_now;
		p[1] = req_int(req, who.days);
		p[2] = req_int(req, tenant);
		if (step != STEP_DAYS)
			p[3] = step == STEP_PRIORITY ? "priority" : "service_type";
	}
	return cache_reply(req, &query, in->refresh);
}
