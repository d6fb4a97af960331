/* SPDX-License-Identifier: Apache-2.0
 * A client of the live feed, as push.c (who hears what, and when) and resume.c (where a client
 * begins) see it. */
#ifndef SLADESK_FEATURE_LIVE_FEED_CLIENT_H
#define SLADESK_FEATURE_LIVE_FEED_CLIENT_H

#include "base/magic.h"
#include "feed_event.h"

#define FEED_QUEUE_MAX (64 * 1024) /* bytes of events that may wait for one client */

struct resume;

struct floor_seq {
	int64_t tenant_id, seq;
};

struct client {
	uint32_t magic;
	struct list node;
	struct ws *ws;
	struct session *session;
	struct json_object *scope; /* the only visible tickets of the tenant; NULL: all */
	uint8_t topics;
	bool live, behind, finding;
	int refused;              /* messages beyond the user's rate, less those taken since */
	uint64_t first_event;     /* it already has the events gathered before this */
	int64_t since_us;         /* when it connected, later the last ping */
	struct resume *resume;    /* the one that is under way; NULL: none */
	struct floor_seq *floors; /* events up to these were sent already; freed when the bus has
				     passed them all */
	int floor_count;
};
MAGIC(client, 0xbda3b378);

/* --- push.c --- */

extern struct list feed_clients;

/* Send a text of N bytes at P, unless too much is queued. */
void feed_send(struct client *c, const char *p, size_t n);
/* May C receive E, by its topics and its rights? */
bool feed_may_hear(const struct client *c, const struct feed_event *e);
/* C gets every event from now on. */
void feed_go_live(struct client *c);
/* Send every tenant's position, so that the client can resume from it. */
void feed_send_snapshot(struct client *c, const char *reason);
/* The number of events gathered so far. */
uint64_t feed_event_count(void);

/* --- feed_rights.c --- */

/* Take TAKE_S over as C's session, or close C if it may not listen. */
void feed_take_session(struct client *c, struct session *take_s);

/* --- resume.c --- */

/* Call once before any client. */
void resume_init(void);
/* The message {"op":"subscribe",…}: choose topics; go on after SINCE, or begin with a snapshot. One
 * resume per client at a time; another message meanwhile gets an error. */
void feed_subscribe(struct client *c, struct json_object *msg);
/* Has E been sent to C by its resume? */
bool feed_below_floor(const struct client *c, const struct feed_event *e);
/* Forget C's floors if the bus has passed them. */
void feed_drop_floors(struct client *c);
/* C is freed: forget everything that waits for it. */
void feed_forget(struct client *c);

#endif
