/* SPDX-License-Identifier: Apache-2.0
 * Health, readiness, metrics. */
#include "app.h"
#include "base/build.h"
#include "base/clock.h"
#include "base/magic.h"
#include "base/log.h"
#include "core/follower.h"
#include "core/cache.h"
#include "core/session.h"
#include "core/events.h"
#include "desk/upkeep.h"
#include "timers/engine.h"
#include "config/fieldkeys.h"
#include "timers/lease.h"
#include "config/options.h"
#include "crypto/secretfile.h"
#include "crypto/crypto.h"
#include "http/server.h"
#include "core/cache.h"
#include "fetch/breaker.h"
#include "fetch/fetch.h"
#include "kv/kv.h"
#include "loop/loop.h"
#include "work/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

struct outcome *healthz(struct req *req)
{
	return req_reply_raw(req, 200, "text/plain", NULL, "ok\n", 3);
}

static void add_dependency(struct buf *b, const char *name, const char *state, int64_t since_us)
{
	buf_addf(b, "%s\"%s\":{\"state\":\"%s\",\"age_seconds\":%.1f}",
		b->p[b->n - 1] == '{' ? "" : ",", name, state,
		since_us ? (double)(clock_mono_us() - since_us) / 1e6 : 0.0);
}

static const char *const circuit_kinds[] = { "postgresql", "redis", "mail", "webhook", "sms" };

/* Everything but the reports: requests, deadlines and periodic work. */
static bool is_database_up(void)
{
	return db_health(SQL_POINT).up && db_health(SQL_FIRE).up && db_health(SQL_CLASS_JOB).up;
}

/* The number of circuits of each kind and state, without the names of hosts. The circuits of the
 * database and of Redis are their connections: while they are down, one connection attempt at a
 * time is made. */
static void count_circuits(const char *kind, size_t out[CIRCUIT_STATES])
{
	bool is_db = strcmp(kind, "postgresql") == 0, up;

	if (!is_db && strcmp(kind, "redis") != 0) {
		breaker_count(kind, clock_now_us(), out);
		return;
	}
	up = is_db ? is_database_up() : !options.redis_url[0] || kv_is_up();
	memset(out, 0, CIRCUIT_STATES * sizeof(*out));
	out[up ? CIRCUIT_CLOSED : CIRCUIT_OPEN] = 1;
}

/* The worst state of the circuits of KIND. */
static enum circuit circuit_of_kind(const char *kind)
{
	size_t n[CIRCUIT_STATES];

	count_circuits(kind, n);
	return n[CIRCUIT_OPEN]        ? CIRCUIT_OPEN
	       : n[CIRCUIT_HALF_OPEN] ? CIRCUIT_HALF_OPEN
				      : CIRCUIT_CLOSED;
}

static void add_circuits(struct buf *b)
{
	for (size_t i = 0; i < ARRAY_LEN(circuit_kinds); i++)
		buf_addf(b, "%s\"%s\":\"%s\"", i ? "," : "", circuit_kinds[i],
			circuit_name(circuit_of_kind(circuit_kinds[i])));
}

/* What is sent to a part whose circuit is not closed waits. Whether a relay works is known only
 * from mail that was sent to it. */
static const char *sending_state(const char *kind, const char *url)
{
	return !url[0] ? "not configured" : circuit_of_kind(kind) == CIRCUIT_CLOSED ? "up" : "down";
}

static void circuit_metrics(struct buf *b)
{
	buf_adds(b, "# HELP sladesk_circuits Circuits that are not closed, by dependency and "
		    "state.\n# TYPE sladesk_circuits gauge\n");
	for (size_t i = 0; i < ARRAY_LEN(circuit_kinds); i++) {
		size_t n[CIRCUIT_STATES];

		count_circuits(circuit_kinds[i], n);
		for (int c = CIRCUIT_HALF_OPEN; c <= CIRCUIT_OPEN; c++)
			buf_addf(b, "sladesk_circuits{dependency=\"%s\",state=\"%s\"} %zu\n",
				circuit_kinds[i], circuit_name((enum circuit)c), n[c]);
	}
}

