/* SPDX-License-Identifier: Apache-2.0
 * The only reader of time. Instants are UTC microseconds since 1970 (int64_t), as PostgreSQL's
 * timestamptz can hold. A test or a drill may shift and scale the wall clock; nothing else in the
 * tree calls time(2) or its kin. */
#ifndef SLADESK_BASE_CLOCK_H
#define SLADESK_BASE_CLOCK_H

#include "base/base.h"

#define US_PER_S 1000000LL
#define INSTANT_NONE INT64_MIN /* "no such instant", as a NULL in SQL */

/* The wall clock, warped if clock_warp was called. */
int64_t clock_now_us(void);
/* A clock that never steps, for waiting; never warped. */
int64_t clock_mono_us(void);
/* From now on wall time runs SCALE times as fast, starting at its present value + OFFSET_US. */
void clock_warp(int64_t offset_us, double scale);
/* How fast warped time runs against the monotonic clock (1 unless warped). */
double clock_scale(void);
/* Does a test run the clock at another rate or offset? */
bool clock_is_warped(void);

/* Days since 1970-01-01 of a proleptic Gregorian date (Hinnant, "chrono-compatible low-level date
 * algorithms"). */
int64_t days_from_civil(int64_t y, unsigned m, unsigned d);
/* The proleptic Gregorian date of a day counted from 1970-01-01 (Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms"). */
void civil_from_days(int64_t days, int64_t *out_y, unsigned *out_m, unsigned *out_d);
/* Monday = 0 .. Sunday = 6. */
int weekday_from_days(int64_t days);
/* Is there such a day in the Gregorian calendar? */
bool date_is_valid(int64_t y, unsigned m, unsigned d);

/* Write AT as RFC 3339 UTC ("2026-01-31T08:00:00.123Z") with 3 or 6 fraction digits; OUT needs 32
 * bytes; returns length. */
int time_format(int64_t at_us, int digits, char *out);
/* Append AT_US as a JSON string (RFC 3339, UTC, milliseconds); INSTANT_NONE as null. */
void buf_add_time_json(struct buf *b, int64_t at_us);
/* Read RFC 3339 with an offset (Z or +hh:mm), any fraction to microseconds. False when malformed or
 * out of range. */
bool time_parse(struct str s, int64_t *out_us);
/* Read YYYY-MM-DD to days since 1970. */
bool date_parse(struct str s, int64_t *out_days);

#endif
