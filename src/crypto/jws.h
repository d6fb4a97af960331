/* SPDX-License-Identifier: Apache-2.0
 * What our own tokens and those of other issuers share. */
#ifndef SLADESK_CRYPTO_JWS_H
#define SLADESK_CRYPTO_JWS_H

#include "base/base.h"

/* Is the header of TOKEN (compact form) a JSON object that names each member once and has no crit?
 * crit lists extensions without which a token must not be accepted (RFC 7515, 4.1.11). We
 * understand none, the library ignores it, and it must not be empty, so nobody may send one. */
bool jws_header_is_plain(struct str token);

#endif
