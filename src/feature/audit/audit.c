/* SPDX-License-Identifier: Apache-2.0
 * The audit log: every request of an authenticated caller that changes something, every access to
 * sensitive data, every login and every failure becomes a row. Rows gather for a moment and are
 * stored together, in order. Plain reads are counted by user, route and minute. While the database
 * is down, rows wait; what it refuses, and what there is no room for, goes into the server's log.
 * Only a killed process loses the last moment. */
#include "audit.h"
#include "trail_rows.h"
#include "anchor.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "core/contract.h"
#include "core/follower.h"
#include "core/hooks.h"
#include "crypto/field.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define GATHER_US 200000
#define BATCH 200
#define WAITING_MAX 20000
#define READS_MAX 512
#define OBJECTS_MAX 50 /* named in a row of counted reads */
#define LISTS_MAX 20   /* different lists in such a row */
#define MINUTE_MS 60000

struct row {
	int64_t tenant_id;
	char *json;
};

static struct follower *storing;
static struct buf doc;
static uint64_t refused; /* by the database: only in the server's log */

/* --- storing --- */

/* If the result is unknown, the rows may have been stored, and then they exist twice; missing rows
 * would be worse. */
static void on_stored(struct db_call *call, enum db_error error, const PGresult *r)
{
	(void)r;
	follower_end(call->arg, error);
}

static void store_rows(struct follower_run *run)
{
	const struct row *row = run->item;

	doc.n = 0;
	for (size_t i = 0; i < run->n; i++) {
		buf_addc(&doc, i ? ',' : '[');
		buf_adds(&doc, row[i].json);
	}
	buf_addc(&doc, ']');
	run->call = (struct db_call){ .stmt = &sql_audit_append,
		.ctx.role = DB_ROLE_JOB,
		.param = { buf_cstr(&doc) },
		.on_done = on_stored,
		.arg = run };
	db_exec(&run->call);
}

static int64_t tenant_of(const void *item)
{
	return ((const struct row *)item)->tenant_id;
}

/* The server's log keeps a row that the database refuses, or that it could not take in time. */
static void set_aside(const void *item, enum db_error error)
{
	log_error(NULL, "audit row refused by the database, kept in this log only row=%s err=%s",
		((const struct row *)item)->json, db_error_name(error));
	refused++;
}

static void free_row(void *item)
{
	free(((struct row *)item)->json);
}

static const struct follower_kind storing_kind = { .name = "audit",
	.item_size = sizeof(struct row),
	.batch = BATCH,
	.max = WAITING_MAX,
	.gather_us = GATHER_US,
	.run = store_rows,
	.set_aside = set_aside,
	.set_aside_at_end = true,
	.group = tenant_of, /* each tenant has a chain, and a lock for it */
	.item_free = free_row };

/* --- the rows --- */

/* The first MAX characters of a client's text; "?" if it is not text. */
static struct str printable(struct str v, size_t max)
{
	if (!v.n)
		return (struct str){ "", 0 };
	if (!utf8_is_valid(v.p, v.n) || str_chr(v, 0))
		return STR("?");
	return utf8_head(v, max);
}

void audit_add_text(struct buf *b, const char *name, struct str v, size_t max)
{
	struct str shown = printable(v, max);

	buf_addf(b, ",\"%s\":", name);
	buf_add_json(b, shown.p, shown.n);
}

/* Like add_text, but encrypted as COLUMN. */
static void add_sealed(struct buf *b, const char *name, const char *column, struct str v)
{
	struct buf text = { 0 };

	if (!field_keys_ready()) {
		audit_add_text(b, name, v, 200);
		return;
	}
	field_seal(&text, column, v, clock_now_us() / US_PER_S);
	buf_addf(b, ",\"%s\":\"%s\"", name, buf_cstr(&text));
	buf_free(&text);
}

void audit_add_details(struct buf *b, const char *json)
{
	struct buf text = { 0 };

	if (field_keys_ready()) {
		field_seal(&text, "details", str_of(json), clock_now_us() / US_PER_S);
		buf_addf(b, ",\"details\":\"%s\"}", buf_cstr(&text));
	} else {
		buf_addf(b, ",\"details\":%s}", json);
	}
	buf_free(&text);
}

/* What was changed, as members of the details; what did not fit is counted. */
static void add_changes(struct buf *details, const struct db_trail *t)
{
	if (t->n)
		buf_addf(details, ",\"changes\":[%.*s]", (int)t->changes.n, t->changes.p);
	if (t->more)
		buf_addf(details, ",\"more\":%d", t->more);
}

