/* SPDX-License-Identifier: Apache-2.0
 * SLA compliance by group. doc/api/metrics.md has the definitions. */
#include "core/cache.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/rate.h"
#include "dashboard.h"
#include "kpi.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <stdio.h>
#include <string.h>

static void add_group(struct buf *b, const PGresult *rows, int i, const struct kpi_reader *who)
{
	int64_t decided = db_int(rows, i, 8), met = db_int(rows, i, 9);

	buf_addf(b, "%s{\"%s\":", i ? "," : "", who->group);
	buf_add_json(b, db_text(rows, i, 0).p, db_text(rows, i, 0).n);
	json_add_rate(b, "compliance_rate", met, decided);
	kpi_add_no_rate(b, "compliance_rate", decided, who->zh);
	json_add_rate(b, "compliance_rate_adjusted", db_int(rows, i, 11), db_int(rows, i, 10));
	buf_addf(b,
		",\"total_tickets\":%lld,\"overdue_tickets\":%lld,\"decided_tickets\":%lld,"
		"\"violated_tickets\":%lld",
		(long long)db_int(rows, i, 3), (long long)db_int(rows, i, 12), (long long)decided,
		(long long)(decided - met));
	kpi_add_duration(b, "avg_response_time", db_int(rows, i, 5), db_int(rows, i, 4), who->zh);
	kpi_add_duration(b, "avg_resolution_time", db_int(rows, i, 7), db_int(rows, i, 6), who->zh);
	buf_addc(b, '}');
}

static bool add_groups(struct buf *b, const PGresult *rows, const struct kpi_reader *who)
{
	int64_t decided = 0, met = 0, counted = 0, met_counted = 0, total = 0, overdue = 0;
	int n = PQntuples(rows);

	if (!n)
		return false;
	for (int i = 0; i < n; i++) {
		total += db_int(rows, i, 3);
		overdue += db_int(rows, i, 12);
		decided += db_int(rows, i, 8);
		met += db_int(rows, i, 9);
		counted += db_int(rows, i, 10);
		met_counted += db_int(rows, i, 11);
	}
	buf_addf(b, "\"period\":{\"days\":%d,\"start\":\"%.*s\",\"end\":\"%.*s\"}", who->days,
		(int)db_text(rows, 0, 1).n, db_text(rows, 0, 1).p, (int)db_text(rows, 0, 2).n,
		db_text(rows, 0, 2).p);
	json_add_rate(b, "overall_compliance", met, decided);
	kpi_add_no_rate(b, "overall_compliance", decided, who->zh);
	json_add_rate(b, "overall_compliance_adjusted", met_counted, counted);
	buf_addf(b,
		",\"overdue_tickets\":%lld,\"total_tickets\":%lld,\"decided_tickets\":%lld,"
		"\"violated_tickets\":%lld,"
		"\"group_by\":\"%s\",\"by_%s\":[",
		(long long)overdue, (long long)total, (long long)decided,
		(long long)(decided - met), who->group, who->group);
	for (int i = 0; i < n && !db_is_null(rows, i, 0); i++)
		add_group(b, rows, i, who);
	buf_addc(b, ']');
	return true;
}

static void add_violation(struct buf *b, const PGresult *rows, int i, bool zh)
{
	int64_t target = db_int(rows, i, 5), actual = target + db_int(rows, i, 6) / US_PER_S;

	buf_addf(b, "%s{\"ticket_id\":\"%.*s\",\"id\":%lld,\"service_type\":", i ? "," : "",
		(int)db_text(rows, i, 1).n, db_text(rows, i, 1).p, (long long)db_int(rows, i, 0));
	buf_add_json(b, db_text(rows, i, 2).p, db_text(rows, i, 2).n);
	buf_addf(b,
		",\"priority\":\"%.*s\",\"priority_label\":\"%s\",\"violation_type\":\"%.*s_time\","
		"\"target\":%lld,"
		"\"target_seconds\":%lld,\"actual\":%lld,\"actual_seconds\":%lld,\"waived\":%s,"
		"\"created_at\":",
		(int)db_text(rows, i, 3).n, db_text(rows, i, 3).p,
		priority_label(priority_parse(db_text(rows, i, 3)), zh), (int)db_text(rows, i, 4).n,
		db_text(rows, i, 4).p, (long long)(target / 60), (long long)target,
		(long long)(actual / 60), (long long)actual, db_int(rows, i, 9) ? "true" : "false");
	buf_add_time_json(b, db_int(rows, i, 7));
	buf_adds(b, ",\"breached_at\":");
	buf_add_time_json(b, db_int(rows, i, 8));
	buf_addc(b, '}');
}

