/* SPDX-License-Identifier: Apache-2.0
 * The plain values of a request, from its path, its query, or a form in its body. */
#include "inner.h"
#include "base/json.h"

static char *decode_in_arena(struct req *req, struct str raw)
{
	char *out = arena_alloc(&req->arena, raw.n + 1);
	size_t n;

	if (!http_decode(raw, true, out, &n))
		return NULL;
	out[n] = 0;
	return out;
}

static char *find_value(struct req *req, struct str rest, const char *key)
{
	struct str k, v;

	while (rest.n && http_query_next(&rest, &k, &v))
		if (str_is(k, key))
			return decode_in_arena(req, v);
	return NULL;
}

char *req_query_value(struct req *req, const char *key)
{
	return find_value(req, req->query, key);
}

char *req_form_value(struct req *req, const char *key)
{
	return req->http
		       ? find_value(req, (struct str){ req->http->body.p, req->http->body.n }, key)
		       : NULL;
}

char *req_path_value(struct req *req, const char *name)
{
	for (int i = 0; i < req->path_params; i++)
		if (str_is(req->path_name[i], name))
			return decode_in_arena(req, req->path_value[i]);
	return NULL;
}

const char *req_json_text(struct req *req, struct json_object *v)
{
	struct buf b = { 0 };
	const char *text;

	json_write(&b, v);
	text = arena_dup(&req->arena, b.p, b.n);
	buf_free(&b);
	return text;
}
