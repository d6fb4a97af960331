/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cache.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "core/events.h"
#include "kv/kv.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#define BUCKETS 1024
#define KEPT_MAX 4096
#define STALE_MAX_US (24 * 3600 * US_PER_S)
#define RENEW_FROM 0.8 /* of its time an answer may have: who asks then has it computed anew */
#define SHARED_MAX_US 100000 /* Redis is asked so long; it is slower than it is worth then */
#define UNSHARED_US (900 * US_PER_S) /* longer than any answer is kept */

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
	int64_t seq;     /* of the tenant, counted before it was asked; 0: not shared */
	int64_t counted; /* the same, whether shared or not; 0: not for the replica */
	char tenant[24];
	int64_t at_us; /* when it was computed elsewhere; 0: here and now */
	bool computes; /* not: asks Redis first */
	bool replica;  /* it is computed there */
};

struct waiter {
	struct list node;
	struct req *req;
	char arg[sizeof(((struct answer_plan *)0)->arg)];
};

struct generation {
	int64_t tenant_id;
	uint64_t n;
	int64_t seq;               /* up to which events are counted; 0: not known yet */
	int64_t unshared_until_us; /* others may have put older ones into Redis */
};

static struct kept *buckets[BUCKETS];
static size_t kept_n;
static struct list flights;
static struct generation *generations;
static size_t generation_n;
static struct answers_health health;
static bool running;

struct answers_health answers_health(void)
{
	health.kept = kept_n;
	return health;
}

/* --- generations --- */

static struct generation *generation_of(int64_t tenant_id)
{
	for (size_t i = 0; i < generation_n; i++)
		if (generations[i].tenant_id == tenant_id)
			return &generations[i];
	generations = xrealloc(generations, (generation_n + 1) * sizeof(*generations));
	generations[generation_n] = (struct generation){ .tenant_id = tenant_id };
	return &generations[generation_n++];
}

void answers_outdate(int64_t tenant_id, int64_t seq)
{
	struct generation *g = generation_of(tenant_id);

	g->n++;
	if (seq > g->seq)
		g->seq = seq;
	if (!seq)
		g->unshared_until_us = clock_mono_us() + UNSHARED_US;
}

static bool (*all_counted)(void);

void answers_counted_by(bool (*fn)(void))
{
	all_counted = fn;
}

/* Up to which of its events a tenant's figures are counted; 0: not known, or not to be told by. */
static int64_t counted_seq(struct generation *g)
{
	if (clock_mono_us() < g->unshared_until_us)
		return 0;
	if (!g->seq && all_counted && all_counted() && bus_position(g->tenant_id) > 0)
		g->seq = bus_position(g->tenant_id);
	return g->seq;
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
	k->at_us = f->at_us ? f->at_us : clock_now_us();
	k->generation = f->generation;
}

/* --- Redis --- */

/* The name says what it is the answer of and which events it knows, and is sealed with it: Redis is
 * not trusted, and several databases may use one. */
static void shared_name(struct buf *b, const struct flight *f)
{
	char digest[65];

	buf_addf(b, "%lld|%s", (long long)f->seq, f->plan.key);
	crypto_sha256_hex(b->p, b->n, digest);
	b->n = 0;
	buf_addf(b, "sladesk:v1:answer:%s", digest);
	buf_cstr(b);
}

static void on_stored(void *arg, const redisReply *reply)
{
	(void)arg;
	(void)reply; /* it is a cache */
}

static void share(const struct flight *f)
{
	struct buf name = { 0 }, text = { 0 }, value = { 0 };
	char age[24];

	shared_name(&name, f);
	buf_addf(&text, "%lld:", (long long)clock_now_us());
	buf_add(&text, f->body.p, f->body.n);
	field_seal(&value, name.p, (struct str){ text.p, text.n }, clock_now_us() / US_PER_S);
	snprintf(age, sizeof(age), "%lld", (long long)f->plan.max_age_s);
	kv_command(on_stored, NULL, 5,
		(struct str[]){ STR("SET"), { name.p, name.n }, { value.p, value.n }, STR("EX"),
			str_of(age) });
	buf_free(&name);
	buf_free(&text);
	buf_free(&value);
}

