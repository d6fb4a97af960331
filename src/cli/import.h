/* SPDX-License-Identifier: Apache-2.0
 * What the importer's files share: the log as it was read (import_log.c), an incident taken through
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
	int8_t priority, impact, urgency, verdict; /* verdict: 1 met, 0 not, -1 unknown */
};

enum import_kind {
	IMPORT_STATES,   /* a row names the state the incident is in */
	IMPORT_COMMANDS, /* a row names what was done to it */
	IMPORT_SINGLE    /* a row is an incident */
};

struct import_log {
	const char *name, *title;
	enum import_kind kind;
	struct entry *entry; /* by incident, within one as in the file */
	size_t n, room;
	int64_t last_instant;
};

struct totals {
	long rows, rejected, tickets, events, matrix_checked, matrix_differ, verdict_checked,
		verdict_differ, skipped;
	long met[PRIORITY_COUNT][2], breached[PRIORITY_COUNT][2];
};

/* What a batch becomes, as rows for COPY. */
struct build {
	struct buf tickets, events, clocks, fires;
	struct sla_rules rules;
	int64_t tenant, policy_id, calendar_id, next_id;
	long ticket_n;
	const struct import_log *log;
	struct totals *totals;
	/* the incident at hand */
	struct ticket t;
	int event_n;
	int64_t fired_at;
};

/* Read a column mapping; dies, naming what is wrong in it. */
void import_read_map(const char *file, struct import_log *out);
/* Read the log through the mapping. What cannot be read goes to REJECTS with line and column, and
 * is counted. */
void import_read_log(
	const char *file, FILE *rejects, struct import_log *log, struct totals *totals);
/* Take one incident, N entries of the log, through the rules: its rows to B, its figures to B's
 * totals. */
void import_replay(struct build *b, const struct entry *e, size_t n);

#endif
