/* SPDX-License-Identifier: Apache-2.0
 * Compares tickets with their source system at regular intervals. The source system reports the
 * number of tickets of each customer and a checksum over them. If they differ from ours, we request
 * its tickets, page by page, and apply those that differ as ordinary messages. Meanwhile the
 * customer's numbers are marked. Afterwards the counts are compared again, and the managers are
 * notified of the result. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/outage.h"
#include "config/options.h"
#include "crypto/secretfile.h"
#include "core/cache.h"
#include "core/flow.h"
#include "core/hooks.h"
#include "core/session.h"
#include "integration.h"
#include "integration_http.h"
#include "sql_gen.h"
#include "sync.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE_MAX 1000
#define PAGES_MAX 10000
#define LEFT_TOLD 20
#define LOOK_S 60
#define SOURCE "the source of tickets"

enum {
	CLAIM,
	LOG_IN,
	ASK_COUNTS,
	TAKE_COUNTS,
	CUSTOMER,
	SUMMARISE,
	COMPARE,
	RECORDED,
	ASK_PAGE,
	TAKE_PAGE,
	PICK,
	APPLY,
	APPLIED,
	ASK_AGAIN,
	VERIFY,
	ENDED,
};

static struct {
	struct flow flow;
	struct job_run *job;
	enum job_result result;
	struct session *session;
	enum db_error session_error;
	struct json_object *counts; /* all customers, as reported at the beginning */
	size_t at;                  /* index into customers */
	/* the customer being compared */
	int64_t tenant_id, started, theirs, ours, differing, repaired, left, pages;
	char checksum[65], *after;
	bool verifying;
	struct buf left_over, theirs_json;
	const char *state;
	/* the current page */
	struct json_object *page;
	size_t wanted[PAGE_MAX], wanted_n, next;
	struct sync_item item;
	enum sync_result applied;
} run;

/* --- the result of a comparison --- */

static struct outcome *give_up(struct flow *f)
{
	run.result = JOB_FAILED;
	return flow_end(f);
}

/* The list as JSON, closed if it was still open. */
static const char *left_text(void)
{
	if (!run.left_over.n)
		return "[]";
	if (run.left_over.p[run.left_over.n - 1] != ']')
		buf_addc(&run.left_over, ']');
	return buf_cstr(&run.left_over);
}

/* Store the state of the comparison. */
static struct outcome *record(struct flow *f, const char *state)
{
	const int64_t n[] = { run.theirs, run.ours, run.differing, run.repaired };

	run.state = state;
	flow_param_int(f, 0, run.tenant_id);
	flow_param_int(f, 1, run.started);
	flow_param_text(f, 2, state);
	for (int i = 0; i < 4; i++)
		flow_param_int(f, 3 + i, n[i]);
	flow_param_text(f, 7, left_text());
	flow_param_int(f, 8, run.left);
	flow_param_int(f, 9, clock_now_us());
	if (strcmp(state, "agrees") != 0)
		log_warn(NULL,
			"tickets differ from the source system's tenant=%lld state=%s theirs=%lld "
			"ours=%lld differing=%lld repaired=%lld left=%lld",
			(long long)run.tenant_id, state, (long long)run.theirs, (long long)run.ours,
			(long long)run.differing, (long long)run.repaired, (long long)run.left);
	return flow_query(f, RECORDED, &sql_reconcile_record);
}

static struct outcome *step_recorded(struct flow *f)
{
	if (f->error != DB_OK)
		db_log(LOG_WARN, NULL, f->error, "comparison not stored tenant=%lld err=%s",
			(long long)run.tenant_id, db_error_name(f->error));
	else if (db_int(f->rows, 0, 1))
		notify_wake();
	cache_outdate(run.tenant_id, 0); /* mark its numbers, or remove the mark */
	return flow_go(f, strcmp(run.state, "repairing") == 0 ? ASK_PAGE : CUSTOMER);
}

static void note_left(const char *ticket, const char *en, const char *zh)
{
	if (run.left++ >= LEFT_TOLD)
		return;
	buf_adds(&run.left_over, run.left_over.n ? ",{\"ticket_id\":" : "[{\"ticket_id\":");
	buf_add_json(&run.left_over, ticket ? ticket : "", ticket ? strlen(ticket) : 0);
	buf_adds(&run.left_over, ",\"reason\":");
	buf_add_json(&run.left_over, en, strlen(en));
	buf_adds(&run.left_over, ",\"reason_zh\":");
	buf_add_json(&run.left_over, zh, strlen(zh));
	buf_addc(&run.left_over, '}');
}