/* Take VALUE as F's answer, if it is one and not too old. */
static bool take_shared(struct flight *f, struct str value)
{
	struct buf name = { 0 }, text = { 0 };
	char *end = NULL;
	int64_t age;

	shared_name(&name, f);
	if (field_key_of(value) && field_open(&text, name.p, value) && text.n) {
		f->at_us = strtoll(buf_cstr(&text), &end, 10);
		age = clock_now_us() - f->at_us;
		if (*end == ':' && age >= 0 && age < f->plan.max_age_s * US_PER_S)
			buf_add(&f->body, end + 1, text.n - (size_t)(end + 1 - text.p));
	}
	if (!f->body.n)
		f->at_us = 0;
	buf_free(&name);
	buf_free(&text);
	return f->body.n > 0;
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
	int64_t at = f->at_us ? f->at_us : clock_now_us();

	if (error == DB_OK && found) {
		keep(f);
		if (f->seq && !f->at_us)
			share(f);
	}
	list_remove(&f->node);
	while (!list_is_empty(&f->waiters)) {
		struct waiter *w = list_entry(f->waiters.next, struct waiter, node);
		struct req *req = w->req;

		list_remove(&w->node);
		req->waiting = false;
		req_continue(req,
			error != DB_OK ? give_stale(req, &f->plan, w->arg, error)
			: !found       ? req_fail(req, ERR_NOT_FOUND, NULL)
				 : give(req, &f->plan, w->arg, f->body.p, f->body.n, at, false));
	}
	buf_free(&f->body);
	free(f->texts);
	later_free(f);
}

static void ask(struct flight *f);

static void on_rows(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct flight *f = call->arg;
	bool found;

	if (error != DB_OK && f->replica) { /* it went away, or what it read was overtaken */
		f->replica = false;
		f->step = 0;
		f->body.n = 0;
		ask(f);
		return;
	}
	found = error == DB_OK && f->plan.add(&f->body, f->step, rows, f->plan.arg);
	if (!found || ++f->step == ANSWER_STEPS || !f->plan.stmt[f->step])
		end_flight(f, error, found);
	else
		ask(f);
}

static void ask(struct flight *f)
{
	f->call.replica = f->replica;
	f->call.stmt = f->plan.stmt[f->step];
	memcpy(f->call.param, f->plan.param[f->step], sizeof(f->call.param));
	f->call.on_done = on_rows;
	f->call.arg = f;
	db_exec(&f->call);
}

/* --- the replica: one that has every event that is counted here is as good as the primary --- */

static void on_position(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct flight *f = call->arg;

	f->replica = error == DB_OK && PQntuples(rows) == 1 && db_int(rows, 0, 0) >= f->counted;
	health.replica += f->replica;
	ask(f);
}

static void compute(struct flight *f)
{
	f->computes = true;
	health.misses++;
	if (!f->counted || !db_health(SQL_REPLICA).up) {
		ask(f);
		return;
	}
	snprintf(f->tenant, sizeof(f->tenant), "%lld", (long long)f->plan.tenant_id);
	f->call.stmt = &sql_rollup_position;
	f->call.param[0] = f->tenant;
	f->call.replica = true;
	f->call.on_done = on_position;
	f->call.arg = f;
	db_exec(&f->call);
}

/* Redis is asked for F's answer. */
struct asking {
	struct flight *f; /* NULL: it went on without */
	struct loop_timer *limit;
};

static void on_late(void *arg)
{
	struct asking *a = arg;
	struct flight *f = a->f;

	a->f = NULL;
	compute(f);
}

static void free_flight(struct flight *f)
{
	buf_free(&f->body);
	free(f->texts);
	free(f);
}

static void on_shared(void *arg, const redisReply *reply)
{
	struct asking *a = arg;
	struct flight *f = a->f;

	loop_timer_free(a->limit);
	free(a);
	if (!f)
		return;
	if (!running) { /* and with it all who waited */
		free_flight(f);
		return;
	}
	if (reply && reply->type == REDIS_REPLY_STRING &&
		take_shared(f, (struct str){ reply->str, reply->len })) {
		health.shared++;
		end_flight(f, DB_OK, true);
		return;
	}
	compute(f);
}

