/* SPDX-License-Identifier: Apache-2.0
 * Reads what an identity provider has signed. Runs in a helper, because the document comes from
 * outside. */
#ifndef SLADESK_HELPER_SAML_H
#define SLADESK_HELPER_SAML_H

#include "base/base.h"

/* Load what the XML libraries need, before the process is confined. */
void saml_init(void);
/* JOB: the identity provider's certificate (PEM), NUL, our private key (PEM), NUL, an XML document:
 * a Response or a LogoutRequest. Append the contents of its signed part as JSON: {"ok":true,…} or
 * {"ok":false,"why":…}. Nothing is read that a signature does not cover. */
void saml_verify(const char *job, size_t n, struct buf *out);

#endif
