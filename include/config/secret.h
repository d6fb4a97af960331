/* SPDX-License-Identifier: Apache-2.0
 * Secrets whose files the settings name: passwords and tokens. The daemon and the command line both
 * use this. */
#ifndef SLADESK_CONFIG_SECRET_H
#define SLADESK_CONFIG_SECRET_H

#include "base/base.h"

/* Read the first line of the file NAME without its line end. Returns NULL if NAME is NULL or empty,
 * or if the file is empty or cannot be read. The caller frees it. */
char *config_secret_read(const char *name) MUST_USE;

#endif
