/* SPDX-License-Identifier: Apache-2.0
 * The fixed vocabularies of the domain, as the API, the database and the pure modules spell them.
 */
#ifndef SLADESK_TICKET_NAMES_H
#define SLADESK_TICKET_NAMES_H

#include "base/base.h"

enum priority { P0, P1, P2, P3, P4, PRIORITY_COUNT, PRIORITY_NONE = -1 };

/* In the order of doc/tickets.md; the first OPEN_COUNT are open. */
enum ticket_state {
	TICKET_NEW,
	TICKET_ACCEPTED,
	TICKET_IN_PROGRESS,
	TICKET_PENDING_CUSTOMER,
	TICKET_PENDING_AWS,
	TICKET_SCHEDULED,
	TICKET_MITIGATED,
	TICKET_MONITORING,
	TICKET_OPEN_COUNT,
	TICKET_RESOLVED = TICKET_OPEN_COUNT,
	TICKET_CLOSED,
	TICKET_CANCELLED,
	TICKET_MERGED,
	TICKET_STATE_COUNT,
};

enum actor_kind { ACTOR_SYSTEM, ACTOR_STAFF, ACTOR_CUSTOMER, ACTOR_SERVICE, ACTOR_KIND_COUNT };

const char *priority_name(enum priority p);           /* "P0" */
const char *priority_label(enum priority p, bool zh); /* "critical" or "紧急" */
/* Append JSON. Each member "priority" with a code in it is followed by "priority_label". */
void priority_add_labelled(struct buf *b, struct str json, bool zh);
/* Read a code or a name in either language, in any case; PRIORITY_NONE if S is neither. */
enum priority priority_parse(struct str s);
/* The state's name in the database and the API. */
const char *ticket_state_name(enum ticket_state s);
/* The state with this name; TICKET_STATE_COUNT if there is none. */
enum ticket_state ticket_state_parse(struct str s);
static inline bool ticket_state_is_open(enum ticket_state s)
{
	return s < TICKET_OPEN_COUNT;
}
/* "system", "staff", "customer", "service". */
const char *actor_kind_name(enum actor_kind k);
/* The kind with this name; ACTOR_KIND_COUNT if there is none. */
enum actor_kind actor_kind_parse(struct str s);

/* Is NAME a field of tickets that only the provider's staff and services see, or a filter on one?
 * Customers do not receive such a field, and cannot filter by it, wherever tickets are shown. */
bool ticket_field_is_internal(struct str name);

#endif
