/* SPDX-License-Identifier: Apache-2.0
 * Applying a message of a source system: look at the ticket, then one command for each difference,
 * until there is none left; then remember that it was done. */
#include "base/clock.h"
#include "sql_gen.h"
#include "sync.h"

#include <stdio.h>

#define STEPS_MAX 8
#define REASON "synchronised from the source system / 由源系统同步"

enum { LOOK, FOUND, CREATE, NEXT, DONE, RECORDED };

const char *sync_result_name(enum sync_result r)
{
	static const char *const names[] = { "applied", "duplicate", "outdated", "invalid",
		"refused", "failed" };

	return names[r];
}

/* --- the transitions --- */

static bool is_waiting(enum ticket_state s)
{
	return s == TICKET_PENDING_CUSTOMER || s == TICKET_PENDING_AWS || s == TICKET_SCHEDULED;
}

static bool is_ended(enum ticket_state s)
{
	return s == TICKET_RESOLVED || s == TICKET_CLOSED;
}

static enum ticket_command towards_work(enum ticket_state s)
{
	if (is_waiting(s))
		return CMD_RESUME;
	if (s == TICKET_MITIGATED || s == TICKET_MONITORING)
		return CMD_REWORK;
	return is_ended(s) ? CMD_REOPEN : CMD_CONFIRM;
}

enum ticket_command sync_next_command(
	enum ticket_state state, enum ticket_state wanted, bool *out_stuck)
{
	*out_stuck = (state == TICKET_CANCELLED || state == TICKET_MERGED) && wanted != state;
	if (*out_stuck || state == wanted)
		return CMD_COUNT;
	switch (wanted) {
	case TICKET_ACCEPTED:
		return state == TICKET_NEW ? CMD_ACCEPT : CMD_COUNT;
	case TICKET_IN_PROGRESS:
		return towards_work(state);
	case TICKET_PENDING_CUSTOMER:
		return is_ended(state) ? CMD_REOPEN : CMD_WAIT_CUSTOMER;
	case TICKET_PENDING_AWS:
		return is_ended(state) ? CMD_REOPEN : CMD_WAIT_AWS;
	case TICKET_RESOLVED:
		return state == TICKET_CLOSED ? CMD_COUNT : CMD_RESOLVE;
	case TICKET_CLOSED:
		return state == TICKET_RESOLVED ? CMD_AUTO_CLOSE : CMD_RESOLVE;
	case TICKET_CANCELLED:
		*out_stuck = is_ended(state);
		return *out_stuck ? CMD_COUNT : CMD_CANCEL;
	case TICKET_NEW: /* work that has begun does not begin again */
	case TICKET_SCHEDULED:
	case TICKET_MITIGATED:
	case TICKET_MONITORING:
	case TICKET_MERGED:
	case TICKET_STATE_COUNT:
		break;
	}
	return CMD_COUNT;
}

/* --- applying --- */

static struct sync_item *sync_item_of(struct flow *f)
{
	return list_entry(f, struct sync_item, flow);
}

/* Run a statement that sees only the message's tenant. */
static struct outcome *query(
	struct flow *f, struct sync_item *item, int step, const struct sql_stmt *stmt)
{
	struct db_context ctx = item->ctx;

	ctx.tenant_id = item->tenant_id;
	return flow_query_as(f, step, stmt, &ctx);
}

static struct outcome *end_with(struct flow *f, struct sync_item *item, enum sync_result result)
{
	item->result = result;
	return flow_end(f);
}

static struct outcome *end_failed(struct flow *f, struct sync_item *item, enum db_error error)
{
	item->db_error = error;
	return end_with(f, item, SYNC_FAILED);
}

static struct outcome *refuse_field(
	struct flow *f, struct sync_item *item, const char *field, const char *en, const char *zh)
{
	item->fault = (struct sync_fault){ field, en, zh };
	return end_with(f, item, SYNC_REFUSED);
}

static struct outcome *refuse_transition(struct flow *f, struct sync_item *item)
{
	return refuse_field(f, item, "status", "the ticket's state does not allow this transition",
		"工单当前状态不允许该变更");
}

/* Remember the message, so that it is applied only once. */
static struct outcome *record(struct flow *f, struct sync_item *item, enum sync_result result)
{
	item->result = result;
	flow_param_int(f, 0, item->tenant_id);
	flow_param_text(f, 1, item->external_id);
	flow_param_text(f, 2, item->event_id);
	flow_param_text(f, 3, sync_result_name(result));
	flow_param_int(f, 4, item->token_id);
	flow_param_int(f, 5, item->said_at);
	flow_param_int(f, 6, clock_now_us());
	flow_param_int(f, 7, item->ticket_id);
	return query(f, item, RECORDED, &sql_sync_done);
}

