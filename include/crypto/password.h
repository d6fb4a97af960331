/* SPDX-License-Identifier: Apache-2.0
 * What a password must be. */
#ifndef SLADESK_CRYPTO_PASSWORD_H
#define SLADESK_CRYPTO_PASSWORD_H

#include "base/base.h"

/* NULL when PASSWORD may be USERNAME's: 8 to 200 bytes, an upper and a lower case letter, a digit
 * and another character, and under its digits and signs neither a common password nor the name.
 * Otherwise the rule that it breaks, in one language. */
const char *password_rule_broken(const char *password, const char *username, bool zh);

#endif
