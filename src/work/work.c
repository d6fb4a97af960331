/* SPDX-License-Identifier: Apache-2.0
 * The pools: which job waits for which helpers, for how long, and how it ends. */
#include "inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "loop/loop.h"

#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <unistd.h>

#define CHECK_MS 5000
#define AHEAD_MAX 3 /* jobs of the first lane in a row while the other lane waits */

/* A password or a document can be retried when its helper has died; a mail may already have been
 * sent. */
static const struct {
	const char *name;
	int tries, queue_max;
	int64_t wait_us;
} rules[WORK_POOLS] = {
	[POOL_HASH] = { "hash", 3, 64, 5 * US_PER_S },
	[POOL_PARSE] = { "parse", 3, 64, 5 * US_PER_S },
	[POOL_MAIL] = { "mail", 1, HELPERS_MAX, 5 * US_PER_S },
	[POOL_FILE] = { "file", 1, 4, 5 * US_PER_S },
};

static struct pool pools[WORK_POOLS];
static uint64_t next_job = 1;
static bool running;
static const struct who who = { .kind = "work" };

const char *work_pool_name(enum work_pool pool)
{
	return rules[pool].name;
}

/* --- ends of jobs --- */

static void deliver(void *arg)
{
	struct job *j = magic_cast(job, arg);

	j->on_done(j->arg, j->end, (struct str){ j->answer.p, j->answer.n });
	OPENSSL_cleanse(j->bytes, j->head.length);
	free(j->bytes);
	if (j->answer.p)
		OPENSSL_cleanse(j->answer.p, j->answer.n);
	buf_free(&j->answer);
	magic_end(j);
	free(j);
}

void pool_done(struct pool *p, struct job *j, enum work_end end)
{
	p->health.jobs++;
	p->health.failed += end != WORK_DONE;
	j->end = end;
	later_call(deliver, j);
}

/* --- the queue --- There are two lanes. Known owners go first, but after three of their jobs in a
 * row, a stranger's job has its turn. Within a lane, owners take turns: a job waits behind the
 * earlier jobs of its own owner and behind one job of each other owner of its customer, however
 * many those have queued. If a lane is full, the job whose turn is last is given up. */

static void set_late(struct pool *p)
{
	int64_t first = INT64_MAX;

	for (int i = 0; i < LANES; i++)
		for (struct list *n = p->lane[i].jobs.next; n != &p->lane[i].jobs; n = n->next) {
			const struct job *j = list_entry(n, struct job, node);

			first = j->wait_until_us < first ? j->wait_until_us : first;
		}
	if (!p->lane[0].queued && !p->lane[1].queued)
		loop_timer_cancel(p->late);
	else
		loop_timer_set(p->late, first - clock_mono_us());
}

static void take_out(struct pool *p, struct job *j)
{
	list_remove(&j->node);
	p->lane[j->lane].queued--;
}

/* The turn of J: behind the jobs of its own owner, and behind one job of each other owner of the
 * same customer. */
static void take_turn(const struct lane *l, struct job *j)
{
	int own = 0, others = 0;

	for (const struct list *n = l->jobs.next; n != &l->jobs; n = n->next) {
		const struct job *k = list_entry(n, struct job, node);
		bool same = *j->owner && strcmp(k->owner, j->owner) == 0;

		own += same;
		others += !same && *j->owner && k->customer == j->customer && k->is_first;
	}
	j->is_first = own == 0;
	j->turn = l->turn + 1 + own + others;
}

static void put_in(struct pool *p, struct job *j, bool again)
{
	struct lane *l = &p->lane[j->lane];
	struct list *at = &l->jobs;

	j->wait_until_us = clock_mono_us() + p->wait_us;
	if (again)
		j->turn = l->turn;
	else
		take_turn(l, j);
	while (at->prev != &l->jobs && list_entry(at->prev, struct job, node)->turn > j->turn)
		at = at->prev;
	list_add_tail(at, &j->node);
	l->queued++;
}

