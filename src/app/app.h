/* SPDX-License-Identifier: Apache-2.0
 * What the files of src/app share. */
#ifndef SLADESK_APP_APP_H
#define SLADESK_APP_APP_H

#include "core/feature.h"

/* routes.c: every route there is, by path; until app_routes_free. */
const struct route *app_routes(size_t *out_n);
void app_routes_free(void);
/* features.c: the list, which ends with NULL. */
extern const struct feature *const app_features[];
/* Start all, in order. */
void features_init(void);
/* Begin the end: nothing new is started; backwards. */
void features_stop(void);
/* Is any of them still at work, or has something that is not stored? */
bool features_busy(void);
/* Release all, backwards; the database is closed. */
void features_free(void);
/* The settings were read again. */
void features_reload(void);

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
