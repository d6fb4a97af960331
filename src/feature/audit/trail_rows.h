/* SPDX-License-Identifier: Apache-2.0
 * Rows of the audit log that are made of what a statement or request changed, not of a request
 * itself. */
#ifndef SLADESK_FEATURE_AUDIT_TRAIL_ROWS_H
#define SLADESK_FEATURE_AUDIT_TRAIL_ROWS_H

#include "core/request.h"

/* --- audit.c --- */
/* Append a member of a row: the first MAX characters of V. */
void audit_add_text(struct buf *b, const char *name, struct str v, size_t max);
/* Append the details (JSON), encrypted, and the end of the row. */
void audit_add_details(struct buf *b, const char *json);
/* Hand in a row of a tenant's log; takes the text of B. */
void audit_append(int64_t tenant_id, struct buf *b);

/* --- trail_rows.c --- */
/* What no request did: the daemon's own row in the log of each customer whose data STMT changed. */
void audit_background(const char *stmt, const struct db_trail *changed);
/* What staff changed of a customer's, in that customer's log, too: who, what and when, without the
 * address of staff, and without what customers do not see. */
void audit_customers(struct req *req, const char *operation, int status);

#endif
