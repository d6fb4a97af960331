/* SPDX-License-Identifier: Apache-2.0
 * The archive of the audit log: months in files. */
#ifndef SLADESK_FEATURE_AUDIT_CMD_ARCHIVE_H
#define SLADESK_FEATURE_AUDIT_CMD_ARCHIVE_H

#include <libpq-fe.h>

/* Move the months before --before of all tenants, or
 * of CODE, into files in DIR, one month per file, and remove files that are too old. */
int audit_archive(const char *dir, const char *owner_url, const char *owner_password_file,
	const char *code, const char *before, int keep_years);
/* Verify a tenant's files: each exists, is unchanged, and their rows form one chain that the
 * database continues. Prints a line for each failure and returns their number. */
int audit_files_broken(PGconn *pg, const char *tenant_id, const char *dir);

#endif
