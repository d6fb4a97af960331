/* SPDX-License-Identifier: Apache-2.0
 * Reading a message of a source system: the union of the two field lists, each field checked. */
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "sync.h"

#include <stdlib.h>

#define FUTURE_MAX_US                                                                              \
	(300 * US_PER_S) /* a message with a time further in the future would shut out the         \
			    following ones */

static const struct {
	const char *word;
	enum ticket_state state;
} words[] = {
	{ "open", TICKET_NEW },
	{ "created", TICKET_NEW },
	{ "assigned", TICKET_ACCEPTED },
	{ "acknowledged", TICKET_ACCEPTED },
	{ "processing", TICKET_IN_PROGRESS },
	{ "reopened", TICKET_IN_PROGRESS },
	{ "pending", TICKET_PENDING_CUSTOMER },
	{ "waiting", TICKET_PENDING_CUSTOMER },
	{ "on_hold", TICKET_PENDING_CUSTOMER },
	{ "completed", TICKET_RESOLVED },
	{ "待处理", TICKET_NEW },
	{ "已受理", TICKET_ACCEPTED },
	{ "处理中", TICKET_IN_PROGRESS },
	{ "等待客户", TICKET_PENDING_CUSTOMER },
	{ "已解决", TICKET_RESOLVED },
	{ "已关闭", TICKET_CLOSED },
	{ "已取消", TICKET_CANCELLED },
};

static enum ticket_state read_state(struct str s)
{
	enum ticket_state state = ticket_state_parse(s);

	for (size_t i = 0; state == TICKET_STATE_COUNT && i < ARRAY_LEN(words); i++)
		if (str_case_is(s, words[i].word))
			state = words[i].state;
	return state == TICKET_SCHEDULED || state == TICKET_MITIGATED ||
			       state == TICKET_MONITORING || state == TICKET_MERGED
		       ? TICKET_STATE_COUNT
		       : state;
}

static bool fault(struct sync_item *item, const char *field, const char *en, const char *zh)
{
	item->fault = (struct sync_fault){ field, en, zh };
	return false;
}

/* A string member; it may be absent or null. Numbers are accepted as text where an id is
 * expected. */
static bool read_text(
	struct sync_item *item, struct json_object *m, const char *key, int64_t max, char **out)
{
	struct json_object *v = json_get(m, key);

	if (!v)
		return true;
	if (json_object_is_type(v, json_type_int) && strcmp(key, "ticket_id") == 0) {
		*out = xasprintf("%lld", (long long)json_object_get_int64(v));
		return true;
	}
	if (!json_object_is_type(v, json_type_string))
		return fault(item, key, "a string", "应为字符串");
	if (text_is_blank(json_str(v)) || (int64_t)utf8_length(json_str(v).p, json_str(v).n) > max)
		return fault(item, key,
			"must not be empty, only blanks, or longer than its limit (ids 100, "
			"event_id 200, title "
			"200)",
			"不能为空或只有空白，也不能超过长度上限（编号 100、event_id 200、标题 "
			"200）");
	*out = xstrndup(json_str(v).p, json_str(v).n);
	return true;
}

static bool read_time(struct sync_item *item, struct json_object *m, const char *key, int64_t *out)
{
	struct json_object *v = json_get(m, key);

	if (!v)
		return true;
	if (!json_object_is_type(v, json_type_string) || !time_read(json_str(v), out))
		return fault(item, key, TIME_RULE_EN, TIME_RULE_ZH);
	if (*out > clock_now_us() + FUTURE_MAX_US)
		return fault(item, key, "not more than 5 minutes in the future",
			"不得晚于当前时间 5 分钟以上");
	return true;
}

static bool read_times(struct sync_item *item, struct json_object *m)
{
	int64_t at = INSTANT_NONE, updated = INSTANT_NONE;

	item->created_at = item->resolved_at = INSTANT_NONE;
	if (!read_time(item, m, "timestamp", &at) || !read_time(item, m, "updated_at", &updated) ||
		!read_time(item, m, "created_at", &item->created_at) ||
		!read_time(item, m, "resolved_at", &item->resolved_at))
		return false;
	item->said_at = at != INSTANT_NONE        ? at
			: updated != INSTANT_NONE ? updated
						  : item->created_at;
	if (item->said_at == INSTANT_NONE)
		return fault(item, "timestamp", "required: a time, or updated_at",
			"必填：时间，或 updated_at");
	if (item->created_at != INSTANT_NONE && item->resolved_at != INSTANT_NONE &&
		item->resolved_at < item->created_at)
		return fault(item, "resolved_at", "not before created_at", "不能早于 created_at");
	return true;
}

