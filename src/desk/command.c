/* SPDX-License-Identifier: Apache-2.0
 * The ticket command, step by step: config or load, versions, decide (decide.c), store. */
#include "desk/command.h"
#include "base/magic.h"
#include "desk/decide.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "core/events.h"
#include "desk/upkeep.h"
#include "ticket/names.h"
#include "timers/deadlines.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define TRIES_MAX 5
#define MERGES_MAX 8 /* the maximum length of a chain of parents */

static void step_load(struct ticket_call *c);
static void step_store(struct ticket_call *c);

struct ended {
	uint32_t magic;
	struct ticket_call *call;
	enum call_result result;
};
MAGIC(ended, 0xe6120d04);

static void deliver(void *arg)
{
	struct ended *e = magic_cast(ended, arg), copy = *e;

	magic_end(e);
	free(e);
	copy.call->on_done(copy.call, copy.result);
}

static void finish_call(struct ticket_call *c, enum call_result result)
{
	struct ended *e = magic_new(ended);

	c->state = c->ticket.sla.state;
	ticket_clear(&c->ticket);
	free(c->docs);
	c->docs = NULL;
	loop_timer_free(c->retry);
	c->retry = NULL;
	e->call = c;
	e->result = result;
	later_call(deliver, e);
}

static void end_db(struct ticket_call *c, enum db_error error)
{
	c->db_error = error;
	finish_call(c, CALL_DB);
}

static void query_call(struct ticket_call *c, const struct sql_stmt *stmt,
	void (*on_done)(struct db_call *call, enum db_error e, const PGresult *rows))
{
	c->db.stmt = stmt;
	c->db.ctx = c->ctx;
	c->db.ctx.tenant_id = c->tenant_id;
	c->db.on_done = on_done;
	c->db.arg = c;
	db_exec(&c->db);
}

/* The origin of a command determines its statements and their class: a timer never waits for
 * requests, and upkeep never delays a timer. A call without a role is treated as a user's, and the
 * driver refuses it. */
enum way { WAY_PERSON, WAY_TIMER, WAY_UPKEEP };

static const struct {
	const struct sql_stmt *load, *store;
} ways[] = {
	[WAY_PERSON] = { &sql_ticket_load, &sql_ticket_store },
	[WAY_TIMER] = { &sql_sla_load_due, &sql_sla_fire },
	[WAY_UPKEEP] = { &sql_sla_rebind_load, &sql_sla_rebind_store },
};

static enum way way_of(const struct ticket_call *c)
{
	if (c->ctx.role != DB_ROLE_JOB)
		return WAY_PERSON;
	return c->timer_id ? WAY_TIMER : WAY_UPKEEP;
}

/* --- steps --- */

static void retry_now(void *arg)
{
	step_load(arg);
}

/* Another writer was faster, or the lock was held: try again, each time a little later, so that
 * competing writers do not meet again. */
static void retry(struct ticket_call *c)
{
	unsigned char jitter;

	if (++c->tries >= TRIES_MAX) {
		finish_call(c, CALL_BUSY);
		return;
	}
	ticket_clear(&c->ticket);
	if (!c->retry)
		c->retry = loop_timer_new(retry_now, c);
	crypto_random(&jitter, 1);
	loop_timer_set(c->retry, c->tries == 1 ? 0 : (1LL << c->tries) * 1000 + jitter * 20);
}

static void set_number(struct ticket_call *c, struct str number)
{
	snprintf(c->number, sizeof(c->number), "%.*s", (int)number.n, number.p);
}

/* The result is that of the first request. */
static void repeat_answer(struct ticket_call *c, const PGresult *rows)
{
	c->id = db_int(rows, 0, 0);
	set_number(c, db_text(rows, 0, 2));
	c->ticket.sla.state = ticket_state_parse(db_text(rows, 0, 3));
	c->decided = priority_parse(db_text(rows, 0, 4));
	c->version = db_int(rows, 0, 5);
	c->level = (int)db_int(rows, 0, 6);
	c->answer_by = db_is_null(rows, 0, 7) ? INSTANT_NONE : db_time(rows, 0, 7);
}

