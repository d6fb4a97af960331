/* SPDX-License-Identifier: Apache-2.0
 * The second level of the cache: results in Redis, for other instances and for those that have just
 * started. The name of an entry states the query and the events that it counts, and the value is
 * encrypted with the name as associated data, because Redis is not trusted and several databases
 * may use one. */
#include "base/clock.h"
#include "base/magic.h"
#include "cache_inner.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "kv/kv.h"
#include "loop/loop.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#define WAIT_US 100000 /* time limit for Redis; a slower answer is not worth waiting for */

static void add_name(struct buf *b, const struct cache_flight *f)
{
	char digest[65];

	buf_addf(b, "%lld|", (long long)f->seq);
	buf_add_hex(b, f->key.digest, sizeof(f->key.digest));
	crypto_sha256_hex(b->p, b->n, digest);
	b->n = 0;
	buf_addf(b, "sladesk:v1:answer:%s", digest);
	buf_cstr(b);
}

static void on_stored(void *arg, const redisReply *reply)
{
	(void)arg;
	(void)reply; /* entries expire: Redis must not keep them for ever */
}

void cache_redis_set(const struct cache_flight *f)
{
	struct buf name = { 0 }, text = { 0 }, value = { 0 };
	char age[24];

	add_name(&name, f);
	buf_addf(&text, "%lld:", (long long)f->made_us);
	buf_add(&text, f->body.p, f->body.n);
	field_seal(&value, name.p, (struct str){ text.p, text.n }, clock_now_us() / US_PER_S);
	snprintf(age, sizeof(age), "%lld", (long long)f->query.max_age_s);
	kv_command(on_stored, NULL, 5,
		(struct str[]){ STR("SET"), { name.p, name.n }, { value.p, value.n }, STR("EX"),
			str_of(age) });
	buf_free(&name);
	buf_free(&text);
	buf_free(&value);
}

/* Use VALUE as F's result if it is valid and not too old. */
static bool take(struct cache_flight *f, struct str value)
{
	struct buf name = { 0 }, text = { 0 };
	char *end = NULL;
	int64_t age;

	add_name(&name, f);
	if (field_key_of(value) && field_open(&text, name.p, value) && text.n) {
		f->at_us = strtoll(buf_cstr(&text), &end, 10);
		age = clock_now_us() - f->at_us;
		if (*end == ':' && age >= 0 && age < f->query.max_age_s * US_PER_S)
			buf_add(&f->body, end + 1, text.n - (size_t)(end + 1 - text.p));
	}
	if (!f->body.n)
		f->at_us = 0;
	buf_free(&name);
	buf_free(&text);
	return f->body.n > 0;
}

struct asking {
	uint32_t magic;
	struct cache_flight *f; /* NULL: the flight has gone on without Redis */
	struct loop_timer *limit;
};
MAGIC(asking, 0x6cd64dd7);

static void on_late(void *arg)
{
	struct asking *a = magic_cast(asking, arg);
	struct cache_flight *f = a->f;

	a->f = NULL;
	cache_flight_compute(f);
}

static void on_value(void *arg, const redisReply *reply)
{
	struct asking *a = magic_cast(asking, arg);
	struct cache_flight *f = a->f;

	loop_timer_free(a->limit);
	free(a);
	if (!f)
		return;
	if (!cache_is_running())
		cache_flight_drop(f);
	else if (reply && reply->type == REDIS_REPLY_STRING &&
		 take(f, (struct str){ reply->str, reply->len }))
		cache_flight_end(f, DB_OK, true);
	else
		cache_flight_compute(f);
}

void cache_redis_get(struct cache_flight *f)
{
	struct asking *a = magic_new(asking);
	struct buf name = { 0 };

	a->f = f;
	a->limit = loop_timer_new(on_late, a);
	loop_timer_set(a->limit, WAIT_US);
	add_name(&name, f);
	kv_command(on_value, a, 2, (struct str[]){ STR("GET"), { name.p, name.n } });
	buf_free(&name);
}
