/* SPDX-License-Identifier: Apache-2.0
 * A customer's administrator manages the customer's users: create, change, disable, grant and
 * restrict. */
#include "account.h"
#include "base/json.h"
#include "base/clock.h"
#include "crypto/field.h"
#include "crypto/password.h"
#include "config/options.h"
#include "identity.h"
#include "sql_gen.h"

#define GRANTS_MAX 50
#define SCOPE_MAX 100
#define PLACES "department project contract cost_centre region office"

/* --- verification --- */

static bool name_is_valid(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 100 && s[0] != '.' && s[0] != '_' && s[0] != '@' && s[0] != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789._@-") == n;
}

static bool mail_is_valid(const char *s)
{
	const char *at = strchr(s, '@');

	if (!at || at == s || !at[1] || strchr(at + 1, '@'))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= 0x20 || strchr("<>,;\"\x7f", *s))
			return false;
	return true;
}

static void read_one_of(struct req *req, const char *key, const char *list)
{
	const char *v = NULL, *at;

	req_body_text(req, key, false, 1, 20, &v);
	at = v ? strstr(list, v) : NULL;
	if (v && (!at || (at != list && at[-1] != '|') || (at[strlen(v)] && at[strlen(v)] != '|')))
		req_note_invalid(req, key, arena_printf(&req->arena, "one of %s", list),
			arena_printf(&req->arena, "可选值：%s", list));
}

/* Mail address and phone number are stored encrypted, the former with its blind index. */
static void seal_person(struct req *req)
{
	static const char *const sealed[] = { "email", "phone" };
	const char *email = json_get_string(req->body, "email");
	char index[65];

	if (email) {
		field_index("email", req->session->tenant_id, str_of(email), index);
		json_object_object_add(req->body, "email_index", json_object_new_string(index));
	}
	for (size_t i = 0; i < ARRAY_LEN(sealed); i++) {
		const char *v = json_get_string(req->body, sealed[i]);
		struct buf b = { 0 };

		if (!v)
			continue;
		field_seal(&b, sealed[i], str_of(v), clock_now_us() / US_PER_S);
		json_object_object_add(
			req->body, sealed[i], json_object_new_string_len(b.p, (int)b.n));
		buf_free(&b);
	}
}

/* Check the fields of a user that the administrator sets. */
static void check_person(struct req *req, bool fresh)
{
	static const char *const places[] = { "department", "project", "contract", "cost_centre",
		"region", "office" };
	const char *text = NULL;

	req_body_text(req, "full_name", fresh, 1, 100, &text);
	text = NULL;
	req_body_text(req, "email", fresh, 3, 254, &text);
	if (text && !mail_is_valid(text))
		req_note_invalid(req, "email", "a mail address, such as user@example.com",
			"邮箱地址，如 user@example.com");
	text = NULL;
	req_body_text(req, "phone", false, 1, 20, &text);
	if (text && strspn(text, "+0123456789 -()") != strlen(text))
		req_note_invalid(req, "phone", "digits, +, -, spaces and brackets",
			"数字、+、-、空格与括号");
	read_one_of(req, "lang", "zh|en");
	read_one_of(req, "role_type", "admin|manager|user");
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		req_body_text(req, places[i], false, 1, 100, &text);
	if (!req->body)
		req_note_invalid(req, "body", "an object", "应为对象");
}

/* Only a customer's own users: staff and the provider's services have no tenant to write to
 * here. */
static bool is_customers(const struct req *req)
{
	return !req->session->staff;
}

/* --- creating --- */

struct invitation {
	const char *doc;
};

static struct outcome *on_joined(struct req *req, enum db_error error, const PGresult *rows)
{
	const char *data;

	if (error != DB_OK)
		return req_fail_db(req, error);
	data = arena_printf(&req->arena, "{\"user_id\":%lld}", (long long)db_int(rows, 0, 0));
	return req_reply(req, 201, data, strlen(data));
}

static struct outcome *on_hashed(struct req *req, bool ok, struct str answer)
{
	struct invitation *i = req->state;
	const char **p = arena_alloc(&req->arena, 5 * sizeof(*p));

