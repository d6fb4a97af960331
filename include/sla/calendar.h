/* SPDX-License-Identifier: Apache-2.0
 * Working time (sla.md 1): which instants are working time under a calendar, how much working time
 * lies between two instants, and the earliest instant at which a given amount has passed. Pure; a
 * calendar does not change once it is built. */
#ifndef SLADESK_SLA_CALENDAR_H
#define SLADESK_SLA_CALENDAR_H

#include "base/base.h"
#include "base/clock.h"
#include "sla/zone.h"

struct json_object;
struct calendar;

enum calendar_day { DAY_OPEN, DAY_CLOSED, DAY_HOLIDAY };

/* Look up a zone by its IANA name. Returns NULL if there is none. The zone must outlive the
 * calendar. */
typedef const struct zone *zone_finder(const char *name);

/* Build a calendar from the JSON form of sla.md 8. Returns NULL and sets *OUT_ERROR (static or in a
 * thread-local buffer: copy it) if a rule is broken. */
struct calendar *calendar_read(
	struct json_object *json, zone_finder *find, const char **out_error) MUST_USE;
/* Can C be saved: does every day have at most 16 pieces of working time, and does a window open
 * within 400 days of NOW (INSTANT_NONE: do not check that)? If not, *OUT_ERROR is set as by
 * calendar_read. Versions that were saved earlier are not checked. */
bool calendar_is_usable(const struct calendar *c, int64_t now_us, const char **out_error);
/* Does NEW (the same form) contain everything in OLD, and otherwise only add dates after TODAY
 * ("2026-12-31")? */
bool calendar_only_adds(struct json_object *old, struct json_object *new, const char *today);
/* The calendar in which all time is working time, in UTC. */
struct calendar *calendar_always(void) MUST_USE;
/* Release C. NULL is allowed. */
void calendar_free(struct calendar *c);

/* The first working stretch [*OUT_FROM, *OUT_TO) that ends after AT, cut to begin at AT or later.
 * Returns false if no window opens within 400 days of AT. The next stretch may follow without a
 * gap. */
bool calendar_next_open(
	const struct calendar *c, int64_t at_us, int64_t *out_from, int64_t *out_to);
/* The earliest instant at which WORK_US of working time has passed since START; START itself if
 * WORK_US is 0. Returns false if the calendar has no window for 400 days. */
bool calendar_add(const struct calendar *c, int64_t start_us, int64_t work_us, int64_t *out);
/* Working time in [FROM, TO), microseconds; 0 when TO < FROM. */
int64_t calendar_between(const struct calendar *c, int64_t from_us, int64_t to_us);
/* True when AT lies in a window. */
bool calendar_is_open(const struct calendar *c, int64_t at_us);
/* AT itself if it is working time, else the last closing instant before it; FLOOR if there is none
 * after FLOOR. */
int64_t calendar_last_close(const struct calendar *c, int64_t at_us, int64_t floor_us);
/* Why AT is, or is not, working time: the kind of its date. It can change at the end of AT's
 * date. */
enum calendar_day calendar_why(const struct calendar *c, int64_t at_us);
/* The end of AT's date in the calendar's zone: the next midnight, or the next change of the clocks
 * if that comes first. */
int64_t calendar_date_end(const struct calendar *c, int64_t at_us);

#endif
