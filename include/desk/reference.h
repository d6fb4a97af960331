/* SPDX-License-Identifier: Apache-2.0
 * The rules for what a command on a ticket may refer to. reference_fault() in SQL decides and names
 * the broken rule; this table has the texts that people see. */
#ifndef SLADESK_DESK_REFERENCE_H
#define SLADESK_DESK_REFERENCE_H

#include "base/base.h"

enum reference_refusal {
	REFERENCE_INVALID, /* it can never be used like this */
	REFERENCE_ABSENT,  /* this customer has no such thing */
	REFERENCE_STATE,   /* not in its present state */
};

struct reference_rule {
	const char *name; /* as reference_fault() returns it */
	const char *field, *en, *zh;
	enum reference_refusal refusal;
};

/* The rule with this name, or NULL. It lives as long as the process. */
const struct reference_rule *reference_rule(const char *name);

#endif