	if (!ok || !answer.n)
		return req_fail(req, ERR_BUSY, NULL);
	p[0] = i->doc;
	p[1] = arena_dup(&req->arena, answer.p, answer.n);
	p[2] = req_int(req, clock_now_us());
	p[3] = req->session->name;
	p[4] = options.http_url;
	return req_query(req, &sql_user_new, p, on_joined);
}

struct outcome *user_new(struct req *req)
{
	struct invitation *i = req->state = arena_alloc(&req->arena, sizeof(*i));
	const char *username = NULL, *password = NULL, *broken;

	if (!is_customers(req))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	req_body_only(req, "username password full_name email phone lang role_type " PLACES);
	req_body_text(req, "username", true, 1, 100, &username);
	req_body_text(req, "password", true, 1, 200, &password);
	check_person(req, true);
	if (username && !name_is_valid(username))
		req_note_invalid(req, "username",
			"a to z, 0 to 9, . _ @ -, starting with a letter or digit",
			"小写字母、数字与 . _ @ -，以字母或数字开头");
	broken =
		password ? password_rule_broken(password, username ? username : "", req->zh) : NULL;
	if (broken)
		req_note_invalid(req, "password", broken, broken);
	if (req_has_invalid(req))
		return req_invalid(req);
	password = arena_printf(&req->arena, "%s", password); /* the document leaves it out */
	json_object_object_del(req->body, "password");
	seal_person(req);
	i->doc = req_json_text(req, req->body);
	return req_work(req, WORK_HASH, password, strlen(password), on_hashed);
}

/* --- changing --- */

static struct outcome *on_changed(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	if (db_int(rows, 0, 0))
		return req_fail(req, ERR_WRONG_STATE,
			req->zh ? "{\"rule\":\"至少保留一名启用的管理员\"}"
				: "{\"rule\":\"one active administrator must remain\"}");
	return req_reply(req, 200, "null", 4);
}

struct outcome *user_set(struct req *req)
{
	int64_t id = req_path_id(req, "user_id");
	const char **p = arena_alloc(&req->arena, 5 * sizeof(*p));
	struct buf names = { 0 };
	bool active;

	if (!is_customers(req))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	req_body_only(req, "full_name email phone lang role_type is_active " PLACES);
	check_person(req, false);
	req_body_bool(req, "is_active", &active);
	if (req_has_invalid(req))
		return req_invalid(req);
	if (!id)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	json_object_object_foreach(req->body, key, val)
	{
		(void)val;
		buf_addf(&names, "%s%s", names.n ? ", " : "", key);
	}
	seal_person(req);
	p[0] = req_int(req, id);
	p[1] = req_json_text(req, req->body);
	p[2] = req_int(req, clock_now_us());
	p[3] = req->session->name;
	p[4] = arena_printf(&req->arena, "%s", names.n ? buf_cstr(&names) : "");
	buf_free(&names);
	return req_query(req, &sql_user_set, p, on_changed);
}

/* --- granting --- */

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

		if (!json_object_is_type(v, json_type_string) || json_str(v).n < 1 ||
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
	if (!json_object_is_type(v, json_type_string) || !time_parse(json_str(v), out))
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

static struct outcome *on_granted(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	return req_reply(req, 200, "null", 4);
}

struct outcome *user_grants_put(struct req *req)
{
	struct json_object *list = json_get(req->body, "grants");
	int64_t id = req_path_id(req, "user_id");
	const char **p = arena_alloc(&req->arena, 6 * sizeof(*p));

	if (!is_customers(req))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	req_body_only(req, "grants");
	if (!json_object_is_type(list, json_type_array) ||
		json_object_array_length(list) > GRANTS_MAX)
		req_note_invalid(req, "grants", "a list of at most 50", "最多 50 项的列表");
	else
		for (size_t i = 0; i < json_object_array_length(list); i++)
			check_grant(req, json_object_array_get_idx(list, i), i);
	if (req_has_invalid(req))
		return req_invalid(req);
	if (!id)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	p[0] = req_int(req, id);
	p[1] = req_json_text(req, list);
	p[2] = req_int(req, clock_now_us());
	p[3] = actor_kind_name(req->session->actor);
	p[4] = req_int(req, req->session->actor_id);
	p[5] = req->session->name;
	return req_query(req, &sql_user_grants_put, p, on_granted);
}
