/* SPDX-License-Identifier: Apache-2.0
 * The past of the demo. Each step goes through the rules of the daemon, at its own instant, and is
 * stored as the daemon stores it; what falls due in between fires at its due instant. The tickets
 * are muted until the end: nobody gets mail about the past. */
#include "demo.h"
#include "base/json.h"
#include "desk/decide.h"
#include "ticket/ticket_doc.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define MINUTE (60 * US_PER_S)
#define DAY_US (86400 * US_PER_S)
#define OFFICE_OFFSET_US (8 * 60 * MINUTE)
#define LAG_US 2000 /* between a due instant and its fire: what the daemon needs */
#define USERS_MAX 16

struct customer {
	const struct demo_tenant *of;
	int64_t id, config_version, user[USERS_MAX];
	int users;
	struct sla_version v[2]; /* 1: billing */
	bool has_billing;
};

static struct {
	PGconn *pg;
	struct customer customer[DEMO_TENANTS];
	int64_t staff[32], now;
	struct calendar *office;
} past;

/* --- storing --- */

static struct sla_rules rules(const struct sla_version *v)
{
	return (struct sla_rules){ &v->policy, v->calendar };
}

static void set_clock(int64_t at)
{
	clock_warp(at - clock_now_us(), 1);
}

/* Store DOCS. The ticket gets what the database has assigned. Returns false if somebody else was
 * faster, or the document was refused: then the ticket is left alone. */
static bool store(struct ticket *t, const char *docs)
{
	const char *p[] = { docs };
	PGresult *r = cli_exec(past.pg, &sql_sla_fire, p);
	bool stored = PQntuples(r) == 1;

	if (stored) {
		int64_t base = strtoll(PQgetvalue(r, 0, 5), NULL, 10);

		t->row_version = t->id ? t->row_version + 1 : 1;
		t->id = strtoll(PQgetvalue(r, 0, 2), NULL, 10);
		t->version = strtoll(PQgetvalue(r, 0, 4), NULL, 10);
		for (int k = 0; k < SLA_CLOCKS; k++)
			if (t->sla.clock[k].origin_seq < -900000)
				t->sla.clock[k].origin_seq += base - SEQ_NEW;
	}
	PQclear(r);
	return stored;
}

/* The next instant at which something fires. */
static int64_t next_fire(const struct ticket *t, struct sla_rules r)
{
	int64_t next = INSTANT_NONE;

	for (int k = 0; k < SLA_CLOCKS; k++) {
		const struct sla_clock *c = &t->sla.clock[k];
		int all = k == SLA_LADDER ? SLA_LADDER_STEPS : r.policy->thresholds;

		if (c->state != CLOCK_RUNNING && c->state != CLOCK_SCHEDULED)
			continue;
		for (int i = 0; i < all; i++) {
			int64_t at = k != SLA_LADDER && c->fired >> i & 1
					     ? INSTANT_NONE
					     : sla_threshold_at(&t->sla, r, k, i);

			if (at != INSTANT_NONE && (next == INSTANT_NONE || at < next))
				next = at;
		}
	}
	return next;
}

/* Fire what falls due before TO, each at its instant. */
static bool settle(struct ticket *t, const struct sla_version *v, int64_t to)
{
	struct ticket_doc d = { .at = t->last_at };
	struct buf b = { 0 };
	int64_t at;
	bool ok = true;

	while ((at = next_fire(t, rules(v))) != INSTANT_NONE && at + LAG_US < to)
		if (!ticket_settle(t, rules(v), &d, at + LAG_US))
			break;
	if (d.event_count) {
		buf_addc(&b, '[');
		ticket_doc_write(&d, t, rules(v), 0, false, &b);
		buf_adds(&b, "}]");
		ok = store(t, buf_cstr(&b));
		buf_free(&b);
	}
	ticket_doc_free(&d);
	return ok;
}

/* Run the command at its instant. */
static bool command(
	struct ticket *t, const struct sla_version *v, struct ticket_call *c, int64_t at)
{
	enum call_result why;
	bool ok;

	if (at <= t->last_at)
		at = t->last_at + LAG_US;
	if (c->cmd != CMD_CREATE && !settle(t, v, at))
		return false;
	c->tenant_id = t->tenant_id;
	c->ticket_id = t->id;
	c->v = v;
	c->ticket = *t;
	set_clock(at);
	ok = ticket_decide(c, &why);
	*t = c->ticket;
	if (ok)
		ok = store(t, c->docs);
	free(c->docs);
	return ok;
}

/* --- one ticket --- */

