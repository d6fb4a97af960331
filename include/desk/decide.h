/* SPDX-License-Identifier: Apache-2.0
 * The pure part of the ticket command. Besides src/desk, only the demo calls it, for its past. */
#ifndef SLADESK_DESK_DECIDE_H
#define SLADESK_DESK_DECIDE_H

#include "desk/command.h"

struct tenant_config;

static inline struct sla_rules ticket_call_rules(const struct ticket_call *c)
{
	return (struct sla_rules){ &c->v->policy, c->v->calendar };
}
/* List the policy's levels in the call, for the refusal of a level that it does not have. */
void ticket_name_levels(struct ticket_call *c);
/* The priority of a new ticket: the requested one, or one determined from its words, impact and
 * history, with the reason. Returns false, with the levels listed in the call, if the policy does
 * not have it. */
bool ticket_decide_priority(struct ticket_call *c, const struct tenant_config *config);
/* From the known state of the ticket to the document to store, in the call. Returns false and the
 * reason in *OUT if the rules refuse it. */
bool ticket_decide(struct ticket_call *c, enum call_result *out);

#endif
