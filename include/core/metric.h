/* SPDX-License-Identifier: Apache-2.0
 * Metrics as rows, written in the Prometheus text format. */
#ifndef SLADESK_CORE_METRIC_H
#define SLADESK_CORE_METRIC_H

#include "base/base.h"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER };

struct metric {
	const char *name; /* without "sladesk_"; NULL ends a table */
	enum metric_type type;
	const char *help;
	double (*read)(void); /* the current value */
	/* Instead of read, for a metric with labels: append the lines after HELP and TYPE. */
	void (*write)(struct buf *b);
};

/* Append the metrics of TABLE. */
void metrics_write(struct buf *b, const struct metric *table);
/* Append one metric. */
void metric_add(struct buf *b, const char *name, enum metric_type type, const char *help, double v);

#endif