/* What is limited at present, as the text of a banner. It disappears by itself. */
struct outcome *service_status(struct req *req)
{
	bool db = is_database_up(), redis = !options.redis_url[0] || kv_is_up();
	size_t mail[CIRCUIT_STATES];
	struct buf b = { 0 };
	int n = 0;

	breaker_count("mail", clock_now_us(), mail);
	buf_addf(&b, "{\"degraded\":%s,\"limited\":[",
		db && redis && !mail[CIRCUIT_OPEN] ? "false" : "true");
	if (!db)
		buf_addf(&b, "{\"part\":\"database\",\"text\":\"%s\"}",
			req->zh ? "数据库暂不可用：仪表板显示最近一次的数据，暂时无法提交"
				: "the database is unavailable: dashboards show the last known "
				  "numbers, and changes cannot be saved"),
			n++;
	if (!redis)
		buf_addf(&b, "%s{\"part\":\"realtime\",\"text\":\"%s\"}", n++ ? "," : "",
			req->zh ? "实时推送可能稍有延迟" : "live updates may be delayed");
	if (mail[CIRCUIT_OPEN])
		buf_addf(&b, "%s{\"part\":\"mail\",\"text\":\"%s\"}", n ? "," : "",
			req->zh ? "邮件服务暂不可用：邮件将稍后送达"
				: "the mail server is unavailable: mails will be delivered later");
	buf_adds(&b, "]}");
	return req_reply_take(req, 200, &b);
}

struct outcome *readyz(struct req *req)
{
	struct db_health point = db_health(SQL_POINT), fire = db_health(SQL_FIRE),
			 job = db_health(SQL_CLASS_JOB), replica = db_health(SQL_REPLICA);
	struct engine_health engine = engine_health();
	bool ready = is_database_up() && engine.loaded && work_health(POOL_HASH).ready &&
		     app_schema_fits() && !app_draining();
	struct buf b = { 0 };
	struct outcome *o;

	buf_addf(&b, "{\"ready\":%s,\"dependencies\":{", ready ? "true" : "false");
	add_dependency(&b, "postgresql", point.up ? "up" : "down", point.since_us);
	add_dependency(&b, "postgresql_fire", fire.up ? "up" : "down", fire.since_us);
	add_dependency(&b, "postgresql_job", job.up ? "up" : "down", job.since_us);
	add_dependency(&b, "postgresql_replica",
		!options.database_replica_url[0] ? "not configured"
		: replica.up                     ? "up"
						 : "down",
		replica.since_us);
	add_dependency(&b, "redis",
		!options.redis_url[0] ? "not configured"
		: kv_is_up()          ? "up"
				      : "down",
		kv_since_us());
	add_dependency(&b, "mail", sending_state("mail", options.mail_url), 0);
	add_dependency(&b, "sms", sending_state("sms", options.sms_url), 0);
	add_dependency(&b, "helpers", work_state(), 0);
	add_dependency(&b, "schema", app_schema_fits() ? "fits" : "not checked yet", 0);
	add_dependency(&b, "timers", engine.loaded ? "loaded" : "loading", 0);
	buf_adds(&b, "},\"circuits\":{");
	add_circuits(&b);
	buf_adds(&b, "}}");
	o = req_reply_raw(req, ready ? 200 : 503, "application/json", NULL, b.p, b.n);
	buf_free(&b);
	return o;
}

static void gauge(struct buf *b, const char *name, const char *help, double v)
{
	metric_add(b, name, METRIC_GAUGE, help, v);
}

static void counter(struct buf *b, const char *name, const char *help, uint64_t v)
{
	metric_add(b, name, METRIC_COUNTER, help, (double)v);
}

