/* SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"
#include "base/clock.h"
#include "feature/feature.h"
#include "loop/loop.h"

#include <stdio.h>
#include <stdlib.h>

#define BUCKETS 1024
#define KEPT_MAX 4096
#define STALE_MAX_US (24 * 3600 * US_PER_S)

struct kept {
	struct kept *next;
	char *key, *body;
	size_t n;
	int64_t tenant_id, at_us; /* wall clock: it is told */
	uint64_t generation;
};

struct flight {
	struct list node, waiters;
	struct db_call call;
	struct answer_plan plan;
	char *texts; /* of the plan and the context */
	struct buf body;
	int step;
	uint64_t generation;
};

struct waiter {
	struct list node;
	struct req *req;
	char arg[sizeof(((struct answer_plan *)0)->arg)];
};

struct generation {
	int64_t tenant_id;
	uint64_t n;
};

static struct kept *buckets[BUCKETS];
static size_t kept_n;
static struct list flights;
static struct generation *generations;
static size_t generation_n;
static struct answers_health health;

struct answers_health answers_health(void)
{
	health.kept = kept_n;
	return health;
}

/* --- generations --- */

static uint64_t *generation_of(int64_t tenant_id)
{
	for (size_t i = 0; i < generation_n; i++)
		if (generations[i].tenant_id == tenant_id)
			return &generations[i].n;
	generations = xrealloc(generations, (generation_n + 1) * sizeof(*generations));
	generations[generation_n] = (struct generation){ tenant_id, 0 };
	return &generations[generation_n++].n;
}

void answers_outdate(int64_t tenant_id)
{
	++*generation_of(tenant_id);
}

/* --- what is kept --- */

static struct kept **slot_of(const char *key)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (const char *p = key; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return &buckets[h % BUCKETS];
}

static struct kept *find(const char *key)
{
	for (struct kept *k = *slot_of(key); k; k = k->next)
		if (strcmp(k->key, key) == 0)
			return k;
	return NULL;
}

static void forget_all(void)
{
	for (int i = 0; i < BUCKETS; i++)
		while (buckets[i]) {
			struct kept *k = buckets[i];

			buckets[i] = k->next;
			free(k->key);
			free(k->body);
			free(k);
		}
	kept_n = 0;
}

static void keep(const struct flight *f)
{
	struct kept *k = find(f->plan.key), **slot;

	if (!k) {
		if (kept_n >= KEPT_MAX)
			forget_all();
		k = xcalloc(1, sizeof(*k));
		k->key = xstrdup(f->plan.key);
		slot = slot_of(k->key);
		k->next = *slot;
		*slot = k;
		kept_n++;
	}
	free(k->body);
	k->body = xstrndup(f->body.p, f->body.n);
	k->n = f->body.n;
	k->tenant_id = f->plan.tenant_id;
	k->at_us = clock_now_us();
	k->generation = f->generation;
}

/* --- giving --- */

static struct outcome *give(struct req *req, const struct answer_plan *plan, const char *arg,
	const char *body, size_t n, int64_t at_us, bool stale)
{
	static struct buf b;

	b.n = 0;
	buf_addc(&b, '{');
	if (plan->pick)
		plan->pick(&b, body, n, arg);
	else
		buf_add(&b, body, n);
	buf_adds(&b, ",\"last_updated\":");
	buf_add_time_json(&b, at_us);
	if (stale) {
		buf_adds(&b, ",\"stale\":true,\"as_of\":");
		buf_add_time_json(&b, at_us);
	}
	buf_addc(&b, '}');
	return req_reply(req, 200, b.p, b.n);
}

static struct outcome *give_stale(
	struct req *req, const struct answer_plan *plan, const char *arg, enum db_error error)
{
	const struct kept *k = find(plan->key);

	if (!k || clock_now_us() - k->at_us > STALE_MAX_US)
		return req_fail_db(req, error);
	health.stale++;
	return give(req, plan, arg, k->body, k->n, k->at_us, true);
}

/* --- asking --- */

