/* SPDX-License-Identifier: Apache-2.0
 * Working time (sla.md 1): which instants work under a calendar, how much working time lies between
 * two instants, and the earliest instant at which a given amount has passed. Pure, immutable once
 * built. */
#ifndef SLADESK_SLA_CALENDAR_H
#define SLADESK_SLA_CALENDAR_H

#include "base/base.h"
#include "base/clock.h"
#include "sla/zone.h"

struct json_object;
struct calendar;

enum calendar_day { DAY_OPEN, DAY_CLOSED, DAY_HOLIDAY };

/* Look a zone up by IANA name; NULL when there is none. The zone must outlive the calendar. */
typedef const struct zone *zone_finder(const char *name);

/* Build from the JSON form of sla.md 8. NULL and *OUT_ERROR (static or in a thread-local buffer:
 * copy it) when a rule is broken. */
struct calendar *calendar_read(
	struct json_object *json, zone_finder *find, const char **out_error) MUST_USE;
/* Does NEW (the same form) say all that OLD says, and more only of dates after TODAY
 * ("2026-12-31")? */
bool calendar_only_adds(struct json_object *old, struct json_object *new, const char *today);
/* The calendar that always works, in UTC. */
struct calendar *calendar_always(void) MUST_USE;
/* Release C. NULL is allowed. */
void calendar_free(struct calendar *c);
/* Is every instant working time? */
bool calendar_is_always(const struct calendar *c);

/* The first working stretch [*OUT_FROM, *OUT_TO) that ends after AT, clipped to begin at AT or
 * later. False when no window opens within 400 days of AT. A stretch may be followed by another
 * without a gap. */
bool calendar_next_open(
	const struct calendar *c, int64_t at_us, int64_t *out_from, int64_t *out_to);
/* Earliest instant at which WORK_US of working time has passed since START; START itself when
 * WORK_US is 0. False when the calendar has no window for 400 days. */
bool calendar_add(const struct calendar *c, int64_t start_us, int64_t work_us, int64_t *out);
/* Working time in [FROM, TO), microseconds; 0 when TO < FROM. */
int64_t calendar_between(const struct calendar *c, int64_t from_us, int64_t to_us);
/* True when AT lies in a window. */
bool calendar_is_open(const struct calendar *c, int64_t at_us);
/* AT itself when it works, else the last closing instant before it; FLOOR when there is none after
 * FLOOR. */
int64_t calendar_last_close(const struct calendar *c, int64_t at_us, int64_t floor_us);
/* Why AT does not work. */
enum calendar_day calendar_why(const struct calendar *c, int64_t at_us);

#endif
