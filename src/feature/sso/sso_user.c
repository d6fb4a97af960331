/* SPDX-License-Identifier: Apache-2.0
 * From the user whom a provider has identified to an account here, or a page that explains why
 * there is none. */
#include "core/hooks.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "crypto/field.h"

#include "core/signin.h"
#include "sql_gen.h"
#include "sso.h"

struct outcome *sso_fail_page(struct req *req, int status, const char *en, const char *zh)
{
	const char *html = arena_printf(&req->arena,
		"<!doctype html><meta charset=\"utf-8\"><meta name=\"viewport\" "
		"content=\"width=device-width\"><title>sladesk</title>"
		"<link rel=\"stylesheet\" href=\"/app.css\"><main><div class=\"card "
		"notice\"><p>%s</p><p><a "
		"href=\"/\">%s</a></p></div></main>\n",
		req->zh ? zh : en, req->zh ? "返回登录" : "Back to the login");

	return req_reply_raw(req, status, "text/html; charset=utf-8", "Cache-Control: no-store\r\n",
		html, strlen(html));
}

struct outcome *sso_fail_over(struct req *req)
{
	return sso_fail_page(req, 400,
		"This login has expired, was already used, or was started in another browser. "
		"Please log in again.",
		"本次登录已失效、已使用，或由其他浏览器发起，请重新登录。");
}

struct outcome *sso_fail_provider(struct req *req)
{
	return sso_fail_page(req, 401,
		"Your company's login service is unavailable or did not confirm your identity.",
		"无法连接贵公司的登录服务，或其未能确认您的身份。");
}

/* A browser gets a page, as on every way into the log-in; a program gets the usual error. */
struct outcome *sso_fail_outside(struct req *req)
{
	struct str accept = http_header_find(&req->http->head, "accept");

	if (!accept.n || !memmem(accept.p, accept.n, "application/json", 16))
		return sso_fail_page(req, error_text(ERR_OUTSIDE)->status,
			"Your company's login service does not answer (51001). Please try again "
			"later.",
			"贵公司的登录服务没有应答（51001），请稍后重试。");
	return req_fail(req, ERR_OUTSIDE, NULL);
}

static struct outcome *ask_new_id(struct req *req);

static struct outcome *on_user(struct req *req, enum db_error error, const PGresult *rows)
{
	struct sso_identity *x = req_state(req, sso_identity);
	struct sign_in *in;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0 && x->may_create && !x->asked_id)
		return ask_new_id(req);
	if (PQntuples(rows) == 0 || db_int(rows, 0, 2)) {
		audit_note(req, x->tenant_id, false, 0, x->mail ? x->mail : x->subject,
			"auth.sso_nobody", "refused", 401);
		return sso_fail_page(req, 401,
			"Your company has confirmed your identity, but you have no account here. "
			"Please contact your administrator.",
			"贵公司已确认您的身份，但您在本系统没有可用账号，请联系管理员。");
	}
	in = arena_alloc(&req->arena, sizeof(*in));
	*in = (struct sign_in){ .tenant_id = x->tenant_id,
		.subject_id = db_int(rows, 0, 0),
		.username = arena_dup(&req->arena, db_text(rows, 0, 1).p, db_text(rows, 0, 1).n),
		.method = "sso",
		.factor = "sso",
		.cookies = true,
		.page = x->next ? x->next : "/",
		.provider_id = x->provider_id,
		.subject = x->subject,
		.provider_session = x->sid };
	if (db_int(rows, 0, 3))
		audit_note(req, x->tenant_id, false, in->subject_id, in->username,
			"auth.sso_created", "success", 201);
	in->proved_us = x->proved_us;
	x->forget(req);
	req->cleanup = NULL; /* signin takes over the state */
	return signin_session(req, in);
}

#define FRESH_US (300 * US_PER_S)
#define SKEW_US (30 * US_PER_S)

bool sso_is_fresh(struct sso_identity *who, int64_t at_us)
{
	int64_t now = clock_now_us();

	if (!who->fresh)
		return true;
	if (at_us > now + SKEW_US || at_us < now - FRESH_US)
		return false;
	who->proved_us = at_us < now ? at_us : now;
	return true;
}

/* The highest role that the map gives for any of the claim's values. If there is a map and no value
 * matches, the lowest role. */
static const char *role_of(const struct sso_identity *x, struct json_object *claims)
{
	static const char *const order[] = { "user", "manager", "admin" };
	const char *attribute = json_get_string(x->settings, "role_attribute");
	struct json_object *map = json_get(x->settings, "role_map"), *v;
	struct claim roles = { 0 };
	size_t best = 0, n;

	if (!attribute || !json_object_is_type(map, json_type_object))
		return NULL;
	roles = claim_read(claims, CLAIM_ROLES, attribute);
	v = roles.value;
	n = !v ? 0 : roles.text ? 1 : json_object_array_length(v);
	for (size_t i = 0; i < n; i++) {
		const char *role = json_get_string(
			map, roles.text ? roles.text
					: json_object_get_string(json_object_array_get_idx(v, i)));

		for (size_t k = 0; role && k < ARRAY_LEN(order); k++)
			if (strcmp(role, order[k]) == 0 && k > best)
				best = k;
	}
	return order[best];
}

