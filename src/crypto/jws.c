/* SPDX-License-Identifier: Apache-2.0 */
#include "jws.h"
#include "base/json.h"
#include "crypto/crypto.h"

#include <stdlib.h>

bool jws_header_is_plain(struct str token)
{
	const char *dot = str_chr(token, '.');
	size_t n = dot ? (size_t)(dot - token.p) : 0;
	unsigned char *text = xmalloc(n + 3);
	struct json_error error;
	struct json_object *o;
	bool plain;

	o = json_read((char *)text, base64url_decode((struct str){ token.p, n }, text), &error);
	plain = json_object_is_type(o, json_type_object) &&
		!json_object_object_get_ex(o, "crit", NULL);
	json_object_put(o);
	free(text);
	return plain;
}
