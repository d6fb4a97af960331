/* SPDX-License-Identifier: Apache-2.0
 * The rules of reference_fault() (schema/code/025_references.sql), in words. */
#include "desk/reference.h"

static const struct reference_rule rules[] = {
	{ "assignee", "assignee_id",
		"a member of staff who serves this customer and is not disabled",
		"应为服务该客户且未停用的员工", REFERENCE_INVALID },
	{ "owner", "owner_id", "a member of staff who serves this customer and is not disabled",
		"应为服务该客户且未停用的员工", REFERENCE_INVALID },
	{ "requester", "requester_id", "a user of this customer who is not disabled",
		"应为该客户未停用的用户", REFERENCE_INVALID },
	{ "text", "comment_id", "a text of this ticket", "应为该工单的文本", REFERENCE_ABSENT },
	{ "report", "id", "a ticket with a report that is to be written", "应为有待完成报告的工单",
		REFERENCE_STATE },
	{ "rca", "id", "a ticket whose root-cause analysis is open", "应为有未完成根因分析的工单",
		REFERENCE_STATE },
	{ "parent", "parent_id", "a ticket of the same customer", "应为同一客户的工单",
		REFERENCE_ABSENT },
	{ "parent_self", "parent_id", "not the ticket itself", "不能是工单自身",
		REFERENCE_INVALID },
	{ "parent_loop", "parent_id", "not a ticket below this one", "不能是该工单的下级工单",
		REFERENCE_INVALID },
	{ "parent_deep", "parent_id", "at most 8 tickets in a chain of parents",
		"父子工单最多 8 级", REFERENCE_INVALID },
	{ "parent_ended", "parent_id", "not a cancelled or merged ticket",
		"不能是已取消或已合并的工单", REFERENCE_STATE },
	{ "parent_none", "parent_id", "link the parent first", "请先关联父工单", REFERENCE_STATE },
	{ "parent_not_open", "parent_id", "a ticket is merged into an open one only",
		"只能合并到未解决的工单", REFERENCE_STATE },
};

const struct reference_rule *reference_rule(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
}
