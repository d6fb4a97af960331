/* SPDX-License-Identifier: Apache-2.0
 * Policy documents: the meaning of each key, and the refusal of invalid documents. */
#include "base/clock.h"
#include "base/json.h"
#include "sla/policy.h"
#include "unit.h"

#include <string.h>

static struct sla_policy policy;

/* NULL: accepted. */
static const char *refused(const char *text)
{
	struct json_error err;
	struct json_object *o = json_read(text, strlen(text), &err);
	const char *error = NULL;

	CU_ASSERT_PTR_NOT_NULL(o);
	if (sla_policy_read(o, &policy, &error))
		error = NULL;
	else
		CU_ASSERT_PTR_NOT_NULL(error);
	json_object_put(o);
	return error;
}

#define PRIORITIES "\"priorities\":{\"P1\":{\"response_s\":60,\"resolution_s\":600}}"
#define DUE "\"thresholds\":[\"100\"]"
#define DOC(more) "{" PRIORITIES "," DUE more "}"

static void defaults(void)
{
	CU_ASSERT_PTR_NULL(refused(DOC("")));
	CU_ASSERT_TRUE(policy.has[P1] && !policy.has[P0]);
	CU_ASSERT_EQUAL(policy.budget[P1].response_s, 60);
	CU_ASSERT_EQUAL(policy.budget[P1].update_s, 0);
	CU_ASSERT_EQUAL(policy.reopen_window_us, 72 * 3600 * US_PER_S);
	CU_ASSERT_EQUAL(policy.autoclose_days, 5);
	CU_ASSERT_EQUAL(policy.resolution_from, SLA_FROM_CONFIRMED);
	CU_ASSERT_EQUAL(policy.resolution_until, SLA_UNTIL_MITIGATED);
	CU_ASSERT_EQUAL(policy.pauses[SLA_RESPONSE], 0);
	CU_ASSERT_EQUAL(policy.pauses[SLA_RESOLUTION],
		1u << TICKET_PENDING_CUSTOMER | 1u << TICKET_SCHEDULED);
	CU_ASSERT_EQUAL(policy.pauses[SLA_LADDER], policy.pauses[SLA_RESOLUTION]);
	CU_ASSERT_FALSE(policy.has_matrix);
}

static void everything(void)
{
	CU_ASSERT_PTR_NULL(refused(
		"{\"priorities\":{\"critical\":{\"response_s\":1,\"resolution_s\":34560000,"
		"\"update_s\":3,\"report_s\":4,\"ladder_s\":[5,6,7]},\"低\":{}},"
		"\"thresholds\":[\"80\",\"-30m\",\"100\"],"
		"\"pauses\":{\"response\":[\"pending_aws\"],\"resolution\":[\"scheduled\"],"
		"\"update\":[]},\"resolution_from\":\"created\",\"resolution_until\":\"closed\","
		"\"upgrade_reckons\":\"change\",\"breach\":\"by_last_priority\",\"reopen_hours\":0,"
		"\"autoclose_days\":365,\"matrix\":[[\"P0\",\"P1\"],[\"P2\"]],"
		"\"delivery_hours\":\"cn-business\",\"calendar\":\"x\",\"report_from\":"
		"\"opened\"}"));
	CU_ASSERT_TRUE(policy.has[P0] && policy.has[P3]);
	CU_ASSERT_EQUAL(policy.budget[P0].ladder_s[2], 7);
	CU_ASSERT_EQUAL(policy.budget[P0].report_s, 4);
	CU_ASSERT_EQUAL(policy.thresholds, 3);
	CU_ASSERT_EQUAL(policy.threshold[1].lead_s, 1800);
	CU_ASSERT_STRING_EQUAL(policy.threshold[1].key, "-30m");
	CU_ASSERT_EQUAL(policy.pauses[SLA_RESPONSE], 1u << TICKET_PENDING_AWS);
	CU_ASSERT_EQUAL(policy.pauses[SLA_RESOLUTION], 1u << TICKET_SCHEDULED);
	CU_ASSERT_EQUAL(policy.pauses[SLA_UPDATE], 0);
	CU_ASSERT_TRUE(policy.resolution_from == SLA_FROM_CREATED &&
		       policy.resolution_until == SLA_UNTIL_CLOSED &&
		       policy.upgrade_reckons_from_change && policy.breach_follows_priority);
	CU_ASSERT_EQUAL(policy.reopen_window_us, 0);
	CU_ASSERT_TRUE(policy.has_matrix && policy.matrix[0][1] == P1 &&
		       policy.matrix[1][1] == PRIORITY_NONE &&
		       policy.matrix[4][4] == PRIORITY_NONE);
	/* until closed, a resolved ticket pauses unless the document says otherwise */
	CU_ASSERT_PTR_NULL(refused(DOC(",\"resolution_until\":\"closed\"")));
	CU_ASSERT_TRUE(policy.pauses[SLA_RESOLUTION] >> TICKET_RESOLVED & 1);
	CU_ASSERT_FALSE(policy.pauses[SLA_RESPONSE] >> TICKET_RESOLVED & 1);
}

