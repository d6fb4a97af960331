/* SPDX-License-Identifier: Apache-2.0
 * The forms of policies and calendars, and what can be said about a document only as a whole. */
#include "base/json.h"
#include "sla/policy.h"
#include "sla/shape.h"

#include <stdio.h>

#define SECONDS_MAX (400 * 86400)
#define STATES                                                                                     \
	"new|accepted|in_progress|pending_customer|pending_aws|scheduled|mitigated|monitoring|"    \
	"resolved|closed|cancelled|merged"
#define GROUPS                                                                                     \
	"nobody|requester|assignee|team|next_level|level|on_call|manager|success|"                 \
	"customer_contacts|customer_admins|rca_owner"
#define CLOCKS "response|resolution|update|ladder"
#define PRIORITY_WORDS "P0 to P4, or critical to general", "应为 P0 到 P4，或 critical 到 general"
#define CODE_WORDS "must be the code of a calendar", "应为日历代码"
#define TIME_WORDS "a time of day, HH:MM", "应为时刻 HH:MM"
#define DATE_WORDS "not a date (YYYY-MM-DD)", "不是日期（YYYY-MM-DD）"
#define DAYS "{\"2026-10-10\":[[\"09:00\",\"18:00\"]]}"

static bool is_priority(struct str s)
{
	return priority_parse(s) != PRIORITY_NONE;
}

/* "80" or "-30m"; sla_policy_read says the same. */
static bool is_threshold(struct str s)
{
	int64_t v;

	if (s.n > 2 && s.p[0] == '-' && s.p[s.n - 1] == 'm')
		return s.n < 8 && str_to_int((struct str){ s.p + 1, s.n - 2 }, 1, 100000, &v);
	return s.n < 8 && str_to_int(s, 1, 100, &v);
}

static bool is_code(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", s.p[i]) || !s.p[i])
			return false;
	return s.n >= 1 && s.n <= 63;
}

static bool is_date(struct str s)
{
	int64_t day;

	return date_parse(s, &day);
}

static bool is_weekday(struct str s)
{
	static const char *const names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_is(s, names[i]))
			return true;
	return false;
}

static bool is_time(struct str s)
{
	int hours, minutes;

	if (s.n != 5 || s.p[2] != ':')
		return false;
	for (size_t i = 0; i < 5; i++)
		if (i != 2 && (s.p[i] < '0' || s.p[i] > '9'))
			return false;
	hours = (s.p[0] - '0') * 10 + (s.p[1] - '0');
	minutes = (s.p[3] - '0') * 10 + (s.p[4] - '0');
	return minutes < 60 && hours * 60 + minutes <= 24 * 60;
}

/* Of lower-case letters, digits, points and underscores: the name of an event or of a text. */
static bool is_event(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr("abcdefghijklmnopqrstuvwxyz0123456789_.", s.p[i]))
			return false;
	return s.n >= 1 && s.n <= 60;
}

static bool is_key(struct str s)
{
	return s.n >= 1 && s.n <= 20;
}

static bool is_text(struct str s)
{
	return s.n > 0 && s.n <= 100;
}

#define MINUTES(path, example)                                                                     \
	{                                                                                          \
		path, SHAPE_INT, example, 0, SECONDS_MAX / 60                                      \
	}
#define SECONDS(path, example)                                                                     \
	{                                                                                          \
		path, SHAPE_INT, example, 0, SECONDS_MAX                                           \
	}
#define STATE_LIST(name)                                                                           \
	{ "pauses." name, SHAPE_LIST, "[\"pending_customer\",\"scheduled\"]", 0, 12 },             \
	{                                                                                          \
		"pauses." name "[]", SHAPE_CHOICE, "\"pending_customer\"", .choices = STATES       \
	}
