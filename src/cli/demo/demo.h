/* SPDX-License-Identifier: Apache-2.0
 * The demonstration: people and customers (demo.c), what happens to a ticket and when (plan.c,
 * pure), the past (history.c, past.c), and the present (live.c). Nothing but the ticket itself says
 * how far its plan is: whoever reads title, opening and events knows what comes next. */
#ifndef SLADESK_CLI_DEMO_H
#define SLADESK_CLI_DEMO_H

#include "cli/cli.h"
#include "ticket/ticket.h"

#define DEMO_PASSWORD "Sladesk-demo-1"
#define DEMO_DAYS 60
#define DEMO_PACE 20 /* of the live simulator: an hour of the office takes three minutes */

/* --- people (demo.c) --- */

struct demo_staff {
	const char *username, *name, *role, *level, *on_call;
};
#define DEMO_MANAGER 7 /* zhou.tao */
extern const struct demo_staff demo_staff[];
extern const size_t demo_staff_count;

struct demo_tenant {
	const char *code, *name, *lang, *policy;
	int a_day; /* tickets on a working day */
};
#define DEMO_TENANTS 3
extern const struct demo_tenant demo_tenants[DEMO_TENANTS];

/* --- texts and plans (plan.c) --- */

struct demo_story {
	bool zh;
	enum priority priority;
	const char *kind; /* the service type; NULL: incident */
	const char *category, *of, *title, *text, *reply, *ask, *answer, *work, *note, *aws,
		*schedule, *mitigate, *fix, *cause, *solution, *prevention;
};
extern const struct demo_story demo_stories[];
extern const size_t demo_story_count;

/* Numbers that only depend on their seed. */
struct demo_dice {
	uint64_t state;
};
/* The next number from LOW to HIGH. */
int64_t demo_roll(struct demo_dice *d, int64_t low, int64_t high);
/* Happens in PERCENT of 100 cases. */
bool demo_chance(struct demo_dice *d, int percent);
/* A seed from a text. */
uint64_t demo_seed(const char *text);

struct demo_step {
	enum ticket_command cmd;
	enum actor_kind actor;
	int64_t delay_s; /* after the step before, or after the opening */
	int64_t until_s; /* schedule: how long */
	int score;       /* rate: 1 to 5 */
	const char *text;
	size_t text_n; /* of TEXT; a story's reports are one text */
	bool day;      /* not at night */
};
#define DEMO_STEPS_MAX 40

struct demo_plan {
	const struct demo_story *story;
	char subject[64];
	struct demo_dice dice;
	int engineer; /* in demo_staff */
	bool late;    /* misses a deadline: the live simulator does not hurry it */
	int n;
	struct demo_step step[DEMO_STEPS_MAX];
};

/* The plan of the ticket with this title, opening and priority. Returns false if the title is not
 * of a story: then a visitor opened it. */
bool demo_plan_make(
	struct demo_plan *out, const char *title, int64_t opened_at, enum priority priority);
/* How many steps have been taken, by the types of the events of people since the opening, separated
 * by commas. -1: somebody did something else; the ticket is left alone from then on. */
int demo_plan_done(const struct demo_plan *p, const char *types);
/* The instant of step I, if the one before (I 0: the opening) was at BEFORE. */
int64_t demo_step_at(const struct demo_plan *p, int i, int64_t before);
/* The state at NOW of a ticket that was opened at OPENED and follows P. */
enum ticket_state demo_state_at(const struct demo_plan *p, int64_t opened, int64_t now);
/* N bytes of TEXT about SUBJECT, in place of {}. The caller frees it. */
char *demo_text(const char *text, size_t n, const char *subject) MUST_USE;
/* Subject I of a story; I wraps around. The caller frees it. */
char *demo_subject(const struct demo_story *s, int64_t i) MUST_USE;
/* The details of the resolution, as the API stores them; NULL if the priority needs none. The
 * caller frees it. */
char *demo_details(const struct demo_plan *p, enum priority priority) MUST_USE;

/* --- the past (history.c) --- */

/* What happened from FROM to TO: tickets that are still open go on, new ones are opened; after an
 * hour or more there are tickets in every state again. */
void demo_history(PGconn *pg, int64_t from, int64_t to);

/* --- the present (live.c) --- */

/* Open, answer and resolve tickets through the API of the server at URL until SIGTERM or SIGINT. */
int demo_live(PGconn *pg, const char *url, int64_t pace);

#endif
