/* SPDX-License-Identifier: Apache-2.0
 * Going through the values of all encrypted columns, on the command line. */
#ifndef SLADESK_SRC_CLI_RESEAL_H
#define SLADESK_SRC_CLI_RESEAL_H

#include "crypto/field.h"

#include <libpq-fe.h>

/* Encrypt every value that is not LIKE this anew, with the current key (KEY, for the message).
 * CLOSE: afterwards nothing of an earlier version is accepted. */
void reseal_columns(PGconn *pg, const char *like, bool close, int64_t key);
/* Print the place of every value that was not written there. Returns false if there is one. */
bool reseal_check(PGconn *pg);

#endif
