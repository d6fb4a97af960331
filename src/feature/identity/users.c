/* SPDX-License-Identifier: Apache-2.0
 * A customer's administrator manages the customer's users: create, change, disable, grant and
 * restrict. */
#include "account.h"
#include "base/json.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/field.h"
#include "crypto/password.h"
#include "config/options.h"
#include "identity.h"
#include "flow_gen.h"
#include "sql_gen.h"

#define SCOPE_MAX 100

/* Mail address and phone number are stored encrypted, the former with its blind index. */
static void seal_person(struct req *req, int64_t user_id)
{
	static const struct {
		const char *name;
		enum field_column column;
	} sealed[] = { { "email", FIELD_CLIENT_USERS_EMAIL },
		{ "phone", FIELD_CLIENT_USERS_PHONE } };
	const char *email = json_get_string(req->body, "email");
	char index[FIELD_MAIL_INDEX_MAX];

	if (email) {
		field_mail_index(req->session->tenant_id, str_of(email), index);
		json_object_object_add(req->body, "email_index", json_object_new_string(index));
	}
	for (size_t i = 0; i < ARRAY_LEN(sealed); i++) {
		const char *v = json_get_string(req->body, sealed[i].name);
		struct buf b = { 0 };

		if (!v)
			continue;
		field_seal_at(&b, sealed[i].column, req->session->tenant_id, req_int(req, user_id),
			str_of(v), clock_now_us() / US_PER_S);
		json_object_object_add(
			req->body, sealed[i].name, json_object_new_string_len(b.p, (int)b.n));
		buf_free(&b);
	}
}

/* --- who gives --- */

const char *user_giver(struct req *req)
{
	const struct session *s = req->session;
	struct buf b = { 0 };
	const char *text;

	buf_addf(&b, "{\"kind\":\"%s\",\"id\":%lld,\"now\":%lld,\"permissions\":",
		actor_kind_name(s->actor), (long long)s->actor_id, (long long)clock_now_us());
	permissions_add_list(&b, s->perms);
	buf_addc(&b, '}');
	text = arena_dup(&req->arena, b.p, b.n);
	buf_free(&b);
	return text;
}

