/* SPDX-License-Identifier: Apache-2.0
 * What an identity provider signed: read in a helper, because the document is a stranger's. */
#ifndef SLADESK_HELPER_SAML_H
#define SLADESK_HELPER_SAML_H

#include "base/base.h"

/* Load what the XML libraries need; before the process is confined. */
void saml_init(void);
/* JOB: the identity provider's certificate (PEM), NUL, our private key (PEM), NUL, an XML document:
 * a Response or a LogoutRequest. Append what its signed part says, as JSON:
 * {"ok":true,…} or {"ok":false,"why":…}. Nothing is read that no signature covers. */
void saml_verify(const char *job, size_t n, struct buf *out);

#endif
