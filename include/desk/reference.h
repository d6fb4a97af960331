/* SPDX-License-Identifier: Apache-2.0
 * The rules for what a command on a ticket may refer to. reference_fault() in SQL decides, and
 * names the rule; this is what each of them is called towards people. */
#ifndef SLADESK_DESK_REFERENCE_H
#define SLADESK_DESK_REFERENCE_H

#include "base/base.h"

enum reference_refusal {
	REFERENCE_INVALID, /* it can never be used so */
	REFERENCE_ABSENT,  /* there is no such thing for this customer */
	REFERENCE_STATE,   /* not as things are now */
};

struct reference_rule {
	const char *name; /* as reference_fault() returns it */
	const char *field, *en, *zh;
	enum reference_refusal refusal;
};

/* The rule with this name, or NULL. It lives as long as the process. */
const struct reference_rule *reference_rule(const char *name);

#endif
