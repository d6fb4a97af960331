/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cache_inner.h"
#include "core/events.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "kv/kv.h"
#include "loop/loop.h"

#include <stdio.h>
#include <stdlib.h>

#define BUCKETS 1024
#define ENTRIES_MAX 4096
#define STALE_MAX_US (24 * 3600 * US_PER_S)
/* after this share of a result's lifetime, the next request starts its recomputation */
#define RENEW_FROM 0.8
#define UNSHARED_US (900 * US_PER_S) /* longer than any result is kept */

const char cache_now[] = "now";

struct cache_entry {
	struct cache_entry *next;
	struct cache_key key;
	char *body;
	size_t n;
	int64_t at_us; /* wall clock, because it is reported to the client */
	uint64_t generation;
};

struct waiter {
	struct list node;
	struct req *req;
	uint32_t wanted;
};

struct generation {
	int64_t tenant_id;
	uint64_t n;
	int64_t seq;               /* seq up to which events are counted; 0: not known yet */
	int64_t unshared_until_us; /* other instances may have stored older results in Redis */
};

static struct {
	struct cache_entry *buckets[BUCKETS];
	size_t entry_n;
	struct list flights;
	struct generation *generations;
	size_t generation_n;
	struct cache_health health;
	bool running;
	const struct sql_stmt *position_stmt;
} cache;
static bool (*all_counted)(void);

struct cache_health cache_health(void)
{
	cache.health.kept = cache.entry_n;
	return cache.health;
}

bool cache_is_running(void)
{
	return cache.running;
}

/* --- keys --- */

/* The length comes first, so that no two lists of texts have the same key. */
static void add_text(struct buf *b, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (s)
		buf_add_int(b, (int64_t)n);
	buf_addc(b, s ? ':' : '-');
	buf_add(b, s ? s : "", n);
}

/* The key contains everything that row-level security reads, everything that affects how the result
 * is written, and the query itself. Two users with the same scope have different keys, because each
 * of them also sees their own tickets. */
static struct cache_key key_of(const struct cached_query *q, const struct cache_reader *r)
{
	static struct buf b;
	const struct db_context *c = &r->ctx;
	bool scoped = c->scope && c->scope[0];
	const int64_t number[] = { c->role, c->tenant_id, c->staff, scoped ? c->user_id : 0,
		r->perms, r->zh, q->tenant_id };
	struct cache_key key = { 0 };

	b.n = 0;
	add_text(&b, c->tenants);
	add_text(&b, scoped ? c->scope : NULL);
	for (size_t i = 0; i < ARRAY_LEN(number); i++) {
		buf_add_int(&b, number[i]);
		buf_addc(&b, ' ');
	}
	add_text(&b, q->name);
	for (int step = 0; step < CACHE_STEPS && q->stmt[step]; step++) {
		add_text(&b, q->stmt[step]->name);
		for (int i = 0; i < q->stmt[step]->param_count; i++)
			add_text(&b, q->param[step][i]);
	}
	buf_add(&b, q->arg, sizeof(q->arg));
	crypto_sha256(b.p, b.n, key.digest);
	return key;
}

