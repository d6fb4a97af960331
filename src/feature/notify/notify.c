/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability notify. */
#include "notify.h"
#include "db/db.h"

static void notify_init(void)
{
	delivery_hours_init();
	outbox_init();
}

static void notify_free(void)
{
	outbox_free();
	delivery_hours_free();
}

static double read_notifications_queued(void)
{
	return (double)outbox_health().queued;
}

static double read_notifications_dead(void)
{
	return (double)outbox_health().dead;
}

static double read_notifications_sent_total(void)
{
	return (double)outbox_health().sent;
}

static double read_notifications_failed_total(void)
{
	return (double)outbox_health().failed;
}

static double read_notifications_unstored(void)
{
	return (double)outbox_health().unstored;
}

static double read_mail_refused(void)
{
	return outbox_health().mail_refused;
}

static const struct metric metrics[] = {
	{ "mail_refused", METRIC_GAUGE,
		"1 while the mail relay refuses this service (its greeting, log-in or sender "
		"address).",
		read_mail_refused },
	{ "notifications_queued", METRIC_GAUGE, "Notifications waiting.",
		read_notifications_queued },
	{ "notifications_dead", METRIC_GAUGE, "Notifications that failed for good.",
		read_notifications_dead },
	{ "notifications_sent_total", METRIC_COUNTER, "Notifications sent.",
		read_notifications_sent_total },
	{ "notifications_failed_total", METRIC_COUNTER, "Failed delivery attempts.",
		read_notifications_failed_total },
	{ "notifications_unstored", METRIC_GAUGE, "Results of deliveries that are not stored yet.",
		read_notifications_unstored },
	{ 0 },
};

static enum check_state check_outbox(struct buf *more)
{
	struct outbox_health o = outbox_health();

	buf_addf(more, ",\"queued\":%lld,\"dead\":%lld,\"mail_refused\":%s", (long long)o.queued,
		(long long)o.dead, o.mail_refused ? "true" : "false");
	if (!db_health(SQL_CLASS_JOB).up)
		return CHECK_DOWN;
	return o.dead > 0 || o.mail_refused ? CHECK_DEGRADED : CHECK_HEALTHY;
}

static const struct check checks[] = { { "notifications", false, check_outbox }, { 0 } };
static const struct consumer consumers[] = { { "outbox", NULL, outbox_on_event }, { 0 } };

const struct feature notify_feature = {
	.name = "notify",
	.routes = notify_routes,
	.init = notify_init,
	.jobs = outbox_jobs,
	.stop = outbox_stop,
	.busy = outbox_is_busy,
	.free = notify_free,
	.consumers = consumers,
	.metrics = metrics,
	.checks = checks,
};