const struct shape policy_shape[] = {
	{ "", SHAPE_OBJECT,
		"{\"priorities\":{\"P1\":{\"response_s\":1800,\"resolution_s\":14400}},"
		"\"thresholds\":[\"80\",\"100\"]}" },
	{ "sla_targets", SHAPE_OBJECT,
		"{\"P2\":{\"response_time\":30,\"resolution_time\":240,\"update_every\":30}}" },
	MINUTES("sla_targets.response_time", "30"),
	MINUTES("sla_targets.resolution_time", "240"),
	MINUTES("sla_targets.update_every", "30"),
	{ "sla_targets.*", SHAPE_OBJECT, "{\"response_time\":30,\"resolution_time\":240}", 0, 0,
		NULL, is_priority, PRIORITY_WORDS },
	MINUTES("sla_targets.*.response_time", "30"),
	MINUTES("sla_targets.*.resolution_time", "240"),
	MINUTES("sla_targets.*.update_every", "30"),
	{ "priorities", SHAPE_OBJECT,
		"{\"P1\":{\"response_s\":1800,\"resolution_s\":14400,\"update_s\":1800}}" },
	{ "priorities.*", SHAPE_OBJECT, "{\"response_s\":1800,\"resolution_s\":14400}", 0, 0, NULL,
		is_priority, PRIORITY_WORDS },
	SECONDS("priorities.*.response_s", "1800"),
	SECONDS("priorities.*.resolution_s", "14400"),
	SECONDS("priorities.*.update_s", "1800"),
	SECONDS("priorities.*.report_s", "172800"),
	SECONDS("priorities.*.aws_s", "600"),
	{ "priorities.*.ladder_s", SHAPE_LIST, "[1800,3600,7200]", SLA_LADDER_STEPS,
		SLA_LADDER_STEPS },
	{ "priorities.*.ladder_s[]", SHAPE_INT, "1800", 1, SECONDS_MAX },
	{ "thresholds", SHAPE_LIST, "[\"80\",\"-30m\",\"90\",\"100\"]", 1, SLA_THRESHOLDS_MAX,
		.required = true },
	{ "thresholds[]", SHAPE_WORD, "\"80\"", 0, 0, NULL, is_threshold,
		"each is a percentage (\"80\") or a lead (\"-30m\")",
		"每项应为百分比（\"80\"）或提前量（\"-30m\"）" },
	{ "escalate_at", SHAPE_LIST, "[\"100\"]", 0, SLA_THRESHOLDS_MAX },
	{ "escalate_at[]", SHAPE_WORD, "\"100\"", 0, 0, NULL, is_threshold,
		"each is one of the policy's thresholds", "每项应为本策略的阈值之一" },
	{ "pauses", SHAPE_OBJECT, "{\"resolution\":[\"pending_customer\",\"scheduled\"]}" },
	STATE_LIST("response"),
	STATE_LIST("resolution"),
	STATE_LIST("update"),
	{ "resolution_from", SHAPE_CHOICE, "\"confirmed\"", .choices = "confirmed|created" },
	{ "resolution_until", SHAPE_CHOICE, "\"mitigated\"",
		.choices = "mitigated|resolved|closed" },
	{ "reopen_hours", SHAPE_INT, "72", 0, 10000 },
	{ "autoclose_days", SHAPE_INT, "5", 0, 365 },
	{ "upgrade_reckons", SHAPE_CHOICE, "\"opening\"", .choices = "opening|change" },
	{ "breach", SHAPE_CHOICE, "\"for_good\"", .choices = "for_good|by_last_priority" },
	{ "report_from", SHAPE_CHOICE, "\"opened\"", .choices = "opened|resolved" },
	{ "delivery_hours", SHAPE_WORD, "\"cn-business\"", 0, 0, NULL, is_code, CODE_WORDS },
	{ "calendar", SHAPE_WORD, "\"24x7\"", 0, 0, NULL, is_code, CODE_WORDS },
	{ "ladder", SHAPE_OBJECT, "{\"calendar\":\"cn-business\"}", .format = 2 },
	{ "ladder.calendar", SHAPE_WORD, "\"cn-business\"", 0, 0, NULL, is_code, CODE_WORDS },
	{ "notifications", SHAPE_LIST,
		"[{\"event\":\"sla.threshold\",\"key\":\"80\",\"to\":\"manager\"}]", 0, 200,
		.format = 2 },
	{ "notifications[]", SHAPE_OBJECT,
		"{\"event\":\"sla.threshold\",\"key\":\"80\",\"to\":\"manager\"}" },
	{ "notifications[].event", SHAPE_WORD, "\"sla.threshold\"", 0, 0, NULL, is_event,
		"an event that people are told of, such as ticket.created or sla.threshold",
		"应为会通知人员的事件，例如 ticket.created、sla.threshold", .required = true },
	{ "notifications[].key", SHAPE_WORD, "\"80\"", 0, 0, NULL, is_key,
		"a threshold (\"80\", \"-30m\") or another key of the event",
		"应为阈值（\"80\"、\"-30m\"）或该事件的其他键" },
	{ "notifications[].to", SHAPE_CHOICE, "\"manager\"", .choices = GROUPS, .required = true },
	{ "notifications[].channel", SHAPE_CHOICE, "\"mail\"", .choices = "mail" },
	{ "notifications[].template", SHAPE_WORD, "\"sla_warning\"", 0, 0, NULL, is_event,
		"the code of a text", "应为文本模板的代码" },
	{ "notifications[].delay_s", SHAPE_INT, "600", 0, 7 * 86400 },
	{ "notifications[].when", SHAPE_OBJECT, "{\"priorities\":[\"P0\",\"P1\"]}" },
	{ "notifications[].when.priorities", SHAPE_LIST, "[\"P0\",\"P1\"]", 1, 5 },
	{ "notifications[].when.priorities[]", SHAPE_CHOICE, "\"P0\"",
		.choices = "P0|P1|P2|P3|P4" },
	{ "notifications[].when.clocks", SHAPE_LIST, "[\"resolution\"]", 1, 8 },
	{ "notifications[].when.clocks[]", SHAPE_CHOICE, "\"resolution\"", .choices = CLOCKS },
	{ "matrix", SHAPE_LIST, "[[\"P0\",\"P1\"],[\"P1\",\"P2\"]]", 0, 5 },
	{ "matrix[]", SHAPE_LIST, "[\"P0\",\"P1\"]", 0, 5 },
	{ "matrix[][]", SHAPE_WORD, "\"P1\"", 0, 0, NULL, is_priority, PRIORITY_WORDS },
	{ 0 },
};