struct outcome *user_refuse_rights(struct req *req, const char *fault)
{
	static const struct {
		const char *fault, *field, *en, *zh;
	} rules[] = {
		{ "self", "user_id", "nobody changes their own role, rights or state",
			"不能修改自己的角色、权限或状态" },
		{ "permissions", "permissions", "you cannot give permissions that you do not hold",
			"不能授予自己没有的权限" },
		{ "data_scope", "data_scope",
			"you cannot give a wider part of the data than your own",
			"不能授予超出自己数据范围的权限" },
		{ "customers", "tenant_ids",
			"you cannot give or take customers that you do not serve",
			"不能授予或收回自己不服务的客户" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (strcmp(fault, rules[i].fault) == 0)
			return req_forbid(req, rules[i].field, rules[i].en, rules[i].zh, NULL);
	return req_fail(req, ERR_FORBIDDEN, NULL);
}

struct outcome *user_check_rights(struct req *req, int64_t user_id, req_row_step *next)
{
	const char **p = arena_alloc(&req->arena, 2 * sizeof(*p));

	p[0] = req_int(req, user_id);
	p[1] = user_giver(req);
	return req_query(req, &sql_user_rights_check, p, next);
}

struct outcome *user_after_check(
	struct req *req, enum db_error error, const PGresult *rows, req_step *go_on)
{
	struct str fault;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	if (db_is_null(rows, 0, 0))
		return go_on(req);
	fault = db_text(rows, 0, 0);
	return user_refuse_rights(req, arena_printf(&req->arena, "%.*s", (int)fault.n, fault.p));
}

/* The statement was refused: by rights_guard() before the commit, or for another reason. */
static struct outcome *refused(struct req *req, enum db_error error)
{
	if (error == DB_FORBIDDEN && strncmp(req->call.constraint, "rights_", 7) == 0)
		return user_refuse_rights(req, req->call.constraint + 7);
	return req_fail_db(req, error);
}

/* --- what can be granted --- */

/* The rule that a part of a grant breaks; NULL if none. */
struct rule {
	const char *en, *zh;
};
static const struct rule scope_rule = { "departments and projects, each a list of 1 to 100 names",
	"departments 与 projects，各为 1 到 100 个名称的列表" };
static const struct rule verbs_rule = { "operations of the resource, each true or false",
	"该资源的操作，各为 true 或 false" };
static const struct rule resource_rule = { "a resource, such as report", "资源名，如 report" };
static const struct rule instant_rule = { "a time, as 2026-01-31T00:00:00Z",
	"时间，如 2026-01-31T00:00:00Z" };
static const struct rule order_rule = { "must be later than valid_from", "应晚于 valid_from" };
static const struct rule known_rule = { "unknown", "未知字段" };

static bool strings_only(struct json_object *list)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	if (!n || n > SCOPE_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		if (!json_object_is_type(v, json_type_string) || text_is_blank(json_str(v)) ||
			utf8_length(json_str(v).p, json_str(v).n) > 300)
			return false;
	}
	return true;
}

static const struct rule *scope_rule_broken(struct json_object *scope)
{
	if (!scope)
		return NULL;
	if (!json_object_is_type(scope, json_type_object) || json_object_object_length(scope) == 0)
		return &scope_rule;
	json_object_object_foreach(scope, key, val)
	{
		if ((strcmp(key, "departments") != 0 && strcmp(key, "projects") != 0) ||
			!strings_only(val))
			return &scope_rule;
	}
	return NULL;
}

static const struct rule *verbs_rule_broken(struct json_object *verbs, const char *resource)
{
	if (!json_object_is_type(verbs, json_type_object) || json_object_object_length(verbs) == 0)
		return &verbs_rule;
	json_object_object_foreach(verbs, verb, allowed)
	{
		if (!json_object_is_type(allowed, json_type_boolean) ||
			permission_grantable(resource, verb) == PERM_COUNT)
			return &verbs_rule;
	}
	return NULL;
}

/* Convert an instant of a grant to microseconds, in place. */
static const struct rule *read_instant(struct json_object *grant, const char *key, int64_t *out)
{
	struct json_object *v = json_get(grant, key);

	if (!v)
		return NULL;
	if (!json_object_is_type(v, json_type_string) || !time_read(json_str(v), out))
		return &instant_rule;
	json_object_object_add(grant, key, json_object_new_int64(*out));
	return NULL;
}

static void check_grant(struct req *req, struct json_object *grant, size_t i)
{
	const char *resource = json_get_string(grant, "resource_type"), *field = "resource_type";
	const struct rule *rule = NULL;
	int64_t from = clock_now_us(), to = INT64_MAX;

	if (!resource || permission_grantable(resource, NULL) == PERM_COUNT) {
		rule = &resource_rule;
	} else {
		json_object_object_foreach(grant, key, val)
		{
			(void)val;
			if (strcmp(key, "resource_type") != 0 && strcmp(key, "permissions") != 0 &&
				strcmp(key, "data_scope") != 0 && strcmp(key, "valid_from") != 0 &&
				strcmp(key, "valid_to") != 0)
				field = arena_printf(&req->arena, "%s", key), rule = &known_rule;
		}
	}
	if (!rule && (rule = verbs_rule_broken(json_get(grant, "permissions"), resource)))
		field = "permissions";
	if (!rule && (rule = scope_rule_broken(json_get(grant, "data_scope"))))
		field = "data_scope";
	if (!rule && (rule = read_instant(grant, "valid_from", &from)))
		field = "valid_from";
	if (!rule && (rule = read_instant(grant, "valid_to", &to)))
		field = "valid_to";
	if (!rule && to <= from)
		field = "valid_to", rule = &order_rule;
	if (rule)
		req_note_invalid(req, arena_printf(&req->arena, "grants[%zu].%s", i, field),
			rule->en, rule->zh);
}

static void check_grants(struct req *req, struct json_object *list)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		check_grant(req, json_object_array_get_idx(list, i), i);
}

/* --- creating --- */

struct invitation {
	const char *password, *doc, *grants;
};

static struct outcome *on_joined(struct req *req, enum db_error error, const PGresult *rows)
{
	const char *data;

	if (error != DB_OK)
		return refused(req, error);
	data = arena_printf(&req->arena, "{\"user_id\":%lld}", (long long)db_int(rows, 0, 0));
	return req_reply(req, 201, data, strlen(data));
}

static struct outcome *on_hashed(struct req *req, bool ok, struct str answer)
{
	struct invitation *i = req_state(req, invitation);
	const char **p = arena_alloc(&req->arena, 9 * sizeof(*p));

	if (!ok || !answer.n)
		return req_fail(req, ERR_BUSY, NULL);
	p[0] = i->doc;
	p[1] = arena_dup(&req->arena, answer.p, answer.n);
	p[2] = req_int(req, clock_now_us());
	p[3] = req->session->name;
	p[4] = options.http_url;
	p[5] = user_giver(req);
	p[6] = i->grants;
	p[7] = actor_kind_name(req->session->actor);
	p[8] = req_int(req, req->session->actor_id);
	return req_query(req, &sql_user_new, p, on_joined);
}

void user_new_check(struct req *req)
{
	const struct in_identity_user_new *in = REQ_INPUT(req, identity_user_new);
	const char *broken = in->password ? password_rule_broken(in->password,
						    in->username ? in->username : "", req->zh)
					  : NULL;

	if (broken)
		req_note_invalid(req, "password", broken, broken);
	check_grants(req, in->grants);
}

static struct outcome *on_id(struct req *req, enum db_error error, const PGresult *rows)
{
	struct invitation *i = req_state(req, invitation);

