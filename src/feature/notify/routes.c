/* SPDX-License-Identifier: Apache-2.0 */
#include "notify.h"
#include "sql_gen.h"

const struct route notify_routes[] = {
	{ HTTP_GET, "/api/v1/tickets/{id}/notifications", PERM_STAFF, .sql = &sql_notify_list },
	{ HTTP_GET, "/api/v1/webhooks", PERM_WEBHOOK_WRITE, .sql = &sql_admin_webhook_list },
	{ HTTP_POST, "/api/v1/webhooks", PERM_WEBHOOK_WRITE, .sql = &sql_admin_webhook_new,
		.replay = &sql_admin_webhook_get, .reach = REACH_WHOLE },
	{ HTTP_POST, "/api/v1/webhooks/{id}/replay", PERM_WEBHOOK_WRITE,
		.sql = &sql_admin_webhook_replay, .reach = REACH_WHOLE },
	{ HTTP_PUT, "/api/v1/webhooks/{id}", PERM_WEBHOOK_WRITE, .sql = &sql_admin_webhook_set,
		.reach = REACH_WHOLE },
	{ 0 },
};
