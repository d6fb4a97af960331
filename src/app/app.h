/* SPDX-License-Identifier: Apache-2.0
 * What the files of src/app share. */
#ifndef SLADESK_APP_APP_H
#define SLADESK_APP_APP_H

#include "core/feature.h"
#include "http/server.h"
#include "work/work.h"

/* routes.c: all routes, sorted by path; valid until app_routes_free. */
const struct route *app_routes(size_t *out_n);
/* Release the table. */
void app_routes_free(void);
/* Print doc/api/routes.txt to standard output. */
void app_routes_print(void);
/* Print doc/api/openapi.json to standard output. */
void openapi_print(void);
/* features.c: the list of capabilities, which ends with NULL. */
extern const struct feature *const app_features[];
/* Start all capabilities, in order. */
void features_init(void);
/* Add to FAULTS what features_init would refuse of the settings. */
void features_check(struct buf *faults);
/* Begin the shutdown, in reverse order: nothing new is started. */
void features_stop(void);
/* Is any capability still working, or does it hold something that is not stored? */
bool features_busy(void);
/* Free all capabilities, in reverse order, after the database has been closed. */
void features_free(void);
/* The settings have been read again. */
void features_reload(void);

/* health.c */
struct outcome *healthz(struct req *req) MUST_USE;
/* GET /readyz. */
struct outcome *readyz(struct req *req) MUST_USE;
/* health_parts.c */
struct outcome *integration_health(struct req *req) MUST_USE;
/* GET /metrics. */
struct outcome *metrics_page(struct req *req) MUST_USE;
/* GET /openapi.json. */
struct outcome *openapi(struct req *req) MUST_USE;
/* Write openapi.json from the routes and their contracts. Call once, after request_init. */
void openapi_build(void);
/* Release the document. */
void openapi_free(void);

/* check.c: add a line to FAULTS for everything in the settings with which the daemon cannot run.
 * WHOLE (--check): also what is found at the start when keys are opened and helpers run. */
void settings_check(bool whole, struct buf *faults);
/* The settings of the server without its listener, and of the helpers. */
struct http_settings settings_http(void);
/* The settings of the helper processes. */
struct work_settings settings_helpers(void);
/* listen.c: NULL if the text of http.listen is an address and a port, or why not. */
const char *listen_fault(const char *text);
/* A socket that listens at TEXT. Exits if that is impossible. */
int listen_on(const char *text) MUST_USE;

/* main.c */
bool app_draining(void);
/* The schema of the database has been checked and fits this program. */
bool app_schema_fits(void);
/* GET /api/v1/status. */
struct outcome *service_status(struct req *req) MUST_USE;

#endif
