/* SPDX-License-Identifier: Apache-2.0
 * The gate before json-c: what it lets through json-c must take, and writing it again must pass the
 * gate. */
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct json_error err;
	struct json_object *o = json_read((const char *)data, n, &err);

	if (o) {
		size_t len;
		const char *text =
			json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &len);
		struct buf b = { 0 };

		bug_on(!json_scan(text, len, &err) && strcmp(err.rule, "a JSON value") != 0);
		buf_add_json(&b, (const char *)data, n);
		if (utf8_is_valid((const char *)data, n) && !memchr(data, 0, n))
			bug_on(!json_scan(b.p, b.n, &err));
		buf_free(&b);
	}
	json_object_put(o);
	return 0;
}
