/* SPDX-License-Identifier: Apache-2.0
 * One ticket of the demo's past. Each step goes through the rules of the daemon, at its own
 * instant, and is stored as the daemon stores it; what falls due in between fires at its due
 * instant. The tickets are muted until the end: nobody gets mail about the past. */
#include "past.h"
#include "desk/decide.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define LAG_US 2000 /* between a due instant and its fire: what the daemon needs */

struct past past;

/* The timer that is due next on the ticket in hand; 0: none. It is read again after what may have
 * changed it. */
static struct {
	bool is_read;
	char id[24], kind[32];
	int64_t due;
} timer;

static void note_timers(const char *docs)
{
	if (strstr(docs, "\"timers\":[{") || strstr(docs, "\"cancel\":[\"") ||
		strstr(docs, "\"rca") || strstr(docs, "\"report_done"))
		timer.is_read = false;
}

/* --- storing --- */

static struct sla_rules rules(const struct sla_version *v)
{
	return (struct sla_rules){ &v->policy, v->calendar };
}

void past_set_clock(int64_t at)
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

	note_timers(docs);
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
	past_set_clock(at);
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
 * they are due, and leaves a few undone. */
static bool analyse(struct ticket *t, const struct sla_version *v, const struct demo_plan *p,
	enum ticket_command cmd, int64_t due)
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

	if (cmd != (punctual ? CMD_RCA_REMINDER : CMD_RCA_OVERDUE) || t->id % 10 == 9)
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

/* The engineer ticks most reports off some time before they are due. */
static bool report(
	struct ticket *t, const struct sla_version *v, const struct demo_plan *p, int64_t due)
{
	struct ticket_call c = { .cmd = CMD_REPORT_DONE,
		.actor = ACTOR_STAFF,
		.actor_id = past.staff[p->engineer],
		.priority = PRIORITY_NONE };

	return t->id % 12 && command(t, v, &c, due - (5 + t->id % 90) * MINUTE);
}

static void read_timer(const struct ticket *t)
{
	char tenant[24], id[24];
	const char *p[] = { tenant, id };
	PGresult *r;

	snprintf(tenant, sizeof(tenant), "%lld", (long long)t->tenant_id);
	snprintf(id, sizeof(id), "%lld", (long long)t->id);
	r = cli_exec(past.pg, &sql_cli_demo_timer, p);
	timer.is_read = true;
	timer.due = INSTANT_NONE;
	if (PQntuples(r)) {
		snprintf(timer.id, sizeof(timer.id), "%s", PQgetvalue(r, 0, 0));
		snprintf(timer.kind, sizeof(timer.kind), "%s", PQgetvalue(r, 0, 1));
		timer.due = strtoll(PQgetvalue(r, 0, 2), NULL, 10);
	}
	PQclear(r);
}

/* Run the first timer that is due by UNTIL. Returns false if there is none. */
static bool run_timer(
	struct ticket *t, const struct sla_version *v, const struct demo_plan *p, int64_t until)
{
	struct ticket_call c = { .actor = ACTOR_SYSTEM, .priority = PRIORITY_NONE };
	char tenant[24];
	const char *q[] = { tenant, timer.id };

	if (!timer.is_read)
		read_timer(t);
	if (timer.due == INSTANT_NONE || timer.due > until)
		return false;
	timer.is_read = false;
	c.cmd = timer_command(timer.kind);
	if (c.cmd == CMD_REPORT_DUE ? report(t, v, p, timer.due)
				    : analyse(t, v, p, c.cmd, timer.due))
		return true;
	c.timer_id = strtoll(timer.id, NULL, 10);
	c.text = c.cmd == CMD_RESUME ? "the scheduled time has been reached / 已到预定时间" : NULL;
	snprintf(tenant, sizeof(tenant), "%lld", (long long)t->tenant_id);
	if (c.cmd == CMD_COUNT || !command(t, v, &c, timer.due + LAG_US))
		cli_do(past.pg, &sql_sla_timer_cancel, q);
	timer.is_read = false;
	return true;
}

void past_play(struct ticket *t, const struct sla_version *v, const struct demo_plan *p, int i,
	int64_t last)
{
	timer.is_read = false;
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

void past_tell(const struct customer *of, const struct demo_story *s, const char *subject,
	int64_t user, int64_t at)
{
	struct ticket t;
	struct demo_plan p;
	char *title = demo_text(s->title, strlen(s->title), subject);

	if (open_ticket(of, s, subject, of->user[user % of->users], at, &t) &&
		demo_plan_make(&p, title, t.opened_at, t.sla.priority))
		past_play(&t, version_for(of, s), &p, 0, t.opened_at);
	ticket_clear(&t);
	free(title);
}

void past_tell_twice(const struct customer *of, const struct demo_story *s, const char *subject,
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
		past_play(&t, v, &p, 0, t.opened_at);
	}
	ticket_clear(&t);
	free(title);
}
