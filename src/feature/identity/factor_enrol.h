/* SPDX-License-Identifier: Apache-2.0
 * Recovery codes, for the code that checks them. */
#ifndef SLADESK_FEATURE_IDENTITY_FACTOR_ENROL_H
#define SLADESK_FEATURE_IDENTITY_FACTOR_ENROL_H

#include "base/base.h"

/* The digest, in hex, of a recovery or sent code of a tenant's user, as users type it: blanks and
 * dashes are removed, letters lower-cased. It is keyed: recovery.c. */
void recovery_digest(int64_t tenant_id, const char *code, char out[65]);

#endif
