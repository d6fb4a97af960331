/* SPDX-License-Identifier: Apache-2.0 */
#include "export.h"
#include "sql_gen.h"

const struct route export_routes[] = {
	{ HTTP_POST, "/api/v1/client/export/data", PERM_REPORT_EXPORT, .flow = export_post,
		.about = "write tickets into a file: a job; excel gives a CSV that Excel opens",
		.about_zh = "导出工单为文件(任务);excel 生成 Excel 可打开的 CSV",
		.reply = "export_id text, status text, estimated_records bigint, estimated_size "
			 "text, estimated_time bigint, download_url text, expires_at timestamptz",
		.fields = "export_type format parameters options" },
	{ HTTP_GET, "/api/v1/client/export/data", PERM_REPORT_EXPORT, .sql = &sql_export_list },
	{ HTTP_GET, "/api/v1/client/export/data/{export_id}", PERM_REPORT_EXPORT,
		.flow = export_get, .about = "how far it is, and where its file is",
		.about_zh = "导出任务的进度与下载地址",
		.reply =
			"export_id text, export_type text, format text, status text, records "
			"bigint, estimated_records bigint, size_bytes bigint, file_id bigint, "
			"error text, error_text text, created_at timestamptz, done_at timestamptz, "
			"expires_at "
			"timestamptz, download_url text" },
	{ HTTP_GET, "/api/v1/client/files/download/{file_id}", PERM_REPORT_EXPORT,
		.flow = file_download, .sensitive = true, .query = "token",
		.about = "the file, as bytes", .about_zh = "下载文件" },
	{ 0 },
};
