/* SPDX-License-Identifier: Apache-2.0
 * The names of permissions, as a list of strings and as an object by resource. */
#include "core/session.h"

static const struct {
	const char *resource, *verb, *name;
	bool for_customers;
} table[PERM_COUNT] = {
	[PERM_ANYONE] = { .name = "anyone" },
	[PERM_SELF] = { .name = "self" },
	[PERM_STAFF] = { .name = "staff" },
#define PERMISSION(id, r, v, customers) [PERM_##id] = { #r, #v, #r ":" #v, customers },
#include "core/permissions.def"
#undef PERMISSION
};

const char *permission_name(enum permission p)
{
	return table[p].name;
}

static enum permission find_permission(struct str name)
{
	for (int p = PERM_NAMED_FIRST; p < PERM_COUNT; p++)
		if (str_is(name, table[p].name))
			return (enum permission)p;
	return PERM_COUNT;
}

bool scope_is_known(struct str scope)
{
	return find_permission(scope) < PERM_COUNT || str_is(scope, "tickets:read") ||
	       str_is(scope, "tickets:write") || str_is(scope, "admin");
}

void scopes_add_names(struct buf *b)
{
	for (int p = PERM_NAMED_FIRST; p < PERM_COUNT; p++)
		buf_addf(b, "%s,", table[p].name);
	buf_adds(b, "tickets:read,tickets:write,admin");
}

uint32_t permissions_parse(struct str list)
{
	const char *p = list.p, *end = list.p + list.n;
	uint32_t bits = 0;

	while (p < end) {
		const char *from = p;

		while (p < end && ((*p >= 'a' && *p <= 'z') || *p == ':' || *p == '_'))
			p++;
		if (p > from) {
			enum permission one =
				find_permission((struct str){ from, (size_t)(p - from) });

			bits |= one < PERM_COUNT ? 1u << one : 0;
		}
		p += p < end;
	}
	return bits;
}

enum permission permission_grantable(const char *resource, const char *verb)
{
	for (int p = PERM_NAMED_FIRST; p < PERM_COUNT; p++)
		if (table[p].for_customers && strcmp(table[p].resource, resource) == 0 &&
			(!verb || strcmp(table[p].verb, verb) == 0))
			return (enum permission)p;
	return PERM_COUNT;
}

void permissions_add_list(struct buf *b, uint32_t bits)
{
	int n = 0;

	buf_addc(b, '[');
	for (int p = PERM_NAMED_FIRST; p < PERM_COUNT; p++)
		if (bits >> p & 1)
			buf_addf(b, "%s\"%s\"", n++ ? "," : "", table[p].name);
	buf_addc(b, ']');
}

void permissions_add_object(struct buf *b, uint32_t bits)
{
	const char *open = NULL;

	buf_addc(b, '{');
	for (int p = PERM_NAMED_FIRST; p < PERM_COUNT; p++) {
		bool same = open && strcmp(open, table[p].resource) == 0;

		if (!same)
			buf_addf(b, "%s\"%s\":{", open ? "}," : "", table[p].resource);
		buf_addf(b, "%s\"%s\":%s", same ? "," : "", table[p].verb,
			bits >> p & 1 ? "true" : "false");
		open = table[p].resource;
	}
	buf_adds(b, "}}");
}
