/* SPDX-License-Identifier: Apache-2.0
 * The nightly check of all clocks: each ticket's history is replayed and must give the clocks that
 * are stored. It goes through the tickets of one customer after the other, one page of events a
 * run. Each event is replayed in pieces, and a turn ends with the first piece after SLICE_US. How
 * far it has come is stored with each page, so that any instance can go on. Nothing is corrected:
 * what differs is listed, logged and told to the managers. */
#include "policy.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "config/options.h"
#include "core/hooks.h"
#include "desk/versions.h"
#include "loop/loop.h"
#include "sql_gen.h"
#include "ticket/replay.h"
#include "ticket/ticket_doc.h"

#include <stdlib.h>

#define LOOK_MS (60 * 1000)
#define SLICE_US 2000
#define PAGE_EVENTS 500
#define PAGE_TICKETS 100
#define LOGGED_MAX 20 /* tickets of a customer's check that are logged */

#define LAWS 2

static const enum sla_law laws[LAWS] = { SLA_LAW_LADDER, SLA_LAW_FIRST };

enum column { C_ID, C_NUMBER, C_POLICY, C_CALENDAR, C_STATE, C_SEQ, C_TYPE, C_AT, C_DATA };

enum part { PART_BEFORE, PART_EVENT, PART_AFTER, PARTS };

/* An event and how far it is replayed: in parts, by one law after the other. */
struct event {
	struct json_object *data; /* NULL: no event is replayed */
	struct sla_rules rules;
	enum ticket_command cmd;
	int64_t seq, at;
	enum part part;
	int law;
};

static struct {
	struct job_run *run;
	PGresult *rows; /* the page */
	int row;        /* the next one */
	/* the check under way; tenant 0: none is known */
	int64_t tenant, started, after;
	int logged;
	/* the ticket that is replayed; 0: none. A long history goes through several pages. */
	int64_t ticket, seq;
	int state_row; /* the row of this page with its stored state */
	/* by the laws that the events which name none can have been applied by: the second, or the
	 * first; a ticket agrees with one of them. While all events name theirs, both would be the
	 * same, and there is only the first. */
	struct sla_ticket clocks[LAWS];
	int laws;
	struct sla_rules rules; /* of the history so far; policy NULL: no event was replayed yet */
	bool unreadable;        /* a version of its history cannot be read */
	struct event event;     /* the one that is replayed */
	/* of this page */
	int64_t last;      /* the last ticket that was compared */
	int tickets, seen; /* compared; begun */
	bool done;         /* it ends the customer's tickets */
	struct buf found;  /* what differs, as JSON */
	struct sla_verify_health health;
} verify;

static void go_on(void *arg);

struct sla_verify_health sla_verify_health(void)
{
	return verify.health;
}

static void drop_page(void)
{
	PQclear(verify.rows);
	verify.rows = NULL;
	verify.run->call.keep_rows = false;
}

static void forget_event(void)
{
	json_object_put(verify.event.data);
	verify.event = (struct event){ 0 };
}

static void forget_ticket(void)
{
	forget_event();
	for (int i = 0; i < LAWS; i++) {
		sla_ticket_free(&verify.clocks[i]);
		verify.clocks[i] = (struct sla_ticket){ 0 };
	}
	verify.ticket = verify.seq = 0;
}

static void end_run(enum job_result result)
{
	struct job_run *run = verify.run;

	verify.run = NULL;
	job_end(run, result);
}

/* Nothing of this page is stored. The next run asks where the check stands. */
static void give_up(enum db_error error)
{
	struct job_run *run = verify.run;

	drop_page();
	forget_ticket();
	verify.tenant = 0;
	verify.run = NULL;
	job_end_db(run, error);
}

/* --- one page is stored --- */

