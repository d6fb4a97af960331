/* SPDX-License-Identifier: Apache-2.0
 * sladesk report. */
#ifndef SLADESK_FEATURE_IDENTITY_CMD_REPORT_H
#define SLADESK_FEATURE_IDENTITY_CMD_REPORT_H

/* sladesk report. Returns the exit status. */
int cmd_report(int argc, char **argv);

#endif
