/* SPDX-License-Identifier: Apache-2.0
 * What a portal stores for a customer's users: their preferences and dashboards. */
#include "core/hooks.h"
#include "core/request.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "portal.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <stdlib.h>

#define PREFERENCES_MAX 16384
#define WIDGETS_MAX 50
#define LAYOUT_MAX 65536
#define GRID_MAX 48

/* --- preferences --- */

struct outcome *preferences_put(struct req *req)
{
	const struct in_portal_preferences_put *in = REQ_INPUT(req, portal_preferences_put);
	const char **p = arena_alloc(&req->arena, 3 * sizeof(*p));

	p[0] = req_int(req, req->session->actor_id);
	p[1] = req_json_text(req, in->preferences);
	p[2] = req_int(req, clock_now_us());
	if (strlen(p[1]) > PREFERENCES_MAX) {
		req_note_invalid(req, "preferences", "at most 16 KiB", "最多 16 KiB");
		return req_invalid(req);
	}
	return req_query(req, &sql_client_preferences_put, p, req_reply_null);
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

	return json_object_is_type(v, json_type_string) && !text_is_blank(json_str(v)) &&
	       utf8_length(json_str(v).p, json_str(v).n) <= max;
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

static bool is_metric(struct json_object *v)
{
	return json_object_is_type(v, json_type_string) && is_widget_metric(json_str(v));
}

/* A widget names what it shows in config.metric, or in the list config.metrics. NULL, or the member
 * that names something else. */
static const char *metrics_fit(struct json_object *config)
{
	struct json_object *one = NULL, *list = NULL;

	if (json_object_object_get_ex(config, "metric", &one) && !is_metric(one))
		return "config.metric";
	if (!json_object_object_get_ex(config, "metrics", &list))
		return NULL;
	if (!json_object_is_type(list, json_type_array))
		return "config.metrics";
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (!is_metric(json_object_array_get_idx(list, i)))
			return "config.metrics";
	return NULL;
}

/* The name of the widget's member that is wrong; NULL if none is. */
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
	return metrics_fit(json_get(w, "config"));
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

static struct json_object *find_widget(struct json_object *widgets, const char *id)
{
	for (size_t i = 0; i < json_object_array_length(widgets); i++) {
		struct json_object *w = json_object_array_get_idx(widgets, i);
		const char *name = json_get_string(w, "id");

		if (name && id && strcmp(name, id) == 0)
			return w;
	}
	return NULL;
}

/* Put a widget's config into the layout. NULL, or the member of OWN that names no widget, or says
 * something else than the layout or an earlier one. */
static const char *give_config(struct json_object *widgets, struct json_object *own)
{
	struct json_object *config = json_get(own, "config"), *old = NULL,
			   *w = text_within(own, "id", 64)
					? find_widget(widgets, json_get_string(own, "id"))
					: NULL;
	const char *type = json_get_string(own, "type"),
		   *known = w ? json_get_string(w, "type") : NULL;

	if (!w)
		return "id";
	if (json_get(own, "type") && (!type || !known || strcmp(type, known) != 0))
		return "type";
	if (!json_object_is_type(config, json_type_object))
		return "config";
	if (json_object_object_get_ex(w, "config", &old))
		return json_object_equal(old, config) ? NULL : "config";
	json_object_object_add(w, "config", json_object_get(config));
	return NULL;
}

/* widget_configs: what the widgets show, apart from their places. */
static void take_configs(struct req *req, struct json_object *widgets)
{
	struct json_object *list = REQ_INPUT(req, portal_dashboard)->widget_configs;

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		const char *fault = give_config(widgets, json_object_array_get_idx(list, i));

		if (fault)
			req_note_invalid(req,
				arena_printf(&req->arena, "widget_configs[%zu].%s", i, fault),
				"the id of a widget in layout_config, no other type than there, "
				"and a config, such as {\\\"metric\\\": \\\"total_tickets\\\"}, "
				"that is not given twice",
				"id 须为 layout_config 中的组件，type 与其相同，config 为对象（如 "
				"{\\\"metric\\\": \\\"total_tickets\\\"}），且不得两处不同");
	}
}

