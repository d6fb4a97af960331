/* SPDX-License-Identifier: Apache-2.0
 * Committed events are read back in order of seq, which has no gaps within a tenant and equals
 * commit order. Hints only make a fetch happen soon; a sweep over the counters every 500 ms finds
 * what no hint announced. Positions are stored once a second, so after a crash consumers see some
 * events twice. */
#include "core/events.h"
#include "core/job.h"
#include "base/clock.h"
#include "base/log.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define FETCH_LIMIT 64 /* events per fetch: about 2 ms of work for the consumers */
#define TENANTS_A_FETCH 200

struct tenant {
	int64_t id, seq, stored_seq;
	bool dirty;
	bool ours, asked_ours; /* this instance committed something: the next fetched event gets the
				  flag */
};

static struct {
	struct tenant *tenants; /* sorted by id */
	size_t tenant_count, tenant_cap;
	const struct consumer **listeners; /* tables, in the order of their registration */
	size_t listener_count;
	struct db_call fetch_call;
	struct buf fetch_tenants, fetch_after, store_tenants, store_seqs;
	char fetch_limit[8];
	int64_t fetch_from, fetched[TENANTS_A_FETCH];
	size_t fetched_n;
	bool fetching, booted, fetch_queued, running;
	struct events_health health;
} events;

static void fetch_events(void *arg);

