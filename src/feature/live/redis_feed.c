/* SPDX-License-Identifier: Apache-2.0
 * The instance that committed an event publishes it at once. The others hear it through the
 * channel; an event that they do not hear of within a second, they publish from the database. A
 * script in Redis adds an event to the stream under the id "<seq>-0" if the stream ends with the
 * event before it, and publishes it in the same step: several instances may try, one does it, and a
 * gap that a lost connection left is found by the next event. How far each stream is known to be
 * whole is stored, so that a restart of all instances loses nothing. */
#include "redis_feed.h"
#include "base/clock.h"
#include "base/magic.h"
#include "base/list.h"
#include "base/log.h"
#include "base/outage.h"
#include "config/options.h"
#include "crypto/crypto.h"
#include "feed_event.h"
#include "kv/kv.h"
#include "loop/loop.h"
#include "sql_gen.h"
#include "ticket/names.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#define STREAM_MAX "10000"
#define FETCH_LIMIT "500"
#define TENANTS_A_FETCH 200
/* how long to wait for the instance that committed, plus a random time */
#define HEAR_MIN_US 300000
#define HEAR_SPREAD_US 500000
#define CHECK_US 200000
#define AHEAD_US US_PER_S
#define COMPLAIN_US (60 * US_PER_S)

/* KEYS: the stream. ARGV: seq, the last published seq that the caller knows, force, the length, the
 * channel, the event. Returns the last seq of the stream; if that is less than seq, the caller
 * continues after it. Ids that are times come from Redis in earlier versions. */
static const char script[] =
	"local key, seq, last = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]) "
	"if redis.call('exists', key) == 1 then "
	"local info = redis.call('xinfo', 'stream', key) "
	"local top = last "
	"for i = 1, #info, 2 do if info[i] == 'last-generated-id' then "
	"top = tonumber(string.match(info[i + 1], '^%d+')) end end "
	"if top > 1000000000000 then redis.call('del', key) else last = top end "
	"end "
	"if last >= seq or (last < seq - 1 and ARGV[3] == '0') then return last end "
	"redis.call('xadd', key, 'maxlen', '~', ARGV[4], seq .. '-0', 'event', ARGV[6]) "
	"redis.call('publish', ARGV[5], ARGV[6]) "
	"return seq";

struct stream {
	int64_t tenant_id;
	int64_t published; /* the stream holds every event up to this one */
	int64_t latest;    /* the newest known event */
	int64_t heard;     /* the newest event that came through the channel */
	struct list behind;
	int64_t due_us; /* if it is behind: when to catch up */
	bool is_behind, unstored;
	/* the events requested to catch up */
	int64_t asked_after, asked_latest;
	bool answered;
	/* The last id in the stream, if it is newer than the newest event we know; else 0. */
	int64_t ahead, ahead_us, sure;
};

/* An event being sent to Redis. */
struct sending {
	uint32_t magic;
	int64_t tenant_id, seq;
	bool catching_up;
};
MAGIC(sending, 0xd16ddbb3);

static struct {
	struct stream **stream; /* sorted by tenant */
	size_t n, room;
	struct list behind;
	struct loop_timer *check_timer;
	struct db_call missed;
	struct buf tenants, seqs, stored, stored_seqs;
	struct stream *asked[TENANTS_A_FETCH];
	size_t asked_n, in_flight, unstored, ahead;
	int64_t complained_us, check_at_us; /* 0: the timer is not armed */
	bool wanted, begun, fetching;
} feed;

/* --- the streams --- */

