/* SPDX-License-Identifier: Apache-2.0
 * A ticket that is led elsewhere: its messages become commands on ours. A message is applied once
 * (by its event id), in the order of its own time, and never half: what was done before a failure
 * is found done when it comes again. */
#ifndef SLADESK_FEATURE_INTEGRATION_SYNC_H
#define SLADESK_FEATURE_INTEGRATION_SYNC_H

#include "desk/command.h"

struct json_object;

enum sync_result {
	SYNC_APPLIED,
	SYNC_DUPLICATE, /* this event id was here before */
	SYNC_OUTDATED,  /* a newer message of this ticket was applied already */
	SYNC_INVALID,   /* see fault */
	SYNC_REFUSED,   /* the ticket cannot go there any more, or what is named is not there: see
			   fault */
	SYNC_FAILED,    /* the database: try again */
};
const char *sync_result_name(enum sync_result r);

/* What is wrong with a message: which field, and what is allowed. */
struct sync_fault {
	const char *field, *en, *zh;
};

/* A message on its way. Its strings are its own; the context is the caller's until on_done. */
struct sync_item {
	int64_t tenant_id, token_id;
	char *event_id, *external_id, *title, *description, *assignee, *service_type;
	enum ticket_state status; /* TICKET_STATE_COUNT: says nothing of it */
	enum priority priority;   /* PRIORITY_NONE: says nothing of it */
	int64_t said_at, score;   /* score: hundredths; 0: none */
	struct db_context ctx;

	void (*on_done)(struct sync_item *item, enum sync_result result);
	void *arg;

	/* the result */
	struct sync_fault fault;
	const char *warning; /* a field of it that was not followed, or NULL */
	int64_t ticket_id;
	char number[32];
	enum db_error db_error;

	/* private to the flow */
	struct ticket_call call;
	struct db_call db;
	char id_text[6][24], actor_name[32];
	enum ticket_state state;
	enum priority now_priority;
	int64_t now_assignee, wanted_assignee;
	int steps;
	bool rated, looked_again;
	enum sync_result result;
};

/* Read a message: the union of the two field lists of the product document. False with the item's
 * fault set when it is not one. Fields of its own go with sync_item_clear in both cases. */
bool sync_item_read(struct json_object *message, struct sync_item *out);
void sync_item_clear(struct sync_item *item);
/* Name it anew: who knows that it must be applied, whatever came before. */
void sync_item_rename(struct sync_item *item, const char *event_id);
/* Apply it; ON_DONE runs exactly once, on a later turn. Of one ticket only one message may be on
 * its way. */
void sync_apply(struct sync_item *item);

/* Which command comes next on the way from STATE to WANTED? CMD_COUNT: it is there, or as far as it
 * goes. *OUT_STUCK: there is no way. Pure. */
enum ticket_command sync_next_command(
	enum ticket_state state, enum ticket_state wanted, bool *out_stuck);

#endif