/* Labels are route patterns, never paths or tenants, so that the cardinality stays bounded. */
static void http_metrics(struct buf *b)
{
	size_t n;
	const struct request_metrics *m = request_metrics(&n);

	buf_adds(b, "# HELP sladesk_http_requests_total Requests by route and status class.\n# "
		    "TYPE sladesk_http_requests_total counter\n");
	for (size_t i = 0; i < n; i++)
		for (int s = 1; s < 6; s++)
			if (m[i].count[s])
				buf_addf(b,
					"sladesk_http_requests_total{method=\"%s\",route=\"%s\","
					"status=\"%dxx\"} %llu\n",
					m[i].route ? http_method_name(m[i].route->method) : "",
					m[i].route ? m[i].route->path : "none", s,
					(unsigned long long)m[i].count[s]);
	buf_adds(b, "# HELP sladesk_http_request_seconds Time from the request's head to the "
		    "reply.\n# TYPE "
		    "sladesk_http_request_seconds histogram\n");
	for (size_t i = 0; i < n; i++) {
		const char *method = m[i].route ? http_method_name(m[i].route->method) : "",
			   *path = m[i].route ? m[i].route->path : "none";
		uint64_t sum = 0;

		for (int k = 0; k < 12; k++)
			sum += m[i].bucket[k];
		if (!sum)
			continue;
		sum = 0;
		for (int k = 0; k < 12; k++) {
			char le[16] = "+Inf";

			sum += m[i].bucket[k];
			if (k < 11)
				snprintf(le, sizeof(le), "%g", request_buckets[k]);
			buf_addf(b,
				"sladesk_http_request_seconds_bucket{method=\"%s\",route=\"%s\",le="
				"\"%s\"} %llu\n",
				method, path, le, (unsigned long long)sum);
		}
		buf_addf(b,
			"sladesk_http_request_seconds_sum{method=\"%s\",route=\"%s\"} "
			"%.6f\nsladesk_http_request_seconds_count{method=\"%s\",route=\"%s\"} "
			"%llu\n",
			method, path, m[i].sum_s, method, path, (unsigned long long)sum);
	}
}

