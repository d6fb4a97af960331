/* SPDX-License-Identifier: Apache-2.0
 * A batch of clocks that are due: loaded, settled by the pure rules and stored as ONE array
 * statement, fenced by the fire rows. */
#include "core/events.h"
#include "base/log.h"
#include "desk/command.h"
#include "desk/versions.h"
#include "inner.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdlib.h>

#define SLICE_US 2000 /* of settling or reading, a turn */

struct batch {
	struct due due[BATCH_MAX];
	size_t n;
	struct db_call call;
	struct buf tenants, ids, docs;
	struct ticket *tickets;
	int read; /* rows */
	size_t loaded, waiting_versions, settled, stored;
	const struct sla_version **versions;
	bool failed;
};

static int64_t last_error_us;

static void batch_free(struct batch *b)
{
	for (size_t i = 0; i < b->loaded; i++)
		ticket_clear(&b->tickets[i]);
	free(b->tickets);
	free(b->versions);
	buf_free(&b->tenants);
	buf_free(&b->ids);
	buf_free(&b->docs);
	later_free(b);
	engine.batches--;
}

/* The batch could not be done: its items go back, due as they are, and are tried again. */
static void batch_again(struct batch *b, enum db_error error)
{
	int64_t now = clock_mono_us();

	if (now - last_error_us > 10 * US_PER_S) {
		last_error_us = now;
		log_warn(NULL, "fires wait n=%zu err=%s", b->n, db_error_name(error));
	}
	engine.health.failed++;
	for (size_t i = 0; i < b->n; i++) /* late since then: the lag must say so */
		deadline_recheck(b->due[i].tenant_id, b->due[i].ticket_id, b->due[i].at_us);
	engine.retry_after_us = now + (error == DB_RETRY ? 20000 : 200000);
	batch_free(b);
	engine_arm();
}

static void on_batch_stored(struct db_call *call, enum db_error error, const PGresult *rows);

/* One bad ticket must not hold up the rest: a batch the database refuses is cut in half down to the
 * one, which is set aside. */
static void batch_halve(struct batch *b)
{
	if (b->n == 1) {
		log_error(NULL, "fire set aside tenant=%lld ticket=%lld: the database refuses it",
			(long long)b->due[0].tenant_id, (long long)b->due[0].ticket_id);
		engine.health.failed++;
		deadline_recheck(
			b->due[0].tenant_id, b->due[0].ticket_id, clock_now_us() + 300 * US_PER_S);
		batch_free(b);
		engine_arm();
		return;
	}
	/* by themselves: the heap would put the parts together again */
	fire_batch(b->due, b->n / 2);
	fire_batch(b->due + b->n / 2, b->n - b->n / 2);
	engine.health.failed++;
	batch_free(b);
	engine_arm();
}

static void batch_settle(struct batch *b, struct ticket *t, struct sla_rules r)
{
	struct ticket_doc d = { .at = t->last_at };
	int64_t now = clock_now_us(), at = now > t->last_at ? now : t->last_at + 1;

	if (ticket_settle(t, r, &d, at)) {
		buf_addc(&b->docs, b->stored++ ? ',' : '[');
		ticket_doc_write(&d, t, r, (int)b->stored - 1, false, &b->docs);
		buf_addc(&b->docs, '}');
	} else {
		deadline_set(t, r); /* moved meanwhile: only the heap was behind */
	}
	ticket_doc_free(&d);
}

static void batch_store(struct batch *b)
{
	if (!b->stored) {
		batch_free(b);
		engine_arm();
		return;
	}
	failpoint("fire-settled");
	buf_addc(&b->docs, ']');
	b->call = (struct db_call){ .stmt = &sql_sla_fire,
		.param = { buf_cstr(&b->docs) },
		.on_done = on_batch_stored,
		.arg = b };
	db_exec(&b->call);
}

/* Settle what was loaded, a slice a turn. */
static void batch_go_on(void *arg)
{
	struct batch *b = arg;
	int64_t began = clock_mono_us();

	for (; b->settled < b->loaded; b->settled++) {
		const struct sla_version *v = b->versions[b->settled];

		if (clock_mono_us() - began > SLICE_US) {
			later_call(batch_go_on, b);
			return;
		}
		if (!b->tickets[b->settled].muted)
			batch_settle(b, &b->tickets[b->settled],
				(struct sla_rules){ &v->policy, v->calendar });
	}
	batch_store(b);
}

