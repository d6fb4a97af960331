/* SPDX-License-Identifier: Apache-2.0
 * sladesk key. */
#ifndef SLADESK_FEATURE_IDENTITY_CMD_KEY_H
#define SLADESK_FEATURE_IDENTITY_CMD_KEY_H

/* Returns the exit status. */
int cmd_key(int argc, char **argv);

#endif