static struct outcome *step_recorded(struct flow *f)
{
	struct sync_item *item = sync_item_of(f);

	return f->error == DB_OK ? flow_end(f) : end_failed(f, item, f->error);
}

/* --- the ticket as it is --- */

static struct outcome *step_look(struct flow *f)
{
	struct sync_item *item = sync_item_of(f);

	flow_param_int(f, 0, item->tenant_id);
	flow_param_text(f, 1, item->external_id);
	flow_param_text(f, 2, item->event_id);
	flow_param_text(f, 3, item->assignee);
	return query(f, item, FOUND, &sql_sync_look);
}

static struct outcome *step_found(struct flow *f)
{
	struct sync_item *item = sync_item_of(f);
	const PGresult *rows = f->rows;

	if (f->error != DB_OK)
		return end_failed(f, item, f->error);
	if (db_int(rows, 0, 0)) {
		item->ticket_id = db_int(rows, 0, 2);
		return end_with(f, item, SYNC_DUPLICATE);
	}
	item->wanted_assignee = db_int(rows, 0, 8);
	if (item->assignee && !item->wanted_assignee)
		item->warning = "assigned_to";
	if (db_is_null(rows, 0, 2))
		return flow_go(f, CREATE);
	f->id = item->ticket_id = db_int(rows, 0, 2);
	snprintf(item->number, sizeof(item->number), "%.*s", (int)db_text(rows, 0, 3).n,
		db_text(rows, 0, 3).p);
	item->state = ticket_state_parse(db_text(rows, 0, 4));
	item->now_priority = priority_parse(db_text(rows, 0, 5));
	item->now_assignee = db_int(rows, 0, 6);
	item->retitle = item->leads && item->title && !str_is(db_text(rows, 0, 7), item->title);
	if (!db_is_null(rows, 0, 1) && db_int(rows, 0, 1) > item->said_at)
		return record(f, item, SYNC_OUTDATED);
	return flow_go(f, NEXT);
}

/* --- its commands --- */

static void on_command(struct ticket_call *c, enum call_result result)
{
	struct sync_item *item = magic_cast(sync_item, c->arg);

	item->command_result = result;
	flow_arrived(&item->flow);
}

/* The instant at which the leading system says that it has resolved the ticket; 0: it says none.
 * Its own instants count for a system that leads, since it did the work. */
static int64_t resolved_until(const struct sync_item *item)
{
	return item->leads && item->resolved_at != INSTANT_NONE && !is_ended(item->state) &&
			       (item->status == TICKET_RESOLVED || item->status == TICKET_CLOSED)
		       ? item->resolved_at
		       : 0;
}

/* A source system that leads says what happened to its tickets. Any other one is its customer, and
 * does what the customer may. */
static struct ticket_call *new_call(struct sync_item *item, enum ticket_command cmd)
{
	struct ticket_call *c = &item->call;

	*c = (struct ticket_call){ .cmd = cmd,
		.actor = item->leads ? ACTOR_SYSTEM : ACTOR_SERVICE,
		.actor_id = item->leads ? 0 : item->token_id,
		.ctx = item->ctx,
		.tenant_id = item->tenant_id,
		.ticket_id = item->ticket_id,
		.priority = PRIORITY_NONE,
		.led_until = resolved_until(item),
		.text = REASON,
		.on_done = on_command,
		.arg = item };
	return c;
}

static struct outcome *command(struct flow *f, struct ticket_call *c)
{
	ticket_command(c);
	return flow_wait(f, DONE);
}

static struct outcome *step_create(struct flow *f)
{
	struct sync_item *item = sync_item_of(f);
	struct ticket_call *c = new_call(item, CMD_CREATE);

	c->actor = ACTOR_SERVICE;
	c->actor_id = item->token_id;
	c->ticket_id = 0;
	c->requester_kind = "service";
	c->requester_id = item->token_id;
	c->source = "integration";
	c->external_id = item->external_id;
	c->service_type = item->service_type ? item->service_type : "incident";
	c->title = item->title ? item->title : item->external_id;
	c->text = item->description ? item->description : c->title;
	c->priority = item->priority;
	if (item->leads && item->created_at != INSTANT_NONE)
		c->led_at = item->created_at;
	return command(f, c);
}

/* The command for the next difference, or NULL if there is none. */
static struct ticket_call *next_call(struct sync_item *item, enum ticket_command towards)
{
	bool open = ticket_state_is_open(item->state);
	struct ticket_call *c;

