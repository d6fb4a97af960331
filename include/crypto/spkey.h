/* SPDX-License-Identifier: Apache-2.0
 * Our key as a SAML service provider: RSA 2048 with a self-signed certificate, in one PEM file. */
#ifndef SLADESK_CRYPTO_SPKEY_H
#define SLADESK_CRYPTO_SPKEY_H

#include "base/base.h"

/* Read FILE, or create it if it does not exist (owned by the owner of its directory). Returns
 * false if it cannot be created, or does not hold an RSA key of 2048 to 8192 bits with its
 * certificate. */
bool spkey_open(const char *file, const char *name);
/* Append the base64 of the RSA-SHA256 signature over the N bytes at P. */
void spkey_sign(struct buf *b, const void *p, size_t n);
/* Append the certificate in base64, without header lines. */
void spkey_certificate(struct buf *b);
/* The private key in PEM, for the helper that decrypts assertions. Valid until spkey_free. */
const char *spkey_pem(void);
/* Convert a certificate given as PEM or bare base64 to PEM. Returns NULL if it is not a
 * certificate. The caller frees. */
char *certificate_to_pem(const char *text) MUST_USE;
/* Wipe and release the key. */
void spkey_free(void);

#endif