static void on_idempotent(struct db_call *db, enum db_error error, const PGresult *rows)
{
	struct ticket_call *c = magic_cast(ticket_call, db->arg);

	if (error != DB_OK) {
		end_db(c, error);
	} else if (PQntuples(rows) == 0) {
		finish_call(c, c->refusal);
	} else if (!str_is(db_text(rows, 0, 1), c->idem_sha256)) {
		finish_call(c, CALL_KEY_REUSED);
	} else if (db_is_null(rows, 0, 2)) {
		finish_call(c, CALL_NOT_FOUND);
	} else {
		repeat_answer(c, rows);
		finish_call(c, CALL_REPLAYED);
	}
}

/* The earlier result of the key; REFUSAL if the key is unknown. */
static void look_up_key(struct ticket_call *c, enum call_result refusal)
{
	c->refusal = refusal;
	c->db.param[0] = c->idem_actor;
	c->db.param[1] = c->idem_key;
	query_call(c, &sql_ticket_idempotent, on_idempotent);
}

/* The command may be refused only because it was done before, under the same key: a resolved ticket
 * is not resolved again. */
static void refuse_call(struct ticket_call *c, enum call_result why)
{
	if (c->idem_key)
		look_up_key(c, why);
	else
		finish_call(c, why);
}

static void on_stored(struct db_call *db, enum db_error error, const PGresult *rows)
{
	struct ticket_call *c = magic_cast(ticket_call, db->arg);

	switch (error) {
	case DB_OK:
		break;
	case DB_STALE:
		c->fresh_config = true;
		retry(c);
		return;
	case DB_RETRY:
		retry(c);
		return;
	case DB_CONFLICT:
		if (c->idem_key && strcmp(db->constraint, "idempotency_keys_pkey") == 0)
			look_up_key(c, CALL_IN_FLIGHT);
		else
			end_db(c, error);
		return;
	case DB_MISSING:
		c->reference = reference_rule(db->constraint);
		refuse_call(c, c->reference ? CALL_BAD_REFERENCE : CALL_NOT_FOUND);
		return;
	default:
		end_db(c, error);
		return;
	}
	if (PQntuples(rows) == 0) {
		retry(c);
		return;
	}
	failpoint("command-stored");
	c->id = db_int(rows, 0, 2);
	set_number(c, db_text(rows, 0, 3));
	c->version = db_int(rows, 0, 4);
	c->ticket.id = c->id;
	/* another command of the same message is about to resolve it; the sweep sets the deadlines
	 * if that does not come */
	if (!c->led_until || c->cmd == CMD_RESOLVE)
		deadline_set(&c->ticket, ticket_call_rules(c));
	deadline_recheck_timers(c->tenant_id);
	events_hint(c->tenant_id);
	finish_call(c, CALL_OK);
}

static void step_store(struct ticket_call *c)
{
	c->db.param[0] = c->docs;
	failpoint("command-decided");
	query_call(c, ways[way_of(c)].store, on_stored);
}

static void step_decide(struct ticket_call *c)
{
	enum call_result why;

	if (ticket_decide(c, &why))
		step_store(c);
	else
		refuse_call(c, why);
}

static void on_rebind_calendar(void *arg, const struct sla_version *v, enum db_error error)
{
	struct ticket_call *c = magic_cast(ticket_call, arg);

	c->next_v = v;
	if (v)
		step_decide(c);
	else
		end_db(c, error);
}