/* Where a page is and how long, not what is on it. */
static bool is_place(struct str part)
{
	return (part.n > 7 && memcmp(part.p, "cursor=", 7) == 0) ||
	       (part.n > 6 && memcmp(part.p, "limit=", 6) == 0);
}

/* Which objects a list showed: their ids, or if they are many, how many and between which ids; and
 * the filter. A cursor is not one: the ids say where the page was. */
static void add_listed(struct buf *b, const struct req *req)
{
	const struct listed *l = &req->listed;
	struct buf filter = { 0 };

	for (struct str rest = req->query; rest.n;) {
		const char *end = str_chr(rest, '&');
		struct str one = { rest.p, end ? (size_t)(end - rest.p) : rest.n };

		if (one.n && !is_place(one)) {
			if (filter.n)
				buf_addc(&filter, '&');
			buf_add(&filter, one.p, one.n);
		}
		rest = end ? (struct str){ end + 1, rest.n - one.n - 1 } : (struct str){ "", 0 };
	}
	buf_addf(b, "{\"count\":%lld", (long long)l->n);
	if (l->ids && l->n <= LISTED_IDS) {
		for (int i = 0; i < l->ids; i++)
			buf_addf(b, "%s%lld", i ? "," : ",\"ids\":[", (long long)l->id[i]);
		buf_addc(b, ']');
	} else if (l->ids) {
		buf_addf(b, ",\"lowest_id\":%lld,\"highest_id\":%lld", (long long)l->lowest,
			(long long)l->highest);
	}
	if (filter.n)
		audit_add_text(b, "filter", (struct str){ filter.p, filter.n }, 200);
	buf_addc(b, '}');
	buf_free(&filter);
}

void audit_append(int64_t tenant_id, struct buf *b)
{
	follower_add(storing, &(struct row){ tenant_id, buf_take(b) });
}

static void add_row(struct req *req, const struct http_request *http, int64_t tenant_id,
	const char *kind, int64_t actor_id, const char *username, const char *operation,
	const char *result, int status)
{
	struct buf b = { 0 }, details = { 0 };

	buf_addf(&b, "{\"tenant_id\":%lld,\"at\":%lld,\"actor_kind\":\"%s\",\"actor_id\":%lld",
		(long long)tenant_id, (long long)clock_now_us(), kind, (long long)actor_id);
	audit_add_text(&b, "username", str_of(username), 100);
	audit_add_text(&b, "operation", str_of(operation), 100);
	audit_add_text(&b, "resource", http ? http->head.path : (struct str){ "", 0 }, 200);
	buf_addf(&b, ",\"result\":\"%s\",\"status\":%d", result, status);
	add_sealed(&b, "address", "ip_address",
		printable(str_of(http && http->peer ? http->peer : ""), 60));
	add_sealed(&b, "user_agent", "user_agent",
		printable(
			http ? http_header_find(&http->head, "user-agent") : (struct str){ "", 0 },
			200));
	buf_addf(&b, ",\"request_id\":\"%s\"", req->id);
	buf_addf(&details, "{\"took_ms\":%lld",
		(long long)((clock_mono_us() - req->began_us) / 1000));
	if (req->listed.any) {
		buf_adds(&details, ",\"list\":");
		add_listed(&details, req);
	}
	add_changes(&details, &req->trail);
	db_trail_clear(&req->trail); /* they are in one row only */
	buf_addc(&details, '}');
	audit_add_details(&b, buf_cstr(&details));
	buf_free(&details);
	audit_append(tenant_id, &b);
}

static void note_unknown(struct req *req, int64_t tenant_id, bool staff, int64_t actor_id,
	const char *username, const char *operation, const char *result, int status)
{
	add_row(req, req->http, tenant_id, staff ? "staff" : "customer", actor_id, username,
		operation, result, status);
}

/* Name the operation: tickets.reply, users.read, …: the names in the path and, if the last segment
 * is an object, what was done to it. */
static void name_operation(const struct route *r, char *out, size_t size)
{
	static const char *const verbs[HTTP_METHODS] = { [HTTP_GET] = "read",
		[HTTP_HEAD] = "read",
		[HTTP_POST] = "create",
		[HTTP_PUT] = "update",
		[HTTP_DELETE] = "delete" };
	bool thing = true, after_id = false;
	size_t n = 0;

	out[0] = 0;
	for (const char *p = r->path; *p;) {
		size_t len = strcspn(p + 1, "/");
		struct str s = { p + 1, len };

		p += len + 1;
		if (str_is(s, "api") || str_is(s, "v1") || str_is(s, "client") ||
			str_is(s, "admin"))
			continue;
		if (len && s.p[0] == '{') {
			thing = after_id = true;
			continue;
		}
		thing = !(after_id && r->method == HTTP_POST);
		n += (size_t)snprintf(out + n, size - n, "%s%.*s", n ? "." : "", (int)s.n, s.p);
		if (n >= size)
			n = size - 1;
	}
	if (thing)
		snprintf(out + n, size - n, ".%s", verbs[r->method] ? verbs[r->method] : "other");
}

