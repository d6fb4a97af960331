/* SPDX-License-Identifier: Apache-2.0 */
#include "integration.h"
#include "sql_gen.h"

const struct route integration_routes[] = {
	{ HTTP_GET, "/api/v1/client/users/{tenant_id}", PERM_USER_READ, .flow = integration_users,
		.about = "a customer's people, for a service token",
		.about_zh = "供其他模块查询客户用户(服务令牌)", .query = "cursor",
		.reply = "users object, next_cursor text", .sensitive = true },
	{ HTTP_POST, "/api/v1/integration/tickets/sync", PERM_TICKET_WRITE, .flow = tickets_sync,
		.about =
			"messages of a system that leads tickets: one, or events: up to 1000; each "
			"once, in the order of its own time",
		.about_zh = "主系统的工单消息:单条,或 events 列表(最多 1000 "
			    "条);按各自时间顺序、各生效一次",
		.reply = "received integer, applied integer, duplicate integer, outdated integer, "
			 "invalid "
			 "integer, refused integer, failed integer, results object",
		.fields = "events event_type event_id tenant_id ticket_id status priority "
			  "assigned_to "
			  "resolved_at customer_satisfaction timestamp created_at updated_at title "
			  "description service_type" },
	{ HTTP_POST, "/api/v1/integration/customers/sync", PERM_USER_WRITE, .flow = customers_sync,
		.about = "customers with their contracts and contacts, as their leading system has "
			 "them; the same twice "
			 "changes nothing",
		.about_zh = "客户、合同与联系人同步(幂等),未能接收的列入拒收清单",
		.reply = "received integer, taken integer, created integer, changed integer, "
			 "rejected object",
		.fields = "customers*" },
	{ HTTP_GET, "/api/v1/integration/customers/rejects", PERM_STAFF,
		.sql = &sql_customer_rejects },
	{ HTTP_GET, "/api/v1/data-quality/sources", PERM_STAFF, .sql = &sql_reconcile_list },
	{ HTTP_GET, "/api/v1/customers", PERM_STAFF, .sql = &sql_customer_list },
	{ HTTP_GET, "/api/v1/customers/{tenant_id}/contacts", PERM_STAFF,
		.sql = &sql_customer_contacts, .sensitive = true },
	{ HTTP_GET, "/api/v1/integration/sla/metrics", PERM_SLA_READ, .flow = integration_sla,
		.about = "attainment between two dates; times in minutes and _seconds",
		.about_zh = "两个日期之间的 SLA 指标;时长以分钟计,另附秒",
		.query = "tenant_id service_type date_range metrics",
		.reply = "tenant_id bigint, date_range object, metrics object" },
	{ 0 },
};
