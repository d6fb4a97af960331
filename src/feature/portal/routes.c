/* SPDX-License-Identifier: Apache-2.0 */
#include "portal.h"
#include "flow_gen.h"
#include "sql_gen.h"

const struct route portal_routes[] = {
	{ HTTP_GET, "/api/v1/client/theme/{tenant_id}", PERM_ANYONE, .know = true,
		.flow = theme_get, .contract = &contract_portal_theme_get },
	{ HTTP_PUT, "/api/v1/client/theme", PERM_USER_WRITE, ONLY_CUSTOMER, .flow = theme_put,
		.contract = &contract_portal_theme_put, .reach = REACH_WHOLE },
	{ HTTP_PUT, "/api/v1/client/theme/logo", PERM_USER_WRITE, ONLY_CUSTOMER, .flow = logo_put,
		.contract = &contract_portal_logo_put, .reach = REACH_WHOLE },
	{ HTTP_DELETE, "/api/v1/client/theme/logo", PERM_USER_WRITE, ONLY_CUSTOMER,
		.flow = logo_delete, .contract = &contract_portal_logo_delete,
		.reach = REACH_WHOLE },
	{ HTTP_GET, "/api/v1/client/theme/{tenant_id}/logo", PERM_ANYONE, .know = true,
		.flow = logo_get, .contract = &contract_portal_logo_get },
	{ HTTP_GET, "/api/v1/client/preferences", PERM_SELF, .sql = &sql_client_preferences_get },
	{ HTTP_PUT, "/api/v1/client/preferences", PERM_SELF, ONLY_CUSTOMER_USER,
		.flow = preferences_put, .contract = &contract_portal_preferences_put },
	{ HTTP_POST, "/api/v1/client/dashboard/config", PERM_DASHBOARD_READ, ONLY_CUSTOMER_USER,
		.flow = dashboard_new, .check = dashboard_check,
		.contract = &contract_portal_dashboard_new },
	{ HTTP_PUT, "/api/v1/client/dashboard/config/{config_id}", PERM_DASHBOARD_READ,
		ONLY_CUSTOMER_USER, .flow = dashboard_set, .check = dashboard_check,
		.contract = &contract_portal_dashboard_set },
	{ HTTP_GET, "/api/v1/client/workspace", PERM_SELF, .sql = &sql_client_workspace },
	{ 0 },
};
