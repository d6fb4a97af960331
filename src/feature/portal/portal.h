/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability portal. */
#ifndef SLADESK_FEATURE_PORTAL_H
#define SLADESK_FEATURE_PORTAL_H

#include "core/feature.h"

/* Endpoint: GET /api/v1/client/theme/{tenant_id}. */
struct outcome *theme_get(struct req *req) MUST_USE;
/* Forget the cached themes. */
void themes_free(void);
/* Endpoint: PUT /api/v1/client/theme. */
struct outcome *theme_put(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/client/theme/{tenant_id}/logo. */
struct outcome *logo_get(struct req *req) MUST_USE;
/* Endpoint: PUT /api/v1/client/theme/logo. */
struct outcome *logo_put(struct req *req) MUST_USE;
/* Endpoint: DELETE /api/v1/client/theme/logo. */
struct outcome *logo_delete(struct req *req) MUST_USE;
/* Endpoint: PUT /api/v1/client/preferences. */
struct outcome *preferences_put(struct req *req) MUST_USE;
/* Check what the contract of POST /api/v1/client/dashboard/config cannot say. */
void dashboard_check(struct req *req);
/* Endpoint: POST /api/v1/client/dashboard/config. */
struct outcome *dashboard_new(struct req *req) MUST_USE;
/* Endpoint: PUT /api/v1/client/dashboard/config/{config_id}. */
struct outcome *dashboard_set(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route portal_routes[];

extern const struct feature portal_feature;

#endif
