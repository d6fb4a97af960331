/* SPDX-License-Identifier: Apache-2.0 */
#include "core/metric.h"

static void add_head(struct buf *b, const char *name, enum metric_type type, const char *help)
{
	buf_addf(b, "# HELP sladesk_%s %s\n# TYPE sladesk_%s %s\n", name, help, name,
		type == METRIC_COUNTER ? "counter" : "gauge");
}

void metric_add(struct buf *b, const char *name, enum metric_type type, const char *help, double v)
{
	add_head(b, name, type, help);
	buf_addf(b, "sladesk_%s %.16g\n", name, v);
}

void metrics_write(struct buf *b, const struct metric *table)
{
	for (; table && table->name; table++) {
		if (table->read) {
			metric_add(b, table->name, table->type, table->help, table->read());
			continue;
		}
		add_head(b, table->name, table->type, table->help);
		table->write(b);
	}
}