static bool key_eq(const struct cache_key *a, const struct cache_key *b)
{
	return memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

/* --- generations --- */

static struct generation *generation_of(int64_t tenant_id)
{
	for (size_t i = 0; i < cache.generation_n; i++)
		if (cache.generations[i].tenant_id == tenant_id)
			return &cache.generations[i];
	cache.generations =
		xrealloc(cache.generations, (cache.generation_n + 1) * sizeof(*cache.generations));
	cache.generations[cache.generation_n] = (struct generation){ .tenant_id = tenant_id };
	return &cache.generations[cache.generation_n++];
}

void cache_outdate(int64_t tenant_id, int64_t seq)
{
	struct generation *g = generation_of(tenant_id);

	g->n++;
	if (seq > g->seq)
		g->seq = seq;
	if (!seq)
		g->unshared_until_us = clock_mono_us() + UNSHARED_US;
}

/* The seq up to which a tenant's events are counted; 0: not known, or not to be shared. */
static int64_t counted_seq(struct generation *g)
{
	if (clock_mono_us() < g->unshared_until_us)
		return 0;
	if (!g->seq && all_counted && all_counted() && events_position(g->tenant_id) > 0)
		g->seq = events_position(g->tenant_id);
	return g->seq;
}

/* --- entries --- */

static struct cache_entry **slot_of(const struct cache_key *key)
{
	uint32_t h;

	memcpy(&h, key->digest, sizeof(h));
	return &cache.buckets[h % BUCKETS];
}

static struct cache_entry *find(const struct cache_key *key)
{
	struct cache_entry *e = *slot_of(key);

	while (e && !key_eq(&e->key, key))
		e = e->next;
	return e;
}

static void forget_all(void)
{
	for (int i = 0; i < BUCKETS; i++)
		while (cache.buckets[i]) {
			struct cache_entry *e = cache.buckets[i];

			cache.buckets[i] = e->next;
			free(e->body);
			free(e);
		}
	cache.entry_n = 0;
}

static void keep(const struct cache_flight *f)
{
	struct cache_entry *e = find(&f->key), **slot;

	if (!e) {
		if (cache.entry_n >= ENTRIES_MAX)
			forget_all();
		e = xcalloc(1, sizeof(*e));
		e->key = f->key;
		slot = slot_of(&e->key);
		e->next = *slot;
		*slot = e;
		cache.entry_n++;
	}
	free(e->body);
	e->body = xstrndup(f->body.p, f->body.n);
	e->n = f->body.n;
	e->at_us = f->made_us;
	e->generation = f->generation;
}

/* --- replies --- */

struct answer {
	const char *body;
	size_t n;
	int64_t at_us;
	bool stale;
};

static struct outcome *give(
	struct req *req, const struct cached_query *q, uint32_t wanted, const struct answer *a)
{
	struct buf b = { 0 };

	buf_addc(&b, '{');
	if (q->pick)
		q->pick(&b, a->body, a->n, q->arg, wanted);
	else
		buf_add(&b, a->body, a->n);
	buf_adds(&b, ",\"last_updated\":");
	buf_add_time_json(&b, a->at_us);
	if (a->stale) {
		buf_adds(&b, ",\"stale\":true,\"as_of\":");
		buf_add_time_json(&b, a->at_us);
	}
	buf_addc(&b, '}');
	return req_reply_take(req, 200, &b);
}

static struct outcome *give_stale(
	struct req *req, const struct cache_flight *f, uint32_t wanted, enum db_error error)
{
	const struct cache_entry *e = find(&f->key);

	if (!e || clock_now_us() - e->at_us > STALE_MAX_US)
		return req_fail_db(req, error);
	cache.health.stale++;
	return give(req, &f->query, wanted, &(struct answer){ e->body, e->n, e->at_us, true });
}

/* --- flights --- */

void cache_flight_drop(struct cache_flight *f)
{
	buf_free(&f->body);
	free(f->texts);
	free(f);
}

void cache_flight_end(struct cache_flight *f, enum db_error error, bool found)
{
	struct answer a = { f->body.p, f->body.n, 0, false };

	cache.health.shared += f->at_us != 0;
	a.at_us = f->made_us = f->at_us ? f->at_us : clock_now_us();
	if (error == DB_OK && found) {
		keep(f);
		if (f->seq && !f->at_us)
			cache_redis_set(f);
	}
	list_remove(&f->node);
	while (!list_is_empty(&f->waiters)) {
		struct waiter *w = list_entry(f->waiters.next, struct waiter, node);
		struct req *req = w->req;

		list_remove(&w->node);
		req->waiting = false;
		req_continue(req, error != DB_OK ? give_stale(req, f, w->wanted, error)
				  : !found       ? req_fail(req, ERR_NOT_FOUND, NULL)
						 : give(req, &f->query, w->wanted, &a));
	}
	buf_free(&f->body);
	free(f->texts);
	later_free(f);
}

static void ask(struct cache_flight *f);

static void on_rows(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct cache_flight *f = magic_cast(cache_flight, call->arg);
	bool found;

	if (error != DB_OK &&
		f->replica) { /* the database went down, or the result was outdated meanwhile */
		f->replica = false;
		f->step = 0;
		f->body.n = 0;
		ask(f);
		return;
	}
	found = error == DB_OK && f->query.add(&f->body, f->step, rows, f->query.arg);
	if (!found || ++f->step == CACHE_STEPS || !f->query.stmt[f->step])
		cache_flight_end(f, error, found);
	else
		ask(f);
}

static void ask(struct cache_flight *f)
{
	f->call.replica = f->replica;
	f->call.stmt = f->query.stmt[f->step];
	memcpy(f->call.param, f->query.param[f->step], sizeof(f->call.param));
	f->call.on_done = on_rows;
	f->call.arg = f;
	db_exec(&f->call);
}

/* A replica that has every event that is counted here is as good as the primary. */
static void on_position(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct cache_flight *f = magic_cast(cache_flight, call->arg);

	f->replica = error == DB_OK && PQntuples(rows) == 1 && db_int(rows, 0, 0) >= f->counted;
	cache.health.replica += f->replica;
	ask(f);
}

void cache_flight_compute(struct cache_flight *f)
{
	f->computes = true;
	cache.health.misses++;
	if (!f->counted || !db_health(SQL_REPLICA).up) {
		ask(f);
		return;
	}
	f->call.stmt = cache.position_stmt;
	db_call_int(&f->call, 0, f->query.tenant_id);
	f->call.replica = true;
	f->call.on_done = on_position;
	f->call.arg = f;
	db_exec(&f->call);
}

/* A flight outlives the request that began it, so the texts of its query and context are copied
 * into a block of its own. */
static void own_texts(struct cache_flight *f, const struct db_context *ctx)
{
	struct buf b = { 0 };
	const char **texts[2 + CACHE_STEPS * SQL_PARAMS_MAX];
	size_t at[2 + CACHE_STEPS * SQL_PARAMS_MAX], n = 0;

	f->call.ctx = *ctx;
	texts[n++] = &f->call.ctx.tenants;
	texts[n++] = &f->call.ctx.scope;
	for (int s = 0; s < CACHE_STEPS; s++)
		for (int i = 0; i < SQL_PARAMS_MAX; i++)
			if (f->query.param[s][i] == cache_now)
				f->query.param[s][i] = f->now;
			else if (f->query.param[s][i])
				texts[n++] = &f->query.param[s][i];
	for (size_t i = 0; i < n; i++) {
		at[i] = b.n;
		buf_adds(&b, *texts[i] ? *texts[i] : "");
		buf_addc(&b, 0);
	}
	f->texts = buf_take(&b);
	for (size_t i = 0; i < n; i++)
		*texts[i] = f->texts + at[i];
}

/* A flight that began before an event may not include it, so requests join only flights of the
 * current generation. */
static struct cache_flight *flight_of(
	const struct cache_key *key, uint64_t generation, bool computes)
{
	for (struct list *n = cache.flights.next; n != &cache.flights; n = n->next) {
		struct cache_flight *f = list_entry(n, struct cache_flight, node);

		if (f->generation == generation && (f->computes || !computes) &&
			key_eq(&f->key, key))
			return f;
	}
	return NULL;
}

/* NEW: do not use results that other instances have computed, either. */
static struct cache_flight *begin_flight(const struct cached_query *query,
	const struct cache_key *key, const struct db_context *ctx, bool new)
{
	struct generation *g = generation_of(query->tenant_id);
	struct cache_flight *f = magic_new(cache_flight);

	f->query = *query;
	f->key = *key;
	f->generation = g->n;
	f->counted = counted_seq(g);
	f->seq = kv_is_up() && field_keys_ready() ? f->counted : 0;
	snprintf(f->now, sizeof(f->now), "%lld", (long long)clock_now_us());
	list_init(&f->waiters);
	list_add_tail(&cache.flights, &f->node);
	own_texts(f, ctx);
	if (f->seq && !new)
		cache_redis_get(f);
	else
		cache_flight_compute(f);
	return f;
}

static struct outcome *wait_for(struct req *req, uint32_t wanted, struct cache_flight *f)
{
	struct waiter *w = arena_alloc(&req->arena, sizeof(*w));

	w->req = req;
	w->wanted = wanted;
	list_add_tail(&f->waiters, &w->node);
	req->waiting = true;
	return req_wait(req);
}

struct outcome *cache_reply(struct req *req, const struct cached_query *query, bool fresh)
{
	struct cache_reader reader = { session_context(req->session), req->session->perms,
		req->zh };
	struct cache_key key = key_of(query, &reader);
	const struct cache_entry *e = find(&key);
	uint64_t generation = generation_of(query->tenant_id)->n;
	struct cache_flight *f = flight_of(&key, generation, fresh);
	int64_t age = e ? clock_now_us() - e->at_us : 0, wait;

	if (!fresh && e && e->generation == generation && age < query->max_age_s * US_PER_S) {
		cache.health.hits++;
		if (!f && (double)age > RENEW_FROM * (double)(query->max_age_s * US_PER_S)) {
			cache.health.renewed++;
			begin_flight(query, &key, &reader.ctx, true);
		}
		return give(req, query, query->wanted,
			&(struct answer){ e->body, e->n, e->at_us, false });
	}
	if (fresh && e && (wait = limit_take(LIMIT_REFRESH, req_user_key(req))))
		return req_too_often(req, LIMIT_REFRESH, wait);
	if (f)
		cache.health.joined++;
	else
		f = begin_flight(query, &key, &reader.ctx, fresh);
	return wait_for(req, query->wanted, f);
}

void cache_prepare(const struct cached_query *query, const struct cache_reader *reader)
{
	struct cache_key key = key_of(query, reader);
	const struct cache_entry *e = find(&key);
	uint64_t generation = generation_of(query->tenant_id)->n;

	if ((e && e->generation == generation) || flight_of(&key, generation, false))
		return;
	cache.health.warmed++;
	begin_flight(query, &key, &reader->ctx, false);
}

void cache_counted_by(bool (*all)(void), const struct sql_stmt *position)
{
	all_counted = all;
	cache.position_stmt = position;
}

void cache_init(void)
{
	list_init(&cache.flights);
	cache.running = true;
}

void cache_free(void)
{
	cache.running = false;
	forget_all();
	free(cache.generations);
	cache.generations = NULL;
	cache.generation_n = 0;
}
