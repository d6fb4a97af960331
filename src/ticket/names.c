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

static size_t blanks(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return (size_t)(p - from);
}

/* What follows the name of a member at P up to END: a colon and a priority's code. Returns the
 * length of both; 0: it is something else. */
static size_t code_after(const char *p, const char *end, enum priority *out)
{
	const char *from = p;

	p += blanks(p, end);
	if (p == end || *p++ != ':')
		return 0;
	p += blanks(p, end);
	if (end - p < 4 || p[0] != '"' || p[1] != 'P' || p[2] < '0' ||
		p[2] >= '0' + PRIORITY_COUNT || p[3] != '"')
		return 0;
	*out = (enum priority)(p[2] - '0');
	return (size_t)(p + 4 - from);
}

/* Within a text of the document, a quotation mark has a backslash before it, so the name with its
 * marks is found only where it is a name. */
void priority_add_labelled(struct buf *b, struct str json, bool zh)
{
	static const char name[] = "\"priority\"";
	const size_t name_n = sizeof(name) - 1;
	const char *p = json.p, *end = json.n ? json.p + json.n : json.p, *at;

	while (p < end && (at = memmem(p, (size_t)(end - p), name, name_n))) {
		enum priority one = PRIORITY_NONE;
		const char *after = at + name_n;
		size_t n = at > json.p && at[-1] == '\\' ? 0 : code_after(after, end, &one);

		buf_add(b, p, (size_t)(after + n - p));
		if (n)
			buf_addf(b, ",\"priority_label\":\"%s\"", priority_label(one, zh));
		p = after + n;
	}
	if (p < end)
		buf_add(b, p, (size_t)(end - p));
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
