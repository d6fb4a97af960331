/* SPDX-License-Identifier: Apache-2.0
 * The timer engine: the min-heap over every running clock and timer row, the fires, the sweep; and
 * the bus that carries committed events to whoever listens, in order and without a gap per tenant.
 */
#ifndef SLADESK_DESK_ENGINE_H
#define SLADESK_DESK_ENGINE_H

#include "db/db.h"
#include "desk/ticket_doc.h"

/* Load the heap and begin to fire. */
void engine_init(int64_t horizon_s);
void engine_free(void);
/* The clocks of T were stored as they are: the heap learns their next instants. */
void engine_learn(const struct ticket *t, struct sla_rules r);
/* Timer rows of TENANT changed: sweep soon. */
void engine_learn_timers(int64_t tenant_id);

struct engine_health {
	bool loaded;
	size_t entries, bytes;
	uint64_t fired, late, swept, failed;
	int64_t lag_us; /* how long the oldest due and unfired has been so */
	int64_t load_ms;
};
struct engine_health engine_health(void);

/* rebind.c: running tickets follow a calendar that only gained future dates; and a warning while
 * next year's are missing. */
void rebind_init(void);
void rebind_free(void);
int rebind_missing_calendars(void);

/* upkeep.c: partitions made ahead, what is over taken away. */
void upkeep_init(void);
void upkeep_free(void);

/* A committed event, as read back from the database. */
struct bus_event {
	int64_t tenant_id, seq, ticket_id, actor_id, at, urgent_at, assignee_id, requester_id;
	struct str type, actor_kind, audience, data, number, title, status, priority, urgent_clock,
		department, project;
	int sla_high;
};
/* Row I of statement bus/fetch; its texts live as long as the row. */
struct bus_event bus_event_of_row(const PGresult *r, int i);
typedef void bus_listener(void *arg, const struct bus_event *e);

void bus_init(void);
void bus_free(void);
/* Call FN for each event, in order per tenant. */
void bus_listen(bus_listener *fn, void *arg);
/* Something was committed in TENANT: fetch soon. */
void bus_hint(int64_t tenant_id);
/* The last seq delivered in TENANT; -1 when unknown. */
int64_t bus_position(int64_t tenant_id);
struct bus_health {
	uint64_t delivered, hints;
	size_t tenants;
};
struct bus_health bus_health(void);

#endif
