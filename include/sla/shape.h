/* SPDX-License-Identifier: Apache-2.0
 * The form of the documents that people write, policies and calendars: a row for each field. What
 * is refused, with which rule and example, and what is published about the form come from these
 * rows. The readers (sla/policy.h, sla/calendar.h) accept documents of earlier versions as well.
 * Pure. */
#ifndef SLADESK_SLA_SHAPE_H
#define SLADESK_SLA_SHAPE_H

#include "sla/calendar.h"

struct json_object;

enum shape_type { SHAPE_OBJECT, SHAPE_LIST, SHAPE_INT, SHAPE_CHOICE, SHAPE_WORD };

/* The newest form of policies that this program reads. Instances publish it, so that no policy is
 * saved that one of them could not read; instances of versions before 0.4 publish nothing, which
 * is 1. */
#define SLA_POLICY_FORMAT 2

struct shape {
	const char
		*path; /* "" is the document, "a.b" a member, "a.*" each member, "a[]" each item */
	enum shape_type type;
	const char *example;        /* JSON */
	int64_t min, max;           /* of a number, or of the number of items */
	const char *choices;        /* "a|b|c" */
	bool (*fits)(struct str s); /* SHAPE_WORD: is S one? At ".*": can S be the key? */
	const char *en, *zh;        /* what FITS accepts */
	bool required;
	int format; /* the first format that has this field; 0 is 1 */
};

/* What is wrong with a document. */
struct shape_fault {
	char field[160]; /* "document.priorities.P1.response_s" */
	char en[320], zh[320];
	const char *example; /* JSON in the right form */
};

/* Each ends with a row without a path. */
extern const struct shape policy_shape[], calendar_shape[];

/* The rule of a row, in words. */
void shape_rule(const struct shape *s, bool zh, char *out, size_t size);
/* The type's name: "object", "list", "number", "choice", "text". */
const char *shape_type_name(enum shape_type t);
/* Has DOC the form of ROWS? If not, FAULT says what is wrong. OUT_FORMAT: the oldest format that
 * has all of its fields. */
bool shape_fits(const struct shape *rows, struct json_object *doc, int *out_format,
	struct shape_fault *fault);

/* Move sla_targets to priorities. False: a priority has the same target in both; *OUT_TWICE is its
 * name. */
bool policy_take_targets(struct json_object *doc, const char **out_twice);
/* Can this policy be saved: has it the form of a policy, can the program read it, and does it
 * contain nothing that would be ignored? If so, targets in minutes have become seconds in DOC. */
bool policy_is_valid(struct json_object *doc, int *out_format, struct shape_fault *fault);
/* The same for a calendar, which must have a window soon after NOW_US. */
bool calendar_is_valid(
	struct json_object *doc, zone_finder *find, int64_t now_us, struct shape_fault *fault);
/* Does NEW only add dates to OLD that are in the future in every time zone? */
bool calendar_adds_future(struct json_object *old, struct json_object *new, int64_t now_us);

#endif