static void on_batch_stored(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct batch *b = call->arg;

	if (error == DB_FAILED || error == DB_CONFLICT || error == DB_MISSING ||
		error == DB_FORBIDDEN) {
		batch_halve(b);
		return;
	}
	if (error != DB_OK) {
		batch_again(b, error);
		return;
	}
	failpoint("fire-stored");
	engine.retry_after_us = 0;
	for (int i = 0; i < PQntuples(rows); i++) {
		int64_t id = db_int(rows, i, 2);

		events_hint(db_int(rows, i, 1));
		for (size_t k = 0; k < b->loaded; k++)
			if (b->tickets[k].id == id) {
				deadline_set(
					&b->tickets[k], (struct sla_rules){ &b->versions[k]->policy,
								b->versions[k]->calendar });
				engine.health.fired++;
				b->tickets[k].id = 0;
				break;
			}
	}
	/* Those that did not come back were changed by somebody meanwhile: look again. */
	for (size_t k = 0; (size_t)PQntuples(rows) < b->stored && k < b->loaded; k++)
		if (b->tickets[k].id && !b->tickets[k].muted)
			deadline_recheck(b->tickets[k].tenant_id, b->tickets[k].id, clock_now_us());
	batch_free(b);
	engine_arm();
}

struct version_slot {
	struct batch *b;
	size_t i;
};

static void batch_version_came(struct batch *b)
{
	if (--b->waiting_versions)
		return;
	if (b->failed)
		batch_again(b, DB_DOWN);
	else
		later_call(batch_go_on, b);
}

static void on_version(void *arg, const struct sla_version *v)
{
	struct version_slot s = *(struct version_slot *)arg;

	free(arg);
	s.b->versions[s.i] = v;
	s.b->failed |= !v;
	batch_version_came(s.b);
}

static void batch_ask_versions(struct batch *b)
{
	b->versions = xcalloc(b->loaded + 1, sizeof(*b->versions));
	b->waiting_versions = b->loaded + 1; /* one for this loop, as answers may come at once */
	for (size_t i = 0; i < b->loaded; i++) {
		struct version_slot *s = xmalloc(sizeof(*s));

		*s = (struct version_slot){ b, i };
		versions_get(b->tickets[i].policy_id, b->tickets[i].calendar_id, on_version, s);
	}
	batch_version_came(b);
}

/* Read what was loaded, a slice a turn. */
static void batch_read(void *arg)
{
	struct batch *b = arg;
	int64_t began = clock_mono_us();

	for (; b->read < PQntuples(b->call.rows); b->read++) {
		struct str doc = db_text(b->call.rows, b->read, 0);

		if (clock_mono_us() - began > SLICE_US) {
			later_call(batch_read, b);
			return;
		}
		if (ticket_read(doc.p, doc.n, &b->tickets[b->loaded]))
			b->loaded++;
		else
			ticket_clear(&b->tickets[b->loaded]);
	}
	PQclear(b->call.rows);
	b->call.rows = NULL;
	batch_ask_versions(b);
}

static void on_batch_loaded(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct batch *b = call->arg;

	if (error != DB_OK) {
		batch_again(b, error);
		return;
	}
	b->tickets = xcalloc((size_t)PQntuples(rows) + 1, sizeof(*b->tickets));
	batch_read(b);
}

static void batch_start(struct batch *b)
{
	buf_addc(&b->tenants, '{');
	buf_addc(&b->ids, '{');
	for (size_t i = 0; i < b->n; i++) {
		buf_addf(&b->tenants, "%s%lld", i ? "," : "", (long long)b->due[i].tenant_id);
		buf_addf(&b->ids, "%s%lld", i ? "," : "", (long long)b->due[i].ticket_id);
	}
	buf_addc(&b->tenants, '}');
	buf_addc(&b->ids, '}');
	b->call = (struct db_call){ .stmt = &sql_sla_load_due,
		.param = { buf_cstr(&b->tenants), buf_cstr(&b->ids) },
		.keep_rows = true,
		.on_done = on_batch_loaded,
		.arg = b };
	db_exec(&b->call);
}

void fire_batch(const struct due *due, size_t n)
{
	struct batch *b = xcalloc(1, sizeof(*b));

	engine.batches++;
	memcpy(b->due, due, n * sizeof(*due));
	b->n = n;
	batch_start(b);
}
