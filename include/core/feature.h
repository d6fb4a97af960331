/* SPDX-License-Identifier: Apache-2.0
 * The interface of a capability. src/app/features.c lists all of them in the order in which they
 * start; they stop in reverse order. */
#ifndef SLADESK_CORE_FEATURE_H
#define SLADESK_CORE_FEATURE_H

#include "core/events.h"
#include "core/job.h"
#include "core/metric.h"
#include "core/request.h"

enum check_state { CHECK_HEALTHY, CHECK_DEGRADED, CHECK_DOWN, CHECK_NOT_CONFIGURED };

/* The state of one part, as reported by GET integration/health. */
struct check {
	const char *name; /* NULL ends a table */
	bool vital;       /* the service is down without it */
	/* Determine the state of the part. May append JSON members (",\"name\":value…") to MORE. */
	enum check_state (*look)(struct buf *more);
};

/* Every member except the name is optional. Tables end with an empty row. */
struct feature {
	const char *name;
	void (*init)(void);
	/* For --check: add a line "section.key: reason" to FAULTS for what init would refuse.
	 * Nothing is created. */
	void (*check_settings)(struct buf *faults);
	/* Draining has begun: start nothing new. Requests in progress can still call. */
	void (*stop)(void);
	/* Is something in flight or not stored yet? Called repeatedly while draining. */
	bool (*busy)(void);
	/* The database is closed: release everything. */
	void (*free)(void);
	/* The settings have been read again (SIGHUP). */
	void (*reload)(void);
	const struct route *routes;
	const struct job *jobs;
	const struct consumer *consumers;
	const struct metric *metrics;
	const struct check *checks;
};

#endif
