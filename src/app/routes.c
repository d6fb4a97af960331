/* SPDX-License-Identifier: Apache-2.0
 * The table of all endpoints, merged from those of the capabilities. doc/api/routes.txt, which the
 * security review reads, is generated from it. */
#include "app.h"
#include "flow_gen.h"

#include <stdlib.h>

static const struct route own_routes[] = {
	{ HTTP_GET, "/", PERM_ANYONE, .file = "index.html" },
	{ HTTP_GET, "/app.js", PERM_ANYONE, .file = "app.js" },
	{ HTTP_GET, "/account.js", PERM_ANYONE, .file = "account.js" },
	{ HTTP_GET, "/words.js", PERM_ANYONE, .file = "words.js" },
	{ HTTP_GET, "/numbers.js", PERM_ANYONE, .file = "numbers.js" },
	{ HTTP_GET, "/theme.js", PERM_ANYONE, .file = "theme.js" },
	{ HTTP_GET, "/export.js", PERM_ANYONE, .file = "export.js" },
	{ HTTP_GET, "/app.css", PERM_ANYONE, .file = "app.css" },
	{ HTTP_GET, "/favicon.svg", PERM_ANYONE, .file = "favicon.svg" },
	{ HTTP_GET, "/docs", PERM_ANYONE, .file = "docs.html" },
	{ HTTP_GET, "/docs.js", PERM_ANYONE, .file = "docs.js" },
	{ HTTP_GET, "/openapi.json", PERM_ANYONE, .flow = openapi,
		.contract = &contract_app_openapi },
	{ HTTP_GET, "/healthz", PERM_ANYONE, .flow = healthz, .contract = &contract_app_healthz },
	{ HTTP_GET, "/readyz", PERM_ANYONE, .flow = readyz, .contract = &contract_app_readyz },
	{ HTTP_GET, "/metrics", PERM_ANYONE, .flow = metrics_page,
		.contract = &contract_app_metrics },
	{ HTTP_GET, "/api/v1/status", PERM_ANYONE, .flow = service_status,
		.contract = &contract_app_status },
	{ HTTP_GET, "/api/v1/integration/health", PERM_SELF, .flow = integration_health,
		.contract = &contract_app_modules },
	{ 0 },
};

static struct route *all;
static size_t all_count;

static void add_routes(const struct route *table)
{
	for (; table && table->path; table++) {
		all = xrealloc(all, (all_count + 1) * sizeof(*all));
		all[all_count++] = *table;
	}
}

static int by_path(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : (int)x->method - (int)y->method;
}

const struct route *app_routes(size_t *out_n)
{
	if (!all) {
		add_routes(own_routes);
		for (const struct feature *const *f = app_features; *f; f++)
			add_routes((*f)->routes);
		qsort(all, all_count, sizeof(*all), by_path);
	}
	*out_n = all_count;
	return all;
}

void app_routes_free(void)
{
	free(all);
	all = NULL;
	all_count = 0;
}
