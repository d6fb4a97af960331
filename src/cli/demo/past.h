/* SPDX-License-Identifier: Apache-2.0
 * One ticket of the past (past.c), for the days that it belongs to (history.c). */
#ifndef SLADESK_CLI_DEMO_PAST_H
#define SLADESK_CLI_DEMO_PAST_H

#include "demo.h"
#include "desk/versions.h"
#include "ticket/ticket_doc.h"

#define MINUTE (60 * US_PER_S)
#define DAY_US (86400 * US_PER_S)
#define USERS_MAX 16

struct customer {
	const struct demo_tenant *of;
	int64_t id, config_version, user[USERS_MAX];
	int users;
	struct sla_version v[2]; /* 1: billing */
	bool has_billing;
};

struct past {
	PGconn *pg;
	struct customer customer[DEMO_TENANTS];
	int64_t staff[32], now;
	struct calendar *office;
};
extern struct past past;

/* The wall clock of this process shows AT from now on. */
void past_set_clock(int64_t at);
/* Go on with T from step I of its plan, whose predecessor was at LAST, up to now. */
void past_play(struct ticket *t, const struct sla_version *v, const struct demo_plan *p, int i,
	int64_t last);
/* A user of OF opens a ticket of the story at AT, and it follows its plan up to now. */
void past_tell(const struct customer *of, const struct demo_story *s, const char *subject,
	int64_t user, int64_t at);
/* The same is reported twice, and the second ticket is merged into the first. */
void past_tell_twice(const struct customer *of, const struct demo_story *s, const char *subject,
	int64_t user, int64_t at);

#endif
