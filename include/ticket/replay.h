/* SPDX-License-Identifier: Apache-2.0
 * A ticket's recorded history lived again, under the policy it had or under another. Pure. */
#ifndef SLADESK_TICKET_REPLAY_H
#define SLADESK_TICKET_REPLAY_H

#include "sla/clock.h"
#include "ticket/ticket.h"

struct json_object;

/* Everything that falls due up to AT (us) fires, unheard. */
void replay_settle(struct sla_ticket *t, struct sla_rules rules, int64_t at);

/* What falls due before an event of type CMD (CMD_COUNT: no command's) recorded at AT (us) with
 * DATA: of an imported ticket only what did before it went live. To be called before replay_event,
 * under the rules until then. */
void replay_before(struct sla_ticket *t, struct sla_rules rules, enum ticket_command cmd,
	int64_t at, struct json_object *data);

/* The event itself, under the rules from then on, and what falls due with it. */
void replay_event(struct sla_ticket *t, struct sla_rules rules, enum ticket_command cmd,
	int64_t seq, int64_t at, struct json_object *data);

#endif
