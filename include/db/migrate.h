/* SPDX-License-Identifier: Apache-2.0
 * The embedded schema and its migrations. Blocking; for the command line. */
#ifndef SLADESK_DB_MIGRATE_H
#define SLADESK_DB_MIGRATE_H

#include "base/base.h"

struct embedded_file {
	const char *name, *text;
};
extern const struct embedded_file embedded_migrations[], embedded_code[];

/* The number of the newest migration that this program contains: the schema version that it
 * needs. */
int schema_needed(void);

struct pg_conn;
/* Bring the database up to date under an advisory lock. SAY gets a line for each step. Returns
 * false and sets *OUT_ERROR (static) on failure. */
bool schema_migrate(struct pg_conn *pg, void (*say)(const char *line), const char **out_error);

#endif