/* --- plain reads, counted per minute --- */

static struct reads {
	const struct route *route;
	enum actor_kind kind;
	int64_t tenant_id, actor_id, n;
	char *username;
	struct buf objects; /* what the paths named, as the members of a JSON array; each once */
	int objects_n;
	bool objects_more;
	struct buf lists; /* what lists showed, in the same way */
	uint64_t list[LISTS_MAX];
	int lists_n;
	bool lists_more;
} reads[READS_MAX];
static size_t reads_n;

static void store_reads(void)
{
	for (size_t i = 0; i < reads_n; i++) {
		const struct reads *r = &reads[i];
		char operation[100];
		struct buf b = { 0 }, details = { 0 };

		name_operation(r->route, operation, sizeof(operation));
		buf_addf(&b,
			"{\"tenant_id\":%lld,\"at\":%lld,\"actor_kind\":\"%s\",\"actor_id\":%lld",
			(long long)r->tenant_id, (long long)clock_now_us(),
			actor_kind_name(r->kind), (long long)r->actor_id);
		audit_add_text(&b, "username", str_of(r->username), 100);
		audit_add_text(&b, "operation", str_of(operation), 100);
		audit_add_text(&b, "resource", str_of(r->route->path), 200);
		buf_adds(&b, ",\"result\":\"success\",\"status\":200,\"address\":\"\",\"user_"
			     "agent\":\"\","
			     "\"request_id\":\"\"");
		buf_addf(&details, "{\"reads\":%lld", (long long)r->n);
		if (r->objects_n)
			buf_addf(&details, ",\"objects\":[%s]%s", buf_cstr(&reads[i].objects),
				r->objects_more ? ",\"more\":true" : "");
		if (r->lists_n)
			buf_addf(&details, ",\"lists\":[%s]%s", buf_cstr(&reads[i].lists),
				r->lists_more ? ",\"more_lists\":true" : "");
		buf_addc(&details, '}');
		audit_add_details(&b, buf_cstr(&details));
		audit_append(r->tenant_id, &b);
		buf_free(&details);
		buf_free(&reads[i].objects);
		buf_free(&reads[i].lists);
		free(r->username);
	}
	reads_n = 0;
}

/* Remember which object was read: the parts of PATH that stand for {…} in the route. */
static void note_object(struct reads *r, struct str path)
{
	struct buf name = { 0 }, item = { 0 };
	const char *p = path.p, *end = path.p + path.n;

	for (const char *t = r->route->path; *t == '/' && p < end;) {
		size_t tn = 1 + strcspn(t + 1, "/"), pn = 1;

		while (p + pn < end && p[pn] != '/')
			pn++;
		if (t[1] == '{') {
			if (name.n)
				buf_addc(&name, '/');
			buf_add(&name, p + 1, pn - 1);
		}
		t += tn;
		p += pn;
	}
	if (name.n) {
		struct str shown = printable((struct str){ name.p, name.n }, 60);

		buf_add_json(&item, shown.p, shown.n);
		if (r->objects.n && strstr(buf_cstr(&r->objects), buf_cstr(&item)))
			; /* it is there */
		else if (r->objects_n == OBJECTS_MAX)
			r->objects_more = true;
		else
			buf_addf(&r->objects, "%s%s", r->objects_n++ ? "," : "", buf_cstr(&item));
	}
	buf_free(&name);
	buf_free(&item);
}

/* A page that is shown again and again, as by a dashboard, is the same list. */
static uint64_t list_hash(const struct req *req)
{
	const struct listed *l = &req->listed;
	uint64_t h = 14695981039346656037ULL;

	for (int i = 0; i < l->ids; i++)
		h = (h ^ (uint64_t)l->id[i]) * 1099511628211ULL;
	h = (h ^ (uint64_t)l->n) * 1099511628211ULL;
	h = (h ^ (uint64_t)l->lowest) * 1099511628211ULL;
	h = (h ^ (uint64_t)l->highest) * 1099511628211ULL;
	for (size_t i = 0; i < req->query.n; i++)
		h = (h ^ (unsigned char)req->query.p[i]) * 1099511628211ULL;
	return h;
}

static void note_list(struct reads *r, const struct req *req)
{
	uint64_t h = list_hash(req);

	for (int i = 0; i < r->lists_n; i++)
		if (r->list[i] == h)
			return;
	if (r->lists_n == LISTS_MAX) {
		r->lists_more = true;
		return;
	}
	if (r->lists_n)
		buf_addc(&r->lists, ',');
	add_listed(&r->lists, req);
	r->list[r->lists_n++] = h;
}

