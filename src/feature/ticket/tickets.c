/* SPDX-License-Identifier: Apache-2.0
 * Tickets over HTTP: from a request to a ticket_call, and from its result to a response. Nothing is
 * decided here. */
#include "ticket.h"
#include "base/magic.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "desk/command.h"
#include "config/options.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <stdio.h>

/* --- answers --- */

static struct outcome *reply_call(struct req *req, const struct ticket_call *c, bool replayed)
{
	struct buf b = { 0 };
	struct outcome *o;
	bool create = c->cmd == CMD_CREATE;

	buf_addf(&b,
		"{\"id\":%lld,\"number\":\"%s\",\"status\":\"%s\",\"priority\":\"%s\",\"priority_"
		"label\":\"%s\",\"version\":%lld",
		(long long)c->id, c->number, ticket_state_name(c->state), priority_name(c->decided),
		priority_label(c->decided, req->zh), (long long)c->version);
	if (c->cmd == CMD_ESCALATE || c->cmd == CMD_REQUEST_ESCALATION) {
		buf_addf(&b, ",\"level\":%d,\"answer_by\":", c->level);
		buf_add_time_json(&b, c->answer_by);
	}
	buf_addc(&b, '}');
	o = req_reply_headers(req, create ? 201 : 200,
		replayed ? "Idempotency-Replayed: true\r\nCache-Control: no-store\r\n" : NULL, b.p,
		b.n);
	buf_free(&b);
	return o;
}

/* FIELD: its JSON member with a comma, or "". */
static struct outcome *refuse_command(
	struct req *req, enum err e, const char *field, const char *rule_en, const char *rule_zh)
{
	return req_fail(req, e,
		arena_printf(
			&req->arena, "{%s\"rule\":\"%s\"}", field, req->zh ? rule_zh : rule_en));
}

static struct outcome *refuse_reference(struct req *req, const struct reference_rule *r)
{
	const char *field = arena_printf(&req->arena, "\"field\":\"%s\",", r->field);

	if (r->refusal != REFERENCE_INVALID)
		return refuse_command(req,
			r->refusal == REFERENCE_ABSENT ? ERR_NOT_FOUND : ERR_WRONG_STATE, field,
			r->en, r->zh);
	req_note_invalid(req, r->field, r->en, r->zh);
	return req_invalid(req);
}

/* What to do instead, where a command comes too late. */
static const struct instead {
	enum ticket_state state;
	const char *en, *zh, *todo_en, *todo_zh;
} instead[] = {
	{ TICKET_RESOLVED, "the ticket is resolved; reopen it with a reason, or open a new ticket",
		"工单已解决；请说明原因后重新打开，或新建工单",
		"[\"POST …/reopen with a reason\",\"open a new ticket\"]",
		"[\"POST …/reopen，附原因\",\"新建工单\"]" },
	{ TICKET_CLOSED, "the ticket is closed; reopen it with a reason, or open a new ticket",
		"工单已关闭；请说明原因后重新打开，或新建工单",
		"[\"POST …/reopen with a reason\",\"open a new ticket\"]",
		"[\"POST …/reopen，附原因\",\"新建工单\"]" },
	{ TICKET_CANCELLED, "the ticket was cancelled; open a new ticket", "工单已取消；请新建工单",
		"[\"open a new ticket\"]", "[\"新建工单\"]" },
	{ TICKET_MERGED, "the ticket was merged into another; continue there",
		"工单已合并到其他工单，请在该工单中继续", "[\"continue in merged_into\"]",
		"[\"在 merged_into 所指的工单中继续\"]" },
};

static const char *instead_of(struct req *req, enum ticket_state state)
{
	for (size_t i = 0; i < ARRAY_LEN(instead); i++)
		if (instead[i].state == state)
			return arena_printf(&req->arena,
				",\"user_message\":\"%s\",\"suggested_actions\":%s",
				req->zh ? instead[i].zh : instead[i].en,
				req->zh ? instead[i].todo_zh : instead[i].todo_en);
	return "";
}

/* A customer's reply to a merged ticket hears where it belongs, if that one takes no reply. */
static struct outcome *refuse_state(struct req *req, const struct ticket_call *c)
{
	const char *merged = c->merged_into ? arena_printf(&req->arena, ",\"merged_into\":%lld",
						      (long long)c->merged_into)
					    : "";

