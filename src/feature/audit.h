/* SPDX-License-Identifier: Apache-2.0
 * The audit log: what people did, kept in a chain per tenant. */
#ifndef SLADESK_FEATURE_AUDIT_H
#define SLADESK_FEATURE_AUDIT_H

#include "core/request.h"

/* Note that somebody without a session tried OPERATION (a login) in TENANT_ID; 0: no such tenant,
 * which has no log. */
void audit_note(struct req *req, int64_t tenant_id, bool staff, int64_t actor_id,
	const char *username, const char *operation, const char *result, int status);

#endif
