/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hooks.h"

struct hooks hooks;

void audit_note(struct req *req, int64_t tenant_id, bool staff, int64_t actor_id,
	const char *username, const char *operation, const char *result, int status)
{
	if (hooks.audit_note && tenant_id)
		hooks.audit_note(
			req, tenant_id, staff, actor_id, username, operation, result, status);
}

void notify_wake(void)
{
	if (hooks.notify_wake)
		hooks.notify_wake();
}

void signin_done_hook(struct req *req, const struct sign_in *s)
{
	if (hooks.signin_done)
		hooks.signin_done(req, s);
}

bool is_widget_metric(struct str name)
{
	return hooks.is_widget_metric && hooks.is_widget_metric(name);
}

const char *signout_location(struct req *req, const PGresult *provider, const char *subject,
	const char *provider_session)
{
	return hooks.signout_location
		       ? hooks.signout_location(req, provider, subject, provider_session)
		       : NULL;
}