static bool take_step(
	struct ticket *t, const struct sla_version *v, const struct demo_plan *p, int i, int64_t at)
{
	const struct demo_step *s = &p->step[i];
	char *text = s->text ? demo_text(s->text, s->text_n, p->subject) : NULL,
	     *details = s->cmd == CMD_RESOLVE ? demo_details(p, t->sla.priority) : NULL;
	struct ticket_call c = { .cmd = s->cmd,
		.actor = s->actor,
		.actor_id = s->actor == ACTOR_STAFF ? past.staff[p->engineer] : t->requester_id,
		.text = text,
		.details = details,
		.priority = PRIORITY_NONE,
		.score = s->score * 100,
		.asked.wake_at = at + s->until_s * US_PER_S };
	bool ok = command(t, v, &c, at);

	free(text);
	free(details);
	return ok;
}

/* What the daemon does when a timer is due (src/timers/timer.c). CMD_COUNT: it does it itself,
 * late. */
static enum ticket_command timer_command(const char *kind)
{
	static const struct {
		const char *kind;
		enum ticket_command cmd;
	} kinds[] = { { "auto-close", CMD_AUTO_CLOSE }, { "remind-close-1", CMD_REMIND_CLOSE },
		{ "remind-close-2", CMD_REMIND_CLOSE }, { "wake", CMD_RESUME },
		{ "p0-unconfirmed", CMD_P0_UNCONFIRMED }, { "report-due", CMD_REPORT_DUE },
		{ "rca-reminder", CMD_RCA_REMINDER }, { "rca-overdue", CMD_RCA_OVERDUE } };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].cmd;
	return CMD_COUNT;
}

/* The manager completes most analyses of a breach just before the reminder, the others just before
 * they are due, and a few late. */
static bool analyse(struct ticket *t, const struct sla_version *v, const struct demo_plan *p,
	enum ticket_command timer, int64_t due)
{
	static const char *const texts[2] = {
		"Root cause: {}. The work took longer than planned, because "
		"the ticket was handed over late. We have changed the "
		"hand-over and check it in two weeks.",
		"根因：{}。处理超时的原因是交接过晚；我们已调整交接流程，两周后复查效果。"
	};
	const char *cause = p->story->cause ? p->story->cause
			    : p->story->zh  ? "处理步骤不完整"
					    : "incomplete instructions";
	size_t n = strlen(cause);
	struct ticket_call c = { .cmd = CMD_RCA_DONE,
		.actor = ACTOR_STAFF,
		.actor_id = past.staff[DEMO_MANAGER],
		.priority = PRIORITY_NONE };
	bool punctual = t->id % 10 < 7, ok;
	char *why, *text;

	if ((timer == CMD_RCA_REMINDER) != punctual || (timer == CMD_RCA_OVERDUE && t->id % 10 > 8))
		return false;
	while (n && (cause[n - 1] == '.' || strncmp(cause + n - 3, "。", 3) == 0))
		n -= cause[n - 1] == '.' ? 1 : 3;
	why = demo_text(cause, n, p->subject);
	c.text = text = demo_text(texts[p->story->zh], strlen(texts[p->story->zh]), why);
	ok = command(t, v, &c, due - 5 * MINUTE);
	free(why);
	free(text);
	return ok;
}

/* Run the first timer that is due by UNTIL. Returns false if there is none. */
static bool run_timer(
	struct ticket *t, const struct sla_version *v, const struct demo_plan *p, int64_t until)
{
	char tenant[24], id[24], to[24], timer[24];
	const char *asked[] = { tenant, id, to }, *q[] = { tenant, timer };
	struct ticket_call c = { .actor = ACTOR_SYSTEM, .priority = PRIORITY_NONE };
	PGresult *r;
	int64_t due;

	snprintf(tenant, sizeof(tenant), "%lld", (long long)t->tenant_id);
	snprintf(id, sizeof(id), "%lld", (long long)t->id);
	snprintf(to, sizeof(to), "%lld", (long long)until);
	r = cli_exec(past.pg, &sql_cli_demo_timer, asked);
	if (!PQntuples(r)) {
		PQclear(r);
		return false;
	}
	snprintf(timer, sizeof(timer), "%s", PQgetvalue(r, 0, 0));
	c.cmd = timer_command(PQgetvalue(r, 0, 1));
	due = strtoll(PQgetvalue(r, 0, 2), NULL, 10);
	PQclear(r);
	if (analyse(t, v, p, c.cmd, due))
		return true;
	c.timer_id = strtoll(timer, NULL, 10);
	c.text = c.cmd == CMD_RESUME ? "the scheduled time has been reached / 已到预定时间" : NULL;
	if (c.cmd == CMD_COUNT || !command(t, v, &c, due + LAG_US))
		cli_do(past.pg, &sql_sla_timer_cancel, q);
	return true;
}

