/* SPDX-License-Identifier: Apache-2.0
 * Exports: exports.c creates them and serves their files, export_job.c writes them. */
#ifndef SLADESK_FEATURE_EXPORTS_H
#define SLADESK_FEATURE_EXPORTS_H

#include "core/csv_writer.h"

/* The names of a ticket's columns; ends with NULL. */
extern const char *const export_columns[];
/* There is an export to write. */
void exports_wake(void);

#endif
