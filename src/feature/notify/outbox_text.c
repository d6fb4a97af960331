/* SPDX-License-Identifier: Apache-2.0
 * The texts of notifications: templates with their values. */
#include "outbox.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "ticket/names.h"
#include "crypto/crypto.h"
#include "crypto/field.h"
#include "config/options.h"
#include "config/zones.h"
#include "sla/clock.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define NAMES_MAX 5 /* listed by name in a mail */

static const char *const status_zh[] = { "新建", "已受理", "处理中", "等待客户", "等待 AWS",
	"已排期", "标记为已缓解：影响已消除，原因尚存", "观察中", "已解决", "已关闭", "已取消",
	"已合并" };
static const char *const clock_zh[] = { "首次响应", "解决", "更新", "升级", "AWS 跟进" };

/* In the customer's time zone, with its name and its difference to UTC at that instant:
 * 2026-01-31 16:00 (Asia/Shanghai, UTC+08:00), in Chinese with full-width punctuation. */
static void add_instant(struct buf *b, const struct outbox_row *w, int64_t us)
{
	struct str name = db_text(w->r, w->i, C_ZONE);
	bool zh = str_is(db_text(w->r, w->i, C_LANG), "zh");
	const struct zone *zone;
	char t[32], text[64];
	int32_t offset, minutes;
	int64_t until;

	if (us == 0 || us == INSTANT_NONE)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)name.n, name.p ? name.p : "");
	zone = zone_find(text);
	offset = zone ? zone_offset(zone, us / US_PER_S, &until) : 0;
	minutes = (offset < 0 ? -offset : offset) / 60;
	time_format(us + offset * US_PER_S, 3, t);
	buf_addf(b, "%.10s %.5s", t, t + 11);
	if (zone && offset)
		buf_addf(b, "%s%s%sUTC%c%02d:%02d%s", zh ? "（" : " (", text, zh ? "，" : ", ",
			offset < 0 ? '-' : '+', minutes / 60, minutes % 60, zh ? "）" : ")");
	else
		buf_adds(b, " UTC");
}

/* The names of the changed parts of an account, in the reader's language. */
static void add_changed(struct buf *b, const struct outbox_row *w)
{
	static const char *const words[][3] = { { "role_type", "role", "角色" },
		{ "is_active", "state", "启用状态" }, { "permissions", "permissions", "个别授权" },
		{ "email", "mail address", "邮箱" }, { "phone", "phone", "电话" },
		{ "full_name", "name", "姓名" }, { "lang", "language", "语言" },
		{ "department", "department", "部门" }, { "project", "project", "项目" },
		{ "contract", "contract", "合同" }, { "cost_centre", "cost centre", "成本中心" },
		{ "region", "region", "区域" }, { "office", "office", "办公地点" },
		{ "customers", "customers that you serve", "服务的客户" } };
	bool zh = str_is(db_text(w->r, w->i, C_LANG), "zh");
	const char *list = json_get_string(w->data, "changed");

	for (const char *p = list ? list : ""; *p; p += strspn(p, ", ")) {
		struct str one = { p, strcspn(p, ",") };

		if (p != list)
			buf_adds(b, zh ? "、" : ", ");
		p += one.n;
		if (one.n && strchr("+-", *one.p)) { /* a factor, by its name */
			buf_add(b, one.p, one.n);
			continue;
		}
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (str_is(one, words[i][0]))
				buf_adds(b, words[i][zh ? 2 : 1]);
	}
}

/* The state without its underscores: in progress, pending customer. */
static void add_status_en(struct buf *b, struct str code)
{
	for (size_t i = 0; i < code.n; i++)
		buf_addc(b, code.p[i] == '_' ? ' ' : code.p[i]);
}

/* Variables whose value is in the event's data as it is. */
static bool is_told_as_is(struct str name)
{
	static const char *const words[] = { "address", "by", "username", "home", "day", "anchors",
		"device", "of", "tickets", "wrong", "wrong_rows", "left_wrong", "theirs", "ours",
		"differing", "repaired", "left_over" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(name, words[i]))
			return true;
	return false;
}

