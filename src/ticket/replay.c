/* SPDX-License-Identifier: Apache-2.0 */
#include "ticket/replay.h"

#include "base/json.h"
#include "ticket/ticket_doc.h"

void replay_settle(struct sla_ticket *t, struct sla_rules rules, int64_t at)
{
	struct sla_fire fires[SLA_FIRES_MAX];

	sla_settle(t, rules, at, fires, ARRAY_LEN(fires));
}

void replay_before(struct sla_ticket *t, struct sla_rules rules, enum ticket_command cmd,
	int64_t at, struct json_object *data)
{
	/* the clocks of an imported ticket stand still until it goes live; what its leading system
	 * resolved is not found overdue later */
	replay_settle(t, rules, json_get_int(data, cmd == CMD_GO_LIVE ? "from" : "led_until", at));
}

/* A newer version may have written the event: its law is replayed as far as it is known. */
static enum sla_law law_of(const struct sla_ticket *t, struct json_object *data)
{
	int64_t law = json_get_int(data, "law", t->unnamed_law);

	return law < SLA_LAW_FIRST || law > SLA_LAW ? SLA_LAW_PRESENT : (enum sla_law)law;
}

void replay_event(struct sla_ticket *t, struct sla_rules rules, enum ticket_command cmd,
	int64_t seq, int64_t at, struct json_object *data)
{
	const char *clock = json_get_string(data, "clock");
	struct sla_event e = { ticket_sla_event(cmd), at, seq,
		json_get_int(data, "reckon_at", INSTANT_NONE),
		ticket_state_parse(str_of(json_get_string(data, "status"))),
		priority_parse(str_of(json_get_string(data, "priority"))),
		sla_clock_parse(str_of(clock ? clock : "response")), json_get_int(data, "from", 0),
		json_get_int(data, "to", 0), law_of(t, data) };

	e.priority = sla_policy_nearest(rules.policy, e.priority);
	sla_apply(t, rules, &e);
	replay_settle(t, rules, cmd == CMD_RESOLVE ? at : json_get_int(data, "led_until", at));
}