/* Go on from step I, whose predecessor was at LAST, up to now. */
static void play(struct ticket *t, const struct sla_version *v, const struct demo_plan *p, int i,
	int64_t last)
{
	for (;;) {
		int64_t at = i < p->n ? demo_step_at(p, i, last) : INSTANT_NONE;
		bool comes = at != INSTANT_NONE && at < past.now;

		if (run_timer(t, v, p, comes ? at : past.now))
			continue;
		if (!comes || !take_step(t, v, p, i, at))
			break;
		last = t->last_at;
		i++;
	}
	settle(t, v, past.now);
}

static const struct sla_version *version_for(const struct customer *c, const struct demo_story *s)
{
	return &c->v[c->has_billing && s->kind && strcmp(s->kind, "billing") == 0];
}

/* Open a ticket. The caller clears it. */
static bool open_ticket(const struct customer *of, const struct demo_story *s, const char *subject,
	int64_t user, int64_t at, struct ticket *t)
{
	static const char *const sources[] = { "web", "web", "web", "mail", "phone" };
	const struct sla_version *v = version_for(of, s);
	char *title = demo_text(s->title, strlen(s->title), subject),
	     *text = demo_text(s->text, strlen(s->text), subject);
	struct ticket_call c = { .cmd = CMD_CREATE,
		.actor = ACTOR_CUSTOMER,
		.actor_id = user,
		.title = title,
		.text = text,
		.priority = s->priority,
		.service_type = s->kind ? s->kind : "incident",
		.source = sources[(at / US_PER_S) % (int64_t)ARRAY_LEN(sources)],
		.config_version = of->config_version,
		.v = v };
	bool ok;

	c.ticket = (struct ticket){ .tenant_id = of->id,
		.policy_id = v->policy_id,
		.calendar_id = v->calendar_id,
		.last_at = at - 1,
		.first_response_at = INSTANT_NONE,
		.mitigated_at = INSTANT_NONE,
		.resolved_at = INSTANT_NONE,
		.closed_at = INSTANT_NONE,
		.requester_id = user,
		.requester_kind = "customer",
		.service_type = xstrdup(c.service_type),
		.category = xstrdup(s->category),
		.tags = xstrdup("[]"),
		.level = 1,
		.muted = true };
	sla_ticket_init(&c.ticket.sla);
	ok = ticket_decide_priority(&c, NULL);
	*t = c.ticket;
	ok = ok && command(t, v, &c, at);
	free(title);
	free(text);
	return ok;
}

static void tell(const struct customer *of, const struct demo_story *s, const char *subject,
	int64_t user, int64_t at)
{
	struct ticket t;
	struct demo_plan p;
	char *title = demo_text(s->title, strlen(s->title), subject);

	if (open_ticket(of, s, subject, of->user[user % of->users], at, &t) &&
		demo_plan_make(&p, title, t.opened_at, t.sla.priority))
		play(&t, version_for(of, s), &p, 0, t.opened_at);
	ticket_clear(&t);
	free(title);
}

/* The same is reported twice, and the second ticket is merged into the first. */
static void tell_twice(const struct customer *of, const struct demo_story *s, const char *subject,
	int64_t user, int64_t at)
{
	const struct sla_version *v = version_for(of, s);
	struct ticket t, twin;
	struct demo_plan p;
	struct ticket_call link = { .cmd = CMD_LINK,
		.actor = ACTOR_STAFF,
		.priority = PRIORITY_NONE },
			   merge = {
				   .cmd = CMD_MERGE, .actor = ACTOR_STAFF, .priority = PRIORITY_NONE
			   };
	char *title = demo_text(s->title, strlen(s->title), subject);
	bool both = open_ticket(of, s, subject, of->user[user % of->users], at, &t);

	if (both && at + 9 * MINUTE < past.now &&
		demo_plan_make(&p, title, t.opened_at, t.sla.priority)) {
		if (open_ticket(of, s, subject, of->user[(user + 1) % of->users], at + 4 * MINUTE,
			    &twin)) {
			link.parent_id = t.id;
			link.actor_id = merge.actor_id = past.staff[p.engineer];
			if (command(&twin, v, &link, at + 8 * MINUTE))
				command(&twin, v, &merge, at + 8 * MINUTE + 20 * US_PER_S);
		}
		ticket_clear(&twin);
		play(&t, v, &p, 0, t.opened_at);
	}
	ticket_clear(&t);
	free(title);
}

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
			(a->twice ? tell_twice : tell)(a->of, a->story, subject, a->user, a->at);
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
			tell(of, s, subject, tries, at);
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
			tell(of, s, subject, tries, at);
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
			play(&t, &v, &plan, done, strtoll(PQgetvalue(r, i, 8), NULL, 10));
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
	set_clock(to);
}
