/* SPDX-License-Identifier: Apache-2.0
 * A customer's overview: the numbers of a period next to those of the previous one, day by day, and
 * the deadlines that are about to be missed. doc/api/metrics.md has the definitions. */
#include "core/cache.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/rate.h"
#include "dashboard.h"
#include "kpi.h"
#include "overview.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <stdio.h>

/* The columns of rollup/days after its numbers. */
enum { C_STARTS = 19, C_ENDS };

static bool add_days(struct buf *b, const PGresult *rows, const struct kpi_reader *who)
{
	struct kpi now = { 0 }, before = { 0 };
	int n = PQntuples(rows);

	if (!kpi_sum(rows, who->days, &before, &now))
		return false;
	buf_adds(b, "\"summary\":");
	kpi_add_summary(b, &now, who);
	buf_adds(b, ",\"previous\":");
	kpi_add_summary(b, &before, who);
	buf_addc(b, ',');
	kpi_add_period(b, rows, who->days);
	buf_adds(b, ",\"trends\":{\"ticket_trend\":[");
	for (int i = who->days; i < n; i++)
		buf_addf(b, "%s{\"date\":\"%.*s\",\"count\":%lld}", i > who->days ? "," : "",
			(int)db_text(rows, i, 0).n, db_text(rows, i, 0).p,
			(long long)db_int(rows, i, 1));
	buf_adds(b, "],\"sla_trend\":[");
	for (int i = who->days; who->sla && i < n; i++) {
		struct kpi day = { 0 };

		kpi_add_row(&day, rows, i);
		buf_addf(b, "%s{\"date\":\"%.*s\"", i > who->days ? "," : "",
			(int)db_text(rows, i, 0).n, db_text(rows, i, 0).p);
		json_add_rate(b, "compliance", day.met, day.decided);
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

/* The addresses of the lists behind the numbers. */
static void add_links(struct buf *b, const PGresult *rows, const struct kpi_reader *who)
{
	static const char *const figure[][2] = { { "total_tickets", "" },
		{ "pending_tickets", "&figure=pending" },
		{ "resolved_tickets", "&figure=resolved" },
		{ "overdue_tickets", "&figure=overdue" },
		{ "avg_response_time", "&figure=responded" },
		{ "avg_resolution_time", "&figure=solved" } };
	char from[32], to[32], tenant[40] = "";

	time_format(db_int(rows, who->days, C_STARTS), 3, from);
	time_format(db_int(rows, 2 * who->days - 1, C_ENDS), 3, to);
	if (who->staff)
		snprintf(tenant, sizeof(tenant), "&tenant_id=%lld", (long long)who->tenant_id);
	buf_adds(b, ",\"links\":{");
	for (size_t i = 0; i < ARRAY_LEN(figure); i++)
		if (!who->tickets)
			buf_addf(b, "\"%s\":null,", figure[i][0]);
		else
			buf_addf(b, "\"%s\":\"/api/v1/%s?opened_from=%s&opened_to=%s%s%s\",",
				figure[i][0], who->staff ? "tickets" : "client/tickets", from, to,
				figure[i][1], tenant);
	buf_adds(b, "\"satisfaction_score\":");
	if (who->satisfaction && who->tickets)
		buf_addf(b, "\"/api/v1/%s?rated_from=%s&rated_to=%s%s\"",
			who->staff ? "tickets" : "client/tickets", from, to, tenant);
	else
		buf_adds(b, "null");
	buf_adds(b, ",\"sla_compliance\":");
	if (who->sla && who->dated)
		buf_addf(b, "\"/api/v1/client/sla/compliance?from=%.*s&to=%.*s%s\"}",
			(int)db_text(rows, who->days, 0).n, db_text(rows, who->days, 0).p,
			(int)db_text(rows, 2 * who->days - 1, 0).n,
			db_text(rows, 2 * who->days - 1, 0).p, tenant);
	else if (who->sla)
		buf_addf(b, "\"/api/v1/client/sla/compliance?period=%dd%s\"}", who->days, tenant);
	else
		buf_adds(b, "null}");
}

static bool add_overview(struct buf *b, int step, const PGresult *rows, const void *arg)
{
	const struct kpi_reader *who = magic_cast_const(kpi_reader, arg);

	if (step == 0) {
		if (!add_days(b, rows, who))
			return false;
		add_links(b, rows, who);
		return true;
	}
	if (step == 1) {
		kpi_add_alerts(b, rows, who->zh);
		return true;
	}
	buf_adds(b, ",\"data_quality\":");
	db_cell_to_json(b, rows, 0, 0);
	return true;
}

/* --- requests --- */

static void overview_query(
	struct arena *a, const struct kpi_reader *who, const char *last, struct cached_query *out)
{
	*out = (struct cached_query){ .name = "overview",
		.tenant_id = who->tenant_id,
		.max_age_s = 300,
		.stmt = { &sql_rollup_days, &sql_rollup_alerts, &sql_reconcile_state },
		.add = add_overview };
	memcpy(out->arg, who, sizeof(*who));
	out->param[0][0] = cache_now;
	out->param[0][3] = last;
	out->param[0][1] = arena_printf(a, "%d", who->days);
	out->param[0][2] = out->param[1][0] = out->param[2][0] =
		arena_printf(a, "%lld", (long long)who->tenant_id);
}

void overview_warm(int64_t tenant_id, bool zh, uint32_t permissions)
{
	struct kpi_reader who = { .magic = kpi_reader_magic,
		.days = 30,
		.zh = zh,
		.sla = permissions >> PERM_SLA_READ & 1,
		.satisfaction = permissions >> PERM_SATISFACTION_READ & 1,
		.tickets = permissions >> PERM_TICKET_READ & 1,
		.tenant_id = tenant_id };
	struct cached_query query;
	struct arena a = { 0 };
	struct cache_reader reader = { .ctx = { .role = DB_ROLE_TENANT,
					       .tenants = arena_printf(
						       &a, "{%lld}", (long long)tenant_id),
					       .tenant_id = tenant_id },
		.perms = permissions,
		.zh = zh };

	overview_query(&a, &who, NULL, &query);
	cache_prepare(&query, &reader);
	arena_free(&a);
}

void overview_check(struct req *req)
{
	const struct in_dashboard_overview *in = REQ_INPUT(req, dashboard_overview);

	kpi_check(req);
	kpi_check_dates(req, in->from, in->to, in->base.period);
}

struct outcome *overview_get(struct req *req)
{
	const struct in_dashboard_overview *in = REQ_INPUT(req, dashboard_overview);
	int64_t tenant = kpi_tenant(req);
	struct kpi_reader who = { .days = kpi_days(in->base.period) };
	struct cached_query query;

	kpi_read_reader(req, &who);
	who.tenant_id = tenant;
	overview_query(&req->arena, &who, kpi_read_dates(in->from, in->to, &who), &query);
	return cache_reply(req, &query, in->refresh);
}

/* --- the same for other modules --- */

static bool add_report(struct buf *b, int step, const PGresult *rows, const void *arg)
{
	(void)step;
	if (!add_days(b, rows, magic_cast_const(kpi_reader, arg)))
		return false;
	buf_adds(b, ",\"generated_at\":");
	buf_add_time_json(b, clock_now_us());
	return true;
}

struct outcome *report_summary(struct req *req)
{
	const struct in_dashboard_report_summary *in = REQ_INPUT(req, dashboard_report_summary);
	int64_t tenant = in->tenant_id;
	struct kpi_reader who = { .days = kpi_days(in->period) };
	struct cached_query query = { .name = "report",
		.tenant_id = tenant,
		.max_age_s = 300,
		.stmt = { &sql_rollup_days },
		.add = add_report };

	kpi_read_reader(req, &who);
	memcpy(query.arg, &who, sizeof(who));
	query.param[0][0] = cache_now;
	query.param[0][1] = req_int(req, who.days);
	query.param[0][2] = req_int(req, tenant);
	return cache_reply(req, &query, false);
}
