/* SPDX-License-Identifier: Apache-2.0
 * The file of signing keys: read at start and when it has changed, given a new key every
 * token.rotate_days. Instances share it. */
#ifndef SLADESK_CONFIG_KEYFILE_H
#define SLADESK_CONFIG_KEYFILE_H

#include <stdbool.h>

/* Read the keys, making the file when there is none; dies with a clear line when that fails. */
void keyfile_open(void);
/* Read it again if it has changed, and rotate if that is due. For the loop, once a minute: small
 * reads, and every rotate_days one fsync. What goes wrong is logged; the keys at hand stay. */
void keyfile_tick(void);
/* Put a new key into the file; AT_ONCE: instead of all others. False, with errno, when it cannot be
 * written; EBUSY while another process is at it. */
bool keyfile_rotate(bool at_once);

#endif
