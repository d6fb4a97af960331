/* SPDX-License-Identifier: Apache-2.0
 * Tickets over HTTP: from a request to a ticket_call and from its result to an answer. Nothing is
 * decided here. */
#include "ticket.h"
#include "base/json.h"
#include "core/contract.h"
#include "crypto/crypto.h"
#include "desk/command.h"
#include "config/options.h"
#include "sla/explain.h"
#include "sql_gen.h"

#include <stdio.h>

/* --- answers --- */

static struct outcome *reply_call(struct req *req, const struct ticket_call *c, bool replayed)
{
	struct buf b = { 0 };
	struct outcome *o;
	bool create = c->cmd == CMD_CREATE;

	buf_addf(&b, "{\"id\":%lld", (long long)c->id);
	if (!replayed)
		buf_addf(&b,
			",\"number\":\"%s\",\"status\":\"%s\",\"priority\":\"%s\",\"priority_"
			"label\":\"%s\",\"version\":%lld",
			c->number, ticket_state_name(c->state), priority_name(c->decided),
			priority_label(c->decided, req->zh), (long long)c->version);
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

static struct outcome *reply_result(struct req *req, struct ticket_call *c, enum call_result result)
{
	switch (result) {
	case CALL_OK:
		return reply_call(req, c, false);
	case CALL_REPLAYED:
		return req_replay(req, &sql_ticket_get, c->id,
			req->route->argument == CMD_CREATE ? 201 : 200);
	case CALL_KEY_REUSED:
		req_note_invalid(req, "Idempotency-Key", "already used for another request",
			"已用于其他请求");
		return req_invalid(req);
	case CALL_NOT_FOUND:
	case CALL_GONE:
		return req_fail(req, ERR_NOT_FOUND, NULL);
	case CALL_WRONG_STATE:
		return req_fail(req, ERR_WRONG_STATE,
			arena_printf(&req->arena, "{\"state\":\"%s\",\"command\":\"%s\"}",
				ticket_state_name(c->state), ticket_rule(c->cmd)->name));
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
	struct req *req = c->arg;

	req->waiting = false;
	req_continue(req, reply_result(req, c, result));
}

static struct outcome *run_command(struct req *req, struct ticket_call *c)
{
	const struct session *s = req->session;

	c->actor = s->actor;
	c->actor_id = s->actor_id;
	c->ctx = session_context(s);
	if (!c->tenant_id)
		c->tenant_id = s->tenant_id;
	if (req->idempotency_key) {
		c->idem_actor = idem_actor(req);
		c->idem_key = req->idempotency_key;
		c->idem_sha256 = req->body_sha256;
	}
	c->on_done = on_call;
	c->arg = req;
	req->waiting = true;
	ticket_command(c);
	return req_wait(req);
}

/* --- create --- */

static void read_factors(struct req *req, uint32_t *out)
{
	struct json_object *list = json_get(req->body, "factors");
	bool ok = !list || json_object_is_type(list, json_type_array);

	for (size_t i = 0; ok && list && i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		int hit = -1;

		for (int k = 0; k < FACTOR_COUNT; k++)
			if (json_object_is_type(v, json_type_string) &&
				str_is(json_str(v), factor_name((enum factor)k)))
				hit = k;
		ok = hit >= 0;
		if (ok)
			*out |= 1u << hit;
	}
	if (!ok)
		req_note_invalid(req, "factors",
			"a list of continuity, users, data_integrity, finance, compliance, time",
			"列表，可选值：continuity、users、data_"
			"integrity、finance、compliance、time");
}

static const char *read_tags(struct req *req)
{
	struct json_object *list = json_get(req->body, "tags");
	bool ok = !list || (json_object_is_type(list, json_type_array) &&
				   json_object_array_length(list) <= 20);

	for (size_t i = 0; ok && list && i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		ok = json_object_is_type(v, json_type_string) &&
		     json_object_get_string_len(v) >= 1 &&
		     utf8_length(json_str(v).p, json_str(v).n) <= 50;
	}
	if (!ok)
		req_note_invalid(req, "tags", "at most 20 strings of 1 to 50 characters",
			"最多 20 个标签，每个 1 到 50 个字符");
	return ok && list ? req_json_text(req, list) : NULL;
}

static enum priority read_priority(struct req *req, bool required)
{
	const char *text = NULL;
	enum priority p;