#define WINDOWS(path)                                                                              \
	{ path "[]", SHAPE_LIST, "[\"09:00\",\"18:00\"]", 2, 2 },                                  \
	{                                                                                          \
		path "[][]", SHAPE_WORD, "\"09:00\"", 0, 0, NULL, is_time, TIME_WORDS              \
	}
#define DATES(path)                                                                                \
	{ path, SHAPE_OBJECT, DAYS },                                                              \
		{ path ".*", SHAPE_LIST, "[[\"09:00\",\"18:00\"]]", 0, 16, NULL, is_date,          \
			DATE_WORDS },                                                              \
		WINDOWS(path ".*")
const struct shape calendar_shape[] = {
	{ "", SHAPE_OBJECT,
		"{\"tz\":\"Asia/Shanghai\",\"hours\":{\"mon\":[[\"09:00\",\"18:00\"]]}}" },
	{ "tz", SHAPE_WORD, "\"Asia/Shanghai\"", 0, 0, NULL, is_text,
		"tz must be an IANA zone name", "tz 应为 IANA 时区名", .required = true },
	{ "hours", SHAPE_OBJECT, "{\"mon\":[[\"09:00\",\"12:00\"],[\"13:00\",\"18:00\"]]}",
		.required = true },
	{ "hours.*", SHAPE_LIST, "[[\"09:00\",\"18:00\"]]", 0, 16, NULL, is_weekday,
		"not a weekday (mon..sun)", "不是星期（mon..sun）" },
	WINDOWS("hours.*"),
	{ "holidays", SHAPE_LIST, "[\"2026-10-01\"]", 0, 10000 },
	{ "holidays[]", SHAPE_WORD, "\"2026-10-01\"", 0, 0, NULL, is_date, DATE_WORDS },
	DATES("overrides"),
	DATES("breaks"),
	{ 0 },
};

/* --- what the readers find: "policy: KEY: RULE", "calendar: RULE: WHERE" --- */