static void ask_shared(struct flight *f)
{
	struct asking *a = xcalloc(1, sizeof(*a));
	struct buf name = { 0 };

	a->f = f;
	a->limit = loop_timer_new(on_late, a);
	loop_timer_set(a->limit, SHARED_MAX_US);
	shared_name(&name, f);
	kv_command(on_shared, a, 2, (struct str[]){ STR("GET"), { name.p, name.n } });
	buf_free(&name);
}

/* The plan outlives the request that brought it: its texts move into one block of the flight's own.
 */
static void own_texts(struct flight *f, const struct db_context *ctx)
{
	struct buf b = { 0 };
	const char **texts[3 + ANSWER_STEPS * SQL_PARAMS_MAX];
	size_t at[3 + ANSWER_STEPS * SQL_PARAMS_MAX], n = 0;

	f->call.ctx = *ctx;
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
static struct flight *flight_of(const char *key, uint64_t generation, bool computes)
{
	for (struct list *n = flights.next; n != &flights; n = n->next) {
		struct flight *f = list_entry(n, struct flight, node);

		if (f->generation == generation && (f->computes || !computes) &&
			strcmp(f->plan.key, key) == 0)
			return f;
	}
	return NULL;
}

/* NEW: not what others have computed, either. */
static struct flight *begin_flight(const struct db_context *ctx, const struct answer_plan *plan,
	struct generation *g, bool new)
{
	struct flight *f = xcalloc(1, sizeof(*f));

	f->plan = *plan;
	f->generation = g->n;
	f->counted = counted_seq(g);
	f->seq = kv_is_up() && field_keys_ready() ? f->counted : 0;
	list_init(&f->waiters);
	list_add_tail(&flights, &f->node);
	own_texts(f, ctx);
	if (f->seq && !new) {
		ask_shared(f);
		return f;
	}
	compute(f);
	return f;
}

static struct outcome *wait_for(struct req *req, const struct answer_plan *plan, struct flight *f)
{
	struct waiter *w = arena_alloc(&req->arena, sizeof(*w));

	w->req = req;
	memcpy(w->arg, plan->arg, sizeof(w->arg));
	list_add_tail(&f->waiters, &w->node);
	req->waiting = true;
	return req_wait(req);
}

struct outcome *answers_give(struct req *req, const struct answer_plan *plan, bool fresh)
{
	const struct kept *k = find(plan->key);
	struct generation *g = generation_of(plan->tenant_id);
	struct flight *f = flight_of(plan->key, g->n, fresh);
	struct db_context ctx = session_context(req->session);
	int64_t age = k ? clock_now_us() - k->at_us : 0, wait;

	if (!fresh && k && k->generation == g->n && age < plan->max_age_s * US_PER_S) {
		health.hits++;
		if (!f && (double)age > RENEW_FROM * (double)(plan->max_age_s * US_PER_S)) {
			health.renewed++;
			begin_flight(&ctx, plan, g, true);
		}
		return give(req, plan, plan->arg, k->body, k->n, k->at_us, false);
	}
	if (fresh && k && (wait = limit_take(LIMIT_FRESH, req_user_key(req))))
		return req_too_often(req, LIMIT_FRESH, wait);
	if (f)
		health.joined++;
	else
		f = begin_flight(&ctx, plan, g, fresh);
	return wait_for(req, plan, f);
}

void answers_warm(const struct answer_plan *plan, const struct db_context *ctx)
{
	const struct kept *k = find(plan->key);
	struct generation *g = generation_of(plan->tenant_id);

	if ((k && k->generation == g->n) || flight_of(plan->key, g->n, false))
		return;
	health.warmed++;
	begin_flight(ctx, plan, g, false);
}

void answers_init(void)
{
	list_init(&flights);
	running = true;
}

void answers_free(void)
{
	running = false;
	forget_all();
	free(generations);
	generations = NULL;
	generation_n = 0;
}