	req_body_text(req, "priority", required, 1, 20, &text);
	if (!text)
		return PRIORITY_NONE;
	p = priority_parse(str_of(text));
	if (p == PRIORITY_NONE)
		req_note_invalid(req, "priority",
			"P0 to P4, or critical, high, medium, low, general",
			"P0 到 P4，或紧急、高、中、低、一般");
	return p;
}

static void read_choice(
	struct req *req, const char *key, bool required, const char *choices, const char **out)
{
	const char *v = NULL;

	req_body_text(req, key, required, 1, 50, &v);
	if (!v)
		return;
	if (choice_is_listed(choices, str_of(v)))
		*out = v;
	else
		req_note_invalid(req, key, arena_printf(&req->arena, "one of %s", choices),
			arena_printf(&req->arena, "可选值：%s", choices));
}

static void read_choices(struct req *req, struct ticket_call *c)
{
	static const char *const kinds[TICKET_CHOICES_MAX] = { "department", "project", "contract",
		"cost_centre", "region", "office" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const char *v = NULL;

		req_body_text(req, kinds[i], false, 1, 100, &v);
		if (v)
			c->choice[c->choices++] = (struct ticket_choice){ kinds[i], v };
	}
}

/* Whose ticket: a customer's own tenant; staff and services name the tenant. */
static bool read_tenant(struct req *req, struct ticket_call *c)
{
	const struct session *s = req->session;
	int64_t tenant = s->tenant_id, requester = 0;

	if (s->actor == ACTOR_CUSTOMER || s->tenant_id != 1) {
		req_body_int(req, "tenant_id", false, 1, (1LL << 53) - 1, &tenant);
		c->tenant_id = s->tenant_id;
		c->requester_kind = s->actor == ACTOR_CUSTOMER ? "customer" : "service";
		c->requester_id = s->actor_id;
		return tenant == s->tenant_id;
	}
	req_body_int(req, "tenant_id", true, 1, (1LL << 53) - 1, &tenant);
	req_body_int(req, "requester_id", false, 1, (1LL << 53) - 1, &requester);
	c->tenant_id = tenant;
	c->requester_kind = requester ? "customer" : actor_kind_name(s->actor);
	c->requester_id = requester ? requester : s->actor_id;
	return session_serves(s, tenant);
}

struct outcome *ticket_create(struct req *req)
{
	struct ticket_call *c = arena_alloc(&req->arena, sizeof(*c));
	bool mine;

