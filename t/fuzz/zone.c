/* SPDX-License-Identifier: Apache-2.0
 * Zone files of any bytes. */
#include "sla/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct zone *z = zone_parse(data, n);
	int64_t until;

	if (z)
		for (int64_t t = -2000000000; t < 4000000000; t += 123456789) {
			zone_offset(z, t, &until);
		}
	zone_free(z);
	return 0;
}
