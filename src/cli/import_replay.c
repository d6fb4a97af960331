/* SPDX-License-Identifier: Apache-2.0
 * Processes one incident by the rules with its own timestamps, and writes ticket, events, clocks
 * and fires as rows for COPY. */
#include "import.h"

#include <stdlib.h>

static void add_us(struct buf *b, int64_t at)
{
	if (at == INSTANT_NONE)
		buf_adds(b, "\t\\N");
	else {
		buf_addc(b, '\t');
		buf_add_int(b, at);
	}
}

/* The text format of COPY: backslash, tab and newlines are escaped. */
static void add_copy(struct buf *b, const char *s)
{
	buf_addc(b, '\t');
	for (; *s; s++)
		if (*s == '\\' || *s == '\t' || *s == '\n' || *s == '\r')
			buf_addf(b, "\\%c",
				*s == '\t'   ? 't'
				: *s == '\n' ? 'n'
				: *s == '\r' ? 'r'
					     : '\\');
		else
			buf_addc(b, *s);
}

static void add_joined(struct buf *b, const char *first, const char *between, const char *second)
{
	char *text = xasprintf("%s%s%s", first, between, second);

	add_copy(b, text);
	free(text);
}

static void put_event(struct build *b, const char *type, const char *actor, const char *audience,
	int64_t at, const char *more)
{
	b->event_n++;
	b->totals->events++;
	buf_addf(&b->events,
		"%ld\t%d\t%s\t%s\t%s\t%lld\t{\"status\":\"%s\",\"priority\":\"%s\",\"law\":%d%s}\n",
		b->ticket_n, b->event_n, type, actor, audience, (long long)at,
		ticket_state_name(b->t.sla.state), priority_name(b->t.sla.priority), SLA_LAW, more);
}

static void put_fire(struct build *b, const struct sla_fire *f, int64_t now)
{
	char more[160];
	bool due = f->clock < SLA_LADDER && strcmp(f->key, "100") == 0;

	snprintf(more, sizeof(more),
		",\"clock\":\"%s\",\"threshold\":\"%s\",\"due_at\":%lld,\"periods\":%d,"
		"\"imported\":true",
		sla_clock_name(f->clock), f->key, (long long)f->due_at, f->periods);
	put_event(b,
		f->clock == SLA_LADDER            ? "sla.ladder"
		: f->clock == SLA_AWS && f->again ? "sla.aws_unchecked"
		: f->clock == SLA_AWS             ? "sla.aws_check"
		: due && f->clock == SLA_UPDATE   ? "sla.update_missed"
						  : "sla.threshold",
		"system", due ? "customer" : "staff", now, more);
	b->t.sla_breached |= due;
	buf_addf(&b->fires, "%ld\t%d\t%s\t%lld\t%s\t%d\t%lld\t%lld\t%d\t%d\t%s\n", b->ticket_n,
		b->event_n, sla_clock_name(f->clock), (long long)f->origin_seq, f->key, f->cycle,
		(long long)f->due_at, (long long)now, f->periods, f->budget_s,
		priority_name(b->t.sla.priority));
}

static void settle(struct build *b, int64_t now)
{
	struct sla_fire f[SLA_FIRES_MAX];
	size_t n = sla_settle(&b->t.sla, b->rules, now, f, ARRAY_LEN(f));

	for (size_t i = 0; i < n; i++)
		put_fire(b, &f[i], now);
}

static void replay_row(
	struct build *b, enum ticket_command cmd, int64_t at, enum ticket_state to, enum priority p)
{
	struct ticket *t = &b->t;
	struct buf versions = { 0 };

	if (at <= t->last_at)
		at = t->last_at + 1;
	if (cmd != CMD_CREATE)
		settle(b, at);
	sla_apply(&t->sla, b->rules,
		&(struct sla_event){
			ticket_sla_event(cmd), at, SEQ_NEW + b->event_n + 1, INSTANT_NONE, to, p });
	t->last_at = at;
	if ((cmd == CMD_REPLY || cmd == CMD_RESOLVE) && t->first_response_at == INSTANT_NONE)
		t->first_response_at = at;
	if (cmd == CMD_RESOLVE)
		t->resolved_at = at;
	if (cmd == CMD_AUTO_CLOSE)
		t->closed_at = at;
	if (cmd == CMD_REOPEN)
		t->resolved_at = t->closed_at = INSTANT_NONE;
	if (cmd == CMD_CREATE)
		ticket_doc_versions(&versions, b->policy_id, b->calendar_id);
	put_event(b, ticket_rule(cmd)->event, cmd == CMD_CREATE ? "customer" : "staff",
		ticket_rule(cmd)->internal ? "staff" : "customer", at, buf_cstr(&versions));
	buf_free(&versions);
	settle(b, at);
}

