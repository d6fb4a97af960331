/* SPDX-License-Identifier: Apache-2.0
 * Cached policies and calendars: immutable versions by id for ever, the versions in force for a
 * tenant for five seconds, zones from the system. */
#ifndef SLADESK_DESK_VERSIONS_H
#define SLADESK_DESK_VERSIONS_H

#include "config/zones.h"
#include "db/db.h"
#include "sla/clock.h"
#include "ticket/priority.h"

/* A policy version and a calendar version. They do not change and live until the process ends. */
struct sla_version {
	int64_t policy_id, calendar_id;
	struct sla_policy policy;
	struct calendar *calendar, *ladder; /* ladder: see policy.ladder_calendar */
	struct sla_version *next;
};

struct tenant_entry {
	char *service_type;                /* NULL: all other service types */
	const struct sla_version *version; /* NULL: this program cannot read it */
};

/* What a new ticket of a tenant would be created with now. Valid during the callback only. */
struct tenant_config {
	int64_t tenant_id, config_version, fetched_us;
	bool zh;
	struct tenant_entry *entry; /* one for each service type */
	int entries;
	struct tenant_usual {
		char *service_type;
		enum priority priority;
	} * usual;
	int usuals;
	struct tenant_choice {
		char *kind, *code;
		enum priority priority; /* of an incident type; else PRIORITY_NONE */
		bool active;
	} * choice; /* by kind and code */
	size_t choices;
	struct tenant_config *next;
};

/* The version, if it is cached. */
const struct sla_version *versions_find(int64_t policy_id, int64_t calendar_id);
/* Get the version, from the database if it is not cached. ON_DONE runs exactly once, possibly
 * before this returns. V is NULL with DB_FAILED if this program cannot read the version (a newer
 * program wrote it), and with another error if the database cannot be asked. */
void versions_get(int64_t policy_id, int64_t calendar_id,
	void (*on_done)(void *arg, const struct sla_version *v, enum db_error error), void *arg);
/* Get the tenant's configuration (FRESH: not from the cache). ON_DONE runs exactly once, possibly
 * before this returns; C is NULL if the database cannot be asked. */
void tenant_config_get(int64_t tenant_id, bool fresh,
	void (*on_done)(void *arg, const struct tenant_config *c), void *arg);
/* The version for SERVICE_TYPE (NULL: none chosen), or the version for all others. NULL if there is
 * none or this program cannot read it: another version is never used in its place. */
const struct sla_version *tenant_config_version(
	const struct tenant_config *c, const char *service_type);
/* The usual priority of this service type; PRIORITY_NONE if unknown. */
enum priority tenant_config_usual(const struct tenant_config *c, const char *service_type);
/* The priority that the catalogue gives to an incident type; PRIORITY_NONE if TYPE is NULL or has
 * none. */
enum priority tenant_config_incident(const struct tenant_config *c, const char *type);
/* May a ticket of the tenant use CODE as its KIND (department, region, …)? If the tenant keeps no
 * list of a kind, any text is accepted. */
bool tenant_config_allows(const struct tenant_config *c, const char *kind, const char *code);
/* The keyword list; empty until it has been read for the first time. */
const struct keyword *priority_keywords(size_t *out_n);
/* Release all versions. */
void versions_free(void);

#endif
