/* SPDX-License-Identifier: Apache-2.0
 * Asking a system that leads something of ours. */
#ifndef SLADESK_FEATURE_INTEGRATION_HTTP_H
#define SLADESK_FEATURE_INTEGRATION_HTTP_H

#include "fetch/fetch.h"

/* GET URL with the bearer token in TOKEN_FILE (none when it cannot be read), by the settings of
 * [integration]; ON_DONE gets the answer, of at most 256 KiB. */
void integration_http_get(const char *url, const char *token_file, fetch_done *on_done);

#endif
