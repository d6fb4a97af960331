/* SPDX-License-Identifier: Apache-2.0
 * Checks instants from outside: one range for all of them, and one rule for each command that uses
 * one. API, synchronisation and import share these checks. Pure. */
#ifndef SLADESK_TICKET_INSTANTS_H
#define SLADESK_TICKET_INSTANTS_H

#include "base/clock.h"
#include "ticket/ticket.h"

/* How far another clock may be ahead of ours: an instant within this tolerance counts as now. */
#define INSTANT_SKEW_US (30 * US_PER_S)

/* The rule that an instant breaks, with the field that has it. */
struct instant_fault {
	const char *field, *en, *zh;
};

/* The instants that a command names; INSTANT_NONE: not named. */
struct asked_instants {
	int64_t contact_at, wake_at, from, to;
};

/* Check the instants that CMD names for a ticket opened at OPENED. An instant that is out of range
 * by less than the tolerance is set to the end of the range. Returns false and the fault if a rule
 * is broken. */
bool instants_allowed(enum ticket_command cmd, int64_t opened, int64_t now,
	struct asked_instants *asked, struct instant_fault *out);
/* Is *AT between OPENED and NOW, as an instant of the ticket's past must be? If it is outside by
 * less than the tolerance, it is set to OPENED or NOW. */
bool instant_in_life(int64_t *at, int64_t opened, int64_t now);

#endif