	return req_fail(req, ERR_WRONG_STATE,
		arena_printf(&req->arena, "{\"state\":\"%s\",\"command\":\"%s\"%s%s}",
			ticket_state_name(c->state), ticket_rule(c->cmd)->name, merged,
			instead_of(req, c->state)));
}

static struct outcome *reply_result(struct req *req, struct ticket_call *c, enum call_result result)
{
	switch (result) {
	case CALL_OK:
		return reply_call(req, c, false);
	case CALL_REPLAYED:
		return reply_call(req, c, true);
	case CALL_KEY_REUSED:
		return req_fail_key(req, ERR_KEY_REUSED);
	case CALL_IN_FLIGHT:
		return req_fail_key(req, ERR_IN_FLIGHT);
	case CALL_BAD_REFERENCE:
		return refuse_reference(req, c->reference);
	case CALL_NOT_FOUND:
	case CALL_GONE:
		return req_fail(req, ERR_NOT_FOUND, NULL);
	case CALL_WRONG_STATE:
		return refuse_state(req, c);
	case CALL_WRONG_ACTOR:
		return req_fail(req, ERR_FORBIDDEN, NULL);
	case CALL_WRONG_VERSION:
		return refuse_command(req, ERR_WRONG_STATE, "\"field\":\"version\",",
			"the ticket has changed; reload it", "工单已变更，请重新加载");
	case CALL_NO_PRIORITY:
		req_note_invalid(req, "priority",
			arena_printf(&req->arena, "this ticket's policy has %s", c->levels),
			arena_printf(&req->arena, "该工单的 SLA 策略支持：%s", c->levels));
		return req_invalid(req);
	case CALL_NO_CHOICE:
		req_note_invalid(req, c->choice[0].kind, "not in this tenant's catalogue",
			"不在该租户的目录中");
		return req_invalid(req);
	case CALL_NO_BREACH:
		if (c->cmd == CMD_WAIVE)
			return refuse_command(req, ERR_WRONG_STATE, "\"field\":\"clock\",",
				"the clock has no breach to waive", "该时钟没有可豁免的违约");
		if (c->cmd == CMD_ACCEPT_CONTACT)
			return refuse_command(req, ERR_WRONG_STATE, "",
				"no contact of this ticket is contested",
				"该工单没有存在争议的联系");
		return refuse_command(req, ERR_WRONG_STATE, "",
			"the first response is not a recorded contact", "首次响应不是联系记录");
	case CALL_BAD_INSTANT:
		req_note_invalid(req, c->fault.field, c->fault.en, c->fault.zh);
		return req_invalid(req);
	case CALL_NOT_PROPOSED:
		return refuse_command(req, ERR_WRONG_STATE, "",
			"no exclusion of this ticket is waiting for approval",
			"该工单没有待审批的排除提议");
	case CALL_SAME_PERSON:
		return refuse_command(req, ERR_FORBIDDEN, "",
			"the approver must be someone other than the proposer",
			"须由提议人以外的人批准");
	case CALL_BUSY:
		return req_fail(req, ERR_BUSY, NULL);
	case CALL_DB:
		break;
	}
	return req_fail_db(req, c->db_error);
}

static void on_call(struct ticket_call *c, enum call_result result)
{
	struct req *req = magic_cast(req, c->arg);

	req->waiting = false;
	req_continue(req, reply_result(req, c, result));
}

/* KEY: the Idempotency-Key, or NULL. */
static struct outcome *run_command(struct req *req, struct ticket_call *c, const char *key)
{
	const struct session *s = req->session;

	c->actor = s->actor;
	c->actor_id = s->actor_id;
	c->ctx = session_context(s);
	c->ctx.trail = &req->trail;
	if (!c->tenant_id)
		c->tenant_id = s->tenant_id;
	if (key) {
		c->idem_actor = idem_actor(req);
		c->idem_key = key;
		c->idem_sha256 = req->fingerprint;
	}
	c->on_done = on_call;
	c->arg = req;
	req->waiting = true;
	ticket_command(c);
	return req_wait(req);
}

/* --- create --- */

static uint32_t factor_bits(struct json_object *list)
{
	uint32_t bits = 0;

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		for (int k = 0; k < FACTOR_COUNT; k++)
			if (str_is(json_str(json_object_array_get_idx(list, i)),
				    factor_name((enum factor)k)))
				bits |= 1u << k;
	return bits;
}

static void check_priority(struct req *req, const char *text)
{
	if (text && priority_parse(str_of(text)) == PRIORITY_NONE)
		req_note_invalid(req, "priority",
			"P0 to P4, or critical, high, medium, low, general",
			"P0 到 P4，或 紧急、高、中、低、一般");
}

