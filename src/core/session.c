/* SPDX-License-Identifier: Apache-2.0
 * Sessions are cached for five seconds by the digest of their token, so that a click costs no query
 * and a revocation takes effect soon. Requests that arrive during a look-up wait for the same
 * answer, because a page opens with a dozen requests at once. */
#include "core/session.h"
#include "session_row.h"
#include "base/magic.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define BUCKETS 4096
#define CACHE_MAX 20000
#define FRESH_US (5 * US_PER_S)
/* how long a cached session is used while the database is down, for results from memory */
#define KEPT_US (900 * US_PER_S)

static struct {
	struct session *buckets[BUCKETS];
	size_t cached;
	uint64_t forgotten;
	struct find *finds[BUCKETS];
	size_t served_n, served_max;
} sessions;

/* Counts revocations. A look-up that began before a revocation is not cached, and no new request
 * waits for it. */

struct waiter {
	void (*on_done)(void *arg, struct session *s, enum db_error error);
	void *arg;
	struct waiter *next;
};

struct find {
	uint32_t magic;
	struct db_call call;
	struct find *next; /* the next in the same bucket */
	unsigned char key[32];
	struct credential credential;
	char kind[16], tenant[32], id[32]; /* the parameters: lists of one */
	char secret_sha256[65];            /* of a service token */
	struct waiter *first, **last;
	uint64_t forgotten;
	struct session *old; /* was valid a while ago */
};
MAGIC(find, 0x4fa856a7);

struct str session_user_key(const struct session *s, char out[SESSION_KEY_MAX])
{
	int n = snprintf(out, SESSION_KEY_MAX, "%s:%lld:%lld", actor_kind_name(s->actor),
		(long long)s->tenant_id, (long long)s->actor_id);

	return (struct str){ out, (size_t)n };
}

bool session_serves(const struct session *s, int64_t tenant_id)
{
	return id_list_has(&s->tenants->ids, tenant_id);
}

struct db_context session_context(const struct session *s)
{
	if (!s)
		return (struct db_context){ .role = DB_ROLE_PREAUTH, .tenants = "{}" };
	return (struct db_context){ .role = DB_ROLE_TENANT,
		.tenants = s->tenants->text,
		.tenant_id = s->tenant_id,
		.user_id = s->owner_id,
		.staff = s->staff,
		.scope = s->scope };
}

static uint32_t bucket_of(const unsigned char key[32])
{
	uint32_t h;

	memcpy(&h, key, sizeof(h));
	return h % BUCKETS;
}

static struct session **slot_of(const unsigned char key[32])
{
	return &sessions.buckets[bucket_of(key)];
}

static void unlink_session(struct session **at)
{
	struct session *s = *at;

	*at = s->next;
	sessions.cached--;
	session_put(s);
}

/* *OUT_FRESH: it need not be looked up again. */
static struct session *cache_get(const unsigned char key[32], bool *out_fresh)
{
	int64_t now = clock_mono_us();

	for (struct session **at = slot_of(key); *at; at = &(*at)->next) {
		struct session *s = *at;

		if (memcmp(s->key, key, 32) != 0)
			continue;
		if (now - s->fetched_us > KEPT_US || clock_now_us() >= s->expires_us) {
			unlink_session(at);
			return NULL;
		}
		*out_fresh = now - s->fetched_us <= FRESH_US;
		s->refs++;
		return s;
	}
	return NULL;
}

/* Replace what is cached under its key. */
static void cache_drop(const unsigned char key[32])
{
	for (struct session **at = slot_of(key); *at; at = &(*at)->next)
		if (memcmp((*at)->key, key, 32) == 0) {
			unlink_session(at);
			return;
		}
}

void session_forget_all(void)
{
	sessions.forgotten++;
	for (int i = 0; i < BUCKETS; i++)
		while (sessions.buckets[i])
			unlink_session(&sessions.buckets[i]);
}

void session_forget(int64_t tenant_id, int64_t session_id)
{
	sessions.forgotten++;
	for (int i = 0; i < BUCKETS; i++)
		for (struct session **at = &sessions.buckets[i]; *at;) {
			if ((*at)->tenant_id == tenant_id && (*at)->session_id == session_id)
				unlink_session(at);
			else
				at = &(*at)->next;
		}
}

size_t session_cached(void)
{
	return sessions.cached;
}

static void cache_put(struct session *s)
{
	struct session **at = slot_of(s->key);

	cache_drop(s->key);
	if (sessions.cached >= CACHE_MAX)
		session_forget_all();
	s->next = *at;
	*at = s;
	s->refs++;
	s->fetched_us = clock_mono_us();
	sessions.cached++;
}

