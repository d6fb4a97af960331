/* SPDX-License-Identifier: Apache-2.0
 * Determines a priority if nobody chose one, from keywords, the chosen impact and factors, and the
 * tenant's history. Pure; the word lists are data. */
#ifndef SLADESK_TICKET_PRIORITY_H
#define SLADESK_TICKET_PRIORITY_H

#include "ticket/names.h"

/* What a keyword in a clause means for the priority. */
enum keyword_kind {
	KEYWORD_SIGN, /* the clause says something of this priority */
	KEYWORD_CAP,  /* the clause's signs count as this priority at most: a question, a drill, the
			 past, a part of the users */
	KEYWORD_OVER, /* all signs up to here count as this priority at most: it has recovered */
	KEYWORD_NOT   /* a negation: the words shortly after it count for nothing */
};
/* The kind by its name in the table of keywords. */
bool keyword_kind_parse(struct str s, enum keyword_kind *out) MUST_USE;

/* A keyword consists of parts: `a|b+c|d!e|f` matches a clause with one of a, b and one of c, d in
 * any order and neither e nor f. The words are in lower case, Chinese or English. A negation has
 * alternatives only. */
struct keyword {
	const char *text;
	enum keyword_kind kind;
	enum priority priority; /* not used by KEYWORD_NOT */
};

struct priority_facts {
	struct str title, description;
	const char *impact_scope; /* all_users, most_users, some_users, few_users, none; NULL when
				     not chosen */
	uint32_t factors;         /* bit per enum factor */
	enum priority usual;    /* the usual priority of this tenant's tickets of this service type;
				   PRIORITY_NONE if unknown */
	enum priority incident; /* what the catalogue says of the chosen incident type;
				   PRIORITY_NONE: none was chosen */
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
	const char *source; /* keyword, impact, factors, incident_type, history,
			       default */
	char keyword[120];  /* the words that matched, if source is keyword; else empty */
};

/* Determine the priority (doc/tickets.md): the most urgent one indicated by keywords, impact,
 * factors and incident type; if there is none, the usual one, else P3. Keywords are looked up
 * clause by clause in the first 4 KiB of title and description. */
struct priority_decision priority_decide(const struct priority_facts *facts);

#endif
