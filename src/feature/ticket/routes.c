/* SPDX-License-Identifier: Apache-2.0 */
#include "ticket.h"
#include "sql_gen.h"
#include "ticket/ticket.h"

#define ACT(name, command)                                                                         \
	{                                                                                          \
		HTTP_POST, "/api/v1/tickets/{id}/" name, PERM_TICKET_WRITE, .flow = ticket_act,    \
									    .argument = command    \
	}

#define CLIENT_ACT(name, command)                                                                  \
	{                                                                                          \
		HTTP_POST, "/api/v1/client/tickets/{id}/" name, PERM_TICKET_WRITE,                 \
			.flow = ticket_act, .argument = command                                    \
	}

/* A supervisor's word. */
#define JUDGE(name, command)                                                                       \
	{                                                                                          \
		HTTP_POST, "/api/v1/tickets/{id}/" name, PERM_TICKET_JUDGE, .flow = ticket_act,    \
									    .argument = command    \
	}

#define TICKET_FIELDS                                                                              \
	"title* description* priority service_type source impact_scope impact urgency factors "    \
	"tags "                                                                                    \
	"category department project contract cost_centre region office external_id tenant_id "    \
	"requester_id"

const struct route ticket_routes[] = {
	{ HTTP_GET, "/api/v1/client/tickets", PERM_TICKET_READ, .sql = &sql_ticket_list,
		.variant = { "sort", "urgent", &sql_ticket_list_urgent } },
	{ HTTP_POST, "/api/v1/client/tickets", PERM_TICKET_WRITE, .flow = ticket_create,
		.argument = CMD_CREATE, .fields = TICKET_FIELDS },
	{ HTTP_GET, "/api/v1/client/tickets/{id}", PERM_TICKET_READ, .sql = &sql_ticket_get },
	{ HTTP_GET, "/api/v1/client/tickets/{id}/clocks", PERM_TICKET_READ,
		.sql = &sql_ticket_clocks },
	{ HTTP_GET, "/api/v1/client/tickets/{id}/comments", PERM_TICKET_READ,
		.sql = &sql_ticket_comments },
	CLIENT_ACT("reply", CMD_REPLY),
	CLIENT_ACT("confirm-resolution", CMD_CONFIRM_RESOLUTION),
	CLIENT_ACT("reopen", CMD_REOPEN),
	CLIENT_ACT("escalate", CMD_ESCALATE),
	CLIENT_ACT("rate", CMD_RATE),
	{ HTTP_GET, "/api/v1/client/sla/clocks", PERM_SLA_READ, .sql = &sql_client_clocks },
	{ HTTP_GET, "/api/v1/tickets", PERM_TICKET_READ, .sql = &sql_ticket_list,
		.variant = { "sort", "urgent", &sql_ticket_list_urgent } },
	{ HTTP_POST, "/api/v1/tickets", PERM_TICKET_WRITE, .flow = ticket_create,
		.argument = CMD_CREATE, .fields = TICKET_FIELDS },
	{ HTTP_GET, "/api/v1/tickets/{id}", PERM_TICKET_READ, .sql = &sql_ticket_get },
	{ HTTP_GET, "/api/v1/tickets/{id}/clocks", PERM_TICKET_READ, .sql = &sql_ticket_clocks },
	{ HTTP_GET, "/api/v1/tickets/{id}/comments", PERM_TICKET_READ,
		.sql = &sql_ticket_comments },
	{ HTTP_GET, "/api/v1/tickets/{id}/history", PERM_TICKET_READ, .sql = &sql_ticket_history },
	{ HTTP_GET, "/api/v1/tickets/{id}/sla", PERM_TICKET_READ, .flow = ticket_explain,
		.about = "why each clock stands where it stands: its intervals in order",
		.about_zh = "逐段说明每个时钟的计时依据" },
	ACT("accept", CMD_ACCEPT),
	JUDGE("accept-contact", CMD_ACCEPT_CONTACT),
	JUDGE("approve-exclusion", CMD_APPROVE_EXCLUSION),
	ACT("assign", CMD_ASSIGN),
	ACT("cancel", CMD_CANCEL),
	ACT("category", CMD_CATEGORY),
	ACT("confirm", CMD_CONFIRM),
	ACT("confirm-priority", CMD_CONFIRM_PRIORITY),
	ACT("confirm-resolution", CMD_CONFIRM_RESOLUTION),
	ACT("contact", CMD_CONTACT),
	ACT("dispute-contact", CMD_DISPUTE_CONTACT),
	ACT("escalate", CMD_ESCALATE),
	JUDGE("exclude-window", CMD_EXCLUDE_WINDOW),
	ACT("link", CMD_LINK),
	ACT("merge", CMD_MERGE),
	ACT("mitigate", CMD_MITIGATE),
	ACT("monitor", CMD_MONITOR),
	ACT("note", CMD_NOTE),
	ACT("priority", CMD_PRIORITY),
	ACT("propose-exclusion", CMD_PROPOSE_EXCLUSION),
	JUDGE("rebind", CMD_REBIND),
	JUDGE("reject-exclusion", CMD_REJECT_EXCLUSION),
	ACT("rate", CMD_RATE),
	JUDGE("redact", CMD_REDACT),
	ACT("reopen", CMD_REOPEN),
	ACT("reply", CMD_REPLY),
	ACT("resolve", CMD_RESOLVE),
	ACT("resume", CMD_RESUME),
	ACT("rework", CMD_REWORK),
	ACT("schedule", CMD_SCHEDULE),
	ACT("tags", CMD_TAGS),
	ACT("wait-aws", CMD_WAIT_AWS),
	ACT("wait-customer", CMD_WAIT_CUSTOMER),
	JUDGE("waive", CMD_WAIVE),
	{ 0 },
};
