/* SPDX-License-Identifier: Apache-2.0
 * Compares tickets with their source system at regular intervals. The source system reports the
 * number of tickets of each customer and a checksum over them. If they differ from ours, we request
 * its tickets, page by page, and apply those that differ as ordinary messages. Meanwhile the
 * customer's numbers are marked. Afterwards the counts are compared again, and the managers are
 * notified of the result. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "config/secret.h"
#include "core/cache.h"
#include "core/session.h"
#include "config/options.h"
#include "sync.h"
#include "core/hooks.h"
#include "core/cache.h"
#include "integration.h"
#include "loop/loop.h"
#include "integration_http.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE_MAX 1000
#define PAGES_MAX 10000
#define LEFT_TOLD 20
#define LOOK_S 60

static struct {
	bool running, stopped;
	struct db_call call;
	struct session *session;
	struct json_object *counts; /* all customers, as reported at the beginning */
	size_t at;                  /* index into customers */
	/* the customer being compared */
	int64_t tenant_id, started, theirs, ours, differing, repaired, left, pages;
	char checksum[65], tenant[24], number[6][24], now[24], after[120];
	bool verifying;
	struct buf left_over, theirs_json;
	const char *state;
	/* the current page */
	struct json_object *page;
	size_t wanted[PAGE_MAX], wanted_n, next;
	struct sync_item item;
} run;

static void next_customer(void);
static void fetch_page(void);
static void summarise(void);
static void next_item(void);

/* --- the end of a comparison --- */

static void end_run(void)
{
	session_put(run.session);
	run.session = NULL;
	json_object_put(run.counts);
	json_object_put(run.page);
	run.counts = run.page = NULL;
	buf_free(&run.left_over);
	buf_free(&run.theirs_json);
	run.running = false;
}

static const char *number(int slot, int64_t v)
{
	snprintf(run.number[slot], sizeof(run.number[slot]), "%lld", (long long)v);
	return run.number[slot];
}