/* --- requests to the source system --- */

static struct outcome *get_from_source(struct flow *f, int step, const char *query)
{
	char *url = xasprintf("%s%c%s", options.integration_tickets_url,
		strchr(options.integration_tickets_url, '?') ? '&' : '?', query);

	integration_http_get(url, options.integration_tickets_token_file, flow_on_fetched, f);
	free(url);
	return flow_wait(f, step);
}

/* The list NAME in the response. Logs and returns NULL if it is not one. The caller releases
 * *OUT. */
static struct json_object *list_of(
	const struct fetch_result *r, const char *name, struct json_object **out)
{
	struct json_error err;
	struct json_object *list;

	*out = r->ok ? json_read(r->body, r->body_n, &err) : NULL;
	list = json_get(*out, name);
	if (json_object_is_type(list, json_type_array) &&
		json_object_array_length(list) <= PAGE_MAX) {
		outage_back(SOURCE);
		return list;
	}
	outage_note(LOG_ERROR, SOURCE, "tickets not compared: %s",
		r->ok ? "not a list as described in doc/api" : r->error);
	return NULL;
}

/* Read one customer's counts from entry E. */
static bool read_counts(struct json_object *e)
{
	const char *sum = json_get_string(e, "checksum");
	int64_t tenant = json_get_int(e, "tenant_id", 0), n = json_get_int(e, "tickets", -1);

	if (tenant < 2 || n < 0 || !sum || strlen(sum) != 64 ||
		!session_serves(run.session, tenant)) {
		log_error(NULL, "tickets not compared: entry %zu is not a known customer", run.at);
		return false;
	}
	run.tenant_id = tenant;
	run.theirs = n;
	snprintf(run.checksum, sizeof(run.checksum), "%s", sum);
	return true;
}

/* --- the beginning --- */

static struct outcome *step_claim(struct flow *f)
{
	flow_param_int(f, 0, clock_now_us());
	flow_param_int(f, 1, options.integration_tickets_every_s);
	return flow_query(f, LOG_IN, &sql_reconcile_claim);
}

static void on_session(void *arg, struct session *s, enum db_error error)
{
	run.session = s;
	run.session_error = error;
	flow_arrived(arg);
}

static struct outcome *step_log_in(struct flow *f)
{
	char *token;

	if (f->error != DB_OK)
		return give_up(f);
	if (PQntuples(f->rows) == 0) /* not due, or another instance does it */
		return flow_end(f);
	token = secretfile_line(options.integration_tickets_service_token_file);
	session_find(str_of(token ? token : ""), on_session, f);
	free(token);
	return flow_wait(f, ASK_COUNTS);
}

static struct outcome *step_ask_counts(struct flow *f)
{
	const struct session *s = run.session;

	if (s && s->actor == ACTOR_SERVICE && session_may(s, PERM_TICKET_WRITE))
		return get_from_source(f, TAKE_COUNTS, "view=counts");
	db_log(LOG_ERROR, NULL, run.session_error, "tickets not compared: %s",
		run.session_error != DB_OK
			? db_error_name(run.session_error)
			: "integration.tickets_service_token_file does not hold a service token "
			  "that may write tickets");
	return give_up(f);
}

static struct outcome *step_take_counts(struct flow *f)
{
	struct json_object *o, *list = list_of(f->fetched, "customers", &o);

	run.counts = json_object_get(list);
	json_object_put(o);
	run.at = 0;
	return list ? flow_go(f, CUSTOMER) : give_up(f);
}

/* --- one customer --- */

static struct outcome *step_customer(struct flow *f)
{
	while (run.at < json_object_array_length(run.counts)) {
		if (!read_counts(json_object_array_get_idx(run.counts, run.at++)))
			continue;
		f->id = run.tenant_id;
		run.differing = run.repaired = run.left = run.pages = 0;
		run.left_over.n = 0;
		free(run.after);
		run.after = xstrdup("");
		run.verifying = false;
		run.started = clock_now_us();
		return flow_go(f, SUMMARISE);
	}
	/* all customers are done; other instances need not repeat it */
	return flow_query(f, ENDED, &sql_reconcile_end);
}

static struct outcome *step_ended(struct flow *f)
{
	return flow_end(f); /* if it was not stored, the comparison is repeated in an hour */
}

static struct outcome *step_summarise(struct flow *f)
{
	struct db_context ctx = session_context(run.session);

	flow_param_int(f, 0, run.tenant_id);
	return flow_query_as(f, COMPARE, &sql_reconcile_summary, &ctx);
}

