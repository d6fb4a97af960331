/* SPDX-License-Identifier: Apache-2.0
 * Requests to a source system. */
#ifndef SLADESK_FEATURE_INTEGRATION_HTTP_H
#define SLADESK_FEATURE_INTEGRATION_HTTP_H

#include "fetch/fetch.h"

/* GET URL with the bearer token in TOKEN_FILE (none if it cannot be read), as the settings of
 * [integration] say. ON_DONE gets the response, at most 256 KiB. */
void integration_http_get(const char *url, const char *token_file, fetch_done *on_done, void *arg);

#endif