static void on_stored(struct job_run *run, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK || PQntuples(rows) == 0) { /* the other instance that went on tells it */
		forget_ticket();
		verify.tenant = 0;
		if (error != DB_OK) {
			verify.run = NULL;
			job_end_db(run, error);
			return;
		}
		end_run(JOB_MORE);
		return;
	}
	failpoint("clocks-checked");
	verify.health.tickets += (uint64_t)verify.tickets;
	if (verify.done) {
		int64_t bad = db_int(rows, 0, 1);

		log_line(bad ? LOG_ERROR : LOG_INFO, NULL,
			"clocks checked tenant=%lld tickets=%lld differing=%lld%s",
			(long long)verify.tenant, (long long)db_int(rows, 0, 0), (long long)bad,
			bad ? "; sladesk sla differences lists them" : "");
		if (bad)
			notify_wake();
		verify.tenant = 0;
	}
	end_run(JOB_MORE);
}

static void store_page(void)
{
	struct job_run *run = verify.run;
	int n = PQntuples(verify.rows);
	int64_t was = verify.after;

	verify.done = n < PAGE_EVENTS && verify.seen < PAGE_TICKETS;
	drop_page();
	if (verify.last)
		verify.after = verify.last;
	buf_adds(&verify.found, verify.found.n ? "]" : "[]");
	job_param_int(run, 0, clock_now_us());
	job_param_int(run, 1, verify.tenant);
	job_param_int(run, 2, verify.started);
	job_param_int(run, 3, was);
	job_param_int(run, 4, verify.after);
	job_param_int(run, 5, verify.tickets);
	job_param_text(run, 6, buf_cstr(&verify.found));
	job_param_text(run, 7, verify.done ? "true" : "false");
	job_query(run, &sql_sla_verify_store, on_stored);
}

/* --- one ticket is compared --- */

static void add_difference(
	struct buf *b, const char *clock, struct buf *stored, struct buf *reckoned)
{
	buf_addf(b, "%s{\"clock\":\"%s\",\"stored\":", b->n ? "," : "", clock);
	buf_add_json(b, stored->p, stored->n);
	buf_adds(b, ",\"reckoned\":");
	buf_add_json(b, reckoned->p, reckoned->n);
	buf_addc(b, '}');
	if (verify.logged < LOGGED_MAX) {
		struct str number = db_text(verify.rows, verify.state_row, C_NUMBER);

		log_error(NULL,
			"stored clock is not what the ticket's history gives tenant=%lld "
			"ticket=%.*s clock=%s stored=\"%s\" reckoned=\"%s\"",
			(long long)verify.tenant, (int)number.n, number.p, clock, buf_cstr(stored),
			buf_cstr(reckoned));
	}
}

/* Compare the stored clocks with those by law LAW. Returns how many differ; they are added to OUT,
 * unless it is NULL. */
static int compare_clocks(const struct sla_ticket *stored, int law, struct buf *out)
{
	struct buf a = { 0 }, b = { 0 };
	int bad = 0;

	for (int k = 0; k < SLA_CLOCKS; k++) {
		a.n = b.n = 0;
		if (replay_differs(&stored->clock[k], &verify.clocks[law].clock[k], &a, &b) &&
			++bad && out)
			add_difference(out, sla_clock_name((enum sla_clock_kind)k), &a, &b);
	}
	buf_free(&a);
	buf_free(&b);
	return bad;
}

static void compare_ticket(struct buf *out)
{
	struct str doc = db_text(verify.rows, verify.state_row, C_STATE);
	struct buf stored = { 0 }, why = { 0 };
	struct ticket t = { 0 };
	bool readable = ticket_read(doc.p, doc.n, &t);

	if (verify.unreadable)
		buf_adds(&why, "a policy or calendar of its history cannot be read");
	else if (!verify.rules.policy)
		buf_adds(&why, "it has no history");
	else if (!readable)
		buf_adds(&why, "its state cannot be read");
	if (why.n)
		add_difference(out, "history", &stored, &why);
	else if (compare_clocks(&t.sla, 0, NULL) &&
		 (verify.laws == 1 || compare_clocks(&t.sla, 1, NULL)))
		compare_clocks(&t.sla, 0, out);
	ticket_clear(&t);
	buf_free(&why);
}

static void finish_ticket(void)
{
	struct buf clocks = { 0 };

	compare_ticket(&clocks);
	if (clocks.n) {
		buf_addf(&verify.found, "%s{\"ticket_id\":%lld,\"clocks\":[%s]}",
			verify.found.n ? "," : "[", (long long)verify.ticket, buf_cstr(&clocks));
		verify.logged++;
	}
	buf_free(&clocks);
	verify.last = verify.ticket;
	verify.tickets++;
	forget_ticket();
}

