/* SPDX-License-Identifier: Apache-2.0
 * A batch of due clocks: loaded, settled by the pure rules and stored by ONE array statement,
 * fenced by the fire rows. A batch waits for no ticket: one that is locked, unreadable, not
 * understood or refused leaves the batch and is parked alone (parked.c). */
#include "core/events.h"
#include "base/magic.h"
#include "core/follower.h"
#include "base/log.h"
#include "desk/command.h"
#include "desk/versions.h"
#include "inner.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdlib.h>

#define SLICE_US 2000 /* time for settling or reading in one turn */

struct item {
	struct ticket ticket;
	const struct sla_version *version;
	bool row_due; /* due according to its row when it was loaded */
	bool sent, stored;
};

struct batch {
	uint32_t magic;
	struct follower_run *run;
	const struct due *due; /* N of the run */
	size_t n;
	struct db_call call;
	struct buf tenants, ids, docs;
	int64_t loaded_at;
	int read; /* rows */
	struct item *item;
	size_t loaded, settled, sent;
};
MAGIC(batch, 0x9a31c9ff);

/* Due tickets, and tickets that have been parked before. The latter are tried in batches of their
 * own, so that what delays them delays no others. */
static struct follower *fires, *retries;

static void batch_end(struct batch *b, enum db_error error)
{
	for (size_t i = 0; i < b->loaded; i++)
		ticket_clear(&b->item[i].ticket);
	free(b->item);
	buf_free(&b->tenants);
	buf_free(&b->ids);
	buf_free(&b->docs);
	engine.health.failed += error != DB_OK;
	follower_end(b->run, error);
	later_free(b);
	engine_batch_ended();
}

static int64_t due_of(const struct batch *b, int64_t ticket_id)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->due[i].ticket_id == ticket_id)
			return b->due[i].at_us;
	return clock_now_us();
}

static void park_ticket(const struct batch *b, const struct ticket *t, enum park_why why)
{
	deadline_park(t->tenant_id, t->id, due_of(b, t->id), why);
}

/* --- a batch that failed (see core/follower.h) --- */

/* Return the items, still due, because the database is away: the lag shows them. */
static void give_back(const void *item, size_t n, enum db_error error)
{
	const struct due *due = item;

	(void)error;
	for (size_t i = 0; i < n; i++)
		deadline_recheck(due[i].tenant_id, due[i].ticket_id, due[i].at_us);
	engine.retry_after_us = clock_mono_us() + 200000;
}

static void park_item(const void *item, enum db_error error)
{
	const struct due *due = item;

	deadline_park(due->tenant_id, due->ticket_id, due->at_us,
		error == DB_TIMEOUT || error == DB_BUSY || error == DB_RETRY ? PARK_BUSY
									     : PARK_REFUSED);
}

/* Park the items of a customer whose lock the statement did not get in time. It skips locked
 * tickets, so the lock is the customer's, most likely that of its counter. */
static void park_locked(const void *item, size_t n)
{
	for (size_t i = 0; i < n; i++)
		park_item((const struct due *)item + i, DB_RETRY);
}

static int64_t tenant_of(const void *item)
{
	return ((const struct due *)item)->tenant_id;
}

/* --- store --- */

static void on_batch_stored(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct batch *b = magic_cast(batch, call->arg);

	if (error != DB_OK) {
		batch_end(b, error);
		return;
	}
	failpoint("fire-stored");
	engine.retry_after_us = 0;
	for (int i = 0; i < PQntuples(rows); i++) {
		int64_t id = db_int(rows, i, 2);

		events_hint(db_int(rows, i, 1));
		for (size_t k = 0; k < b->loaded; k++) {
			struct item *it = &b->item[k];

			if (it->ticket.id != id || it->stored)
				continue;
			it->stored = true;
			engine.health.fired++;
			deadline_set(&it->ticket,
				(struct sla_rules){ &it->version->policy, it->version->calendar });
			break;
		}
	}
	/* Tickets that did not come back are locked, or have been changed meanwhile. */
	for (size_t k = 0; k < b->loaded; k++)
		if (b->item[k].sent && !b->item[k].stored)
			park_ticket(b, &b->item[k].ticket, PARK_BUSY);
	batch_end(b, DB_OK);
}

