/* SPDX-License-Identifier: Apache-2.0
 * The caller of a request, read from the database, never from the token alone. */
#ifndef SLADESK_CORE_SESSION_H
#define SLADESK_CORE_SESSION_H

#include "base/clock.h"
#include "base/idlist.h"
#include "ticket/names.h"
#include "db/db.h"

enum permission {
	PERM_ANYONE,
	PERM_SELF,  /* the user's own account: everything that is allowed before a required password
		       change or enrolment */
	PERM_STAFF, /* for the provider's staff */
#define PERMISSION(id, resource, verb, customers) PERM_##id,
#include "core/permissions.def"
#undef PERMISSION
	PERM_COUNT
};
#define PERM_NAMED_FIRST PERM_TICKET_READ

/* "ticket:read"; "anyone", "self" and "staff" for permissions without a resource. */
const char *permission_name(enum permission p);
/* The bits of the permissions in LIST ("{ticket:read,…}" or any list of names). Unknown names are
 * ignored. */
uint32_t permissions_parse(struct str list);
/* Can a service token have SCOPE: is it a permission, or one of the older names? */
bool scope_is_known(struct str scope);
/* Append the names of all scopes, separated by commas. */
void scopes_add_names(struct buf *b);
/* The permission for RESOURCE and VERB (NULL: any of the resource) that a customer's user can be
 * granted; PERM_COUNT if there is none. */
enum permission permission_grantable(const char *resource, const char *verb);
/* Append ["ticket:read",…], or {"ticket":{"read":true,…},…}. */
void permissions_add_list(struct buf *b, uint32_t bits);
/* Append {"ticket":{"read":true,…},…}. */
void permissions_add_object(struct buf *b, uint32_t bits);

/* The tenants that a session serves. Sessions with the same tenants share one list, as most of the
 * staff do. */
struct session_tenants {
	char *text; /* "{1,12}", as the database expects it */
	struct id_list ids;
	int refs;
};

/* What a client holds: an access token of a session, or a service token. */
struct credential {
	int64_t tenant_id, id; /* of the session or of the service token */
	int64_t expires_us;    /* of the access token */
	uint64_t proof; /* the key that signed the access token; the digest of the service token's
			   secret */
	bool service;
};

struct session {
	enum actor_kind actor;
	int64_t actor_id, tenant_id, session_id, expires_us;
	struct session_tenants *tenants;
	char *scope; /* {"departments":[…],"projects":[…]}: the only tickets that are visible; "":
			all */
	char *support;  /* the support contact from the portal's theme; NULL: the provider's */
	uint32_t perms; /* bit per enum permission */
	int level;
	bool staff, zh, must_change, must_enrol;
	bool whole; /* it sees everything: staff all customers, others all of their customer */
	bool admin; /* whole, and it may do all that an administrator of the customer may */
	int64_t owner_id; /* whose own tickets it sees: the user's, or those of the user for whom
			     the token was made; 0: nobody's */
	char *role, *name, *username; /* the user name; "" for a service */
	struct credential credential;
	unsigned char key[32]; /* SHA-256 of the token */
	/* used by the cache */
	int64_t fetched_us;
	int refs;
	struct session *next;
};

static inline bool session_may(const struct session *s, enum permission p)
{
	return p == PERM_ANYONE || (s && s->perms >> p & 1);
}
#define SESSION_KEY_MAX 64
/* The user or service token of S as a key for limits, "staff:1:7", in OUT. */
struct str session_user_key(const struct session *s, char out[SESSION_KEY_MAX]);
/* Does S serve the tenant? Takes less than a microsecond for 10,000 tenants, because the live feed
 * asks this for each client and event. */
bool session_serves(const struct session *s, int64_t tenant_id);
/* The database context for everything that is done for S. */
struct db_context session_context(const struct session *s);

/* Find the session of TOKEN (a JWT or sd1.…). ON_DONE runs exactly once, possibly before this
 * returns (cached). SESSION is NULL if there is none; ERROR then tells whether the database could
 * be asked. ON_DONE gets a reference to the session and must put it. */
void session_find(struct str token,
	void (*on_done)(void *arg, struct session *s, enum db_error error), void *arg);
/* Read N sessions again with one statement, without the cache, for callers that use a right for
 * longer than one request. ON_DONE gets N results in the same order: the session as it is now, or
 * NULL if it has ended; or NULL instead of them if the database could not be asked. It owns the
 * array and a reference to each session. */
void session_reread(struct session *const *list, size_t n,
	void (*on_done)(void *arg, struct session **take_now, size_t n), void *arg);
/* One more reference to S. */
static inline void session_hold(struct session *s)
{
	s->refs++;
}
/* Release a reference. NULL is allowed. */
void session_put(struct session *s);
/* Forget the cached state of one session (after logout) or of all. */
void session_forget(int64_t tenant_id, int64_t session_id);
/* Forget every cached session. */
void session_forget_all(void);
/* The number of cached sessions. */
size_t session_cached(void);
/* While the database is down, at most USERS of customers (0: no limit) are served from memory,
 * first come, first served. The others get DB_BUSY, and session_is_full tells why. */
void session_limit_degraded(size_t users);
/* Is the maximum number of users being served from memory? */
bool session_is_full(void);

#endif