static void fail_waiting(struct pool *p, int64_t until_us)
{
	struct list *next;

	for (int i = 0; i < LANES; i++)
		for (struct list *n = p->lane[i].jobs.next; n != &p->lane[i].jobs; n = next) {
			struct job *j = list_entry(n, struct job, node);

			next = n->next;
			if (j->wait_until_us > until_us)
				continue;
			take_out(p, j);
			pool_done(p, j, WORK_LATE);
		}
}

static void on_late(void *arg)
{
	struct pool *p = magic_cast(pool, arg);

	fail_waiting(p, clock_mono_us());
	set_late(p);
}

static struct job *next_waiting(struct pool *p)
{
	const struct lane *first = &p->lane[LANE_FIRST], *rest = &p->lane[LANE_REST];
	bool known = first->queued && (!rest->queued || p->ahead < AHEAD_MAX);
	struct lane *l = &p->lane[known ? LANE_FIRST : LANE_REST];
	struct job *j = list_entry(l->jobs.next, struct job, node);

	p->ahead = known ? p->ahead + 1 : 0;
	l->turn = j->turn > l->turn ? j->turn : l->turn;
	return j;
}

static void dispatch(struct pool *p)
{
	for (int i = 0; i < p->count && (p->lane[0].queued || p->lane[1].queued); i++) {
		struct job *j;

		if (p->helpers[i].state != HELPER_IDLE)
			continue;
		j = next_waiting(p);
		take_out(p, j);
		helper_give(&p->helpers[i], j);
	}
	set_late(p);
}

/* Make room for J in a full lane: give up the job whose turn is last. Returns false if that is J
 * itself. */
static bool make_room(struct pool *p, struct job *j)
{
	struct lane *l = &p->lane[j->lane];
	struct job *last;

	if (l->queued < p->queue_max)
		return true;
	take_turn(l, j);
	last = list_entry(l->jobs.prev, struct job, node);
	if (last->turn <= j->turn)
		return false;
	take_out(p, last);
	p->health.refused++;
	pool_done(p, last, WORK_LATE);
	return true;
}

bool work_submit(const struct work_job *job)
{
	struct pool *p = &pools[work_pool_of(job->kind)];
	struct job *j;

	bug_on(work_pool_of(job->kind) >= WORK_POOLS);
	if (!running || p->broken || job->n > WIRE_MAX) {
		p->health.refused++;
		return false;
	}
	j = magic_new(job);
	j->lane = job->first ? LANE_FIRST : LANE_REST;
	j->customer = job->customer;
	snprintf(j->owner, sizeof(j->owner), "%s", job->owner ? job->owner : "");
	if (!make_room(p, j)) {
		p->health.refused++;
		magic_end(j);
		free(j);
		return false;
	}
	j->head = (struct wire_head){ (uint32_t)job->n, WIRE_VERSION, (uint16_t)job->kind,
		next_job++ };
	j->bytes = xstrndup(job->p, job->n);
	j->timeout_us = job->timeout_ms * 1000LL;
	j->on_done = job->on_done;
	j->arg = job->arg;
	put_in(p, j, false);
	dispatch(p);
	return true;
}

/* --- reports of helpers --- */

void pool_idle(struct pool *p)
{
	if (p->broken)
		log_info(&who, "helpers started again pool=%s", p->name);
	p->broken = false;
	dispatch(p);
}

/* Retry the job before all others, or give it up. */
void pool_lost(struct pool *p, struct job *j)
{
	if (!running || ++j->tries >= p->tries) {
		pool_done(p, j, WORK_LOST);
		return;
	}
	put_in(p, j, true);
	dispatch(p);
}

void pool_start_failed(struct pool *p, const char *why)
{
	if (p->broken)
		return;
	for (int i = 0; i < p->count; i++)
		if (p->helpers[i].state > HELPER_STARTING || !p->helpers[i].failures)
			return;
	log_error(&who, "no helper can be started pool=%s program=%s why=%s", p->name, p->program,
		why);
	p->broken = true;
	fail_waiting(p, INT64_MAX);
	set_late(p);
}

/* --- life --- */

