/* SPDX-License-Identifier: Apache-2.0
 * A circuit breaker per dependency (host and port): after five failures in a row it opens and
 * nobody asks there for a while, twice as long each time; then one request tries, and closes it or
 * opens it again (Nygard, Release It!, "circuit breaker"). */
#ifndef SLADESK_FETCH_BREAKER_H
#define SLADESK_FETCH_BREAKER_H

#include "base/base.h"

enum circuit { CIRCUIT_CLOSED, CIRCUIT_HALF_OPEN, CIRCUIT_OPEN, CIRCUIT_STATES };
/* The state's name in metrics. */
const char *circuit_name(enum circuit c);

/* May KEY ("mail", "webhook", "identity" and the host) be asked at NOW? 0: yes (when half open,
 * this one is the trial: tell the result); else the instant before which not. KIND is static text.
 */
int64_t breaker_allow(const char *kind, const char *host, int64_t now_us);
/* What came of it. */
void breaker_report(const char *kind, const char *host, bool ok, int64_t now_us);
/* How many circuits of KIND are in each state. */
void breaker_count(const char *kind, int64_t now_us, size_t out[CIRCUIT_STATES]);
/* Forget all circuits. */
void breaker_free(void);

#endif
