/* SPDX-License-Identifier: Apache-2.0
 * The flow of every ticket command: load, settle, apply (pure), store under compare-and-set; up to
 * five attempts if another writer was faster. Web, mail, API, sync and timers all call it. */
#ifndef SLADESK_DESK_COMMAND_H
#define SLADESK_DESK_COMMAND_H

#include "base/magic.h"
#include "db/db.h"
#include "ticket/instants.h"
#include "ticket/ticket_doc.h"
#include "desk/reference.h"
#include "desk/versions.h"

enum call_result {
	CALL_OK,
	CALL_NOT_FOUND,     /* the ticket */
	CALL_BAD_REFERENCE, /* a ticket, person or text that the call names; reference tells why */
	CALL_WRONG_STATE,
	CALL_WRONG_ACTOR,
	CALL_WRONG_VERSION, /* If-Match names another version */
	CALL_NO_PRIORITY,   /* the ticket's policy does not have this priority */
	CALL_NO_CHOICE, /* create, category: not in the tenant's catalogue; choice[0] tells which */
	CALL_NO_BREACH, /* waive: the clock has no breach; accept-contact: nothing is contested */
	CALL_BAD_INSTANT,  /* an instant that the ticket does not allow; fault tells which */
	CALL_NOT_PROPOSED, /* approve or reject: no exclusion is proposed */
	CALL_SAME_PERSON,  /* approve: the proposer may not */
	CALL_REPLAYED,     /* the idempotency key was used for the same request: id is the result of
			      that */
	CALL_KEY_REUSED,   /* …for another request */
	CALL_IN_FLIGHT,    /* the first request with this idempotency key has not ended */
	CALL_GONE,         /* the timer was no longer pending */
	CALL_BUSY,         /* five attempts failed */
	CALL_DB,           /* see db_error */
};

#define TICKET_CHOICES_MAX 7

/* The request. All texts belong to the caller and must stay valid until on_done. */
struct ticket_call {
	uint32_t magic;
	enum ticket_command cmd;
	enum actor_kind actor;
	int64_t actor_id;
	struct db_context ctx; /* the session's role, or the job role for timers and upkeep */
	int64_t tenant_id, ticket_id; /* ticket_id 0: create */
	int64_t expect_version;       /* 0 = any */
	const char *text;             /* public text, note, or reason */
	const char *details;          /* JSON stored with the text, or NULL */
	/* by command */
	enum priority priority;         /* create (NONE: determine it), priority */
	int64_t assignee_id, parent_id; /* assign, link */
	int64_t owner_id;               /* rca-assign */
	int64_t comment_id;             /* redact */
	int64_t score;                  /* rate: 100 to 500, in hundredths of a point */
	struct asked_instants asked;    /* contact, schedule, exclude-window */
	/* A ticket that another system leads: create and resolve are reckoned at the instant that
	 * it names (0: none). As long as it has resolved the ticket at led_until, nothing later
	 * than that falls due (0: it has not). */
	int64_t led_at, led_until;
	enum sla_clock_kind clock;  /* waive */
	const char *exclusion_kind; /* propose-exclusion */
	int64_t calendar_id; /* rebind: to this calendar and the same policy; 0: to the versions in
				force */
	const char *tags;    /* JSON list */
	const char *category;
	const char *title; /* create, retitle */
	/* create only */
	const char *service_type, *source, *impact_scope, *incident_type, *external_id;
	struct ticket_choice {
		const char *kind, *code; /* as listed in the tenant's catalogue */
	} choice[TICKET_CHOICES_MAX];
	int choices;
	int64_t impact, urgency, requester_id;
	const char *requester_kind;
	uint32_t factors;
	/* once only */
	const char *idem_actor, *idem_key, *idem_sha256;
	int64_t timer_id;

	void (*on_done)(struct ticket_call *call, enum call_result result);
	void *arg;

	/* the result */
	int64_t id, version;
	char number[32];
	enum ticket_state state;
	enum priority decided;
	enum db_error db_error;
	char levels[64];                        /* with CALL_NO_PRIORITY: the levels that exist */
	const struct reference_rule *reference; /* with CALL_BAD_REFERENCE: the rule it breaks */
	int64_t merged_into; /* a customer's reply to a merged ticket went to this one; 0: it did
				not */
	struct instant_fault fault; /* with CALL_BAD_INSTANT */
	int level;                  /* escalate: the level that it has now */
	bool at_top;                /* and had before: there is none above */
	int64_t answer_by; /* a customer's request for escalation: until when it is answered */

	/* private to the flow */
	struct db_call db;
	struct ticket ticket;
	const struct sla_version *v, *next_v; /* next_v: the versions that rebind binds to */
	int tries, merges_followed;
	enum call_result refusal; /* unless it was already done under the idempotency key */
	bool fresh_config;
	char tenants_text[32], ids_text[32];
	char *docs;
	int64_t config_version, due_before[SLA_CLOCKS];
	struct loop_timer *retry;
};
MAGIC(ticket_call, 0xf8a5f855);

/* Start the command. ON_DONE runs exactly once, on a later turn. */
void ticket_command(struct ticket_call *call);

#endif
