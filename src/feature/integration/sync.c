/* SPDX-License-Identifier: Apache-2.0 */
#include "sync.h"
#include "base/clock.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS_MAX 8
#define FUTURE_MAX_US                                                                              \
	(300 * US_PER_S) /* a message with a time further in the future would shut out the         \
			    following ones */
#define REASON "synchronised from the source system / 由源系统同步"

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

/* --- reading --- */

static const struct {
	const char *word;
	enum ticket_state state;
} words[] = {
	{ "open", TICKET_NEW },
	{ "created", TICKET_NEW },
	{ "assigned", TICKET_ACCEPTED },
	{ "acknowledged", TICKET_ACCEPTED },
	{ "processing", TICKET_IN_PROGRESS },
	{ "reopened", TICKET_IN_PROGRESS },
	{ "pending", TICKET_PENDING_CUSTOMER },
	{ "waiting", TICKET_PENDING_CUSTOMER },
	{ "on_hold", TICKET_PENDING_CUSTOMER },
	{ "completed", TICKET_RESOLVED },
	{ "待处理", TICKET_NEW },
	{ "已受理", TICKET_ACCEPTED },
	{ "处理中", TICKET_IN_PROGRESS },
	{ "等待客户", TICKET_PENDING_CUSTOMER },
	{ "已解决", TICKET_RESOLVED },
	{ "已关闭", TICKET_CLOSED },
	{ "已取消", TICKET_CANCELLED },
};

static enum ticket_state read_state(struct str s)
{
	enum ticket_state state = ticket_state_parse(s);

	for (size_t i = 0; state == TICKET_STATE_COUNT && i < ARRAY_LEN(words); i++)
		if (str_case_is(s, words[i].word))
			state = words[i].state;
	return state == TICKET_SCHEDULED || state == TICKET_MITIGATED ||
			       state == TICKET_MONITORING || state == TICKET_MERGED
		       ? TICKET_STATE_COUNT
		       : state;
}

static bool fault(struct sync_item *item, const char *field, const char *en, const char *zh)
{
	item->fault = (struct sync_fault){ field, en, zh };
	return false;
}

/* A string member; it may be absent or null. Numbers are accepted as text where an id is
 * expected. */
static bool read_text(
	struct sync_item *item, struct json_object *m, const char *key, int64_t max, char **out)
{
	struct json_object *v = json_get(m, key);

	if (!v)
		return true;
	if (json_object_is_type(v, json_type_int) && strcmp(key, "ticket_id") == 0) {
		*out = xasprintf("%lld", (long long)json_object_get_int64(v));
		return true;
	}
	if (!json_object_is_type(v, json_type_string))
		return fault(item, key, "a string", "应为字符串");
	if (json_str(v).n < 1 || (int64_t)utf8_length(json_str(v).p, json_str(v).n) > max)
		return fault(item, key,
			"must not be empty or longer than its limit (ids 100, event_id 200, title "
			"200)",
			"不能为空，也不能超过长度上限（编号 100、event_id 200、标题 200）");
	*out = xstrndup(json_str(v).p, json_str(v).n);
	return true;
}

static bool read_time(struct sync_item *item, struct json_object *m, const char *key, int64_t *out)
{
	struct json_object *v = json_get(m, key);

	if (!v)
		return true;
	if (!json_object_is_type(v, json_type_string) || !time_parse(json_str(v), out))
		return fault(item, key, "an RFC 3339 time, such as 2026-01-31T08:00:00Z",
			"RFC 3339 时间，如 2026-01-31T08:00:00Z");
	return true;
}

static bool read_times(struct sync_item *item, struct json_object *m)
{
	int64_t at = INSTANT_NONE, updated = INSTANT_NONE, created = INSTANT_NONE,
		resolved = INSTANT_NONE;

	if (!read_time(item, m, "timestamp", &at) || !read_time(item, m, "updated_at", &updated) ||
		!read_time(item, m, "created_at", &created) ||
		!read_time(item, m, "resolved_at", &resolved))
		return false;
	item->said_at = at != INSTANT_NONE ? at : updated != INSTANT_NONE ? updated : created;
	if (item->said_at == INSTANT_NONE)
		return fault(item, "timestamp", "required: a time, or updated_at",
			"必填：时间，或 updated_at");
	if (item->said_at > clock_now_us() + FUTURE_MAX_US)
		return fault(item, "timestamp", "not more than 5 minutes in the future",
			"不得晚于当前时间 5 分钟以上");
	return true;
}