static void batch_store(struct batch *b)
{
	if (!b->sent) {
		batch_end(b, DB_OK);
		return;
	}
	failpoint("fire-settled");
	buf_addc(&b->docs, ']');
	b->call = (struct db_call){ .stmt = &sql_sla_fire,
		.ctx.role = DB_ROLE_JOB,
		.param = { buf_cstr(&b->docs) },
		.on_done = on_batch_stored,
		.arg = b };
	db_exec(&b->call);
}

/* --- settle --- */

static void batch_settle(struct batch *b, struct item *it)
{
	struct ticket *t = &it->ticket;
	struct sla_rules r = { &it->version->policy, it->version->calendar };
	struct ticket_doc d = { .at = t->last_at };
	int64_t now = clock_now_us(), at = now > t->last_at ? now : t->last_at + 1;

	if (ticket_settle(t, r, &d, at)) {
		buf_addc(&b->docs, b->sent++ ? ',' : '[');
		ticket_doc_write(&d, t, r, (int)b->sent - 1, false, &b->docs);
		buf_addc(&b->docs, '}');
		it->sent = true;
	} else if (it->row_due) {
		park_ticket(b, t,
			PARK_NOT_UNDERSTOOD); /* its row is due, but our rules find nothing due */
	} else {
		deadline_set(t, r); /* its deadline was moved, and only the heap did not know */
	}
	ticket_doc_free(&d);
}

/* The version is not cached: the ticket leaves the batch and comes back with the version. */
struct wanted {
	uint32_t magic;
	struct due due;
};
MAGIC(wanted, 0xd53440b2);

static void on_version(void *arg, const struct sla_version *v, enum db_error error)
{
	struct wanted *w = magic_cast(wanted, arg);

	if (v)
		deadline_recheck(w->due.tenant_id, w->due.ticket_id, w->due.at_us);
	else
		deadline_park(w->due.tenant_id, w->due.ticket_id, w->due.at_us,
			error == DB_FAILED ? PARK_NOT_UNDERSTOOD : PARK_BUSY);
	magic_end(w);
	free(w);
	engine_arm();
}

static void want_version(const struct batch *b, const struct ticket *t)
{
	struct wanted *w = magic_new(wanted);

	w->due = (struct due){ t->tenant_id, t->id, due_of(b, t->id) };
	versions_get(t->policy_id, t->calendar_id, on_version, w);
}

/* Settle the loaded tickets, one slice per turn. */
static void batch_go_on(void *arg)
{
	struct batch *b = magic_cast(batch, arg);
	int64_t began = clock_mono_us();

	for (; b->settled < b->loaded; b->settled++) {
		struct item *it = &b->item[b->settled];

		if (clock_mono_us() - began > SLICE_US) {
			later_call(batch_go_on, b);
			return;
		}
		if (it->ticket.muted) {
			deadline_forget(it->ticket.id);
			continue;
		}
		it->version = versions_find(it->ticket.policy_id, it->ticket.calendar_id);
		if (it->version)
			batch_settle(b, it);
		else
			want_version(b, &it->ticket);
	}
	batch_store(b);
}

/* --- load --- */

static bool was_loaded(const struct batch *b, int64_t ticket_id)
{
	for (int i = 0; i < b->read; i++)
		if (db_int(b->call.rows, i, 2) == ticket_id)
			return true;
	return false;
}

static void batch_read_row(struct batch *b, int row)
{
	const PGresult *rows = b->call.rows;
	struct item *it = &b->item[b->loaded];
	struct str doc = db_text(rows, row, 0);

	it->row_due = !db_is_null(rows, row, 3) && db_time(rows, row, 3) <= b->loaded_at;
	if (ticket_read(doc.p, doc.n, &it->ticket)) {
		b->loaded++;
		return;
	}
	deadline_park(db_int(rows, row, 1), db_int(rows, row, 2), due_of(b, db_int(rows, row, 2)),
		PARK_UNREADABLE);
	ticket_clear(&it->ticket);
}