	if (item->priority != PRIORITY_NONE && item->priority != item->now_priority && open) {
		c = new_call(item, CMD_PRIORITY);
		c->priority = item->priority;
	} else if (item->wanted_assignee && item->wanted_assignee != item->now_assignee && open) {
		c = new_call(item, CMD_ASSIGN);
		c->assignee_id = item->wanted_assignee;
	} else if (item->retitle) {
		c = new_call(item, CMD_RETITLE);
		c->title = item->title;
	} else if (towards != CMD_COUNT) {
		c = new_call(item, towards);
		c->led_at = towards == CMD_RESOLVE ? c->led_until : 0;
	} else if (item->score && !item->rated && is_ended(item->state)) {
		c = new_call(item, CMD_RATE);
		c->text = NULL;
		c->score = item->score;
	} else {
		return NULL;
	}
	return c;
}

static struct outcome *step_next(struct flow *f)
{
	struct sync_item *item = sync_item_of(f);
	bool stuck = false;
	enum ticket_command towards =
		item->status == TICKET_STATE_COUNT
			? CMD_COUNT
			: sync_next_command(item->state, item->status, &stuck);
	struct ticket_call *c;

	if (towards == CMD_AUTO_CLOSE && !item->leads)
		towards = CMD_CONFIRM_RESOLUTION;
	if (++item->steps > STEPS_MAX || stuck)
		return refuse_transition(f, item);
	c = next_call(item, towards);
	if (c)
		return command(f, c);
	if (item->score && !item->rated)
		item->warning = "customer_satisfaction";
	return record(f, item, SYNC_APPLIED);
}

static struct outcome *refuse_actor(struct flow *f, struct sync_item *item)
{
	enum ticket_command cmd = item->call.cmd;

	return refuse_field(f, item,
		cmd == CMD_PRIORITY ? "priority"
		: cmd == CMD_ASSIGN ? "assigned_to"
		: cmd == CMD_RATE   ? "customer_satisfaction"
				    : "status",
		"a customer's token may set what the customer may; this needs a token of the "
		"provider",
		"客户的令牌只能做客户可做的变更；此项需要服务商的令牌");
}

/* Someone else has changed or created the ticket meanwhile: look at it again, once. */
static bool may_look_again(struct sync_item *item)
{
	bool first = !item->looked_again;

	item->looked_again = true;
	return first;
}

static struct outcome *step_done(struct flow *f)
{
	struct sync_item *item = sync_item_of(f);
	const struct ticket_call *c = &item->call;

	switch (item->command_result) {
	case CALL_OK:
		f->id = item->ticket_id = c->id;
		snprintf(item->number, sizeof(item->number), "%s", c->number);
		item->state = c->state;
		item->now_priority = c->decided;
		if (c->cmd == CMD_ASSIGN)
			item->now_assignee = item->wanted_assignee;
		item->rated |= c->cmd == CMD_RATE;
		item->retitle &= c->cmd != CMD_RETITLE;
		return flow_go(f, NEXT);
	case CALL_WRONG_STATE:
		return may_look_again(item) ? flow_go(f, LOOK) : refuse_transition(f, item);
	case CALL_NO_PRIORITY:
		return refuse_field(f, item, "priority", "the ticket's policy has no such priority",
			"该工单的 SLA 策略没有此优先级");
	case CALL_NO_CHOICE:
		return refuse_field(f, item, c->choice[0].kind, "not in this tenant's catalogue",
			"不在该租户的目录中");
	case CALL_BAD_REFERENCE: /* the source's word for it is the assignee's name */
		return refuse_field(f, item, "assigned_to", c->reference->en, c->reference->zh);
	case CALL_NOT_FOUND:
	case CALL_GONE:
		return refuse_field(f, item, "ticket_id", "no such ticket", "工单不存在");
	case CALL_DB:
		if (c->db_error == DB_CONFLICT && may_look_again(item))
			return flow_go(f, LOOK);
		return end_failed(f, item, c->db_error);
	case CALL_WRONG_ACTOR:
		return refuse_actor(f, item);
	case CALL_WRONG_VERSION:
	case CALL_NO_BREACH:
	case CALL_BAD_INSTANT:
	case CALL_NOT_PROPOSED:
	case CALL_SAME_PERSON:
	case CALL_REPLAYED:
	case CALL_KEY_REUSED:
	case CALL_IN_FLIGHT:
	case CALL_BUSY:
		break;
	}
	return end_failed(f, item, DB_BUSY);
}

/* --- the flow --- */

static const struct flow_step steps[] = {
	[LOOK] = { "look", step_look },
	[FOUND] = { "found", step_found },
	[CREATE] = { "create", step_create },
	[NEXT] = { "next", step_next },
	[DONE] = { "done", step_done },
	[RECORDED] = { "recorded", step_recorded },
};

static void on_end(struct flow *f)
{
	struct sync_item *item = sync_item_of(f);

	item->on_done(item, item->result);
}

static const struct flow_kind sync_flow = { "sync", steps, on_end };

void sync_apply(struct sync_item *item)
{
	magic_set(item, sync_item_magic);
	flow_start(&item->flow, &sync_flow, 0);
}