static bool read_words(struct sync_item *item, struct json_object *m)
{
	struct json_object *status = json_get(m, "status"), *priority = json_get(m, "priority"),
			   *score = json_get(m, "customer_satisfaction");
	double mark;

	if (status) {
		item->status = json_object_is_type(status, json_type_string)
				       ? read_state(json_str(status))
				       : TICKET_STATE_COUNT;
		if (item->status == TICKET_STATE_COUNT)
			return fault(item, "status",
				"one of new, accepted, in_progress, pending_customer, pending_aws, "
				"resolved, closed, "
				"cancelled",
				"可选 "
				"new、accepted、in_progress、pending_customer、pending_"
				"aws、resolved、closed、"
				"cancelled");
	}
	if (priority) {
		item->priority = json_object_is_type(priority, json_type_string)
					 ? priority_parse(json_str(priority))
					 : PRIORITY_NONE;
		if (item->priority == PRIORITY_NONE)
			return fault(item, "priority",
				"P0 to P4, or critical, high, medium, low, general",
				"P0 到 P4，或紧急、高、中、低、一般");
	}
	if (score) {
		mark = json_object_is_type(score, json_type_int) ||
				       json_object_is_type(score, json_type_double)
			       ? json_object_get_double(score)
			       : 0;
		if (!(mark >= 1 && mark <= 5))
			return fault(item, "customer_satisfaction", "a number from 1 to 5",
				"1 到 5 的数");
		item->score = (int64_t)(mark * 100 + 0.5);
	}
	return true;
}

/* The names in both lists of the product document, and those that a first message may contain. */
static bool names_known(struct sync_item *item, struct json_object *m)
{
	static const char known[] =
		" event_type event_id tenant_id ticket_id status priority assigned_to resolved_at "
		"customer_satisfaction timestamp created_at updated_at title description "
		"service_type token ";

	json_object_object_foreach(m, key, val)
	{
		char *spaced = xasprintf(" %s ", key);
		bool ok = strstr(known, spaced) != NULL;

		(void)val;
		free(spaced);
		if (!ok)
			return fault(item, "message", "unknown field", "含未知字段");
	}
	return true;
}

static bool read_kind(struct sync_item *item, struct json_object *m)
{
	const char *kind = json_get_string(m, "event_type");

	if (json_get(m, "event_type") && (!kind || (strcmp(kind, "ticket_created") != 0 &&
							   strcmp(kind, "ticket_updated") != 0)))
		return fault(item, "event_type", "ticket_created or ticket_updated",
			"ticket_created 或 ticket_updated");
	if (!json_object_is_type(json_get(m, "tenant_id"), json_type_int) ||
		(item->tenant_id = json_get_int(m, "tenant_id", 0)) < 2)
		return fault(item, "tenant_id", "required: a customer's id", "必填：客户租户编号");
	return true;
}

/* A message without an event id is still applied once: ticket, time and content identify it. */
static void name_event(struct sync_item *item, struct json_object *m)
{
	struct buf b = { 0 };
	char hex[65];

	if (item->event_id)
		return;
	json_write(&b, m);
	crypto_sha256_hex(b.p, b.n, hex);
	buf_free(&b);
	item->event_id = xasprintf("sha256:%s", hex);
}

bool sync_item_read(struct json_object *m, struct sync_item *item)
{
	item->status = TICKET_STATE_COUNT;
	item->priority = PRIORITY_NONE;
	if (!json_object_is_type(m, json_type_object))
		return fault(item, "message", "an object", "应为对象");
	if (!names_known(item, m) || !read_kind(item, m) ||
		!read_text(item, m, "ticket_id", 100, &item->external_id) ||
		!read_text(item, m, "event_id", 200, &item->event_id) ||
		!read_text(item, m, "title", 200, &item->title) ||
		!read_text(item, m, "description", 20000, &item->description) ||
		!read_text(item, m, "assigned_to", 100, &item->assignee) ||
		!read_text(item, m, "service_type", 100, &item->service_type) ||
		!read_times(item, m) || !read_words(item, m))
		return false;
	if (!item->external_id)
		return fault(item, "ticket_id", "required", "必填");
	name_event(item, m);
	return true;
}

