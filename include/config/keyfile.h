/* SPDX-License-Identifier: Apache-2.0
 * The file of signing keys. It is read at start and when it has changed, and gets a new key every
 * token.rotate_days. All instances share it. */
#ifndef SLADESK_CONFIG_KEYFILE_H
#define SLADESK_CONFIG_KEYFILE_H

#include "base/base.h"

/* SETTING, or if it is empty, NAME in the directory of token.key_file. The caller frees it. */
char *keyfile_beside(const char *setting, const char *name) MUST_USE;
/* NULL if FILE can be read, or created if it does not exist; or why not. */
const char *keyfile_fault(const char *file);
/* Add a line to FAULTS if keyfile_open would exit. Nothing is created. */
void keyfile_check(struct buf *faults);
/* Read the keys, and create the file if it does not exist. Exits with a clear line if that
 * fails. */
void keyfile_open(void);
/* Read the file again if it has changed. Runs on the loop once a minute: small reads. A failure is
 * logged, and the current keys stay in use. */
void keyfile_tick(void);
/* If the newest key is older than token.rotate_days, lock the file and return its new contents, for
 * whoever can wait for a disk; the caller wipes and frees them. NULL: nothing to do now. The lock
 * stays until keyfile_renewed, which must be called once. */
char *keyfile_renew(void) MUST_USE;
/* The file was replaced; or WHY it was not. */
void keyfile_renewed(const char *why);
/* Add a new key to the file; AT_ONCE: replace all others. WAITS for the disk: for sladesk. Returns
 * false and sets errno if it cannot be written; EBUSY while another process is writing it. */
bool keyfile_rotate(bool at_once);

#endif
