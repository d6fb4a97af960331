/* SPDX-License-Identifier: Apache-2.0
 * Time codes and recovery codes, for those who check them. */
#ifndef SLADESK_FEATURE_IDENTITY_FACTOR_ENROL_H
#define SLADESK_FEATURE_IDENTITY_FACTOR_ENROL_H

#include "base/base.h"

/* The time step (RFC 6238, 30 s) in which SECRET (sealed) makes CODE, now or a step beside; 0: in
 * none. */
int64_t totp_step(struct str sealed_secret, const char *code, int64_t now_s);
/* The SHA-256 of a recovery or mailed code as people type it: without blanks and dashes, in lower
 * case; hex. */
void recovery_digest(const char *code, char out[65]);

#endif
