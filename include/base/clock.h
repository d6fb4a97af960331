/* SPDX-License-Identifier: Apache-2.0
 * The only module that reads the time. Instants are UTC microseconds since 1970 (int64_t), in the
 * range of PostgreSQL's timestamptz. Tests and drills can shift and scale the wall clock, so
 * nothing else in the tree may call time(2) or the like. */
#ifndef SLADESK_BASE_CLOCK_H
#define SLADESK_BASE_CLOCK_H

#include "base/base.h"

#define US_PER_S 1000000LL
#define INSTANT_NONE INT64_MIN /* "no such instant"; NULL in SQL */

/* Instants from outside are from 1970 to 2199: the range in which our sums and PostgreSQL's cannot
 * overflow. Systems that write "none" or "for ever" as a date use dates outside it. */
static inline bool instant_is_sane(int64_t at_us)
{
	return at_us >= 0 && at_us < 7258118400LL * US_PER_S;
}

/* The wall clock, warped if clock_warp was called. */
int64_t clock_now_us(void);
/* A monotonic clock for measuring waits. It is never warped. */
int64_t clock_mono_us(void);
/* From now on, wall time starts at its present value + OFFSET_US and runs SCALE times as fast. */
void clock_warp(int64_t offset_us, double scale);
/* The speed of wall time relative to the monotonic clock: 1 unless it is warped. */
double clock_scale(void);
/* Has a test shifted or scaled the wall clock? */
bool clock_is_warped(void);

/* Days since 1970-01-01 of a proleptic Gregorian date (Hinnant, "chrono-compatible low-level date
 * algorithms"). */
int64_t days_from_civil(int64_t y, unsigned m, unsigned d);
/* The proleptic Gregorian date of a day counted from 1970-01-01 (Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms"). */
void civil_from_days(int64_t days, int64_t *out_y, unsigned *out_m, unsigned *out_d);
/* Monday = 0 .. Sunday = 6. */
int weekday_from_days(int64_t days);
/* Does this date exist in the Gregorian calendar? */
bool date_is_valid(int64_t y, unsigned m, unsigned d);

/* Write AT as RFC 3339 UTC ("2026-01-31T08:00:00.123Z") with 3 or 6 fraction digits. OUT needs 32
 * bytes. Returns the length. */
int time_format(int64_t at_us, int digits, char *out);
/* Append AT_US as a JSON string (RFC 3339, UTC, milliseconds); INSTANT_NONE as null. */
void buf_add_time_json(struct buf *b, int64_t at_us);
/* Read RFC 3339 with an offset (Z or +hh:mm); any fraction is reduced to microseconds. Returns
 * false if TEXT is malformed or out of range. */
bool time_parse(struct str s, int64_t *out_us);
/* Read an instant from outside: as time_parse, and in the range of instant_is_sane. */
static inline bool time_read(struct str s, int64_t *out_us)
{
	return time_parse(s, out_us) && instant_is_sane(*out_us);
}
#define TIME_RULE_EN "an RFC 3339 time from 1970 to 2199, such as 2026-01-31T08:00:00Z"
#define TIME_RULE_ZH "1970 年至 2199 年的 RFC 3339 时间，例如 2026-01-31T08:00:00Z"
/* Read YYYY-MM-DD to days since 1970. */
bool date_parse(struct str s, int64_t *out_days);

#endif