	if (error != DB_OK)
		return req_fail_db(req, error);
	seal_person(req, db_int(rows, 0, 0));
	json_object_object_add(req->body, "id", json_object_new_int64(db_int(rows, 0, 0)));
	i->doc = req_json_text(req, req->body);
	return account_hash(req, i->password, on_hashed);
}

struct outcome *user_new(struct req *req)
{
	const struct in_identity_user_new *in = REQ_INPUT(req, identity_user_new);
	struct invitation *i = req_state_new(req, invitation);
	const char **p = arena_alloc(&req->arena, sizeof(*p));

	i->password = arena_dup(&req->arena, in->password, strlen(in->password));
	i->grants = in->grants ? req_json_text(req, in->grants) : "[]";
	json_object_object_del(req->body, "grants");
	json_object_object_del(req->body, "password"); /* the document leaves it out */
	p[0] = "client_users";
	return req_query_job(req, &sql_keys_next_id, p, on_id);
}

/* --- changing --- */

static struct outcome *on_changed(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return refused(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	if (db_int(rows, 0, 0))
		return req_fail(req, ERR_WRONG_STATE,
			req->zh ? "{\"rule\":\"至少保留一名启用的管理员\"}"
				: "{\"rule\":\"one active administrator must remain\"}");
	return req_reply(req, 200, "null", 4);
}

void user_set_check(struct req *req)
{
	if (!req->body)
		req_note_invalid(req, "body", "an object", "应为对象");
}

struct change {
	const char *address; /* the present one, encrypted for the mail to it; NULL: none is told */
};

static struct outcome *set_user(struct req *req)
{
	const char **p = arena_alloc(&req->arena, 7 * sizeof(*p));
	struct buf names = { 0 };

	json_object_object_foreach(req->body, key, val)
	{
		(void)val;
		buf_addf(&names, "%s%s", names.n ? ", " : "", key);
	}
	seal_person(req, REQ_INPUT(req, identity_user_set)->user_id);
	p[0] = req_int(req, REQ_INPUT(req, identity_user_set)->user_id);
	p[1] = req_json_text(req, req->body);
	p[2] = req_int(req, clock_now_us());
	p[3] = req->session->name;
	p[4] = arena_printf(&req->arena, "%s", names.n ? buf_cstr(&names) : "");
	p[5] = user_giver(req);
	p[6] = req_state(req, change)->address;
	buf_free(&names);
	return req_query(req, &sql_user_set, p, on_changed);
}

static struct outcome *on_address(struct req *req, enum db_error error, const PGresult *rows)
{
	struct buf old = { 0 }, sealed = { 0 };

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) && !db_is_null(rows, 0, 0) && db_open(&old, rows, 0, 0)) {
		field_seal_at(&sealed, FIELD_EVENTS_CODE, req->session->tenant_id,
			arena_printf(&req->arena, "customer.%lld.address",
				(long long)REQ_INPUT(req, identity_user_set)->user_id),
			(struct str){ old.p, old.n }, clock_now_us() / US_PER_S);
		req_state(req, change)->address = arena_dup(&req->arena, sealed.p, sealed.n);
	}
	buf_free(&old);
	buf_free(&sealed);
	return set_user(req);
}

/* Who has a mail address is told there when it is changed: it may be a thief who changes it. */
struct outcome *user_set(struct req *req)
{
	const char **p = arena_alloc(&req->arena, sizeof(*p));

	req_state_new(req, change)->address = NULL;
	p[0] = req_int(req, REQ_INPUT(req, identity_user_set)->user_id);
	return json_get_string(req->body, "email")
		       ? req_query(req, &sql_user_address, p, on_address)
		       : set_user(req);
}

/* --- granting --- */

void user_grants_check(struct req *req)
{
	check_grants(req, REQ_INPUT(req, identity_grants_put)->grants);
}

static struct outcome *on_granted(struct req *req, enum db_error error, const PGresult *rows)
{
	return error == DB_OK ? req_reply_null(req, error, rows) : refused(req, error);
}

static struct outcome *put_grants(struct req *req)
{
	const struct in_identity_grants_put *in = REQ_INPUT(req, identity_grants_put);
	const char **p = arena_alloc(&req->arena, 7 * sizeof(*p));

	p[0] = req_int(req, in->user_id);
	p[1] = req_json_text(req, in->grants);
	p[2] = req_int(req, clock_now_us());
	p[3] = actor_kind_name(req->session->actor);
	p[4] = req_int(req, req->session->actor_id);
	p[5] = req->session->name;
	p[6] = user_giver(req);
	return req_query(req, &sql_user_grants_put, p, on_granted);
}

static struct outcome *on_may_grant(struct req *req, enum db_error error, const PGresult *rows)
{
	return user_after_check(req, error, rows, put_grants);
}

/* The trigger sees only rows that change; but a change ends sessions even without one. */
struct outcome *user_grants_put(struct req *req)
{
	return user_check_rights(req, REQ_INPUT(req, identity_grants_put)->user_id, on_may_grant);
}
