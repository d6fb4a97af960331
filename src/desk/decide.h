/* SPDX-License-Identifier: Apache-2.0
 * The pure part of the ticket command; private to src/desk. */
#ifndef SLADESK_DESK_DECIDE_H
#define SLADESK_DESK_DECIDE_H

#include "desk/command.h"

struct tenant_config;

static inline struct sla_rules ticket_call_rules(const struct ticket_call *c)
{
	return (struct sla_rules){ &c->v->policy, c->v->calendar };
}
/* Name the policy's levels in the call, for the refusal of one it does not have. */
void ticket_name_levels(struct ticket_call *c);
/* A new ticket's priority: the one asked for, or decided from its words, impact and history, with
 * the reason. False when the policy has no such level; its levels are named in the call. */
bool ticket_decide_priority(struct ticket_call *c, const struct tenant_config *config);
/* From what is known of the ticket to the document to store, in the call. False when the rules
 * refuse, with *OUT why. */
bool ticket_decide(struct ticket_call *c, enum call_result *out);

#endif
