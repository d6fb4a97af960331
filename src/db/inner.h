/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SLADESK_DB_INNER_H
#define SLADESK_DB_INNER_H

#include <libpq-fe.h>

/* Begin to connect as the job role, outside the pools. The caller finishes it. */
PGconn *db_start_job_connection(const char *name, const char *settings);

#endif