/* The reasons why a login is unusual, in the reader's language. */
static void add_reasons(struct buf *b, const struct outbox_row *w)
{
	static const char *const words[][3] = { { "new_network", "a new network", "新的网络" },
		{ "new_device", "a new device", "新的设备" },
		{ "new_country", "a new country", "新的国家或地区" },
		{ "impossible_travel", "impossible travel since the last login",
			"与上次登录地点相距过远" },
		{ "outside_hours", "outside working hours", "非工作时间" } };
	bool zh = str_is(db_text(w->r, w->i, C_LANG), "zh");
	const char *list = json_get_string(w->data, "reasons");

	for (size_t i = 0, n = 0; list && i < ARRAY_LEN(words); i++)
		if (strstr(list, words[i][0]))
			buf_addf(b, "%s%s", n++ ? (zh ? "、" : ", ") : "", words[i][zh ? 2 : 1]);
}

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
	for (const char *p = names.p; p < end; p++)
		if (*p == '\n')
			buf_adds(b, zh ? "、" : ", ");
		else
			buf_addc(b, *p);
}

/* What a breach has begun, each thing in a line, and nothing that has not happened: who was told,
 * and who analyses its cause until when. Ends with an empty line, or is empty. */
static void add_begun(struct buf *b, const struct outbox_row *w)
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
		buf_addf(&lines,
			zh ? "- 根因分析已开始，负责人：%.*s，完成期限："
			   : "- A root-cause analysis has begun. Responsible: %.*s. Due: ",
			(int)owner.n, owner.p);
		add_instant(&lines, w, db_int(w->r, w->i, C_RCA_DUE));
		buf_addc(&lines, '\n');
	}
	if (lines.n)
		buf_addf(b, "%s\n%s\n",
			emergency ? (zh ? "应急流程已启动：" : "The emergency process has started:")
				  : (zh ? "已采取的措施：" : "What has been done:"),
			buf_cstr(&lines));
	buf_free(&lines);
}

/* Whom the customer can call, as far as it is known. Ends with an empty line, or is empty. */
static void add_help(struct buf *b, const struct outbox_row *w)
{
	bool zh = str_is(db_text(w->r, w->i, C_LANG), "zh");
	struct str hotline = db_text(w->r, w->i, C_HOTLINE),
		   success = db_text(w->r, w->i, C_SUCCESS);

	if (hotline.n)
		buf_addf(b, zh ? "服务热线：%.*s\n" : "Hotline: %.*s\n", (int)hotline.n, hotline.p);
	if (success.n)
		buf_addf(b, zh ? "客户成功经理：%.*s\n" : "Your customer success manager: %.*s\n",
			(int)success.n, success.p);
	if (hotline.n || success.n)
		buf_addc(b, '\n');
}

/* The token is signed when the mail is sent and stored nowhere. */
static void add_link(struct buf *b, const struct outbox_row *w, enum token_use use, int64_t lives_s,
	const char *name)
{
	struct token_claims c = { .tenant_id = db_int(w->r, w->i, C_TENANT_ID),
		.session_id = json_get_int(w->data, "reset_id", 0),
		.expires_s = db_int(w->r, w->i, C_AT) / US_PER_S + lives_s };
	char *token = token_sign(use, &c, clock_now_us() / US_PER_S);

	buf_addf(b, "%s/#%s=%s", options.http_url, name, token);
	OPENSSL_cleanse(token, strlen(token));
	free(token);
}

