/* SPDX-License-Identifier: Apache-2.0
 * The bus: committed events carried to whoever listens, in order and without a gap per tenant. */
#ifndef SLADESK_CORE_EVENTS_H
#define SLADESK_CORE_EVENTS_H

#include "db/db.h"

/* A committed event, as read back from the database. */
struct desk_event {
	int64_t tenant_id, seq, ticket_id, actor_id, at, urgent_at, assignee_id, requester_id;
	struct str type, actor_kind, audience, data, number, title, status, priority, urgent_clock,
		department, project;
	int sla_high;
	bool ours; /* this instance committed something in the tenant just before */
};
/* Row I of statement bus/fetch; its texts live as long as the row. */
struct desk_event event_of_row(const PGresult *r, int i);
/* Start reading committed events. Call once, after db_init. */
void events_init(void);
/* Release everything; the database is closed. */
void events_free(void);
/* Who hears of committed events: a row of its capability. */
struct consumer {
	const char *name;  /* NULL ends a table */
	const char *types; /* the event type begins with this; NULL: all */
	void (*fn)(const struct desk_event *e);
};
/* Call the rows of TABLE, which ends with an empty one, for each event, in order per tenant. */
void events_listen(const struct consumer *table);
/* This instance committed something in TENANT: fetch soon. */
void events_hint(int64_t tenant_id);
/* Another instance did, as Redis says. */
void bus_hint_remote(int64_t tenant_id);
/* The last seq delivered in TENANT; -1 when unknown. */
int64_t events_position(int64_t tenant_id);
struct events_health {
	uint64_t delivered, hints;
	size_t tenants;
};
/* Counts for /metrics. */
struct events_health events_health(void);

#endif
