/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"
#include "flow_gen.h"
#include "sql_gen.h"

const struct route audit_routes[] = {
	{ HTTP_GET, "/api/v1/audit", PERM_AUDIT_READ, .sql = &sql_audit_list, .sensitive = true },
	{ HTTP_GET, "/api/v1/client/audit", PERM_AUDIT_READ, .sql = &sql_audit_list,
		.sensitive = true },
	{ HTTP_GET, "/api/v1/audit/export", PERM_AUDIT_READ, .flow = audit_export,
		.contract = &contract_audit_export, .sensitive = true },
	{ HTTP_GET, "/api/v1/client/audit/export", PERM_AUDIT_READ, .flow = audit_export,
		.contract = &contract_audit_export, .sensitive = true },
	{ 0 },
};
