/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability policy. */
#ifndef SLADESK_FEATURE_POLICY_H
#define SLADESK_FEATURE_POLICY_H

#include "core/feature.h"
#include "core/request.h"
#include "sla/shape.h"

/* forms.c: what documents look like */
/* Note what is wrong with a document. */
void document_note(struct req *req, const struct shape_fault *fault);
/* Is DOC small enough that every instance can read it from the database? Otherwise it is noted as
 * invalid. */
bool document_is_small(struct req *req, struct json_object *doc);
/* Endpoint: GET /api/v1/sla/format. */
struct outcome *policy_format(struct req *req) MUST_USE;

/* policies.c: policies and calendars */
/* The checks use the same code that later applies the documents. */
void policy_check(struct req *req);
/* Check what the contract of POST /api/v1/sla/policies/preview cannot say. */
void policy_preview_check(struct req *req);
/* Check what the contract of PUT /api/v1/sla/calendars/{code} cannot say. */
void calendar_check(struct req *req);
/* Endpoint: PUT /api/v1/sla/policies/{code}. */
struct outcome *policy_put(struct req *req) MUST_USE;
/* Endpoint: PUT /api/v1/sla/config/{tenant_id}. */
struct outcome *policy_choose(struct req *req) MUST_USE;
/* Endpoint: POST /api/v1/sla/policies/preview. */
struct outcome *policy_preview(struct req *req) MUST_USE;
/* Endpoint: PUT /api/v1/sla/calendars/{code}. */
struct outcome *calendar_put(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route policy_routes[];

extern const struct feature policy_feature;

#endif
