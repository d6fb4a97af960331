/* SPDX-License-Identifier: Apache-2.0
 * The event bus: delivers committed events to their consumers, in order and without gaps within a
 * tenant. */
#ifndef SLADESK_CORE_EVENTS_H
#define SLADESK_CORE_EVENTS_H

#include "db/db.h"

/* A committed event, as read back from the database. */
struct desk_event {
	int64_t tenant_id, seq, ticket_id, actor_id, at, urgent_at, assignee_id, requester_id;
	struct str type, actor_kind, audience, data, number, title, status, priority, urgent_clock,
		department, project;
	int sla_high;
	bool ours; /* this instance committed to the tenant just before */
};
/* Row I of statement bus/fetch. Its texts live as long as the row. */
struct desk_event event_of_row(const PGresult *r, int i);
/* Start reading committed events. Call once, after db_init. */
void events_init(void);
/* Free everything, after the database has been closed. */
void events_free(void);
/* A consumer of committed events: a row in the table of its capability. */
struct consumer {
	const char *name;  /* NULL ends a table */
	const char *types; /* the prefix of the event types; NULL: all events */
	void (*fn)(const struct desk_event *e);
};
/* Call the rows of TABLE, which ends with an empty row, for each event, in order within a
 * tenant. */
void events_listen(const struct consumer *table);
/* Fetch the events of TENANT soon, because this instance has committed something for it. */
void events_hint(int64_t tenant_id);
/* The same, because Redis reports that another instance has committed something. */
void events_hint_remote(int64_t tenant_id);
/* The last seq delivered for TENANT; -1 if unknown. */
int64_t events_position(int64_t tenant_id);
struct events_health {
	uint64_t delivered, hints;
	size_t tenants;
};
/* Counts for /metrics. */
struct events_health events_health(void);

#endif
