/* SPDX-License-Identifier: Apache-2.0
 * The key that signs access tokens, while the daemon runs. */
#ifndef SLADESK_APP_SIGNING_KEY_H
#define SLADESK_APP_SIGNING_KEY_H

/* Read the file of keys if it has changed, and have a helper replace it if a new key is due. */
void signing_key_tick(void);

#endif
