/* SPDX-License-Identifier: Apache-2.0
 * What the importer's files share: the log as it was read (import_log.c), one incident processed by
 * the rules (import_replay.c), storing (import.c). */
#ifndef SLADESK_CLI_IMPORT_H
#define SLADESK_CLI_IMPORT_H

#include "cli/cli.h"
#include "ticket/ticket_doc.h"

#include <stdio.h>

struct entry {
	char *id, *category;
	long line;
	uint32_t order;
	int64_t at, opened, closed;
	int value;                                 /* a ticket_state or a ticket_command */
	int8_t priority, impact, urgency, verdict; /* verdict: 1 met, 0 missed, -1 unknown */
};

enum import_kind {
	IMPORT_STATES,   /* each row names the state of the incident */
	IMPORT_COMMANDS, /* each row names an action on the incident */
	IMPORT_SINGLE    /* each row is an incident */
};

struct import_log {
	const char *name, *title;
	enum import_kind kind;
	struct entry *entry; /* sorted by incident, and within an incident as in the file */
	size_t n, room;
	int64_t last_instant;
};

struct totals {
	long rows, rejected, tickets, events, matrix_checked, matrix_differ, verdict_checked,
		verdict_differ, skipped;
	long met[PRIORITY_COUNT][2], breached[PRIORITY_COUNT][2];
};

/* The rows of a batch, for COPY. */
struct build {
	struct buf tickets, events, clocks, fires;
	struct sla_rules rules;
	int64_t policy_id, calendar_id; /* the versions of the rules */
	long ticket_n;
	const struct import_log *log;
	struct totals *totals;
	/* the current incident */
	struct ticket t;
	int event_n;
	int64_t fired_at;
};

/* Read a column mapping. Exits and names the error if it is invalid. */
void import_read_map(const char *file, struct import_log *out);
/* Read the log through the mapping. Rows that cannot be read are counted and go to REJECTS with
 * line and column. */
void import_read_log(
	const char *file, FILE *rejects, struct import_log *log, struct totals *totals);
/* Process one incident, N entries of the log, by the rules. Its rows are added to B, its numbers to
 * B's totals. */
void import_replay(struct build *b, const struct entry *e, size_t n);

#endif