static bool domain_allowed(const struct sso_identity *x, const char *mail)
{
	struct json_object *list = json_get(x->settings, "email_domains");
	const char *at = mail ? strrchr(mail, '@') : NULL;

	if (!json_object_is_type(list, json_type_array) || !json_object_array_length(list))
		return true;
	for (size_t i = 0; at && i < json_object_array_length(list); i++)
		if (str_case_is(json_str(json_object_array_get_idx(list, i)), at + 1))
			return true;
	return false;
}

/* A user name for a new user: the mail address, if it is suitable. */
static const char *username_of(struct req *req, const char *mail, const char *subject)
{
	char *name = arena_printf(&req->arena, "%s", mail ? mail : ""), hex[65];

	for (char *p = name; *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
	if (name[0] && strlen(name) <= 100 && !strchr("._@-", name[0]) &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._@-") == strlen(name))
		return name;
	crypto_sha256_hex(subject, strlen(subject), hex);
	return arena_printf(&req->arena, "sso-%.12s", hex);
}

static struct claim read_logged(
	struct req *req, struct json_object *doc, enum claim_kind kind, const char *name)
{
	struct claim c = claim_read(doc, kind, name);

	if (c.state == CLAIM_WRONG)
		log_warn(&req->who, "claim not used name=\"%s\" rule=\"%s\"",
			name ? name : claim_name(kind), claim_rule(kind));
	return c;
}

const char *sso_claim(
	struct req *req, struct json_object *doc, enum claim_kind kind, const char *name)
{
	struct claim c = read_logged(req, doc, kind, name);

	return c.text ? arena_printf(&req->arena, "%s", c.text) : NULL;
}

/* Some providers send email_verified as a text. If the administrator says so, exactly "true"
 * counts; "false" and everything else never do. */
static bool mail_is_verified(
	struct req *req, const struct sso_identity *who, struct json_object *claims)
{
	const char *text = json_get_string(claims, claim_name(CLAIM_EMAIL_VERIFIED));
	struct claim c;

	if (text && json_get_bool(who->settings, "email_verified_text", false))
		return strcmp(text, "true") == 0;
	c = read_logged(req, claims, CLAIM_EMAIL_VERIFIED, NULL);
	return c.state == CLAIM_ABSENT ? json_get_bool(who->settings, "trust_email", false)
				       : c.number;
}

void sso_read_person(struct req *req, struct sso_identity *who, struct json_object *claims,
	const char *mail, const char *name)
{
	const char *set_mail = json_get_string(who->settings, "email_field"),
		   *set_name = json_get_string(who->settings, "name_field");

	who->mail = sso_claim(req, claims, CLAIM_EMAIL, set_mail ? set_mail : mail);
	who->name = sso_claim(req, claims, CLAIM_NAME, set_name ? set_name : name);
	who->mail_verified = mail_is_verified(req, who, claims);
}

/* Find the user. Only with an ID is one created, if there is none. */
static struct outcome *ask_user(struct req *req, int64_t id)
{
	struct sso_identity *x = req_state(req, sso_identity);
	const char **p = arena_alloc(&req->arena, 12 * sizeof(*p));
	struct buf sealed = { 0 };
	char *index = arena_alloc(&req->arena, FIELD_MAIL_INDEX_MAX);
	/* an unverified mail address does not give access to an account */
	bool mail = x->mail && x->mail_verified;

	if (mail)
		field_mail_index(x->tenant_id, str_of(x->mail), index);
	if (mail && id)
		field_seal_at(&sealed, FIELD_CLIENT_USERS_EMAIL, x->tenant_id, req_int(req, id),
			str_of(x->mail), clock_now_us() / US_PER_S);
	p[0] = req_int(req, x->tenant_id);
	p[1] = req_int(req, x->provider_id);
	p[2] = x->subject;
	p[3] = sealed.n ? arena_dup(&req->arena, sealed.p, sealed.n) : NULL;
	p[4] = mail ? index : NULL;
	p[5] = username_of(req, x->mail, x->subject);
	p[6] = x->name ? x->name : p[5];
	p[7] = x->role;
	p[8] = id ? "true" : "false";
	p[9] = req_int(req, clock_now_us());
	p[10] = req->zh ? "zh" : "en";
	p[11] = id ? req_int(req, id) : NULL;
	buf_free(&sealed);
	return req_query_job(req, &sql_sso_user, p, on_user);
}

static struct outcome *on_new_id(struct req *req, enum db_error error, const PGresult *rows)
{
	return error == DB_OK ? ask_user(req, db_int(rows, 0, 0)) : req_fail_db(req, error);
}

static struct outcome *ask_new_id(struct req *req)
{
	const char **p = arena_alloc(&req->arena, sizeof(*p));

	req_state(req, sso_identity)->asked_id = true;
	p[0] = "client_users";
	return req_query_job(req, &sql_keys_next_id, p, on_new_id);
}

struct outcome *sso_enter(struct req *req, struct json_object *claims)
{
	struct sso_identity *x = req_state(req, sso_identity);
	const char *role;

	if (!x->subject || !domain_allowed(x, x->mail))
		return sso_fail_provider(req);
	role = role_of(x, claims);
	x->role = role ? arena_printf(&req->arena, "%s", role) : NULL;
	x->may_create =
		x->mail && x->mail_verified && json_get_bool(x->settings, "create_users", false);
	return ask_user(req, 0);
}
