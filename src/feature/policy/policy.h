/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability policy. */
#ifndef SLADESK_FEATURE_POLICY_H
#define SLADESK_FEATURE_POLICY_H

#include "core/feature.h"

/* policies.c: policies and calendars */
/* The checks use the same code that later applies the documents. */
void policy_check(struct req *req);
/* Check what the contract of POST /api/v1/sla/policies/preview cannot say. */
void policy_preview_check(struct req *req);
/* Check what the contract of PUT /api/v1/sla/calendars/{code} cannot say. */
void calendar_check(struct req *req);
/* Endpoint: PUT /api/v1/sla/policies/{code}. */
struct outcome *policy_put(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/sla/policies/preview. */
struct outcome *policy_preview(struct req *req) MUST_USE;
/* Endpoint: PUT /api/v1/sla/calendars/{code}. */
struct outcome *calendar_put(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route policy_routes[];

extern const struct feature policy_feature;

#endif
