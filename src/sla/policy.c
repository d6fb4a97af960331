/* SPDX-License-Identifier: Apache-2.0
 * Reading a policy document. Every key is checked; an unknown one is refused by name. */
#include "sla/policy.h"
#include "base/json.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

static _Thread_local char error_text[160];
static const char *const clock_names[] = { "response", "resolution", "update", "ladder", "aws" };

const char *sla_clock_name(enum sla_clock_kind k)
{
	bug_on(k >= SLA_CLOCKS);
	return clock_names[k];
}

enum sla_clock_kind sla_clock_parse(struct str s)
{
	for (int i = 0; i < SLA_CLOCKS; i++)
		if (str_is(s, clock_names[i]))
			return (enum sla_clock_kind)i;
	return SLA_CLOCKS;
}

static bool refuse_policy(const char **out_error, const char *key, const char *rule)
{
	utf8_format(error_text, sizeof(error_text), "policy: %s: %s", key, rule);
	*out_error = error_text;
	return false;
}

static bool read_seconds(
	struct json_object *o, const char *key, int32_t *out, const char **out_error)
{
	struct json_object *v = json_get(o, key);
	int64_t s = v ? json_get_int(o, key, -1) : 0;

	if (s < 0 || s > 400 * 86400)
		return refuse_policy(out_error, key, "whole seconds, 0 to 400 days");
	*out = (int32_t)s;
	return true;
}

/* How often an AWS case is looked at, unless the policy says it: every ten minutes for P0 and P1;
 * else as often as the customer is owed an update, or once a day. */
static int32_t usual_aws_s(enum priority p, const struct sla_budget *b)
{
	if (p == P0 || p == P1)
		return 600;
	return b->update_s ? b->update_s : 86400;
}

static bool read_budgets(struct json_object *doc, struct sla_policy *out, const char **out_error)
{
	struct json_object *all = json_get(doc, "priorities");

	if (!json_object_is_type(all, json_type_object) || json_object_object_length(all) == 0)
		return refuse_policy(
			out_error, "priorities", "an object of priorities, at least one");
	json_object_object_foreach(all, name, o)
	{
		enum priority p = priority_parse(str_of(name));
		struct sla_budget *b = p == PRIORITY_NONE ? NULL : &out->budget[p];
		struct json_object *ladder = json_get(o, "ladder_s");

		if (!b)
			return refuse_policy(out_error, name, "P0 to P4, or critical to general");
		if (!read_seconds(o, "response_s", &b->response_s, out_error) ||
			!read_seconds(o, "resolution_s", &b->resolution_s, out_error) ||
			!read_seconds(o, "update_s", &b->update_s, out_error) ||
			!read_seconds(o, "report_s", &b->report_s, out_error) ||
			!read_seconds(o, "aws_s", &b->aws_s, out_error))
			return false;
		if (!json_get(o, "aws_s"))
			b->aws_s = usual_aws_s(p, b);
		for (size_t i = 0; ladder && i < SLA_LADDER_STEPS; i++) {
			struct json_object *step = json_object_is_type(ladder, json_type_array)
							   ? json_object_array_get_idx(ladder, i)
							   : NULL;

			if (!json_object_is_type(step, json_type_int) ||
				json_object_get_int64(step) < 1)
				return refuse_policy(
					out_error, "ladder_s", "three waits in seconds");
			b->ladder_s[i] = json_object_get_int(step);
		}
		out->has[p] = true;
	}
	return true;
}

/* "80" is a percentage, "-30m" a lead in minutes. */
static bool read_threshold(struct str s, struct sla_threshold *t)
{
	int64_t v;

	if (s.n >= sizeof(t->key))
		return false;
	*t = (struct sla_threshold){ 0 };
	memcpy(t->key, s.p, s.n);
	if (s.n > 2 && s.p[0] == '-' && s.p[s.n - 1] == 'm' &&
		str_to_int((struct str){ s.p + 1, s.n - 2 }, 1, 100000, &v))
		t->lead_s = (int32_t)v * 60;
	else if (str_to_int(s, 1, 100, &v))
		t->percent = (int32_t)v;
	return t->percent || t->lead_s;
}

