/* SPDX-License-Identifier: Apache-2.0
 * Endpoints of the texts: /api/v1/texts/{template}/{lang}. */
#ifndef SLADESK_FEATURE_NOTIFY_TEXTS_H
#define SLADESK_FEATURE_NOTIFY_TEXTS_H

#include "core/request.h"

/* Endpoint: GET. */
struct outcome *text_get(struct req *req) MUST_USE;
/* Check what the contract of PUT cannot say. */
void text_put_check(struct req *req);
/* Endpoint: PUT. */
struct outcome *text_put(struct req *req) MUST_USE;
/* Endpoint: DELETE. */
struct outcome *text_reset(struct req *req) MUST_USE;
/* Endpoint: POST …/preview. */
struct outcome *text_preview(struct req *req) MUST_USE;

#endif
