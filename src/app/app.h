/* SPDX-License-Identifier: Apache-2.0
 * What the files of src/app share. */
#ifndef SLADESK_APP_H
#define SLADESK_APP_H

#include "core/request.h"

/* routes.c: every route there is, by path; until app_routes_free. */
const struct route *app_routes(size_t *out_n);
void app_routes_free(void);

/* health.c */
struct outcome *healthz(struct req *req) MUST_USE;
struct outcome *readyz(struct req *req) MUST_USE;
/* health_parts.c */
struct outcome *integration_health(struct req *req) MUST_USE;
struct outcome *metrics_page(struct req *req) MUST_USE;
struct outcome *openapi(struct req *req) MUST_USE;
void openapi_build(void);
void openapi_free(void);

/* main.c */
bool app_draining(void);
/* The database's schema was seen to fit this program. */
bool app_schema_fits(void);
struct outcome *service_status(struct req *req) MUST_USE;

#endif
