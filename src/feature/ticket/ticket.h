/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability ticket. */
#ifndef SLADESK_FEATURE_TICKET_H
#define SLADESK_FEATURE_TICKET_H

#include "core/feature.h"

/* Check what the contract of POST /api/v1/client/tickets cannot say. */
void ticket_create_check(struct req *req);
/* Endpoint: POST /api/v1/client/tickets. */
struct outcome *ticket_create(struct req *req) MUST_USE;
/* route->argument is the command */
void ticket_act_check(struct req *req);
/* Endpoint of every command on a ticket; route->argument is the command. */
struct outcome *ticket_act(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/tickets/{id}/sla. */
struct outcome *ticket_explain(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route ticket_routes[];

extern const struct feature ticket_feature;

#endif
