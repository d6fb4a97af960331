/* SPDX-License-Identifier: Apache-2.0
 * A session as the database describes it: a row of auth/rights. */
#include "session_row.h"
#include "crypto/crypto.h"

#include <stdlib.h>

static struct session_tenants *latest; /* the list that was read last */

/* --- the tenants --- */

static void tenants_put(struct session_tenants *t)
{
	if (--t->refs)
		return;
	if (latest == t)
		latest = NULL;
	id_list_free(&t->ids);
	free(t->text);
	free(t);
}

/* Read TEXT, or share the list that was read last. A text that is not a list serves no tenant. */
static struct session_tenants *tenants_of(struct str text)
{
	struct session_tenants *t = latest;

	if (!t || !str_is(text, t->text)) {
		t = latest = xcalloc(1, sizeof(*t));
		if (!id_list_read(text, &t->ids))
			text = STR("{}");
		t->text = xstrndup(text.p, text.n);
	}
	t->refs++;
	return t;
}

void session_put(struct session *s)
{
	if (!s || --s->refs)
		return;
	tenants_put(s->tenants);
	free(s->scope);
	free(s->support);
	free(s->role);
	free(s->name);
	free(s->username);
	free(s);
}

/* --- a row of auth/rights --- */

static char *own(const PGresult *rows, int row, enum rights_column column)
{
	struct str s = db_text(rows, row, column);

	return db_is_null(rows, row, column) ? NULL : xstrndup(s.p, s.n);
}

/* A token's scopes are permissions by name; tickets:read, tickets:write and admin are older
 * names. */
static uint32_t scopes_parse(struct str json, bool staff)
{
	uint32_t p = permissions_parse(json);

	if (memmem(json.p, json.n, "\"tickets:read\"", 14))
		p |= 1u << PERM_TICKET_READ;
	if (memmem(json.p, json.n, "\"tickets:write\"", 15))
		p |= 1u << PERM_TICKET_WRITE;
	if (memmem(json.p, json.n, "\"admin\"", 7))
		p |= 1u << PERM_CATALOGUE_WRITE | 1u << PERM_WEBHOOK_WRITE |
		     (staff ? 1u << PERM_STAFF | 1u << PERM_SLA_WRITE | 1u << PERM_TICKET_JUDGE
			    : 0);
	return p;
}

static uint32_t row_perms(const struct session *s, struct str names)
{
	uint32_t self = 1u << PERM_SELF;

	if (s->actor == ACTOR_SERVICE)
		return self | scopes_parse(names, s->staff);
	if (s->must_change || s->must_enrol)
		return self;
	return self | permissions_parse(names) | (s->staff ? 1u << PERM_STAFF : 0);
}

/* What the session sees. A token never has more rights than the user for whom it was made. */
static void set_reach(struct session *s, const PGresult *rows, int row)
{
	uint32_t admin = permissions_parse(db_text(rows, row, RIGHTS_ADMIN));

	if (!db_is_null(rows, row, RIGHTS_MAKER))
		s->perms &= permissions_parse(db_text(rows, row, RIGHTS_MAKER)) | 1u << PERM_SELF |
			    1u << PERM_STAFF;
	s->owner_id = db_int(rows, row, RIGHTS_OWNER);
	s->whole = s->staff ? db_int(rows, row, RIGHTS_SERVES_ALL) != 0 : !s->scope[0];
	s->admin = s->whole && (s->perms & admin) == admin;
}

uint64_t credential_proof(const char *sha256)
{
	char head[17] = { 0 };

	memcpy(head, sha256, 16);
	return strtoull(head, NULL, 16);
}

/* Is C, which was genuine, still what the row accepts? */
static bool proof_holds(const struct credential *c, struct str sha256)
{
	return c->service ? sha256.n == 64 && credential_proof(sha256.p) == c->proof
			  : token_key_is_ours(c->proof);
}

struct session *session_of_row(
	const PGresult *rows, int row, const struct credential *c, const unsigned char key[32])
{
	enum actor_kind actor = actor_kind_parse(db_text(rows, row, RIGHTS_ACTOR_KIND));
	struct session *s;

	if (actor == ACTOR_KIND_COUNT || !proof_holds(c, db_text(rows, row, RIGHTS_SHA256)))
		return NULL; /* a newer version of this program wrote the row */
	s = xcalloc(1, sizeof(*s));
	s->refs = 1;
	s->credential = *c;
	memcpy(s->key, key, 32);
	s->actor = actor;
	s->actor_id = db_int(rows, row, RIGHTS_ACTOR_ID);
	s->tenant_id = c->tenant_id;
	s->session_id = c->service ? 0 : c->id;
	s->expires_us = db_int(rows, row, RIGHTS_EXPIRES_AT);
	if (c->expires_us < s->expires_us) /* the session outlives its tokens */
		s->expires_us = c->expires_us;
	s->tenants = tenants_of(db_text(rows, row, RIGHTS_TENANTS));
	s->staff = actor == ACTOR_STAFF || (actor == ACTOR_SERVICE && s->tenant_id == 1);
	s->role = own(rows, row, RIGHTS_ROLE);
	s->name = own(rows, row, RIGHTS_FULL_NAME);
	s->username = own(rows, row, RIGHTS_USERNAME);
	s->zh = str_is(db_text(rows, row, RIGHTS_LANG), "zh");
	s->level = (int)db_int(rows, row, RIGHTS_LEVEL);
	s->must_change = db_int(rows, row, RIGHTS_MUST_CHANGE) != 0;
	s->must_enrol = db_int(rows, row, RIGHTS_MUST_ENROL) != 0;
	s->perms = row_perms(s, db_text(rows, row, RIGHTS_PERMISSIONS));
	s->scope = own(rows, row, RIGHTS_SCOPE);
	set_reach(s, rows, row);
	s->support = own(rows, row, RIGHTS_SUPPORT);
	return s;
}
