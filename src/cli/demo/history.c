/* SPDX-License-Identifier: Apache-2.0
 * The days of the demo's past: who opens which ticket when (office hours, holidays), what was still
 * open when the demo ended last, and what a visitor should find at the end. */
#include "past.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define OFFICE_OFFSET_US (8 * 60 * MINUTE)

/* --- days --- */

struct arrival {
	int64_t at, user, subject;
	const struct customer *of;
	const struct demo_story *story;
	bool twice;
};

static int by_time(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* A story of the customer's language, the grave ones rarely. */
static const struct demo_story *pick_story(const struct customer *of, struct demo_dice *d)
{
	int64_t n = demo_roll(d, 1, 1000);
	enum priority want = n <= 12 ? P0 : n <= 120 ? P1 : n <= 430 ? P2 : n <= 800 ? P3 : P4;
	bool zh = strcmp(of->of->lang, "zh") == 0;

	if (!of->v[0].policy.has[want])
		want = P3;
	for (;;) {
		const struct demo_story *s =
			&demo_stories[demo_roll(d, 0, (int64_t)demo_story_count - 1)];

		if (s->zh == zh && s->priority == want)
			return s;
	}
}

static size_t arrivals_of(
	const struct customer *of, int64_t midnight, struct demo_dice *d, struct arrival *out)
{
	bool works = calendar_between(past.office, midnight, midnight + DAY_US) > 0;
	int64_t n = works ? of->of->a_day + demo_roll(d, -2, 2) : demo_roll(d, 0, 2);

	for (int64_t i = 0; i < n; i++) {
		struct arrival *a = &out[i];
		int64_t from = 9 * 60, to = 18 * 60;

		*a = (struct arrival){ .of = of, .story = pick_story(of, d) };
		if (a->story->priority <= P1)
			from = 7 * 60, to = 23 * 60;
		a->at = midnight + demo_roll(d, from * 60, to * 60) * US_PER_S;
		if (a->story->priority > P1 && works && !calendar_is_open(past.office, a->at))
			a->at -= 90 * MINUTE; /* few write at lunch */
		a->user = demo_roll(d, 0, USERS_MAX);
		a->subject = demo_roll(d, 0, 11);
		a->twice = a->story->priority >= P1 && demo_chance(d, 2);
	}
	return (size_t)n;
}

static void one_day(int64_t midnight, int64_t from, int64_t to)
{
	struct arrival list[DEMO_TENANTS * 16];
	size_t n = 0;

	for (int i = 0; i < DEMO_TENANTS; i++) {
		char *seed =
			xasprintf("%s %lld", demo_tenants[i].code, (long long)(midnight / DAY_US));
		struct demo_dice d = { demo_seed(seed) };

		n += arrivals_of(&past.customer[i], midnight, &d, list + n);
		free(seed);
	}
	qsort(list, n, sizeof(*list), by_time);
	for (size_t i = 0; i < n; i++) {
		const struct arrival *a = &list[i];
		char *subject = demo_subject(a->story, a->subject);

		if (a->at >= from && a->at < to - MINUTE)
			(a->twice ? past_tell_twice : past_tell)(
				a->of, a->story, subject, a->user, a->at);
		free(subject);
	}
}

/* --- the end: every state is there, and some deadlines pass while somebody looks --- */

/* Find a ticket of the last hours that is in STATE now and stays there for HOLD (us), and tell it.
 */
static void show_state(enum ticket_state state, int64_t hours, int64_t hold, int round)
{
	struct demo_dice d = { demo_seed(ticket_state_name(state)) + (uint64_t)(past.now + round) };

	for (int tries = 0; tries < 200000; tries++) {
		const struct customer *of = &past.customer[(tries + round) % DEMO_TENANTS];
		const struct demo_story *s = pick_story(of, &d);
		int64_t at = past.now - demo_roll(&d, 10, hours * 3600) * US_PER_S,
			subject_i = demo_roll(&d, 0, 11);
		char *subject = demo_subject(s, subject_i),
		     *title = demo_text(s->title, strlen(s->title), subject);
		struct demo_plan p;
		bool fits;

		at -= at % US_PER_S;
		fits = demo_plan_make(&p, title, at, s->priority) &&
		       demo_state_at(&p, at, past.now) == state &&
		       demo_state_at(&p, at, past.now + hold) == state;
		if (fits)
			past_tell(of, s, subject, tries, at);
		free(subject);
		free(title);
		if (fits)
			return;
	}
}

/* A ticket that waits too long for its first answer: its warnings and its breach fall due soon. */
static void show_late(enum priority priority, int64_t due_in)
{
	struct demo_dice d = { demo_seed("late") ^ (uint64_t)due_in };

	for (int tries = 0; tries < 200000; tries++) {
		const struct customer *of = &past.customer[tries % DEMO_TENANTS];
		const struct demo_story *s = pick_story(of, &d);
		int64_t at = past.now + due_in + demo_roll(&d, -40, 40) * US_PER_S -
			     of->v[0].policy.budget[priority].response_s * US_PER_S;
		char *subject = demo_subject(s, tries),
		     *title = demo_text(s->title, strlen(s->title), subject);
		struct demo_plan p;
		bool fits;

		at -= at % US_PER_S;
		fits = s->priority == priority && demo_plan_make(&p, title, at, priority) &&
		       p.late &&
		       demo_state_at(&p, at, past.now + due_in + 4 * MINUTE) <= TICKET_ACCEPTED &&
		       demo_state_at(&p, at, past.now) == TICKET_NEW;
		if (fits)
			past_tell(of, s, subject, tries, at);
		free(subject);
		free(title);
		if (fits)
			return;
	}
}

/* HOURS: how far back tickets may be opened. */
static void show_all(int64_t hours)
{
	PGresult *r = cli_exec(past.pg, &sql_cli_demo_states, NULL);

	for (int s = 0; s <= TICKET_CLOSED; s++) {
		int64_t there = 0,
			wanted = s <= TICKET_PENDING_CUSTOMER ? 3
				 : s < TICKET_OPEN_COUNT      ? 2
							      : 1,
			hold = s == TICKET_MITIGATED || s == TICKET_MONITORING ? 2 * MINUTE
									       : 15 * MINUTE;

		for (int i = 0; i < PQntuples(r); i++)
			if (strcmp(PQgetvalue(r, i, 0), ticket_state_name((enum ticket_state)s)) ==
				0)
				there = strtoll(PQgetvalue(r, i, 1), NULL, 10);
		for (; there < wanted; there++)
			show_state((enum ticket_state)s, hours, hold, (int)there);
	}
	PQclear(r);
	show_late(P2, 4 * MINUTE);
	show_late(P1, 9 * MINUTE);
}

/* --- all of it --- */

static void read_version(struct sla_version *v, const PGresult *r)
{
	const struct cli_version *found =
		cli_version(past.pg, PQgetvalue(r, 0, 1), PQgetvalue(r, 0, 2));

	*v = (struct sla_version){ strtoll(found->policy_id, NULL, 10),
		strtoll(found->calendar_id, NULL, 10), found->policy, found->calendar, NULL };
}

static void read_customer(struct customer *c, const struct demo_tenant *of)
{
	char id[24];
	const char *p[] = { of->code, "f" }, *q[] = { id };
	PGresult *r = cli_exec(past.pg, &sql_cli_demo_ticket, p);

	if (!PQntuples(r))
		die("the demo's customer %s is missing", of->code);
	snprintf(id, sizeof(id), "%s", PQgetvalue(r, 0, 0));
	*c = (struct customer){ .of = of,
		.id = strtoll(id, NULL, 10),
		.config_version = strtoll(PQgetvalue(r, 0, 3), NULL, 10) };
	read_version(&c->v[0], r);
	PQclear(r);
	p[1] = "t";
	r = cli_exec(past.pg, &sql_cli_demo_ticket, p);
	c->has_billing = PQntuples(r) == 1;
	if (c->has_billing) {
		read_version(&c->v[1], r);
		past.office = c->v[1].calendar; /* that of billing: the hours of work */
	} else if (!past.office) {
		past.office = c->v[0].calendar;
	}
	PQclear(r);
	r = cli_exec(past.pg, &sql_cli_demo_users, q);
	for (c->users = 0; c->users < PQntuples(r) && c->users < USERS_MAX; c->users++)
		c->user[c->users] = strtoll(PQgetvalue(r, c->users, 0), NULL, 10);
	if (!c->users)
		die("the demo's customer %s has no users", of->code);
	PQclear(r);
}

static void read_staff(void)
{
	PGresult *r = cli_exec(past.pg, &sql_cli_demo_staff, NULL);

	for (int i = 0; i < PQntuples(r); i++)
		for (size_t k = 0; k < demo_staff_count && k < ARRAY_LEN(past.staff); k++)
			if (strcmp(PQgetvalue(r, i, 1), demo_staff[k].username) == 0)
				past.staff[k] = strtoll(PQgetvalue(r, i, 0), NULL, 10);
	PQclear(r);
}

/* The tickets that were open when the demo ended last time. */
static void go_on(void)
{
	char since[32];
	const char *p[] = { since };
	PGresult *r;

	time_format(past.now - DAY_US, 6, since);
	r = cli_exec(past.pg, &sql_cli_demo_open, p);
	for (int i = 0; i < PQntuples(r); i++) {
		const char *q[] = { PQgetvalue(r, i, 0), PQgetvalue(r, i, 1) };
		struct demo_plan plan;
		struct ticket t;
		int done = -1;

		if (demo_plan_make(&plan, PQgetvalue(r, i, 3),
			    strtoll(PQgetvalue(r, i, 5), NULL, 10),
			    priority_parse(str_of(PQgetvalue(r, i, 4)))))
			done = demo_plan_done(&plan, PQgetvalue(r, i, 7));
		if (done >= 0) {
			PGresult *s = cli_exec(past.pg, &sql_cli_demo_state, q);
			struct sla_version v;

			read_version(&v, s);
			if (!ticket_read(PQgetvalue(s, 0, 0), strlen(PQgetvalue(s, 0, 0)), &t))
				die("ticket %s cannot be read", q[1]);
			t.muted = true;
			past_play(&t, &v, &plan, done, strtoll(PQgetvalue(r, i, 8), NULL, 10));
			ticket_clear(&t);
			PQclear(s);
		}
	}
	PQclear(r);
}

void demo_history(PGconn *pg, int64_t from, int64_t to)
{
	char begin[32], end[32];
	const char *months[] = { begin, end }, *mark[] = { end, begin };
	int64_t hours = (to - from) / (60 * MINUTE),
		day = (from + OFFICE_OFFSET_US) / DAY_US * DAY_US - OFFICE_OFFSET_US;

	past.pg = pg;
	past.now = to;
	for (int i = 0; i < DEMO_TENANTS; i++)
		read_customer(&past.customer[i], &demo_tenants[i]);
	read_staff();
	time_format(from, 6, begin);
	time_format(to, 6, end);
	cli_do(pg, &sql_cli_demo_partitions, months);
	cli_do(pg, &sql_cli_demo_plans, NULL);
	for (bool more = true; more; day += DAY_US) { /* a day is one transaction */
		int64_t until = day + DAY_US < to ? day + DAY_US : to;

		more = until < to;
		cli_begin(pg, CLI_WRITE);
		if (!more)
			go_on();
		one_day(day, from, until);
		if (!more && hours > 0)
			show_all(hours < 20 ? hours : 20);
		cli_do(pg, &sql_cli_demo_loud, NULL);
		time_format(until, 6, begin);
		cli_do(pg, &sql_cli_demo_until, mark);
		cli_commit(pg);
		cli_progress((size_t)((until - from) / MINUTE), (size_t)((to - from) / MINUTE));
	}
	for (int i = 0; i < DEMO_TENANTS; i++) {
		snprintf(begin, sizeof(begin), "%lld", (long long)past.customer[i].id);
		cli_do(pg, &sql_cli_rollup_rebuild, (const char *[]){ begin });
	}
	past_set_clock(to);
}
