/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability export. */
#include "export.h"

static double read_exports_written_total(void)
{
	return (double)exports_health().written;
}

static double read_exports_failed_total(void)
{
	return (double)exports_health().failed;
}

static const struct metric metrics[] = {
	{ "exports_written_total", METRIC_COUNTER, "Exports written.", read_exports_written_total },
	{ "exports_failed_total", METRIC_COUNTER, "Exports that failed.",
		read_exports_failed_total },
	{ 0 },
};

const struct feature export_feature = {
	.name = "export",
	.routes = export_routes,
	.stop = exports_stop,
	.free = exports_free,
	.jobs = export_jobs,
	.metrics = metrics,
};
