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
	slash = str_chr(*rest, '/');
	*out = (struct str){ rest->p, slash ? (size_t)(slash - rest->p) : rest->n };
	rest->p += out->n;
	rest->n -= out->n;
	return true;
}

/* Does the contract of R name the path parameter NAME? */
static bool names_parameter(const struct route *r, struct str name)
{
	const struct contract *c = r->sql ? r->sql->contract : r->contract;

	for (int i = 0; i < c->param_count; i++)
		if (c->params[i].source == FROM_PATH && str_is(name, c->params[i].key))
			return true;
	return false;
}

/* What every route must have, and what it must not have. */
static void check_route(const struct route *r)
{
	const struct contract *c = r->sql ? r->sql->contract : r->contract;
	int kinds = (r->sql != NULL) + (r->flow != NULL) + (r->ws != NULL) + (r->file != NULL);
	struct str rest = str_of(r->path), seg;

	bug_on(kinds != 1);
	bug_on(r->sql && (r->sql->mode == SQL_JOB || r->sql->mode == SQL_PREAUTH ||
				 r->sql->shape == SQL_ROWS));
	if (r->file)
		return;
	bug_on(!c || !c->about_zh);
	bug_on(r->method == HTTP_GET && c->mode == SQL_WRITE);
	bug_on(c->mode == SQL_PREAUTH && r->permission != PERM_ANYONE);
	bug_on(r->only != ONLY_ANY && r->permission == PERM_ANYONE);
	while (next_segment(&rest, &seg))
		bug_on(seg.n && seg.p[0] == '{' &&
			!names_parameter(r, (struct str){ seg.p + 1, seg.n - 2 }));
}

void routes_build(const struct route *routes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct route *r = &routes[i];
		struct str rest = str_of(r->path), seg;
		struct node *at = &root;

		check_route(r);
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
