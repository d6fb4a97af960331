/* SPDX-License-Identifier: Apache-2.0
 * What the daemon does to its own process at the start. */
#ifndef SLADESK_APP_PROCESS_H
#define SLADESK_APP_PROCESS_H

/* Become the user NAME, with its groups. Exits if that fails. */
void process_become(const char *name);
/* Write the process id to daemon.pid_file, if it is set. Exits if that fails. */
void process_write_pid(void);
/* No core dump, and no other process of our user, may show the keys in our memory. */
void process_hide_memory(void);
/* Raise the limit of open descriptors to what is allowed. */
void process_raise_descriptors(void);

#endif
