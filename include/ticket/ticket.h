/* SPDX-License-Identifier: Apache-2.0
 * The ticket's state machine (sla.md 3): who may do what in which state, and the state that
 * follows. One table, pure; doc/tickets.md shows it. */
#ifndef SLADESK_TICKET_TICKET_H
#define SLADESK_TICKET_TICKET_H

#include "ticket/names.h"

enum ticket_command {
	CMD_CREATE,
	CMD_ACCEPT,
	CMD_CONFIRM,
	CMD_REPLY,
	CMD_CUSTOMER_REPLY,
	CMD_CONTACT,
	CMD_NOTE,
	CMD_ASSIGN,
	CMD_PRIORITY,
	CMD_CONFIRM_PRIORITY,
	CMD_ESCALATE,
	CMD_REQUEST_ESCALATION,
	CMD_WAIT_CUSTOMER,
	CMD_SCHEDULE,
	CMD_WAIT_AWS,
	CMD_RESUME,
	CMD_MITIGATE,
	CMD_MONITOR,
	CMD_REWORK,
	CMD_RESOLVE,
	CMD_CONFIRM_RESOLUTION,
	CMD_AUTO_CLOSE,
	CMD_REOPEN,
	CMD_CANCEL,
	CMD_MERGE,
	CMD_TAGS,
	CMD_CATEGORY,
	CMD_RETITLE,
	CMD_LINK,
	CMD_ACCEPT_CONTACT,
	CMD_DISPUTE_CONTACT,
	CMD_WAIVE,
	CMD_EXCLUDE_WINDOW,
	CMD_PROPOSE_EXCLUSION,
	CMD_APPROVE_EXCLUSION,
	CMD_REJECT_EXCLUSION,
	CMD_REBIND,
	CMD_GO_LIVE,
	CMD_REDACT,
	CMD_RATE,
	CMD_REMIND_CLOSE,
	CMD_P0_UNCONFIRMED,
	CMD_REPORT_DUE,
	CMD_ESCALATION_LATE,
	CMD_REPORT_DONE,
	CMD_RCA_DONE,
	CMD_RCA_ASSIGN,
	CMD_RCA_REMINDER,
	CMD_RCA_OVERDUE,
	CMD_COUNT,
};

enum ticket_refusal { TICKET_ALLOWED, TICKET_WRONG_ACTOR, TICKET_WRONG_STATE };

struct ticket_rule {
	const char *name;     /* as in the URL and the command line */
	const char *event;    /* type of the event it writes */
	uint32_t from;        /* bit per ticket_state */
	uint32_t actors;      /* bit per actor_kind */
	enum ticket_state to; /* TICKET_STATE_COUNT = unchanged */
	bool internal;        /* only staff see the event */
	bool progress;        /* restarts the wait of the ladder */
};

/* The requirements and effects of command CMD. The table lives as long as the process. */
const struct ticket_rule *ticket_rule(enum ticket_command cmd);
/* The command with this name; CMD_COUNT if there is none. */
enum ticket_command ticket_command_parse(struct str name);
/* May ACTOR do CMD from STATE? On TICKET_ALLOWED *OUT_STATE is the state after. */
enum ticket_refusal ticket_apply(enum ticket_command cmd, enum ticket_state state,
	enum actor_kind actor, enum ticket_state *out_state);

#endif