static bool read_thresholds(struct json_object *doc, struct sla_policy *out, const char **out_error)
{
	struct json_object *list = json_get(doc, "thresholds");
	bool has_due = false;

	if (!json_object_is_type(list, json_type_array) ||
		json_object_array_length(list) > SLA_THRESHOLDS_MAX)
		return refuse_policy(out_error, "thresholds",
			"a list of at most 8, such as [\"80\",\"-30m\",\"100\"]");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		if (!json_object_is_type(v, json_type_string) ||
			!read_threshold(json_str(v), &out->threshold[i]))
			return refuse_policy(out_error, "thresholds",
				"each is a percentage (\"80\") or a lead (\"-30m\")");
		has_due |= out->threshold[i].percent == 100;
		out->thresholds++;
	}
	return has_due || refuse_policy(out_error, "thresholds", "must hold \"100\"");
}

static struct sla_threshold *find_threshold(struct sla_policy *p, struct str key)
{
	for (int i = 0; i < p->thresholds; i++)
		if (str_is(key, p->threshold[i].key))
			return &p->threshold[i];
	return NULL;
}

/* The thresholds that raise the level: "escalate_at", by default 90 % where the policy has it. */
static bool read_escalations(
	struct json_object *doc, struct sla_policy *out, const char **out_error)
{
	struct json_object *list = json_get(doc, "escalate_at");
	struct sla_threshold *usual = find_threshold(out, STR("90"));

	if (!list) {
		if (usual)
			usual->escalates = true;
		return true;
	}
	if (!json_object_is_type(list, json_type_array))
		return refuse_policy(out_error, "escalate_at",
			"a list of thresholds of this policy, such as [\"90\"]");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		struct sla_threshold *t = json_object_is_type(v, json_type_string)
						  ? find_threshold(out, json_str(v))
						  : NULL;

		if (!t)
			return refuse_policy(
				out_error, "escalate_at", "each is one of the policy's thresholds");
		t->escalates = true;
	}
	return true;
}

static bool read_pauses(struct json_object *doc, struct sla_policy *out, const char **out_error)
{
	struct json_object *all = json_get(doc, "pauses");

	for (int k = 0; k < SLA_CLOCKS; k++) {
		struct json_object *list = json_get(
			all, k == SLA_LADDER || k == SLA_UPDATE ? "resolution" : clock_names[k]);

		if (k == SLA_UPDATE && json_get(all, "update"))
			list = json_get(all, "update");
		if (k == SLA_AWS)
			continue; /* it runs in one state only */
		if (!list) {
			out->pauses[k] = k == SLA_RESPONSE ? 0
							   : 1u << TICKET_PENDING_CUSTOMER |
								     1u << TICKET_SCHEDULED;
			if (k != SLA_RESPONSE && out->resolution_until == SLA_UNTIL_CLOSED)
				out->pauses[k] |= 1u << TICKET_RESOLVED;
			continue;
		}
		if (!json_object_is_type(list, json_type_array))
			return refuse_policy(
				out_error, "pauses", "lists of ticket states by clock");
		out->pauses[k] = 0;
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			struct json_object *v = json_object_array_get_idx(list, i);
			enum ticket_state s = json_object_is_type(v, json_type_string)
						      ? ticket_state_parse(json_str(v))
						      : TICKET_STATE_COUNT;

			if (s == TICKET_STATE_COUNT)
				return refuse_policy(out_error, "pauses", "unknown ticket state");
			out->pauses[k] |= 1u << s;
		}
	}
	return true;
}

static bool read_choice(struct json_object *doc, const char *key, const char *const *names,
	int *out, const char **out_error)
{
	const char *v = json_get_string(doc, key);

	if (!json_get(doc, key))
		return true;
	for (int i = 0; v && names[i]; i++)
		if (strcmp(v, names[i]) == 0) {
			*out = i;
			return true;
		}
	return refuse_policy(out_error, key, "not one of the values it can have");
}

static bool read_matrix(struct json_object *doc, struct sla_policy *out, const char **out_error)
{
	struct json_object *rows = json_get(doc, "matrix");

	memset(out->matrix, PRIORITY_NONE, sizeof(out->matrix));
	if (!rows)
		return true;
	if (!json_object_is_type(rows, json_type_array) || json_object_array_length(rows) > 5)
		return refuse_policy(out_error, "matrix",
			"a list (impact 1..) of lists (urgency 1..) of priorities");
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (!json_object_is_type(row, json_type_array) || json_object_array_length(row) > 5)
			return refuse_policy(
				out_error, "matrix", "each row is a list of at most 5 priorities");
		for (size_t u = 0; u < json_object_array_length(row); u++) {
			struct json_object *v = json_object_array_get_idx(row, u);
			enum priority p = json_object_is_type(v, json_type_string)
						  ? priority_parse(json_str(v))
						  : PRIORITY_NONE;

			if (p == PRIORITY_NONE)
				return refuse_policy(
					out_error, "matrix", "priorities are P0 to P4");
			out->matrix[i][u] = (int8_t)p;
		}
	}
	out->has_matrix = true;
	return true;
}

