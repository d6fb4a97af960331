/* SPDX-License-Identifier: Apache-2.0
 * Secrets that the settings name by file: passwords and tokens. Used by the daemon and the command
 * line alike. */
#ifndef SLADESK_CONFIG_SECRET_H
#define SLADESK_CONFIG_SECRET_H

#include "base/base.h"

/* Read the first line of the file NAME, without its line end. NULL when NAME is NULL or empty, or
 * when the file cannot be read or is empty. The caller frees. */
char *config_secret_read(const char *name) MUST_USE;

#endif
