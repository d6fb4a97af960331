/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"
#include "flow_gen.h"
#include "sql_gen.h"

const struct route policy_routes[] = {
	{ HTTP_GET, "/api/v1/sla/config", PERM_STAFF, .sql = &sql_sla_config_list },
	{ HTTP_GET, "/api/v1/catalogue", PERM_TICKET_READ, .sql = &sql_catalogue_list },
	{ HTTP_PUT, "/api/v1/catalogue/{kind}/{code}", PERM_CATALOGUE_WRITE,
		.sql = &sql_catalogue_put, .reach = REACH_WHOLE },
	{ HTTP_GET, "/api/v1/sla/policies", PERM_TICKET_READ, .sql = &sql_sla_policy_list },
	{ HTTP_PUT, "/api/v1/sla/policies/{code}", PERM_SLA_WRITE, .flow = policy_put,
		.check = policy_check, .contract = &contract_policy_put },
	{ HTTP_POST, "/api/v1/sla/policies/preview", PERM_SLA_WRITE, .flow = policy_preview,
		.check = policy_preview_check, .contract = &contract_policy_preview },
	{ HTTP_GET, "/api/v1/sla/calendars", PERM_TICKET_READ, .sql = &sql_sla_calendar_list },
	{ HTTP_PUT, "/api/v1/sla/calendars/{code}", PERM_SLA_WRITE, .flow = calendar_put,
		.check = calendar_check, .contract = &contract_policy_calendar_put },
	{ 0 },
};
