/* SPDX-License-Identifier: Apache-2.0 */
#include "portal.h"
#include "flow_gen.h"
#include "sql_gen.h"

const struct route portal_routes[] = {
	{ HTTP_GET, "/api/v1/client/theme/{tenant_id}", PERM_ANYONE, .flow = theme_get,
		.know = true,
		.about = "how a customer's portal looks and how one logs in there: by number, by "
			 "code, or \"host\" for the one whose host name was asked",
		.about_zh = "客户门户的外观与登录方式:按编号、代码,或以 host 表示当前域名所属客户",
		.reply = "tenant_id bigint, name text, logo_url text, primary_color text, "
			 "accent_color text, support_contact text, login_methods object" },
	{ HTTP_PUT, "/api/v1/client/theme", PERM_USER_WRITE, .only = ONLY_CUSTOMER,
		.flow = theme_put, .contract = &contract_portal_theme_put },
	{ HTTP_PUT, "/api/v1/client/theme/logo", PERM_USER_WRITE, .flow = logo_put,
		.about =
			"upload the logo of one's own portal: PNG, JPEG or WebP of at most 64 KiB, "
			"in base64; it comes before logo_url",
		.about_zh = "上传本租户门户的标志:PNG、JPEG 或 WebP,不超过 64 KiB,base64;优先于 "
			    "logo_url",
		.fields = "logo*" },
	{ HTTP_DELETE, "/api/v1/client/theme/logo", PERM_USER_WRITE, .flow = logo_delete,
		.about = "remove the uploaded logo", .about_zh = "移除已上传的标志" },
	{ HTTP_GET, "/api/v1/client/theme/{tenant_id}/logo", PERM_ANYONE, .flow = logo_get,
		.know = true, .about = "the uploaded logo, an image",
		.about_zh = "已上传的标志(图像)", .query = "v" },
	{ HTTP_GET, "/api/v1/client/preferences", PERM_SELF, .sql = &sql_client_preferences_get },
	{ HTTP_PUT, "/api/v1/client/preferences", PERM_SELF, .flow = preferences_put,
		.about = "set what I like; lang is also the language of my mails",
		.about_zh = "保存偏好;lang 同时决定邮件语言", .fields = "preferences*" },
	{ HTTP_POST, "/api/v1/client/dashboard/config", PERM_DASHBOARD_READ, .flow = dashboard_put,
		.about = "make a dashboard of mine", .about_zh = "新建仪表板",
		.reply = "config_id bigint, version bigint",
		.fields = "dashboard_name* layout_config* is_default is_shared" },
	{ HTTP_PUT, "/api/v1/client/dashboard/config/{config_id}", PERM_DASHBOARD_READ,
		.flow = dashboard_put, .about = "change a dashboard of mine, under its version",
		.about_zh = "修改我的仪表板(按版本)", .reply = "config_id bigint, version bigint",
		.fields = "dashboard_name* layout_config* is_default is_shared version" },
	{ HTTP_GET, "/api/v1/client/workspace", PERM_SELF, .sql = &sql_client_workspace },
	{ 0 },
};
