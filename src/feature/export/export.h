/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability export. */
#ifndef SLADESK_FEATURE_EXPORT_H
#define SLADESK_FEATURE_EXPORT_H

#include "core/feature.h"

/* Check what the contract of POST /api/v1/client/export/data cannot say. */
void export_check(struct req *req);
/* Endpoint: POST /api/v1/client/export/data. */
struct outcome *export_post(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/client/export/data/{export_id}. */
struct outcome *export_get(struct req *req) MUST_USE;
/* Endpoint: GET /api/v1/client/files/download/{file_id}. */
struct outcome *file_download(struct req *req) MUST_USE;
/* Start writing exports. */
void exports_init(void);
/* Stop; an export that is being written is taken up by another instance. */
void exports_free(void);
struct exports_health {
	uint64_t written, failed;
};
/* Counts for /metrics. */
struct exports_health exports_health(void);

/* routes.c; ends with an empty row */
extern const struct route export_routes[];

extern const struct feature export_feature;

#endif