	c->cmd = CMD_CREATE;
	c->service_type = "incident";
	c->source = req->session->actor == ACTOR_SERVICE ? "api" : "web";
	if (!req->body) {
		req_note_invalid(req, "title", "required", "必填");
		req_note_invalid(req, "description", "required", "必填");
		return req_invalid(req);
	}
	req_body_only(req, "title description priority service_type source impact_scope impact "
			   "urgency factors tags category department project contract cost_centre "
			   "region office external_id tenant_id requester_id");
	req_body_text(req, "title", true, 1, 200, &c->title);
	req_body_text(req, "description", true, 1, 20000, &c->text);
	req_body_text(req, "service_type", false, 1, 100, &c->service_type);
	req_body_text(req, "category", false, 1, 100, &c->category);
	read_choice(req, "source", false, "web|api|phone|mail|integration", &c->source);
	read_choice(req, "impact_scope", false, "all_users|most_users|some_users|few_users|none",
		&c->impact_scope);
	req_body_int(req, "impact", false, 1, 5, &c->impact);
	req_body_int(req, "urgency", false, 1, 5, &c->urgency);
	read_factors(req, &c->factors);
	c->tags = read_tags(req);
	c->priority = read_priority(req, false);
	read_choices(req, c);
	req_body_text(req, "external_id", false, 1, 100, &c->external_id);
	mine = read_tenant(req, c);
	if (req_has_invalid(req))
		return req_invalid(req);
	if (!mine)
		return req_fail(req, ERR_FORBIDDEN, NULL);
	return run_command(req, c);
}

/* --- commands --- */

/* Root cause, solution, prevention and what was touched: the law asks for them at P0 to P2; the
 * flow knows the priority only later, so all that is given is checked here and what is missing is
 * told by name when the ticket needs it. */
static void read_resolution(struct req *req, struct ticket_call *c)
{
	static const char *const keys[] = { "root_cause", "solution", "prevention",
		"configuration" };
	const char *kind = NULL;
	struct buf b = { 0 };

	read_choice(req, "solution_kind", false, "temporary|permanent", &kind);
	buf_addf(&b, "{\"solution_kind\":%s%s%s", kind ? "\"" : "", kind ? kind : "null",
		kind ? "\"" : "");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *v = NULL;

		req_body_text(req, keys[i], false, 1, 8000, &v);
		buf_addf(&b, ",\"%s\":", keys[i]);
		if (v)
			buf_add_json(&b, v, strlen(v));
		else
			buf_adds(&b, "null");
	}
	buf_addc(&b, '}');
	c->details = arena_dup(&req->arena, b.p, b.n);
	buf_free(&b);
}

static void read_fields(struct req *req, struct ticket_call *c)
{
	const struct ticket_rule *rule = ticket_rule(c->cmd);
	int64_t now = clock_now_us();
	const char *clock = NULL;

	req_body_int(req, "version", false, 1, (1LL << 53) - 1, &c->expect_version);
	if (rule->needs_text)
		req_body_text(req, "text", true, 1, 20000, &c->text);
	if (rule->needs_reason)
		req_body_text(req, "reason", true, 1, 2000, &c->text);
	switch (c->cmd) {
	case CMD_CONTACT:
		c->reckon_at = now;
		req_body_time(req, "at", true, &c->reckon_at);
		if (c->reckon_at > now)
			req_note_invalid(
				req, "at", "must not be in the future", "不能晚于当前时间");
		break;
	case CMD_ASSIGN:
		req_body_int(req, "assignee_id", true, 1, (1LL << 53) - 1, &c->assignee_id);
		break;
	case CMD_PRIORITY:
		c->priority = read_priority(req, true);
		break;
	case CMD_SCHEDULE:
		req_body_time(req, "until", true, &c->wake_at);
		if (c->wake_at && c->wake_at <= now)
			req_note_invalid(req, "until", "must be in the future", "应晚于当前时间");
		break;
	case CMD_RESOLVE:
		read_resolution(req, c);
		break;
	case CMD_TAGS:
		c->tags = read_tags(req);
		if (!c->tags && !json_get(req->body, "tags"))
			req_note_invalid(req, "tags", "required", "必填");
		break;
	case CMD_CATEGORY:
		req_body_text(req, "category", true, 1, 100, &c->category);
		break;
	case CMD_LINK:
		req_body_int(req, "parent_id", true, 1, (1LL << 53) - 1, &c->parent_id);
		break;
	case CMD_RATE:
		req_body_int(req, "score", true, 1, 5, &c->score);
		c->score *= 100;
		req_body_text(req, "text", false, 1, 2000, &c->text);
		break;
	case CMD_REDACT:
		req_body_int(req, "comment_id", true, 1, (1LL << 53) - 1, &c->comment_id);
		break;
	case CMD_WAIVE:
		read_choice(req, "clock", true, "response|resolution", &clock);
		c->clock = sla_clock_parse(str_of(clock ? clock : "response"));
		break;
	case CMD_EXCLUDE_WINDOW:
		req_body_time(req, "from", true, &c->from);
		req_body_time(req, "to", true, &c->to);
		if (c->from && c->to && c->to <= c->from)
			req_note_invalid(req, "to", "must be later than from", "应晚于 from");
		if (c->from && c->to && c->to - c->from > 30 * 86400 * US_PER_S)
			req_note_invalid(req, "to", "at most 30 days after from", "最多 30 天");
		break;
	case CMD_PROPOSE_EXCLUSION:
		read_choice(req, "kind", true, "spam|test|customer_delay", &c->exclusion_kind);
		break;
	default:
		break;
	}
}

static void read_if_match(struct req *req, struct ticket_call *c)
{
	struct str s = str_of(req->if_match);

	if (!req->if_match)
		return;
	if (s.n > 1 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		s = (struct str){ s.p + 1, s.n - 2 };
	if (!str_to_int(s, 1, (1LL << 53) - 1, &c->expect_version))
		req_note_invalid(req, "If-Match", "a ticket version", "应为工单版本号");
}

static struct outcome *command_with(struct req *req, struct ticket_call *c)
{
	c->ticket_id = req_path_id(req, "id");
	if (!c->ticket_id)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	return run_command(req, c);
}

/* Resolving P0 to P2 wants the whole story; the ticket's priority is asked first. */
static struct outcome *on_priority_known(struct req *req, enum db_error error, const PGresult *rows)
{
	static const char *const keys[] = { "root_cause", "solution", "solution_kind", "prevention",
		"configuration" };
	struct ticket_call *c = req->state;
	enum priority p;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	p = priority_parse(db_text(rows, 0, PQfnumber(rows, "priority")));
	for (size_t i = 0; p <= P2 && i < ARRAY_LEN(keys); i++)
		if (!json_get(req->body, keys[i]))
			req_note_invalid(req, keys[i], "required for P0 to P2", "P0 到 P2 必填");
	if (req_has_invalid(req))
		return req_invalid(req);
	return command_with(req, c);
}

struct outcome *ticket_act(struct req *req)
{
	struct ticket_call *c = req->state = arena_alloc(&req->arena, sizeof(*c));

	c->cmd = (enum ticket_command)req->route->argument;
	c->priority = PRIORITY_NONE;
	c->reckon_at = INSTANT_NONE;
	if (c->cmd == CMD_REPLY && req->session->actor == ACTOR_CUSTOMER)
		c->cmd = CMD_CUSTOMER_REPLY;
	read_if_match(req, c);
	if (!req->body)
		req->body = json_object_new_object();
	req_body_only(req, ticket_rule(c->cmd)->fields);
	read_fields(req, c);
	if (req_has_invalid(req))
		return req_invalid(req);
	if (c->cmd == CMD_RESOLVE) {
		const char **p = arena_alloc(&req->arena, sizeof(*p));

		if (!req_path_id(req, "id"))
			return req_fail(req, ERR_NOT_FOUND, NULL);
		p[0] = arena_printf(&req->arena, "%lld", (long long)req_path_id(req, "id"));
		return req_query(req, &sql_ticket_get, p, on_priority_known);
	}
	return command_with(req, c);
}

/* --- explain --- */

struct explain {
	struct ticket ticket;
	const struct sla_version *v;
	struct buf out;
	const PGresult *history;
	int n;
};

static void explain_cleanup(struct req *req)
{
	struct explain *x = req->state;

	ticket_clear(&x->ticket);
	buf_free(&x->out);
}

/* Who paused, and when: the event that stands at the interval's first instant. */
static void add_cause(struct explain *x, int64_t from)
{
	for (int i = 0; i < PQntuples(x->history); i++)
		if (db_time(x->history, i, 5) == from) {
			struct str type = db_text(x->history, i, 1),
				   actor = db_text(x->history, i, 2);

			buf_addf(&x->out,
				",\"by\":{\"event\":\"%.*s\",\"seq\":%lld,\"actor_kind\":\"%.*s\","
				"\"actor_id\":",
				(int)type.n, type.p, (long long)db_int(x->history, i, 0),
				(int)actor.n, actor.p);
			db_cell_to_json(&x->out, x->history, i, 3);
			buf_addc(&x->out, '}');
			return;
		}
}

static void add_interval(
	void *arg, enum sla_interval_kind kind, int64_t from, int64_t to, int64_t consumed_us)
{
	struct explain *x = arg;

	buf_addf(&x->out, "%s{\"from\":", x->n++ ? "," : "");
	buf_add_time_json(&x->out, from);
	buf_adds(&x->out, ",\"to\":");
	buf_add_time_json(&x->out, to);
	buf_addf(&x->out, ",\"kind\":\"%s\",\"seconds\":%lld", sla_interval_name(kind),
		(long long)(consumed_us / US_PER_S));
	if (kind == INTERVAL_PAUSED)
		add_cause(x, from);
	buf_addc(&x->out, '}');
}

static void explain_clock(struct explain *x, enum sla_clock_kind k, int64_t now)
{
	const struct sla_clock *c = &x->ticket.sla.clock[k];
	struct sla_rules r = { &x->v->policy, x->v->calendar };

	buf_addf(&x->out,
		"{\"clock\":\"%s\",\"state\":\"%s\",\"verdict\":\"%s\",\"cycle\":%d,\"budget_s\":%"
		"d,\"consumed_s\":%lld,\"start_at\":",
		sla_clock_name(k), sla_clock_state_name(c->state), sla_verdict_name(sla_verdict(c)),
		c->cycle, c->budget_s,
		(long long)(sla_consumed_us(&x->ticket.sla, r, k, now) / US_PER_S));
	buf_add_time_json(&x->out, c->start_at);
	buf_adds(&x->out, ",\"due_at\":");
	buf_add_time_json(&x->out, sla_due(&x->ticket.sla, r, k));
	buf_adds(&x->out, ",\"stopped_at\":");
	buf_add_time_json(&x->out, c->stopped_at);
	buf_adds(&x->out, ",\"breached_at\":");
	buf_add_time_json(&x->out, c->breached_at);
	buf_adds(&x->out, ",\"thresholds\":[");
	for (int i = 0, n = 0; k != SLA_LADDER && i < r.policy->thresholds; i++) {
		int64_t at = sla_threshold_at(&x->ticket.sla, r, k, i);

		if (at == INSTANT_NONE)
			continue;
		buf_addf(&x->out, "%s{\"threshold\":\"%s\",\"fired\":%s,\"at\":", n++ ? "," : "",
			r.policy->threshold[i].key, c->fired >> i & 1 ? "true" : "false");
		buf_add_time_json(&x->out, at);
		buf_addc(&x->out, '}');
	}
	buf_adds(&x->out, "],\"intervals\":[");
	x->n = 0;
	sla_explain(&x->ticket.sla, r, k, c->stopped_at != INSTANT_NONE ? c->stopped_at : now, 500,
		add_interval, x);
	buf_adds(&x->out, "]}");
}

static struct outcome *on_history(struct req *req, enum db_error error, const PGresult *rows)
{
	struct explain *x = req->state;
	bool first = true;

	if (error != DB_OK)
		return req_fail_db(req, error);
	x->history = rows;
	buf_addf(&x->out,
		"{\"ticket_id\":%lld,\"status\":\"%s\",\"priority\":\"%s\",\"policy_id\":%lld,"
		"\"calendar_id\":%lld,\"clocks\":[",
		(long long)x->ticket.id, ticket_state_name(x->ticket.sla.state),
		priority_name(x->ticket.sla.priority), (long long)x->ticket.policy_id,
		(long long)x->ticket.calendar_id);
	for (int k = 0; k < SLA_CLOCKS; k++) {
		if (x->ticket.sla.clock[k].state == CLOCK_NONE)
			continue;
		if (!first)
			buf_addc(&x->out, ',');
		first = false;
		explain_clock(x, (enum sla_clock_kind)k, clock_now_us());
	}
	buf_adds(&x->out, "]}");
	return req_reply(req, 200, x->out.p, x->out.n);
}

static void on_explain_version(void *arg, const struct sla_version *v)
{
	struct req *req = arg;
	struct explain *x = req->state;
	const char **p = arena_alloc(&req->arena, 4 * sizeof(*p));

	req->waiting = false;
	if (!v) {
		req_continue(req, req_fail(req, ERR_DB, NULL));
		return;
	}
	x->v = v;
	p[0] = arena_printf(&req->arena, "%lld", (long long)x->ticket.id);
	p[1] = "200";
	req_continue(req, req_query(req, &sql_ticket_history, p, on_history));
}

static struct outcome *on_explain_loaded(struct req *req, enum db_error error, const PGresult *rows)
{
	struct explain *x = req->state;
	struct str doc;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	doc = db_text(rows, 0, 0);
	if (!ticket_read(doc.p, doc.n, &x->ticket))
		return req_fail(req, ERR_INTERNAL, NULL);
	req->waiting = true;
	versions_get(x->ticket.policy_id, x->ticket.calendar_id, on_explain_version, req);
	return req_wait(req);
}

struct outcome *ticket_explain(struct req *req)
{
	const char **p = arena_alloc(&req->arena, sizeof(*p));

	req->state = arena_alloc(&req->arena, sizeof(struct explain));
	req->cleanup = explain_cleanup;
	if (!req_path_id(req, "id"))
		return req_fail(req, ERR_NOT_FOUND, NULL);
	p[0] = arena_printf(&req->arena, "%lld", (long long)req_path_id(req, "id"));
	return req_query(req, &sql_ticket_load, p, on_explain_loaded);
}
