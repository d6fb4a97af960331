/* SPDX-License-Identifier: Apache-2.0 */
#include "integration.h"
#include "flow_gen.h"
#include "sql_gen.h"

const struct route integration_routes[] = {
	{ HTTP_GET, "/api/v1/client/users/{tenant_id}", PERM_USER_READ, ONLY_SERVICE,
		.flow = integration_users, .contract = &contract_integration_users_page,
		.sensitive = true },
	{ HTTP_POST, "/api/v1/integration/tickets/sync", PERM_TICKET_WRITE, ONLY_SERVICE,
		.flow = tickets_sync, .check = tickets_sync_check,
		.contract = &contract_integration_tickets_sync },
	{ HTTP_POST, "/api/v1/integration/customers/sync", PERM_USER_WRITE, ONLY_PROVIDER_SERVICE,
		.flow = customers_sync, .contract = &contract_integration_customers_sync,
		.reach = REACH_WHOLE },
	{ HTTP_GET, "/api/v1/integration/customers/rejects", PERM_STAFF,
		.sql = &sql_customer_rejects },
	{ HTTP_GET, "/api/v1/data-quality/sources", PERM_STAFF, .sql = &sql_reconcile_list },
	{ HTTP_GET, "/api/v1/customers", PERM_STAFF, .sql = &sql_customer_list },
	{ HTTP_GET, "/api/v1/customers/{tenant_id}/contacts", PERM_STAFF,
		.sql = &sql_customer_contacts, .sensitive = true },
	{ HTTP_GET, "/api/v1/integration/sla/metrics", PERM_SLA_READ, .flow = integration_sla,
		.check = integration_sla_check, .contract = &contract_integration_sla_metrics },
	{ 0 },
};
