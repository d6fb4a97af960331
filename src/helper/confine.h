/* SPDX-License-Identifier: Apache-2.0
 * The system calls of a helper. Everything that is not on the list of its kind ends the process
 * (SIGSYS), except for calls that libraries make on their own and whose refusal they handle. */
#ifndef SLADESK_HELPER_CONFINE_H
#define SLADESK_HELPER_CONFINE_H

enum confine_kind {
	CONFINE_PURE,   /* memory, time, random numbers, and the descriptors that are open */
	CONFINE_FILES,  /* also appending to files, each opened by its name */
	CONFINE_NETWORK /* also clients' sockets, the threads of the resolver, and reading files */
};

/* Load the filter of KIND for all threads of the process; it holds until the process ends. What
 * libraries read once must have been read. Exits if the kernel refuses the filter. */
void confine_calls(enum confine_kind kind);

#endif