static struct outcome *step_compare(struct flow *f)
{
	bool same, arrived;

	if (f->error != DB_OK) {
		db_log(LOG_WARN, NULL, f->error, "tickets not compared err=%s",
			db_error_name(f->error));
		return give_up(f);
	}
	same = db_int(f->rows, 0, 0) == run.theirs && str_is(db_text(f->rows, 0, 1), run.checksum);
	/* A message that arrived during the comparison is not a difference. */
	arrived = run.verifying && same && !run.differing && !run.left;
	if (!run.verifying || arrived)
		run.ours = db_int(f->rows, 0, 0);
	if (run.verifying && !same && !run.left && db_int(f->rows, 0, 0) > run.theirs)
		note_left(NULL, "tickets that the source system does not know",
			"源系统中不存在的工单");
	return record(f, same            ? run.verifying && !arrived ? "repaired" : "agrees"
			 : run.verifying ? "differs"
					 : "repairing");
}

/* --- repair --- */

static struct outcome *step_ask_page(struct flow *f)
{
	struct buf q = { 0 };
	struct outcome *o;

	buf_addf(&q, "tenant_id=%lld&after=", (long long)run.tenant_id);
	buf_add_url(&q, run.after, strlen(run.after));
	o = get_from_source(f, TAKE_PAGE, buf_cstr(&q));
	buf_free(&q);
	return o;
}

static void note_fault(const struct sync_item *item, const char *en, const char *zh)
{
	note_left(item->external_id, item->fault.en ? item->fault.en : en,
		item->fault.zh ? item->fault.zh : zh);
}

/* The contents of the messages in our terms, for the comparison in the database. */
static void write_theirs(struct json_object *messages)
{
	run.theirs_json.n = 0;
	buf_addc(&run.theirs_json, '[');
	for (size_t i = 0; i < json_object_array_length(messages); i++) {
		struct sync_item item = { 0 };
		struct buf *b = &run.theirs_json;

		if (!sync_item_read(json_object_array_get_idx(messages, i), &item) ||
			item.tenant_id != run.tenant_id) {
			note_fault(&item, "belongs to another tenant", "属于其他租户");
			sync_item_clear(&item);
			continue;
		}
		buf_addf(b, "%s{\"n\":%zu,\"id\":", b->n > 1 ? "," : "", i);
		buf_add_json(b, item.external_id, strlen(item.external_id));
		if (item.status != TICKET_STATE_COUNT)
			buf_addf(b, ",\"status\":\"%s\"", ticket_state_name(item.status));
		if (item.priority != PRIORITY_NONE)
			buf_addf(b, ",\"priority\":\"%s\"", priority_name(item.priority));
		buf_addf(b, ",\"at\":%lld}", (long long)item.said_at);
		sync_item_clear(&item);
	}
	buf_addc(&run.theirs_json, ']');
}

static void end_page(void)
{
	json_object_put(run.page);
	run.page = NULL;
}

static struct outcome *step_take_page(struct flow *f)
{
	struct json_object *messages = list_of(f->fetched, "tickets", &run.page);
	struct db_context ctx = session_context(run.session);

	if (!messages) {
		end_page();
		return record(f, "failed");
	}
	write_theirs(messages);
	flow_param_int(f, 0, run.tenant_id);
	flow_param_text(f, 1, buf_cstr(&run.theirs_json));
	return flow_query_as(f, PICK, &sql_reconcile_compare, &ctx);
}

static struct outcome *step_pick(struct flow *f)
{
	if (f->error != DB_OK)
		return record(f, "failed");
	run.wanted_n = run.next = 0;
	for (int i = 0; i < PQntuples(f->rows); i++)
		if (!db_int(f->rows, i, 1)) { /* newer tickets are reported next time */
			run.differing++;
			run.wanted[run.wanted_n++] = (size_t)db_int(f->rows, i, 0);
		}
	return flow_go(f, APPLY);
}

static void clear_item(void)
{
	sync_item_clear(&run.item);
	run.item = (struct sync_item){ 0 };
}

static void on_applied(struct sync_item *item, enum sync_result result)
{
	run.applied = result;
	flow_arrived(item->arg);
}

/* The next valid message of the page; false if there is none. Every message was valid when the page
 * arrived, but if the clock was set back since then, its time may now lie in the future. */
static bool read_next_item(void)
{
	struct json_object *messages = json_get(run.page, "tickets");

	while (run.next < run.wanted_n) {
		if (sync_item_read(
			    json_object_array_get_idx(messages, run.wanted[run.next++]), &run.item))
			return true;
		note_fault(&run.item, "invalid", "内容有误");
		clear_item();
	}
	return false;
}

