/* SPDX-License-Identifier: Apache-2.0
 * Time zones: a reader of TZif version 2+ (RFC 8536), including the POSIX footer for times after
 * the last transition. Pure: it works on bytes; the caller reads the file. */
#ifndef SLADESK_SLA_ZONE_H
#define SLADESK_SLA_ZONE_H

#include "base/base.h"

struct zone;

/* Parse the bytes of a TZif file. Returns NULL if they are not one. The caller frees the zone with
 * zone_free. */
struct zone *zone_parse(const void *bytes, size_t n) MUST_USE;
/* Release Z. NULL is allowed. */
void zone_free(struct zone *z);
/* The offset east of UTC in seconds at AT_S, and the instant (seconds) until which it applies
 * (INT64_MAX: for ever). */
int32_t zone_offset(const struct zone *z, int64_t at_s, int64_t *out_until_s);

#endif
