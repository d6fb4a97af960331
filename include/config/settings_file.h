/* SPDX-License-Identifier: Apache-2.0
 * The form of the settings file: [sections], lines of the form key = value of any length, and
 * comments: lines that begin with ; or #, and what follows a blank and a semicolon. */
#ifndef SLADESK_CONFIG_SETTINGS_FILE_H
#define SLADESK_CONFIG_SETTINGS_FILE_H

#include "base/base.h"

#include <stdio.h>

/* KEY is NULL for a line that is neither a section nor a setting. */
typedef void settings_fn(int line, const char *section, const char *key, const char *value);

/* Call ON_LINE for each setting in F, in order. */
void settings_file_read(FILE *f, settings_fn *on_line);

#endif
