/* SPDX-License-Identifier: Apache-2.0
 * The forms of policies and calendars: what is told of a document that has another one, and what is
 * published. */
#include "base/json.h"
#include "policy.h"

void document_note(struct req *req, const struct shape_fault *fault)
{
	req_note_invalid_like(req, fault->field, arena_printf(&req->arena, "%s", fault->en),
		arena_printf(&req->arena, "%s", fault->zh), fault->example);
}

bool document_is_small(struct req *req, struct json_object *doc)
{
	struct buf b = { 0 };
	bool small;

	json_write(&b, doc);
	small = b.n <=
		JSON_MAX_BYTES / 2; /* the database adds blanks; instances read what it keeps */
	buf_free(&b);
	if (!small)
		req_note_invalid(req, "document", "at most 128 KiB", "最多 128 KiB");
	return small;
}

static void add_rows(struct buf *b, const char *name, const struct shape *s, bool zh)
{
	char rule[300];

	buf_addf(b, ",\"%s\":[", name);
	for (const struct shape *row = s; row->path; row++) {
		shape_rule(row, zh, rule, sizeof(rule));
		buf_addf(b, "%s{\"path\":\"%s\",\"type\":\"%s\",\"rule\":", row == s ? "" : ",",
			row->path, shape_type_name(row->type));
		buf_add_json(b, rule, strlen(rule));
		buf_addf(b, ",\"example\":%s,\"required\":%s,\"format\":%d}", row->example,
			row->required ? "true" : "false", row->format ? row->format : 1);
	}
	buf_addc(b, ']');
}

struct outcome *policy_format(struct req *req)
{
	struct buf b = { 0 };

	buf_addf(&b, "{\"policy_format\":%d", SLA_POLICY_FORMAT);
	add_rows(&b, "policy", policy_shape, req->zh);
	add_rows(&b, "calendar", calendar_shape, req->zh);
	buf_addc(&b, '}');
	return req_reply_take(req, 200, &b);
}
