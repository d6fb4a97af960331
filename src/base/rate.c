/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rate.h"

#include <stdio.h>

int64_t rate_of(int64_t part, int64_t all, int64_t whole)
{
	int64_t rounded;

	if (part <= 0)
		return 0;
	if (part >= all)
		return whole;
	rounded = (part * whole + all / 2) / all;
	return rounded < 1 ? 1 : rounded < whole ? rounded : whole - 1;
}

const char *rate_text(int64_t part, int64_t all, char *out)
{
	int64_t r = rate_of(part, all, 10000);

	snprintf(out, 16, "%d.%02d", (int)(r / 100), (int)(r % 100));
	return out;
}

void json_add_rate(struct buf *b, const char *name, int64_t part, int64_t all)
{
	int64_t r;

	if (all > 0) {
		r = rate_of(part, all, 1000);
		buf_addf(b, ",\"%s\":%d.%d", name, (int)(r / 10), (int)(r % 10));
	} else {
		buf_addf(b, ",\"%s\":null", name);
	}
	buf_addf(b, ",\"%s_met\":%lld,\"%s_decided\":%lld", name, (long long)part, name,
		(long long)all);
}

void json_add_rate_masked(struct buf *b, const char *name)
{
	buf_addf(b, ",\"%s\":null,\"%s_met\":null,\"%s_decided\":null", name, name, name);
}