static void end_flight(struct flight *f, enum db_error error, bool found)
{
	int64_t now = clock_now_us();

	if (error == DB_OK && found)
		keep(f);
	list_remove(&f->node);
	while (!list_is_empty(&f->waiters)) {
		struct waiter *w = list_entry(f->waiters.next, struct waiter, node);
		struct req *req = w->req;

		list_remove(&w->node);
		req->waiting = false;
		req_continue(req,
			error != DB_OK ? give_stale(req, &f->plan, w->arg, error)
			: !found       ? req_fail(req, ERR_NOT_FOUND, NULL)
				 : give(req, &f->plan, w->arg, f->body.p, f->body.n, now, false));
	}
	buf_free(&f->body);
	free(f->texts);
	later_free(f);
}

static void ask(struct flight *f);

static void on_rows(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct flight *f = call->arg;
	bool found = error == DB_OK && f->plan.add(&f->body, f->step, rows, f->plan.arg);

	if (!found || ++f->step == ANSWER_STEPS || !f->plan.stmt[f->step])
		end_flight(f, error, found);
	else
		ask(f);
}

static void ask(struct flight *f)
{
	f->call.stmt = f->plan.stmt[f->step];
	memcpy(f->call.param, f->plan.param[f->step], sizeof(f->call.param));
	f->call.on_done = on_rows;
	f->call.arg = f;
	db_exec(&f->call);
}

/* The plan outlives the request that brought it: its texts move into one block of the flight's own.
 */
static void own_texts(struct flight *f, const struct req *req)
{
	struct buf b = { 0 };
	const char **texts[3 + ANSWER_STEPS * SQL_PARAMS_MAX];
	size_t at[3 + ANSWER_STEPS * SQL_PARAMS_MAX], n = 0;

	f->call.ctx = session_context(req->session);
	texts[n++] = &f->plan.key;
	texts[n++] = &f->call.ctx.tenants;
	texts[n++] = &f->call.ctx.scope;
	for (int s = 0; s < ANSWER_STEPS; s++)
		for (int i = 0; i < SQL_PARAMS_MAX; i++)
			if (f->plan.param[s][i])
				texts[n++] = &f->plan.param[s][i];
	for (size_t i = 0; i < n; i++) {
		at[i] = b.n;
		buf_adds(&b, *texts[i] ? *texts[i] : "");
		buf_addc(&b, 0);
	}
	f->texts = buf_take(&b);
	for (size_t i = 0; i < n; i++)
		*texts[i] = f->texts + at[i];
}

/* One that was begun before an event may not hold it: only those of this generation are joined. */
static struct flight *flight_of(const char *key, uint64_t generation)
{
	for (struct list *n = flights.next; n != &flights; n = n->next) {
		struct flight *f = list_entry(n, struct flight, node);

		if (f->generation == generation && strcmp(f->plan.key, key) == 0)
			return f;
	}
	return NULL;
}

struct outcome *answers_give(struct req *req, const struct answer_plan *plan, bool fresh)
{
	const struct kept *k = find(plan->key);
	uint64_t generation = *generation_of(plan->tenant_id);
	struct flight *f;
	struct waiter *w;
	int64_t wait;

	if (!fresh && k && k->generation == generation &&
		clock_now_us() - k->at_us < plan->max_age_s * US_PER_S) {
		health.hits++;
		return give(req, plan, plan->arg, k->body, k->n, k->at_us, false);
	}
	if (fresh && k && (wait = limit_take(LIMIT_FRESH, req_user_key(req))))
		return req_too_often(req, LIMIT_FRESH, wait);
	f = flight_of(plan->key, generation);
	if (!f) {
		health.misses++;
		f = xcalloc(1, sizeof(*f));
		f->plan = *plan;
		f->generation = generation;
		list_init(&f->waiters);
		list_add_tail(&flights, &f->node);
		own_texts(f, req);
		ask(f);
	} else {
		health.joined++;
	}
	w = arena_alloc(&req->arena, sizeof(*w));
	w->req = req;
	memcpy(w->arg, plan->arg, sizeof(w->arg));
	list_add_tail(&f->waiters, &w->node);
	req->waiting = true;
	return req_wait(req);
}

void answers_init(void)
{
	list_init(&flights);
}

void answers_free(void)
{
	forget_all();
	free(generations);
	generations = NULL;
	generation_n = 0;
}
