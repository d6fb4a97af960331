/* SPDX-License-Identifier: Apache-2.0
 * Committed events are read back in order of seq, which has no gaps within a tenant and equals
 * commit order. Hints only make a fetch happen soon; a sweep over the counters every 500 ms finds
 * what no hint announced. Positions are stored once a second, so after a crash consumers see some
 * events twice. */
#include "core/events.h"
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

static struct tenant *tenants; /* sorted by id */
static size_t tenant_count, tenant_cap;
static const struct consumer **listeners; /* tables, in the order of their registration */
static size_t listener_count;
static struct db_call fetch_call, counters_call, store_call, boot_call;
static struct buf fetch_tenants, fetch_after, store_tenants, store_seqs;
static char fetch_limit[8];
static int64_t fetch_from, fetched[TENANTS_A_FETCH];
static size_t fetched_n;
static bool fetching, sweeping, storing, booted, fetch_queued, running;
static struct events_health health;

static void fetch_events(void *arg);

static struct tenant *find_tenant(int64_t id, bool add)
{
	size_t lo = 0, hi = tenant_count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (tenants[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < tenant_count && tenants[lo].id == id)
		return &tenants[lo];
	if (!add)
		return NULL;
	if (tenant_count == tenant_cap) {
		tenant_cap = tenant_cap ? tenant_cap * 2 : 64;
		tenants = xrealloc(tenants, tenant_cap * sizeof(*tenants));
	}
	memmove(&tenants[lo + 1], &tenants[lo], (tenant_count - lo) * sizeof(*tenants));
	tenants[lo] = (struct tenant){ .id = id };
	tenant_count++;
	return &tenants[lo];
}

static void queue_fetch(void)
{
	if (fetching || fetch_queued || !booted)
		return;
	fetch_queued = true;
	later_call(fetch_events, NULL);
}

static void hint(int64_t tenant_id, bool ours)
{
	struct tenant *t;

	health.hints++;
	if (!running)
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

	return t && booted ? t->seq : -1;
}

struct events_health events_health(void)
{
	health.tenants = tenant_count;
	return health;
}

void events_listen(const struct consumer *table)
{
	listeners = xrealloc(listeners, (listener_count + 1) * sizeof(*listeners));
	listeners[listener_count++] = table;
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
	health.delivered++;
	for (size_t k = 0; k < listener_count; k++)
		for (const struct consumer *c = listeners[k]; c->name; c++)
			if (wants(c, e.type))
				c->fn(&e);
}

static void on_fetched(struct db_call *call, enum db_error error, const PGresult *rows)
{
	int n = error == DB_OK ? PQntuples(rows) : 0;

	(void)call;
	fetching = false;
	if (n)
		failpoint("events-fetched");
	for (int i = 0; i < n; i++)
		deliver(rows, i);
	if (n == FETCH_LIMIT) { /* the page was full: a tenant was cut off */
		fetch_from = db_int(rows, n - 1, 0);
		for (size_t i = 0; i < fetched_n; i++) {
			struct tenant *t = find_tenant(fetched[i], true);

			t->dirty = true;
			t->ours |= t->asked_ours;
		}
	}
	for (size_t i = 0; error == DB_OK && i < tenant_count; i++)
		if (tenants[i].dirty) {
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
	fetch_queued = false;
	if (fetching || !running)
		return;
	fetch_tenants.n = fetch_after.n = fetched_n = 0;
	while (first < tenant_count && tenants[first].id <= fetch_from)
		first++;
	for (size_t k = 0; k < tenant_count && fetched_n < TENANTS_A_FETCH; k++) {
		struct tenant *t = &tenants[(first + k) % tenant_count];

		if (!t->dirty)
			continue;
		t->dirty = false;
		t->asked_ours = t->ours;
		t->ours = false;
		buf_addf(&fetch_tenants, "%c%lld", fetched_n ? ',' : '{', (long long)t->id);
		buf_addf(&fetch_after, "%c%lld", fetched_n ? ',' : '{', (long long)t->seq);
		fetched[fetched_n++] = t->id;
	}
	if (!fetched_n)
		return;
	buf_addc(&fetch_tenants, '}');
	buf_addc(&fetch_after, '}');
	fetching = true;
	fetch_call = (struct db_call){ .stmt = &sql_bus_fetch,
		.ctx.role = DB_ROLE_JOB,
		.param = { buf_cstr(&fetch_tenants), buf_cstr(&fetch_after), fetch_limit },
		.on_done = on_fetched };
	db_exec(&fetch_call);
}

static void on_counters(struct db_call *call, enum db_error error, const PGresult *rows)
{
	bool any = false;

	(void)call;
	sweeping = false;
	for (int i = 0; error == DB_OK && i < PQntuples(rows); i++) {
		struct tenant *t = find_tenant(db_int(rows, i, 0), true);

		if (db_int(rows, i, 1) > t->seq)
			any = t->dirty = true;
	}
	if (any)
		queue_fetch();
}

static void sweep_counters(void *arg)
{
	(void)arg;
	if (sweeping || !booted || !running)
		return;
	sweeping = true;
	counters_call = (struct db_call){
		.stmt = &sql_bus_counters, .ctx.role = DB_ROLE_JOB, .on_done = on_counters
	};
	db_exec(&counters_call);
}

static void on_position_stored(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	(void)rows;
	storing = false;
	for (size_t i = 0; error != DB_OK && i < tenant_count; i++)
		tenants[i].stored_seq = -1;
}

static void store_positions(void *arg)
{
	int n = 0;

	(void)arg;
	if (storing || !booted || !running)
		return;
	store_tenants.n = store_seqs.n = 0;
	for (size_t i = 0; i < tenant_count && n < 1000; i++) {
		if (tenants[i].stored_seq == tenants[i].seq)
			continue;
		tenants[i].stored_seq = tenants[i].seq;
		buf_addf(&store_tenants, "%c%lld", n ? ',' : '{', (long long)tenants[i].id);
		buf_addf(&store_seqs, "%c%lld", n++ ? ',' : '{', (long long)tenants[i].seq);
	}
	if (!n)
		return;
	buf_addc(&store_tenants, '}');
	buf_addc(&store_seqs, '}');
	storing = true;
	store_call = (struct db_call){ .stmt = &sql_bus_position_set,
		.ctx.role = DB_ROLE_JOB,
		.param = { "bus", buf_cstr(&store_tenants), buf_cstr(&store_seqs) },
		.on_done = on_position_stored };
	db_exec(&store_call);
}

static void on_booted(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	sweeping = false;
	if (error != DB_OK)
		return; /* the next tick tries again */
	for (int i = 0; i < PQntuples(rows); i++) {
		struct tenant *t = find_tenant(db_int(rows, i, 0), true);

		t->seq = t->stored_seq = db_int(rows, i, 1);
	}
	booted = true;
	log_info(NULL, "bus ready tenants=%zu", tenant_count);
}

static void boot(void *arg)
{
	(void)arg;
	if (booted || sweeping || !running)
		return;
	sweeping = true;
	boot_call = (struct db_call){ .stmt = &sql_bus_position_get,
		.ctx.role = DB_ROLE_JOB,
		.param = { "bus" },
		.on_done = on_booted };
	db_exec(&boot_call);
}

void events_init(void)
{
	snprintf(fetch_limit, sizeof(fetch_limit), "%d", FETCH_LIMIT);
	running = true;
	boot(NULL);
	loop_every(200, boot, NULL);
	loop_every(500, sweep_counters, NULL);
	loop_every(1000, store_positions, NULL);
}

void events_free(void)
{
	running = booted = false;
	free(tenants);
	tenants = NULL;
	tenant_count = tenant_cap = 0;
	listener_count = 0;
	buf_free(&fetch_tenants);
	buf_free(&fetch_after);
	buf_free(&store_tenants);
	buf_free(&store_seqs);
}
