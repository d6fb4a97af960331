/* SPDX-License-Identifier: Apache-2.0
 * What other modules request with a service token: SLA attainment, a customer's users, the health
 * of the parts. */
#include "base/clock.h"
#include "base/json.h"
#include "base/rate.h"
#include "core/request.h"
#include "timers/engine.h"
#include "config/options.h"
#include "integration.h"
#include "kv/kv.h"
#include "flow_gen.h"
#include "sql_gen.h"
#include "work/work.h"

#define RANGE_DAYS_MAX 366

/* --- a customer's users --- */

static struct outcome *on_users(struct req *req, enum db_error error, const PGresult *rows)
{
	static const char *const names[] = { "user_id", "username", "full_name", "role_type",
		"department", "project", "is_active", "email", "phone", "lang" };
	int n = error == DB_OK ? PQntuples(rows) : 0;
	struct buf b = { 0 };

	if (error != DB_OK)
		return req_fail_db(req, error);
	buf_adds(&b, "{\"users\":[");
	for (int i = 0; i < n; i++) {
		for (int c = 0; c < (int)ARRAY_LEN(names); c++) {
			buf_addf(&b, "%s\"%s\":", c ? "," : i ? ",{" : "{", names[c]);
			db_cell_to_json(&b, rows, i, c);
		}
		buf_addc(&b, '}');
	}
	if (n == REQ_INPUT(req, integration_users_page)->limit)
		buf_addf(&b, "],\"next_cursor\":\"%lld\"}", (long long)db_int(rows, n - 1, 0));
	else
		buf_adds(&b, "],\"next_cursor\":null}");
	return req_reply_take(req, 200, &b);
}

struct outcome *integration_users(struct req *req)
{
	const struct in_integration_users_page *in = REQ_INPUT(req, integration_users_page);
	const char **p = arena_alloc(&req->arena, 4 * sizeof(*p));

	p[0] = req_int(req, in->tenant_id);
	p[1] = session_may(req->session, PERM_PII_READ) ? "true" : "false";
	p[2] = req_int(req, in->cursor);
	p[3] = req_int(req, in->limit);
	return req_query(req, &sql_integration_users, p, on_users);
}

/* --- attainment --- */

enum {
	WANT_RATE = 1,
	WANT_RESPONSE = 2,
	WANT_RESOLUTION = 4,
	WANT_VIOLATIONS = 8,
	WANT_TOTAL = 16
};
static const struct {
	const char *name;
	int bit;
} wants[] = { { "compliance_rate", WANT_RATE }, { "avg_response_time", WANT_RESPONSE },
	{ "avg_resolution_time", WANT_RESOLUTION }, { "violations", WANT_VIOLATIONS },
	{ "violated_tickets", WANT_VIOLATIONS }, { "total_tickets", WANT_TOTAL } };

struct range {
	int64_t tenant_id;
	const char *first, *last;
	int wants;
};

/* Two dates: 2025-01-01,2025-01-31. */
static bool read_range(struct req *req, const char *text, struct range *r)
{
	const char *comma = strchr(text, ',');
	int64_t a = 0, b = -1;

	if (!comma || !date_parse((struct str){ text, (size_t)(comma - text) }, &a) ||
		!date_parse(str_of(comma + 1), &b) || a > b || b - a >= RANGE_DAYS_MAX)
		return false;
	r->first = arena_dup(&req->arena, text, (size_t)(comma - text));
	r->last = comma + 1;
	return true;
}

/* Comma-separated names; if there are none, everything. */
static bool read_wants(const char *list, int *out)
{
	for (size_t part; list && *list; list += part, list += *list == ',') {
		size_t i = 0;

		part = strcspn(list, ",");
		while (i < ARRAY_LEN(wants) && !str_is((struct str){ list, part }, wants[i].name))
			i++;
		if (part && i == ARRAY_LEN(wants))
			return false;
		*out |= part ? wants[i].bit : 0;
	}
	return true;
}

void integration_sla_check(struct req *req)
{
	const struct in_integration_sla_metrics *in = REQ_INPUT(req, integration_sla_metrics);
	struct range *r = req_state_new(req, range);

	r->wants = in->metrics ? 0 : ~0;
	if (in->date_range && !read_range(req, in->date_range, r))
		req_note_invalid(req, "date_range",
			"two dates in order, at most 366 days apart, such as "
			"2025-01-01,2025-01-31",
			"起止日期，最多 366 天，如 2025-01-01,2025-01-31");
	if (!read_wants(in->metrics, &r->wants))
		req_note_invalid(req, "metrics",
			"some of compliance_rate, total_tickets, violated_tickets, violations, "
			"avg_response_time, avg_resolution_time",
			"可选 compliance_rate、total_tickets、violated_tickets、violations、"
			"avg_response_time、avg_resolution_time");
}

