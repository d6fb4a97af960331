/* SPDX-License-Identifier: Apache-2.0
 * sla_targets, the targets in minutes: {"P1":{"response_time":30,"resolution_time":240}}, and
 * {"response_time":30,…} for all priorities that have none of their own. A policy is kept in
 * seconds alone, so that versions of the program that know no targets can read it. */
#include "base/json.h"
#include "sla/policy.h"
#include "sla/shape.h"

#include <stdio.h>

static const struct {
	const char *minutes, *seconds;
} targets[] = { { "response_time", "response_s" }, { "resolution_time", "resolution_s" },
	{ "update_every", "update_s" } };

/* The member of ALL for a priority, under any of its names. NULL: none. */
static struct json_object *of_priority(struct json_object *all, enum priority p)
{
	if (json_object_is_type(all, json_type_object)) {
		json_object_object_foreach(all, name, v)
		{
			if (priority_parse(str_of(name)) == p)
				return v;
		}
	}
	return NULL;
}

static bool is_flat(struct json_object *all)
{
	for (size_t i = 0; i < ARRAY_LEN(targets); i++)
		if (json_get(all, targets[i].minutes))
			return true;
	return false;
}

/* Write the targets FROM (may be NULL) into BUDGET. False: BUDGET has one of them already, unless
 * FILL: then that one stays. */
static bool add_targets(struct json_object *budget, struct json_object *from, bool fill)
{
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		int64_t minutes = json_get_int(from, targets[i].minutes, -1);
		bool has = json_get(budget, targets[i].seconds);

		if (minutes < 0 || (has && fill))
			continue;
		if (has)
			return false;
		json_object_object_add(
			budget, targets[i].seconds, json_object_new_int64(minutes * 60));
	}
	return true;
}

bool policy_take_targets(struct json_object *doc, const char **out_twice)
{
	struct json_object *all = json_get(doc, "sla_targets"),
			   *budgets = json_get(doc, "priorities");
	bool flat = is_flat(all);

	if (!all)
		return true;
	if (!budgets) {
		budgets = json_object_new_object();
		json_object_object_add(doc, "priorities", budgets);
	}
	for (enum priority p = P0; p < PRIORITY_COUNT; p++) {
		struct json_object *own = of_priority(all, p), *budget = of_priority(budgets, p);

		if (!own && !flat)
			continue;
		if (!budget) {
			budget = json_object_new_object();
			json_object_object_add(budgets, priority_name(p), budget);
		}
		*out_twice = priority_name(p);
		if (!add_targets(budget, own, false) || !add_targets(budget, all, true))
			return false;
	}
	json_object_object_del(doc, "sla_targets");
	return true;
}