static void read_choices(const struct in_ticket_create *in, struct ticket_call *c)
{
	const struct ticket_choice all[TICKET_CHOICES_MAX] = { { "department", in->department },
		{ "project", in->project }, { "contract", in->contract },
		{ "cost_centre", in->cost_centre }, { "region", in->region },
		{ "office", in->office }, { "incident_type", in->incident_type } };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i].code)
			c->choice[c->choices++] = all[i];
}

/* The tenant of a new ticket: a customer's own; staff and the provider's services name it. */
static bool read_tenant(
	const struct session *s, const struct in_ticket_create *in, struct ticket_call *c)
{
	c->tenant_id = in->has_tenant_id ? in->tenant_id : s->tenant_id;
	c->requester_id = s->actor_id;
	if (!s->staff) {
		c->requester_kind = s->actor == ACTOR_CUSTOMER ? "customer" : "service";
		return c->tenant_id == s->tenant_id;
	}
	c->requester_kind = in->has_requester_id ? "customer" : actor_kind_name(s->actor);
	if (in->has_requester_id)
		c->requester_id = in->requester_id;
	return true;
}

void ticket_create_check(struct req *req)
{
	const struct in_ticket_create *in = REQ_INPUT(req, ticket_create);

	check_priority(req, in->priority);
	if (req->session->staff && !in->has_tenant_id)
		req_note_invalid(req, "tenant_id", "required", "必填");
}

struct outcome *ticket_create(struct req *req)
{
	const struct in_ticket_create *in = REQ_INPUT(req, ticket_create);
	struct ticket_call *c = arena_alloc(&req->arena, sizeof(*c));

	c->cmd = CMD_CREATE;
	c->title = in->title;
	c->text = in->description;
	c->service_type = in->service_type;
	c->category = in->category;
	c->source = in->source ? in->source : req->session->actor == ACTOR_SERVICE ? "api" : "web";
	c->impact_scope = in->impact_scope;
	c->impact = in->impact;
	c->urgency = in->urgency;
	c->factors = factor_bits(in->factors);
	c->incident_type = in->incident_type;
	c->tags = in->tags ? req_json_text(req, in->tags) : NULL;
	c->priority = in->priority ? priority_parse(str_of(in->priority)) : PRIORITY_NONE;
	c->external_id = in->external_id;
	read_choices(in, c);
	if (!read_tenant(req->session, in, c))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	return run_command(req, c, in->idempotency_key);
}

/* --- commands --- */

/* Root cause, solution, prevention and configuration are required for P0 to P2. The flow learns the
 * priority only later; then each missing field is named. */
static const char *resolution_text(struct req *req, const struct in_ticket_resolve *in)
{
	const char *const parts[][2] = { { "solution_kind", in->solution_kind },
		{ "root_cause", in->root_cause }, { "solution", in->solution },
		{ "prevention", in->prevention }, { "configuration", in->configuration } };
	struct buf b = { 0 };
	const char *text;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		buf_addf(&b, "%s\"%s\":", i ? "," : "{", parts[i][0]);
		if (parts[i][1])
			buf_add_json(&b, parts[i][1], strlen(parts[i][1]));
		else
			buf_adds(&b, "null");
	}
	buf_addc(&b, '}');
	text = arena_dup(&req->arena, b.p, b.n);
	buf_free(&b);
	return text;
}