static bool read_words(struct sync_item *item, struct json_object *m)
{
	struct json_object *status = json_get(m, "status"), *priority = json_get(m, "priority"),
			   *score = json_get(m, "customer_satisfaction");
	double mark;

	if (status) {
		item->status = json_object_is_type(status, json_type_string)
				       ? read_state(json_str(status))
				       : TICKET_STATE_COUNT;
		if (item->status == TICKET_STATE_COUNT)
			return fault(item, "status",
				"one of new, accepted, in_progress, pending_customer, pending_aws, "
				"resolved, closed, "
				"cancelled",
				"可选 "
				"new、accepted、in_progress、pending_customer、pending_"
				"aws、resolved、closed、"
				"cancelled");
	}
	if (priority) {
		item->priority = json_object_is_type(priority, json_type_string)
					 ? priority_parse(json_str(priority))
					 : PRIORITY_NONE;
		if (item->priority == PRIORITY_NONE)
			return fault(item, "priority",
				"P0 to P4, or critical, high, medium, low, general",
				"P0 到 P4，或紧急、高、中、低、一般");
	}
	if (score) {
		mark = json_object_is_type(score, json_type_int) ||
				       json_object_is_type(score, json_type_double)
			       ? json_object_get_double(score)
			       : 0;
		if (!(mark >= 1 && mark <= 5))
			return fault(item, "customer_satisfaction", "a number from 1 to 5",
				"1 到 5 的数");
		item->score = (int64_t)(mark * 100 + 0.5);
	}
	return true;
}

/* The names in both lists of the product document, and those that a first message may contain. */
static bool names_known(struct sync_item *item, struct json_object *m)
{
	static const char known[] =
		" event_type event_id tenant_id ticket_id status priority assigned_to resolved_at "
		"customer_satisfaction timestamp created_at updated_at title description "
		"service_type token ";

	json_object_object_foreach(m, key, val)
	{
		char *spaced = xasprintf(" %s ", key);
		bool ok = strstr(known, spaced) != NULL;

		(void)val;
		free(spaced);
		if (!ok)
			return fault(item, "message", "unknown field", "含未知字段");
	}
	return true;
}

static bool read_kind(struct sync_item *item, struct json_object *m)
{
	const char *kind = json_get_string(m, "event_type");

	if (json_get(m, "event_type") && (!kind || (strcmp(kind, "ticket_created") != 0 &&
							   strcmp(kind, "ticket_updated") != 0)))
		return fault(item, "event_type", "ticket_created or ticket_updated",
			"ticket_created 或 ticket_updated");
	if (!json_object_is_type(json_get(m, "tenant_id"), json_type_int) ||
		(item->tenant_id = json_get_int(m, "tenant_id", 0)) < 2)
		return fault(item, "tenant_id", "required: a customer's id", "必填：客户租户编号");
	return true;
}

/* A message without an event id is still applied once: ticket, time and content identify it. */
static void name_event(struct sync_item *item, struct json_object *m)
{
	struct buf b = { 0 };
	char hex[65];

	if (item->event_id)
		return;
	json_write(&b, m);
	crypto_sha256_hex(b.p, b.n, hex);
	buf_free(&b);
	item->event_id = xasprintf("sha256:%s", hex);
}

bool sync_item_read(struct json_object *m, struct sync_item *item)
{
	item->status = TICKET_STATE_COUNT;
	item->priority = PRIORITY_NONE;
	if (!json_object_is_type(m, json_type_object))
		return fault(item, "message", "an object", "应为对象");
	if (!names_known(item, m) || !read_kind(item, m) ||
		!read_text(item, m, "ticket_id", 100, &item->external_id) ||
		!read_text(item, m, "event_id", 200, &item->event_id) ||
		!read_text(item, m, "title", 200, &item->title) ||
		!read_text(item, m, "description", 20000, &item->description) ||
		!read_text(item, m, "assigned_to", 100, &item->assignee) ||
		!read_text(item, m, "service_type", 100, &item->service_type) ||
		!read_times(item, m) || !read_words(item, m))
		return false;
	if (!item->external_id)
		return fault(item, "ticket_id", "required", "必填");
	name_event(item, m);
	return true;
}

void sync_item_rename(struct sync_item *item, const char *event_id)
{
	free(item->event_id);
	item->event_id = xstrdup(event_id);
}

void sync_item_clear(struct sync_item *item)
{
	free(item->event_id);
	free(item->external_id);
	free(item->title);
	free(item->description);
	free(item->assignee);
	free(item->service_type);
}
