/* SPDX-License-Identifier: Apache-2.0
 * The scan before json-c: json-c must accept what it lets through, and what is written from it must
 * read back as the same. */
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct json_error err;
	struct json_object *o = json_read((const char *)data, n, &err);

	if (o) {
		struct buf b = { 0 }, again = { 0 };
		struct json_object *second;

		json_write(&b, o);
		second = json_read(b.p, b.n, &err);
		bug_on(!second);
		json_write(&again, second);
		bug_on(again.n != b.n || memcmp(again.p, b.p, b.n) != 0);
		json_object_put(second);
		buf_free(&again);
		b.n = 0;
		buf_add_json(&b, (const char *)data, n);
		if (utf8_is_valid((const char *)data, n) && !memchr(data, 0, n))
			bug_on(!json_scan(b.p, b.n, &err));
		buf_free(&b);
	}
	json_object_put(o);
	return 0;
}