static double resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (f && fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void engine_metrics(struct buf *b)
{
	struct engine_health e = engine_health();
	struct lease_health l = lease_health();
	int64_t recent = loop_longest_turn_us(true, NULL);

	gauge(b, "loop_stall_seconds", "Longest turn of the loop since the start.",
		(double)loop_longest_turn_us(false, NULL) / 1e6);
	gauge(b, "loop_stall_recent_seconds", "Longest turn of the loop since the last scrape.",
		(double)recent / 1e6);
	gauge(b, "sla_lag_seconds", "How long the oldest due deadline has waited to fire.",
		(double)e.lag_us / 1e6);
	gauge(b, "timers", "Entries in the timer heap.", (double)e.entries);
	gauge(b, "timers_bytes", "Memory of the timer heap.", (double)e.bytes);
	gauge(b, "timers_load_seconds", "Time the last load of the heap took.",
		(double)e.load_ms / 1e3);
	counter(b, "fires_total", "Tickets and timers fired.", e.fired);
	counter(b, "fires_failed_total", "Fire batches that were retried.", e.failed);
	gauge(b, "fires_parked",
		"Due deadlines that cannot be processed now and are retried at growing intervals.",
		(double)e.parked);
	counter(b, "timers_failed_total",
		"Timers given up after too many attempts; they need an operator.", e.timers_failed);
	counter(b, "fires_swept_total", "Due rows that the sweep found and the heap had missed.",
		e.swept);
	counter(b, "events_total", "Committed events delivered.", events_health().delivered);
	gauge(b, "shards_held", "Shards of the deadlines that this instance holds, of 64.",
		l.shards);
	gauge(b, "instances", "Instances that share the deadlines.", l.instances);
	gauge(b, "clock_skew_seconds",
		"The database's clock minus ours, beyond what the round trip explains.",
		(double)l.skew_us / 1e6);
	gauge(b, "calendars_without_next_year",
		"Calendars without dates for next year, checked in December.",
		rebind_missing_calendars());
}

static void database_metrics(struct buf *b)
{
	static const char *const classes[] = { "point", "slow", "fire", "job", "replica" };

	buf_adds(b, "# HELP sladesk_db_connections Connections ready, by class.\n# TYPE "
		    "sladesk_db_connections gauge\n");
	for (int i = 0; i < SQL_CLASSES; i++) {
		buf_addf(b, "sladesk_db_connections{class=\"%s\"} %d\n", classes[i],
			db_health((enum sql_class)i).ready);
	}
	buf_adds(b, "# HELP sladesk_db_waiting Calls waiting for a connection, by class.\n# TYPE "
		    "sladesk_db_waiting gauge\n");
	for (int i = 0; i < SQL_CLASSES; i++)
		buf_addf(b, "sladesk_db_waiting{class=\"%s\"} %d\n", classes[i],
			db_health((enum sql_class)i).waiting);
	counter(b, "db_calls_total", "Statements sent.", db_calls_total());
}

static void driver_metrics(struct buf *b)
{
	struct http_counts h = http_counts();

	gauge(b, "redis_up", "1 while Redis answers.", kv_is_up());
	counter(b, "redis_dropped_total", "Messages for Redis that were dropped.", kv_dropped());
	gauge(b, "http_connections", "Open connections.", (double)h.connections);
	counter(b, "http_accepted_total", "Connections accepted.", h.accepted);
	counter(b, "http_timeouts_total", "Connections closed for being slow.", h.timeouts);
	counter(b, "http_malformed_total", "Requests refused as malformed.", h.parse_errors);
	buf_adds(b, "# HELP sladesk_http_refused_total Connections refused because one address, "
		    "user or "
		    "unauthenticated feed address has too many.\n# TYPE sladesk_http_refused_total "
		    "counter\n");
	for (int i = 0; i < HTTP_OWNERS; i++)
		buf_addf(b, "sladesk_http_refused_total{limit=\"%s\"} %llu\n",
			http_owner_name((enum http_owner)i), (unsigned long long)h.refused[i]);
	counter(b, "http_accept_pauses_total", "Times accepting was paused.", h.accept_pauses);
	gauge(b, "http_guest_body_bytes", "Bytes in the bodies of requests without a session.",
		(double)h.guest_bytes);
	counter(b, "http_guest_refused_total",
		"Bodies of requests without a session refused for lack of room.", h.guest_refused);
}

static void cache_metrics(struct buf *b)
{
	struct cache_health k = cache_health();

	gauge(b, "answers_kept", "Results kept in memory.", (double)k.kept);
	counter(b, "answers_hits_total", "Results served from memory.", k.hits);
	counter(b, "answers_misses_total", "Results computed.", k.misses);
	counter(b, "answers_shared_total", "Results taken over from another instance.", k.shared);
	counter(b, "answers_replica_total", "Results computed on the read replica.", k.replica);
	counter(b, "answers_warmed_total", "Results computed in advance after the start.",
		k.warmed);
	counter(b, "answers_renewed_total", "Results recomputed before they expired.", k.renewed);
	counter(b, "answers_joined_total",
		"Requests that waited for the result of another request.", k.joined);
	counter(b, "answers_stale_total", "Stale results served while the database was down.",
		k.stale);
}

static void limit_metrics(struct buf *b)
{
	buf_adds(b, "# HELP sladesk_limited_total Requests refused by rate limits.\n# TYPE "
		    "sladesk_limited_total counter\n");
	for (int l = 0; l < LIMIT_COUNT; l++)
		buf_addf(b, "sladesk_limited_total{limit=\"%s\"} %llu\n", limit_name((enum limit)l),
			(unsigned long long)limit_refused((enum limit)l));
	gauge(b, "field_key_age_seconds",
		"Age of the newest data key; run sladesk keys rotate when it exceeds "
		"crypto.rotate_days.",
		fieldkeys_newest_s() ? (double)(clock_now_us() / US_PER_S - fieldkeys_newest_s())
				     : 0);
}

static void pool_metric(struct buf *b, const char *name, const char *type, const char *help,
	const double v[WORK_POOLS])
{
	buf_addf(b, "# HELP sladesk_helper_pool_%s %s\n# TYPE sladesk_helper_pool_%s %s\n", name,
		help, name, type);
	for (int i = 0; i < WORK_POOLS; i++)
		buf_addf(b, "sladesk_helper_pool_%s{pool=\"%s\"} %.9g\n", name,
			work_pool_name((enum work_pool)i), v[i]);
}

static void helper_metrics(struct buf *b)
{
	double ready[WORK_POOLS], busy[WORK_POOLS], queued[WORK_POOLS], jobs[WORK_POOLS],
		failed[WORK_POOLS], refused[WORK_POOLS], restarts[WORK_POOLS], seconds[WORK_POOLS];
	uint64_t all_restarts = 0;
	int all_ready = 0;

	for (int i = 0; i < WORK_POOLS; i++) {
		struct work_health h = work_health((enum work_pool)i);

		all_ready += h.ready;
		all_restarts += h.restarts;
		ready[i] = h.ready;
		busy[i] = h.busy;
		queued[i] = h.queued;
		jobs[i] = (double)h.jobs;
		failed[i] = (double)h.failed;
		refused[i] = (double)h.refused;
		restarts[i] = (double)h.restarts;
		seconds[i] = h.busy_s;
	}
	gauge(b, "helpers_ready", "Helper processes ready.", all_ready);
	counter(b, "helper_restarts_total", "Helper processes replaced.", all_restarts);
	pool_metric(b, "ready", "gauge", "Helper processes ready, by pool.", ready);
	pool_metric(b, "busy", "gauge", "Helper processes with a job.", busy);
	pool_metric(b, "queued", "gauge", "Jobs that wait for a helper.", queued);
	pool_metric(b, "jobs_total", "counter", "Jobs that ended, well or not.", jobs);
	pool_metric(b, "failed_total", "counter", "Jobs that failed.", failed);
	pool_metric(b, "refused_total", "counter", "Jobs that were refused.", refused);
	pool_metric(b, "restarts_total", "counter", "Helper processes replaced.", restarts);
	pool_metric(b, "seconds_total", "counter", "Time helpers spent on jobs.", seconds);
}

/* Letters, digits, blanks and points: nothing of it needs an escape. */
static void build_metrics(struct buf *b)
{
	buf_addf(b,
		"# HELP sladesk_build_info 1; the version, commit and compiler of this build.\n"
		"# TYPE sladesk_build_info gauge\n"
		"sladesk_build_info{version=\"%s\",commit=\"%s\",compiler=\"%s\"} 1\n",
		PACKAGE_VERSION, build_commit, build_compiler);
}

static void process_metrics(struct buf *b)
{
	build_metrics(b);
	helper_metrics(b);
	gauge(b, "fetch_running", "Outgoing transfers.", fetch_running());
	counter(b, "log_dropped_total", "Log lines that could not be written.", log_dropped());
	gauge(b, "resident_bytes", "Resident memory.", resident_bytes());
}

/* --- periodic work --- */

static const struct {
	const char *name, *type, *help;
} job_families[] = {
	{ "job_runs_total", "counter", "Runs of periodic work that ended." },
	{ "job_failures_total", "counter", "Runs of periodic work that failed." },
	{ "job_last_success_timestamp_seconds", "gauge",
		"When the last run succeeded; 0: not yet." },
	{ "job_last_duration_seconds", "gauge", "Time the last run took." },
};

struct job_page {
	uint32_t magic;
	struct buf *b;
	size_t family;
};
MAGIC(job_page, 0x923d564a);

static void add_job(void *arg, const struct job_health *h)
{
	const struct job_page *p = magic_cast(job_page, arg);
	double v[] = { (double)h->runs, (double)h->failed, (double)h->last_ok_us / 1e6,
		(double)h->last_duration_us / 1e6 };

	buf_addf(p->b, "sladesk_%s{job=\"%s\"} %.16g\n", job_families[p->family].name, h->name,
		v[p->family]);
}

static void job_metrics(struct buf *b)
{
	for (size_t i = 0; i < ARRAY_LEN(job_families); i++) {
		struct job_page p = { job_page_magic, b, i };

		buf_addf(b, "# HELP sladesk_%s %s\n# TYPE sladesk_%s %s\n", job_families[i].name,
			job_families[i].help, job_families[i].name, job_families[i].type);
		jobs_each(add_job, &p);
	}
}

static const struct {
	const char *name, *type, *help;
} follower_families[] = {
	{ "follower_waiting", "gauge", "Items that wait to be stored, by consumer." },
	{ "follower_stored_total", "counter", "Items stored, by consumer." },
	{ "follower_retried_total", "counter", "Batches that were retried, by consumer." },
	{ "follower_set_aside_total", "counter",
		"Items that could not be stored and were set aside, by consumer." },
};

static void add_follower(void *arg, const struct follower_health *h)
{
	const struct job_page *p = magic_cast(job_page, arg);
	uint64_t v[] = { h->waiting, h->done, h->retried, h->set_aside };

	buf_addf(p->b, "sladesk_%s{consumer=\"%s\"} %llu\n", follower_families[p->family].name,
		h->name, (unsigned long long)v[p->family]);
}

static void follower_metrics(struct buf *b)
{
	for (size_t i = 0; i < ARRAY_LEN(follower_families); i++) {
		struct job_page p = { job_page_magic, b, i };

		buf_addf(b, "# HELP sladesk_%s %s\n# TYPE sladesk_%s %s\n",
			follower_families[i].name, follower_families[i].help,
			follower_families[i].name, follower_families[i].type);
		followers_each(add_follower, &p);
	}
}

static bool all_covered(struct str list)
{
	while (list.n) {
		size_t n = 0;

		while (n < list.n && list.p[n] != ',' && list.p[n] != ' ')
			n++;
		if (n && !http_list_covers(options.metrics_allow, (struct str){ list.p, n }))
			return false;
		n += n < list.n;
		list = (struct str){ list.p + n, list.n - n };
	}
	return true;
}

/* What a proxy forwards comes from all the addresses that the proxies name, in however many
 * headers: the first of them may be the client's own. */
static bool is_near(const struct http_request *http)
{
	for (int i = 0; i < http->head.headers; i++) {
		struct str name = http->head.header[i].name;

		if (str_case_is(name, "forwarded") ||
			(str_case_is(name, "x-forwarded-for") &&
				!all_covered(http->head.header[i].value)))
			return false;
	}
	return http_list_covers(options.metrics_allow, str_of(http->peer));
}

/* The numbers tell how busy everybody is, so only the monitor reads them: from its addresses, or
 * with its token. */
static bool is_monitor(const struct req *req)
{
	struct str sent = http_header_find(&req->http->head, "authorization");
	char *token = secretfile_line(options.metrics_token_file);
	bool known = token && sent.n == strlen(token) + 7 &&
		     strncasecmp(sent.p, "bearer ", 7) == 0 &&
		     crypto_equal(sent.p + 7, token, sent.n - 7);

	free(token);
	return known || is_near(req->http);
}

struct outcome *metrics_page(struct req *req)
{
	struct outcome *out;
	struct buf b = { 0 };

	if (!is_monitor(req))
		return req_fail(req, ERR_FORBIDDEN,
			"{\"rule\":\"only from metrics.allow, or with the token of "
			"metrics.token_file\"}");
	engine_metrics(&b);
	circuit_metrics(&b);
	database_metrics(&b);
	driver_metrics(&b);
	cache_metrics(&b);
	limit_metrics(&b);
	job_metrics(&b);
	follower_metrics(&b);
	for (const struct feature *const *f = app_features; *f; f++)
		metrics_write(&b, (*f)->metrics);
	process_metrics(&b);
	http_metrics(&b);
	out = req_reply_raw(req, 200, "text/plain; version=0.0.4", NULL, b.p, b.n);
	buf_free(&b);
	return out;
}
