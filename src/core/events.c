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
	bool ours, asked_ours; /* this instance committed something; the event being fetched carries
				  the flag */
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
} bus;

static void fetch_events(void *arg);

static struct tenant *find_tenant(int64_t id, bool add)
{
	size_t lo = 0, hi = bus.tenant_count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (bus.tenants[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < bus.tenant_count && bus.tenants[lo].id == id)
		return &bus.tenants[lo];
	if (!add)
		return NULL;
	if (bus.tenant_count == bus.tenant_cap) {
		bus.tenant_cap = bus.tenant_cap ? bus.tenant_cap * 2 : 64;
		bus.tenants = xrealloc(bus.tenants, bus.tenant_cap * sizeof(*bus.tenants));
	}
	memmove(&bus.tenants[lo + 1], &bus.tenants[lo],
		(bus.tenant_count - lo) * sizeof(*bus.tenants));
	bus.tenants[lo] = (struct tenant){ .id = id };
	bus.tenant_count++;
	return &bus.tenants[lo];
}

static void queue_fetch(void)
{
	if (bus.fetching || bus.fetch_queued || !bus.booted)
		return;
	bus.fetch_queued = true;
	later_call(fetch_events, NULL);
}

static void hint(int64_t tenant_id, bool ours)
{
	struct tenant *t;

	bus.health.hints++;
	if (!bus.running)
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

void bus_hint_remote(int64_t tenant_id)
{
	hint(tenant_id, false);
}

int64_t events_position(int64_t tenant_id)
{
	const struct tenant *t = find_tenant(tenant_id, false);

	return t && bus.booted ? t->seq : -1;
}

struct events_health events_health(void)
{
	bus.health.tenants = bus.tenant_count;
	return bus.health;
}

void events_listen(const struct consumer *table)
{
	bus.listeners = xrealloc(bus.listeners, (bus.listener_count + 1) * sizeof(*bus.listeners));
	bus.listeners[bus.listener_count++] = table;
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
	bus.health.delivered++;
	for (size_t k = 0; k < bus.listener_count; k++)
		for (const struct consumer *c = bus.listeners[k]; c->name; c++)
			if (wants(c, e.type))
				c->fn(&e);
}

static void on_fetched(struct db_call *call, enum db_error error, const PGresult *rows)
{
	int n = error == DB_OK ? PQntuples(rows) : 0;

	(void)call;
	bus.fetching = false;
	if (n)
		failpoint("events-fetched");
	for (int i = 0; i < n; i++)
		deliver(rows, i);
	if (n == FETCH_LIMIT) { /* the page was full: a tenant was cut off */
		bus.fetch_from = db_int(rows, n - 1, 0);
		for (size_t i = 0; i < bus.fetched_n; i++) {
			struct tenant *t = find_tenant(bus.fetched[i], true);

			t->dirty = true;
			t->ours |= t->asked_ours;
		}
	}
	for (size_t i = 0; error == DB_OK && i < bus.tenant_count; i++)
		if (bus.tenants[i].dirty) {
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
	bus.fetch_queued = false;
	if (bus.fetching || !bus.running)
		return;
	bus.fetch_tenants.n = bus.fetch_after.n = bus.fetched_n = 0;
	while (first < bus.tenant_count && bus.tenants[first].id <= bus.fetch_from)
		first++;
	for (size_t k = 0; k < bus.tenant_count && bus.fetched_n < TENANTS_A_FETCH; k++) {
		struct tenant *t = &bus.tenants[(first + k) % bus.tenant_count];

		if (!t->dirty)
			continue;
		t->dirty = false;
		t->asked_ours = t->ours;
		t->ours = false;
		buf_addf(&bus.fetch_tenants, "%c%lld", bus.fetched_n ? ',' : '{', (long long)t->id);
		buf_addf(&bus.fetch_after, "%c%lld", bus.fetched_n ? ',' : '{', (long long)t->seq);
		bus.fetched[bus.fetched_n++] = t->id;
	}
	if (!bus.fetched_n)
		return;
	buf_addc(&bus.fetch_tenants, '}');
	buf_addc(&bus.fetch_after, '}');
	bus.fetching = true;
	bus.fetch_call = (struct db_call){ .stmt = &sql_bus_fetch,
		.ctx.role = DB_ROLE_JOB,
		.param = { buf_cstr(&bus.fetch_tenants), buf_cstr(&bus.fetch_after),
			bus.fetch_limit },
		.on_done = on_fetched };
	db_exec(&bus.fetch_call);
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
		bus.booted = true;
		log_info(NULL, "bus ready tenants=%zu", bus.tenant_count);
	}
	job_end(run, error == DB_OK ? JOB_MORE : JOB_FAILED);
}

/* Find what no hint told of; at first, where this process goes on from. */
static void sweep_counters(struct job_run *run)
{
	if (bus.booted) {
		job_query(run, &sql_bus_counters, on_counters);
		return;
	}
	job_param_text(run, 0, "bus");
	job_query(run, &sql_bus_position_get, on_booted);
}

static void on_position_stored(struct job_run *run, enum db_error error, const PGresult *rows)
{
	(void)rows;
	for (size_t i = 0; error != DB_OK && i < bus.tenant_count; i++)
		bus.tenants[i].stored_seq = -1;
	job_end(run, error == DB_OK ? JOB_DONE : JOB_FAILED);
}

static void store_positions(struct job_run *run)
{
	int n = 0;

	bus.store_tenants.n = bus.store_seqs.n = 0;
	for (size_t i = 0; bus.booted && i < bus.tenant_count && n < 1000; i++) {
		if (bus.tenants[i].stored_seq == bus.tenants[i].seq)
			continue;
		bus.tenants[i].stored_seq = bus.tenants[i].seq;
		buf_addf(&bus.store_tenants, "%c%lld", n ? ',' : '{', (long long)bus.tenants[i].id);
		buf_addf(&bus.store_seqs, "%c%lld", n++ ? ',' : '{', (long long)bus.tenants[i].seq);
	}
	if (!n) {
		job_end(run, JOB_DONE);
		return;
	}
	buf_addc(&bus.store_tenants, '}');
	buf_addc(&bus.store_seqs, '}');
	job_param_text(run, 0, "bus");
	job_param_text(run, 1, buf_cstr(&bus.store_tenants));
	job_param_text(run, 2, buf_cstr(&bus.store_seqs));
	job_query(run, &sql_bus_position_set, on_position_stored);
}

static const struct job bus_jobs[] = {
	{ "events_sweep", 500, .more_ms = 1, .at_start = true, .run = sweep_counters },
	{ "events_positions", 1000, .run = store_positions },
	{ 0 },
};

void events_init(void)
{
	snprintf(bus.fetch_limit, sizeof(bus.fetch_limit), "%d", FETCH_LIMIT);
	bus.running = true;
	jobs_add(bus_jobs);
}

void events_free(void)
{
	bus.running = bus.booted = false;
	free(bus.tenants);
	bus.tenants = NULL;
	bus.tenant_count = bus.tenant_cap = 0;
	bus.listener_count = 0;
	buf_free(&bus.fetch_tenants);
	buf_free(&bus.fetch_after);
	buf_free(&bus.store_tenants);
	buf_free(&bus.store_seqs);
}
