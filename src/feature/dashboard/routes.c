/* SPDX-License-Identifier: Apache-2.0 */
#include "dashboard.h"
#include "kpi.h"
#include "flow_gen.h"
#include "sql_gen.h"

const struct route dashboard_routes[] = {
	{ HTTP_GET, "/api/v1/client/dashboard/config", PERM_DASHBOARD_READ,
		.sql = &sql_dashboard_list },
	{ HTTP_GET, "/api/v1/client/dashboard/config/{config_id}", PERM_DASHBOARD_READ,
		.sql = &sql_dashboard_get },
	{ HTTP_DELETE, "/api/v1/client/dashboard/config/{config_id}", PERM_DASHBOARD_READ,
		.sql = &sql_dashboard_remove },
	{ HTTP_GET, "/api/v1/client/dashboard/overview", PERM_DASHBOARD_READ, .flow = overview_get,
		.check = overview_check, .contract = &contract_dashboard_overview },
	{ HTTP_GET, "/api/v1/client/sla/compliance", PERM_SLA_READ, .flow = compliance_get,
		.check = compliance_check, .contract = &contract_dashboard_compliance },
	{ HTTP_GET, "/api/v1/client/dashboard/metrics", PERM_DASHBOARD_READ,
		.flow = dashboard_metrics, .contract = &contract_dashboard_metrics },
	{ HTTP_GET, "/api/v1/client/dashboard/data", PERM_DASHBOARD_READ, .flow = dashboard_data,
		.check = dashboard_data_check, .contract = &contract_dashboard_data },
	{ HTTP_GET, "/api/v1/client/alerts", PERM_DASHBOARD_READ, .sql = &sql_client_alerts },
	{ HTTP_GET, "/api/v1/sla/metrics", PERM_STAFF, .flow = sla_metrics,
		.contract = &contract_dashboard_sla_metrics },
	{ HTTP_GET, "/api/v1/client/reports/summary/{tenant_id}", PERM_REPORT_READ, ONLY_SERVICE,
		.flow = report_summary, .contract = &contract_dashboard_report_summary },
	{ HTTP_GET, "/api/v1/data-quality", PERM_STAFF, .sql = &sql_rollup_check_list },
	{ 0 },
};
