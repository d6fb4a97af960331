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
/* Write no further part of the current export; another instance takes it over. */
void exports_stop(void);
/* Release the buffers. */
void exports_free(void);
/* export_job.c; ends with an empty row */
extern const struct job export_jobs[];
struct exports_health {
	uint64_t written, failed;
};
/* Counts for /metrics. */
struct exports_health exports_health(void);

/* routes.c; ends with an empty row */
extern const struct route export_routes[];

extern const struct feature export_feature;

#endif
