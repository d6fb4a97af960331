/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability notify. */
#ifndef SLADESK_FEATURE_NOTIFY_H
#define SLADESK_FEATURE_NOTIFY_H

#include "core/feature.h"

/* outbox.c: mails and webhooks. */
struct outbox_health {
	int in_flight;
	int unstored; /* results */
	int64_t queued, dead;
	uint64_t sent, failed;
	bool mail_refused; /* the relay refuses this service */
};
/* Start claiming notifications. */
void outbox_init(void);
/* Claim nothing more, and release what was not begun. */
void outbox_stop(void);
/* Is a message being sent, or a result not stored? */
bool outbox_is_busy(void);
/* Release everything; the database is closed. */
void outbox_free(void);
/* Counts for /metrics and the checks. */
struct outbox_health outbox_health(void);
extern const struct job outbox_jobs[];
/* delivery_hours.c: start. */
void delivery_hours_init(void);
/* Release the cached calendars. */
void delivery_hours_free(void);
/* Until when a mail about an event of this type and a ticket of this priority
 * waits; 0: it does not. HOURS: the calendar that the ticket's policy names; empty: the one of
 * notify.hours. If the calendar must be read first, the mail waits for a second. */
int64_t delivery_hours_wait_until(int64_t tenant_id, struct str hours, struct str event_type,
	enum priority p, int64_t now_us);

/* routes.c; ends with an empty row */
extern const struct route notify_routes[];

/* Notifications may have been written. */
void outbox_on_event(const struct desk_event *e);

extern const struct feature notify_feature;

#endif
