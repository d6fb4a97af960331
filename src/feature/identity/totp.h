/* SPDX-License-Identifier: Apache-2.0
 * Time codes of authenticator apps, for the code that checks them. */
#ifndef SLADESK_FEATURE_IDENTITY_TOTP_H
#define SLADESK_FEATURE_IDENTITY_TOTP_H

#include "db/db.h"

#define TOTP_SECRET_BYTES 20

/* The time step (RFC 6238, 30 s) in which the encrypted secret in a cell gives CODE, which may
 * contain blanks: the present one or a neighbour; 0 if none does. */
int64_t totp_step(const PGresult *rows, int row, int col, const char *code, int64_t now_s);

#endif
