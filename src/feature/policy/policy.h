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

/* verify.c: the nightly check of all clocks */
struct sla_verify_health {
	uint64_t tickets;   /* compared by this process */
	int64_t longest_us; /* the longest turn that this took */
	int64_t differing; /* tickets that differed when they were checked last, of all instances */
	int64_t checked_at; /* since then every customer's clocks have been checked; 0: never */
};
/* Counts for /metrics. */
struct sla_verify_health sla_verify_health(void);
/* Row for the job runner: how often it is asked whether a check is due; 0: never. */
int64_t sla_verify_every(void);
/* The same: check a page. */
void sla_verify_run(struct job_run *run);
/* The same: look how the check stands. */
void sla_verify_look(struct job_run *run);
/* Free the page and the ticket that were being checked. */
void sla_verify_free(void);

/* routes.c; ends with an empty row */
extern const struct route policy_routes[];

extern const struct feature policy_feature;

#endif