/* "7" or 7; 0 if IF_MATCH is neither. */
static int64_t version_of(const char *if_match)
{
	struct str s = str_of(if_match);
	int64_t version;

	if (s.n > 1 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		s = (struct str){ s.p + 1, s.n - 2 };
	return str_to_int(s, 1, (1LL << 53) - 1, &version) ? version : 0;
}

void ticket_act_check(struct req *req)
{
	const struct in_ticket_act *in = REQ_INPUT(req, ticket_act);
	const struct in_ticket_priority *priority = REQ_INPUT_IF(req, ticket_priority);

	if (in->if_match && !version_of(in->if_match))
		req_note_invalid(req, "If-Match", "a ticket version", "应为工单版本号");
	if (priority)
		check_priority(req, priority->priority);
}

/* Read the fields of this command other than text and reason. */
static void read_command(struct req *req, struct ticket_call *c)
{
	switch (c->cmd) {
	case CMD_CONTACT:
		c->asked.contact_at = REQ_INPUT(req, ticket_contact)->at;
		break;
	case CMD_ASSIGN:
		c->assignee_id = REQ_INPUT(req, ticket_assign)->assignee_id;
		break;
	case CMD_RCA_ASSIGN:
		c->owner_id = REQ_INPUT(req, ticket_rca_assign)->owner_id;
		break;
	case CMD_PRIORITY:
		c->priority = priority_parse(str_of(REQ_INPUT(req, ticket_priority)->priority));
		break;
	case CMD_SCHEDULE:
		c->asked.wake_at = REQ_INPUT(req, ticket_schedule)->until;
		break;
	case CMD_RESOLVE:
		c->details = resolution_text(req, REQ_INPUT(req, ticket_resolve));
		break;
	case CMD_TAGS:
		c->tags = req_json_text(req, REQ_INPUT(req, ticket_tags)->tags);
		break;
	case CMD_CATEGORY:
		c->category = REQ_INPUT(req, ticket_category)->category;
		break;
	case CMD_REPORT_DONE:
		c->text = REQ_INPUT(req, ticket_report_done)->text;
		break;
	case CMD_LINK:
		c->parent_id = REQ_INPUT(req, ticket_link)->parent_id;
		break;
	case CMD_RATE:
		c->score = REQ_INPUT(req, ticket_rate)->score * 100;
		c->text = REQ_INPUT(req, ticket_rate)->text;
		break;
	case CMD_REDACT:
		c->comment_id = REQ_INPUT(req, ticket_redact)->comment_id;
		break;
	case CMD_WAIVE:
		c->clock = sla_clock_parse(str_of(REQ_INPUT(req, ticket_waive)->clock));
		break;
	case CMD_EXCLUDE_WINDOW:
		c->asked.from = REQ_INPUT(req, ticket_exclude_window)->from;
		c->asked.to = REQ_INPUT(req, ticket_exclude_window)->to;
		break;
	case CMD_PROPOSE_EXCLUSION:
		c->exclusion_kind = REQ_INPUT(req, ticket_propose_exclusion)->kind;
		break;
	default:
		break;
	}
}

/* Resolving P0 to P2 requires the full report, so the ticket's priority is read first. */
static struct outcome *on_priority_known(struct req *req, enum db_error error, const PGresult *rows)
{
	const struct in_ticket_resolve *in = REQ_INPUT(req, ticket_resolve);
	const char *const parts[][2] = { { "root_cause", in->root_cause },
		{ "solution", in->solution }, { "solution_kind", in->solution_kind },
		{ "prevention", in->prevention }, { "configuration", in->configuration } };
	enum priority p;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	p = priority_parse(db_text(rows, 0, PQfnumber(rows, "priority")));
	for (size_t i = 0; p <= P2 && i < ARRAY_LEN(parts); i++)
		if (!parts[i][1])
			req_note_invalid(
				req, parts[i][0], "required for P0 to P2", "P0 到 P2 必填");
	if (req_has_invalid(req))
		return req_invalid(req);
	return run_command(
		req, req_state(req, ticket_call), REQ_INPUT(req, ticket_act)->idempotency_key);
}

struct outcome *ticket_act(struct req *req)
{
	const struct in_ticket_act *in = REQ_INPUT(req, ticket_act);
	const struct in_ticket_act_text *text = REQ_INPUT_IF(req, ticket_act_text);
	const struct in_ticket_act_reason *reason = REQ_INPUT_IF(req, ticket_act_reason);
	struct ticket_call *c = req_state_new(req, ticket_call);
	const char **p = arena_alloc(&req->arena, sizeof(*p));

	c->cmd = (enum ticket_command)req->route->argument;
	if (c->cmd == CMD_REPLY && !req->session->staff)
		c->cmd = CMD_CUSTOMER_REPLY;
	if (c->cmd == CMD_ESCALATE && !req->session->staff)
		c->cmd = CMD_REQUEST_ESCALATION;
	c->ticket_id = in->id;
	c->expect_version = in->has_version ? in->version
			    : in->if_match  ? version_of(in->if_match)
					    : 0;
	c->text = text ? text->text : reason ? reason->reason : NULL;
	c->priority = PRIORITY_NONE;
	read_command(req, c);
	if (c->cmd != CMD_RESOLVE)
		return run_command(req, c, in->idempotency_key);
	p[0] = req_int(req, in->id);
	return req_query(req, &sql_ticket_get, p, on_priority_known);
}