static void refusals(void)
{
	static const struct {
		const char *doc, *names;
	} bad[] = {
		{ "[]", "document" },
		{ "{" DUE "}", "priorities" },
		{ "{\"priorities\":{}," DUE "}", "priorities" },
		{ "{\"priorities\":{\"P5\":{}}," DUE "}", "P5" },
		{ "{\"priorities\":{\"P0\":{\"response_s\":-1}}," DUE "}", "response_s" },
		{ "{\"priorities\":{\"P0\":{\"resolution_s\":34560001}}," DUE "}", "resolution_s" },
		{ "{\"priorities\":{\"P0\":{\"update_s\":\"60\"}}," DUE "}", "update_s" },
		{ "{\"priorities\":{\"P0\":{\"report_s\":1.5}}," DUE "}", "report_s" },
		{ "{\"priorities\":{\"P0\":{\"ladder_s\":[1,2]}}," DUE "}", "ladder_s" },
		{ "{\"priorities\":{\"P0\":{\"ladder_s\":[1,0,2]}}," DUE "}", "ladder_s" },
		{ "{\"priorities\":{\"P0\":{\"ladder_s\":5}}," DUE "}", "ladder_s" },
		{ "{" PRIORITIES "}", "thresholds" },
		{ "{" PRIORITIES ",\"thresholds\":[\"80\"]}", "thresholds" },
		{ "{" PRIORITIES ",\"thresholds\":[\"0\",\"100\"]}", "thresholds" },
		{ "{" PRIORITIES ",\"thresholds\":[\"101\",\"100\"]}", "thresholds" },
		{ "{" PRIORITIES ",\"thresholds\":[\"-0m\",\"100\"]}", "thresholds" },
		{ "{" PRIORITIES ",\"thresholds\":[80,\"100\"]}", "thresholds" },
		{ "{" PRIORITIES ",\"thresholds\":[\"-1000000m\",\"100\"]}", "thresholds" },
		{ "{" PRIORITIES
		  ",\"thresholds\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"100\"]}",
			"thresholds" },
		{ DOC(",\"pauses\":{\"resolution\":\"scheduled\"}"), "pauses" },
		{ DOC(",\"pauses\":{\"response\":[\"sleeping\"]}"), "pauses" },
		{ DOC(",\"resolution_from\":\"never\""), "resolution_from" },
		{ DOC(",\"resolution_until\":5"), "resolution_until" },
		{ DOC(",\"upgrade_reckons\":\"\""), "upgrade_reckons" },
		{ DOC(",\"breach\":\"x\""), "breach" },
		{ DOC(",\"reopen_hours\":10001"), "reopen_hours" },
		{ DOC(",\"autoclose_days\":-1"), "autoclose_days" },
		{ DOC(",\"matrix\":{}"), "matrix" },
		{ DOC(",\"matrix\":[[\"P9\"]]"), "matrix" },
		{ DOC(",\"matrix\":[[],[],[],[],[],[]]"), "matrix" },
		{ DOC(",\"report_from\":\"banana\""), "report_from" },
		{ DOC(",\"escalate_at\":\"90\""), "escalate_at" },
		{ DOC(",\"escalate_at\":[90]"), "escalate_at" },
		{ DOC(",\"escalate_at\":[\"91\"]"), "escalate_at" },
		{ DOC(",\"delivery_hours\":\"No Code\""), "delivery_hours" },
		{ DOC(",\"delivery_hours\":\"\""), "delivery_hours" },
		{ DOC(",\"delivery_hours\":null"), "delivery_hours" },
		{ DOC(",\"thresholdz\":[]"), "thresholdz" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *why = refused(bad[i].doc);

		CU_ASSERT_PTR_NOT_NULL(why);
		if (why && !strstr(why, bad[i].names))
			CU_FAIL(bad[i].doc);
	}
}

static void escalations(void)
{
#define WITH_90 "{\"priorities\":{\"P1\":{}},\"thresholds\":[\"80\",\"90\",\"100\"]"
	CU_ASSERT_PTR_NULL(refused(WITH_90 "}"));
	for (int i = 0; i < policy.thresholds; i++) /* by default 90 % alone */
		CU_ASSERT_EQUAL(policy.threshold[i].escalates, policy.threshold[i].percent == 90);
	CU_ASSERT_PTR_NULL(
		refused(WITH_90 ",\"escalate_at\":[\"80\",\"100\"],\"report_from\":\"resolved\"}"));
	CU_ASSERT_TRUE(policy.threshold[0].escalates && policy.threshold[2].escalates);
	CU_ASSERT_FALSE(policy.threshold[1].escalates);
	CU_ASSERT_TRUE(policy.report_from_resolved);
	CU_ASSERT_PTR_NULL(refused(WITH_90 ",\"escalate_at\":[],\"report_from\":\"opened\"}"));
	for (int i = 0; i < policy.thresholds; i++)
		CU_ASSERT_FALSE(policy.threshold[i].escalates);
	CU_ASSERT_FALSE(policy.report_from_resolved);
}

static void nearest(void)
{
	CU_ASSERT_PTR_NULL(refused("{\"priorities\":{\"P1\":{},\"P3\":{}}," DUE "}"));
	CU_ASSERT_EQUAL(sla_policy_nearest(&policy, P1), P1);
	CU_ASSERT_EQUAL(sla_policy_nearest(&policy, P2), P1); /* the more urgent neighbour */
	CU_ASSERT_EQUAL(sla_policy_nearest(&policy, P4), P3);
	CU_ASSERT_EQUAL(sla_policy_nearest(&policy, P0), P1); /* no more urgent one exists */
	policy.has[P1] = policy.has[P3] = false;
	CU_ASSERT_EQUAL(sla_policy_nearest(&policy, P2), PRIORITY_NONE);
}

static void names(void)
{
	for (int k = 0; k < SLA_CLOCKS; k++)
		CU_ASSERT_EQUAL(sla_clock_parse(str_of(sla_clock_name((enum sla_clock_kind)k))), k);
	CU_ASSERT_EQUAL(sla_clock_parse(STR("")), SLA_CLOCKS);
	CU_ASSERT_EQUAL(sla_clock_parse(STR("Response")), SLA_CLOCKS);
}

UNIT_MAIN("policy", { "absent keys", defaults }, { "every key", everything },
	{ "refusals by name", refusals }, { "escalations", escalations },
	{ "the nearest priority", nearest }, { "clocks by name", names })