/* The command that leads from one state of the log to the next. */
static enum ticket_command command_between(enum ticket_state from, enum ticket_state to)
{
	bool was_done = from == TICKET_RESOLVED || from == TICKET_CLOSED;

	switch (to) {
	case TICKET_ACCEPTED:
		return was_done ? CMD_REOPEN : from == TICKET_NEW ? CMD_ACCEPT : CMD_ASSIGN;
	case TICKET_IN_PROGRESS:
		return was_done                                        ? CMD_REOPEN
		       : from == TICKET_NEW || from == TICKET_ACCEPTED ? CMD_CONFIRM
								       : CMD_RESUME;
	case TICKET_PENDING_CUSTOMER:
		return CMD_WAIT_CUSTOMER;
	case TICKET_PENDING_AWS:
		return CMD_WAIT_AWS;
	case TICKET_SCHEDULED:
		return CMD_SCHEDULE;
	case TICKET_RESOLVED:
		return CMD_RESOLVE;
	case TICKET_CLOSED:
		return CMD_AUTO_CLOSE;
	case TICKET_CANCELLED:
		return CMD_CANCEL;
	default:
		return CMD_NOTE;
	}
}

static void one_row(struct build *b, const struct entry *e, bool first)
{
	enum ticket_state now = b->t.sla.state, to = now;
	enum priority p = b->t.sla.priority;
	enum ticket_command cmd;

	if (e->priority != PRIORITY_NONE && !first) {
		enum priority want =
			sla_policy_nearest(b->rules.policy, (enum priority)e->priority);

		if (want != p && ticket_state_is_open(now)) {
			replay_row(b, CMD_PRIORITY, e->at, now, want);
			p = want;
		}
	}
	if (b->log->kind == IMPORT_STATES) {
		to = (enum ticket_state)e->value;
		cmd = to == now || (to == TICKET_NEW && now != TICKET_NEW)
			      ? CMD_NOTE
			      : command_between(now, to);
		if (cmd == CMD_NOTE)
			to = now;
	} else {
		cmd = (enum ticket_command)e->value;
		if (ticket_apply(cmd, now, cmd == CMD_AUTO_CLOSE ? ACTOR_SYSTEM : ACTOR_STAFF,
			    &to) != TICKET_ALLOWED) {
			/* logs contain what our rules would refuse: closing without resolving, work
			 * after the end */
			if (cmd == CMD_AUTO_CLOSE && ticket_state_is_open(now))
				to = TICKET_CLOSED;
			else if (cmd != CMD_NOTE &&
				 (now == TICKET_RESOLVED || now == TICKET_CLOSED))
				cmd = CMD_REOPEN, to = TICKET_IN_PROGRESS;
			else
				cmd = CMD_NOTE, to = now;
		}
	}
	replay_row(b, cmd, cmd == CMD_AUTO_CLOSE && e->closed != INSTANT_NONE ? e->closed : e->at,
		to, p);
}

static void write_clocks(struct build *b)
{
	for (int k = 0; k < SLA_CLOCKS; k++) {
		const struct sla_clock *c = &b->t.sla.clock[k];

		if (c->state == CLOCK_NONE && c->start_at == INSTANT_NONE)
			continue;
		buf_addf(&b->clocks, "%ld\t%s\t%s\t%d\t%d\t%lld", b->ticket_n,
			sla_clock_name((enum sla_clock_kind)k), sla_clock_state_name(c->state),
			c->cycle, c->budget_s, (long long)c->origin_seq);
		add_us(&b->clocks, c->start_at);
		add_us(&b->clocks, c->stopped_at);
		add_us(&b->clocks, c->breached_at);
		add_us(&b->clocks, k == SLA_LADDER
					   ? INSTANT_NONE
					   : sla_due(&b->t.sla, b->rules, (enum sla_clock_kind)k));
		buf_addf(&b->clocks, "\t%lld\t{", (long long)c->carry_us);
		for (int32_t i = 0; i < c->runs.n; i++) {
			buf_addf(
				&b->clocks, "%s%lld,", i ? "," : "", (long long)c->runs.at[i].from);
			if (c->runs.at[i].to == INSTANT_NONE)
				buf_adds(&b->clocks, "NULL");
			else
				buf_add_int(&b->clocks, c->runs.at[i].to);
		}
		buf_addf(&b->clocks, "}\t%d\t%d\t%d\t%s\t%s\n", c->fired, c->high, c->missed,
			c->by_priority ? "t" : "f", sla_verdict_name(sla_verdict(c)));
	}
}

