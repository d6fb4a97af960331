/* SPDX-License-Identifier: Apache-2.0 */
#include "timers/lease.h"
#include "base/clock.h"
#include "base/log.h"
#include "db/db.h"
#include "sla/shape.h"
#include "sql_gen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SHARDS 64
#define TTL_US (10 * US_PER_S)
#define RENEW_MS 3000
#define MARGIN_US (2 * US_PER_S)
#define SOON_MS 250 /* while shards are missing, or the database did not answer */
#define SKEW_MAX_US (US_PER_S / 10)

static struct {
	uint64_t held;
	int64_t held_until_us, sent_us, skew_us, skew_told_us;
	int instances;
	bool changed, running, asked, releasing, complete; /* complete: no shards are missing */
	struct db_call release_call;
	char me[96], host_prefix[80], may_take[2], dead[2000], mine[100];
} lease;

/* splitmix64's finalizer (Steele, Lea, Flood 2014): neighbours fall into different shards. */
static unsigned shard_of(int64_t tenant_id, int64_t subject_id)
{
	uint64_t x = (uint64_t)tenant_id * 0x9e3779b97f4a7c15u + (uint64_t)subject_id;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return (unsigned)((x ^ (x >> 31)) % SHARDS);
}

bool lease_holds(int64_t tenant_id, int64_t subject_id)
{
	return (lease.held >> shard_of(tenant_id, subject_id) & 1) != 0 &&
	       clock_mono_us() < lease.held_until_us;
}

bool lease_changed(void)
{
	bool was = lease.changed;

	lease.changed = false;
	return was;
}

struct lease_health lease_health(void)
{
	return (struct lease_health){
		clock_mono_us() < lease.held_until_us ? __builtin_popcountll(lease.held) : 0,
		lease.instances, lease.skew_us
	};
}

/* The skew is the part of the difference that the round trip cannot explain. A warped clock differs
 * on purpose. */
static void note_skew(int64_t database_us)
{
	int64_t trip = clock_mono_us() - lease.sent_us,
		off = database_us - (clock_now_us() - trip / 2);

	lease.skew_us = clock_is_warped() ? 0
			: off > trip / 2  ? off - trip / 2
			: off < -trip / 2 ? off + trip / 2
					  : 0;
	if (llabs(lease.skew_us) > SKEW_MAX_US &&
		clock_mono_us() - lease.skew_told_us > 60 * US_PER_S) {
		lease.skew_told_us = clock_mono_us();
		log_error(NULL,
			"the clock differs from the database's by %lld ms, and deadlines fire with "
			"this error",
			(long long)(lease.skew_us / 1000));
	}
}

static void on_released(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	(void)rows;
	lease.releasing = false;
	if (error != DB_OK)
		db_log(LOG_WARN, NULL, error, "leases not released err=%s; they will expire",
			db_error_name(error));
}

static void release(void)
{
	snprintf(lease.mine, sizeof(lease.mine), "{\"%s\"}", lease.me);
	lease.release_call = (struct db_call){ .stmt = &sql_lease_release,
		.ctx.role = DB_ROLE_JOB,
		.param = { lease.mine },
		.on_done = on_released };
	db_exec(&lease.release_call);
}

static void take_answer(const PGresult *rows)
{
	uint64_t now_held;

	now_held = (uint64_t)db_int(rows, 0, 0);
	note_skew(db_int(rows, 0, 1));
	lease.instances = (int)db_int(rows, 0, 2);
	if (now_held != lease.held)
		log_info(NULL, "leases shards=%d instances=%d", __builtin_popcountll(now_held),
			lease.instances);
	lease.changed |= (now_held & ~lease.held) != 0 || clock_mono_us() >= lease.held_until_us;
	lease.held = now_held;
	lease.held_until_us = lease.sent_us + TTL_US - MARGIN_US;
	lease.complete = __builtin_popcountll(lease.held) >= SHARDS / lease.instances;
}

static void on_held(struct job_run *run, enum db_error error, const PGresult *rows)
{
	lease.asked = lease.complete = false;
	if (lease.releasing)
		release(); /* a lease renewed after this would outlive this process */
	if (lease.running && error == DB_OK)
		take_answer(rows);
	job_end_db(run, error);
}

static void hold(struct job_run *run)
{
	lease.sent_us = clock_mono_us();
	/* an instance whose clock is off takes no further shards */
	snprintf(lease.may_take, sizeof(lease.may_take), "%s",
		llabs(lease.skew_us) > SKEW_MAX_US ? "f" : "t");
	lease.asked = true;
	job_param_text(run, 0, lease.me);
	job_param_text(run, 1, lease.may_take);
	job_param_int(run, 2, SLA_POLICY_FORMAT);
	job_query(run, &sql_lease_hold, on_held);
}

static void on_dead_released(struct job_run *run, enum db_error error, const PGresult *rows)
{
	(void)error; /* then they expire */
	(void)rows;
	if (lease.running)
		hold(run);
	else
		job_end(run, JOB_DONE);
}

/* An instance of this host that was killed cannot release its shards: its process is gone. (In
 * another process namespace it may be alive. Then both act for a while, and the fence decides.) */
static void on_owners(struct job_run *run, enum db_error error, const PGresult *rows)
{
	size_t n = 1;

	if (!lease.running || error != DB_OK) {
		job_end_db(run, error);
		return;
	}
	lease.dead[0] = '{';
	for (int i = 0; i < PQntuples(rows); i++) {
		struct str owner = db_text(rows, i, 0);
		long pid = strtol(owner.p + strlen(lease.host_prefix), NULL, 10);

		if (n + owner.n + 4 < sizeof(lease.dead) && pid > 0 && kill((pid_t)pid, 0) != 0 &&
			errno == ESRCH)
			n += (size_t)snprintf(lease.dead + n, sizeof(lease.dead) - n, "%s\"%.*s\"",
				n > 1 ? "," : "", (int)owner.n, owner.p);
	}
	snprintf(lease.dead + n, sizeof(lease.dead) - n, "}");
	job_param_text(run, 0, lease.dead);
	job_query(run, &sql_lease_release, on_dead_released);
}

/* First find the earlier instances of this host, then take our own shards. */
static void renew(struct job_run *run)
{
	if (lease.held_until_us) {
		hold(run);
		return;
	}
	job_param_text(run, 0, lease.host_prefix);
	job_query(run, &sql_lease_owners, on_owners);
}

static int64_t renew_every(void)
{
	return lease.complete ? RENEW_MS : SOON_MS;
}

const struct job lease_jobs[] = {
	{ "lease", .every = renew_every, .at_start = true, .run = renew },
	{ 0 },
};

void lease_release(void)
{
	if (!lease.running)
		return;
	lease.running = false;
	lease.held = 0;
	lease.releasing = true;
	if (!lease.asked)
		release();
}

bool lease_is_releasing(void)
{
	return lease.releasing;
}

void lease_init(void)
{
	char host[65] = "";

	gethostname(host, sizeof(host) - 1);
	for (char *p = host; *p;
		p++) /* the name becomes part of an array literal and of a pattern */
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *p))
			*p = '-';
	snprintf(lease.host_prefix, sizeof(lease.host_prefix), "%s:", host);
	snprintf(lease.me, sizeof(lease.me), "%s%d", lease.host_prefix, (int)getpid());
	lease.running = true;
}
