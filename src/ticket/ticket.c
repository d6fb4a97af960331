/* SPDX-License-Identifier: Apache-2.0
 * The transition table. A staff reply accepts a new ticket; a customer's reply resumes a ticket
 * that waits for the customer. */
#include "ticket/ticket.h"

#define BIT(s) (1u << TICKET_##s)
#define OPEN ((1u << TICKET_OPEN_COUNT) - 1)
#define ANY (OPEN | BIT(RESOLVED) | BIT(CLOSED) | BIT(CANCELLED) | BIT(MERGED))
#define STAFF (1u << ACTOR_STAFF)
#define CUSTOMER (1u << ACTOR_CUSTOMER)
#define SERVICE (1u << ACTOR_SERVICE)
#define SYSTEM (1u << ACTOR_SYSTEM)
#define SAME TICKET_STATE_COUNT

static const struct ticket_rule rules[CMD_COUNT] = {
	[CMD_CREATE] = { "create", "ticket.created", 0, STAFF | CUSTOMER | SERVICE | SYSTEM,
		TICKET_NEW },
	[CMD_ACCEPT] = { "accept", "ticket.accepted", BIT(NEW), STAFF | SYSTEM, TICKET_ACCEPTED,
		.progress = true },
	[CMD_CONFIRM] = { "confirm", "ticket.confirmed", BIT(NEW) | BIT(ACCEPTED), STAFF | SYSTEM,
		TICKET_IN_PROGRESS, .progress = true },
	[CMD_REPLY] = { "reply", "ticket.replied", OPEN, STAFF | SERVICE, SAME, .progress = true },
	[CMD_CUSTOMER_REPLY] = { "customer-reply", "ticket.customer_replied", OPEN | BIT(RESOLVED),
		CUSTOMER, SAME },
	[CMD_CONTACT] = { "contact", "ticket.contacted", OPEN, STAFF, SAME, .progress = true },
	[CMD_NOTE] = { "note", "ticket.noted", ANY, STAFF, SAME, .internal = true,
		.progress = true },
	[CMD_ASSIGN] = { "assign", "ticket.assigned", OPEN | BIT(RESOLVED), STAFF | SYSTEM, SAME,
		.progress = true },
	[CMD_PRIORITY] = { "priority", "ticket.priority_changed", OPEN, STAFF | SYSTEM, SAME },
	[CMD_CONFIRM_PRIORITY] = { "confirm-priority", "ticket.priority_confirmed", OPEN, STAFF,
		SAME },
	[CMD_ESCALATE] = { "escalate", "ticket.escalated", OPEN, STAFF, SAME },
	[CMD_REQUEST_ESCALATION] = { "request-escalation", "ticket.escalation_requested", OPEN,
		CUSTOMER, SAME },
	[CMD_WAIT_CUSTOMER] = { "wait-customer", "ticket.waiting_customer",
		OPEN & ~BIT(PENDING_CUSTOMER), STAFF | SYSTEM, TICKET_PENDING_CUSTOMER,
		.progress = true },
	[CMD_SCHEDULE] = { "schedule", "ticket.scheduled", OPEN & ~BIT(SCHEDULED), STAFF,
		TICKET_SCHEDULED, .progress = true },
	[CMD_WAIT_AWS] = { "wait-aws", "ticket.waiting_aws", OPEN & ~BIT(PENDING_AWS),
		STAFF | SYSTEM, TICKET_PENDING_AWS, .progress = true },
	[CMD_RESUME] = { "resume", "ticket.resumed",
		BIT(PENDING_CUSTOMER) | BIT(PENDING_AWS) | BIT(SCHEDULED), STAFF | SYSTEM,
		TICKET_IN_PROGRESS, .progress = true },
	[CMD_MITIGATE] = { "mitigate", "ticket.mitigated", OPEN & ~BIT(MITIGATED), STAFF,
		TICKET_MITIGATED, .progress = true },
	[CMD_MONITOR] = { "monitor", "ticket.monitoring", BIT(MITIGATED), STAFF, TICKET_MONITORING,
		.progress = true },
	[CMD_REWORK] = { "rework", "ticket.rework", BIT(MITIGATED) | BIT(MONITORING),
		STAFF | SYSTEM, TICKET_IN_PROGRESS, .progress = true },
	[CMD_RESOLVE] = { "resolve", "ticket.resolved", OPEN, STAFF | SYSTEM, TICKET_RESOLVED,
		.progress = true },
	[CMD_CONFIRM_RESOLUTION] = { "confirm-resolution", "ticket.closed", BIT(RESOLVED), CUSTOMER,
		TICKET_CLOSED },
	[CMD_AUTO_CLOSE] = { "auto-close", "ticket.closed", BIT(RESOLVED), SYSTEM, TICKET_CLOSED },
	[CMD_REOPEN] = { "reopen", "ticket.reopened", BIT(RESOLVED) | BIT(CLOSED),
		CUSTOMER | STAFF | SYSTEM, TICKET_IN_PROGRESS },
	[CMD_CANCEL] = { "cancel", "ticket.cancelled", OPEN, CUSTOMER | STAFF | SYSTEM,
		TICKET_CANCELLED },
	[CMD_MERGE] = { "merge", "ticket.merged", OPEN, STAFF, TICKET_MERGED },
	[CMD_TAGS] = { "tags", "ticket.tagged", ANY, STAFF, SAME, .internal = true },
	[CMD_CATEGORY] = { "category", "ticket.categorised", ANY, STAFF, SAME },
	[CMD_RETITLE] = { "retitle", "ticket.retitled", ANY, SYSTEM, SAME },
	[CMD_LINK] = { "link", "ticket.linked", ANY, STAFF, SAME, .internal = true },
	[CMD_ACCEPT_CONTACT] = { "accept-contact", "ticket.contact_accepted", ANY, STAFF, SAME },
	[CMD_DISPUTE_CONTACT] = { "dispute-contact", "ticket.contact_disputed", ANY, CUSTOMER,
		SAME },
	[CMD_WAIVE] = { "waive", "ticket.breach_waived", ANY, STAFF, SAME },
	[CMD_EXCLUDE_WINDOW] = { "exclude-window", "ticket.window_excluded", OPEN, STAFF, SAME },
	[CMD_PROPOSE_EXCLUSION] = { "propose-exclusion", "ticket.exclusion_proposed", ANY, STAFF,
		SAME, .internal = true },
	[CMD_APPROVE_EXCLUSION] = { "approve-exclusion", "ticket.exclusion_approved", ANY, STAFF,
		SAME, .internal = true },
	[CMD_REJECT_EXCLUSION] = { "reject-exclusion", "ticket.exclusion_rejected", ANY, STAFF,
		SAME, .internal = true },
	[CMD_REBIND] = { "rebind", "ticket.rebound", OPEN, STAFF | SYSTEM, SAME },
	[CMD_GO_LIVE] = { "go-live", "ticket.went_live", ANY, SYSTEM, SAME, .internal = true },
	[CMD_REDACT] = { "redact", "ticket.text_redacted", ANY, STAFF, SAME, .internal = true },
	[CMD_RATE] = { "rate", "ticket.rated", BIT(RESOLVED) | BIT(CLOSED), CUSTOMER | SYSTEM,
		SAME },
	[CMD_REMIND_CLOSE] = { "remind-close", "ticket.close_reminder", BIT(RESOLVED), SYSTEM,
		SAME },
	[CMD_P0_UNCONFIRMED] = { "p0-unconfirmed", "ticket.p0_unconfirmed", OPEN, SYSTEM, SAME,
		.internal = true },
	[CMD_REPORT_DUE] = { "report-due", "ticket.report_due",
		ANY & ~BIT(CANCELLED) & ~BIT(MERGED), SYSTEM, SAME, .internal = true },
	[CMD_ESCALATION_LATE] = { "escalation-late", "ticket.escalation_late", OPEN, SYSTEM, SAME,
		.internal = true },
	[CMD_REPORT_DONE] = { "report-done", "ticket.report_done",
		ANY & ~BIT(CANCELLED) & ~BIT(MERGED), STAFF, SAME },
	[CMD_RCA_DONE] = { "rca-done", "ticket.rca_done", ANY, STAFF, SAME },
	[CMD_RCA_ASSIGN] = { "rca-assign", "ticket.rca_assigned", ANY, STAFF, SAME,
		.internal = true },
	[CMD_RCA_REMINDER] = { "rca-reminder", "ticket.rca_reminder", ANY, SYSTEM, SAME,
		.internal = true },
	[CMD_RCA_OVERDUE] = { "rca-overdue", "ticket.rca_overdue", ANY, SYSTEM, SAME,
		.internal = true },
};

const struct ticket_rule *ticket_rule(enum ticket_command cmd)
{
	bug_on(cmd >= CMD_COUNT);
	return &rules[cmd];
}

enum ticket_command ticket_command_parse(struct str name)
{
	for (int i = 0; i < CMD_COUNT; i++)
		if (str_is(name, rules[i].name))
			return (enum ticket_command)i;
	return CMD_COUNT;
}

enum ticket_refusal ticket_apply(enum ticket_command cmd, enum ticket_state state,
	enum actor_kind actor, enum ticket_state *out_state)
{
	const struct ticket_rule *r = ticket_rule(cmd);

	if (!(r->actors >> actor & 1))
		return TICKET_WRONG_ACTOR;
	if (cmd != CMD_CREATE && !(r->from >> state & 1))
		return TICKET_WRONG_STATE;
	*out_state = r->to == SAME ? state : r->to;
	if ((cmd == CMD_REPLY || cmd == CMD_CONTACT) && state == TICKET_NEW)
		*out_state = TICKET_ACCEPTED;
	if (cmd == CMD_CUSTOMER_REPLY && state == TICKET_PENDING_CUSTOMER)
		*out_state = TICKET_IN_PROGRESS;
	return TICKET_ALLOWED;
}
