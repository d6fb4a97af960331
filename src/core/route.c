/* SPDX-License-Identifier: Apache-2.0
 * A trie by path segment. Literal segments win over parameters. */
#include "inner.h"

#include <stdlib.h>

struct node {
	struct str segment;
	bool param;
	const struct route *route[HTTP_METHODS];
	struct node *child, *next;
};

static struct node root;

static struct node *child_of(struct node *parent, struct str seg)
{
	bool param = seg.n > 1 && seg.p[0] == '{';
	struct node **at = &parent->child, *n;

	if (param)
		seg = (struct str){ seg.p + 1, seg.n - 2 };
	for (; *at; at = &(*at)->next)
		if ((*at)->param == param && str_eq((*at)->segment, seg))
			return *at;
	n = xcalloc(1, sizeof(*n));
	*n = (struct node){ .segment = seg, .param = param };
	for (at = &parent->child; *at && !(*at)->param; at = &(*at)->next)
		;
	if (param)
		for (; *at; at = &(*at)->next)
			;
	n->next = *at;
	*at = n;
	return n;
}

static bool next_segment(struct str *rest, struct str *out)
{
	const char *slash;

	if (!rest->n)
		return false;
	rest->p++, rest->n--; /* skip the slash */
	slash = memchr(rest->p, '/', rest->n);
	*out = (struct str){ rest->p, slash ? (size_t)(slash - rest->p) : rest->n };
	rest->p += out->n;
	rest->n -= out->n;
	return true;
}

void routes_build(const struct route *routes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct route *r = &routes[i];
		struct str rest = str_of(r->path), seg;
		struct node *at = &root;

		bug_on((r->sql != NULL) + (r->flow != NULL) + (r->ws != NULL) + (r->file != NULL) !=
			1);
		bug_on(r->sql && (r->sql->mode == SQL_JOB || r->sql->mode == SQL_PREAUTH ||
					 r->sql->shape == SQL_ROWS));
		bug_on(r->sql && r->method == HTTP_GET && r->sql->mode != SQL_READ);
		while (next_segment(&rest, &seg))
			at = child_of(at, seg);
		bug_on(at->route[r->method] != NULL);
		at->route[r->method] = r;
	}
}

static void node_free(struct node *n)
{
	while (n) {
		struct node *next = n->next;

		node_free(n->child);
		free(n);
		n = next;
	}
}

void routes_free(void)
{
	node_free(root.child);
	root = (struct node){ 0 };
}

void routes_match(enum http_method method, struct str path, struct route_match *out)
{
	struct node *at = &root;
	struct str rest = path, seg;

	*out = (struct route_match){ 0 };
	while (next_segment(&rest, &seg)) {
		struct node *n = at->child;

		for (; n; n = n->next)
			if (n->param ? seg.n > 0 : str_eq(n->segment, seg))
				break;
		if (!n)
			return;
		if (n->param) {
			bug_on(out->params == REQ_PATH_PARAMS);
			out->name[out->params] = n->segment;
			out->value[out->params++] = seg;
		}
		at = n;
	}
	for (int m = 0; m < HTTP_METHODS; m++)
		if (at->route[m]) {
			out->path_known = true;
			out->methods |= 1u << m;
		}
	out->route = at->route[method];
	if (!out->route && method == HTTP_HEAD)
		out->route = at->route[HTTP_GET];
}