static void add_trend(struct buf *b, const PGresult *rows)
{
	buf_adds(b, ",\"trend\":[");
	for (int i = 0; i < PQntuples(rows); i++) {
		buf_addf(b, "%s{\"date\":\"%.*s\"", i ? "," : "", (int)db_text(rows, i, 0).n,
			db_text(rows, i, 0).p);
		json_add_rate(b, "compliance", db_int(rows, i, 2), db_int(rows, i, 1));
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

static bool add_compliance(struct buf *b, int step, const PGresult *rows, const void *arg)
{
	if (step == 0)
		return add_groups(b, rows, magic_cast_const(kpi_reader, arg));
	if (step == 2) {
		add_trend(b, rows);
		return true;
	}
	buf_adds(b, ",\"violations\":[");
	for (int i = 0; i < PQntuples(rows); i++)
		add_violation(b, rows, i, magic_cast_const(kpi_reader, arg)->zh);
	buf_addf(b, "],\"violations_total\":%lld",
		PQntuples(rows) ? (long long)db_int(rows, 0, 10) : 0);
	return true;
}

/* What the rollups do not have is read from the tickets. */
static bool is_of_tickets(const char *group)
{
	return strcmp(group, "contract") == 0 || strcmp(group, "cost_centre") == 0 ||
	       strcmp(group, "office") == 0;
}

void compliance_check(struct req *req)
{
	const struct in_dashboard_compliance *in = REQ_INPUT(req, dashboard_compliance);

	kpi_check(req);
	kpi_check_dates(req, in->from, in->to, in->base.period);
}

struct outcome *compliance_get(struct req *req)
{
	const struct in_dashboard_compliance *in = REQ_INPUT(req, dashboard_compliance);
	const char *type = in->service_type, *last;
	int64_t tenant = kpi_tenant(req);
	struct kpi_reader who = { .days = kpi_days(in->base.period) };
	struct cached_query query = { .name = "compliance",
		.tenant_id = tenant,
		.max_age_s = 900,
		.stmt = { &sql_rollup_groups, &sql_rollup_violations, &sql_rollup_trend },
		.add = add_compliance };

	if (type && strcmp(type, "all") == 0)
		type = NULL;
	last = kpi_read_dates(in->from, in->to, &who);
	kpi_read_reader(req, &who);
	snprintf(who.group, sizeof(who.group), "%s", in->group_by);
	memcpy(query.arg, &who, sizeof(who));
	if (is_of_tickets(who.group))
		query.stmt[0] = &sql_rollup_ticket_groups;
	for (int i = 0; i < 3; i++) {
		query.param[i][0] = cache_now;
		query.param[i][1] = req_int(req, who.days);
		query.param[i][2] = req_int(req, tenant);
	}
	query.param[0][3] = who.group;
	query.param[0][4] = query.param[1][3] = query.param[2][3] = type;
	query.param[0][5] = query.param[1][4] = query.param[2][4] = last;
	return cache_reply(req, &query, false);
}

/* --- all tenants that a staff member serves --- */

/* The columns of rollup/tenants after those of a tenant: the sums of all. */
enum { C_ALL_OPENED = 14, C_ALL_DECIDED, C_ALL_MET };

static void add_tenant(struct buf *b, const PGresult *rows, int i, bool zh)
{
	int64_t decided = db_int(rows, i, 8), met = db_int(rows, i, 9);

	buf_addf(b, "%s{\"tenant_id\":%lld,\"code\":\"%.*s\",\"name\":", i ? "," : "",
		(long long)db_int(rows, i, 0), (int)db_text(rows, i, 1).n, db_text(rows, i, 1).p);
	buf_add_json(b, db_text(rows, i, 2).p, db_text(rows, i, 2).n);
	buf_addf(b,
		",\"total_tickets\":%lld,\"pending_tickets\":%lld,\"overdue_tickets\":%lld,"
		"\"decided_tickets\":%lld,\"violated_tickets\":%lld",
		(long long)db_int(rows, i, 3), (long long)db_int(rows, i, 12),
		(long long)db_int(rows, i, 13), (long long)decided, (long long)(decided - met));
	json_add_rate(b, "compliance_rate", met, decided);
	json_add_rate(b, "compliance_rate_adjusted", db_int(rows, i, 11), db_int(rows, i, 10));
	kpi_add_duration(b, "avg_response_time", db_int(rows, i, 5), db_int(rows, i, 4), zh);
	kpi_add_duration(b, "avg_resolution_time", db_int(rows, i, 7), db_int(rows, i, 6), zh);
	buf_addc(b, '}');
}

/* One row more than the page has was asked for: it says whether another page follows. If there is
 * none at all, one row has the sums alone. */
static struct outcome *on_tenants(struct req *req, enum db_error error, const PGresult *rows)
{
	struct kpi_reader *who = req_state(req, kpi_reader);
	int limit = REQ_INPUT(req, dashboard_sla_metrics)->limit, n;
	struct buf b = { 0 };

	if (error != DB_OK)
		return req_fail_db(req, error);
	n = db_is_null(rows, 0, 0) ? 0 : PQntuples(rows);
	buf_addf(&b, "{\"period\":{\"days\":%d},\"tenants\":[", who->days);
	for (int i = 0; i < n && i < limit; i++)
		add_tenant(&b, rows, i, who->zh);
	buf_addf(&b, "],\"total_tickets\":%lld,\"decided_tickets\":%lld,\"violated_tickets\":%lld",
		(long long)db_int(rows, 0, C_ALL_OPENED), (long long)db_int(rows, 0, C_ALL_DECIDED),
		(long long)(db_int(rows, 0, C_ALL_DECIDED) - db_int(rows, 0, C_ALL_MET)));
	json_add_rate(&b, "overall_compliance", db_int(rows, 0, C_ALL_MET),
		db_int(rows, 0, C_ALL_DECIDED));
	if (n > limit)
		buf_addf(&b, ",\"next_cursor\":\"%lld\"}", (long long)db_int(rows, limit - 1, 0));
	else
		buf_adds(&b, ",\"next_cursor\":null}");
	return req_reply_take(req, 200, &b);
}

struct outcome *sla_metrics(struct req *req)
{
	const struct in_dashboard_sla_metrics *in = REQ_INPUT(req, dashboard_sla_metrics);
	struct kpi_reader *who = req_state_new(req, kpi_reader);
	const char **p = arena_alloc(&req->arena, 4 * sizeof(*p));

	who->days = kpi_days(in->period);
	kpi_read_reader(req, who);
	p[0] = req_int(req, clock_now_us());
	p[1] = req_int(req, who->days);
	p[2] = req_int(req, in->limit + 1);
	p[3] = in->cursor ? arena_dup(&req->arena, in->cursor, strcspn(in->cursor, "_")) : "0";
	return req_query(req, &sql_rollup_tenants, p, on_tenants);
}
