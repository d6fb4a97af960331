/* SPDX-License-Identifier: Apache-2.0
 * The words of notifications in both languages, one table for each kind of code. */
#include "words.h"
#include "base/clock.h"
#include "base/json.h"
#include "sla/clock.h"
#include "ticket/names.h"

#include <string.h>

/* As the page names them. */
static const char *const statuses[TICKET_STATE_COUNT][2] = {
	[TICKET_NEW] = { "new", "新建" },
	[TICKET_ACCEPTED] = { "accepted", "已受理" },
	[TICKET_IN_PROGRESS] = { "in progress", "处理中" },
	[TICKET_PENDING_CUSTOMER] = { "waiting for customer", "等待客户" },
	[TICKET_PENDING_AWS] = { "waiting for AWS", "等待 AWS" },
	[TICKET_SCHEDULED] = { "scheduled", "已排期" },
	[TICKET_MITIGATED] = { "mitigated", "已缓解" },
	[TICKET_MONITORING] = { "monitoring", "观察中" },
	[TICKET_RESOLVED] = { "resolved", "已解决" },
	[TICKET_CLOSED] = { "closed", "已关闭" },
	[TICKET_CANCELLED] = { "cancelled", "已取消" },
	[TICKET_MERGED] = { "merged", "已合并" },
};
static const char *const clocks[][2] = { { "first response", "首次响应" }, { "resolution", "解决" },
	{ "update", "进展更新" }, { "escalation", "升级" }, { "AWS case", "AWS 跟进" } };

/* A code with its words. */
struct word {
	const char *code, *en, *zh;
};

/* The words for CODE; NULL if the N words do not have it. */
static const char *find(const struct word *words, size_t n, struct str code, bool zh)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(code, words[i].code))
			return zh ? words[i].zh : words[i].en;
	return NULL;
}

const char *words_status(struct str code, bool zh)
{
	enum ticket_state s = ticket_state_parse(code);

	return s < TICKET_STATE_COUNT ? statuses[s][zh] : "";
}

const char *words_clock(struct str code, bool zh)
{
	enum sla_clock_kind k = sla_clock_parse(code);

	return k < SLA_CLOCKS && k < (int)ARRAY_LEN(clocks) ? clocks[k][zh] : "";
}

/* --- durations --- */

static void add_unit(struct buf *b, int64_t n, const char *en, const char *zh)
{
	if (n)
		buf_addf(b, "%s%lld %s%s", b->n && b->p[b->n - 1] != ' ' ? " " : "", (long long)n,
			zh ? zh : en, !zh && n > 1 ? "s" : "");
}

void words_add_duration(struct buf *b, int64_t us, bool zh)
{
	int64_t minutes = us / (60 * US_PER_S);
	struct buf text = { 0 };

	if (minutes < 1) {
		buf_adds(b, zh ? "不到 1 分钟" : "less than a minute");
		return;
	}
	add_unit(&text, minutes / 1440, "day", zh ? "天" : NULL);
	add_unit(&text, minutes / 60 % 24, "hour", zh ? "小时" : NULL);
	if (minutes < 1440)
		add_unit(&text, minutes % 60, "minute", zh ? "分钟" : NULL);
	buf_add(b, text.p, text.n);
	buf_free(&text);
}

/* --- accounts --- */

void words_add_changed(struct buf *b, const char *list, bool zh)
{
	static const struct word words[] = { { "role_type", "role", "角色" },
		{ "is_active", "state", "启用状态" }, { "permissions", "permissions", "个别授权" },
		{ "email", "mail address", "邮箱" }, { "phone", "phone", "电话" },
		{ "full_name", "name", "姓名" }, { "lang", "language", "语言" },
		{ "department", "department", "部门" }, { "project", "project", "项目" },
		{ "contract", "contract", "合同" }, { "cost_centre", "cost centre", "成本中心" },
		{ "region", "region", "区域" }, { "office", "office", "办公地点" },
		{ "customers", "customers that you serve", "服务的客户" } };

	for (const char *p = list ? list : ""; *p; p += strspn(p, ", ")) {
		struct str one = { p, strcspn(p, ",") };
		const char *word = find(words, ARRAY_LEN(words), one, zh);

		if (p != list)
			buf_adds(b, zh ? "、" : ", ");
		p += one.n;
		if (one.n && strchr("+-", *one.p)) /* a factor, by its name */
			buf_add(b, one.p, one.n);
		else
			buf_adds(b, word ? word : "");
	}
}

