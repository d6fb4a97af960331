/* SPDX-License-Identifier: Apache-2.0
 * sladesk policy and sladesk calendar: the documents that the desk works by. */
#ifndef SLADESK_FEATURE_POLICY_CMD_DOCUMENT_H
#define SLADESK_FEATURE_POLICY_CMD_DOCUMENT_H

/* sladesk policy. Returns the exit status. */
int cmd_policy(int argc, char **argv);
/* sladesk calendar. Returns the exit status. */
int cmd_calendar(int argc, char **argv);

#endif
