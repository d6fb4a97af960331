/* SPDX-License-Identifier: Apache-2.0
 * sladesk audit verify --anchors: the chains against the file of signed anchors. */
#ifndef SLADESK_FEATURE_AUDIT_CMD_ANCHORS_H
#define SLADESK_FEATURE_AUDIT_CMD_ANCHORS_H

#include "base/base.h"

#include <libpq-fe.h>

/* Read FILE and check every line: signature, sequence, and that it does not end before what the
 * database knows. KEY: file with the public keys; empty: our own key. Prints a line for each
 * failure and returns their number. Exits if a file cannot be read. */
int audit_anchors_read(PGconn *pg, const char *file, const char *key);
/* Check the chain of a tenant against the anchors read, if any. Continues the line of the tenant's
 * result and returns the number of failures. */
int audit_anchors_broken(PGconn *pg, const char *tenant_id);
/* Anchors of tenants that audit_anchors_broken was not called for: prints them and returns their
 * number. */
int audit_anchors_left(void);
/* The anchors of a tenant as JSON, for a statement: [{"no":…,"digest":…}, …]. The caller frees. */
char *audit_anchors_of(const char *tenant_id) MUST_USE;
/* Release what was read. */
void audit_anchors_free(void);

#endif
