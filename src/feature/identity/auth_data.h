/* SPDX-License-Identifier: Apache-2.0
 * The authenticator data of a passkey (WebAuthn Level 2, 6.1), read to its last byte. */
#ifndef SLADESK_FEATURE_IDENTITY_AUTH_DATA_H
#define SLADESK_FEATURE_IDENTITY_AUTH_DATA_H

#include "base/base.h"

#define AUTH_DATA_MIN 37 /* digest of the relying party, flags, counter */
#define FLAG_PRESENT 0x01
#define FLAG_VERIFIED 0x04
#define FLAG_BACKUP_ELIGIBLE 0x08
#define FLAG_BACKED_UP 0x10
#define FLAG_ATTESTED 0x40
#define FLAG_EXTENSIONS 0x80

#define CREDENTIAL_ID_MIN 16
#define CREDENTIAL_ID_MAX 1023
#define CREDENTIAL_KEY 91 /* bytes of an ES256 key as SubjectPublicKeyInfo */

struct bytes {
	unsigned char *p;
	size_t n;
};

/* The credential that an authenticator has made. */
struct new_credential {
	struct bytes id;                   /* within the data it was read from */
	unsigned char key[CREDENTIAL_KEY]; /* its public key, as SubjectPublicKeyInfo */
};

/* Does DATA, of a login, consist of the head alone, or of the head and a map of extensions if the
 * flags say so? Nothing that the signature covers is left unread. */
bool auth_data_is_login(struct bytes data);
/* Read DATA of a registration: head, credential, and extensions if the flags say so, with nothing
 * behind. The key must be ES256, in the one spelling that authenticators have for it. False if
 * anything differs. Whether the point is on the curve is for the caller to find out. */
bool auth_data_read(struct bytes data, struct new_credential *out);

#endif
