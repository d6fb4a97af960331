/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability ticket. */
#ifndef SLADESK_FEATURE_TICKET_H
#define SLADESK_FEATURE_TICKET_H

#include "core/feature.h"

/* tickets.c */
void ticket_create_check(struct req *req);
struct outcome *ticket_create(struct req *req) MUST_USE;
/* route->argument is the command */
void ticket_act_check(struct req *req);
struct outcome *ticket_act(struct req *req) MUST_USE;
struct outcome *ticket_explain(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route ticket_routes[];

extern const struct feature ticket_feature;

#endif
