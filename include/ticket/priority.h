/* SPDX-License-Identifier: Apache-2.0
 * Determines a priority if nobody chose one, from keywords, the chosen impact and factors, and the
 * tenant's history. Pure; the word lists are data. */
#ifndef SLADESK_TICKET_PRIORITY_H
#define SLADESK_TICKET_PRIORITY_H

#include "ticket/names.h"

struct keyword {
	const char *text; /* lower case, zh or en */
	enum priority priority;
};

struct priority_facts {
	struct str title, description;
	const char *impact_scope; /* all_users, most_users, some_users, few_users, none; NULL when
				     not chosen */
	uint32_t factors;         /* bit per enum factor */
	enum priority usual; /* the usual priority of this tenant's tickets of this service type;
				PRIORITY_NONE if unknown */
	const struct keyword *keywords;
	size_t keyword_count;
};

/* The six factors of the service desk's rules. */
enum factor {
	FACTOR_CONTINUITY,
	FACTOR_USERS,
	FACTOR_DATA_INTEGRITY,
	FACTOR_FINANCE,
	FACTOR_COMPLIANCE,
	FACTOR_TIME,
	FACTOR_COUNT
};
/* The factor's name in the API. */
const char *factor_name(enum factor f);

struct priority_decision {
	enum priority priority;
	const char *source;  /* keyword, impact, factors, history, default */
	const char *keyword; /* the keyword, if source is keyword */
};

/* Determine the priority (doc/tickets.md): the most urgent one indicated by keywords, impact and
 * factors; if there is none, the usual one, else P3. */
struct priority_decision priority_decide(const struct priority_facts *facts);

#endif
