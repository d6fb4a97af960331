/* SPDX-License-Identifier: Apache-2.0 */
#include "export.h"
#include "flow_gen.h"
#include "sql_gen.h"

const struct route export_routes[] = {
	{ HTTP_POST, "/api/v1/client/export/data", PERM_REPORT_EXPORT, ONLY_CUSTOMER_USER,
		.flow = export_post, .check = export_check, .contract = &contract_export_ask },
	{ HTTP_GET, "/api/v1/client/export/data", PERM_REPORT_EXPORT, .sql = &sql_export_list },
	{ HTTP_GET, "/api/v1/client/export/data/{export_id}", PERM_REPORT_EXPORT,
		.flow = export_get, .contract = &contract_export_look },
	{ HTTP_GET, "/api/v1/client/files/download/{file_id}", PERM_REPORT_EXPORT,
		.flow = file_download, .contract = &contract_export_download, .sensitive = true },
	{ 0 },
};
