/* SPDX-License-Identifier: Apache-2.0
 * What the texts of notifications say for codes, in the reader's language: states, clocks,
 * durations, rights, devices. */
#ifndef SLADESK_FEATURE_NOTIFY_WORDS_H
#define SLADESK_FEATURE_NOTIFY_WORDS_H

#include "base/base.h"

struct json_object;

/* The words for a state of tickets; "" if there is no such state. */
const char *words_status(struct str code, bool zh);
/* The words for a clock; "" if there is no such clock. */
const char *words_clock(struct str code, bool zh);
/* In words (1 hour 5 minutes): whole minutes, and no more than two units. */
void words_add_duration(struct buf *b, int64_t us, bool zh);
/* The names of the parts of an account in LIST, separated by commas: role_type, +totp, office. */
void words_add_changed(struct buf *b, const char *list, bool zh);
/* What has changed about an account's rights, one change a line: its role, its state, and each
 * right that was given, forbidden or left to the role again. DATA: the event's. */
void words_add_rights(struct buf *b, struct json_object *data, bool zh);
/* The reasons in LIST why a login is unusual. */
void words_add_reasons(struct buf *b, const char *list, bool zh);
/* The browser and the system of a login. DATA: the event's. */
void words_add_device(struct buf *b, struct json_object *data, bool zh);

#endif