/* Read the loaded rows, one slice per turn. */
static void batch_read(void *arg)
{
	struct batch *b = magic_cast(batch, arg);
	int64_t began = clock_mono_us();

	for (; b->read < PQntuples(b->call.rows); b->read++) {
		if (clock_mono_us() - began > SLICE_US) {
			later_call(batch_read, b);
			return;
		}
		batch_read_row(b, b->read);
	}
	for (size_t i = 0; i < b->n; i++)
		if (!was_loaded(b, b->due[i].ticket_id))
			deadline_forget(b->due[i].ticket_id); /* it no longer exists */
	PQclear(b->call.rows);
	b->call.rows = NULL;
	batch_go_on(b);
}

static void on_batch_loaded(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct batch *b = magic_cast(batch, call->arg);

	if (error != DB_OK) { /* only locks of whole tables can have delayed it, so all wait */
		batch_end(b, error == DB_RETRY ? DB_BUSY : error);
		return;
	}
	b->item = xcalloc((size_t)PQntuples(rows) + 1, sizeof(*b->item));
	batch_read(b);
}

/* Several clocks of one ticket are due. */
static bool is_repeated(const struct batch *b, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (b->due[k].ticket_id == b->due[i].ticket_id)
			return true;
	return false;
}

static void batch_load(struct batch *b)
{
	buf_addc(&b->tenants, '{');
	buf_addc(&b->ids, '{');
	for (size_t i = 0; i < b->n; i++) {
		const char *comma = b->ids.n > 1 ? "," : "";

		if (is_repeated(b, i))
			continue;
		buf_addf(&b->tenants, "%s%lld", comma, (long long)b->due[i].tenant_id);
		buf_addf(&b->ids, "%s%lld", comma, (long long)b->due[i].ticket_id);
	}
	buf_addc(&b->tenants, '}');
	buf_addc(&b->ids, '}');
	b->loaded_at = clock_now_us();
	b->call = (struct db_call){ .stmt = &sql_sla_load_due,
		.ctx.role = DB_ROLE_JOB,
		.param = { buf_cstr(&b->tenants), buf_cstr(&b->ids) },
		.keep_rows = true,
		.on_done = on_batch_loaded,
		.arg = b };
	db_exec(&b->call);
}

static void batch_start(struct follower_run *run)
{
	struct batch *b = magic_new(batch);

	*b = (struct batch){ .magic = batch_magic, .run = run, .due = run->item, .n = run->n };
	batch_load(b);
	engine_arm(); /* more can gather meanwhile */
}

/* --- the interface --- */

static const struct follower_kind fires_kind = { .name = "fires",
	.item_size = sizeof(struct due),
	.batch = BATCH_MAX,
	.max = 8 * BATCH_MAX,
	.parallel = 2, /* one loads while the other stores */
	.run = batch_start,
	.set_aside = park_item,
	.group = tenant_of,
	.locked = park_locked,
	.away = give_back };

static const struct follower_kind retries_kind = { .name = "fires_parked",
	.item_size = sizeof(struct due),
	.batch = BATCH_MAX,
	.max = 8 * BATCH_MAX,
	.run = batch_start,
	.set_aside = park_item,
	.group = tenant_of,
	.locked = park_locked,
	.away = give_back };

void fire_add(const struct due *due)
{
	follower_add(fires, due);
}

size_t fire_gathered(void)
{
	return follower_gathered(fires);
}

bool fire_add_parked(const struct due *due)
{
	if (follower_waiting(retries) >= BATCH_MAX)
		return false;
	follower_add(retries, due);
	return true;
}

void fire_init(void)
{
	fires = follower_new(&fires_kind);
	retries = follower_new(&retries_kind);
}

void fire_free(void)
{
	follower_free(fires);
	follower_free(retries);
	fires = retries = NULL;
}
