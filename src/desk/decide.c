/* SPDX-License-Identifier: Apache-2.0
 * Decides what a ticket command does, without any I/O: from the ticket, its rules and the call to
 * the document that desk_store() takes. */
#include "desk/decide.h"
#include "crypto/crypto.h"

#include <stdio.h>
#include <stdlib.h>

void ticket_name_levels(struct ticket_call *c)
{
	c->levels[0] = 0;
	for (int i = 0; i < PRIORITY_COUNT; i++)
		if (c->v->policy.has[i])
			snprintf(c->levels + strlen(c->levels),
				sizeof(c->levels) - strlen(c->levels), "%s%s",
				c->levels[0] ? ", " : "", priority_name((enum priority)i));
}

bool ticket_decide_priority(struct ticket_call *c, const struct tenant_config *config)
{
	struct ticket *t = &c->ticket;
	const struct sla_policy *p = &c->v->policy;
	struct priority_decision d = { .priority = c->priority,
		.source = c->actor == ACTOR_STAFF ? "staff" : "customer" };
	struct buf reason = { 0 };
	size_t n;

	if (c->priority != PRIORITY_NONE && !p->has[c->priority]) {
		ticket_name_levels(c);
		return false;
	}
	if (c->priority == PRIORITY_NONE && p->has_matrix && c->impact && c->urgency &&
		p->matrix[c->impact - 1][c->urgency - 1] != PRIORITY_NONE)
		d = (struct priority_decision){
			.priority = (enum priority)p->matrix[c->impact - 1][c->urgency - 1],
			.source = "matrix"
		};
	else if (c->priority == PRIORITY_NONE)
		d = priority_decide(&(struct priority_facts){ .title = str_of(c->title),
			.description = str_of(c->text),
			.impact_scope = c->impact_scope,
			.factors = c->factors,
			.usual = tenant_config_usual(config, t->service_type),
			.incident = tenant_config_incident(config, c->incident_type),
			.keywords = priority_keywords(&n),
			.keyword_count = n });
	t->sla.priority = sla_policy_nearest(p, d.priority);
	t->priority_confirmed = c->actor == ACTOR_STAFF && c->priority != PRIORITY_NONE;
	snprintf(t->priority_source, sizeof(t->priority_source), "%s", d.source);
	buf_addf(&reason, "{\"source\":\"%s\"", d.source);
	if (d.keyword[0]) {
		buf_adds(&reason, ",\"keyword\":");
		buf_add_json(&reason, d.keyword, strlen(d.keyword));
	}
	if (c->impact_scope)
		buf_addf(&reason, ",\"impact_scope\":\"%s\"", c->impact_scope);
	if (c->incident_type) {
		buf_adds(&reason, ",\"incident_type\":");
		buf_add_json(&reason, c->incident_type, strlen(c->incident_type));
	}
	buf_adds(&reason, ",\"factors\":[");
	for (int i = 0, first = 1; i < FACTOR_COUNT; i++)
		if (c->factors >> i & 1) {
			buf_addf(
				&reason, "%s\"%s\"", first ? "" : ",", factor_name((enum factor)i));
			first = 0;
		}
	buf_adds(&reason, "]}");
	t->priority_reason = buf_take(&reason);
	return true;
}

#define ANSWER_S (4 * 3600) /* where the policy has no time for a first response */

/* When a customer who asks for escalation is answered: within the time for a first response of this
 * priority, or sooner if a response or an update is due. */
static int64_t answer_by(const struct ticket_call *c, int64_t at)
{
	const struct sla_ticket *t = &c->ticket.sla;
	int32_t budget_s = c->v->policy.budget[t->priority].response_s;
	int64_t by = at + ANSWER_S * US_PER_S;

	if (budget_s && !calendar_add(c->v->calendar, at, budget_s * US_PER_S, &by))
		by = at + budget_s * US_PER_S;
	for (int k = 0; k < SLA_LADDER; k++) {
		int64_t due = k != SLA_RESOLUTION && t->clock[k].state == CLOCK_RUNNING
				      ? sla_due(t, ticket_call_rules(c), (enum sla_clock_kind)k)
				      : INSTANT_NONE;

		if (due != INSTANT_NONE && due > at && due < by)
			by = due;
	}
	return by;
}

