/* SPDX-License-Identifier: Apache-2.0
 * What mails about breaches and escalations say of what has been begun. */
#include "outbox.h"

#include <string.h>

#define NAMES_MAX 5 /* listed by name in a mail */

/* Names that stand one in a line; of many, how many they are. */
static void add_names(struct buf *b, struct str names, bool zh)
{
	const char *end = names.p + names.n;
	size_t n = 1;

	for (const char *p = names.p; p < end; p++)
		n += *p == '\n';
	if (n > NAMES_MAX) {
		buf_addf(b, zh ? "共 %zu 人" : "%zu people", n);
		return;
	}
	for (const char *p = names.p, *next; p < end; p = next + 1) {
		next = memchr(p, '\n', (size_t)(end - p));
		next = next ? next : end;
		outbox_add_value(b, (struct str){ p, (size_t)(next - p) });
		if (next < end)
			buf_adds(b, zh ? "、" : ", ");
	}
}

/* Nothing that has not happened: who was told, and who analyses the cause until when. */
void outbox_add_begun(struct buf *b, const struct outbox_row *w)
{
	bool zh = str_is(db_text(w->r, w->i, C_LANG), "zh"),
	     emergency = str_is(db_text(w->r, w->i, C_TYPE), "sla.threshold");
	struct str managers = db_text(w->r, w->i, C_MANAGERS),
		   engineers = db_text(w->r, w->i, C_ENGINEERS),
		   owner = db_text(w->r, w->i, C_RCA_OWNER);
	int64_t customers = db_int(w->r, w->i, C_CUSTOMERS);
	struct buf lines = { 0 };

	if (managers.n) {
		buf_adds(&lines, zh ? "- 已通知管理层：" : "- Management has been notified: ");
		add_names(&lines, managers, zh);
		buf_addc(&lines, '\n');
	}
	if (engineers.n) {
		buf_adds(&lines, zh ? "- 已通知工程师：" : "- Engineers have been notified: ");
		add_names(&lines, engineers, zh);
		buf_addc(&lines, '\n');
	}
	if (customers)
		buf_addf(&lines,
			zh ? "- 已通知客户方联系人：%lld 人\n"
			   : "- People of the customer who have been notified: %lld\n",
			(long long)customers);
	if (owner.n) {
		buf_adds(&lines, zh ? "- 根因分析已开始，负责人："
				    : "- A root-cause analysis has begun. Responsible: ");
		outbox_add_value(&lines, owner);
		buf_adds(&lines, zh ? "，完成期限：" : ". Due: ");
		outbox_add_instant(&lines, w, db_int(w->r, w->i, C_RCA_DUE));
		buf_addc(&lines, '\n');
	}
	if (lines.n)
		buf_addf(b, "%s\n%s\n",
			emergency ? (zh ? "应急流程已启动：" : "The emergency process has started:")
				  : (zh ? "已采取的措施：" : "What has been done:"),
			buf_cstr(&lines));
	buf_free(&lines);
}

void outbox_add_help(struct buf *b, const struct outbox_row *w)
{
	bool zh = str_is(db_text(w->r, w->i, C_LANG), "zh");
	struct str hotline = db_text(w->r, w->i, C_HOTLINE),
		   success = db_text(w->r, w->i, C_SUCCESS);

	if (hotline.n) {
		buf_adds(b, zh ? "服务热线：" : "Hotline: ");
		outbox_add_value(b, hotline);
		buf_addc(b, '\n');
	}
	if (success.n) {
		buf_adds(b, zh ? "客户成功经理：" : "Your customer success manager: ");
		outbox_add_value(b, success);
		buf_addc(b, '\n');
	}
	if (hotline.n || success.n)
		buf_addc(b, '\n');
}

void outbox_add_looks(struct buf *b, const struct outbox_row *w)
{
	struct str names = db_text(w->r, w->i, C_ENGINEERS);

	if (!names.n)
		names = db_text(w->r, w->i, C_MANAGERS);
	add_names(b, names, str_is(db_text(w->r, w->i, C_LANG), "zh"));
}
