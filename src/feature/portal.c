/* SPDX-License-Identifier: Apache-2.0
 * What a customer's portal keeps for its people: how it looks, what each likes, their dashboards.
 */
#include "core/request.h"
#include "base/clock.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "feature/feature.h"
#include "sql_gen.h"

#include <stdlib.h>

#define PREFERENCES_MAX 16384
#define WIDGETS_MAX 50
#define GRID_MAX 48

/* --- theme --- */

/* The last that was said of each, for while the database is away. */
#define THEMES_KEPT 256
static struct {
	int64_t tenant_id, at_us;
	char *body;
} themes[THEMES_KEPT];

static void keep_theme(int64_t tenant_id, const struct buf *b)
{
	size_t slot = (size_t)tenant_id % THEMES_KEPT;

	free(themes[slot].body);
	themes[slot].tenant_id = tenant_id;
	themes[slot].at_us = clock_now_us();
	themes[slot].body = xstrndup(b->p, b->n);
}

void themes_free(void)
{
	for (size_t i = 0; i < THEMES_KEPT; i++)
		free(themes[i].body), themes[i].body = NULL;
}

static struct outcome *stale_theme(struct req *req, enum db_error error)
{
	int64_t id = req_path_id(req, "tenant_id");
	size_t slot = (size_t)id % THEMES_KEPT;
	struct buf b = { 0 };
	struct outcome *o;

	if (!themes[slot].body || themes[slot].tenant_id != id)
		return req_fail_db(req, error);
	buf_add(&b, themes[slot].body, strlen(themes[slot].body) - 1);
	buf_adds(&b, ",\"stale\":true,\"as_of\":");
	buf_add_time_json(&b, themes[slot].at_us);
	buf_addc(&b, '}');
	o = req_reply(req, 200, b.p, b.n);
	buf_free(&b);
	return o;
}

/* {"tenant_id":…,…,"login_methods":[…],"sso":…} */
static void write_theme(struct buf *b, const PGresult *rows)
{
	static const char *const names[] = { "logo_url", "primary_color", "accent_color",
		"support_contact" };

	buf_addf(b, "{\"tenant_id\":%lld,\"name\":", (long long)db_int(rows, 0, 0));
	buf_add_json(b, db_text(rows, 0, 1).p, db_text(rows, 0, 1).n);
	for (int i = 0; i < (int)ARRAY_LEN(names); i++) {
		buf_addf(b, ",\"%s\":", names[i]);
		db_cell_to_json(b, rows, 0, i + 2);
	}
	buf_adds(b, ",\"login_methods\":[\"password\",\"passkey\"");
	if (db_is_null(rows, 0, 7)) {
		buf_adds(b, "],\"sso\":null}");
		return;
	}
	buf_adds(b, ",\"sso\"],\"sso\":{\"name\":");
	buf_add_json(b, db_text(rows, 0, 7).p, db_text(rows, 0, 7).n);
	buf_addf(b, ",\"location\":\"/api/v1/auth/sso/start?tenant=%lld\"}}",
		(long long)db_int(rows, 0, 0));
}

static struct outcome *on_theme(struct req *req, enum db_error error, const PGresult *rows)
{
	struct buf b = { 0 };
	struct outcome *o;
	char tag[65];

	if (error != DB_OK)
		return stale_theme(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	write_theme(&b, rows);
	keep_theme(db_int(rows, 0, 0), &b);
	crypto_sha256_hex(b.p, b.n, tag);
	tag[32] = 0;
	if (req->http && str_is(http_header_find(&req->http->head, "if-none-match"),
				 arena_printf(&req->arena, "\"%s\"", tag)))
		o = req_reply_raw(req, 304, NULL,
			arena_printf(&req->arena, "ETag: \"%s\"\r\n", tag), NULL, 0);
	else
		o = req_reply_headers(req, 200,
			arena_printf(&req->arena,
				"ETag: \"%s\"\r\nCache-Control: public, max-age=60\r\n", tag),
			b.p, b.n);
	buf_free(&b);
	return o;
}

struct outcome *theme_get(struct req *req)
{
	const char **p = arena_alloc(&req->arena, sizeof(*p));
	int64_t id = req_path_id(req, "tenant_id");

