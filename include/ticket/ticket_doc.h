/* SPDX-License-Identifier: Apache-2.0
 * A ticket as loaded from the database and as written back: reads documents of the view
 * ticket_state, writes documents for desk_store. No I/O: the daemon, the importer and verify share
 * it. */
#ifndef SLADESK_TICKET_TICKET_DOC_H
#define SLADESK_TICKET_TICKET_DOC_H

#include "sla/clock.h"
#include "ticket/ticket.h"

struct json_object;

/* A seq that desk_store will assign: SEQ_NEW + n is the n-th event of this document. */
#define SEQ_NEW (-1000000LL)

struct ticket {
	int64_t tenant_id, id, row_version, version;
	int64_t policy_id, calendar_id;
	int64_t opened_at, last_at, first_response_at, mitigated_at, resolved_at, closed_at;
	int64_t requester_id, assignee_id, parent_id;   /* 0 = none */
	int64_t exclusion_proposer, exclusion_approver; /* staff; 0 = none */
	char exclusion_kind[20], exclusion_state[12];
	char requester_kind[12], closed_by[12], priority_source[16]; /* our own keywords */
	char *service_type, *category; /* owned; category: NULL or "" if there is none */
	char *priority_reason, *tags;  /* JSON; owned */
	bool priority_confirmed, muted, sla_breached;
	int level;
	struct sla_ticket sla; /* state, priority, cycle, clocks */
};

/* Read a document of ticket_state. Returns false if it is not one (a bug or a newer schema). Free
 * the ticket with ticket_clear. */
bool ticket_read(const char *p, size_t n, struct ticket *out);
/* Release what ticket_read allocated. */
void ticket_clear(struct ticket *t);

/* Translate an event of the history into an input of the clocks. */
enum sla_event_type ticket_sla_event(enum ticket_command cmd);
/* The command with this event type; CMD_COUNT if there is none (an SLA event). */
enum ticket_command ticket_command_of_event(struct str type);

/* A document under construction. A zero-initialised document is ready to use. */
struct ticket_doc {
	struct buf events, fires;
	struct buf rca; /* the root-cause analysis that a breach begins; empty if none */
	int event_count;
	unsigned clocks;     /* bit k: clock k was changed by a fire */
	int64_t at;          /* instant of the last event added */
	int64_t led_until;   /* nothing falls due later: the system that leads the ticket resolved
				it then (0: no such instant) */
	int64_t more_origin; /* missed periods that are added to the row of an earlier fire */
	int32_t more_periods;
};
/* Release the document's buffers. */
void ticket_doc_free(struct ticket_doc *d);

/* Settle T up to NOW, writing each fire and its event into D, and move d->at past them. Returns the
 * number of fires. */
size_t ticket_settle(struct ticket *t, struct sla_rules r, struct ticket_doc *d, int64_t now);
/* Begin an event object in D and return the buffer, positioned inside its "data" object (after
 * status and priority). Finish it with ticket_doc_event_end. */
struct buf *ticket_doc_event(struct ticket_doc *d, const struct ticket *t, const char *type,
	enum actor_kind actor, int64_t actor_id, const char *audience, bool notify,
	bool has_comment);
/* Append the versions of policy and calendar that T is bound to, as members of an event's data. The
 * events that bind a ticket (created, rebound) carry them, so that its history can be replayed. */
void ticket_doc_versions(struct buf *data, int64_t policy_id, int64_t calendar_id);
/* Close the event that ticket_doc_event began. */
void ticket_doc_event_end(struct ticket_doc *d);
/* The same with further members of the event itself, each with its comma: keys (of the rules that
 * apply) or once (nobody gets the same page twice). They are not in the history. */
void ticket_doc_event_more(struct ticket_doc *d, const char *members);
/* Write the document without its closing brace: the caller adds comment, idem and timers and closes
 * it. */
void ticket_doc_write(const struct ticket_doc *d, const struct ticket *t, struct sla_rules r,
	int ti, bool command, struct buf *out);
/* The due instant of the most urgent live clock (INSTANT_NONE if there is none), and which clock it
 * is. */
int64_t ticket_urgent(const struct ticket *t, struct sla_rules r, enum sla_clock_kind *out_clock);

#endif