/* Rebind binds to the versions that are in force for the tenant now. */
static void on_rebind_config(void *arg, const struct tenant_config *config)
{
	struct ticket_call *c = magic_cast(ticket_call, arg);

	c->next_v = config ? tenant_config_version(config, c->ticket.service_type) : NULL;
	if (!c->next_v)
		end_db(c, DB_DOWN);
	else if (!c->next_v->policy.has[c->ticket.sla.priority]) {
		c->v = c->next_v;
		ticket_name_levels(c);
		refuse_call(c, CALL_NO_PRIORITY);
	} else
		step_decide(c);
}

/* A value may have been added to the catalogue, or another policy chosen, since the configuration
 * was read: nothing is refused by one from the cache. Returns true once. */
static bool look_at_config_again(struct ticket_call *c)
{
	bool again = !c->fresh_config;

	c->fresh_config = true;
	return again;
}

/* A changed category is held to the tenant's catalogue as a new ticket's is. */
static void on_category_config(void *arg, const struct tenant_config *config)
{
	struct ticket_call *c = magic_cast(ticket_call, arg);

	if (!config) {
		end_db(c, DB_DOWN);
		return;
	}
	if (tenant_config_allows(config, "category", c->category)) {
		step_decide(c);
	} else if (look_at_config_again(c)) {
		tenant_config_get(c->tenant_id, true, on_category_config, c);
	} else {
		c->choice[0] = (struct ticket_choice){ "category", c->category };
		refuse_call(c, CALL_NO_CHOICE);
	}
}

static void on_versions(void *arg, const struct sla_version *v, enum db_error error)
{
	struct ticket_call *c = magic_cast(ticket_call, arg);

	if (!v) {
		end_db(c, error);
		return;
	}
	c->v = v;
	if (c->cmd == CMD_REBIND && c->calendar_id == c->ticket.calendar_id)
		finish_call(c, CALL_WRONG_STATE); /* another instance has done it */
	else if (c->cmd == CMD_REBIND && c->calendar_id)
		versions_get(c->ticket.policy_id, c->calendar_id, on_rebind_calendar, c);
	else if (c->cmd == CMD_CATEGORY)
		tenant_config_get(c->tenant_id, false, on_category_config, c);
	else if (c->cmd == CMD_REBIND)
		tenant_config_get(c->tenant_id, true, on_rebind_config, c);
	else
		step_decide(c);
}

/* Redirect a customer's reply to a merged ticket to the ticket that it was merged into. Returns
 * true if that is now the call's ticket. An expected version is checked against the merged ticket,
 * which the customer saw. */
static bool follows_merge(struct ticket_call *c)
{
	const struct ticket *t = &c->ticket;

	if (c->cmd != CMD_CUSTOMER_REPLY || t->sla.state != TICKET_MERGED || !t->parent_id ||
		c->merges_followed >= MERGES_MAX ||
		(c->expect_version && c->expect_version != t->version))
		return false;
	c->merges_followed++;
	c->expect_version = 0;
	c->ticket_id = c->merged_into = t->parent_id;
	ticket_clear(&c->ticket);
	return true;
}

static void on_loaded(struct db_call *db, enum db_error error, const PGresult *rows)
{
	struct ticket_call *c = magic_cast(ticket_call, db->arg);
	struct str doc;

	if (error == DB_RETRY) {
		retry(c);
		return;
	}
	if (error != DB_OK) {
		end_db(c, error);
		return;
	}
	if (PQntuples(rows) == 0 && c->merged_into) {
		c->merged_into =
			0; /* a customer who may not see that ticket must not learn of it */
		c->ticket.sla.state = TICKET_MERGED;
		finish_call(c, CALL_WRONG_STATE);
		return;
	}
	if (PQntuples(rows) == 0) {
		finish_call(c, CALL_NOT_FOUND);
		return;
	}
	doc = db_text(rows, 0, 0);
	if (!ticket_read(doc.p, doc.n, &c->ticket)) {
		log_error(NULL, "ticket cannot be read id=%lld", (long long)c->ticket_id);
		end_db(c, DB_FAILED);
		return;
	}
	if (follows_merge(c)) {
		step_load(c);
		return;
	}
	c->tenant_id = c->ticket.tenant_id;
	versions_get(c->ticket.policy_id, c->ticket.calendar_id, on_versions, c);
}

