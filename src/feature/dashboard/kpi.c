/* SPDX-License-Identifier: Apache-2.0 */
#include "kpi.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/rate.h"
#include "flow_gen.h"

#include <stdlib.h>

void kpi_add_row(struct kpi *s, const PGresult *rows, int i)
{
	int64_t *v = &s->opened;

	for (size_t k = 0; k < sizeof(*s) / sizeof(*v); k++)
		v[k] += db_int(rows, i, (int)k + 1);
}

bool kpi_sum(const PGresult *rows, int days, struct kpi *before, struct kpi *now)
{
	int n = PQntuples(rows);

	for (int i = 0; n == 2 * days && i < n; i++)
		kpi_add_row(i < days ? before : now, rows, i);
	return n == 2 * days;
}

void kpi_add_period(struct buf *b, const PGresult *rows, int days)
{
	struct str first = db_text(rows, days, 0), last = db_text(rows, 2 * days - 1, 0);

	buf_addf(b, "\"period\":{\"days\":%d,\"start\":\"%.*s\",\"end\":\"%.*s\"}", days,
		(int)first.n, first.p, (int)last.n, last.p);
}

/* Minutes below an hour, hours below a day, otherwise days. */
void kpi_add_duration(struct buf *b, const char *name, int64_t seconds, int64_t n, bool zh)
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

void kpi_add_rate(
	struct buf *b, const char *name, int64_t met, int64_t decided, const struct kpi_reader *who)
{
	if (who->sla)
		json_add_rate(b, name, met, decided);
	else
		json_add_rate_masked(b, name);
}

void kpi_add_summary(struct buf *b, const struct kpi *s, const struct kpi_reader *who)
{
	buf_addf(b,
		"{\"total_tickets\":%lld,\"pending_tickets\":%lld,\"resolved_tickets\":%lld,"
		"\"overdue_tickets\":%lld",
		(long long)s->opened, (long long)s->pending, (long long)s->resolved,
		(long long)s->overdue);
	kpi_add_rate(b, "sla_compliance", s->met, s->decided, who);
	if (who->sla)
		kpi_add_no_rate(b, "sla_compliance", s->decided, who->zh);
	else
		buf_adds(b, ",\"sla_compliance_text\":null");
	kpi_add_rate(b, "sla_compliance_adjusted", s->met_counted, s->counted, who);
	kpi_add_rate(b, "response_compliance", s->response_met, s->response_decided, who);
	kpi_add_rate(b, "resolution_compliance", s->resolution_met, s->resolution_decided, who);
	kpi_add_duration(b, "avg_response_time", s->response_s, s->response_n, who->zh);
	kpi_add_duration(b, "avg_resolution_time", s->resolution_s, s->resolution_n, who->zh);
	if (who->satisfaction && s->ratings)
		buf_addf(b, ",\"satisfaction_score\":%.1f,\"ratings\":%lld}",
			(double)s->scores / 100 / (double)s->ratings, (long long)s->ratings);
	else
		buf_adds(b, ",\"satisfaction_score\":null,\"ratings\":null}");
}

static void add_alert(struct buf *b, const PGresult *rows, int i, bool zh)
{
	bool missed = db_int(rows, i, 5) != 0;
	struct str number = db_text(rows, i, 1), title = db_text(rows, i, 2);
	int high = (int)db_int(rows, i, 4);
	struct buf text = { 0 };

	if (missed)
		buf_addf(&text,
			zh ? "工单 %.*s 已超出 SLA 时限" : "ticket %.*s has breached its SLA",
			(int)number.n, number.p);
	else
		buf_addf(&text,
			zh ? "工单 %.*s 已用去 SLA 时限的 %d%%"
			   : "ticket %.*s has used %d %% of its SLA",
			(int)number.n, number.p, high);
	buf_addf(b,
		"%s{\"type\":\"%s\",\"severity\":\"%s\",\"ticket_id\":%lld,\"number\":\"%.*s\","
		"\"priority\":\"%.*s\",\"priority_label\":\"%s\",\"message\":",
		i ? "," : "", missed ? "sla_violation" : "sla_warning",
		missed       ? "high"
		: high >= 90 ? "medium"
			     : "low",
		(long long)db_int(rows, i, 0), (int)number.n, number.p, (int)db_text(rows, i, 3).n,
		db_text(rows, i, 3).p, priority_label(priority_parse(db_text(rows, i, 3)), zh));
	buf_add_json(b, buf_cstr(&text), text.n);
	buf_adds(b, ",\"title\":");
	buf_add_json(b, title.p, title.n);
	buf_adds(b, ",\"timestamp\":");
	buf_add_time_json(b, db_int(rows, i, 6));
	buf_addc(b, '}');
	buf_free(&text);
}

void kpi_add_alerts(struct buf *b, const PGresult *rows, bool zh)
{
	buf_adds(b, ",\"alerts\":[");
	for (int i = 0; i < PQntuples(rows); i++)
		add_alert(b, rows, i, zh);
	buf_addf(b, "],\"alerts_total\":%lld", PQntuples(rows) ? (long long)db_int(rows, 0, 7) : 0);
}

/* --- requests --- */

int kpi_days(const char *period)
{
	return (int)strtol(period, NULL, 10);
}

void kpi_check(struct req *req)
{
	if (req->session->staff && !REQ_INPUT(req, dashboard_reader)->has_tenant_id)
		req_note_invalid(req, "tenant_id", "required for staff", "员工必填");
}

void kpi_check_dates(struct req *req, const char *from, const char *to, const char *period)
{
	int64_t first = 0, last = 0;

	if ((!from && !to) || req_has_invalid(req))
		return;
	if (!from || !to)
		req_note_invalid(req, from ? "to" : "from", "from and to come together",
			"from 与 to 须同时填写");
	else if (strcmp(period, "30d") != 0)
		req_note_invalid(req, "period", "either a period, or from and to",
			"period 与起止日期只能填写其一");
	else if (!date_parse(str_of(from), &first) || !date_parse(str_of(to), &last) ||
		 last < first || last - first >= KPI_DAYS_MAX)
		req_note_invalid(req, "to",
			"a day not before from, at most 366 days in all, such as 2026-01-31",
			"不早于 from 的日期，总共不超过 366 天，例如 2026-01-31");
}

const char *kpi_read_dates(const char *from, const char *to, struct kpi_reader *out)
{
	int64_t first = 0, last = 0;

	if (!from || !to || !date_parse(str_of(from), &first) || !date_parse(str_of(to), &last))
		return NULL;
	out->days = (int)(last - first) + 1;
	out->dated = true;
	return to;
}

void kpi_add_no_rate(struct buf *b, const char *name, int64_t decided, bool zh)
{
	if (decided)
		buf_addf(b, ",\"%s_text\":null", name);
	else
		buf_addf(b, ",\"%s_text\":\"%s\"", name,
			zh ? "暂无已判定的工单" : "no tickets decided yet");
}

int64_t kpi_tenant(struct req *req)
{
	const struct in_dashboard_reader *in = REQ_INPUT(req, dashboard_reader);

	return in->has_tenant_id ? in->tenant_id : req->session->tenant_id;
}

void kpi_read_reader(struct req *req, struct kpi_reader *out)
{
	out->magic = kpi_reader_magic;
	out->zh = req->zh;
	out->staff = req->session->staff;
	out->sla = session_may(req->session, PERM_SLA_READ);
	out->satisfaction = session_may(req->session, PERM_SATISFACTION_READ);
	out->tickets = session_may(req->session, PERM_TICKET_READ);
}
