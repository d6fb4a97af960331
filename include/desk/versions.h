/* SPDX-License-Identifier: Apache-2.0
 * Policies and calendars at hand: immutable versions by id for ever, what is in force for a tenant
 * for five seconds, zones from the system. */
#ifndef SLADESK_DESK_VERSIONS_H
#define SLADESK_DESK_VERSIONS_H

#include "config/zones.h"
#include "db/db.h"
#include "sla/clock.h"
#include "ticket/priority.h"

/* An immutable pair. Lives until the process ends. */
struct sla_version {
	int64_t policy_id, calendar_id;
	struct sla_policy policy;
	struct calendar *calendar;
	struct sla_version *next;
};

struct tenant_entry {
	char *service_type; /* NULL: all others */
	const struct sla_version *version;
};

/* What a ticket of a tenant would be created with now. Valid during the callback only. */
struct tenant_config {
	int64_t tenant_id, config_version, fetched_us;
	bool zh;
	struct tenant_entry entry[16];
	int entries;
	struct {
		char *service_type;
		enum priority priority;
	} usual[16];
	int usuals;
	struct tenant_choice {
		char *kind, *code;
		bool active;
	} * choice; /* by kind and code */
	size_t choices;
	struct tenant_config *next;
};

/* The version, if it is at hand. */
const struct sla_version *versions_find(int64_t policy_id, int64_t calendar_id);
/* Call ON_DONE exactly once, maybe before it returns. V is NULL with DB_FAILED when this program
 * cannot read the version (a newer one's), and with another error when the database cannot tell. */
void versions_get(int64_t policy_id, int64_t calendar_id,
	void (*on_done)(void *arg, const struct sla_version *v, enum db_error error), void *arg);
/* Call ON_DONE exactly once, maybe before it returns; NULL when the database cannot tell. */
void tenant_config_get(int64_t tenant_id, bool fresh,
	void (*on_done)(void *arg, const struct tenant_config *c), void *arg);
/* The version for SERVICE_TYPE (NULL: none chosen), or the one for all others. */
const struct sla_version *tenant_config_version(
	const struct tenant_config *c, const char *service_type);
/* The usual priority of this service type; PRIORITY_NONE if unknown. */
enum priority tenant_config_usual(const struct tenant_config *c, const char *service_type);
/* May a ticket of the tenant name CODE as its KIND (department, region, …)? A kind of which the
 * tenant keeps no list takes any text. */
bool tenant_config_allows(const struct tenant_config *c, const char *kind, const char *code);
/* The keyword list; empty until it was first read. */
const struct keyword *priority_keywords(size_t *out_n);
/* Start; the keyword list is read at once. Call once. */
void versions_init(void);
/* Release all versions. */
void versions_free(void);

#endif
