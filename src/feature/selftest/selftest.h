/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability selftest. */
#ifndef SLADESK_FEATURE_SELFTEST_H
#define SLADESK_FEATURE_SELFTEST_H

#include "core/feature.h"

extern const struct ws_handler echo_handler;
/* Endpoint: GET /test/echo. */
struct outcome *echo_open(struct req *req) MUST_USE;
/* Count the bytes of a streamed body. */
void sink_piece(struct req *req, const char *p, size_t n);
/* Endpoint: POST /test/sink. */
struct outcome *sink_done(struct req *req) MUST_USE;
/* Endpoint: GET /test/flood. */
struct outcome *flood(struct req *req) MUST_USE;
/* Endpoint: GET /test/probe. */
struct outcome *probe_worker(struct req *req) MUST_USE;

/* routes.c; ends with an empty row */
extern const struct route selftest_routes[];

/* heartbeat.c; each ends with an empty row */
extern const struct job heartbeat_jobs[];
extern const struct metric heartbeat_metrics[];

extern const struct feature selftest_feature;

#endif