static const struct word resources[] = { { "ticket", "tickets", "工单" }, { "sla", "SLA", "SLA " },
	{ "dashboard", "dashboards", "仪表盘" }, { "report", "reports", "报表" },
	{ "export", "exports", "导出" }, { "user", "users", "用户" },
	{ "audit", "the audit log", "审计日志" }, { "cost", "costs", "费用" },
	{ "satisfaction", "ratings", "满意度" }, { "pii", "personal data", "个人信息" },
	{ "catalogue", "the catalogue", "目录" }, { "webhook", "webhooks", "Webhook " } };
static const struct word verbs[] = { { "read", "see", "查看" }, { "write", "change", "修改" },
	{ "judge", "judge", "裁定" }, { "export", "export", "导出" }, { "all", "all of", "全部" } };

/* RIGHT: resource and operation, ticket:read. */
static void add_right(struct buf *b, struct str right, bool zh)
{
	const char *colon = str_chr(right, ':');
	struct str resource = { right.p, colon ? (size_t)(colon - right.p) : right.n },
		   verb = { colon ? colon + 1 : "", right.n - resource.n - (colon ? 1 : 0) };
	const char *of = find(resources, ARRAY_LEN(resources), resource, zh),
		   *what = find(verbs, ARRAY_LEN(verbs), verb, zh);

	if (!of || !what)
		buf_add(b, right.p, right.n);
	else
		buf_addf(b, zh ? "%s%s" : "%s %s", what, of);
}

void words_add_rights(struct buf *b, struct json_object *data, bool zh)
{
	static const struct word lists[] = { { "given", "You may now", "新授予" },
		{ "forbidden", "You may no longer", "已禁止" },
		{ "lifted", "Your role decides again", "恢复按角色" } };
	const char *was = json_get_string(data, zh ? "role_was_zh" : "role_was_en"),
		   *is = json_get_string(data, zh ? "role_zh" : "role_en"),
		   *state = json_get_string(data, "state");
	size_t from = b->n;

	if (was && is)
		buf_addf(b, "%s%s → %s", zh ? "角色：" : "Role: ", was, is);
	if (state)
		buf_addf(b, "%s%s", b->n > from ? "\n" : "",
			strcmp(state, "on") == 0 ? (zh ? "账号：已启用" : "Account: switched on")
						 : (zh ? "账号：已停用" : "Account: switched off"));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const char *list = json_get_string(data, lists[i].code);

		if (!list || !*list)
			continue;
		buf_addf(b, "%s%s%s", b->n > from ? "\n" : "", zh ? lists[i].zh : lists[i].en,
			zh ? "：" : ": ");
		for (const char *p = list; *p; p += strspn(p, ", ")) {
			struct str one = { p, strcspn(p, ",") };

			if (p != list)
				buf_adds(b, zh ? "、" : ", ");
			add_right(b, one, zh);
			p += one.n;
		}
	}
	if (json_get_bool(data, "scope_changed", false))
		buf_addf(b, "%s%s", b->n > from ? "\n" : "",
			zh ? "数据范围：已变更" : "Range of data: changed");
}

/* --- logins --- */

void words_add_reasons(struct buf *b, const char *list, bool zh)
{
	static const struct word words[] = { { "new_network", "a new network", "新的网络" },
		{ "new_device", "a new device", "新的设备" },
		{ "new_country", "a new country", "新的国家或地区" },
		{ "impossible_travel", "impossible travel since the last login",
			"与上次登录地点相距过远" },
		{ "outside_hours", "outside working hours", "非工作时间" } };

	for (size_t i = 0, n = 0; list && i < ARRAY_LEN(words); i++)
		if (strstr(list, words[i].code))
			buf_addf(b, "%s%s", n++ ? (zh ? "、" : ", ") : "",
				zh ? words[i].zh : words[i].en);
}

void words_add_device(struct buf *b, struct json_object *data, bool zh)
{
	const char *browser = json_get_string(data, "browser"),
		   *system = json_get_string(data, "system");
	bool has_browser = browser && *browser, has_system = system && *system;

	if (has_browser && has_system)
		buf_addf(b, "%s %s %s", zh ? system : browser, zh ? "上的" : "on",
			zh ? browser : system);
	else if (has_browser || has_system)
		buf_adds(b, has_browser ? browser : system);
	else
		buf_adds(b, zh ? "未知的浏览器或程序" : "an unknown browser or program");
}
