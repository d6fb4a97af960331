/* SPDX-License-Identifier: Apache-2.0
 * The rules for passwords. */
#ifndef SLADESK_CRYPTO_PASSWORD_H
#define SLADESK_CRYPTO_PASSWORD_H

#include "base/base.h"

#define PASSWORD_BYTES 800 /* 200 characters of four bytes */

/* Returns NULL if USERNAME may use PASSWORD. In its composed form (NFC), it must have 8 to 200
 * characters, with an upper-case letter, a lower-case letter, a digit and another character.
 * Without its digits and symbols, it must not be a common password or contain the name. Otherwise
 * returns the broken rule in the requested language. */
const char *password_rule_broken(const char *password, const char *username, bool zh);

#endif