/* The code of a calendar, if there is one. The caller checks that it exists. */
static bool read_code(struct json_object *doc, const char *key, const char **out_error)
{
	struct json_object *v;
	size_t n;

	if (!json_object_object_get_ex(doc, key, &v))
		return true;
	n = json_object_is_type(v, json_type_string)
		    ? strspn(json_object_get_string(v), "abcdefghijklmnopqrstuvwxyz0123456789-")
		    : 0;
	if (n == 0 || n > 63 || n != (size_t)json_object_get_string_len(v))
		return refuse_policy(out_error, key, "must be the code of a calendar");
	return true;
}

/* The calendar of P2's ladder; by default cn-business (doc/sla.md). Which version of it is fixed
 * when the policy's version is saved. */
static bool read_ladder(struct json_object *doc, const char **out_error)
{
	struct json_object *ladder;

	if (!json_object_object_get_ex(doc, "ladder", &ladder))
		return true;
	if (!json_object_is_type(ladder, json_type_object))
		return refuse_policy(
			out_error, "ladder", "an object, such as {\"calendar\":\"cn-business\"}");
	return read_code(ladder, "calendar", out_error);
}

bool sla_policy_read(struct json_object *doc, struct sla_policy *out, const char **out_error)
{
	static const char *const known[] = { "priorities", "thresholds", "pauses",
		"resolution_from", "resolution_until", "reopen_hours", "upgrade_reckons", "breach",
		"autoclose_days", "matrix", "calendar", "report_from", "delivery_hours",
		"escalate_at", "ladder", "notifications" };
	static const char *const froms[] = { "confirmed", "created", NULL },
				 *const untils[] = { "mitigated", "resolved", "closed", NULL },
				 *const breaches[] = { "for_good", "by_last_priority", NULL };
	static const char *const reckons[] = { "opening", "change", NULL }, *const reports[] = {
		"opened", "resolved", NULL
	};
	int from = 0, until = 0, change = 0, breach = 0, report = 0;
	int64_t hours = json_get_int(doc, "reopen_hours", 72),
		days = json_get_int(doc, "autoclose_days", 5);

	*out = (struct sla_policy){ 0 };
	if (!json_object_is_type(doc, json_type_object))
		return refuse_policy(out_error, "document", "must be an object");
	json_object_object_foreach(doc, key, val)
	{
		bool ok = false;

		(void)val;
		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			ok |= strcmp(key, known[i]) == 0;
		if (!ok)
			return refuse_policy(out_error, key, "unknown key");
	}
	if (!read_choice(doc, "resolution_from", froms, &from, out_error) ||
		!read_choice(doc, "resolution_until", untils, &until, out_error) ||
		!read_choice(doc, "upgrade_reckons", reckons, &change, out_error) ||
		!read_choice(doc, "breach", breaches, &breach, out_error) ||
		!read_choice(doc, "report_from", reports, &report, out_error))
		return false;
	out->resolution_from = (enum sla_resolution_from)from;
	out->resolution_until = (enum sla_resolution_until)until;
	out->upgrade_reckons_from_change = change;
	out->breach_follows_priority = breach;
	out->report_from_resolved = report;
	if (hours < 0 || hours > 10000 || days < 0 || days > 365)
		return refuse_policy(out_error, "reopen_hours, autoclose_days",
			"0 to 10000 hours, 0 to 365 days");
	if (!read_code(doc, "delivery_hours", out_error) || !read_ladder(doc, out_error))
		return false;
	out->reopen_window_us = hours * 3600 * US_PER_S;
	out->autoclose_days = (int32_t)days;
	return read_budgets(doc, out, out_error) && read_thresholds(doc, out, out_error) &&
	       read_escalations(doc, out, out_error) && read_pauses(doc, out, out_error) &&
	       read_matrix(doc, out, out_error);
}

enum priority sla_policy_nearest(const struct sla_policy *p, enum priority want)
{
	for (int i = want; i >= P0; i--)
		if (p->has[i])
			return (enum priority)i;
	for (int i = want; i < PRIORITY_COUNT; i++)
		if (p->has[i])
			return (enum priority)i;
	return PRIORITY_NONE;
}
