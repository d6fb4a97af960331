/* SPDX-License-Identifier: Apache-2.0
 * Tables of names. */
#include "ticket/names.h"

#include <strings.h>

static const char *const priorities[][3] = {
	{ "P0", "critical", "紧急" },
	{ "P1", "high", "高" },
	{ "P2", "medium", "中" },
	{ "P3", "low", "低" },
	{ "P4", "general", "一般" },
};

static const char *const states[] = {
	[TICKET_NEW] = "new",
	[TICKET_ACCEPTED] = "accepted",
	[TICKET_IN_PROGRESS] = "in_progress",
	[TICKET_PENDING_CUSTOMER] = "pending_customer",
	[TICKET_PENDING_AWS] = "pending_aws",
	[TICKET_SCHEDULED] = "scheduled",
	[TICKET_MITIGATED] = "mitigated",
	[TICKET_MONITORING] = "monitoring",
	[TICKET_RESOLVED] = "resolved",
	[TICKET_CLOSED] = "closed",
	[TICKET_CANCELLED] = "cancelled",
	[TICKET_MERGED] = "merged",
};

static const char *const actors[] = { "system", "staff", "customer", "service" };

const char *priority_name(enum priority p)
{
	return p >= P0 && p < PRIORITY_COUNT ? priorities[p][0] : "";
}

const char *priority_label(enum priority p, bool zh)
{
	return p >= P0 && p < PRIORITY_COUNT ? priorities[p][zh ? 2 : 1] : "";
}

enum priority priority_parse(struct str s)
{
	for (int p = P0; p < PRIORITY_COUNT; p++)
		for (int k = 0; k < 3; k++)
			if (str_case_is(s, priorities[p][k]))
				return (enum priority)p;
	return PRIORITY_NONE;
}

const char *ticket_state_name(enum ticket_state s)
{
	bug_on(s >= TICKET_STATE_COUNT);
	return states[s];
}

enum ticket_state ticket_state_parse(struct str s)
{
	for (int i = 0; i < TICKET_STATE_COUNT; i++)
		if (str_is(s, states[i]))
			return (enum ticket_state)i;
	return TICKET_STATE_COUNT;
}

const char *actor_kind_name(enum actor_kind k)
{
	bug_on(k >= ACTOR_KIND_COUNT);
	return actors[k];
}

enum actor_kind actor_kind_parse(struct str s)
{
	for (int i = 0; i < ACTOR_KIND_COUNT; i++)
		if (str_is(s, actors[i]))
			return (enum actor_kind)i;
	return ACTOR_KIND_COUNT;
}

bool ticket_field_is_internal(struct str name)
{
	static const char *const internal[] = { "tags", "tag", "parent_id", "excluded_windows",
		"exclusion_kind", "exclusion_state", "exclusion_proposer", "exclusion_approver" };

	for (size_t i = 0; i < ARRAY_LEN(internal); i++)
		if (str_is(name, internal[i]))
			return true;
	return false;
}
