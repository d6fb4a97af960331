/* SPDX-License-Identifier: Apache-2.0
 * A circuit breaker for each dependency (host and port). After five failures in a row it opens, and
 * no request goes there for a while, twice as long each time. Then one trial request closes it or
 * opens it again (Nygard, Release It!, "circuit breaker"). */
#ifndef SLADESK_FETCH_BREAKER_H
#define SLADESK_FETCH_BREAKER_H

#include "base/base.h"

enum circuit { CIRCUIT_CLOSED, CIRCUIT_HALF_OPEN, CIRCUIT_OPEN, CIRCUIT_STATES };
/* The state's name in metrics. */
const char *circuit_name(enum circuit c);

/* May a request go to KEY ("mail", "webhook", "identity" and the host) at NOW? Returns 0 if it may
 * (if the breaker is half open, this is the trial request: report its result), else the instant
 * until which it may not. KIND is static text. */
int64_t breaker_allow(const char *kind, const char *host, int64_t now_us);
/* Report the result of a request. */
void breaker_report(const char *kind, const char *host, bool ok, int64_t now_us);
/* The number of circuits of KIND in each state. */
void breaker_count(const char *kind, int64_t now_us, size_t out[CIRCUIT_STATES]);
/* Forget all circuits. */
void breaker_free(void);

#endif