/* --- while the database is down --- */

static struct served {
	int64_t tenant_id, actor_id;
} * served; /* the users served since then */

void session_limit_degraded(size_t users)
{
	free(served);
	served = users ? xcalloc(users, sizeof(*served)) : NULL;
	sessions.served_max = users;
	sessions.served_n = 0;
}

bool session_is_full(void)
{
	return sessions.served_max && sessions.served_n == sessions.served_max;
}

static bool is_served_degraded(const struct session *s)
{
	if (s->staff || !sessions.served_max)
		return true;
	for (size_t i = 0; i < sessions.served_n; i++)
		if (served[i].tenant_id == s->tenant_id && served[i].actor_id == s->actor_id)
			return true;
	if (sessions.served_n == sessions.served_max)
		return false;
	served[sessions.served_n++] = (struct served){ s->tenant_id, s->actor_id };
	return true;
}

/* --- look-up --- */

static void wait_for(struct find *f,
	void (*on_done)(void *arg, struct session *s, enum db_error error), void *arg)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->on_done = on_done;
	w->arg = arg;
	*f->last = w;
	f->last = &w->next;
}

/* The look-up of KEY that is in progress and still valid. */
static struct find *find_under_way(const unsigned char key[32])
{
	struct find *f = sessions.finds[bucket_of(key)];

	while (f && (f->forgotten != sessions.forgotten || memcmp(f->key, key, 32) != 0))
		f = f->next;
	return f;
}

/* Give S (NULL: nobody) to all requests that wait, each with a reference, and end F. */
static void finish_find(struct find *f, struct session *s, enum db_error error)
{
	struct find **at = &sessions.finds[bucket_of(f->key)];

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	for (struct waiter *w = f->first, *next; w; w = next) {
		next = w->next;
		if (s)
			s->refs++;
		w->on_done(w->arg, s, error);
		free(w);
	}
	session_put(s);
	session_put(f->old);
	magic_end(f);
	free(f);
}

static bool secret_is_right(const struct find *f, const PGresult *rows)
{
	struct str sha = db_text(rows, 0, RIGHTS_SHA256);

	return !f->credential.service || (sha.n == 64 && crypto_equal(sha.p, f->secret_sha256, 64));
}

static void on_found(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct find *f = magic_cast(find, call->arg);
	struct session *s = NULL;

	if (f->old && f->forgotten == sessions.forgotten &&
		(error == DB_DOWN || error == DB_TIMEOUT || error == DB_BUSY)) {
		if (!is_served_degraded(f->old)) {
			finish_find(f, NULL, DB_BUSY);
			return;
		}
		f->old->refs++;
		finish_find(f, f->old, DB_OK);
		return;
	}
	if (error == DB_OK)
		sessions.served_n = 0;
	if (error == DB_OK && !PQntuples(rows))
		cache_drop(f->key);
	if (error == DB_OK && PQntuples(rows) == 1 && secret_is_right(f, rows))
		s = session_of_row(rows, 0, &f->credential, f->key);
	if (s && f->forgotten == sessions.forgotten)
		cache_put(s);
	finish_find(f, s, error);
}

/* sd1.<tenant>.<id>.<secret> */
static bool parse_api_token(struct str t, struct find *f)
{
	const char *a, *b;
	struct credential c = { .expires_us = INT64_MAX, .service = true };

	if (t.n < 10 || t.n > 200 || memcmp(t.p, "sd1.", 4) != 0)
		return false;
	a = memchr(t.p + 4, '.', t.n - 4);
	b = a ? memchr(a + 1, '.', (size_t)(t.p + t.n - a) - 1) : NULL;
	if (!b || !str_to_int((struct str){ t.p + 4, (size_t)(a - t.p) - 4 }, 1, 1LL << 53,
			  &c.tenant_id))
		return false;
	if (!str_to_int((struct str){ a + 1, (size_t)(b - a) - 1 }, 1, 1LL << 53, &c.id))
		return false;
	crypto_sha256_hex(b + 1, (size_t)(t.p + t.n - b) - 1, f->secret_sha256);
	c.proof = credential_proof(f->secret_sha256);
	f->credential = c;
	return true;
}

static bool parse_access_token(struct str t, struct find *f)
{
	struct token_claims c;

	if (!token_verify(TOKEN_ACCESS, t.p, t.n, clock_now_us() / US_PER_S, &c))
		return false;
	f->credential = (struct credential){ .tenant_id = c.tenant_id,
		.id = c.session_id,
		.expires_us = c.expires_s * US_PER_S,
		.proof = c.key };
	return true;
}