static const struct {
	const char *en, *zh;
} rules[] = {
	{ "an object of priorities, at least one", "应为优先级对象，至少一个" },
	{ "has the same target in sla_targets and priorities",
		"在 sla_targets 与 priorities 中重复给出同一目标" },
	{ "must hold \"100\"", "必须包含 \"100\"" },
	{ "each is one of the policy's thresholds", "每项应为本策略的阈值之一" },
	{ "a priority comes twice", "同一优先级出现两次" },
	{ "a threshold comes twice", "同一阈值出现两次" },
	{ "at most 16 pieces a day are left by breaks", "扣除休息后每天最多剩 16 段" },
	{ "no window opens within 400 days", "400 天内没有任何工作时段" },
	{ "a window must open before it closes", "时段的开始必须早于结束" },
	{ "windows must be sorted and disjoint", "时段必须按序且不重叠" },
	{ "tz must be an IANA zone name", "tz 应为 IANA 时区名" },
};

/* The rule at PATH, a member of the document or of one of its members. */
static bool refuse(
	struct shape_fault *fault, const struct shape *rows, const char *path, const char *rule)
{
	const char *zh = rule;
	char row[80];
	size_t n = strcspn(path, ".");

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (strcmp(rule, rules[i].en) == 0)
			zh = rules[i].zh;
	*fault = (struct shape_fault){ .example = rows->example };
	utf8_format(fault->field, sizeof(fault->field), "document.%s", path);
	utf8_format(fault->en, sizeof(fault->en), "%s: %s", path, rule);
	utf8_format(fault->zh, sizeof(fault->zh), "%s：%s", path, zh);
	utf8_format(row, sizeof(row), "%.*s%s", (int)n, path, path[n] ? ".*" : "");
	for (; rows->path; rows++)
		if (strcmp(rows->path, row) == 0)
			fault->example = rows->example;
	return false;
}

bool policy_is_valid(struct json_object *doc, int *out_format, struct shape_fault *fault)
{
	struct sla_policy policy;
	const char *error = "", *key, *rule, *twice = "";
	char path[80];

	if (!shape_fits(policy_shape, doc, out_format, fault))
		return false;
	if (!policy_take_targets(doc, &twice)) {
		utf8_format(path, sizeof(path), "sla_targets.%s", twice);
		return refuse(fault, policy_shape, path,
			"has the same target in sla_targets and priorities");
	}
	if (sla_policy_read(doc, &policy, &error) && sla_policy_is_exact(doc, &error))
		return true;
	key = strchr(error, ' ') + 1;
	rule = strstr(key, ": ");
	utf8_format(path, sizeof(path), "%.*s", (int)(rule - key), key);
	if (is_priority(str_of(path))) { /* one of two names of a priority */
		char name[40];

		utf8_format(name, sizeof(name), "%s", path);
		utf8_format(path, sizeof(path), "priorities.%s", name);
	}
	return refuse(fault, policy_shape, path, rule + 2);
}

bool calendar_is_valid(
	struct json_object *doc, zone_finder *find, int64_t now_us, struct shape_fault *fault)
{
	const char *error = "", *parent = "overrides";
	struct calendar *c;
	char rule[160], path[80];
	int format;
	char *where;
	bool ok;

	if (!shape_fits(calendar_shape, doc, &format, fault))
		return false;
	c = calendar_read(doc, find, &error);
	ok = c && calendar_is_usable(c, now_us, &error);
	calendar_free(c);
	if (ok)
		return true;
	utf8_format(rule, sizeof(rule), "%s", strchr(error, ' ') + 1);
	where = strstr(rule, ": ");
	if (where) {
		*where = 0;
		where += 2;
	}
	if (strncmp(rule, "tz ", 3) == 0)
		return refuse(fault, calendar_shape, "tz", rule);
	if (!where)
		return refuse(fault, calendar_shape, "hours", rule);
	if (is_weekday(str_of(where)))
		parent = "hours";
	else if (json_get(json_get(doc, "breaks"), where) && strstr(rule, "pieces"))
		parent = "breaks";
	else if (!json_get(json_get(doc, "overrides"), where))
		parent = "breaks";
	utf8_format(path, sizeof(path), "%s.%s", parent, where);
	return refuse(fault, calendar_shape, path, rule);
}

bool calendar_adds_future(struct json_object *old, struct json_object *new, int64_t now_us)
{
	char today[32];

	time_format(now_us + 14 * 3600 * US_PER_S, 0, today);
	today[10] = 0;
	return calendar_only_adds(old, new, today);
}
