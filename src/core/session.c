/* SPDX-License-Identifier: Apache-2.0
 * Sessions are cached for five seconds by the digest of their token, so that a click costs no query
 * and a revocation takes effect soon. Requests that arrive during a look-up wait for the same
 * answer, because a page opens with a dozen requests at once. */
#include "core/session.h"
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
	struct session_tenants *latest; /* the list that was read last */
	size_t served_n, served_max;
} sessions;

/* Counts revocations: a result requested before one is not cached, and no new request waits for
 * it. */

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
	int64_t tenant_id, id; /* the id of the session or service token */
	char secret_sha256[65];
	struct token_claims claims;
	bool api_token;
	struct waiter *first, **last;
	uint64_t forgotten;
	struct session *old; /* was valid a while ago */
};
MAGIC(find, 0x4fa856a7);

/* --- the tenants --- */

static void tenants_put(struct session_tenants *t)
{
	if (--t->refs)
		return;
	if (sessions.latest == t)
		sessions.latest = NULL;
	id_list_free(&t->ids);
	free(t->text);
	free(t);
}

/* Read TEXT, or share the list that was read last. A text that is not a list serves no tenant. */
static struct session_tenants *tenants_of(struct str text)
{
	struct session_tenants *t = sessions.latest;

	if (!t || !str_is(text, t->text)) {
		t = sessions.latest = xcalloc(1, sizeof(*t));
		if (!id_list_read(text, &t->ids))
			text = STR("{}");
		t->text = xstrndup(text.p, text.n);
	}
	t->refs++;
	return t;
}

void session_put(struct session *s)
{
	if (!s || --s->refs)
		return;
	tenants_put(s->tenants);
	free(s->scope);
	free(s->support);
	free(s->role);
	free(s->name);
	free(s->username);
	free(s);
}

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
		.user_id = s->actor_id,
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

static char *own(struct str s)
{
	return xstrndup(s.p, s.n);
}

static char *support_of(const PGresult *r, int column)
{
	struct str t = db_text(r, 0, column);

	return db_is_null(r, 0, column) ? NULL : own(t);
}

static struct session *from_session_row(const struct find *f, const PGresult *r)
{
	enum actor_kind actor = actor_kind_parse(db_text(r, 0, 0));
	struct str t = db_text(r, 0, 3);
	struct session *s;

	if (actor == ACTOR_KIND_COUNT)
		return NULL; /* written by a newer version */
	s = xcalloc(1, sizeof(*s));
	s->actor = actor;
	s->actor_id = db_int(r, 0, 1);
	s->expires_us = db_int(r, 0, 2);
	s->tenants = tenants_of(t);
	s->role = own(db_text(r, 0, 4));
	s->name = own(db_text(r, 0, 5));
	s->username = own(db_text(r, 0, 6));
	s->zh = str_is(db_text(r, 0, 7), "zh");
	s->level = (int)db_int(r, 0, 8);
	s->staff = s->actor == ACTOR_STAFF;
	s->tenant_id = f->claims.tenant_id;
	s->session_id = f->claims.session_id;
	s->must_change = db_int(r, 0, 9) != 0;
	s->must_enrol = db_int(r, 0, 12) != 0;
	s->support = support_of(r, 13);
	s->perms = 1u << PERM_SELF;
	if (!s->must_change && !s->must_enrol)
		s->perms |=
			permissions_parse(db_text(r, 0, 10)) | (s->staff ? 1u << PERM_STAFF : 0);
	s->scope = own(db_text(r, 0, 11));
	if (f->claims.expires_s * US_PER_S < s->expires_us) /* the session outlives its tokens */
		s->expires_us = f->claims.expires_s * US_PER_S;
	return s;
}

/* A token's scopes are permissions by name; tickets:read, tickets:write and admin are older
 * names. */
