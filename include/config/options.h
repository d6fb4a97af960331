/* SPDX-License-Identifier: Apache-2.0
 * The settings, one row each in include/desk/options.def; parser, --help, sample file and manual
 * page come from it. */
#ifndef SLADESK_CONFIG_OPTIONS_H
#define SLADESK_CONFIG_OPTIONS_H

#include "base/base.h"

#define OPTION_TEXT(section, key, fallback, reload, doc) char *section##_##key;
#define OPTION_INT(section, key, fallback, min, max, reload, doc) int64_t section##_##key;
#define OPTION_BOOL(section, key, fallback, reload, doc) bool section##_##key;
struct options {
#include "config/options.def"
};
#undef OPTION_TEXT
#undef OPTION_INT
#undef OPTION_BOOL

/* The settings in force. Text values are replaced by a reload: do not keep their pointers. */
extern struct options options;

/* Read FILE (NULL: none), then the environment (SLADESK_SECTION_KEY). False with *OUT_ERROR naming
 * file, line, key and rule. */
bool options_load(const char *file, const char **out_error);
/* Read again; only what is reloadable changes. */
bool options_reload(const char **out_error);
/* Release the values of all options. */
void options_free(void);
/* Print every option with its default to standard output. */
void options_print_help(void);
/* Print a sample settings file to standard output. */
void options_print_sample(void);
/* Print the manual page to standard output. */
void options_print_man(void);

#endif
