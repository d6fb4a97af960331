/* SPDX-License-Identifier: Apache-2.0
 * Files that hold a secret (passwords, tokens, private keys). Everything reads them through this
 * module, which refuses a file that the group or others can read. */
#ifndef SLADESK_CRYPTO_SECRETFILE_H
#define SLADESK_CRYPTO_SECRETFILE_H

#include "base/base.h"

#include <stdio.h>

/* Open FILE for reading. Returns NULL and sets errno if it cannot be opened; errno is EPERM if the
 * group or others have rights on it. The caller closes it. */
FILE *secretfile_open(const char *file) MUST_USE;
/* What is wrong with opening a secret file, from ERR, its errno: static text. */
const char *secretfile_error(int err);
/* Do the group or others have rights on FILE? False if it does not exist. */
bool secretfile_is_exposed(const char *file);
/* Read the first line of FILE without its line end. Returns NULL if FILE is NULL or empty, if the
 * file is empty or cannot be read, or if others have rights on it. The caller frees it. */
char *secretfile_line(const char *file) MUST_USE;

#endif