	if (!id)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	p[0] = req_int(req, id);
	return req_query(req, &sql_client_theme_get, p, on_theme);
}

static void read_colour(struct req *req, const char *key, const char **out)
{
	req_body_text(req, key, false, 1, 20, out);
	if (*out && (strlen(*out) != 7 || (*out)[0] != '#' ||
			    strspn(*out + 1, "0123456789abcdefABCDEF") != 6))
		req_note_invalid(req, key, "a colour, as #0055aa", "颜色,如 #0055aa");
}

static struct outcome *on_stored(struct req *req, enum db_error error, const PGresult *rows)
{
	if (error != DB_OK)
		return req_fail_db(req, error);
	if (PQntuples(rows) == 0)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	return req_reply(req, 200, "null", 4);
}

struct outcome *theme_put(struct req *req)
{
	const char **p = arena_alloc(&req->arena, 6 * sizeof(*p));

	if (req->session->staff)
		return req_fail(req, ERR_FORBIDDEN, NULL);
	req_body_only(req, req->route->fields);
	req_body_text(req, "display_name", false, 1, 100, &p[0]);
	req_body_text(req, "logo_url", false, 9, 2000, &p[1]);
	if (p[1] && (strncmp(p[1], "https://", 8) != 0 || strpbrk(p[1], " \"'<>\\")))
		req_note_invalid(req, "logo_url", "an https address", "https 地址");
	read_colour(req, "primary_color", &p[2]);
	read_colour(req, "accent_color", &p[3]);
	req_body_text(req, "support_contact", false, 1, 200, &p[4]);
	if (req_has_invalid(req))
		return req_invalid(req);
	p[5] = req_int(req, clock_now_us());
	return req_query(req, &sql_client_theme_put, p, on_stored);
}

/* --- preferences --- */

struct outcome *preferences_put(struct req *req)
{
	struct json_object *doc = json_get(req->body, "preferences");
	const char **p = arena_alloc(&req->arena, 2 * sizeof(*p)), *lang;

