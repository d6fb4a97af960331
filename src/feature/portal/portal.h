/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability portal. */
#ifndef SLADESK_FEATURE_PORTAL_H
#define SLADESK_FEATURE_PORTAL_H

#include "core/feature.h"

struct outcome *theme_get(struct req *req) MUST_USE;
void themes_free(void);
struct outcome *theme_put(struct req *req) MUST_USE;
struct outcome *logo_get(struct req *req) MUST_USE;
struct outcome *logo_put(struct req *req) MUST_USE;
struct outcome *logo_delete(struct req *req) MUST_USE;
struct outcome *preferences_put(struct req *req) MUST_USE;
void dashboard_check(struct req *req);
struct outcome *dashboard_new(struct req *req) MUST_USE;
struct outcome *dashboard_set(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route portal_routes[];

extern const struct feature portal_feature;

#endif
