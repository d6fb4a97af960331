/* SPDX-License-Identifier: Apache-2.0
 * The provider's own wording of texts: read, saved if the rules of template.h allow it, taken back,
 * and shown with example values. */
#include "texts.h"
#include "template.h"
#include "base/json.h"
#include "db/db.h"
#include "flow_gen.h"
#include "sql_gen.h"

/* The columns of notify/text_one, text_save and text_back. */
enum {
	T_CODE,
	T_LANG,
	T_SUBJECT,
	T_BODY,
	T_SHIPPED_SUBJECT,
	T_SHIPPED_BODY,
	T_SHIPPED_ALL,
	T_OWN,
	T_OUTDATED
};

/* What text is asked for: the first two parameters of each statement. */
static const char **parameters(struct req *req)
{
	const struct in_notify_text *in = REQ_INPUT(req, notify_text);
	const char **p = arena_alloc(&req->arena, 4 * sizeof(*p));

	p[0] = in->template;
	p[1] = in->lang;
	return p;
}

/* --- replies --- */

static void add_member(struct buf *b, const char *name, struct str value)
{
	buf_addf(b, "\"%s\":", name);
	buf_add_json(b, value.n ? value.p : "", value.n);
}

static struct template_text text_of(struct req *req, const PGresult *rows)
{
	return (struct template_text){ .code = REQ_INPUT(req, notify_text)->template,
		.subject = db_text(rows, 0, T_SUBJECT),
		.body = db_text(rows, 0, T_BODY),
		.shipped_subject = db_text(rows, 0, T_SHIPPED_SUBJECT),
		.shipped_body = db_text(rows, 0, T_SHIPPED_BODY),
		.shipped_all = db_text(rows, 0, T_SHIPPED_ALL) };
}

static bool is_zh(struct req *req)
{
	return str_is(str_of(REQ_INPUT(req, notify_text)->lang), "zh");
}

static void add_variables(struct buf *b, struct req *req, const struct template_text *t)
{
	struct template_values examples = template_examples(is_zh(req));
	const char *name;

	buf_adds(b, ",\"variables\":[");
	for (size_t i = 0; (name = template_variable(t, i)); i++) {
		struct buf value = { 0 };

		examples.add(&value, str_of(name), &examples);
		buf_addf(b, "%s{\"name\":\"%s\",", i ? "," : "", name);
		add_member(b, "example", (struct str){ value.p, value.n });
		buf_addc(b, '}');
		buf_free(&value);
	}
	buf_addc(b, ']');
}

static void add_wording(struct buf *b, struct req *req, struct str subject, struct str body)
{
	const struct in_notify_text *in = REQ_INPUT(req, notify_text);

	buf_addf(b, "{\"template\":\"%s\",\"lang\":\"%s\",", in->template, in->lang);
	add_member(b, "subject", subject);
	buf_addc(b, ',');
	add_member(b, "body", body);
}

static struct outcome *reply_text(struct req *req, enum db_error error, const PGresult *rows)
{
	struct template_text t;
	struct buf b = { 0 };

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	t = text_of(req, rows);
	add_wording(&b, req, t.subject, t.body);
	buf_addf(&b, ",\"own\":%s,\"outdated\":%s,", db_int(rows, 0, T_OWN) ? "true" : "false",
		db_int(rows, 0, T_OUTDATED) ? "true" : "false");
	add_member(&b, "shipped_subject", t.shipped_subject);
	buf_addc(&b, ',');
	add_member(&b, "shipped_body", t.shipped_body);
	add_variables(&b, req, &t);
	buf_addc(&b, '}');
	return req_reply_take(req, 200, &b);
}

struct outcome *text_get(struct req *req)
{
	return req_query_job(req, &sql_notify_text_one, parameters(req), reply_text);
}

struct outcome *text_reset(struct req *req)
{
	return req_query_job(req, &sql_notify_text_back, parameters(req), reply_text);
}

/* --- a wording that somebody proposes --- */

static const char *json_text(struct req *req, struct str s)
{
	struct buf b = { 0 };
	const char *text;

	buf_add_json(&b, s.p, s.n);
	text = arena_dup(&req->arena, b.p, b.n);
	buf_free(&b);
	return text;
}

static void note(struct req *req, const struct template_fault *fault)
{
	req_note_invalid_like(req, fault->field, arena_printf(&req->arena, "%s", fault->en),
		arena_printf(&req->arena, "%s", fault->zh), json_text(req, fault->example));
}

/* Member KEY of the body; *OUT stays as it is if it is missing. False: it is not a text. */
static bool take_member(struct req *req, const char *key, struct str *out)
{
	struct json_object *v = NULL;

	if (!req->body || !json_object_object_get_ex(req->body, key, &v))
		return true;
	if (!json_object_is_type(v, json_type_string))
		return false;
	*out = json_str(v);
	return true;
}

static void check_member(struct req *req, struct template_text *t, const char *key, struct str *out,
	bool (*is_valid)(const struct template_text *, struct template_fault *))
{
	struct template_fault fault;

	if (!take_member(req, key, out))
		*out = (struct str){ "", 0 }; /* refused like an empty one, with the example */
	if (!is_valid(t, &fault))
		note(req, &fault);
}

/* Put the body's members into T, and note what is wrong with them. */
static void take_proposal(struct req *req, struct template_text *t)
{
	check_member(req, t, "subject", &t->subject, template_subject_is_valid);
	check_member(req, t, "body", &t->body, template_body_is_valid);
}

/* What is missing is refused whatever the text. */
void text_put_check(struct req *req)
{
	static const char *const members[][2] = { { "subject", "\"[{{number}}] {{title}}\"" },
		{ "body", "\"{{actor}}: {{quote}}\"" } };

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (!req->body || !json_object_object_get_ex(req->body, members[i][0], NULL))
			req_note_invalid_like(
				req, members[i][0], "required", "必填", members[i][1]);
}

static struct outcome *on_put(struct req *req, enum db_error error, const PGresult *rows)
{
	const char **p = parameters(req);
	struct template_text t;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	t = text_of(req, rows);
	t.subject = t.body = (struct str){ "", 0 };
	take_proposal(req, &t);
	if (req_has_invalid(req))
		return req_invalid(req);
	p[2] = arena_dup(&req->arena, t.subject.p, t.subject.n);
	p[3] = arena_dup(&req->arena, t.body.p, t.body.n);
	return req_query_job(req, &sql_notify_text_save, p, reply_text);
}

struct outcome *text_put(struct req *req)
{
	return req_query_job(req, &sql_notify_text_one, parameters(req), on_put);
}

static struct outcome *on_preview(struct req *req, enum db_error error, const PGresult *rows)
{
	struct template_values examples = template_examples(is_zh(req));
	struct buf b = { 0 }, subject = { 0 }, body = { 0 };
	struct template_text t;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	t = text_of(req, rows);
	take_proposal(req, &t);
	if (req_has_invalid(req))
		return req_invalid(req);
	template_render(&subject, t.subject, &examples);
	template_render(&body, t.body, &examples);
	add_wording(&b, req, (struct str){ subject.p, subject.n }, (struct str){ body.p, body.n });
	buf_addc(&b, '}');
	buf_free(&subject);
	buf_free(&body);
	return req_reply_take(req, 200, &b);
}

struct outcome *text_preview(struct req *req)
{
	return req_query_job(req, &sql_notify_text_one, parameters(req), on_preview);
}