	if (req->session->actor != ACTOR_CUSTOMER)
		return req_fail(req, ERR_FORBIDDEN, NULL);
	req_body_only(req, "preferences");
	if (!json_object_is_type(doc, json_type_object)) {
		req_note_invalid(req, "preferences", "an object", "应为对象");
		return req_invalid(req);
	}
	lang = json_get_string(doc, "lang");
	if (json_get(doc, "lang") &&
		(!lang || (strcmp(lang, "zh") != 0 && strcmp(lang, "en") != 0)))
		req_note_invalid(req, "preferences.lang", "zh or en", "zh 或 en");
	p[0] = req_int(req, req->session->actor_id);
	p[1] = req_json_text(req, doc);
	if (strlen(p[1]) > PREFERENCES_MAX)
		req_note_invalid(req, "preferences", "at most 16 KiB", "最多 16 KiB");
	if (req_has_invalid(req))
		return req_invalid(req);
	return req_query(req, &sql_client_preferences_put, p, on_stored);
}

/* --- dashboards --- */

static bool whole(struct json_object *o, const char *key, int64_t min, int64_t max, int64_t *out)
{
	struct json_object *v = json_get(o, key);

	*out = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : min - 1;
	return *out >= min && *out <= max;
}

static bool text_within(struct json_object *o, const char *key, size_t max)
{
	struct json_object *v = json_get(o, key);

	return json_object_is_type(v, json_type_string) && json_str(v).n >= 1 &&
	       json_str(v).n <= max;
}

static bool is_widget_type(const char *type)
{
	static const char *const types[] = { "metric_card", "line_chart", "bar_chart", "pie_chart",
		"table", "alert_list", "clock_list", "text" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* What is wrong with a widget, as the name of the part; NULL when nothing is. */
static const char *widget_fault(struct json_object *w, int64_t cols)
{
	struct json_object *at = json_get(w, "position");
	int64_t x, y, width, height;

	if (!text_within(w, "id", 64))
		return "id";
	if (!text_within(w, "type", 32) || !is_widget_type(json_get_string(w, "type")))
		return "type";
	if (!whole(at, "x", 0, cols - 1, &x) || !whole(at, "y", 0, 999, &y) ||
		!whole(at, "w", 1, cols, &width) || !whole(at, "h", 1, 100, &height) ||
		x + width > cols)
		return "position";
	if (json_get(w, "config") && !json_object_is_type(json_get(w, "config"), json_type_object))
		return "config";
	return NULL;
}

static bool is_repeated(struct json_object *widgets, size_t i)
{
	const char *id = json_get_string(json_object_array_get_idx(widgets, i), "id");

	for (size_t k = 0; k < i; k++) {
		const char *other = json_get_string(json_object_array_get_idx(widgets, k), "id");

		if (other && id && strcmp(other, id) == 0)
			return true;
	}
	return false;
}

static void check_layout(struct req *req, struct json_object *layout)
{
	struct json_object *grid = json_get(layout, "grid"), *widgets = json_get(layout, "widgets");
	int64_t cols, rows;

	if (!whole(grid, "cols", 1, GRID_MAX, &cols) || !whole(grid, "rows", 1, 1000, &rows)) {
		req_note_invalid(req, "layout_config.grid",
			"{\\\"cols\\\": 1 to 48, \\\"rows\\\": 1 to 1000}",
			"cols 1 到 48,rows 1 到 1000");
		return;
	}
	if (!json_object_is_type(widgets, json_type_array) ||
		json_object_array_length(widgets) > WIDGETS_MAX) {
		req_note_invalid(
			req, "layout_config.widgets", "a list of at most 50", "最多 50 项");
		return;
	}
	for (size_t i = 0; i < json_object_array_length(widgets); i++) {
		const char *fault = widget_fault(json_object_array_get_idx(widgets, i), cols);

		if (!fault && is_repeated(widgets, i))
			fault = "id";
		if (fault)
			req_note_invalid(req,
				arena_printf(
					&req->arena, "layout_config.widgets[%zu].%s", i, fault),
				"id once in the dashboard, a known type, a position within the "
				"grid",
				"id 不重复、类型已知、位置在网格内");
	}
}

static struct outcome *on_dashboard(struct req *req, enum db_error error, const PGresult *rows)
{
	const char *data;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (db_is_null(rows, 0, 0))
		return db_int(rows, 0, 2)
			       ? req_fail(req, ERR_WRONG_STATE,
					 req->zh ? "{\"field\":\"version\",\"rule\":\"仪表板已变更,"
						   "请重新加载\"}"
						 : "{\"field\":\"version\",\"rule\":\"the "
						   "dashboard has changed; load it again\"}")
			       : req_fail(req, ERR_NOT_FOUND, NULL);
	data = arena_printf(&req->arena, "{\"config_id\":%lld,\"version\":%lld}",
		(long long)db_int(rows, 0, 0), (long long)db_int(rows, 0, 1));
	return req_reply(req, req->route->method == HTTP_POST ? 201 : 200, data, strlen(data));
}

struct outcome *dashboard_put(struct req *req)
{
	bool fresh = req->route->method == HTTP_POST, is_default = false, is_shared = false;
	struct json_object *layout = json_get(req->body, "layout_config");
	const char **p = arena_alloc(&req->arena, 8 * sizeof(*p)), *name = NULL;
	int64_t id = fresh ? 0 : req_path_id(req, "config_id"), version = 0;

	if (req->session->actor != ACTOR_CUSTOMER)
		return req_fail(req, ERR_FORBIDDEN, NULL);
	req_body_only(req, req->route->fields);
	req_body_text(req, "dashboard_name", true, 1, 100, &name);
	req_body_bool(req, "is_default", &is_default);
	req_body_bool(req, "is_shared", &is_shared);
	req_body_int(req, "version", false, 1, (1LL << 53) - 1, &version);
	if (json_object_is_type(layout, json_type_object))
		check_layout(req, layout);
	else
		req_note_invalid(req, "layout_config", "an object of grid and widgets",
			"含 grid 与 widgets 的对象");
	if (req_has_invalid(req))
		return req_invalid(req);
	if (!fresh && !id)
		return req_fail(req, ERR_NOT_FOUND, NULL);
	if (is_shared && !session_may(req->session, PERM_DASHBOARD_WRITE))
		return req_fail(req, ERR_FORBIDDEN,
			req->zh ? "{\"field\":\"is_shared\",\"rule\":\"共享需要 dashboard:write "
				  "权限\"}"
				: "{\"field\":\"is_shared\",\"rule\":\"sharing needs "
				  "dashboard:write\"}");
	p[0] = fresh ? NULL : req_int(req, id);
	p[1] = req_int(req, req->session->actor_id);
	p[2] = name;
	p[3] = req_json_text(req, layout);
	p[4] = is_default ? "true" : "false";
	p[5] = is_shared ? "true" : "false";
	p[6] = version ? req_int(req, version) : NULL;
	p[7] = req_int(req, clock_now_us());
	return req_query(req, &sql_dashboard_store, p, on_dashboard);
}
