/* SPDX-License-Identifier: Apache-2.0
 * JSON input: a validating scan (RFC 8259, UTF-8, depth, size, no duplicate keys, no NUL, integers
 * that fit) runs before json-c builds the tree, because json-c accepts invalid documents. JSON
 * output: buf_add_json and json_write, because json-c's own writer silently omits what it has no
 * memory for. */
#ifndef SLADESK_BASE_JSON_H
#define SLADESK_BASE_JSON_H

#include "base/base.h"
#include <json-c/json.h>

#define JSON_MAX_DEPTH 32
#define JSON_MAX_BYTES (256 * 1024)

struct json_error {
	size_t at;        /* byte offset of the first offending byte */
	const char *rule; /* what the grammar expected there */
};

/* Check that the N bytes are one JSON document as described above. Linear time, no allocation. */
bool json_scan(const char *p, size_t n, struct json_error *out_error);
/* Scan, then parse. Returns NULL and sets *OUT_ERROR if the scan refuses the bytes, an object names
 * a key twice, or memory runs out. The caller releases the tree with json_object_put. */
struct json_object *json_read(const char *p, size_t n, struct json_error *out_error) MUST_USE;
/* The same without the limit of JSON_MAX_BYTES: for documents of our own making only. */
struct json_object *json_read_own(const char *p, size_t n, struct json_error *out_error) MUST_USE;
/* Append O as JSON text without white space. A double is written with 17 digits, which read back as
 * the same value. */
void json_write(struct buf *b, struct json_object *o);
/* Member KEY of an object, or NULL. */
struct json_object *json_get(struct json_object *obj, const char *key);
/* Member KEY as a string that lives as long as OBJ; NULL if it is missing or not a string. */
const char *json_get_string(struct json_object *obj, const char *key);
/* Member KEY as an integer; FALLBACK if it is missing or not an integer. */
int64_t json_get_int(struct json_object *obj, const char *key, int64_t fallback);
/* Member KEY as a boolean; FALLBACK if it is missing or not a boolean. */
bool json_get_bool(struct json_object *obj, const char *key, bool fallback);
/* The bytes of a JSON string; they live as long as S. Empty for anything else. */
struct str json_str(struct json_object *s);

#endif
