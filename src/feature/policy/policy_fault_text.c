/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_fault_text.h"

static const struct {
	const char *en, *zh;
} rules[] = {
	/* for a policy: "policy: key: rule" */
	{ "whole seconds, 0 to 400 days", "应为整数秒，0 到 400 天" },
	{ "an object of priorities, at least one", "应为优先级对象，至少一个" },
	{ "P0 to P4, or critical to general", "应为 P0 到 P4，或 critical 到 general" },
	{ "three waits in seconds", "应为三个以秒计的等待时长" },
	{ "a list of at most 8, such as [\"80\",\"-30m\",\"100\"]",
		"应为最多 8 项的列表，例如 [\"80\",\"-30m\",\"100\"]" },
	{ "each is a percentage (\"80\") or a lead (\"-30m\")",
		"每项应为百分比（\"80\"）或提前量（\"-30m\"）" },
	{ "must hold \"100\"", "必须包含 \"100\"" },
	{ "a list of thresholds of this policy, such as [\"90\"]",
		"应为本策略阈值的列表，例如 [\"90\"]" },
	{ "each is one of the policy's thresholds", "每项应为本策略的阈值之一" },
	{ "lists of ticket states by clock", "应为按时钟列出的工单状态" },
	{ "unknown ticket state", "未知的工单状态" },
	{ "not one of the values it can have", "不在可选取值之中" },
	{ "a list (impact 1..) of lists (urgency 1..) of priorities",
		"应为优先级的二维列表（影响 × 紧急）" },
	{ "each row is a list of at most 5 priorities", "每行应为最多 5 个优先级的列表" },
	{ "priorities are P0 to P4", "优先级应为 P0 到 P4" },
	{ "must be the code of a calendar", "应为日历代码" },
	{ "0 to 10000 hours, 0 to 365 days", "应为 0 到 10000 小时、0 到 365 天" },
	{ "a priority comes twice", "同一优先级出现两次" },
	{ "three waits of 1 s to 400 days", "应为三个 1 秒到 400 天的等待时长" },
	{ "a whole number", "应为整数" },
	{ "an object of response, resolution, update",
		"应为含 response、resolution、update 的对象" },
	{ "a threshold comes twice", "同一阈值出现两次" },
	/* for a calendar: "calendar: rule: where" */
	{ "windows must be a list of [open, close]", "时段应为 [开始时间、结束时间] 的列表" },
	{ "at most 16 windows a day", "每天最多 16 个时段" },
	{ "at most 16 pieces a day are left by breaks", "扣除休息后每天最多剩 16 段" },
	{ "no window opens within 400 days", "400 天内没有任何工作时段" },
	{ "a window is [\"HH:MM\", \"HH:MM\"]", "时段应为 [\"HH:MM\", \"HH:MM\"]" },
	{ "a window must open before it closes", "时段的开始必须早于结束" },
	{ "windows must be sorted and disjoint", "时段必须按序且不重叠" },
	{ "must be an object of dates", "应为以日期为键的对象" },
	{ "not a date (YYYY-MM-DD)", "不是日期（YYYY-MM-DD）" },
	{ "holidays must be a list of dates", "holidays 应为日期列表" },
	{ "holidays must be dates (YYYY-MM-DD)", "holidays 应为日期（YYYY-MM-DD）" },
	{ "hours must be an object of weekdays", "hours 应为以星期为键的对象" },
	{ "not a weekday (mon..sun)", "不是星期（mon..sun）" },
	{ "tz must be an IANA zone name", "tz 应为 IANA 时区名" },
	/* for both */
	{ "unknown key", "未知的键" },
	{ "must be an object", "应为对象" },
	{ "at most 128 KiB", "最多 128 KiB" },
};

/* N bytes at P, a key or a place, with the colon that separates it from the rule as Chinese has it.
 */
static const char *with_wide_colon(struct req *req, const char *p, size_t n)
{
	struct buf b = { 0 };
	const char *out;

	for (size_t i = 0; i < n; i++)
		if (p[i] == ':' && i + 1 < n && p[i + 1] == ' ') {
			buf_adds(&b, "：");
			i++;
		} else {
			buf_addc(&b, p[i]);
		}
	out = arena_dup(&req->arena, b.p, b.n);
	buf_free(&b);
	return out;
}

/* Translate the rule in ERROR to Chinese; the surrounding key or place stays. */
static const char *in_chinese(struct req *req, const char *error)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		const char *at = strstr(error, rules[i].en);

		if (at)
			return arena_printf(&req->arena, "%s%s%s",
				with_wide_colon(req, error, (size_t)(at - error)), rules[i].zh,
				with_wide_colon(req, at + strlen(rules[i].en),
					strlen(at) - strlen(rules[i].en)));
	}
	return arena_printf(&req->arena, "%s", error);
}

void policy_fault_text_note(struct req *req, const char *error)
{
	req_note_invalid(
		req, "document", arena_printf(&req->arena, "%s", error), in_chinese(req, error));
}
