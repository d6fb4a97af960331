/* SPDX-License-Identifier: Apache-2.0
 * The anchors of the audit log: once a day by mail, every ten minutes or 1,000 rows signed. */
#ifndef SLADESK_FEATURE_AUDIT_ANCHOR_H
#define SLADESK_FEATURE_AUDIT_ANCHOR_H

#include "core/job.h"

#define ANCHOR_DAY_MS (600 * 1000) /* its row ensures that it happens once a day */
#define ANCHOR_SIGN_MS 5000        /* the statement decides which chains are due */

/* Load or create the key. Exits with a clear line if that fails. */
void anchor_init(void);
/* For --check: what anchor_init would refuse. */
void anchor_check(struct buf *faults);
/* Release everything. */
void anchor_free(void);
/* A job: the last digest of each chain, stored and mailed, once a day. */
void anchor_day(struct job_run *run);
/* A job: sign what is due, and complete the file. */
void anchor_sign(struct job_run *run);
/* Does the file of anchors fail, or does it contradict the database? */
bool anchor_is_failing(void);
/* A metric: anchors signed since the start. */
double anchor_read_total(void);
/* A metric: as anchor_is_failing. */
double anchor_read_faults(void);

#endif