void dashboard_check(struct req *req)
{
	struct json_object *layout = REQ_INPUT(req, portal_dashboard)->layout_config;
	struct json_object *grid = json_get(layout, "grid"), *widgets = json_get(layout, "widgets");
	int64_t cols, rows;

	if (!layout)
		return;
	if (!whole(grid, "cols", 1, GRID_MAX, &cols) || !whole(grid, "rows", 1, 1000, &rows)) {
		req_note_invalid(req, "layout_config.grid",
			"{\\\"cols\\\": 1 to 48, \\\"rows\\\": 1 to 1000}",
			"cols 应为 1 到 48，rows 应为 1 到 1000");
		return;
	}
	if (!json_object_is_type(widgets, json_type_array) ||
		json_object_array_length(widgets) > WIDGETS_MAX) {
		req_note_invalid(
			req, "layout_config.widgets", "a list of at most 50", "最多 50 项");
		return;
	}
	take_configs(req, widgets);
	if (strlen(req_json_text(req, layout)) > LAYOUT_MAX)
		req_note_invalid(req, "layout_config", "at most 64 KiB", "不超过 64 KiB");
	for (size_t i = 0; i < json_object_array_length(widgets); i++) {
		const char *fault = widget_fault(json_object_array_get_idx(widgets, i), cols);

		if (!fault && is_repeated(widgets, i))
			fault = "id";
		if (fault)
			req_note_invalid(req,
				arena_printf(
					&req->arena, "layout_config.widgets[%zu].%s", i, fault),
				"a unique id, a known type, a position within the grid, and "
				"metrics "
				"of GET /api/v1/client/dashboard/metrics",
				"id 不得重复，类型须为已知，位置须在网格内，指标须见 GET "
				"/api/v1/client/dashboard/metrics");
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
					 req->zh ? "{\"field\":\"version\",\"rule\":"
						   "\"仪表板已变更，"
						   "请重新加载\"}"
						 : "{\"field\":\"version\",\"rule\":\"the "
						   "dashboard has changed; reload it\"}")
			       : req_fail(req, ERR_NOT_FOUND, NULL);
	data = arena_printf(&req->arena, "{\"config_id\":%lld,\"version\":%lld}",
		(long long)db_int(rows, 0, 0), (long long)db_int(rows, 0, 1));
	return req_reply(req, req->route->method == HTTP_POST ? 201 : 200, data, strlen(data));
}

/* ID and VERSION: 0 if there is none. */
static struct outcome *store(struct req *req, int64_t id, int64_t version)
{
	const struct in_portal_dashboard *in = REQ_INPUT(req, portal_dashboard);
	const char **p = arena_alloc(&req->arena, 8 * sizeof(*p));

	if (in->is_shared && !session_may(req->session, PERM_DASHBOARD_WRITE))
		return req_forbid(req, "is_shared", "sharing needs dashboard:write",
			"共享需要 dashboard:write 权限", NULL);
	p[0] = id ? req_int(req, id) : NULL;
	p[1] = req_int(req, req->session->actor_id);
	p[2] = in->dashboard_name;
	p[3] = req_json_text(req, in->layout_config);
	p[4] = in->is_default ? "true" : "false";
	p[5] = in->is_shared ? "true" : "false";
	p[6] = version ? req_int(req, version) : NULL;
	p[7] = req_int(req, clock_now_us());
	return req_query(req, &sql_dashboard_store, p, on_dashboard);
}

struct outcome *dashboard_new(struct req *req)
{
	return store(req, 0, 0);
}

struct outcome *dashboard_set(struct req *req)
{
	const struct in_portal_dashboard_set *in = REQ_INPUT(req, portal_dashboard_set);

	return store(req, in->config_id, in->version);
}

const struct feature portal_feature = {
	.name = "portal", .routes = portal_routes, .free = themes_free
};
