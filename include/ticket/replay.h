/* SPDX-License-Identifier: Apache-2.0
 * Replays a ticket's recorded history under its own policy or another one, and compares the result
 * with what is stored. Pure. */
#ifndef SLADESK_TICKET_REPLAY_H
#define SLADESK_TICKET_REPLAY_H

#include "sla/clock.h"
#include "ticket/ticket.h"

struct json_object;

/* Fire everything that falls due up to AT (us), without alerts. */
void replay_settle(struct sla_ticket *t, struct sla_rules rules, int64_t at);

/* Fire what falls due before the event of command CMD (CMD_COUNT: an event of another kind),
 * recorded at AT (us) with DATA. For an imported ticket, only what fell due before it went live
 * fires. Call this before replay_event, with the rules in force until then. */
void replay_before(struct sla_ticket *t, struct sla_rules rules, enum ticket_command cmd,
	int64_t at, struct json_object *data);

/* Apply the event itself, with the rules in force from then on, and fire what falls due with it. */
void replay_event(struct sla_ticket *t, struct sla_rules rules, enum ticket_command cmd,
	int64_t seq, int64_t at, struct json_object *data);

/* The pieces of both, for who replays a little in each turn. First: settle up to this instant, with
 * the rules in force until then. */
int64_t replay_settled_before(enum ticket_command cmd, int64_t at, struct json_object *data);
/* Then: apply the event. */
void replay_apply(struct sla_ticket *t, struct sla_rules rules, enum ticket_command cmd,
	int64_t seq, int64_t at, struct json_object *data);
/* Last: settle up to this instant. */
int64_t replay_settled_after(enum ticket_command cmd, int64_t at, struct json_object *data);
/* Settle up to AT, some fires at a time: call it again until it returns true. */
bool replay_settle_some(struct sla_ticket *t, struct sla_rules rules, int64_t at);
/* Do the event's data name the law that it was applied by? */
bool replay_names_law(struct json_object *data);

/* Append clock C as one line, for people and for comparison; RUNS: with the stretches during which
 * it ran. */
void replay_describe(struct buf *b, const struct sla_clock *c, bool runs);
/* Do the STORED clock and the RECKONED one, which the history gives, differ? If so, append both as
 * lines. */
bool replay_differs(const struct sla_clock *stored, const struct sla_clock *reckoned,
	struct buf *out_stored, struct buf *out_reckoned);

#endif