/* An escalation raises the level by one. Who is at the top already gets the architect on call. */
static void raise_level(struct ticket_call *c, int64_t at)
{
	struct ticket *t = &c->ticket;

	c->at_top = t->level >= SLA_LEVEL_STAFF_MAX;
	if (!c->at_top)
		t->level = t->sla.level = t->level + 1;
	c->level = t->level;
	c->answer_by = c->cmd == CMD_REQUEST_ESCALATION ? answer_by(c, at) : INSTANT_NONE;
}

/* Apply the command's changes to the ticket, apart from its state and clocks. */
static void apply_fields(struct ticket_call *c, int64_t at)
{
	struct ticket *t = &c->ticket;

	switch (c->cmd) {
	case CMD_ASSIGN:
		t->assignee_id = c->assignee_id;
		break;
	case CMD_PRIORITY:
		t->sla.priority = c->priority;
		snprintf(t->priority_source, sizeof(t->priority_source), "staff");
		t->priority_confirmed = true;
		break;
	case CMD_CONFIRM_PRIORITY:
		t->priority_confirmed = true;
		break;
	case CMD_ACCEPT:
	case CMD_CONFIRM:
	case CMD_REPLY:
		if (!t->assignee_id && c->actor == ACTOR_STAFF)
			t->assignee_id = c->actor_id;
		break;
	case CMD_TAGS:
		free(t->tags);
		t->tags = xstrdup(c->tags);
		break;
	case CMD_CATEGORY:
		free(t->category);
		t->category = xstrdup(c->category);
		break;
	case CMD_LINK:
		t->parent_id = c->parent_id;
		break;
	case CMD_ESCALATE:
	case CMD_REQUEST_ESCALATION:
		raise_level(c, at);
		break;
	case CMD_MITIGATE:
		t->mitigated_at = at;
		break;
	case CMD_RESOLVE:
		t->resolved_at = c->led_at ? c->led_at : at;
		break;
	case CMD_CONFIRM_RESOLUTION:
	case CMD_AUTO_CLOSE:
		t->closed_at = at;
		snprintf(t->closed_by, sizeof(t->closed_by), "%s",
			c->cmd == CMD_AUTO_CLOSE ? "auto" : "customer");
		break;
	case CMD_REOPEN:
		t->resolved_at = t->closed_at = INSTANT_NONE;
		t->closed_by[0] = 0;
		break;
	case CMD_PROPOSE_EXCLUSION:
		snprintf(t->exclusion_kind, sizeof(t->exclusion_kind), "%s", c->exclusion_kind);
		snprintf(t->exclusion_state, sizeof(t->exclusion_state), "proposed");
		t->exclusion_proposer = c->actor_id;
		t->exclusion_approver = 0;
		break;
	case CMD_APPROVE_EXCLUSION:
	case CMD_REJECT_EXCLUSION:
		snprintf(t->exclusion_state, sizeof(t->exclusion_state), "%s",
			c->cmd == CMD_APPROVE_EXCLUSION ? "approved" : "rejected");
		t->exclusion_approver = c->actor_id;
		break;
	case CMD_REBIND:
		t->policy_id = c->next_v->policy_id;
		t->calendar_id = c->next_v->calendar_id;
		c->v = c->next_v;
		break;
	default:
		break;
	}
	if ((c->cmd == CMD_REPLY || c->cmd == CMD_CONTACT || c->cmd == CMD_MITIGATE ||
		    c->cmd == CMD_RESOLVE) &&
		t->first_response_at == INSTANT_NONE)
		t->first_response_at = c->cmd == CMD_CONTACT   ? c->asked.contact_at
				       : c->cmd == CMD_RESOLVE ? t->resolved_at
							       : at;
}

/* The effect of a rebind on the deadlines: the due instants before and after it. */
static void write_dues(struct buf *b, struct ticket_call *c)
{
	buf_adds(b, ",\"due\":{");
	for (int k = 0; k < SLA_LADDER; k++) {
		int64_t after =
			sla_due(&c->ticket.sla, ticket_call_rules(c), (enum sla_clock_kind)k);

		buf_addf(b, "%s\"%s\":[", k ? "," : "", sla_clock_name((enum sla_clock_kind)k));
		buf_add_time_json(b, c->due_before[k]);
		buf_addc(b, ',');
		buf_add_time_json(b, after);
		buf_addc(b, ']');
	}
	buf_addc(b, '}');
}