static const char *kind_of(const struct credential *c)
{
	return c->service ? "token" : "session";
}

static void ask(struct find *f)
{
	const struct credential *c = &f->credential;

	snprintf(f->kind, sizeof(f->kind), "{%s}", kind_of(c));
	snprintf(f->tenant, sizeof(f->tenant), "{%lld}", (long long)c->tenant_id);
	snprintf(f->id, sizeof(f->id), "{%lld}", (long long)c->id);
	f->call = (struct db_call){ .stmt = &sql_auth_rights,
		.ctx.role = DB_ROLE_JOB,
		.param = { f->kind, f->tenant, f->id },
		.on_done = on_found,
		.arg = f };
	db_call_int(&f->call, 3, clock_now_us());
	db_exec(&f->call);
}

void session_find(struct str token,
	void (*on_done)(void *arg, struct session *s, enum db_error error), void *arg)
{
	unsigned char key[32];
	struct session *s;
	struct find *f;
	bool fresh = false;

	crypto_sha256(token.p, token.n, key);
	s = cache_get(key, &fresh);
	if (s && fresh) {
		on_done(arg, s, DB_OK);
		return;
	}
	f = find_under_way(key);
	if (f) {
		session_put(s);
		wait_for(f, on_done, arg);
		return;
	}
	f = magic_new(find);
	f->old = s;
	memcpy(f->key, key, 32);
	f->last = &f->first;
	f->forgotten = sessions.forgotten;
	if (!parse_api_token(token, f) && !parse_access_token(token, f)) {
		session_put(f->old);
		free(f);
		on_done(arg, NULL, DB_OK);
		return;
	}
	f->next = sessions.finds[bucket_of(key)];
	sessions.finds[bucket_of(key)] = f;
	wait_for(f, on_done, arg);
	ask(f);
}

/* --- reading many again --- */

struct reread {
	uint32_t magic;
	struct db_call call;
	struct buf kinds, tenants, ids;
	struct session **now; /* until the answer: references to the sessions that are read */
	size_t n;
	void (*on_done)(void *arg, struct session **take_now, size_t n);
	void *arg;
};
MAGIC(reread, 0x6d1f20b3);

/* What became of OLD, by row ROW (-1: it is not in the answer). */
static struct session *reread_one(struct session *old, const PGresult *rows, int row)
{
	struct session *s = row < 0 ? NULL : session_of_row(rows, row, &old->credential, old->key);

	if (!s)
		cache_drop(old->key);
	session_put(old);
	return s;
}

static void on_reread(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct reread *r = magic_cast(reread, call->arg);
	int row = 0;

	for (size_t i = 0; i < r->n; i++) {
		bool here = error == DB_OK && row < PQntuples(rows) &&
			    db_int(rows, row, RIGHTS_N) == (int64_t)i + 1;

		if (error == DB_OK)
			r->now[i] = reread_one(r->now[i], rows, here ? row : -1);
		else
			session_put(r->now[i]);
		row += here;
	}
	if (error != DB_OK) {
		free(r->now);
		r->now = NULL;
	}
	r->on_done(r->arg, r->now, r->n);
	buf_free(&r->kinds);
	buf_free(&r->tenants);
	buf_free(&r->ids);
	magic_end(r);
	free(r);
}

void session_reread(struct session *const *list, size_t n,
	void (*on_done)(void *arg, struct session **take_now, size_t n), void *arg)
{
	struct reread *r = magic_new(reread);

	r->n = n;
	r->now = xcalloc(n + 1, sizeof(*r->now));
	r->on_done = on_done;
	r->arg = arg;
	for (size_t i = 0; i < n; i++) {
		const struct credential *c = &list[i]->credential;
		char before = i ? ',' : '{';

		r->now[i] = list[i];
		list[i]->refs++;
		buf_addf(&r->kinds, "%c%s", before, kind_of(c));
		buf_addf(&r->tenants, "%c%lld", before, (long long)c->tenant_id);
		buf_addf(&r->ids, "%c%lld", before, (long long)c->id);
	}
	buf_adds(&r->kinds, n ? "}" : "{}");
	buf_adds(&r->tenants, n ? "}" : "{}");
	buf_adds(&r->ids, n ? "}" : "{}");
	r->call = (struct db_call){ .stmt = &sql_auth_rights,
		.ctx.role = DB_ROLE_JOB,
		.param = { buf_cstr(&r->kinds), buf_cstr(&r->tenants), buf_cstr(&r->ids) },
		.on_done = on_reread,
		.arg = r };
	db_call_int(&r->call, 3, clock_now_us());
	db_exec(&r->call);
}
