/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SLADESK_FEATURE_NOTIFY_CMD_TEXT_H
#define SLADESK_FEATURE_NOTIFY_CMD_TEXT_H

/* sladesk text. Returns the exit status. */
int cmd_text(int argc, char **argv);

#endif