static void tally(const struct build *b, const struct entry *last)
{
	const struct sla_ticket *t = &b->t.sla;
	static const enum sla_clock_kind kinds[] = { SLA_RESPONSE, SLA_RESOLUTION };

	for (int i = 0; i < 2; i++) {
		enum sla_verdict v = sla_verdict(&t->clock[kinds[i]]);

		b->totals->met[t->priority][i] += v == SLA_MET;
		b->totals->breached[t->priority][i] += v == SLA_BREACHED;
	}
	if (last->verdict >= 0) {
		b->totals->verdict_checked++;
		b->totals->verdict_differ += (sla_verdict(&t->clock[SLA_RESOLUTION]) !=
						     SLA_BREACHED) != (last->verdict == 1);
	}
}

void import_replay(struct build *b, const struct entry *e, size_t n)
{
	struct ticket *t = &b->t;
	int64_t opened = e->opened == INSTANT_NONE ? e->at : e->opened;
	enum priority first = sla_policy_nearest(
		b->rules.policy, e->priority == PRIORITY_NONE ? P3 : (enum priority)e->priority);

	sla_ticket_free(&t->sla);
	*t = (struct ticket){ .first_response_at = INSTANT_NONE,
		.resolved_at = INSTANT_NONE,
		.closed_at = INSTANT_NONE,
		.last_at = opened - 1,
		.opened_at = opened };
	sla_ticket_init(&t->sla);
	b->event_n = 0;
	replay_row(b, CMD_CREATE, opened, TICKET_NEW, first);
	for (size_t i = 0; i < n; i++) {
		const struct sla_policy *p = b->rules.policy;

		if (b->log->kind != IMPORT_SINGLE)
			one_row(b, &e[i], i == 0);
		if (p->has_matrix && e[i].impact && e[i].urgency &&
			e[i].priority != PRIORITY_NONE) {
			b->totals->matrix_checked++;
			b->totals->matrix_differ +=
				p->matrix[e[i].impact - 1][e[i].urgency - 1] != e[i].priority;
		}
	}
	if (t->sla.state != TICKET_CLOSED && t->sla.state != TICKET_CANCELLED &&
		e[n - 1].closed != INSTANT_NONE && b->log->kind == IMPORT_STATES)
		replay_row(b, CMD_AUTO_CLOSE, e[n - 1].closed, TICKET_CLOSED, t->sla.priority);
	tally(b, &e[n - 1]);
	buf_addf(&b->tickets, "%ld", b->ticket_n);
	add_joined(&b->tickets, b->log->name, ":", e->id);
	add_joined(&b->tickets, b->log->title, " ", e->id);
	buf_addf(&b->tickets, "\t%s\t%s\t%d\t%d", ticket_state_name(t->sla.state),
		priority_name(t->sla.priority), t->sla.cycle, t->sla.level);
	add_us(&b->tickets, opened);
	add_us(&b->tickets, t->last_at);
	add_us(&b->tickets, t->first_response_at);
	add_us(&b->tickets, t->resolved_at);
	add_us(&b->tickets, t->sla.last_stop_at);
	add_us(&b->tickets, t->closed_at);
	buf_addf(&b->tickets, "\t%s\t%s\t%d", t->sla.first_response_done ? "t" : "f",
		t->sla_breached ? "t" : "f", b->event_n);
	if (e[n - 1].category)
		add_copy(&b->tickets, e[n - 1].category);
	else
		buf_adds(&b->tickets, "\t\\N");
	buf_addf(&b->tickets, "\t%d\t%d\n", e[n - 1].impact, e[n - 1].urgency);
	write_clocks(b);
	b->ticket_n++;
}
