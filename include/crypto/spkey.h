/* SPDX-License-Identifier: Apache-2.0
 * Our own key as a SAML service provider: RSA 2048 with a certificate of its own, in one PEM file.
 */
#ifndef SLADESK_CRYPTO_SPKEY_H
#define SLADESK_CRYPTO_SPKEY_H

#include "base/base.h"

/* Read FILE, made first when it is not there (for its folder's owner). False when it cannot be
 * made, or holds no RSA key of 2048 to 8192 bits with its certificate. */
bool spkey_open(const char *file, const char *name);
/* RSA-SHA256 over the N bytes P, base64 at the end of B. */
void spkey_sign(struct buf *b, const void *p, size_t n);
/* The certificate's base64, without header lines. */
void spkey_certificate(struct buf *b);
/* The private key, PEM: for a helper that must open what is encrypted for us. Lives until
 * spkey_free. */
const char *spkey_pem(void);
/* PEM of a certificate that came as PEM or as bare base64; NULL when it is none. The caller frees.
 */
char *certificate_to_pem(const char *text) MUST_USE;
/* Wipe and release the key. */
void spkey_free(void);

#endif