static void add_variable(struct buf *b, const struct outbox_row *w, struct str name)
{
	bool zh = str_is(db_text(w->r, w->i, C_LANG), "zh");
	struct str v = { 0 };
	const char *s = NULL;

	if (str_is(name, "number"))
		v = db_text(w->r, w->i, C_NUMBER);
	else if (str_is(name, "title"))
		v = db_text(w->r, w->i, C_TITLE);
	else if (str_is(name, "tenant"))
		v = db_text(w->r, w->i, C_TENANT);
	else if (str_is(name, "text"))
		v = db_text(w->r, w->i, C_TEXT);
	else if (str_is(name, "priority"))
		v = db_text(w->r, w->i, C_PRIORITY);
	else if (str_is(name, "priority_zh") || str_is(name, "priority_en"))
		s = priority_label(
			priority_parse(db_text(w->r, w->i, C_PRIORITY)), name.p[9] == 'z');
	else if (str_is(name, "status"))
		v = db_text(w->r, w->i, C_STATUS);
	else if (str_is(name, "status_en"))
		add_status_en(b, db_text(w->r, w->i, C_STATUS));
	else if (str_is(name, "status_zh")) {
		enum ticket_state st = ticket_state_parse(db_text(w->r, w->i, C_STATUS));

		s = st < TICKET_STATE_COUNT ? status_zh[st] : "";
	} else if (str_is(name, "clock"))
		s = json_get_string(w->data, "clock");
	else if (str_is(name, "clock_zh")) {
		const char *k = json_get_string(w->data, "clock");
		enum sla_clock_kind kind = sla_clock_parse(str_of(k ? k : ""));

		s = kind < SLA_CLOCKS ? clock_zh[kind] : "";
	} else if (str_is(name, "threshold")) {
		s = json_get_string(w->data, "threshold");
		buf_adds(b, s ? s : "");
		s = s && s[0] >= '0' && s[0] <= '9' ? "%" : "";
	} else if (is_told_as_is(name)) {
		char key[16];

		snprintf(key, sizeof(key), "%.*s", (int)name.n, name.p);
		s = json_get_string(w->data, key);
	} else if (str_is(name, "changed")) {
		add_changed(b, w);
		return;
	} else if (str_is(name, "code")) {
		if (!db_open(b, w->r, w->i, C_CODE))
			buf_adds(b, "?");
		return;
	} else if (str_is(name, "reasons")) {
		add_reasons(b, w);
		return;
	} else if (str_is(name, "reset_link")) {
		add_link(b, w, TOKEN_RESET, 3600, "reset");
		return;
	} else if (str_is(name, "login_link")) {
		add_link(b, w, TOKEN_LINK, 900, "link");
		return;
	} else if (str_is(name, "due")) {
		add_instant(b, w, json_get_int(w->data, "clock_due_at", 0));
		return;
	} else if (str_is(name, "begun")) {
		add_begun(b, w);
		return;
	} else if (str_is(name, "lifted")) {
		if (db_int(w->r, w->i, C_LIFTED))
			buf_adds(b, zh ? "此前通知您的违约已撤销。"
				       : " The breach that you were notified of has been lifted.");
		return;
	} else if (str_is(name, "side")) {
		bool customer = str_is(db_text(w->r, w->i, C_ACTOR_KIND), "customer");

		s = zh ? (customer ? "客户" : "我们") : customer ? "the customer" : "us";
	} else if (str_is(name, "contact_at")) {
		add_instant(b, w, json_get_int(w->data, "reckon_at", 0));
		return;
	} else if (str_is(name, "looks")) {
		v = db_text(w->r, w->i, C_ENGINEERS);
		if (!v.n)
			v = db_text(w->r, w->i, C_MANAGERS);
		add_names(b, v, zh);
		return;
	} else if (str_is(name, "level")) {
		buf_add_int(b, json_get_int(w->data, "level", 1));
		return;
	} else if (str_is(name, "answer_by")) {
		add_instant(b, w, json_get_int(w->data, "answer_by", 0));
		return;
	} else if (str_is(name, "help")) {
		add_help(b, w);
		return;
	} else if (str_is(name, "rca_owner")) {
		v = db_text(w->r, w->i, C_RCA_OWNER);
	} else if (str_is(name, "rca_due")) {
		add_instant(b, w, db_int(w->r, w->i, C_RCA_DUE));
		return;
	} else if (str_is(name, "response_due")) {
		add_instant(b, w, db_int(w->r, w->i, C_RESPONSE_DUE));
		return;
	} else if (str_is(name, "url")) {
		buf_addf(b, "%s/#/tickets/%lld", options.http_url,
			(long long)db_int(w->r, w->i, C_TICKET_ID));
		return;
	}
	if (s)
		buf_adds(b, s);
	else
		buf_add(b, v.p, v.n);
}

