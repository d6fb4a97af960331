/* SPDX-License-Identifier: Apache-2.0
 * Exports: exports.c takes them and gives their files, export_job.c writes them. */
#ifndef SLADESK_FEATURE_EXPORTS_H
#define SLADESK_FEATURE_EXPORTS_H

#include "core/csv_writer.h"

/* What a ticket's columns are called; NULL ends them. */
extern const char *const export_columns[];
/* There is one to write. */
void exports_wake(void);

#endif