/* --- one event is replayed --- */

static void on_version(void *arg, const struct sla_version *v, enum db_error error)
{
	(void)arg;
	if (!v && error == DB_FAILED)
		verify.unreadable = true; /* this ticket's row says so */
	else if (!v) {
		give_up(error);
		return;
	}
	later_call(go_on, NULL);
}

/* The rules from this event on. Returns false, and goes on later, if they are read first. */
static bool find_rules(enum ticket_command cmd, struct json_object *data, struct sla_rules *out)
{
	bool named = cmd != CMD_COUNT && json_get(data, "policy_id");
	int64_t policy, calendar;
	const struct sla_version *v;

	*out = verify.rules;
	if (!named && verify.rules.policy)
		return true;
	policy = named ? json_get_int(data, "policy_id", 0)
		       : db_int(verify.rows, verify.row, C_POLICY);
	calendar = named ? json_get_int(data, "calendar_id", 0)
			 : db_int(verify.rows, verify.row, C_CALENDAR);
	v = versions_find(policy, calendar);
	if (!v) {
		versions_get(policy, calendar, on_version, NULL);
		return false;
	}
	*out = (struct sla_rules){ &v->policy, v->calendar };
	return true;
}

/* From this event on, which does not say by which law it was applied, there are two histories. */
static void part_laws(void)
{
	for (; verify.laws < LAWS; verify.laws++) {
		sla_ticket_free(&verify.clocks[verify.laws]);
		sla_ticket_copy(&verify.clocks[verify.laws], &verify.clocks[0]);
		verify.clocks[verify.laws].unnamed_law = laws[verify.laws];
	}
}

/* Take up the event of the row. Returns false if that goes on later. */
static bool begin_event(void)
{
	const PGresult *rows = verify.rows;
	struct str text = db_text(rows, verify.row, C_DATA);
	struct event e = { .cmd = ticket_command_of_event(db_text(rows, verify.row, C_TYPE)),
		.seq = db_int(rows, verify.row, C_SEQ),
		.at = db_int(rows, verify.row, C_AT) };
	struct json_error err;

	e.data = json_read_own(text.p, text.n, &err);
	if (!find_rules(e.cmd, e.data, &e.rules)) {
		json_object_put(e.data);
		return false;
	}
	if (!e.data) /* not an object of ours: it changes nothing but the time */
		e.data = json_object_new_object();
	if (e.cmd != CMD_COUNT && !replay_names_law(e.data))
		part_laws();
	verify.event = e;
	return true;
}

/* Replay a piece of the event. Returns true if it was the last. */
static bool replay_piece(void)
{
	struct event *e = &verify.event;
	struct sla_ticket *t = &verify.clocks[e->law];

	switch (e->part) {
	case PART_BEFORE:
		if (replay_settle_some(t, verify.rules.policy ? verify.rules : e->rules,
			    replay_settled_before(e->cmd, e->at, e->data)))
			e->part = e->cmd == CMD_COUNT ? PARTS : PART_EVENT;
		break;
	case PART_EVENT:
		replay_apply(t, e->rules, e->cmd, e->seq, e->at, e->data);
		e->part = PART_AFTER;
		break;
	case PART_AFTER:
		if (replay_settle_some(t, e->rules, replay_settled_after(e->cmd, e->at, e->data)))
			e->part = PARTS;
		break;
	case PARTS:
		break;
	}
	if (e->part != PARTS)
		return false;
	e->part = PART_BEFORE;
	if (++e->law < verify.laws)
		return false;
	verify.rules = e->rules;
	verify.seq = e->seq;
	forget_event();
	return true;
}

static void begin_ticket(int64_t id)
{
	sla_ticket_init(&verify.clocks[0]);
	verify.clocks[0].unnamed_law = laws[0];
	verify.laws = 1;
	verify.ticket = id;
	verify.rules = (struct sla_rules){ 0 };
	verify.unreadable = false;
}

enum piece { PIECE_DONE, PIECE_ENDS_ROW, PIECE_WAITS };