/* The instant of the past that the command is reckoned at; INSTANT_NONE: at its own. */
static int64_t reckon_at(const struct ticket_call *c)
{
	return c->cmd == CMD_CONTACT ? c->asked.contact_at : c->led_at ? c->led_at : INSTANT_NONE;
}

#define LOW_SCORE 200 /* a rating that managers hear of, in hundredths of a point */

/* Who hears of a reopening hears where the resolution stands, in place of warnings that were told
 * before. */
static void write_resolution_due(struct buf *b, const struct ticket_call *c)
{
	int64_t due = sla_due(&c->ticket.sla, ticket_call_rules(c), SLA_RESOLUTION);

	if (due != INSTANT_NONE)
		buf_addf(b, ",\"clock_due_at\":%lld", (long long)due);
}

static void write_event(struct ticket_call *c, struct ticket_doc *d)
{
	const struct ticket_rule *rule = ticket_rule(c->cmd);
	struct ticket *t = &c->ticket;
	struct buf *b = ticket_doc_event(d, t, rule->event, c->actor, c->actor_id,
		rule->internal ? "staff" : "customer", true, c->text != NULL);
	char sha[65];

	if (c->text) {
		crypto_sha256_hex(c->text, strlen(c->text), sha);
		buf_addf(b, ",\"text_sha256\":\"%s\"", sha);
	}
	if (c->cmd == CMD_CREATE || c->cmd == CMD_REBIND) {
		ticket_doc_versions(b, t->policy_id, t->calendar_id);
		buf_addf(b, ",\"priority_source\":\"%s\"", t->priority_source);
	}
	if (c->cmd == CMD_REBIND)
		write_dues(b, c);
	if (c->cmd == CMD_REOPEN)
		write_resolution_due(b, c);
	if (c->cmd == CMD_WAIVE)
		buf_addf(b, ",\"clock\":\"%s\"", sla_clock_name(c->clock));
	if (c->cmd == CMD_EXCLUDE_WINDOW)
		buf_addf(b, ",\"from\":%lld,\"to\":%lld", (long long)c->asked.from,
			(long long)c->asked.to);
	if (c->cmd == CMD_PROPOSE_EXCLUSION)
		buf_addf(b, ",\"exclusion\":\"%s\"", c->exclusion_kind);
	if (reckon_at(c) != INSTANT_NONE)
		buf_addf(b, ",\"reckon_at\":%lld", (long long)reckon_at(c));
	if (c->cmd == CMD_ASSIGN)
		buf_addf(b, ",\"assignee_id\":%lld", (long long)c->assignee_id);
	if (c->cmd == CMD_RCA_ASSIGN)
		buf_addf(b, ",\"owner_id\":%lld", (long long)c->owner_id);
	if (c->cmd == CMD_SCHEDULE)
		buf_addf(b, ",\"wake_at\":%lld", (long long)c->asked.wake_at);
	if (c->cmd == CMD_RATE)
		buf_addf(b, ",\"score\":%g", (double)c->score / 100);
	if (c->cmd == CMD_REDACT)
		buf_addf(b, ",\"redacted_comment_id\":%lld", (long long)c->comment_id);
	if (c->cmd == CMD_AUTO_CLOSE)
		buf_adds(b, ",\"closed_by\":\"auto\"");
	if (c->cmd == CMD_ESCALATE || c->cmd == CMD_REQUEST_ESCALATION)
		buf_addf(b, ",\"level\":%d", t->level);
	if (c->cmd == CMD_REQUEST_ESCALATION)
		buf_addf(b, ",\"answer_by\":%lld", (long long)c->answer_by);
	if (c->at_top)
		ticket_doc_event_more(d, ",\"keys\":[\"top\"]");
	else if (c->cmd == CMD_RATE && c->score <= LOW_SCORE)
		ticket_doc_event_more(d, ",\"keys\":[\"low\"]");
	else
		ticket_doc_event_end(d);
}

/* Did a person choose the priority, or name the incident type that has it? Otherwise it is a guess.
 */
