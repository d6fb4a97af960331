/* SPDX-License-Identifier: Apache-2.0
 * What the build makes from the usage texts of the commands. */
#ifndef SLADESK_CLI_PRINTED_H
#define SLADESK_CLI_PRINTED_H

#include "cli/cli.h"

/* Print sladesk(1) in roff. TABLES: the command tables, ended by NULL. */
void print_manual_page(const struct command *const *tables);
/* Print a completion script for bash. */
void print_completion(const struct command *const *tables);

#endif
