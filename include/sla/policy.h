/* SPDX-License-Identifier: Apache-2.0
 * A policy version as data (sla.md 2): budgets per priority, thresholds, pauses, where resolution
 * starts and ends, ladder, reopen rule. Pure; it does not change once it is read. A ticket is bound
 * to one version unless it is rebound. */
#ifndef SLADESK_SLA_POLICY_H
#define SLADESK_SLA_POLICY_H

#include "ticket/names.h"

struct json_object;
struct calendar;

/* The promises come first; the ladder and AWS's clock move people, and count nowhere. */
enum sla_clock_kind { SLA_RESPONSE, SLA_RESOLUTION, SLA_UPDATE, SLA_LADDER, SLA_AWS, SLA_CLOCKS };
enum sla_resolution_from { SLA_FROM_CONFIRMED, SLA_FROM_CREATED };
enum sla_resolution_until { SLA_UNTIL_MITIGATED, SLA_UNTIL_RESOLVED, SLA_UNTIL_CLOSED };

#define SLA_THRESHOLDS_MAX 8
#define SLA_LADDER_STEPS 3
#define SLA_LEVEL_STAFF_MAX 3 /* L3, the architects; only the ladder's last step goes beyond */

struct sla_budget {
	int32_t response_s, resolution_s, update_s, report_s; /* 0 = no such clock */
	int32_t ladder_s[SLA_LADDER_STEPS];                   /* 0 = no ladder */
	int32_t aws_s; /* how often the case is looked at while the ticket waits for AWS; 0 =
			  never */
};

/* One threshold: at PERCENT of the budget, or LEAD_S of wall time before due (then percent is 0).
 * Sorted by rank. */
struct sla_threshold {
	char key[8]; /* "80", "-30m", "100" */
	int32_t percent, lead_s;
	bool escalates; /* response and resolution: the ticket's level rises by one */
};

struct sla_policy {
	bool has[PRIORITY_COUNT];
	struct sla_budget budget[PRIORITY_COUNT];
	struct sla_threshold threshold[SLA_THRESHOLDS_MAX];
	int thresholds;
	uint32_t pauses[SLA_CLOCKS]; /* bit 1 << enum ticket_state */
	enum sla_resolution_from resolution_from;
	enum sla_resolution_until resolution_until;
	int64_t reopen_window_us;
	bool upgrade_reckons_from_change;
	bool breach_follows_priority; /* a priority change judges the cycle again; default: a breach
					 remains */
	int32_t autoclose_days;
	bool report_from_resolved; /* a report is due counted from the resolution; default: from the
				      opening, or the raise to the priority that has one */
	/* P2's ladder runs in it; set by whoever loads the version, which owns it. NULL: in the
	 * ticket's calendar, as versions of before had it */
	const struct calendar *ladder_calendar;
	/* matrix[impact - 1][urgency - 1], PRIORITY_NONE where the contract has none */
	int8_t matrix[5][5];
	bool has_matrix;
};

/* "response", "resolution", "update", "ladder", "aws". */
const char *sla_clock_name(enum sla_clock_kind k);
/* The clock with this name; SLA_CLOCKS if there is none. */
enum sla_clock_kind sla_clock_parse(struct str s);
/* Read a policy document (doc/sla.md lists its keys). Returns false and sets *OUT_ERROR to the key
 * and the rule (in a thread-local buffer) if it is invalid. */
bool sla_policy_read(struct json_object *doc, struct sla_policy *out, const char **out_error);
/* Can DOC, which sla_policy_read has accepted, be saved: does it contain nothing that would be
 * ignored? If not, *OUT_ERROR is set as by sla_policy_read. */
bool sla_policy_is_exact(struct json_object *doc, const char **out_error);
/* The priority nearest to P that the policy has: P itself, else the next lower urgency, else the
 * lowest it has. */
enum priority sla_policy_nearest(const struct sla_policy *p, enum priority want);

#endif
