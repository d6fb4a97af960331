/* SPDX-License-Identifier: Apache-2.0 */
#include "trail_rows.h"
#include "base/clock.h"
#include "base/json.h"
#include "core/session.h"
#include "ticket/names.h"

#include <stdio.h>
#include <string.h>

/* The changes of TRAIL, or NULL. */
static struct json_object *read_trail(const struct db_trail *trail)
{
	struct json_error err;
	struct buf all = { 0 };
	struct json_object *list;

	if (trail->n)
		buf_addf(&all, "[%.*s]", (int)trail->changes.n, trail->changes.p);
	else /* too much for a row: that it was made is told all the same */
		buf_adds(&all, "[{\"object\":\"\"}]");
	list = json_read(all.p, all.n, &err);
	buf_free(&all);
	return list;
}

void audit_background(const char *stmt, const struct db_trail *changed)
{
	struct json_object *list = read_trail(changed);

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		int64_t tenant_id = json_get_int(one, "tenant_id", 1);
		struct buf b = { 0 }, details = { 0 };
		const char *object = json_object_get_string(json_get(one, "object"));
		char operation[100]; /* as the others are written, with a dot */

		snprintf(operation, sizeof(operation), "%s", stmt);
		operation[strcspn(operation, "/")] = *stmt && strchr(stmt, '/') ? '.' : 0;

		buf_addf(&b,
			"{\"tenant_id\":%lld,\"at\":%lld,\"actor_kind\":\"system\",\"actor_id\":0,"
			"\"username\":\"sladeskd\"",
			(long long)tenant_id, (long long)clock_now_us());
		audit_add_text(&b, "operation", str_of(operation), 100);
		audit_add_text(&b, "resource", str_of(object ? object : ""), 200);
		buf_adds(&b, ",\"result\":\"success\",\"status\":0,\"address\":\"\",\"user_agent\":"
			     "\"\",\"request_id\":\"\"");
		buf_adds(&details, "{\"changes\":[");
		if (changed->n)
			json_write(&details, one);
		buf_addc(&details, ']');
		if (changed->more)
			buf_addf(&details, ",\"more\":%d", changed->more);
		buf_addc(&details, '}');
		audit_add_details(&b, buf_cstr(&details));
		audit_append(tenant_id, &b);
		buf_free(&details);
	}
	json_object_put(list);
}

/* --- what staff did --- */

static const char *text_of(struct json_object *o, const char *name)
{
	const char *s = json_get_string(o, name);

	return s ? s : "";
}

/* Is the text for staff only? A change of a text does not say for whom it was. */
static bool is_internal_text(struct json_object *fields)
{
	for (size_t i = 0; i < json_object_array_length(fields); i++) {
		struct json_object *f = json_object_array_get_idx(fields, i);

		if (strcmp(text_of(f, "field"), "audience") == 0)
			return strcmp(text_of(f, "after"), "customer") != 0;
	}
	return true;
}

/* Append CHANGE as a customer may see it; false: there is nothing of it. */
static bool add_shown(struct buf *b, struct json_object *change)
{
	const char *object = text_of(change, "object");
	struct json_object *fields = json_get(change, "fields");
	size_t n = fields ? json_object_array_length(fields) : 0;
	bool any = false;

	if (strncmp(object, "ticket_comments/", 16) == 0 && (!n || is_internal_text(fields)))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct json_object *f = json_object_array_get_idx(fields, i);
		const char *name = text_of(f, "field");

		if (ticket_field_is_internal((struct str){ name, strcspn(name, ".[") }))
			continue;
		if (!any) {
			buf_addf(b, "{\"tenant_id\":%lld,\"object\":",
				(long long)json_get_int(change, "tenant_id", 1));
			buf_add_json(b, object, strlen(object));
			buf_addf(b, ",\"action\":\"%s\",\"fields\":[", text_of(change, "action"));
		} else {
			buf_addc(b, ',');
		}
		any = true;
		json_write(b, f);
	}
	if (any)
		buf_adds(b, "]}");
	return any;
}

static void add_customer_row(struct req *req, int64_t tenant_id, struct json_object *list,
	const char *operation, int status)
{
	const struct session *s = req->session;
	struct buf details = { 0 }, one = { 0 }, b = { 0 };
	const char *object = "";
	int n = 0;

	buf_adds(&details, "{\"changes\":[");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *change = json_object_array_get_idx(list, i);

		one.n = 0;
		if (json_get_int(change, "tenant_id", 1) != tenant_id || !add_shown(&one, change))
			continue;
		object = n ? object : text_of(change, "object");
		buf_addf(&details, "%s%s", n++ ? "," : "", buf_cstr(&one));
	}
	buf_adds(&details, "]}");
	if (n) {
		buf_addf(&b,
			"{\"tenant_id\":%lld,\"at\":%lld,\"actor_kind\":\"%s\",\"actor_id\":%lld",
			(long long)tenant_id, (long long)clock_now_us(), actor_kind_name(s->actor),
			(long long)s->actor_id);
		audit_add_text(&b, "username", str_of(s->name), 100);
		audit_add_text(&b, "operation", str_of(operation), 100);
		audit_add_text(&b, "resource", str_of(object), 200);
		buf_addf(&b,
			",\"result\":\"success\",\"status\":%d,\"address\":\"\",\"user_agent\":"
			"\"\","
			"\"request_id\":\"%s\"",
			status, req->id);
		audit_add_details(&b, buf_cstr(&details));
		audit_append(tenant_id, &b);
	}
	buf_free(&details);
	buf_free(&one);
}

void audit_customers(struct req *req, const char *operation, int status)
{
	struct json_object *list;

	if (req->session->tenant_id != 1 || !req->trail.n || status >= 400)
		return;
	list = read_trail(&req->trail);
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		int64_t tenant_id =
			json_get_int(json_object_array_get_idx(list, i), "tenant_id", 1);
		size_t first = 0; /* each customer once: at its first change */

		while (json_get_int(json_object_array_get_idx(list, first), "tenant_id", 1) !=
			tenant_id)
			first++;
		if (tenant_id != 1 && first == i)
			add_customer_row(req, tenant_id, list, operation, status);
	}
	json_object_put(list);
}