static struct tenant *find_tenant(int64_t id, bool add)
{
	size_t lo = 0, hi = events.tenant_count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (events.tenants[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < events.tenant_count && events.tenants[lo].id == id)
		return &events.tenants[lo];
	if (!add)
		return NULL;
	if (events.tenant_count == events.tenant_cap) {
		events.tenant_cap = events.tenant_cap ? events.tenant_cap * 2 : 64;
		events.tenants =
			xrealloc(events.tenants, events.tenant_cap * sizeof(*events.tenants));
	}
	memmove(&events.tenants[lo + 1], &events.tenants[lo],
		(events.tenant_count - lo) * sizeof(*events.tenants));
	events.tenants[lo] = (struct tenant){ .id = id };
	events.tenant_count++;
	return &events.tenants[lo];
}

static void queue_fetch(void)
{
	if (events.fetching || events.fetch_queued || !events.booted)
		return;
	events.fetch_queued = true;
	later_call(fetch_events, NULL);
}

static void hint(int64_t tenant_id, bool ours)
{
	struct tenant *t;

	events.health.hints++;
	if (!events.running)
		return;
	t = find_tenant(tenant_id, true);
	t->dirty = true;
	t->ours |= ours;
	queue_fetch();
}

void events_hint(int64_t tenant_id)
{
	hint(tenant_id, true);
}

void events_hint_remote(int64_t tenant_id)
{
	hint(tenant_id, false);
}

int64_t events_position(int64_t tenant_id)
{
	const struct tenant *t = find_tenant(tenant_id, false);

	return t && events.booted ? t->seq : -1;
}

struct events_health events_health(void)
{
	events.health.tenants = events.tenant_count;
	return events.health;
}

void events_listen(const struct consumer *table)
{
	events.listeners =
		xrealloc(events.listeners, (events.listener_count + 1) * sizeof(*events.listeners));
	events.listeners[events.listener_count++] = table;
}

static bool wants(const struct consumer *c, struct str type)
{
	size_t n = c->types ? strlen(c->types) : 0;

	return n <= type.n && (!n || memcmp(c->types, type.p, n) == 0);
}

struct desk_event event_of_row(const PGresult *r, int i)
{
	return (struct desk_event){ .tenant_id = db_int(r, i, 0),
		.seq = db_int(r, i, 1),
		.type = db_text(r, i, 2),
		.ticket_id = db_int(r, i, 3),
		.actor_kind = db_text(r, i, 4),
		.actor_id = db_int(r, i, 5),
		.audience = db_text(r, i, 6),
		.at = db_time(r, i, 7),
		.data = db_text(r, i, 8),
		.number = db_text(r, i, 9),
		.title = db_text(r, i, 10),
		.status = db_text(r, i, 11),
		.priority = db_text(r, i, 12),
		.urgent_at = db_time(r, i, 13),
		.urgent_clock = db_text(r, i, 14),
		.sla_high = (int)db_int(r, i, 15),
		.assignee_id = db_int(r, i, 16),
		.department = db_text(r, i, 17),
		.project = db_text(r, i, 18),
		.requester_id = db_int(r, i, 19) };
}

static void deliver(const PGresult *r, int i)
{
	struct desk_event e = event_of_row(r, i);
	struct tenant *t = find_tenant(e.tenant_id, true);

	if (e.seq <= t->seq)
		return;
	if (e.seq != t->seq + 1)
		log_error(NULL, "event gap tenant=%lld after=%lld got=%lld", (long long)e.tenant_id,
			(long long)t->seq, (long long)e.seq);
	t->seq = e.seq;
	e.ours = t->asked_ours;
	events.health.delivered++;
	for (size_t k = 0; k < events.listener_count; k++)
		for (const struct consumer *c = events.listeners[k]; c->name; c++)
			if (wants(c, e.type))
				c->fn(&e);
}

static void on_fetched(struct db_call *call, enum db_error error, const PGresult *rows)
{
	int n = error == DB_OK ? PQntuples(rows) : 0;

	(void)call;
	events.fetching = false;
	if (n)
		failpoint("events-fetched");
	for (int i = 0; i < n; i++)
		deliver(rows, i);
	if (n == FETCH_LIMIT) { /* the page was full: a tenant was cut off */
		events.fetch_from = db_int(rows, n - 1, 0);
		for (size_t i = 0; i < events.fetched_n; i++) {
			struct tenant *t = find_tenant(events.fetched[i], true);

			t->dirty = true;
			t->ours |= t->asked_ours;
		}
	}
	for (size_t i = 0; error == DB_OK && i < events.tenant_count; i++)
		if (events.tenants[i].dirty) {
			queue_fetch();
			break;
		}
}

/* The tenant at which the last full page was cut off comes last, so that no tenant starves the
 * others. */
static void fetch_events(void *arg)
{
	size_t first = 0;

	(void)arg;
	events.fetch_queued = false;
	if (events.fetching || !events.running)
		return;
	events.fetch_tenants.n = events.fetch_after.n = events.fetched_n = 0;
	while (first < events.tenant_count && events.tenants[first].id <= events.fetch_from)
		first++;
	for (size_t k = 0; k < events.tenant_count && events.fetched_n < TENANTS_A_FETCH; k++) {
		struct tenant *t = &events.tenants[(first + k) % events.tenant_count];

		if (!t->dirty)
			continue;
		t->dirty = false;
		t->asked_ours = t->ours;
		t->ours = false;
		buf_addf(&events.fetch_tenants, "%c%lld", events.fetched_n ? ',' : '{',
			(long long)t->id);
		buf_addf(&events.fetch_after, "%c%lld", events.fetched_n ? ',' : '{',
			(long long)t->seq);
		events.fetched[events.fetched_n++] = t->id;
	}
	if (!events.fetched_n)
		return;
	buf_addc(&events.fetch_tenants, '}');
	buf_addc(&events.fetch_after, '}');
	events.fetching = true;
	events.fetch_call = (struct db_call){ .stmt = &sql_bus_fetch,
		.ctx.role = DB_ROLE_JOB,
		.param = { buf_cstr(&events.fetch_tenants), buf_cstr(&events.fetch_after),
			events.fetch_limit },
		.on_done = on_fetched };
	db_exec(&events.fetch_call);
}

static void on_counters(struct job_run *run, enum db_error error, const PGresult *rows)
{
	bool any = false;

	for (int i = 0; error == DB_OK && i < PQntuples(rows); i++) {
		struct tenant *t = find_tenant(db_int(rows, i, 0), true);

		if (db_int(rows, i, 1) > t->seq)
			any = t->dirty = true;
	}
	if (any)
		queue_fetch();
	job_end(run, error == DB_OK ? JOB_DONE : JOB_FAILED);
}

static void on_booted(struct job_run *run, enum db_error error, const PGresult *rows)
{
	for (int i = 0; error == DB_OK && i < PQntuples(rows); i++) {
		struct tenant *t = find_tenant(db_int(rows, i, 0), true);

		t->seq = t->stored_seq = db_int(rows, i, 1);
	}
	if (error == DB_OK) {
		events.booted = true;
		log_info(NULL, "events ready tenants=%zu", events.tenant_count);
	}
	job_end(run, error == DB_OK ? JOB_DONE : JOB_FAILED);
}

/* Find events that no hint announced. The first run reads the positions from which this process
 * continues. */
static void sweep_counters(struct job_run *run)
{
	if (events.booted) {
		job_query(run, &sql_bus_counters, on_counters);
		return;
	}
	job_param_text(run, 0, "bus");
	job_query(run, &sql_bus_position_get, on_booted);
}

static void on_position_stored(struct job_run *run, enum db_error error, const PGresult *rows)
{
	(void)rows;
	for (size_t i = 0; error != DB_OK && i < events.tenant_count; i++)
		events.tenants[i].stored_seq = -1;
	job_end(run, error == DB_OK ? JOB_DONE : JOB_FAILED);
}

static void store_positions(struct job_run *run)
{
	int n = 0;

	events.store_tenants.n = events.store_seqs.n = 0;
	for (size_t i = 0; events.booted && i < events.tenant_count && n < 1000; i++) {
		if (events.tenants[i].stored_seq == events.tenants[i].seq)
			continue;
		events.tenants[i].stored_seq = events.tenants[i].seq;
		buf_addf(&events.store_tenants, "%c%lld", n ? ',' : '{',
			(long long)events.tenants[i].id);
		buf_addf(&events.store_seqs, "%c%lld", n++ ? ',' : '{',
			(long long)events.tenants[i].seq);
	}
	if (!n) {
		job_end(run, JOB_DONE);
		return;
	}
	buf_addc(&events.store_tenants, '}');
	buf_addc(&events.store_seqs, '}');
	job_param_text(run, 0, "bus");
	job_param_text(run, 1, buf_cstr(&events.store_tenants));
	job_param_text(run, 2, buf_cstr(&events.store_seqs));
	job_query(run, &sql_bus_position_set, on_position_stored);
}

static const struct job events_jobs[] = {
	{ "events_sweep", 500, .more_ms = 1, .at_start = true, .run = sweep_counters },
	{ "events_positions", 1000, .run = store_positions },
	{ 0 },
};

void events_init(void)
{
	snprintf(events.fetch_limit, sizeof(events.fetch_limit), "%d", FETCH_LIMIT);
	events.running = true;
	jobs_add(events_jobs);
}

void events_free(void)
{
	events.running = events.booted = false;
	free(events.tenants);
	events.tenants = NULL;
	events.tenant_count = events.tenant_cap = 0;
	events.listener_count = 0;
	buf_free(&events.fetch_tenants);
	buf_free(&events.fetch_after);
	buf_free(&events.store_tenants);
	buf_free(&events.store_seqs);
}
