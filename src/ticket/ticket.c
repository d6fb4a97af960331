/* SPDX-License-Identifier: Apache-2.0
 * The transition table. A reply by staff accepts a new ticket; a customer's reply wakes one that
 * waits for the customer. */
#include "ticket/ticket.h"

#define BIT(s) (1u << TICKET_##s)
#define OPEN ((1u << TICKET_OPEN_COUNT) - 1)
#define ANY (OPEN | BIT(RESOLVED) | BIT(CLOSED) | BIT(CANCELLED) | BIT(MERGED))
#define STAFF (1u << ACTOR_STAFF)
#define CUSTOMER (1u << ACTOR_CUSTOMER)
#define SERVICE (1u << ACTOR_SERVICE)
#define SYSTEM (1u << ACTOR_SYSTEM)
#define SAME TICKET_STATE_COUNT

static const struct ticket_rule rules[CMD_COUNT] = {
	[CMD_CREATE] = { "create", "ticket.created", "create a ticket", "创建工单", NULL, 0,
		STAFF | CUSTOMER | SERVICE | SYSTEM, TICKET_NEW },
	[CMD_ACCEPT] = { "accept", "ticket.accepted",
		"accept the ticket; this does not count as a response",
		"受理工单（不计为首次响应）", "version", BIT(NEW), STAFF | SYSTEM, TICKET_ACCEPTED,
		.progress = true },
	[CMD_CONFIRM] = { "confirm", "ticket.confirmed", "confirm the problem and start work",
		"确认问题，开始处理", "version", BIT(NEW) | BIT(ACCEPTED), STAFF | SYSTEM,
		TICKET_IN_PROGRESS, .progress = true },
	[CMD_REPLY] = { "reply", "ticket.replied", "add a public reply", "公开回复",
		"text* version", OPEN, STAFF | SERVICE, SAME, .needs_text = true,
		.progress = true },
	[CMD_CUSTOMER_REPLY] = { "customer-reply", "ticket.customer_replied",
		"reply as the customer", "客户回复", "text* version", OPEN | BIT(RESOLVED),
		CUSTOMER, SAME, .needs_text = true },
	[CMD_CONTACT] = { "contact", "ticket.contacted",
		"record a contact by phone, chat or on site", "记录电话、聊天或现场联系",
		"text* at* version", OPEN, STAFF, SAME, .needs_text = true, .progress = true },
	[CMD_NOTE] = { "note", "ticket.noted", "add an internal note", "添加内部备注",
		"text* version", ANY, STAFF, SAME, .needs_text = true, .internal = true,
		.progress = true },
	[CMD_ASSIGN] = { "assign", "ticket.assigned", "assign to an engineer", "分配工程师",
		"assignee_id* version", OPEN | BIT(RESOLVED), STAFF | SYSTEM, SAME,
		.progress = true },
	[CMD_PRIORITY] = { "priority", "ticket.priority_changed", "set the priority", "调整优先级",
		"priority* reason* version", OPEN, STAFF | SYSTEM, SAME, .needs_reason = true },
	[CMD_CONFIRM_PRIORITY] = { "confirm-priority", "ticket.priority_confirmed",
		"confirm the priority that the system chose", "确认系统判定的优先级", "version",
		OPEN, STAFF, SAME },
	[CMD_ESCALATE] = { "escalate", "ticket.escalation_requested", "request escalation",
		"请求升级", "reason* version", OPEN, CUSTOMER | STAFF, SAME, .needs_reason = true },
	[CMD_WAIT_CUSTOMER] = { "wait-customer", "ticket.waiting_customer", "wait for the customer",
		"等待客户", "reason* version", OPEN & ~BIT(PENDING_CUSTOMER), STAFF | SYSTEM,
		TICKET_PENDING_CUSTOMER, .needs_reason = true, .progress = true },
	[CMD_SCHEDULE] = { "schedule", "ticket.scheduled",
		"schedule the ticket: schedule the ticket: wait until a date",
		"排期：排期：等待至指定时间", "reason* until* version", OPEN & ~BIT(SCHEDULED),
		STAFF, TICKET_SCHEDULED, .needs_reason = true, .progress = true },
	[CMD_WAIT_AWS] = { "wait-aws", "ticket.waiting_aws", "wait for AWS", "等待 AWS", "version",
		OPEN & ~BIT(PENDING_AWS), STAFF | SYSTEM, TICKET_PENDING_AWS, .progress = true },
	[CMD_RESUME] = { "resume", "ticket.resumed", "resume work", "恢复处理", "reason* version",
		BIT(PENDING_CUSTOMER) | BIT(PENDING_AWS) | BIT(SCHEDULED), STAFF | SYSTEM,
		TICKET_IN_PROGRESS, .needs_reason = true, .progress = true },
	[CMD_MITIGATE] = { "mitigate", "ticket.mitigated",
		"mark as mitigated: the impact has ended, the cause remains",
		"标记为已缓解：影响已消除，原因尚存", "text* version", OPEN & ~BIT(MITIGATED),
		STAFF, TICKET_MITIGATED, .needs_text = true, .progress = true },
	[CMD_MONITOR] = { "monitor", "ticket.monitoring", "monitor the mitigated problem",
		"进入观察", "version", BIT(MITIGATED), STAFF, TICKET_MONITORING, .progress = true },
	[CMD_REWORK] = { "rework", "ticket.rework", "resume work on a mitigated ticket", "重新处理",
		"version", BIT(MITIGATED) | BIT(MONITORING), STAFF | SYSTEM, TICKET_IN_PROGRESS,
		.progress = true },
	[CMD_RESOLVE] = { "resolve", "ticket.resolved",
		"resolve; P0 to P2 require the full report fields",
		"解决（P0 到 P2 须填写完整说明）",
		"text* root_cause solution solution_kind prevention configuration version", OPEN,
		STAFF | SYSTEM, TICKET_RESOLVED, .needs_text = true, .progress = true },
	[CMD_CONFIRM_RESOLUTION] = { "confirm-resolution", "ticket.closed",
		"confirm the resolution as the customer and close the ticket", "客户确认解决并关闭",
		"version", BIT(RESOLVED), CUSTOMER, TICKET_CLOSED },
	[CMD_AUTO_CLOSE] = { "auto-close", "ticket.closed", "close automatically", "自动关闭",
		"version", BIT(RESOLVED), SYSTEM, TICKET_CLOSED },
	[CMD_REOPEN] = { "reopen", "ticket.reopened", "reopen", "重新打开", "reason* version",
		BIT(RESOLVED) | BIT(CLOSED), CUSTOMER | STAFF | SYSTEM, TICKET_IN_PROGRESS,
		.needs_reason = true },
	[CMD_CANCEL] = { "cancel", "ticket.cancelled", "cancel", "取消", "reason* version", OPEN,
		CUSTOMER | STAFF | SYSTEM, TICKET_CANCELLED, .needs_reason = true },
	[CMD_MERGE] = { "merge", "ticket.merged", "merge into the parent ticket", "合并到父工单",
		"version", OPEN, STAFF, TICKET_MERGED },
	[CMD_TAGS] = { "tags", "ticket.tagged", "set the tags", "设置标签", "tags* version", ANY,
		STAFF, SAME, .internal = true },
	[CMD_CATEGORY] = { "category", "ticket.categorised", "set the category", "设置分类",
		"category* version", ANY, STAFF, SAME },
	[CMD_LINK] = { "link", "ticket.linked", "link to a parent ticket", "关联父工单",
		"parent_id* version", ANY, STAFF, SAME, .internal = true },
	[CMD_ACCEPT_CONTACT] = { "accept-contact", "ticket.contact_accepted",
		"accept a contested contact as the first response", "认可有争议的联系为首次响应",
		"reason* version", ANY, STAFF, SAME, .needs_reason = true },
	[CMD_DISPUTE_CONTACT] = { "dispute-contact", "ticket.contact_disputed",
		"dispute a recorded contact as the customer", "客户对联系记录提出异议",
		"reason* version", ANY, CUSTOMER, SAME, .needs_reason = true },
	[CMD_WAIVE] = { "waive", "ticket.breach_waived", "waive a breach", "豁免违约",
		"clock* reason* version", ANY, STAFF, SAME, .needs_reason = true },
	[CMD_EXCLUDE_WINDOW] = { "exclude-window", "ticket.window_excluded",
		"exclude a maintenance window from the clocks", "维护窗口不计入时限",
		"from* to* reason* version", OPEN, STAFF, SAME, .needs_reason = true },
	[CMD_PROPOSE_EXCLUSION] = { "propose-exclusion", "ticket.exclusion_proposed",
		"propose to exclude the ticket from SLA attainment",
		"提议将工单排除在 SLA 达成率之外", "kind* reason* version", ANY, STAFF, SAME,
		.needs_reason = true, .internal = true },
	[CMD_APPROVE_EXCLUSION] = { "approve-exclusion", "ticket.exclusion_approved",
		"approve the exclusion, by another person", "批准排除（须由另一人批准）",
		"reason* version", ANY, STAFF, SAME, .needs_reason = true, .internal = true },
	[CMD_REJECT_EXCLUSION] = { "reject-exclusion", "ticket.exclusion_rejected",
		"reject the exclusion", "驳回排除提议", "reason* version", ANY, STAFF, SAME,
		.needs_reason = true, .internal = true },
	[CMD_REBIND] = { "rebind", "ticket.rebound", "rerebind to the policy and calendar in force",
		"改用当前生效的策略与日历", "reason* version", OPEN, STAFF | SYSTEM, SAME,
		.needs_reason = true },
	[CMD_GO_LIVE] = { "go-live", "ticket.went_live", "start the clocks of an imported ticket",
		"导入的工单开始计时", "version", ANY, SYSTEM, SAME, .internal = true },
	[CMD_REDACT] = { "redact", "ticket.text_redacted",
		"redact a text; its existence and digest remain", "清除一段文字，保留其记录与摘要",
		"comment_id* reason* version", ANY, STAFF, SAME, .needs_reason = true,
		.internal = true },
	[CMD_RATE] = { "rate", "ticket.rated", "rate the handling of the ticket, 1 to 5",
		"评价处理情况（1 到 5 分）", "score* text version", BIT(RESOLVED) | BIT(CLOSED),
		CUSTOMER | SYSTEM, SAME },
	[CMD_REMIND_CLOSE] = { "remind-close", "ticket.close_reminder", "remind before closing",
		"关闭前提醒", "version", BIT(RESOLVED), SYSTEM, SAME },
	[CMD_P0_UNCONFIRMED] = { "p0-unconfirmed", "ticket.p0_unconfirmed",
		"a P0 has not been confirmed", "P0 未确认", "version", OPEN, SYSTEM, SAME,
		.internal = true },
	[CMD_REPORT_DUE] = { "report-due", "ticket.report_due", "an incident report is due",
		"事件报告到期", "version", ANY & ~BIT(CANCELLED) & ~BIT(MERGED), SYSTEM, SAME,
		.internal = true },
};

const struct ticket_rule *ticket_rule(enum ticket_command cmd)
{
	bug_on(cmd >= CMD_COUNT);
	return &rules[cmd];
}

enum ticket_command ticket_command_parse(struct str name)
{
	for (int i = 0; i < CMD_COUNT; i++)
		if (str_is(name, rules[i].name))
			return (enum ticket_command)i;
	return CMD_COUNT;
}

enum ticket_refusal ticket_apply(enum ticket_command cmd, enum ticket_state state,
	enum actor_kind actor, enum ticket_state *out_state)
{
	const struct ticket_rule *r = ticket_rule(cmd);

	if (!(r->actors >> actor & 1))
		return TICKET_WRONG_ACTOR;
	if (cmd != CMD_CREATE && !(r->from >> state & 1))
		return TICKET_WRONG_STATE;
	*out_state = r->to == SAME ? state : r->to;
	if ((cmd == CMD_REPLY || cmd == CMD_CONTACT) && state == TICKET_NEW)
		*out_state = TICKET_ACCEPTED;
	if (cmd == CMD_CUSTOMER_REPLY && state == TICKET_PENDING_CUSTOMER)
		*out_state = TICKET_IN_PROGRESS;
	return TICKET_ALLOWED;
}
