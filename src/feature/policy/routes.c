/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"
#include "base/json.h"
#include "flow_gen.h"
#include "sql_gen.h"

/* An incident type decides a priority; no other entry does. */
static void check_catalogue_priority(struct req *req)
{
	bool incident = str_is(req->path_value[0], "incident_type");
	const char *priority = json_get_string(req->body, "priority");

	if (incident && !priority)
		req_note_invalid(req, "priority", "required for an incident type", "问题类型必填");
	if (!incident && priority)
		req_note_invalid(
			req, "priority", "only an incident type has one", "仅问题类型可填");
}

const struct route policy_routes[] = {
	{ HTTP_GET, "/api/v1/sla/config", PERM_STAFF, .sql = &sql_sla_config_list },
	{ HTTP_PUT, "/api/v1/sla/config/{tenant_id}", PERM_SLA_WRITE, .flow = policy_choose,
		.contract = &contract_policy_choose },
	{ HTTP_GET, "/api/v1/sla/format", PERM_TICKET_READ, .flow = policy_format,
		.contract = &contract_policy_format },
	{ HTTP_GET, "/api/v1/sla/checks", PERM_STAFF, .sql = &sql_sla_check_list },
	{ HTTP_GET, "/api/v1/sla/differences", PERM_STAFF, .sql = &sql_sla_difference_list },
	{ HTTP_GET, "/api/v1/catalogue", PERM_TICKET_READ, .sql = &sql_catalogue_list },
	{ HTTP_PUT, "/api/v1/catalogue/{kind}/{code}", PERM_CATALOGUE_WRITE,
		.sql = &sql_catalogue_put, .check = check_catalogue_priority,
		.reach = REACH_WHOLE },
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