/* Do the next piece of the row's work. */
static enum piece take_piece(void)
{
	const PGresult *rows = verify.rows;
	int64_t id = db_int(rows, verify.row, C_ID);

	if (verify.event.data)
		return replay_piece() ? PIECE_ENDS_ROW : PIECE_DONE;
	if (verify.ticket && id != verify.ticket) {
		finish_ticket();
		return PIECE_DONE;
	}
	if (!verify.ticket)
		begin_ticket(id);
	if (!db_is_null(rows, verify.row, C_STATE) && verify.state_row != verify.row) {
		verify.state_row = verify.row;
		verify.seen++;
	}
	if (db_is_null(rows, verify.row, C_SEQ))
		return PIECE_ENDS_ROW;
	if (verify.unreadable) {
		verify.seq = db_int(rows, verify.row, C_SEQ);
		return PIECE_ENDS_ROW;
	}
	return begin_event() ? PIECE_DONE : PIECE_WAITS;
}

/* Replay the page, one slice a turn. */
static void go_on(void *arg)
{
	int64_t began = clock_mono_us(), took = 0;
	int n = PQntuples(verify.rows);
	bool ended = false;

	(void)arg;
	while (!ended && took <= SLICE_US) {
		if (verify.row < n) {
			enum piece piece = take_piece();

			if (piece == PIECE_WAITS)
				return; /* on_version goes on */
			verify.row += piece == PIECE_ENDS_ROW;
		} else {
			if (n < PAGE_EVENTS && verify.ticket)
				finish_ticket();
			ended = true;
		}
		took = clock_mono_us() - began;
	}
	if (took > verify.health.longest_us)
		verify.health.longest_us = took;
	if (ended)
		store_page();
	else
		later_call(go_on, NULL);
}

/* --- the page is read --- */

static void on_page(struct job_run *run, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK) {
		run->call.keep_rows = false;
		give_up(error);
		return;
	}
	verify.rows = run->call.rows;
	run->call.rows = NULL;
	verify.row = verify.tickets = verify.seen = 0;
	verify.state_row = -1;
	verify.last = 0;
	verify.found.n = 0;
	if (verify.ticket && (!PQntuples(rows) || db_int(rows, 0, C_ID) != verify.ticket))
		forget_ticket(); /* it is no more */
	go_on(NULL);
}

static void read_page(void)
{
	struct job_run *run = verify.run;

	run->call.keep_rows = true;
	job_param_int(run, 0, verify.tenant);
	job_param_int(run, 1, verify.ticket ? verify.ticket : verify.after + 1);
	job_param_int(run, 2, verify.seq);
	job_param_int(run, 3, PAGE_EVENTS);
	job_param_int(run, 4, PAGE_TICKETS);
	job_query(run, &sql_sla_verify_page, on_page);
}

static void on_begun(struct job_run *run, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK || PQntuples(rows) == 0) {
		verify.run = NULL;
		job_end_db(run, error);
		return;
	}
	verify.tenant = db_int(rows, 0, 0);
	verify.started = db_int(rows, 0, 1);
	verify.after = db_int(rows, 0, 2);
	verify.logged = 0;
	read_page();
}

int64_t sla_verify_every(void)
{
	return options.engine_verify_hour < 0 ? 0 : LOOK_MS;
}

void sla_verify_run(struct job_run *run)
{
	verify.run = run;
	if (verify.tenant) {
		read_page();
		return;
	}
	job_param_int(run, 0, clock_now_us());
	job_param_int(run, 1, options.engine_verify_hour);
	job_query(run, &sql_sla_verify_begin, on_begun);
}

void sla_verify_free(void)
{
	PQclear(verify.rows);
	verify.rows = NULL;
	forget_ticket();
	buf_free(&verify.found);
}

/* --- how it stands, whichever instance checks --- */

static void on_state(struct job_run *run, enum db_error error, const PGresult *rows)
{
	if (error == DB_OK) {
		verify.health.differing = db_int(rows, 0, 0);
		verify.health.checked_at = db_is_null(rows, 0, 1) ? 0 : db_int(rows, 0, 1);
	}
	job_end_db(run, error);
}

void sla_verify_look(struct job_run *run)
{
	job_query(run, &sql_sla_verify_state, on_state);
}
