/* SPDX-License-Identifier: Apache-2.0
 * Calls from one capability to another that are neither an event nor SQL. The capability that
 * serves a call registers it when it starts; a call without a registered function does nothing. */
#ifndef SLADESK_CORE_HOOKS_H
#define SLADESK_CORE_HOOKS_H

#include "core/request.h"

struct sign_in;

struct hooks {
	void (*audit_note)(struct req *req, int64_t tenant_id, bool staff, int64_t actor_id,
		const char *username, const char *operation, const char *result, int status);
	void (*notify_wake)(void);
	void (*signin_done)(struct req *req, const struct sign_in *s);
	bool (*is_widget_metric)(struct str name);
	const char *(*signout_location)(struct req *req, const PGresult *provider,
		const char *subject, const char *provider_session);
};
/* The registered calls. The capability that serves a call sets it once, when it starts. */
extern struct hooks hooks;

/* Record in TENANT_ID's audit log that someone without a session attempted OPERATION (a login).
 * Nothing is recorded for tenant 0, which does not exist. */
void audit_note(struct req *req, int64_t tenant_id, bool staff, int64_t actor_id,
	const char *username, const char *operation, const char *result, int status);
/* Notifications may have been written: look for them now, not at the next sweep. */
void notify_wake(void);
/* A user has logged in: compare this with the user's earlier logins, outside the request. */
void signin_done_hook(struct req *req, const struct sign_in *s);
/* Can a widget show the metric NAME? */
bool is_widget_metric(struct str name);
/* The address at which the browser logs out at the provider (row 0 of sso/provider_get) that began
 * the session for SUBJECT; NULL if the provider has no such page. In the arena. */
const char *signout_location(struct req *req, const PGresult *provider, const char *subject,
	const char *provider_session);

#endif
