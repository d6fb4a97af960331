/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"
#include "sql_gen.h"

const struct route audit_routes[] = {
	{ HTTP_GET, "/api/v1/audit", PERM_AUDIT_READ, .sql = &sql_audit_list, .sensitive = true },
	{ HTTP_GET, "/api/v1/client/audit", PERM_AUDIT_READ, .sql = &sql_audit_list,
		.sensitive = true },
	{ HTTP_GET, "/api/v1/audit/export", PERM_AUDIT_READ, .flow = audit_export,
		.sensitive = true,
		.about = "the audit log as CSV, at most 10,000 rows; X-Next-Cursor names the rest",
		.about_zh = "审计日志 CSV 导出,每次最多 10000 行;X-Next-Cursor 指向后续",
		.query = "cursor username operation result from to tenant_id" },
	{ HTTP_GET, "/api/v1/client/audit/export", PERM_AUDIT_READ, .flow = audit_export,
		.sensitive = true,
		.about = "the audit log as CSV, at most 10,000 rows; X-Next-Cursor names the rest",
		.about_zh = "审计日志 CSV 导出,每次最多 10000 行;X-Next-Cursor 指向后续",
		.query = "cursor username operation result from to tenant_id" },
	{ 0 },
};
