/* SPDX-License-Identifier: Apache-2.0
 * An event as it is sent to many clients: its frame, built once for each language, and what decides
 * who may receive it. */
#ifndef SLADESK_FEATURE_LIVE_FEED_EVENT_H
#define SLADESK_FEATURE_LIVE_FEED_EVENT_H

#include "core/session.h"
#include "core/events.h"
#include "http/ws.h"

struct json_object;

enum topic { TOPIC_OVERVIEW = 1, TOPIC_TICKETS = 2, TOPIC_ALERTS = 4 };

struct feed_event {
	char *json; /* what the frames say, without names */
	size_t json_n;
	struct ws_frame *frame[2];  /* English, Chinese; NULL: nobody has asked for it */
	char *department, *project; /* NULL: the ticket has none */
	int64_t requester_id;       /* 0: not a customer's user */
	int64_t tenant_id, seq;
	uint64_t number; /* number of events gathered before it */
	uint8_t topics;
	bool for_customers;
};

/* The event E in the form in which the feed sends it. NUMBER: how many events came before it. */
struct feed_event feed_event_of(const struct desk_event *e, uint64_t number);
/* Its frame in a language. The event keeps the reference. */
struct ws_frame *feed_event_frame(struct feed_event *c, bool zh);
/* Release what feed_event_of allocated. */
void feed_event_free(struct feed_event *c);
/* May this client receive the event? Does for the feed what row-level security does for queries
 * (tenant, audience, scope). SCOPE: that of the session, parsed; NULL: everything. */
bool feed_event_is_for(
	const struct feed_event *e, const struct session *s, struct json_object *scope);
/* Append the event as JSON, in the form for clients and consumers. */
void event_add_json(struct buf *b, const struct desk_event *e, bool with_ticket);

#endif
