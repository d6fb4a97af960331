/* SPDX-License-Identifier: Apache-2.0
 * Hot restart without systemd: the new process asks over a unix socket and gets the listening
 * descriptor (SCM_RIGHTS); the old process drains. */
#ifndef SLADESK_APP_TAKEOVER_H
#define SLADESK_APP_TAKEOVER_H

/* Ask the process that serves PATH for its listening descriptor. Returns -1 if there is none.
 * Blocks for at most 5 s, before the loop runs. */
int takeover_receive(const char *path);
/* Serve PATH (empty: do nothing): give LISTEN_FD to the process that asks, then call DRAIN. */
void takeover_serve(const char *path, int listen_fd, void (*drain)(void));
/* Stop serving the control socket. */
void takeover_stop(void);

#endif
