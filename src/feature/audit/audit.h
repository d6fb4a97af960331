/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability audit. */
#ifndef SLADESK_FEATURE_AUDIT_H
#define SLADESK_FEATURE_AUDIT_H

#include "core/feature.h"

/* Endpoint: GET /api/v1/audit/export. */
struct outcome *audit_export(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route audit_routes[];

extern const struct feature audit_feature;

#endif