static uint32_t scopes_parse(const char *json, bool staff)
{
	uint32_t p = permissions_parse(str_of(json));

	if (strstr(json, "\"tickets:read\""))
		p |= 1u << PERM_TICKET_READ;
	if (strstr(json, "\"tickets:write\""))
		p |= 1u << PERM_TICKET_WRITE;
	if (strstr(json, "\"admin\""))
		p |= 1u << PERM_CATALOGUE_WRITE | 1u << PERM_WEBHOOK_WRITE |
		     (staff ? 1u << PERM_STAFF | 1u << PERM_SLA_WRITE | 1u << PERM_TICKET_JUDGE
			    : 0);
	return p;
}

static struct session *from_token_row(const struct find *f, const PGresult *r)
{
	struct session *s;
	struct str sha = db_text(r, 0, 0), t = db_text(r, 0, 4);
	struct buf scopes = { 0 };

	if (sha.n != 64 || !crypto_equal(sha.p, f->secret_sha256, 64))
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->actor = ACTOR_SERVICE;
	s->actor_id = f->id;
	s->tenant_id = f->tenant_id;
	s->expires_us = db_int(r, 0, 2);
	s->tenants = tenants_of(t);
	s->staff = s->tenant_id == 1;
	s->perms = 1u << PERM_SELF;
	s->name = own(db_text(r, 0, 3));
	s->username = xstrdup("");
	s->role = xstrdup("service");
	s->scope = xstrdup("");
	s->support = support_of(r, 5);
	db_cell_to_json(&scopes, r, 0, 1);
	s->perms |= scopes_parse(buf_cstr(&scopes), s->staff);
	buf_free(&scopes);
	return s;
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
	if (error == DB_OK && PQntuples(rows) == 1)
		s = f->api_token ? from_token_row(f, rows) : from_session_row(f, rows);
	if (s) {
		memcpy(s->key, f->key, 32);
		s->refs = 1;
		if (f->forgotten == sessions.forgotten)
			cache_put(s);
	}
	finish_find(f, s, error);
}

/* sd1.<tenant>.<id>.<secret> */
static bool parse_api_token(struct str t, struct find *f)
{
	const char *a, *b;
	int64_t v;

	if (t.n < 10 || t.n > 200 || memcmp(t.p, "sd1.", 4) != 0)
		return false;
	a = memchr(t.p + 4, '.', t.n - 4);
	b = a ? memchr(a + 1, '.', (size_t)(t.p + t.n - a) - 1) : NULL;
	if (!b || !str_to_int((struct str){ t.p + 4, (size_t)(a - t.p) - 4 }, 1, 1LL << 53, &v))
		return false;
	f->tenant_id = v;
	if (!str_to_int((struct str){ a + 1, (size_t)(b - a) - 1 }, 1, 1LL << 53, &v))
		return false;
	f->id = v;
	crypto_sha256_hex(b + 1, (size_t)(t.p + t.n - b) - 1, f->secret_sha256);
	return true;
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
	f->api_token = parse_api_token(token, f);
	if (!f->api_token) {
		if (!token_verify(TOKEN_ACCESS, token.p, token.n, clock_now_us() / US_PER_S,
			    &f->claims)) {
			session_put(f->old);
			free(f);
			on_done(arg, NULL, DB_OK);
			return;
		}
		f->tenant_id = f->claims.tenant_id;
		f->id = f->claims.session_id;
	}
	f->next = sessions.finds[bucket_of(key)];
	sessions.finds[bucket_of(key)] = f;
	wait_for(f, on_done, arg);
	f->call = (struct db_call){ .stmt = f->api_token ? &sql_auth_token_get
							 : &sql_auth_session_get,
		.ctx.role = DB_ROLE_JOB,
		.on_done = on_found,
		.arg = f };
	db_call_int(&f->call, 0, f->tenant_id);
	db_call_int(&f->call, 1, f->id);
	db_call_int(&f->call, 2, clock_now_us());
	db_exec(&f->call);
}
