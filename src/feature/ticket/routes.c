/* SPDX-License-Identifier: Apache-2.0 */
#include "ticket.h"
#include "flow_gen.h"
#include "sql_gen.h"
#include "ticket/ticket.h"

/* The route of a command: its contract has the same name. */
#define ACT(name, command, id)                                                                     \
	{                                                                                          \
		HTTP_POST, "/api/v1/tickets/{id}/" name, PERM_TICKET_WRITE,                        \
			.flow = ticket_act, .check = ticket_act_check, .argument = CMD_##command,  \
			.contract = &contract_ticket_##id                                          \
	}

#define CLIENT_ACT(name, command, id)                                                              \
	{                                                                                          \
		HTTP_POST, "/api/v1/client/tickets/{id}/" name, PERM_TICKET_WRITE,                 \
			.flow = ticket_act, .check = ticket_act_check, .argument = CMD_##command,  \
			.contract = &contract_ticket_##id                                          \
	}

/* The route of a supervisor's decision. */
#define JUDGE(name, command, id)                                                                   \
	{                                                                                          \
		HTTP_POST, "/api/v1/tickets/{id}/" name, PERM_TICKET_JUDGE,                        \
			.flow = ticket_act, .check = ticket_act_check, .argument = CMD_##command,  \
			.contract = &contract_ticket_##id                                          \
	}

const struct route ticket_routes[] = {
	{ HTTP_GET, "/api/v1/client/tickets", PERM_TICKET_READ, .sql = &sql_ticket_list,
		.variant = { "sort", "urgent", &sql_ticket_list_urgent } },
	{ HTTP_POST, "/api/v1/client/tickets", PERM_TICKET_WRITE, .flow = ticket_create,
		.check = ticket_create_check, .argument = CMD_CREATE,
		.contract = &contract_ticket_create },
	{ HTTP_GET, "/api/v1/client/tickets/{id}", PERM_TICKET_READ, .sql = &sql_ticket_get },
	{ HTTP_GET, "/api/v1/client/tickets/{id}/clocks", PERM_TICKET_READ,
		.sql = &sql_ticket_clocks },
	{ HTTP_GET, "/api/v1/client/tickets/{id}/comments", PERM_TICKET_READ,
		.sql = &sql_ticket_comments },
	CLIENT_ACT("reply", REPLY, reply),
	CLIENT_ACT("confirm-resolution", CONFIRM_RESOLUTION, confirm_resolution),
	CLIENT_ACT("reopen", REOPEN, reopen),
	CLIENT_ACT("escalate", ESCALATE, escalate),
	CLIENT_ACT("rate", RATE, rate),
	{ HTTP_GET, "/api/v1/client/sla/clocks", PERM_SLA_READ, .sql = &sql_client_clocks },
	{ HTTP_GET, "/api/v1/tickets", PERM_TICKET_READ, .sql = &sql_ticket_list,
		.variant = { "sort", "urgent", &sql_ticket_list_urgent } },
	{ HTTP_POST, "/api/v1/tickets", PERM_TICKET_WRITE, .flow = ticket_create,
		.check = ticket_create_check, .argument = CMD_CREATE,
		.contract = &contract_ticket_create },
	{ HTTP_GET, "/api/v1/tickets/{id}", PERM_TICKET_READ, .sql = &sql_ticket_get },
	{ HTTP_GET, "/api/v1/tickets/{id}/clocks", PERM_TICKET_READ, .sql = &sql_ticket_clocks },
	{ HTTP_GET, "/api/v1/tickets/{id}/comments", PERM_TICKET_READ,
		.sql = &sql_ticket_comments },
	{ HTTP_GET, "/api/v1/tickets/{id}/history", PERM_TICKET_READ, .sql = &sql_ticket_history },
	{ HTTP_GET, "/api/v1/tickets/{id}/sla", PERM_TICKET_READ, .flow = ticket_explain,
		.contract = &contract_ticket_explain },
	{ HTTP_GET, "/api/v1/rca", PERM_STAFF, .sql = &sql_ticket_rca },
	ACT("accept", ACCEPT, accept),
	JUDGE("accept-contact", ACCEPT_CONTACT, accept_contact),
	JUDGE("approve-exclusion", APPROVE_EXCLUSION, approve_exclusion),
	ACT("assign", ASSIGN, assign),
	ACT("cancel", CANCEL, cancel),
	ACT("category", CATEGORY, category),
	ACT("confirm", CONFIRM, confirm),
	ACT("confirm-priority", CONFIRM_PRIORITY, confirm_priority),
	ACT("confirm-resolution", CONFIRM_RESOLUTION, confirm_resolution),
	ACT("contact", CONTACT, contact),
	ACT("dispute-contact", DISPUTE_CONTACT, dispute_contact),
	ACT("escalate", ESCALATE, escalate),
	JUDGE("exclude-window", EXCLUDE_WINDOW, exclude_window),
	ACT("link", LINK, link),
	ACT("merge", MERGE, merge),
	ACT("mitigate", MITIGATE, mitigate),
	ACT("monitor", MONITOR, monitor),
	ACT("note", NOTE, note),
	ACT("priority", PRIORITY, priority),
	ACT("propose-exclusion", PROPOSE_EXCLUSION, propose_exclusion),
	JUDGE("rebind", REBIND, rebind),
	JUDGE("reject-exclusion", REJECT_EXCLUSION, reject_exclusion),
	ACT("rate", RATE, rate),
	ACT("rca-assign", RCA_ASSIGN, rca_assign),
	ACT("rca-done", RCA_DONE, rca_done),
	ACT("report-done", REPORT_DONE, report_done),
	JUDGE("redact", REDACT, redact),
	ACT("reopen", REOPEN, reopen),
	ACT("reply", REPLY, reply),
	ACT("resolve", RESOLVE, resolve),
	ACT("resume", RESUME, resume),
	ACT("rework", REWORK, rework),
	ACT("schedule", SCHEDULE, schedule),
	ACT("tags", TAGS, tags),
	ACT("wait-aws", WAIT_AWS, wait_aws),
	ACT("wait-customer", WAIT_CUSTOMER, wait_customer),
	JUDGE("waive", WAIVE, waive),
	{ 0 },
};
