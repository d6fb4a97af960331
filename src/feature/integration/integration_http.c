/* SPDX-License-Identifier: Apache-2.0 */
#include "integration_http.h"
#include "config/options.h"
#include "integration.h"
#include "crypto/secretfile.h"

#include <stdlib.h>

#define ANSWER_MAX (256 * 1024)
#define TIMEOUT_MS 30000

void integration_http_get(const char *url, const char *token_file, fetch_done *on_done, void *arg)
{
	char *token = secretfile_line(token_file),
	     *header = xasprintf("Authorization: Bearer %s", token ? token : "");

	fetch_http(&(struct fetch_http){ .url = url,
			   .get = true,
			   .headers = (const char *const[]){ "Accept: application/json",
				   token ? header : NULL, NULL },
			   .allow_private = options.integration_allow_private,
			   .answer_max = ANSWER_MAX,
			   .timeout_ms = TIMEOUT_MS },
		on_done, arg);
	free(token);
	free(header);
}
