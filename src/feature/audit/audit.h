/* SPDX-License-Identifier: Apache-2.0
 * The face of capability audit. */
#ifndef SLADESK_FEATURE_AUDIT_H
#define SLADESK_FEATURE_AUDIT_H

#include "core/request.h"

/* audit.c: who did what. */
struct audit_health {
	size_t waiting;
	uint64_t stored, refused; /* refused by the database: in the log only */
};
void audit_init(void);
void audit_free(void);
/* Store what has gathered, now. */
void audit_flush(void);
struct audit_health audit_health(void);
struct outcome *audit_export(struct req *req) MUST_USE;

/* routes.c */
extern const struct route audit_routes[];
extern const size_t audit_route_count;

#endif