static void render(struct buf *b, const struct outbox_row *w, struct str tmpl)
{
	const char *end = tmpl.p + tmpl.n;

	for (const char *p = tmpl.p; p < end;) {
		const char *open = memmem(p, (size_t)(end - p), "{{", 2),
			   *close = open ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;

		if (!close) {
			buf_add(b, p, (size_t)(end - p));
			return;
		}
		buf_add(b, p, (size_t)(open - p));
		add_variable(b, w, (struct str){ open + 2, (size_t)(close - open) - 2 });
		p = close + 2;
	}
}

#define WORD_LINE 76  /* RFC 2047, section 2: a line with an encoded word */
#define WORD_FRAME 12 /* =?UTF-8?B? and ?= */

/* RFC 2047 encoded words, one a line, cut between characters. USED: the columns of the first line
 * that the header's name fills. */
static void add_encoded_words(struct buf *b, struct str s, size_t used)
{
	for (size_t at = 0; at < s.n;) {
		size_t most = (WORD_LINE - WORD_FRAME - (at ? 1 : used)) / 4 * 3,
		       n = s.n - at < most ? s.n - at : most;

		while (at + n < s.n && ((unsigned char)s.p[at + n] & 0xc0) == 0x80)
			n--;
		buf_adds(b, at ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
		buf_add_base64(b, s.p + at, n);
		buf_adds(b, "?=");
		at += n;
	}
}

static void add_base64_lines(struct buf *b, struct str s)
{
	for (size_t at = 0; at < s.n; at += 57) {
		buf_add_base64(b, s.p + at, s.n - at < 57 ? s.n - at : 57);
		buf_adds(b, "\r\n");
	}
}

static void add_date(struct buf *b)
{
	static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t s = clock_now_us() / US_PER_S, y;
	unsigned m, d;

	civil_from_days(s / 86400, &y, &m, &d);
	buf_addf(b, "Date: %s, %u %s %lld %02d:%02d:%02d +0000\r\n",
		days[weekday_from_days(s / 86400)], d, months[m - 1], (long long)y,
		(int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
}

void outbox_text(struct buf *b, const struct outbox_row *w)
{
	render(b, w, db_text(w->r, w->i, C_BODY));
}

void outbox_compose(struct buf *b, const struct outbox_row *w, const char *to)
{
	struct buf subject = { 0 }, line = { 0 }, body = { 0 };
	const char *domain = strrchr(options.mail_from, '@');

	domain = domain ? domain + 1 : "sladesk.invalid";
	render(&subject, w, db_text(w->r, w->i, C_SUBJECT));
	render(&body, w, db_text(w->r, w->i, C_BODY));
	/* a title must not become another header, nor look like another one */
	text_add_line(&line, (struct str){ subject.p, subject.n });
	buf_addf(b, "From: %s\r\nTo: %s\r\n", options.mail_from, to);
	add_date(b);
	/* The deduplication key: a second copy of the same notification has the same id, and no
	 * other mail ever has, not even after a reinstallation. */
	buf_addf(b, "Message-ID: <n%lld.%lld.%lld@%.*s>\r\nSubject: ",
		(long long)db_int(w->r, w->i, C_TENANT_ID), (long long)db_int(w->r, w->i, C_ID),
		(long long)db_int(w->r, w->i, C_AT), (int)strcspn(domain, "> "), domain);
	add_encoded_words(b, (struct str){ line.p, line.n }, strlen("Subject: "));
	buf_adds(b, "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
		    "charset=utf-8\r\nContent-Transfer-Encoding: base64\r\nAuto-Submitted: "
		    "auto-generated\r\n\r\n");
	add_base64_lines(b, (struct str){ body.p, body.n });
	buf_free(&subject);
	buf_free(&line);
	buf_free(&body);
}
