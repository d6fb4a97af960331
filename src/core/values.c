/* SPDX-License-Identifier: Apache-2.0
 * The plain values of a request, from its path, its query, a form in its body, and its headers.
 * They are decoded once, before anything reads them. A value that cannot be decoded must never look
 * like an absent one, because an absent filter selects everything. */
#include "inner.h"
#include "base/json.h"

#define GIVEN_MAX 64 /* parameters of a query or form; no contract has half as many */

/* A parameter of the query or of the form, decoded. */
struct given {
	const char *name;
	char *value;
	struct given *next;
};

static char *decode_in_arena(struct req *req, struct str raw, bool plus_is_space)
{
	char *out = arena_alloc(&req->arena, raw.n + 1);
	size_t n;

	if (!http_decode(raw, plus_is_space, out, &n))
		return NULL;
	out[n] = 0;
	return out;
}

/* NAME may be as the client sent it, in bytes that are not UTF-8. */
static void note_not_text(struct req *req, const char *name)
{
	char *p = arena_dup(&req->arena, name, strlen(name));

	name = p;
	for (; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			*p = '?';
	req_note_invalid(
		req, name, "UTF-8, percent-encoded, without %00", "百分号编码的 UTF-8，且不含 %00");
}

static void note_doubled(struct req *req, const char *name)
{
	req_note_invalid(req, name, "given once", "只能给出一次");
}

static struct given *find_given(struct given *list, const char *name)
{
	for (; list; list = list->next)
		if (strcmp(list->name, name) == 0)
			return list;
	return NULL;
}

static bool names_parameter(const struct req *req, enum param_source source, const char *name)
{
	const struct route *r = req->route;
	const struct contract *c = r->sql ? r->sql->contract : r->contract;

	for (int i = 0; i < c->param_count; i++)
		if (c->params[i].source == source && strcmp(c->params[i].key, name) == 0)
			return true;
	return false;
}

/* Outside parties add parameters of their own to the endpoints that ignore unknown ones. */
static bool is_ignored(const struct req *req, enum param_source source, const char *name)
{
	return req->route->contract && req->route->contract->open &&
	       !names_parameter(req, source, name);
}

/* Decode the parameters in RAW. Nobody may give one twice, not even one that we ignore: whoever
 * reads the first and whoever reads the last would not see the same request (RFC 6749, 3.1). */
static struct given *read_given(struct req *req, struct str raw, enum param_source source)
{
	struct given *list = NULL, **end = &list;
	struct str k, v;
	int n = 0;

	while (http_query_next(&raw, &k, &v)) {
		const char *name = decode_in_arena(req, k, true);
		char *value = decode_in_arena(req, v, true);
		const char *shown = name ? name : arena_dup(&req->arena, k.p, k.n);
		bool ignored = is_ignored(req, source, shown);

		if ((k.n == 0 && v.n == 0) || (ignored && (!name || n == GIVEN_MAX)))
			continue;
		if (n++ == GIVEN_MAX) {
			req_note_invalid(req, shown,
				arena_printf(&req->arena, "at most %d parameters", GIVEN_MAX),
				arena_printf(&req->arena, "最多 %d 个参数", GIVEN_MAX));
			break;
		}
		if (!name || (!value && !ignored)) {
			note_not_text(req, shown);
		} else if (find_given(list, name)) {
			note_doubled(req, name);
		} else {
			*end = arena_alloc(&req->arena, sizeof(**end));
			**end = (struct given){ name, value, NULL };
			end = &(*end)->next;
		}
	}
	return list;
}

/* Headers that are read as one value. A second one may come from a proxy on the way. */
static void note_doubled_headers(struct req *req)
{
	static const char *const single[] = { "Authorization", "Idempotency-Key", "If-Match",
		"Origin", "X-CSRF-Token" };

	for (size_t i = 0; i < ARRAY_LEN(single); i++) {
		const struct http_head *h = &req->http->head;
		int n = 0;

		for (int k = 0; k < h->headers; k++)
			n += str_case_is(h->header[k].name, single[i]);
		if (n > 1)
			note_doubled(req, single[i]);
	}
}

void values_note_headers(struct req *req)
{
	note_doubled_headers(req);
	if (req->if_match && !utf8_is_valid(req->if_match, strlen(req->if_match)))
		req_note_invalid(req, "If-Match", "UTF-8", "应为 UTF-8");
}

void values_read(struct req *req)
{
	for (int i = 0; i < req->path_params; i++) {
		req->path_text[i] = decode_in_arena(req, req->path_value[i], false);
		if (!req->path_text[i])
			note_not_text(req,
				arena_dup(&req->arena, req->path_name[i].p, req->path_name[i].n));
	}
	req->given_query = read_given(req, req->query, FROM_QUERY);
	if (req->http && req->route->contract && req->route->contract->form)
		req->given_form = read_given(
			req, (struct str){ req->http->body.p, req->http->body.n }, FROM_FORM);
}

char *req_query_value(struct req *req, const char *key)
{
	struct given *g = find_given(req->given_query, key);

	return g ? g->value : NULL;
}

char *req_form_value(struct req *req, const char *key)
{
	struct given *g = find_given(req->given_form, key);

	return g ? g->value : NULL;
}

char *req_path_value(struct req *req, const char *name)
{
	for (int i = 0; i < req->path_params; i++)
		if (str_is(req->path_name[i], name))
			return req->path_text[i];
	return NULL;
}

/* Is NAME a query parameter of C, or one by which the route chooses its statement? */
static bool is_known(const struct req *req, const struct contract *c, const char *name)
{
	const char *variant = req->route->variant.key;

	for (int i = 0; i < c->param_count; i++)
		if ((c->params[i].source == FROM_QUERY && strcmp(name, c->params[i].key) == 0) ||
			(c->params[i].source == FROM_CURSOR && strcmp(name, "cursor") == 0))
			return true;
	return variant && strcmp(name, variant) == 0;
}

void note_unknown_query(struct req *req, const struct contract *c)
{
	for (const struct given *g = req->given_query; g; g = g->next)
		if (!is_known(req, c, g->name))
			req_note_invalid(req, g->name, "unknown query parameter", "未知的查询参数");
	for (const struct given *g = req->given_form; g; g = g->next)
		if (!names_parameter(req, FROM_FORM, g->name))
			req_note_invalid(req, g->name, "unknown field", "未知字段");
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