static bool is_chosen(const struct ticket *t)
{
	return strcmp(t->priority_source, "customer") == 0 ||
	       strcmp(t->priority_source, "staff") == 0 ||
	       strcmp(t->priority_source, "incident_type") == 0;
}

/* P0 tickets have extra events: who is notified depends on whether the priority was chosen or
 * guessed (sla.md 4). */
static void write_p0(
	struct ticket_call *c, struct ticket_doc *d, enum priority before, bool was_certain)
{
	struct ticket *t = &c->ticket;
	bool is_certain = t->priority_confirmed || is_chosen(t);
	bool now_p0 = t->sla.priority == P0 &&
		      (c->cmd == CMD_CREATE || before != P0 || (is_certain && !was_certain));

	if (!now_p0)
		return;
	d->at++;
	/* who confirms it, or sets it, knows */
	ticket_doc_event(d, t, is_certain ? "ticket.p0_opened" : "ticket.p0_guessed",
		c->actor == ACTOR_STAFF ? ACTOR_STAFF : ACTOR_SYSTEM,
		c->actor == ACTOR_STAFF ? c->actor_id : 0, "staff", true, false);
	if (c->cmd != CMD_CREATE && before == P0)
		ticket_doc_event_more(d, ",\"once\":true");
	else
		ticket_doc_event_end(d);
}

#define MINUTE (60 * US_PER_S)
#define DAY (86400 * US_PER_S)

static void add_timer(struct buf *b, const char *kind, int64_t due_at, int event)
{
	buf_addf(b, "%s{\"i\":%d,\"kind\":\"%s\",\"due_at\":%lld}",
		b->p[b->n - 1] == '[' ? "" : ",", event, kind, (long long)due_at);
}

static void write_timers(struct ticket_call *c, struct buf *b, int event, enum priority before)
{
	const struct ticket *t = &c->ticket;
	const struct sla_policy *p = &c->v->policy;
	int32_t report_s = p->budget[t->sla.priority].report_s;
	bool p0_waits = t->sla.priority == P0 && !t->priority_confirmed && !is_chosen(t);

	buf_adds(b, ",\"timers\":[");
	if (c->cmd == CMD_RESOLVE && p->autoclose_days > 0) {
		int64_t close_at = t->resolved_at + p->autoclose_days * DAY;

		if (p->autoclose_days > 2) {
			add_timer(b, "remind-close-1", close_at - 2 * DAY, event);
			add_timer(b, "remind-close-2", close_at - DAY, event);
		}
		add_timer(b, "auto-close", close_at, event);
	}
	if (c->cmd == CMD_REQUEST_ESCALATION)
		add_timer(b, "escalation-late", c->answer_by, event);
	if (c->cmd == CMD_SCHEDULE)
		add_timer(b, "wake", c->asked.wake_at, event);
	if (c->cmd == CMD_CREATE && p0_waits)
		add_timer(b, "p0-unconfirmed", t->opened_at + 5 * MINUTE, event);
	if (c->cmd == CMD_RESOLVE && report_s && p->report_from_resolved)
		add_timer(b, "report-due", t->resolved_at + report_s * US_PER_S, event);
	if ((c->cmd == CMD_CREATE || (c->cmd == CMD_PRIORITY && before != t->sla.priority)) &&
		report_s && !p->report_from_resolved)
		add_timer(b, "report-due",
			(c->cmd == CMD_CREATE ? t->opened_at : t->last_at) + report_s * US_PER_S,
			event);
	buf_adds(b, "],\"cancel\":[");
	switch (c->cmd) {
	case CMD_REOPEN:
		buf_adds(b, "\"auto-close\",\"remind-close-1\",\"remind-close-2\"");
		if (p->report_from_resolved)
			buf_adds(b, ",\"report-due\"");
		break;
	case CMD_CONFIRM_RESOLUTION:
	case CMD_AUTO_CLOSE:
		buf_adds(b, "\"auto-close\",\"remind-close-1\",\"remind-close-2\"");
		break;
	case CMD_RESUME:
	case CMD_CUSTOMER_REPLY:
		buf_adds(b, "\"wake\"");
		break;
	case CMD_PRIORITY:
		buf_adds(b, before == t->sla.priority ? "\"p0-unconfirmed\""
						      : "\"p0-unconfirmed\",\"report-due\"");
		break;
	case CMD_CONFIRM_PRIORITY:
		buf_adds(b, "\"p0-unconfirmed\"");
		break;
	case CMD_REPLY:
	case CMD_CONTACT:
	case CMD_MITIGATE:
	case CMD_RESOLVE:
		buf_adds(b, "\"escalation-late\"");
		break;
	case CMD_RCA_DONE:
		buf_adds(b, "\"rca-reminder\",\"rca-overdue\"");
		break;
	case CMD_CANCEL:
	case CMD_MERGE:
		buf_adds(b, "\"auto-close\",\"remind-close-1\",\"remind-close-2\",\"wake\",\"p0-"
			    "unconfirmed\",\"report-due\",\"escalation-late\"");
		break;
	default:
		break;
	}
	buf_addc(b, ']');
}

