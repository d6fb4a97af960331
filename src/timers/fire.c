/* SPDX-License-Identifier: Apache-2.0
 * A batch of due clocks: loaded, settled by the pure rules and stored by ONE array statement,
 * fenced by the fire rows. A batch waits for nobody: a ticket that is locked, unreadable, not
 * understood or refused leaves the batch and is parked alone (parked.c). */
#include "core/events.h"
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
	struct due due[BATCH_MAX];
	size_t n;
	bool parked;
	struct db_call call;
	struct buf tenants, ids, docs;
	int64_t loaded_at;
	int read; /* rows */
	struct item *item;
	size_t loaded, settled, sent;
};

static int64_t last_error_us;

static void batch_end(struct batch *b)
{
	for (size_t i = 0; i < b->loaded; i++)
		ticket_clear(&b->item[i].ticket);
	free(b->item);
	buf_free(&b->tenants);
	buf_free(&b->ids);
	buf_free(&b->docs);
	later_free(b);
	if (b->parked)
		engine.retries--;
	else
		engine.batches--;
	engine_arm();
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

static void park_all(struct batch *b, enum park_why why)
{
	for (size_t i = 0; i < b->n; i++)
		deadline_park(b->due[i].tenant_id, b->due[i].ticket_id, b->due[i].at_us, why);
	batch_end(b);
}

/* --- a batch that failed --- */

/* The database is down: the deadlines go back to the heap, due as they are, and are retried. */
static void batch_again(struct batch *b, enum db_error error)
{
	int64_t now = clock_mono_us();

	if (now - last_error_us > 10 * US_PER_S) {
		last_error_us = now;
		log_warn(NULL, "deadlines not fired yet; will retry n=%zu err=%s", b->n,
			db_error_name(error));
	}
	engine.health.failed++;
	for (size_t i = 0; i < b->n; i++) /* late since then, so that the lag is reported */
		deadline_recheck(b->due[i].tenant_id, b->due[i].ticket_id, b->due[i].at_us);
	engine.retry_after_us = now + 200000;
	batch_end(b);
}

/* One bad ticket must not hold up the others: a batch that the database refuses is halved down to
 * the single ticket, which is parked. The halves are sent separately, because the heap would join
 * them again. */
static void batch_halve(struct batch *b, enum db_error error)
{
	engine.health.failed++;
	if (b->n == 1) {
		park_all(b, error == DB_TIMEOUT ? PARK_BUSY : PARK_REFUSED);
		return;
	}
	fire_batch(b->due, b->n / 2, b->parked);
	fire_batch(b->due + b->n / 2, b->n - b->n / 2, b->parked);
	batch_end(b);
}

/* Locked tickets are skipped, so a lock time-out most likely comes from a customer's counter. Send
 * each customer's tickets separately; those of one customer wait. */
static void batch_part(struct batch *b)
{
	struct due part[BATCH_MAX];
	size_t left = b->n;

	engine.health.failed++;
	while (left) {
		int64_t tenant_id = b->due[0].tenant_id;
		size_t n = 0, kept = 0;

		for (size_t i = 0; i < left; i++)
			if (b->due[i].tenant_id == tenant_id)
				part[n++] = b->due[i];
			else
				b->due[kept++] = b->due[i];
		if (n == b->n) {
			park_all(b, PARK_BUSY);
			return;
		}
		fire_batch(part, n, b->parked);
		left = kept;
	}
	batch_end(b);
}

/* --- store --- */

static void on_batch_stored(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct batch *b = call->arg;

	if (error != DB_OK) {
		if (db_is_away(error))
			batch_again(b, error);
		else if (error == DB_RETRY)
			batch_part(b);
		else
			batch_halve(b, error);
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
	batch_end(b);
}

static void batch_store(struct batch *b)
{
	if (!b->sent) {
		batch_end(b);
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
			PARK_NOT_UNDERSTOOD); /* its row is due, but by our rules nothing is */
	} else {
		deadline_set(t, r); /* moved meanwhile: only the heap was behind */
	}
	ticket_doc_free(&d);
}

/* The version is not cached: the ticket leaves the batch and comes back with the version. */
struct wanted {
	struct due due;
};

static void on_version(void *arg, const struct sla_version *v, enum db_error error)
{
	struct wanted *w = arg;

	if (v)
		deadline_recheck(w->due.tenant_id, w->due.ticket_id, w->due.at_us);
	else
		deadline_park(w->due.tenant_id, w->due.ticket_id, w->due.at_us,
			error == DB_FAILED ? PARK_NOT_UNDERSTOOD : PARK_BUSY);
	free(w);
	engine_arm();
}

static void want_version(const struct batch *b, const struct ticket *t)
{
	struct wanted *w = xmalloc(sizeof(*w));

	w->due = (struct due){ t->tenant_id, t->id, due_of(b, t->id) };
	versions_get(t->policy_id, t->calendar_id, on_version, w);
}

/* Settle the loaded tickets, one slice per turn. */
static void batch_go_on(void *arg)
{
	struct batch *b = arg;
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
	struct batch *b = arg;
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
	struct batch *b = call->arg;

	if (error == DB_OK) {
		b->item = xcalloc((size_t)PQntuples(rows) + 1, sizeof(*b->item));
		batch_read(b);
	} else if (db_is_away(error) || error == DB_RETRY) {
		batch_again(b, error);
	} else {
		batch_halve(b, error);
	}
}

static void batch_load(struct batch *b)
{
	buf_addc(&b->tenants, '{');
	buf_addc(&b->ids, '{');
	for (size_t i = 0; i < b->n; i++) {
		buf_addf(&b->tenants, "%s%lld", i ? "," : "", (long long)b->due[i].tenant_id);
		buf_addf(&b->ids, "%s%lld", i ? "," : "", (long long)b->due[i].ticket_id);
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

void fire_batch(const struct due *due, size_t n, bool parked)
{
	struct batch *b = xcalloc(1, sizeof(*b));

	memcpy(b->due, due, n * sizeof(*due));
	b->n = n;
	b->parked = parked;
	if (parked)
		engine.retries++;
	else
		engine.batches++;
	batch_load(b);
}
