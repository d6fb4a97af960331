/* SPDX-License-Identifier: Apache-2.0
 * Instants from outside. One range for all of them, and one rule for each command that reckons with
 * one: API, synchronisation and import ask here. Pure. */
#ifndef SLADESK_TICKET_INSTANTS_H
#define SLADESK_TICKET_INSTANTS_H

#include "base/clock.h"
#include "ticket/ticket.h"

/* How far another clock may be ahead of ours. What is not later than that counts as now. */
#define INSTANT_SKEW_US (30 * US_PER_S)

/* The rule that an instant breaks, with the field that has it. */
struct instant_fault {
	const char *field, *en, *zh;
};

/* The instants that a command asks for; INSTANT_NONE: not this one. */
struct asked_instants {
	int64_t contact_at, wake_at, from, to;
};

/* Check what CMD asks for against a ticket that was opened at OPENED, and set what is within the
 * tolerance to what it means. Returns false and the fault if a rule is broken. */
bool instants_allowed(enum ticket_command cmd, int64_t opened, int64_t now,
	struct asked_instants *asked, struct instant_fault *out);
/* Is AT neither before OPENED nor in the future, as an instant of the past must be? Sets *AT to
 * OPENED or NOW if it is beyond them within the tolerance. */
bool instant_in_life(int64_t *at, int64_t opened, int64_t now);

#endif
