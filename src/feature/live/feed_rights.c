/* SPDX-License-Identifier: Apache-2.0
 * A feed outlives requests, so every five seconds the sessions of all feeds are read again with one
 * array statement: a feed whose session has ended is closed, and one whose rights have changed
 * follows them. */
#include "live.h"
#include "feed_client.h"
#include "base/json.h"

#include <stdlib.h>

#define AT_ONCE 2000 /* sessions in one statement */

static struct {
	struct job_run *run;
	struct session **list; /* of this run, by key, each once, with references */
	size_t n, room, done;
	struct session **now; /* the present state of list[done], list[done + 1] … */
	size_t now_n;
} reading;

static int by_key(const void *a, const void *b)
{
	const struct session *const *x = a, *const *y = b;

	return memcmp((*x)->key, (*y)->key, sizeof((*x)->key));
}

static void add(struct session *s)
{
	if (reading.n == reading.room) {
		reading.room = reading.room ? reading.room * 2 : 64;
		reading.list = xrealloc(reading.list, reading.room * sizeof(*reading.list));
	}
	reading.list[reading.n++] = s;
}

/* The session of each client, each session once, with a reference. */
static void gather(void)
{
	size_t n = 0;

	for (struct list *node = feed_clients.next; node != &feed_clients; node = node->next) {
		struct client *c = list_entry(node, struct client, node);

		if (c->session)
			add(c->session);
	}

	if (reading.n)
		qsort(reading.list, reading.n, sizeof(*reading.list), by_key);
	for (size_t i = 0; i < reading.n; i++)
		if (!n || by_key(&reading.list[n - 1], &reading.list[i]) != 0)
			reading.list[n++] = reading.list[i];
	reading.n = n;
	for (size_t i = 0; i < n; i++)
		session_hold(reading.list[i]);
}

static void release_all(void)
{
	for (size_t i = 0; i < reading.n; i++)
		session_put(reading.list[i]);
	free(reading.list);
	reading.list = NULL;
	reading.n = reading.room = reading.done = 0;
}

/* The present state of OLD. Returns false if it was not asked about. */
static bool state_of(const struct session *old, struct session **out_now)
{
	struct session *const *at = bsearch(
		&old, reading.list + reading.done, reading.now_n, sizeof(*reading.list), by_key);

	if (at)
		*out_now = reading.now[at - (reading.list + reading.done)];
	return at != NULL;
}

/* --- the clients --- */

void feed_take_session(struct client *c, struct session *take_s)
{
	struct session *s = take_s, *old = c->session;
	struct json_error err;

	c->session = s;
	if (!old || strcmp(old->scope, s->scope) != 0) {
		json_object_put(c->scope);
		c->scope = s->scope[0] ? json_read(s->scope, strlen(s->scope), &err) : NULL;
	}
	session_put(old);
	if (!session_may(s, PERM_TICKET_READ))
		ws_close(c->ws, 4401, "the right has ended");
	else if (s->scope[0] && !c->scope)
		ws_close(c->ws, 1013, "try again");
}

static bool sees_the_same(const struct session *a, const struct session *b)
{
	return strcmp(a->tenants->text, b->tenants->text) == 0 && strcmp(a->scope, b->scope) == 0;
}

/* A client that sees more or less than before gets a snapshot, because what it shows is out of
 * date. */
static void follow(struct client *c, struct session *now)
{
	bool same = sees_the_same(c->session, now);

	session_hold(now);
	feed_take_session(c, now);
	if (!same && c->live && !c->behind)
		feed_send_snapshot(c, "rights");
}

/* Give each client the present state of its session. */
static void apply(void)
{
	struct session *now;

	for (struct list *n = feed_clients.next, *next; n != &feed_clients; n = next) {
		struct client *c = list_entry(n, struct client, node);

		next = n->next;
		if (!c->session || !state_of(c->session, &now))
			continue;
		if (now)
			follow(c, now);
		else
			ws_close(c->ws, 4401, "the session has ended");
	}
}

/* --- the job --- */

static void on_reread(void *arg, struct session **take_now, size_t n)
{
	struct job_run *run = reading.run;

	(void)arg;
	if (!take_now) { /* no event comes while the database is down */
		release_all();
		job_end(run, JOB_FAILED);
		return;
	}
	reading.now = take_now;
	reading.now_n = n;
	apply();
	for (size_t i = 0; i < n; i++)
		session_put(take_now[i]);
	free(take_now);
	reading.now = NULL;
	reading.done += n;
	if (reading.done < reading.n) {
		job_end(run, JOB_MORE);
		return;
	}
	release_all();
	job_end(run, JOB_DONE);
}

void feed_rights_run(struct job_run *run)
{
	size_t left;

	reading.run = run;
	if (reading.done == reading.n)
		gather();
	left = reading.n - reading.done;
	if (left)
		session_reread(reading.list + reading.done, left < AT_ONCE ? left : AT_ONCE,
			on_reread, NULL);
	else
		job_end(run, JOB_DONE);
}