/* Is there another page? Then run.after names it. */
static bool has_next_page(void)
{
	const char *next = json_get_string(run.page, "next");

	if (!next || !*next || strcmp(next, run.after) == 0 || ++run.pages >= PAGES_MAX)
		return false;
	free(run.after);
	run.after = xstrdup(next);
	return true;
}

static struct outcome *step_apply(struct flow *f)
{
	char *name;

	if (!read_next_item()) {
		int step = has_next_page() ? ASK_PAGE : ASK_AGAIN;

		end_page();
		return flow_go(f, step);
	}
	name = xasprintf("check:%lld:%s", (long long)run.started, run.item.external_id);
	sync_item_rename(&run.item, name);
	free(name);
	run.item.token_id = run.session->actor_id;
	run.item.ctx = session_context(run.session);
	run.item.leads = true;
	run.item.on_done = on_applied;
	run.item.arg = f;
	sync_apply(&run.item);
	return flow_wait(f, APPLIED);
}

static struct outcome *step_applied(struct flow *f)
{
	const struct sync_item *item = &run.item;

	if (run.applied == SYNC_FAILED) { /* that is not a difference: compare again soon */
		db_log(LOG_WARN, NULL, item->db_error, "tickets not compared err=%s",
			db_error_name(item->db_error));
		return give_up(f);
	}
	if (run.applied == SYNC_APPLIED && item->status != TICKET_STATE_COUNT &&
		item->state != item->status)
		note_left(item->external_id, "cannot return to the state of the source system",
			"无法回到源系统所示的状态");
	else if (run.applied == SYNC_APPLIED)
		run.repaired++;
	else
		note_fault(item, sync_result_name(run.applied), sync_result_name(run.applied));
	clear_item();
	return flow_go(f, APPLY);
}

/* Request the counts again: the source system has changed meanwhile, too. */
static struct outcome *step_ask_again(struct flow *f)
{
	return get_from_source(f, VERIFY, "view=counts");
}

static struct outcome *step_verify(struct flow *f)
{
	struct json_object *o, *list = list_of(f->fetched, "customers", &o);
	bool found = false;

	for (size_t i = 0; list && i < json_object_array_length(list) && !found; i++) {
		struct json_object *e = json_object_array_get_idx(list, i);

		found = json_get_int(e, "tenant_id", 0) == run.tenant_id && read_counts(e);
	}
	json_object_put(o);
	run.verifying = true;
	return found ? flow_go(f, SUMMARISE) : record(f, "failed");
}

/* --- the flow --- */

static const struct flow_step steps[] = {
	[CLAIM] = { "claim", step_claim },
	[LOG_IN] = { "log_in", step_log_in },
	[ASK_COUNTS] = { "ask_counts", step_ask_counts },
	[TAKE_COUNTS] = { "take_counts", step_take_counts },
	[CUSTOMER] = { "customer", step_customer },
	[SUMMARISE] = { "summarise", step_summarise },
	[COMPARE] = { "compare", step_compare },
	[RECORDED] = { "recorded", step_recorded },
	[ASK_PAGE] = { "ask_page", step_ask_page },
	[TAKE_PAGE] = { "take_page", step_take_page },
	[PICK] = { "pick", step_pick },
	[APPLY] = { "apply", step_apply },
	[APPLIED] = { "applied", step_applied },
	[ASK_AGAIN] = { "ask_again", step_ask_again },
	[VERIFY] = { "verify", step_verify },
	[ENDED] = { "ended", step_ended },
};

static void on_end(struct flow *f)
{
	(void)f;
	session_put(run.session);
	run.session = NULL;
	json_object_put(run.counts);
	run.counts = NULL;
	end_page();
	clear_item();
	free(run.after);
	run.after = NULL;
	buf_free(&run.left_over);
	buf_free(&run.theirs_json);
	job_end(run.job, run.result);
}

static const struct flow_kind reconcile_flow = { "reconcile", steps, on_end };

int64_t reconcile_every(void)
{
	int64_t s = options.integration_tickets_every_s;

	return options.integration_tickets_url[0] ? (s < LOOK_S ? s : LOOK_S) * 1000 : 0;
}

void reconcile_run(struct job_run *job)
{
	run.job = job;
	run.result = JOB_DONE;
	flow_start(&run.flow, &reconcile_flow, 0);
}

void reconcile_stop(void)
{
	flow_stop(&run.flow);
}
