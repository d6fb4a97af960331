/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"
#include "sql_gen.h"

const struct route policy_routes[] = {
	{ HTTP_GET, "/api/v1/sla/config", PERM_STAFF, .sql = &sql_sla_config_list },
	{ HTTP_GET, "/api/v1/catalogue", PERM_TICKET_READ, .sql = &sql_catalogue_list },
	{ HTTP_PUT, "/api/v1/catalogue/{kind}/{code}", PERM_CATALOGUE_WRITE,
		.sql = &sql_catalogue_put },
	{ HTTP_GET, "/api/v1/sla/policies", PERM_TICKET_READ, .sql = &sql_sla_policy_list },
	{ HTTP_PUT, "/api/v1/sla/policies/{code}", PERM_SLA_WRITE, .flow = policy_put,
		.about = "a new version of a policy; running tickets keep theirs",
		.about_zh = "新增策略版本;进行中的工单不受影响",
		.reply = "id bigint, code text, version bigint, changed boolean, "
			 "takes_over_running_tickets boolean",
		.fields = "document* calendar service_type effective_from tenant_id" },
	{ HTTP_POST, "/api/v1/sla/policies/preview", PERM_SLA_WRITE, .flow = policy_preview,
		.about = "what this policy would have meant for a customer's last days: their "
			 "tickets replayed; nothing is changed",
		.about_zh = "策略预览:以该策略重放客户近期工单,比较达成率,不作任何更改",
		.reply = "tenant_id bigint, days bigint, tickets bigint, complete boolean, was "
			 "object, would_have_been object",
		.fields = "document* tenant_id* calendar days service_type" },
	{ HTTP_GET, "/api/v1/sla/calendars", PERM_TICKET_READ, .sql = &sql_sla_calendar_list },
	{ HTTP_PUT, "/api/v1/sla/calendars/{code}", PERM_SLA_WRITE, .flow = calendar_put,
		.about = "a new version of a calendar; one that only adds future dates takes over "
			 "the running tickets",
		.about_zh = "新增日历版本;仅增加未来日期时,进行中的工单自动改用新版本",
		.reply = "id bigint, code text, version bigint, changed boolean, "
			 "takes_over_running_tickets boolean",
		.fields = "document* tenant_id" },
	{ 0 },
};