static void write_comment(struct ticket_call *c, struct buf *b, int64_t at)
{
	static const char *const kinds[CMD_COUNT] = { [CMD_CREATE] = "description",
		[CMD_REPLY] = "reply",
		[CMD_CUSTOMER_REPLY] = "reply",
		[CMD_CONTACT] = "contact",
		[CMD_NOTE] = "note",
		[CMD_MITIGATE] = "reply",
		[CMD_RESOLVE] = "resolution" };

	if (!c->text)
		return;
	buf_addf(b,
		",\"comment\":{\"kind\":\"%s\",\"audience\":\"%s\",\"author_kind\":\"%s\",\"author_"
		"id\":%lld,\"at\":%lld,\"details\":%s,\"body\":",
		kinds[c->cmd] ? kinds[c->cmd] : "reason",
		ticket_rule(c->cmd)->internal ? "staff" : "customer", actor_kind_name(c->actor),
		(long long)c->actor_id, (long long)at, c->details ? c->details : "null");
	buf_add_json(b, c->text, strlen(c->text));
	buf_addc(b, '}');
}

static void write_create(struct ticket_call *c, struct buf *b)
{
	const struct ticket *t = &c->ticket;

	buf_addf(b,
		",\"config_version\":%lld,\"policy_id\":%lld,\"calendar_id\":%lld,\"opened_at\":%"
		"lld,\"source\":\"%s\",\"title\":",
		(long long)c->config_version, (long long)t->policy_id, (long long)t->calendar_id,
		(long long)t->opened_at, c->source);
	buf_add_json(b, c->title, strlen(c->title));
	buf_adds(b, ",\"service_type\":");
	buf_add_json(b, t->service_type, strlen(t->service_type));
	if (c->impact)
		buf_addf(b, ",\"impact\":%lld", (long long)c->impact);
	if (c->urgency)
		buf_addf(b, ",\"urgency\":%lld", (long long)c->urgency);
	for (int i = 0; i < c->choices; i++) {
		buf_addf(b, ",\"%s\":", c->choice[i].kind);
		buf_add_json(b, c->choice[i].code, strlen(c->choice[i].code));
	}
	if (c->external_id) {
		buf_adds(b, ",\"external_id\":");
		buf_add_json(b, c->external_id, strlen(c->external_id));
	}
}

/* Waivers, contested contacts and exclusions: is there anything to decide, and may this user decide
 * it? */
static bool may_judge(const struct ticket_call *c, enum call_result *out)
{
	const struct ticket *t = &c->ticket;

	switch (c->cmd) {
	case CMD_WAIVE:
		*out = CALL_NO_BREACH;
		return t->sla.clock[c->clock].breached_at != INSTANT_NONE;
	case CMD_ACCEPT_CONTACT:
		*out = CALL_NO_BREACH;
		return t->sla.clock[SLA_RESPONSE].contested;
	case CMD_DISPUTE_CONTACT:
		*out = CALL_NO_BREACH;
		return t->sla.clock[SLA_RESPONSE].self_reported;
	case CMD_APPROVE_EXCLUSION:
	case CMD_REJECT_EXCLUSION:
		*out = CALL_NOT_PROPOSED;
		if (strcmp(t->exclusion_state, "proposed") != 0)
			return false;
		*out = CALL_SAME_PERSON;
		return c->cmd == CMD_REJECT_EXCLUSION || t->exclusion_proposer != c->actor_id;
	default:
		return true;
	}
}

