/* SPDX-License-Identifier: Apache-2.0
 * What a policy must keep in addition to be saved. sla_policy_read accepts documents of earlier
 * versions, and ignores what it does not know; a new document must not contain anything that would
 * be ignored. */
#include "base/json.h"
#include "sla/policy.h"

#include <stdio.h>

#define WAIT_MAX_S (400LL * 86400)

static _Thread_local char error_text[160];

static bool refuse(const char **out_error, const char *key, const char *rule)
{
	utf8_format(error_text, sizeof(error_text), "policy: %s: %s", key, rule);
	*out_error = error_text;
	return false;
}

/* Are all keys of O among KNOWN (ends with NULL)? */
static bool keys_are_known(struct json_object *o, const char *const *known, const char **out_error)
{
	json_object_object_foreach(o, key, val)
	{
		bool ok = false;

		(void)val;
		for (size_t i = 0; known[i]; i++)
			ok |= strcmp(key, known[i]) == 0;
		if (!ok)
			return refuse(out_error, key, "unknown key");
	}
	return true;
}

static bool ladder_is_exact(struct json_object *ladder, const char **out_error)
{
	size_t n = ladder ? json_object_array_length(ladder) : 0;

	for (size_t i = 0; i < n; i++)
		if (json_object_get_int64(json_object_array_get_idx(ladder, i)) > WAIT_MAX_S)
			n = 0;
	return !ladder || n == SLA_LADDER_STEPS ||
	       refuse(out_error, "ladder_s", "three waits of 1 s to 400 days");
}

static bool budgets_are_exact(struct json_object *all, const char **out_error)
{
	static const char *const known[] = { "response_s", "resolution_s", "update_s", "report_s",
		"ladder_s", "aws_s", NULL };
	bool seen[PRIORITY_COUNT] = { 0 };

	json_object_object_foreach(all, name, budget)
	{
		enum priority p = priority_parse(str_of(name));

		if (!json_object_is_type(budget, json_type_object))
			return refuse(out_error, name, "must be an object");
		if (p != PRIORITY_NONE && seen[p])
			return refuse(out_error, name, "a priority comes twice");
		if (p != PRIORITY_NONE)
			seen[p] = true;
		if (!keys_are_known(budget, known, out_error) ||
			!ladder_is_exact(json_get(budget, "ladder_s"), out_error))
			return false;
	}
	return true;
}

static bool thresholds_are_exact(struct json_object *list, const char **out_error)
{
	size_t n = json_object_array_length(list);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (json_object_equal(json_object_array_get_idx(list, i),
				    json_object_array_get_idx(list, k)))
				return refuse(out_error, "thresholds", "a threshold comes twice");
	return true;
}

bool sla_policy_is_exact(struct json_object *doc, const char **out_error)
{
	static const char *const clocks[] = { "response", "resolution", "update", NULL },
				 *const numbers[] = { "reopen_hours", "autoclose_days" };
	static const char *const of_ladder[] = { "calendar", NULL };
	struct json_object *pauses = json_get(doc, "pauses"), *ladder = json_get(doc, "ladder");

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct json_object *v;

		if (json_object_object_get_ex(doc, numbers[i], &v) &&
			!json_object_is_type(v, json_type_int))
			return refuse(out_error, numbers[i], "a whole number");
	}
	if (pauses && !json_object_is_type(pauses, json_type_object))
		return refuse(out_error, "pauses", "an object of response, resolution, update");
	return (!ladder || keys_are_known(ladder, of_ladder, out_error)) &&
	       (!pauses || keys_are_known(pauses, clocks, out_error)) &&
	       budgets_are_exact(json_get(doc, "priorities"), out_error) &&
	       thresholds_are_exact(json_get(doc, "thresholds"), out_error);
}