static bool choices_allowed(const struct ticket_call *c, const struct tenant_config *config,
	struct ticket_choice *out_bad)
{
	struct ticket_choice asked[TICKET_CHOICES_MAX + 2];
	int n = 0;

	asked[n++] = (struct ticket_choice){ "service_type", c->service_type };
	if (c->category)
		asked[n++] = (struct ticket_choice){ "category", c->category };
	for (int i = 0; i < c->choices; i++)
		asked[n++] = c->choice[i];
	for (int i = 0; i < n; i++)
		if (!tenant_config_allows(config, asked[i].kind, asked[i].code)) {
			*out_bad = asked[i];
			return false;
		}
	return true;
}

static void on_config(void *arg, const struct tenant_config *config)
{
	struct ticket_call *c = magic_cast(ticket_call, arg);
	struct ticket *t = &c->ticket;
	struct ticket_choice bad;

	if (!config) {
		end_db(c, DB_DOWN);
		return;
	}
	if (!choices_allowed(c, config, &bad)) {
		if (look_at_config_again(c)) {
			tenant_config_get(c->tenant_id, true, on_config, c);
		} else {
			c->choice[0] = bad;
			refuse_call(c, CALL_NO_CHOICE);
		}
		return;
	}
	c->v = tenant_config_version(config, c->service_type);
	if (!c->v) {
		end_db(c, DB_FAILED);
		return;
	}
	if (c->priority != PRIORITY_NONE && !c->v->policy.has[c->priority] &&
		look_at_config_again(c)) {
		tenant_config_get(c->tenant_id, true, on_config, c);
		return;
	}
	*t = (struct ticket){ .tenant_id = c->tenant_id,
		.policy_id = c->v->policy_id,
		.calendar_id = c->v->calendar_id,
		.last_at = clock_now_us(),
		.first_response_at = INSTANT_NONE,
		.mitigated_at = INSTANT_NONE,
		.resolved_at = INSTANT_NONE,
		.closed_at = INSTANT_NONE,
		.requester_id = c->requester_id,
		.level = 1 };
	sla_ticket_init(&t->sla);
	snprintf(t->requester_kind, sizeof(t->requester_kind), "%s", c->requester_kind);
	t->service_type = xstrdup(c->service_type);
	t->category = xstrdup(c->category ? c->category : "");
	t->tags = xstrdup(c->tags ? c->tags : "[]");
	c->config_version = config->config_version;
	if (!ticket_decide_priority(c, config)) {
		refuse_call(c, CALL_NO_PRIORITY);
		return;
	}
	step_decide(c);
}

static void step_load(struct ticket_call *c)
{
	if (c->cmd == CMD_CREATE) {
		tenant_config_get(c->tenant_id, c->fresh_config, on_config, c);
		return;
	}
	if (way_of(c) == WAY_PERSON) {
		db_call_int(&c->db, 0, c->ticket_id);
	} else { /* by tenant and id */
		snprintf(c->tenants_text, sizeof(c->tenants_text), "{%lld}",
			(long long)c->tenant_id);
		snprintf(c->ids_text, sizeof(c->ids_text), "{%lld}", (long long)c->ticket_id);
		c->db.param[0] = c->tenants_text;
		c->db.param[1] = c->ids_text;
	}
	query_call(c, ways[way_of(c)].load, on_loaded);
}

void ticket_command(struct ticket_call *c)
{
	c->magic = ticket_call_magic;
	c->tries = c->merges_followed = 0;
	c->merged_into = 0;
	c->reference = NULL;
	c->db_error = DB_OK;
	c->docs = NULL;
	c->retry = NULL;
	c->ticket = (struct ticket){ 0 };
	step_load(c);
}
