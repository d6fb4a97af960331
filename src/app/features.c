/* SPDX-License-Identifier: Apache-2.0
 * THE list of capabilities, in the order in which they start. */
#include "app.h"
#include "desk/upkeep.h"
#include "feature/audit/audit.h"
#include "feature/dashboard/dashboard.h"
#include "feature/export/export.h"
#include "feature/identity/identity.h"
#include "feature/integration/integration.h"
#include "feature/live/live.h"
#include "feature/notify/notify.h"
#include "feature/policy/policy.h"
#include "feature/portal/portal.h"
#include "feature/sealing/sealing.h"
#include "feature/selftest/selftest.h"
#include "feature/sso/sso.h"
#include "feature/ticket/ticket.h"

const struct feature *const app_features[] = {
	&identity_feature,
	&sso_feature,
	&policy_feature,
	&ticket_feature,
	&notify_feature,
	&dashboard_feature,
	&export_feature,
	&integration_feature,
	&audit_feature,
	&portal_feature,
	&live_feature,
	&sealing_feature,
	&selftest_feature,
	NULL,
};
#define FEATURES (ARRAY_LEN(app_features) - 1)

void features_init(void)
{
	jobs_add(desk_jobs);
	for (size_t i = 0; i < FEATURES; i++) {
		const struct feature *f = app_features[i];

		if (f->init)
			f->init();
		if (f->consumers)
			events_listen(f->consumers);
		jobs_add(f->jobs);
	}
}

void features_check(struct buf *faults)
{
	for (size_t i = 0; i < FEATURES; i++)
		if (app_features[i]->check_settings)
			app_features[i]->check_settings(faults);
}

void features_stop(void)
{
	static bool stopped;

	if (stopped)
		return;
	stopped = true;
	jobs_stop();
	for (size_t i = FEATURES; i-- > 0;)
		if (app_features[i]->stop)
			app_features[i]->stop();
}

bool features_busy(void)
{
	bool busy = jobs_busy();

	for (size_t i = FEATURES; i-- > 0;)
		if (app_features[i]->busy && app_features[i]->busy())
			busy = true;
	return busy;
}

void features_free(void)
{
	for (size_t i = FEATURES; i-- > 0;)
		if (app_features[i]->free)
			app_features[i]->free();
	jobs_free();
}

void features_reload(void)
{
	for (size_t i = 0; i < FEATURES; i++)
		if (app_features[i]->reload)
			app_features[i]->reload();
}