static void count_read(const struct session *s, const struct req *req, struct str path)
{
	const struct route *route = req->route;
	size_t i = 0;

	while (i < reads_n &&
		!(reads[i].route == route && reads[i].actor_id == s->actor_id &&
			reads[i].tenant_id == s->tenant_id && reads[i].kind == s->actor))
		i++;
	if (i == READS_MAX) {
		store_reads();
		i = 0;
	}
	if (i == reads_n) {
		reads[reads_n++] = (struct reads){ .route = route,
			.kind = s->actor,
			.tenant_id = s->tenant_id,
			.actor_id = s->actor_id,
			.username = xstrdup(s->username[0] ? s->username : s->name) };
	}
	reads[i].n++;
	note_object(&reads[i], path);
	if (req->listed.any)
		note_list(&reads[i], req);
}

static void count_minute(struct job_run *run)
{
	store_reads();
	job_end(run, JOB_DONE);
}

static void on_request(struct req *req, const struct http_request *http, int status)
{
	const struct session *s = req->session;
	char operation[100];

	if (!s || !req->route || !s->tenant_id) {
		if (req->trail.n) /* by somebody who is not logged in: no row has named it */
			audit_background(req->route && req->route->contract
						 ? req->route->contract->name
						 : "request",
				&req->trail);
		return;
	}
	if ((req->route->method == HTTP_GET || req->route->method == HTTP_HEAD) &&
		!req->route->sensitive && status != 403 && !req->trail.n) {
		if (status < 400)
			count_read(s, req, http ? http->head.path : (struct str){ "", 0 });
		return;
	}
	name_operation(req->route, operation, sizeof(operation));
	audit_customers(req, operation, status);
	add_row(req, http, s->tenant_id, actor_kind_name(s->actor), s->actor_id,
		s->username[0] ? s->username : s->name, operation,
		status < 400   ? "success"
		: status < 500 ? "refused"
			       : "error",
		status);
}

static void audit_free(void)
{
	anchor_free();
	follower_free(storing);
	storing = NULL;
	buf_free(&doc);
}

/* --- the interface --- */

static void audit_init(void)
{
	anchor_init();
	storing = follower_new(&storing_kind);
	request_on_end(on_request);
	db_on_changes(audit_background);
	hooks.audit_note = note_unknown;
}

/* Store the gathered rows before the database is closed. */
static bool is_busy(void)
{
	store_reads();
	follower_hurry(storing);
	return follower_waiting(storing) && db_health(SQL_CLASS_JOB).up;
}

static double read_audit_waiting(void)
{
	return (double)follower_waiting(storing);
}

static double read_audit_stored_total(void)
{
	return (double)follower_done(storing);
}

static double read_audit_refused_total(void)
{
	return (double)refused;
}

static const struct metric metrics[] = {
	{ "audit_waiting", METRIC_GAUGE, "Rows of the audit log that are not stored yet.",
		read_audit_waiting },
	{ "audit_stored_total", METRIC_COUNTER, "Rows of the audit log stored.",
		read_audit_stored_total },
	{ "audit_refused_total", METRIC_COUNTER,
		"Audit rows that the database refused; they are in the server's log only.",
		read_audit_refused_total },
	{ "audit_anchors_total", METRIC_COUNTER, "Anchors of the audit log signed.",
		anchor_read_total },
	{ "audit_anchor_faults", METRIC_GAUGE,
		"1 if the file of anchors cannot be written, or it and the database contradict "
		"each "
		"other.",
		anchor_read_faults },
	{ 0 },
};

static enum check_state check_audit(struct buf *more)
{
	buf_addf(more, ",\"rows_waiting\":%zu", follower_waiting(storing));
	return refused || anchor_is_failing() ? CHECK_DEGRADED : CHECK_HEALTHY;
}

static const struct check checks[] = { { "audit", false, check_audit }, { 0 } };
static const struct job jobs[] = {
	{ "audit_reads", MINUTE_MS, .run = count_minute },
	{ "audit_anchor", ANCHOR_DAY_MS, .claim = true, .run = anchor_day },
	{ "audit_sign", ANCHOR_SIGN_MS, .claim = true, .run = anchor_sign },
	{ 0 },
};

const struct feature audit_feature = {
	.name = "audit",
	.routes = audit_routes,
	.init = audit_init,
	.check_settings = anchor_check,
	.busy = is_busy,
	.free = audit_free,
	.jobs = jobs,
	.metrics = metrics,
	.checks = checks,
};
