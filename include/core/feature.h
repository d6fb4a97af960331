/* SPDX-License-Identifier: Apache-2.0
 * The one face of a capability. src/app/features.c lists them in the order of their start; stopping
 * runs the list backwards. */
#ifndef SLADESK_CORE_FEATURE_H
#define SLADESK_CORE_FEATURE_H

#include "core/events.h"
#include "core/job.h"
#include "core/metric.h"
#include "core/request.h"

enum check_state { CHECK_HEALTHY, CHECK_DEGRADED, CHECK_DOWN, CHECK_NOT_CONFIGURED };

/* The state of one part, as GET integration/health tells it. */
struct check {
	const char *name; /* NULL ends a table */
	bool vital;       /* the desk is down without it */
	/* Judge the part; may append JSON members (",\"name\":value…") to MORE. */
	enum check_state (*look)(struct buf *more);
};

/* Every member but the name may be missing. Tables end with an empty row. */
struct feature {
	const char *name;
	void (*init)(void);
	/* Draining has begun: start nothing more. Requests under way still come. */
	void (*stop)(void);
	/* Is something in flight, or not stored yet? Asked again and again while draining. */
	bool (*busy)(void);
	/* The database is closed: release everything. */
	void (*free)(void);
	/* The settings were read again (SIGHUP). */
	void (*reload)(void);
	const struct route *routes;
	const struct job *jobs;
	const struct consumer *consumers;
	const struct metric *metrics;
	const struct check *checks;
};

#endif
