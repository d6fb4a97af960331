/* SPDX-License-Identifier: Apache-2.0 */
#include "dashboard.h"
#include "sql_gen.h"

const struct route dashboard_routes[] = {
	{ HTTP_GET, "/api/v1/client/dashboard/config", PERM_DASHBOARD_READ,
		.sql = &sql_dashboard_list },
	{ HTTP_GET, "/api/v1/client/dashboard/config/{config_id}", PERM_DASHBOARD_READ,
		.sql = &sql_dashboard_get },
	{ HTTP_DELETE, "/api/v1/client/dashboard/config/{config_id}", PERM_DASHBOARD_READ,
		.sql = &sql_dashboard_remove },
	{ HTTP_GET, "/api/v1/client/dashboard/overview", PERM_DASHBOARD_READ, .flow = overview_get,
		.about = "a period's numbers beside those of the one before, day by day, and what "
			 "is "
			 "about to be missed",
		.about_zh = "一段时间的数据、与上一段的对比、逐日趋势及即将超时的工单",
		.query = "period refresh tenant_id",
		.reply = "summary object, previous object, period object, trends object, masked "
			 "object, alerts object, data_quality text, last_updated timestamptz" },
	{ HTTP_GET, "/api/v1/client/sla/compliance", PERM_SLA_READ, .flow = compliance_get,
		.about = "how well the promises were kept, by group, and the latest violations",
		.about_zh = "按分组统计的 SLA 达成率与最近的违约",
		.query = "period service_type group_by tenant_id",
		.reply = "period object, overall_compliance double precision, violations object, "
			 "last_updated timestamptz" },
	{ HTTP_GET, "/api/v1/client/dashboard/metrics", PERM_DASHBOARD_READ,
		.flow = dashboard_metrics, .about = "what a widget can show",
		.about_zh = "组件可选的指标目录", .reply = "items object" },
	{ HTTP_GET, "/api/v1/client/dashboard/data", PERM_DASHBOARD_READ, .flow = dashboard_data,
		.about = "many widgets in one answer", .about_zh = "一次取回多个组件的数据",
		.query = "widgets period refresh tenant_id",
		.reply = "period object, masked object, widgets object, last_updated timestamptz" },
	{ HTTP_GET, "/api/v1/client/alerts", PERM_DASHBOARD_READ, .sql = &sql_client_alerts },
	{ HTTP_GET, "/api/v1/sla/metrics", PERM_STAFF, .flow = sla_metrics,
		.about = "attainment of every customer one serves",
		.about_zh = "所服务各客户的 SLA 达成情况", .query = "period",
		.reply = "period object, tenants object, total_tickets bigint, decided_tickets "
			 "bigint, "
			 "violated_tickets bigint, overall_compliance double precision" },
	{ HTTP_GET, "/api/v1/client/reports/summary/{tenant_id}", PERM_REPORT_READ,
		.flow = report_summary, .about = "a period's numbers, for a service token",
		.about_zh = "供其他模块查询报表摘要(服务令牌)", .query = "period format",
		.reply = "summary object, previous object, period object, trends object, masked "
			 "object, generated_at timestamptz, last_updated timestamptz" },
	{ HTTP_GET, "/api/v1/data-quality", PERM_STAFF, .sql = &sql_rollup_check_list },
	{ 0 },
};