/* What the command refers to. desk_store() checks it when it stores the command, so that nothing
 * changes in between. */
static void write_references(const struct ticket_call *c, struct buf *b)
{
	const struct ticket *t = &c->ticket;

	if (c->cmd == CMD_ASSIGN)
		buf_addf(b, ",\"refs\":{\"assignee\":%lld}", (long long)c->assignee_id);
	if (c->cmd == CMD_CREATE && c->actor != ACTOR_CUSTOMER &&
		strcmp(t->requester_kind, "customer") == 0)
		buf_addf(b, ",\"refs\":{\"requester\":%lld}", (long long)t->requester_id);
	if (c->cmd == CMD_RCA_ASSIGN)
		buf_addf(b, ",\"refs\":{\"owner\":%lld}", (long long)c->owner_id);
	if (c->cmd == CMD_LINK)
		buf_addf(b, ",\"refs\":{\"parent\":%lld}", (long long)c->parent_id);
	if (c->cmd == CMD_MERGE && t->parent_id)
		buf_addf(b, ",\"refs\":{\"merge\":true,\"parent\":%lld}", (long long)t->parent_id);
	else if (c->cmd == CMD_MERGE)
		buf_adds(b, ",\"refs\":{\"merge\":true}");
}

/* A ticket that was reopened late began again then (sla.md 3). */
static int64_t cycle_began(const struct ticket *t)
{
	int64_t start = t->sla.clock[SLA_RESPONSE].start_at;

	return t->sla.cycle > 1 && start != INSTANT_NONE ? start : t->opened_at;
}

/* The key of the request, with the answer that the same request gets when it comes again; the
 * version is known when the ticket is stored. */
static void write_key(const struct ticket_call *c, struct buf *b, int64_t at)
{
	buf_adds(b, ",\"idem\":{\"key\":");
	buf_add_json(b, c->idem_key, strlen(c->idem_key));
	buf_addf(b,
		",\"actor\":\"%s\",\"sha256\":\"%s\",\"status\":%d,\"at\":%lld,\"reply\":{"
		"\"status\":\"%s\",\"priority\":\"%s\",\"level\":%d",
		c->idem_actor, c->idem_sha256, c->cmd == CMD_CREATE ? 201 : 200, (long long)at,
		ticket_state_name(c->ticket.sla.state), priority_name(c->decided), c->ticket.level);
	if (c->cmd == CMD_REQUEST_ESCALATION)
		buf_addf(b, ",\"answer_by\":%lld", (long long)c->answer_by);
	buf_adds(b, "}}");
}

/* Write the document for desk_store() into the call. EVENT: the number of the command's own event;
 * BEFORE: the earlier priority. */
static void write_document(
	struct ticket_call *c, struct ticket_doc *d, int64_t at, int event, enum priority before)
{
	struct buf b = { 0 };

	buf_addc(&b, '[');
	ticket_doc_write(d, &c->ticket, ticket_call_rules(c), 0, true, &b);
	if (c->cmd == CMD_CREATE)
		write_create(c, &b);
	if (c->cmd == CMD_RETITLE) {
		buf_adds(&b, ",\"title\":");
		buf_add_json(&b, c->title, strlen(c->title));
	}
	write_references(c, &b);
	write_comment(c, &b, at);
	if (c->cmd == CMD_RATE)
		buf_addf(&b,
			",\"rating\":{\"user_id\":%lld,\"cycle\":%d,\"score\":%.2f,\"at\":%lld}",
			(long long)c->actor_id, c->ticket.sla.cycle, (double)c->score / 100,
			(long long)at);
	if (c->cmd == CMD_REDACT)
		buf_addf(&b, ",\"redact\":%lld", (long long)c->comment_id);
	if (c->cmd == CMD_REPORT_DONE)
		buf_addf(&b, ",\"report_done\":{\"by\":%lld,\"at\":%lld}", (long long)c->actor_id,
			(long long)at);
	if (c->cmd == CMD_RCA_OVERDUE)
		buf_addf(&b, ",\"rca_overdue\":%lld", (long long)at);
	if (c->cmd == CMD_RCA_ASSIGN)
		buf_addf(&b, ",\"rca_owner\":%lld", (long long)c->owner_id);
	if (c->cmd == CMD_RCA_DONE)
		buf_addf(&b, ",\"rca_done\":{\"by\":%lld,\"at\":%lld}", (long long)c->actor_id,
			(long long)at);
	write_timers(c, &b, event, before);
	if (c->idem_key)
		write_key(c, &b, at);
	if (c->timer_id)
		buf_addf(&b, ",\"timer_id\":%lld", (long long)c->timer_id);
	buf_adds(&b, "}]");
	free(c->docs);
	c->docs = buf_take(&b);
}