static size_t place_of(int64_t tenant_id)
{
	size_t lo = 0, hi = feed.n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (feed.stream[mid]->tenant_id < tenant_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct stream *find_stream(int64_t tenant_id)
{
	size_t i = place_of(tenant_id);

	return i < feed.n && feed.stream[i]->tenant_id == tenant_id ? feed.stream[i] : NULL;
}

static struct stream *add_stream(int64_t tenant_id, int64_t published)
{
	size_t i = place_of(tenant_id);
	struct stream *s = xcalloc(1, sizeof(*s));

	if (feed.n == feed.room) {
		feed.room = feed.room ? feed.room * 2 : 64;
		feed.stream = xrealloc(feed.stream, feed.room * sizeof(struct stream *));
	}
	memmove(&feed.stream[i + 1], &feed.stream[i], (feed.n - i) * sizeof(struct stream *));
	feed.stream[i] = s;
	feed.n++;
	s->tenant_id = tenant_id;
	s->published = s->latest = published;
	return s;
}

/* Run a check within US microseconds. Catching up ends with a check of its own. */
static void check_within(int64_t us)
{
	int64_t at_us = clock_mono_us() + us;

	if (list_is_empty(&feed.behind) || feed.fetching || feed.in_flight ||
		(feed.check_at_us && feed.check_at_us <= at_us))
		return;
	feed.check_at_us = at_us;
	loop_timer_set(feed.check_timer, us);
}

static void note_behind(struct stream *s, int64_t wait_us)
{
	int64_t due_us = clock_mono_us() + wait_us;

	if (!s->is_behind) {
		s->is_behind = true;
		s->due_us = due_us;
		list_add_tail(&feed.behind, &s->behind);
	} else if (due_us < s->due_us) {
		s->due_us = due_us;
	}
	check_within(wait_us < CHECK_US ? wait_us : CHECK_US);
}

static void note_published(struct stream *s, int64_t seq)
{
	if (seq > s->published)
		s->published = seq;
	if (s->is_behind && s->published >= s->latest) {
		s->is_behind = false;
		list_remove(&s->behind);
	}
}

/* What came through the channel is published. A seq that nobody has committed is ignored. */
static void note_heard(struct stream *s)
{
	note_published(s, s->heard < s->latest ? s->heard : s->latest);
}

static void note_stored(struct stream *s, bool stored)
{
	feed.unstored += s->unstored == stored ? (stored ? -1ul : 1ul) : 0;
	s->unstored = !stored;
}

/* --- to Redis --- */

static void complain(const char *what)
{
	int64_t now = clock_mono_us();

	if (outage_is_on("redis"))
		return;
	if (feed.complained_us && now - feed.complained_us < COMPLAIN_US)
		return;
	feed.complained_us = now;
	log_warn(NULL, "redis does not accept events; will retry err=\"%.200s\"", what);
}

/* Another instance may have published an event that we do not know yet. It may also be the stream
 * of another database, or of one that was restored to an earlier state. */
static void note_ahead(struct stream *s, int64_t last)
{
	if (!s->ahead) {
		feed.ahead++;
		s->sure = s->published;
		s->ahead_us = clock_mono_us();
	}
	s->ahead = last;
}

static void on_answer(struct stream *s, int64_t seq, int64_t last)
{
	if (last < seq) { /* the stream ends earlier: continue from there */
		s->published = last;
		s->heard = 0;
		note_behind(s, 0);
		return;
	}
	if (last > s->latest)
		note_ahead(s, last);
	note_published(s, last < s->latest ? last : s->latest);
	note_stored(s, false);
}

static void on_sent(void *arg, const redisReply *reply)
{
	struct sending *e = magic_cast(sending, arg);
	struct stream *s = feed.wanted ? find_stream(e->tenant_id) : NULL;
	bool answered = reply && reply->type == REDIS_REPLY_INTEGER;

	if (e->catching_up)
		feed.in_flight--;
	if (reply && !answered)
		complain(reply->type == REDIS_REPLY_ERROR ? reply->str : "no number");
	if (s && answered)
		on_answer(s, e->seq, reply->integer);
	else if (s)
		note_behind(s, CHECK_US);
	if (e->catching_up && feed.wanted)
		check_within(answered ? 0 : CHECK_US);
	magic_end(e);
	free(e);
}

static void publish(struct stream *s, const struct desk_event *e, bool force, bool catching_up)
{
	struct sending *sending = magic_new(sending);
	char key[64], channel[64], seq[24], known[24];
	struct buf plain = { 0 }, json = { 0 };

	sending->tenant_id = e->tenant_id;
	sending->seq = e->seq;
	sending->catching_up = catching_up;
	feed.in_flight += catching_up;
	event_add_json(&plain, e, false);
	priority_add_labelled(&json, (struct str){ plain.p, plain.n }, false); /* for programs */
	buf_free(&plain);
	snprintf(key, sizeof(key), "sladesk:v1:events:%lld", (long long)e->tenant_id);
	snprintf(channel, sizeof(channel), "sladesk.v1.events.%lld", (long long)e->tenant_id);
	snprintf(seq, sizeof(seq), "%lld", (long long)e->seq);
	snprintf(known, sizeof(known), "%lld", (long long)s->published);
	kv_command(on_sent, sending, 10,
		(struct str[]){ STR("EVAL"), { script, sizeof(script) - 1 }, STR("1"), str_of(key),
			str_of(seq), str_of(known), force ? STR("1") : STR("0"), STR(STREAM_MAX),
			str_of(channel), { json.p, json.n } });
	buf_free(&json);
}

static int64_t hearing_us(void)
{
	uint32_t r;

	crypto_random(&r, sizeof(r));
	return HEAR_MIN_US + r % HEAR_SPREAD_US;
}

void redis_feed_on_event(const struct desk_event *e)
{
	struct stream *s;

	if (!feed.wanted)
		return;
	s = find_stream(e->tenant_id);
	if (!s)
		s = add_stream(e->tenant_id, e->seq - 1);
	if (e->seq > s->latest)
		s->latest = e->seq;
	note_heard(s);
	if (!feed.begun || s->published >= s->latest)
		return;
	if (e->ours && kv_is_up())
		publish(s, e, false, false);
	else
		note_behind(s, e->ours ? CHECK_US : hearing_us());
}

void redis_feed_heard(int64_t tenant_id, int64_t seq)
{
	struct stream *s = feed.wanted ? find_stream(tenant_id) : NULL;

	if (s && seq > s->heard)
		s->heard = seq;
}

/* --- catching up --- */

/* Publish the rows. A gap between two rows is not a loss: those events are no longer kept. */
static void publish_rows(const PGresult *rows)
{
	struct stream *s = NULL;
	int64_t before = 0;

	for (int i = 0; i < PQntuples(rows); i++) {
		struct desk_event e = event_of_row(rows, i);

		if (!s || s->tenant_id != e.tenant_id) {
			s = find_stream(e.tenant_id);
			before = s->asked_after;
			s->answered = true;
		}
		if (e.seq > s->latest)
			s->latest = e.seq;
		publish(s, &e, e.seq != before + 1, true);
		before = e.seq;
	}
}

static void on_missed(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	feed.fetching = false;
	if (!feed.wanted)
		return;
	if (error == DB_OK)
		publish_rows(rows);
	for (size_t i = 0; error == DB_OK && i < feed.asked_n; i++)
		if (!feed.asked[i]->answered && PQntuples(rows) < atoi(FETCH_LIMIT))
			note_published(feed.asked[i], feed.asked[i]->asked_latest);
	check_within(CHECK_US);
}

/* Gather the streams whose time has come, except those that have caught up meanwhile. */
static void gather(void)
{
	int64_t now = clock_mono_us();

	feed.tenants.n = feed.seqs.n = feed.asked_n = 0;
	for (struct list *n = feed.behind.next, *next; n != &feed.behind; n = next) {
		struct stream *s = list_entry(n, struct stream, behind);

		next = n->next;
		note_heard(s);
		if (!s->is_behind || s->due_us > now || feed.asked_n == TENANTS_A_FETCH)
			continue;
		s->asked_after = s->published;
		s->asked_latest = s->latest;
		s->answered = false;
		buf_addf(
			&feed.tenants, "%c%lld", feed.asked_n ? ',' : '{', (long long)s->tenant_id);
		buf_addf(&feed.seqs, "%c%lld", feed.asked_n ? ',' : '{', (long long)s->published);
		feed.asked[feed.asked_n++] = s;
	}
	buf_addc(&feed.tenants, '}');
	buf_addc(&feed.seqs, '}');
}

static void check_behind(void *arg)
{
	(void)arg;
	feed.check_at_us = 0;
	if (!feed.wanted || feed.fetching || feed.in_flight)
		return;
	if (kv_is_up())
		gather();
	if (!kv_is_up() || !feed.asked_n) {
		check_within(CHECK_US);
		return;
	}
	feed.fetching = true;
	feed.missed = (struct db_call){ .stmt = &sql_bus_fetch,
		.ctx.role = DB_ROLE_JOB,
		.param = { buf_cstr(&feed.tenants), buf_cstr(&feed.seqs), FETCH_LIMIT },
		.on_done = on_missed };
	db_exec(&feed.missed);
}

/* --- once a second --- */

static void on_begun(struct job_run *run, enum db_error error, const PGresult *rows)
{
	for (int i = 0; error == DB_OK && i < PQntuples(rows); i++) {
		struct stream *s = find_stream(db_int(rows, i, 0));

		if (!s)
			s = add_stream(db_int(rows, i, 0), 0);
		s->published = db_int(rows, i, 1);
		if (db_int(rows, i, 2) > s->latest)
			s->latest = db_int(rows, i, 2);
	}
	feed.begun = error == DB_OK;
	for (size_t i = 0; feed.begun && i < feed.n; i++)
		if (feed.stream[i]->published < feed.stream[i]->latest)
			note_behind(feed.stream[i], hearing_us());
	job_end_db(run, error);
}

static void on_deleted(void *arg, const redisReply *reply)
{
	(void)arg;
	(void)reply; /* if it failed, the stream will be found ahead again */
}

/* The stream ends beyond the events of the database, so it belongs to another past. */
static void start_anew(struct stream *s)
{
	char key[64];

	log_warn(NULL, "redis stream is ahead of the database, restarted tenant=%lld last=%lld",
		(long long)s->tenant_id, (long long)s->ahead);
	snprintf(key, sizeof(key), "sladesk:v1:events:%lld", (long long)s->tenant_id);
	kv_command(on_deleted, NULL, 2, (struct str[]){ STR("DEL"), str_of(key) });
	s->published = s->sure;
	s->heard = 0;
	note_behind(s, 0);
}

static bool is_ahead(const struct stream *s)
{
	return s->ahead && clock_mono_us() - s->ahead_us >= AHEAD_US;
}

static void end_ahead(struct stream *s)
{
	s->ahead = 0;
	feed.ahead--;
}

static void on_counters(struct job_run *run, enum db_error error, const PGresult *rows)
{
	for (int i = 0; error == DB_OK && i < PQntuples(rows); i++) {
		struct stream *s = find_stream(db_int(rows, i, 0));

		if (!s || !is_ahead(s))
			continue;
		if (s->ahead > db_int(rows, i, 1))
			start_anew(s);
		end_ahead(s);
	}
	job_end_db(run, error);
}

/* Is a stream still ahead after a second? Usually we only had not received the event yet. */
static bool some_are_ahead(void)
{
	bool some = false;

	for (size_t i = 0; feed.ahead && i < feed.n; i++)
		if (feed.stream[i]->ahead && feed.stream[i]->ahead <= feed.stream[i]->latest)
			end_ahead(feed.stream[i]);
		else
			some |= is_ahead(feed.stream[i]);
	return some;
}

static void on_stored(struct job_run *run, enum db_error error, const PGresult *rows)
{
	(void)rows;
	job_end_db(run, error); /* after a failure, the position is stored with the next event */
}

static void store_positions(struct job_run *run)
{
	int n = 0;

	feed.stored.n = feed.stored_seqs.n = 0;
	for (size_t i = 0; i < feed.n && n < 1000; i++) {
		struct stream *s = feed.stream[i];

		if (!s->unstored)
			continue;
		note_stored(s, true);
		buf_addf(&feed.stored, "%c%lld", n ? ',' : '{', (long long)s->tenant_id);
		buf_addf(&feed.stored_seqs, "%c%lld", n++ ? ',' : '{', (long long)s->published);
	}
	buf_addc(&feed.stored, '}');
	buf_addc(&feed.stored_seqs, '}');
	job_param_text(run, 0, "redis");
	job_param_text(run, 1, buf_cstr(&feed.stored));
	job_param_text(run, 2, buf_cstr(&feed.stored_seqs));
	job_query(run, &sql_bus_position_set, on_stored);
}

int64_t redis_feed_every(void)
{
	return feed.wanted ? 1000 : 0;
}

void redis_feed_run(struct job_run *run)
{
	if (!feed.begun) {
		job_param_text(run, 0, STREAM_MAX);
		job_query(run, &sql_redis_begin, on_begun);
	} else if (feed.unstored) {
		store_positions(run);
	} else if (some_are_ahead()) {
		job_query(run, &sql_bus_counters, on_counters);
	} else {
		job_end(run, JOB_DONE);
	}
}

void redis_feed_init(void)
{
	list_init(&feed.behind);
	feed.wanted = options.redis_url[0] != 0;
	feed.check_timer = loop_timer_new(check_behind, NULL);
}

void redis_feed_free(void)
{
	feed.wanted = false;
	loop_timer_free(feed.check_timer);
	for (size_t i = 0; i < feed.n; i++)
		free(feed.stream[i]);
	free(feed.stream);
	feed.stream = NULL;
	feed.n = feed.room = 0;
	buf_free(&feed.tenants);
	buf_free(&feed.seqs);
	buf_free(&feed.stored);
	buf_free(&feed.stored_seqs);
}