static void on_recorded(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	if (error != DB_OK)
		log_warn(NULL, "comparison not stored tenant=%s err=%s", run.tenant,
			db_error_name(error));
	cache_outdate(run.tenant_id, 0); /* mark its numbers, or remove the mark */
	if (run.stopped) {
		end_run();
		return;
	}
	if (error == DB_OK && db_int(rows, 0, 1))
		notify_wake();
	if (strcmp(run.state, "repairing") == 0)
		fetch_page();
	else
		next_customer();
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

static void record(const char *state)
{
	run.state = state;
	snprintf(run.now, sizeof(run.now), "%lld", (long long)clock_now_us());
	run.call = (struct db_call){ .stmt = &sql_reconcile_record,
		.ctx.role = DB_ROLE_JOB,
		.param = { run.tenant, number(0, run.started), state, number(1, run.theirs),
			number(2, run.ours), number(3, run.differing), number(4, run.repaired),
			left_text(), number(5, run.left), run.now },
		.on_done = on_recorded };
	if (strcmp(state, "agrees") != 0)
		log_warn(NULL,
			"tickets differ from the source system's tenant=%s state=%s theirs=%lld "
			"ours=%lld "
			"differing=%lld repaired=%lld left=%lld",
			run.tenant, state, (long long)run.theirs, (long long)run.ours,
			(long long)run.differing, (long long)run.repaired, (long long)run.left);
	db_exec(&run.call);
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

static void get_from_source(const char *query, fetch_done *on_done)
{
	char *url = xasprintf("%s%c%s", options.integration_tickets_url,
		strchr(options.integration_tickets_url, '?') ? '&' : '?', query);

	integration_http_get(url, options.integration_tickets_token_file, on_done);
	free(url);
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
		json_object_array_length(list) <= PAGE_MAX)
		return list;
	log_error(NULL, "tickets not compared: %s",
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
	snprintf(run.tenant, sizeof(run.tenant), "%lld", (long long)tenant);
	return true;
}

/* --- one customer --- */

static void on_summary(struct db_call *call, enum db_error error, const PGresult *rows)
{
	bool same, arrived;

	(void)call;
	if (run.stopped || error != DB_OK) {
		log_warn(NULL, "tickets not compared err=%s", db_error_name(error));
		end_run();
		return;
	}
	same = db_int(rows, 0, 0) == run.theirs && str_is(db_text(rows, 0, 1), run.checksum);
	/* what has arrived on its own since the first look is not a difference */
	arrived = run.verifying && same && !run.differing && !run.left;
	if (!run.verifying || arrived)
		run.ours = db_int(rows, 0, 0);
	if (run.verifying && !same && !run.left && db_int(rows, 0, 0) > run.theirs)
		note_left(NULL, "tickets that the source system does not know",
			"主导系统中不存在的工单");
	record(same             ? run.verifying && !arrived ? "repaired" : "agrees"
		: run.verifying ? "differs"
				: "repairing");
}

static void summarise(void)
{
	run.call = (struct db_call){ .stmt = &sql_reconcile_summary,
		.param = { run.tenant },
		.ctx = session_context(run.session),
		.on_done = on_summary };
	db_exec(&run.call);
}

static void on_ended(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	(void)error; /* then it is repeated in an hour */
	(void)rows;
	end_run();
}

static void next_customer(void)
{
	while (run.at < json_object_array_length(run.counts)) {
		if (!read_counts(json_object_array_get_idx(run.counts, run.at++)))
			continue;
		run.differing = run.repaired = run.left = run.pages = 0;
		run.left_over.n = 0;
		run.after[0] = 0;
		run.verifying = false;
		run.started = clock_now_us();
		summarise();
		return;
	}
	/* all customers are done; other instances need not repeat it */
	run.call = (struct db_call){
		.stmt = &sql_reconcile_end, .ctx.role = DB_ROLE_JOB, .on_done = on_ended
	};
	db_exec(&run.call);
}

/* --- repair --- */

/* Request the counts again: the source system has changed meanwhile, too. */
static void on_verify(void *arg, const struct fetch_result *r)
{
	struct json_object *o, *list;
	bool found = false;

	(void)arg;
	if (run.stopped) {
		end_run();
		return;
	}
	list = list_of(r, "customers", &o);
	for (size_t i = 0; list && i < json_object_array_length(list) && !found; i++) {
		struct json_object *e = json_object_array_get_idx(list, i);

		found = json_get_int(e, "tenant_id", 0) == run.tenant_id && read_counts(e);
	}
	json_object_put(o);
	run.verifying = true;
	if (found)
		summarise();
	else
		record("failed");
}

static void end_page(void)
{
	const char *next = json_get_string(run.page, "next");
	bool more = next && *next && strlen(next) < sizeof(run.after) &&
		    strcmp(next, run.after) != 0 && ++run.pages < PAGES_MAX;

	if (more)
		snprintf(run.after, sizeof(run.after), "%s", next);
	json_object_put(run.page);
	run.page = NULL;
	if (more)
		fetch_page();
	else
		get_from_source("view=counts", on_verify);
}

static void note_fault(const struct sync_item *item, const char *en, const char *zh)
{
	note_left(item->external_id, item->fault.en ? item->fault.en : en,
		item->fault.zh ? item->fault.zh : zh);
}

static void on_applied(struct sync_item *item, enum sync_result result)
{
	if (run.stopped) {
		sync_item_clear(item);
		end_run();
		return;
	}
	if (result == SYNC_APPLIED && item->status != TICKET_STATE_COUNT &&
		item->state != item->status)
		note_left(item->external_id, "it cannot return to the state of the source system",
			"无法回到主导系统所示的状态");
	else if (result == SYNC_APPLIED)
		run.repaired++;
	else
		note_fault(item, sync_result_name(result), sync_result_name(result));
	sync_item_clear(item);
	next_item();
}

/* The next valid message of the page; false if there is none. Every message was valid when the page
 * arrived, but if the clock was set back since then, its time may now lie in the future. */
static bool read_next_item(void)
{
	struct json_object *messages = json_get(run.page, "tickets");

	while (run.next < run.wanted_n) {
		run.item = (struct sync_item){ .on_done = on_applied };
		if (sync_item_read(
			    json_object_array_get_idx(messages, run.wanted[run.next++]), &run.item))
			return true;
		note_fault(&run.item, "not sound", "内容有误");
		sync_item_clear(&run.item);
	}
	return false;
}

static void next_item(void)
{
	char *name;

	if (!read_next_item()) {
		end_page();
		return;
	}
	name = xasprintf("check:%lld:%s", (long long)run.started, run.item.external_id);
	sync_item_rename(&run.item, name);
	free(name);
	run.item.token_id = run.session->actor_id;
	run.item.ctx = session_context(run.session);
	sync_apply(&run.item);
}

static void on_compared(struct db_call *call, enum db_error error, const PGresult *rows)
{
	(void)call;
	if (run.stopped || error != DB_OK) {
		if (run.stopped)
			end_run();
		else
			record("failed");
		return;
	}
	run.wanted_n = run.next = 0;
	for (int i = 0; i < PQntuples(rows); i++)
		if (!db_int(rows, i, 1)) { /* newer tickets are reported next time */
			run.differing++;
			run.wanted[run.wanted_n++] = (size_t)db_int(rows, i, 0);
		}
	next_item();
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

static void on_page(void *arg, const struct fetch_result *r)
{
	struct json_object *messages;

	(void)arg;
	if (run.stopped) {
		end_run();
		return;
	}
	messages = list_of(r, "tickets", &run.page);
	if (!messages) {
		json_object_put(run.page);
		run.page = NULL;
		record("failed");
		return;
	}
	write_theirs(messages);
	run.call = (struct db_call){ .stmt = &sql_reconcile_compare,
		.param = { run.tenant, buf_cstr(&run.theirs_json) },
		.ctx = session_context(run.session),
		.on_done = on_compared };
	db_exec(&run.call);
}

static void fetch_page(void)
{
	struct buf q = { 0 };

	buf_addf(&q, "tenant_id=%s&after=", run.tenant);
	buf_add_url(&q, run.after, strlen(run.after));
	get_from_source(buf_cstr(&q), on_page);
	buf_free(&q);
}

/* --- the beginning --- */

static void on_counts(void *arg, const struct fetch_result *r)
{
	struct json_object *o, *list;

	(void)arg;
	if (run.stopped) {
		end_run();
		return;
	}
	list = list_of(r, "customers", &o);
	run.counts = json_object_get(list);
	json_object_put(o);
	run.at = 0;
	if (list)
		next_customer();
	else
		end_run();
}

static void on_session(void *arg, struct session *s, enum db_error error)
{
	(void)arg;
	run.session = s;
	if (!run.stopped && s && s->actor == ACTOR_SERVICE && session_may(s, PERM_TICKET_WRITE)) {
		get_from_source("view=counts", on_counts);
		return;
	}
	if (!run.stopped)
		log_error(NULL, "tickets not compared: %s",
			error != DB_OK ? db_error_name(error)
				       : "integration.tickets_service_token_file does not hold a "
					 "service token that may write tickets");
	end_run();
}

static void on_claimed(struct db_call *call, enum db_error error, const PGresult *rows)
{
	char *token;

	(void)call;
	if (run.stopped || error != DB_OK ||
		PQntuples(rows) == 0) { /* not due, or another instance does it */
		end_run();
		return;
	}
	token = config_secret_read(options.integration_tickets_service_token_file);
	session_find(str_of(token ? token : ""), on_session, NULL);
	free(token);
}

static void claim_run(void *arg)
{
	(void)arg;
	if (run.running || run.stopped)
		return;
	run.running = true;
	snprintf(run.now, sizeof(run.now), "%lld", (long long)clock_now_us());
	run.call = (struct db_call){ .stmt = &sql_reconcile_claim,
		.ctx.role = DB_ROLE_JOB,
		.param = { run.now, number(0, options.integration_tickets_every_s) },
		.on_done = on_claimed };
	db_exec(&run.call);
}

void reconcile_init(void)
{
	int64_t every = options.integration_tickets_every_s;

	if (options.integration_tickets_url[0])
		loop_every((every < LOOK_S ? every : LOOK_S) * 1000, claim_run, NULL);
}

void reconcile_free(void)
{
	run.stopped = true;
}