void sync_item_rename(struct sync_item *item, const char *event_id)
{
	free(item->event_id);
	item->event_id = xstrdup(event_id);
}

void sync_item_clear(struct sync_item *item)
{
	free(item->event_id);
	free(item->external_id);
	free(item->title);
	free(item->description);
	free(item->assignee);
	free(item->service_type);
}

/* --- applying --- */

static void load_ticket(struct sync_item *item);
static void next_command(struct sync_item *item);

static void deliver(void *arg)
{
	struct sync_item *item = arg;

	item->on_done(item, item->result);
}

static void finish_item(struct sync_item *item, enum sync_result result)
{
	item->result = result;
	later_call(deliver, item);
}

static void query_item(struct sync_item *item, const struct sql_stmt *stmt,
	void (*on_done)(struct db_call *call, enum db_error error, const PGresult *rows))
{
	item->db.stmt = stmt;
	item->db.ctx = item->ctx;
	item->db.ctx.tenant_id = item->tenant_id;
	item->db.on_done = on_done;
	item->db.arg = item;
	db_exec(&item->db);
}

static void on_recorded(struct db_call *db, enum db_error error, const PGresult *rows)
{
	struct sync_item *item = db->arg;

	(void)rows;
	item->db_error = error;
	finish_item(item, error == DB_OK ? item->result : SYNC_FAILED);
}

static void record(struct sync_item *item, enum sync_result result)
{
	item->result = result;
	item->db = (struct db_call){ .param = { NULL, item->external_id, item->event_id,
					     sync_result_name(result) } };
	db_call_int(&item->db, 0, item->tenant_id);
	db_call_int(&item->db, 4, item->token_id);
	db_call_int(&item->db, 5, item->said_at);
	db_call_int(&item->db, 6, clock_now_us());
	db_call_int(&item->db, 7, item->ticket_id);
	query_item(item, &sql_sync_done, on_recorded);
}

static void refuse_field(struct sync_item *item, const char *field, const char *en, const char *zh)
{
	(void)fault(item, field, en, zh);
	finish_item(item, SYNC_REFUSED);
}

static void on_command(struct ticket_call *c, enum call_result result)
{
	struct sync_item *item = c->arg;

	switch (result) {
	case CALL_OK:
		item->ticket_id = c->id;
		snprintf(item->number, sizeof(item->number), "%s", c->number);
		item->state = c->state;
		item->now_priority = c->decided;
		if (c->cmd == CMD_ASSIGN)
			item->now_assignee = item->wanted_assignee;
		item->rated |= c->cmd == CMD_RATE;
		next_command(item);
		return;
	case CALL_WRONG_STATE: /* someone else has changed it meanwhile: load it again, once */
		if (!item->looked_again) {
			item->looked_again = true;
			load_ticket(item);
			return;
		}
		refuse_field(item, "status", "the ticket's state does not allow this transition",
			"工单当前状态不允许该变更");
		return;
	case CALL_NO_PRIORITY:
		refuse_field(item, "priority", "the ticket's policy has no such priority",
			"该工单的 SLA 策略没有此优先级");
		return;
	case CALL_NO_CHOICE:
		refuse_field(item, "service_type", "not in this tenant's catalogue",
			"不在该租户的目录中");
		return;
	case CALL_NOT_FOUND:
	case CALL_GONE:
		refuse_field(item, "ticket_id", "no such ticket", "工单不存在");
		return;
	case CALL_DB:
		if (c->db_error == DB_CONFLICT &&
			!item->looked_again) { /* another writer created it at the same time */
			item->looked_again = true;
			load_ticket(item);
			return;
		}
		item->db_error = c->db_error;
		finish_item(item, SYNC_FAILED);
		return;
	case CALL_WRONG_ACTOR:
	case CALL_WRONG_VERSION:
	case CALL_NO_BREACH:
	case CALL_NOT_PROPOSED:
	case CALL_SAME_PERSON:
	case CALL_REPLAYED:
	case CALL_KEY_REUSED:
	case CALL_IN_FLIGHT:
	case CALL_BUSY:
		break;
	}
	item->db_error = DB_BUSY;
	finish_item(item, SYNC_FAILED);
}

