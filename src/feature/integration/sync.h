/* SPDX-License-Identifier: Apache-2.0
 * Tickets from a source system: messages become commands on our tickets. A message is applied once
 * (identified by its event id), in the order of its own time, and never by half: if it comes again
 * after a failure, what was already done is recognised. */
#ifndef SLADESK_FEATURE_INTEGRATION_SYNC_H
#define SLADESK_FEATURE_INTEGRATION_SYNC_H

#include "core/flow.h"
#include "desk/command.h"

struct json_object;

enum sync_result {
	SYNC_APPLIED,
	SYNC_DUPLICATE, /* this event id was received before */
	SYNC_OUTDATED,  /* a newer message for this ticket has already been applied */
	SYNC_INVALID,   /* see fault */
	SYNC_REFUSED, /* the ticket's state does not allow it any more, or something named does not
			 exist: see fault */
	SYNC_FAILED,  /* the database failed: retry */
};
/* The result's name in replies and logs. */
const char *sync_result_name(enum sync_result r);

/* The error in a message: the field, and what is allowed. */
struct sync_fault {
	const char *field, *en, *zh;
};

/* A message being applied. It owns its texts; the context belongs to the caller until on_done. */
struct sync_item {
	uint32_t magic;
	int64_t tenant_id, token_id;
	char *event_id, *external_id, *title, *description, *assignee, *service_type;
	enum ticket_state status;        /* TICKET_STATE_COUNT: not given */
	enum priority priority;          /* PRIORITY_NONE: not given */
	int64_t said_at, score;          /* score in hundredths; 0: none */
	int64_t created_at, resolved_at; /* INSTANT_NONE: not given */
	struct db_context ctx;
	bool leads; /* the provider's source system, or the one that the operator has named */

	void (*on_done)(struct sync_item *item, enum sync_result result);
	void *arg;

	/* the result */
	struct sync_fault fault;
	const char *warning; /* a field that could not be applied, or NULL */
	int64_t ticket_id;
	char number[32];
	enum db_error db_error;

	/* private to the flow */
	struct flow flow;
	struct ticket_call call;
	enum call_result command_result;
	enum ticket_state state;
	enum priority now_priority;
	int64_t now_assignee, wanted_assignee;
	bool retitle; /* its title is another one */
	int steps;
	bool rated, looked_again;
	enum sync_result result;
};
MAGIC(sync_item, 0x8731e490);

/* Read a message: the union of the two field lists in the product document. Returns false and sets
 * the item's fault if it is invalid. Free its own fields with sync_item_clear in both cases. */
bool sync_item_read(struct json_object *message, struct sync_item *out);
/* Release what sync_item_read allocated. */
void sync_item_clear(struct sync_item *item);
/* Give it a new identity, if it must be applied whatever came before. */
void sync_item_rename(struct sync_item *item, const char *event_id);
/* Apply the message. ON_DONE runs exactly once, on a later turn. Only one message per ticket may be
 * in progress. */
void sync_apply(struct sync_item *item);

/* The next command on the way from STATE to WANTED. CMD_COUNT: it is there, or as far as it can go.
 * *OUT_STUCK: there is no way. Pure. */
enum ticket_command sync_next_command(
	enum ticket_state state, enum ticket_state wanted, bool *out_stuck);

#endif
