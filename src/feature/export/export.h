/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability export. */
#ifndef SLADESK_FEATURE_EXPORT_H
#define SLADESK_FEATURE_EXPORT_H

#include "core/feature.h"

void export_check(struct req *req);
struct outcome *export_post(struct req *req) MUST_USE;
struct outcome *export_get(struct req *req) MUST_USE;
struct outcome *file_download(struct req *req) MUST_USE;
void exports_init(void);
void exports_free(void);
struct exports_health {
	uint64_t written, failed;
};
struct exports_health exports_health(void);

/* routes.c; ends with an empty row */
extern const struct route export_routes[];

extern const struct feature export_feature;

#endif
