/* SPDX-License-Identifier: Apache-2.0 */
#include "notify.h"
#include "texts.h"
#include "base/json.h"
#include "config/options.h"
#include "flow_gen.h"
#include "sql_gen.h"

/* Deliveries go by https alone unless the operator allows private networks and http. */
static void check_url(struct req *req)
{
	const char *url = json_get_string(req->body, "url");

	if (url && !options.notify_allow_private && strncasecmp(url, "https:", 6) != 0)
		req_note_invalid(req, "url", "an https address", "https 地址");
}

const struct route notify_routes[] = {
	{ HTTP_GET, "/api/v1/tickets/{id}/notifications", PERM_STAFF, .sql = &sql_notify_list },
	{ HTTP_GET, "/api/v1/notifications/dead", PERM_STAFF, .sql = &sql_notify_dead },
	{ HTTP_GET, "/api/v1/webhooks", PERM_WEBHOOK_WRITE, .sql = &sql_admin_webhook_list },
	{ HTTP_POST, "/api/v1/webhooks", PERM_WEBHOOK_WRITE, .sql = &sql_admin_webhook_new,
		.check = check_url, .replay = &sql_admin_webhook_made, .reach = REACH_WHOLE,
		.step_up = true },
	{ HTTP_POST, "/api/v1/webhooks/{id}/replay", PERM_WEBHOOK_WRITE,
		.sql = &sql_admin_webhook_replay, .reach = REACH_WHOLE },
	{ HTTP_PUT, "/api/v1/webhooks/{id}", PERM_WEBHOOK_WRITE, .sql = &sql_admin_webhook_set,
		.reach = REACH_WHOLE },
	{ HTTP_GET, "/api/v1/texts", PERM_SLA_WRITE, .sql = &sql_notify_text_list,
		.reach = REACH_WHOLE },
	{ HTTP_GET, "/api/v1/texts/{template}/{lang}", PERM_SLA_WRITE, .flow = text_get,
		.contract = &contract_notify_text, .reach = REACH_WHOLE },
	{ HTTP_PUT, "/api/v1/texts/{template}/{lang}", PERM_SLA_WRITE, .flow = text_put,
		.check = text_put_check, .contract = &contract_notify_text_put,
		.reach = REACH_WHOLE },
	{ HTTP_DELETE, "/api/v1/texts/{template}/{lang}", PERM_SLA_WRITE, .flow = text_reset,
		.contract = &contract_notify_text_reset, .reach = REACH_WHOLE },
	{ HTTP_POST, "/api/v1/texts/{template}/{lang}/preview", PERM_SLA_WRITE,
		.flow = text_preview, .contract = &contract_notify_text_preview,
		.reach = REACH_WHOLE },
	{ 0 },
};
