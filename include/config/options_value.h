/* SPDX-License-Identifier: Apache-2.0
 * What settings may be whose form the table does not tell: addresses, senders, words of a list. */
#ifndef SLADESK_CONFIG_OPTIONS_VALUE_H
#define SLADESK_CONFIG_OPTIONS_VALUE_H

#include "base/base.h"

/* Add a line to FAULTS for every value in `options` that cannot be used. */
void options_check_values(struct buf *faults);

#endif