/* ,"NAME":25,"NAME_seconds":1500: in minutes, as the other modules expect. */
static void add_minutes(struct buf *b, const char *name, int64_t seconds, int64_t n)
{
	if (n)
		buf_addf(b, ",\"%s\":%lld,\"%s_seconds\":%lld", name,
			(long long)((seconds / n + 30) / 60), name, (long long)(seconds / n));
	else
		buf_addf(b, ",\"%s\":null,\"%s_seconds\":null", name, name);
}

static struct outcome *on_range(struct req *req, enum db_error error, const PGresult *rows)
{
	struct range *r = req_state(req, range);
	struct buf b = { 0 };
	int64_t decided, met;

	if (error != DB_OK)
		return req_fail_db(req, error);
	decided = db_int(rows, 0, 5);
	met = db_int(rows, 0, 6);
	buf_addf(&b,
		"{\"tenant_id\":%lld,\"date_range\":[\"%s\",\"%s\"],\"metrics\":{\"decided_"
		"tickets\":%lld",
		(long long)r->tenant_id, r->first, r->last, (long long)decided);
	if (r->wants & WANT_TOTAL)
		buf_addf(&b, ",\"total_tickets\":%lld", (long long)db_int(rows, 0, 0));
	if (r->wants & WANT_RATE) {
		json_add_rate(&b, "compliance_rate", met, decided);
		json_add_rate(
			&b, "compliance_rate_adjusted", db_int(rows, 0, 8), db_int(rows, 0, 7));
	}
	if (r->wants & WANT_VIOLATIONS)
		buf_addf(&b, ",\"violated_tickets\":%lld", (long long)(decided - met));
	if (r->wants & WANT_RESPONSE)
		add_minutes(&b, "avg_response_time", db_int(rows, 0, 2), db_int(rows, 0, 1));
	if (r->wants & WANT_RESOLUTION)
		add_minutes(&b, "avg_resolution_time", db_int(rows, 0, 4), db_int(rows, 0, 3));
	buf_adds(&b, "}}");
	return req_reply_take(req, 200, &b);
}

struct outcome *integration_sla(struct req *req)
{
	const struct in_integration_sla_metrics *in = REQ_INPUT(req, integration_sla_metrics);
	const char **p = arena_alloc(&req->arena, 4 * sizeof(*p)), *type = in->service_type;
	struct range *r = req_state(req, range); /* integration_sla_check has read it */

	r->tenant_id = in->tenant_id;
	p[0] = req_int(req, in->tenant_id);
	p[1] = r->first;
	p[2] = r->last;
	p[3] = type && strcmp(type, "all") != 0 ? type : NULL;
	return req_query(req, &sql_rollup_range, p, on_range);
}

/* --- the interface --- */

static void integration_stop(void)
{
	stream_stop();
	customers_stop();
	reconcile_stop();
}

static double read_sync_waiting(void)
{
	return (double)stream_health().waiting;
}

static double read_sync_applied_total(void)
{
	return (double)stream_health().applied;
}

static double read_sync_dead_letters(void)
{
	return (double)stream_health().dead;
}

static const struct metric metrics[] = {
	{ "sync_waiting", METRIC_GAUGE,
		"Messages from source systems that were read from the stream and not applied yet.",
		read_sync_waiting },
	{ "sync_applied_total", METRIC_COUNTER, "Messages applied from the stream.",
		read_sync_applied_total },
	{ "sync_dead_letters", METRIC_GAUGE,
		"Messages that could not be applied and need attention.", read_sync_dead_letters },
	{ 0 },
};

static enum check_state check_sync(struct buf *more)
{
	uint64_t dead = stream_health().dead;

	buf_addf(more, ",\"dead_letters\":%llu", (unsigned long long)dead);
	return !options.redis_url[0] || !options.integration_stream[0] ? CHECK_NOT_CONFIGURED
	       : !kv_is_up() || dead                                   ? CHECK_DEGRADED
								       : CHECK_HEALTHY;
}

static const struct job jobs[] = {
	{ "customers_pull", .every = customers_pull_every, .claim = true,
		.run = customers_pull_run },
	{ "stream", .every = stream_every, .run = stream_run },
	{ "tickets_compare", .every = reconcile_every, .run = reconcile_run },
	{ 0 },
};
static const struct check checks[] = { { "ticket_sync", false, check_sync }, { 0 } };

const struct feature integration_feature = {
	.name = "integration",
	.routes = integration_routes,
	.init = stream_init,
	.stop = integration_stop,
	.free = stream_free,
	.jobs = jobs,
	.metrics = metrics,
	.checks = checks,
};
