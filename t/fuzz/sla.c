/* SPDX-License-Identifier: Apache-2.0
 * Calendars, policies and calc lines from any bytes, and a property of every calendar: adding and
 * counting are inverse. */
#include "base/json.h"
#include "sla/calc.h"
#include "sla/policy.h"
#include "../unit/zones.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct sla_policy policy;
	struct json_error err;
	struct json_object *o = json_read((const char *)data, n, &err);
	const char *error;
	struct buf out = { 0 };

	sla_calc_line((const char *)data, n, test_zone, &out);
	bug_on(!json_scan(out.p, out.n, &err));
	buf_free(&out);
	if (o) {
		struct calendar *c = calendar_read(o, test_zone, &error);
		int64_t at, start = 1760000000000000LL;

		if (c && calendar_add(c, start, 7200 * US_PER_S, &at))
			bug_on(calendar_between(c, start, at) != 7200 * US_PER_S);
		calendar_free(c);
		sla_policy_read(o, &policy, &error);
	}
	json_object_put(o);
	return 0;
}
