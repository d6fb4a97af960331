/* SPDX-License-Identifier: Apache-2.0
 * The settings. Each is one row in include/config/options.def, from which the parser, --help, the
 * sample file and the manual page are made. */
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

/* The current settings. A reload replaces the texts, so do not keep pointers to them. */
extern struct options options;

/* Read FILE (NULL: none) and then the environment (SLADESK_SECTION_KEY). Returns false and sets
 * *OUT_ERROR to lines with the place, key and rule of every setting that is wrong. */
bool options_load(const char *file, const char **out_error);
/* Add a line for every file that the settings name and that cannot be read, but those that the
 * program creates. */
void options_check_files(struct buf *faults);
/* Add TEXT, a fault that begins with section.key, after the place where that setting stands. */
void options_fault(struct buf *faults, const char *text);
/* Read the settings again. Only reloadable ones change. */
bool options_reload(const char **out_error);
/* Release the values of all options. */
void options_free(void);
/* Print every option with its default to standard output. */
void options_print_help(void);
/* Print a sample settings file to standard output. */
void options_print_sample(void);
/* Print the manual page to standard output. */
void options_print_man(void);
/* Print sladesk.conf(5) in roff. */
void options_print_conf_man(void);

#endif