static struct ticket_call *new_call(struct sync_item *item, enum ticket_command cmd)
{
	struct ticket_call *c = &item->call;

	*c = (struct ticket_call){ .cmd = cmd,
		.actor = ACTOR_SYSTEM,
		.ctx = item->ctx,
		.tenant_id = item->tenant_id,
		.ticket_id = item->ticket_id,
		.priority = PRIORITY_NONE,
		.reckon_at = INSTANT_NONE,
		.text = REASON,
		.on_done = on_command,
		.arg = item };
	return c;
}

static void create(struct sync_item *item)
{
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
	ticket_command(c);
}

/* Apply one difference at a time, until there is none left. */
static void next_command(struct sync_item *item)
{
	bool stuck = false;
	enum ticket_command cmd = item->status == TICKET_STATE_COUNT
					  ? CMD_COUNT
					  : sync_next_command(item->state, item->status, &stuck);

	if (++item->steps > STEPS_MAX || stuck) {
		refuse_field(item, "status", "the ticket's state does not allow this transition",
			"工单当前状态不允许该变更");
		return;
	}
	if (item->priority != PRIORITY_NONE && item->priority != item->now_priority &&
		ticket_state_is_open(item->state)) {
		struct ticket_call *c = new_call(item, CMD_PRIORITY);

		c->priority = item->priority;
		ticket_command(c);
	} else if (item->wanted_assignee && item->wanted_assignee != item->now_assignee &&
		   ticket_state_is_open(item->state)) {
		struct ticket_call *c = new_call(item, CMD_ASSIGN);

		c->assignee_id = item->wanted_assignee;
		ticket_command(c);
	} else if (cmd != CMD_COUNT) {
		ticket_command(new_call(item, cmd));
	} else if (item->score && !item->rated &&
		   (item->state == TICKET_RESOLVED || item->state == TICKET_CLOSED)) {
		struct ticket_call *c = new_call(item, CMD_RATE);

		c->text = NULL;
		c->score = item->score;
		ticket_command(c);
	} else {
		if (item->score && !item->rated)
			item->warning = "customer_satisfaction";
		record(item, SYNC_APPLIED);
	}
}

static void on_looked(struct db_call *db, enum db_error error, const PGresult *rows)
{
	struct sync_item *item = db->arg;

	if (error != DB_OK) {
		item->db_error = error;
		finish_item(item, SYNC_FAILED);
		return;
	}
	if (db_int(rows, 0, 0)) {
		item->ticket_id = db_int(rows, 0, 2);
		finish_item(item, SYNC_DUPLICATE);
		return;
	}
	item->wanted_assignee = db_int(rows, 0, 7);
	if (item->assignee && !item->wanted_assignee)
		item->warning = "assigned_to";
	if (db_is_null(rows, 0, 2)) {
		create(item);
		return;
	}
	item->ticket_id = db_int(rows, 0, 2);
	snprintf(item->number, sizeof(item->number), "%.*s", (int)db_text(rows, 0, 3).n,
		db_text(rows, 0, 3).p);
	item->state = ticket_state_parse(db_text(rows, 0, 4));
	item->now_priority = priority_parse(db_text(rows, 0, 5));
	item->now_assignee = db_int(rows, 0, 6);
	if (!db_is_null(rows, 0, 1) && db_int(rows, 0, 1) > item->said_at)
		record(item, SYNC_OUTDATED);
	else
		next_command(item);
}

static void load_ticket(struct sync_item *item)
{
	item->db = (struct db_call){ .param = { NULL, item->external_id, item->event_id,
					     item->assignee } };
	db_call_int(&item->db, 0, item->tenant_id);
	query_item(item, &sql_sync_look, on_looked);
}

void sync_apply(struct sync_item *item)
{
	load_ticket(item);
}