/* The actor whose rights apply: a customer's service may do what the customer may, and no more.
 * Only a person may rate. */
static enum actor_kind acts_as(const struct ticket_call *c)
{
	return c->actor == ACTOR_SERVICE && !c->ctx.staff && c->cmd != CMD_RATE ? ACTOR_CUSTOMER
										: c->actor;
}

/* What a system that leads the ticket tells of the past lies between the opening and now. */
static void bound_led_instants(struct ticket_call *c, int64_t now)
{
	int64_t from = c->cmd == CMD_CREATE ? 0 : cycle_began(&c->ticket),
		*all[] = { &c->led_at, &c->led_until };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (*all[i] > now)
			*all[i] = now;
		if (*all[i] && *all[i] < from)
			*all[i] = from;
	}
}

bool ticket_decide(struct ticket_call *c, enum call_result *out)
{
	struct ticket *t = &c->ticket;
	struct ticket_doc d = { .at = t->last_at };
	int64_t now = clock_now_us(), at = now > t->last_at ? now : t->last_at + 1;
	enum priority before = t->sla.priority;
	bool was_certain = t->priority_confirmed || is_chosen(t);
	enum ticket_state to;
	int event;

	switch (ticket_apply(c->cmd, t->sla.state, acts_as(c), &to)) {
	case TICKET_ALLOWED:
		break;
	case TICKET_WRONG_ACTOR:
		*out = CALL_WRONG_ACTOR;
		return false;
	case TICKET_WRONG_STATE:
		*out = CALL_WRONG_STATE;
		return false;
	}
	if (c->expect_version && c->expect_version != t->version) {
		*out = CALL_WRONG_VERSION;
		return false;
	}
	if (!instants_allowed(c->cmd, cycle_began(t), at, &c->asked, &c->fault)) {
		*out = CALL_BAD_INSTANT;
		return false;
	}
	if (c->cmd == CMD_EXCLUDE_WINDOW && t->sla.windows.n >= SLA_WINDOWS_MAX) {
		*out = CALL_WRONG_STATE;
		return false;
	}
	if (c->cmd == CMD_PRIORITY && !c->v->policy.has[c->priority]) {
		ticket_name_levels(c);
		*out = CALL_NO_PRIORITY;
		return false;
	}
	bound_led_instants(c, at);
	d.led_until = c->led_until;
	if (c->cmd != CMD_CREATE)
		ticket_settle(t, ticket_call_rules(c), &d, at);
	if (!may_judge(c, out)) {
		ticket_doc_free(&d);
		return false;
	}
	for (int k = 0; k < SLA_LADDER; k++)
		c->due_before[k] = sla_due(&t->sla, ticket_call_rules(c), (enum sla_clock_kind)k);
	d.at = d.at >= at ? d.at + 1 : at;
	at = d.at;
	if (c->cmd == CMD_CREATE)
		t->opened_at = c->led_at ? c->led_at : at;
	apply_fields(c, at);
	event = d.event_count + 1;
	sla_apply(&t->sla, ticket_call_rules(c),
		&(struct sla_event){ ticket_sla_event(c->cmd), at, SEQ_NEW + event, reckon_at(c),
			to, t->sla.priority, c->clock, c->asked.from, c->asked.to });
	t->last_at = at;
	write_event(c, &d);
	write_p0(c, &d, before, was_certain);
	if (c->cmd == CMD_RESOLVE)
		d.led_until = 0;
	ticket_settle(t, ticket_call_rules(c), &d, at);
	t->last_at = d.at;
	c->decided = t->sla.priority;

	write_document(c, &d, at, event, before);
	ticket_doc_free(&d);
	return true;
}