/* The directory, or the directory of the file: the setting used to name the only program. */
static char *program_of(const char *dir, enum work_pool pool)
{
	const char *slash = strrchr(dir, '/');
	struct stat st;
	int n = (int)strlen(dir);

	if (slash && !(stat(dir, &st) == 0 && S_ISDIR(st.st_mode)))
		n = (int)(slash - dir);
	return xasprintf("%.*s/sladesk-helper-%s", n, dir, rules[pool].name);
}

void work_init(const struct work_settings *s)
{
	running = true;
	loop_on_signal(SIGCHLD, helper_reap);
	for (int i = 0; i < WORK_POOLS; i++) {
		struct pool *p = &pools[i];

		*p = (struct pool){ .magic = pool_magic,
			.name = rules[i].name,
			.program = program_of(s->dir, (enum work_pool)i),
			.count = s->count[i] < HELPERS_MAX ? s->count[i] : HELPERS_MAX,
			.tries = rules[i].tries,
			.queue_max = rules[i].queue_max,
			.wait_us = rules[i].wait_us };
		for (int k = 0; k < LANES; k++)
			list_init(&p->lane[k].jobs);
		p->late = loop_timer_new(on_late, p);
		for (int k = 0; k < p->count; k++)
			helper_init(&p->helpers[k], p);
	}
}

void work_stop(void)
{
	running = false;
	for (int i = 0; i < WORK_POOLS; i++) {
		struct pool *p = &pools[i];

		fail_waiting(p, INT64_MAX);
		set_late(p);
		for (int k = 0; k < p->count; k++)
			helper_stop(&p->helpers[k]);
	}
}

void work_free(void)
{
	work_stop();
	for (int i = 0; i < WORK_POOLS; i++) {
		struct pool *p = &pools[i];

		for (int k = 0; k < p->count; k++)
			loop_timer_free(p->helpers[k].timer);
		p->count = 0;
		loop_timer_free(p->late);
		free(p->program);
		p->late = NULL;
		p->program = NULL;
	}
	helper_reap(0);
}

struct work_health work_health(enum work_pool pool)
{
	const struct pool *p = &pools[pool];
	struct work_health h = p->health;

	h.helpers = p->count;
	h.queued = p->lane[LANE_FIRST].queued + p->lane[LANE_REST].queued;
	for (int i = 0; i < p->count; i++) {
		h.ready += p->helpers[i].state >= HELPER_IDLE;
		h.busy += p->helpers[i].state == HELPER_BUSY;
	}
	return h;
}

const char *work_state(void)
{
	const char *state = "up";

	for (int i = 0; i < WORK_POOLS; i++) {
		struct work_health h = work_health((enum work_pool)i);

		if (!h.ready)
			return "down";
		if (h.ready < h.helpers)
			state = "degraded";
	}
	return state;
}

/* --- verification --- */

static char *check_program(const char *program)
{
	struct pollfd fd = { .fd = -1, .events = POLLIN };
	struct wire_head head = { 0 };
	const char *why = NULL;
	pid_t pid = 0;
	int err = helper_spawn(program, &pid, &fd.fd);

	if (err)
		return xasprintf("worker.path: %s: %s", program, strerror(err));
	if (poll(&fd, 1, CHECK_MS) != 1)
		why = "does not report that it is ready";
	else if (read(fd.fd, &head, sizeof(head)) != sizeof(head))
		why = "exits at once";
	else if (head.version != WIRE_VERSION || head.kind != WORK_READY)
		why = "has another version";
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd.fd);
	return why ? xasprintf("worker.path: %s: %s", program, why) : NULL;
}

void work_check(const struct work_settings *s, bool run, struct buf *faults)
{
	for (int i = 0; i < WORK_POOLS; i++) {
		char *program = program_of(s->dir, (enum work_pool)i), *why = NULL;

		if (access(program, X_OK) != 0)
			why = xasprintf("worker.path: %s: %s", program, strerror(errno));
		else if (run)
			why = check_program(program);
		if (why)
			buf_addf(faults, "%s\n", why);
		free(why);
		free(program);
	}
}
