/* SPDX-License-Identifier: Apache-2.0
 * The batch interface of sla.md 8: one JSON question in, one JSON answer out. Pure. */
#ifndef SLADESK_SLA_CALC_H
#define SLADESK_SLA_CALC_H

#include "sla/calendar.h"

/* Answer one line (N bytes of JSON) into OUT, as one line without a newline. Returns false if the
 * answer is an error. */
bool sla_calc_line(const char *line, size_t n, zone_finder *find, struct buf *out);

#endif
