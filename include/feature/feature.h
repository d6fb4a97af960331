/* SPDX-License-Identifier: Apache-2.0
 * What the features offer to src/app; features never include each other's. */
#ifndef SLADESK_FEATURE_FEATURE_H
#define SLADESK_FEATURE_FEATURE_H

#include "core/request.h"

/* outbox.c: mails and webhooks. */
struct outbox_health {
	int in_flight;
	int64_t queued, dead;
	uint64_t sent, failed;
};
void outbox_init(void);
void outbox_free(void);
void outbox_wake(void);
struct outbox_health outbox_health(void);

/* rollup.c: the counts that dashboards show follow the events. */
struct rollup_health {
	size_t waiting;
	uint64_t applied;
	bool caught_up; /* what was missed before the start is counted */
};
void rollup_init(void);
void rollup_free(void);
struct rollup_health rollup_health(void);

/* quality.c: the counts are recounted. */
struct quality_health {
	uint64_t checked, wrong; /* customers; tickets and rows */
};
void quality_init(void);
void quality_free(void);
struct quality_health quality_health(void);

/* audit.c: who did what. */
struct audit_health {
	size_t waiting;
	uint64_t stored, refused; /* refused by the database: in the log only */
};
void audit_init(void);
void audit_free(void);
/* Store what has gathered, now. */
void audit_flush(void);
struct audit_health audit_health(void);
struct outcome *audit_export(struct req *req) MUST_USE;

/* stream.c: messages of leading systems from a Redis stream. */
struct stream_health {
	size_t waiting;
	uint64_t applied, dead; /* dead: there now */
};
void stream_init(void);
/* Begin nothing more; stream_free comes when nobody calls back any more. */
void stream_stop(void);
void stream_free(void);
struct stream_health stream_health(void);

/* answers.c: answers kept until an event outdates them. */
struct answers_health {
	size_t kept;
	uint64_t hits, misses, joined, stale, shared, renewed, replica, warmed;
};
void answers_init(void);
void answers_free(void);
/* What is kept of TENANT_ID is no longer how it is: its events up to SEQ are counted; 0: something
 * else has changed, of which other instances know nothing. */
void answers_outdate(int64_t tenant_id, int64_t seq);
struct answers_health answers_health(void);

struct outcome *theme_get(struct req *req) MUST_USE;
void themes_free(void);
struct outcome *theme_put(struct req *req) MUST_USE;
struct outcome *logo_get(struct req *req) MUST_USE;
struct outcome *logo_put(struct req *req) MUST_USE;
struct outcome *logo_delete(struct req *req) MUST_USE;
struct outcome *export_post(struct req *req) MUST_USE;
struct outcome *export_get(struct req *req) MUST_USE;
struct outcome *file_download(struct req *req) MUST_USE;
struct exports_health {
	uint64_t written, failed;
};
void warm_init(void);
void warm_free(void);
void reconcile_init(void);
void reconcile_free(void);
void exports_init(void);
void exports_free(void);
struct exports_health exports_health(void);
struct outcome *preferences_put(struct req *req) MUST_USE;
struct outcome *dashboard_put(struct req *req) MUST_USE;
struct outcome *overview_get(struct req *req) MUST_USE;
struct outcome *compliance_get(struct req *req) MUST_USE;
struct outcome *dashboard_metrics(struct req *req) MUST_USE;
struct outcome *dashboard_data(struct req *req) MUST_USE;
struct outcome *report_summary(struct req *req) MUST_USE;
struct outcome *sla_metrics(struct req *req) MUST_USE;
struct outcome *customers_sync(struct req *req) MUST_USE;
void customers_init(void);
void customers_free(void);
struct outcome *tickets_sync(struct req *req) MUST_USE;
struct outcome *integration_users(struct req *req) MUST_USE;
struct outcome *integration_sla(struct req *req) MUST_USE;
struct outcome *integration_health(struct req *req) MUST_USE;

/* hours.c: 0, or until when a mail about an event of this type and a ticket of this priority waits.
 * HOURS: the calendar its policy names; empty: the one of notify.hours. A calendar that must be
 * fetched first makes it wait a second. */
void hours_init(void);
void hours_free(void);
int64_t hours_wait_until(int64_t tenant_id, struct str hours, struct str event_type,
	enum priority p, int64_t now_us);

/* push.c: the live feed over WebSocket and Redis. */
struct push_health {
	size_t clients, unauthenticated;
	uint64_t frames, snapshots, slow;
};
void push_init(void);
/* Tell every client to come back, with the last seq, and close (1012). */
void push_drain(void);
struct push_health push_health(void);
extern const struct ws_handler push_handler, echo_handler;
struct outcome *push_open(struct req *req) MUST_USE;
struct outcome *echo_open(struct req *req) MUST_USE;
bool sink_piece(struct req *req, const char *p, size_t n);
struct outcome *sink_done(struct req *req) MUST_USE;
struct outcome *flood(struct req *req) MUST_USE;
struct outcome *probe_worker(struct req *req) MUST_USE;

/* login.c, account.c, password.c */
struct outcome *login(struct req *req) MUST_USE;
struct outcome *session_refresh(struct req *req) MUST_USE;
struct outcome *session_list(struct req *req) MUST_USE;
struct outcome *session_revoke(struct req *req) MUST_USE;
struct outcome *logout(struct req *req) MUST_USE;
struct outcome *logout_everywhere(struct req *req) MUST_USE;
struct outcome *password_change(struct req *req) MUST_USE;
void account_init(void);
struct outcome *permissions_get(struct req *req) MUST_USE;
struct outcome *user_new(struct req *req) MUST_USE;
struct outcome *user_set(struct req *req) MUST_USE;
struct outcome *user_grants_put(struct req *req) MUST_USE;
struct outcome *second_factor(struct req *req) MUST_USE;
struct outcome *second_factor_mail(struct req *req) MUST_USE;
struct outcome *second_factor_sms(struct req *req) MUST_USE;
struct outcome *factor_list(struct req *req) MUST_USE;
struct outcome *factor_totp_new(struct req *req) MUST_USE;
struct outcome *factor_confirm(struct req *req) MUST_USE;
struct outcome *factor_codes(struct req *req) MUST_USE;
struct outcome *factor_remove(struct req *req) MUST_USE;
struct outcome *factor_reset(struct req *req) MUST_USE;
struct outcome *passkey_new_options(struct req *req) MUST_USE;
struct outcome *passkey_new(struct req *req) MUST_USE;
struct outcome *passkey_options(struct req *req) MUST_USE;
struct outcome *passkey_login(struct req *req) MUST_USE;
/* sso*.c: a customer's own identity provider */
struct outcome *sso_start(struct req *req) MUST_USE;
struct outcome *sso_discover(struct req *req) MUST_USE;
struct outcome *sso_callback(struct req *req) MUST_USE;
struct outcome *sso_backchannel(struct req *req) MUST_USE;
struct outcome *saml_acs(struct req *req) MUST_USE;
struct outcome *saml_slo(struct req *req) MUST_USE;
struct outcome *saml_slo_back(struct req *req) MUST_USE;
struct outcome *saml_metadata(struct req *req) MUST_USE;
void saml_init(void);
struct outcome *sso_provider_put(struct req *req) MUST_USE;
void sso_free(void);

/* watch.c: log-ins unlike usual */
void watch_init(void);
void watch_free(void);
struct outcome *security_get(struct req *req) MUST_USE;
struct outcome *security_put(struct req *req) MUST_USE;
struct outcome *link_ask(struct req *req) MUST_USE;
struct outcome *link_use(struct req *req) MUST_USE;
struct outcome *password_forgot(struct req *req) MUST_USE;
struct outcome *password_reset(struct req *req) MUST_USE;
struct outcome *jwks(struct req *req) MUST_USE;
struct outcome *whoami(struct req *req) MUST_USE;

/* tickets.c */
struct outcome *ticket_create(struct req *req) MUST_USE;
struct outcome *ticket_act(struct req *req) MUST_USE; /* route->argument: which command */
struct outcome *ticket_explain(struct req *req) MUST_USE;

/* contracts.c: policies and calendars */
struct outcome *policy_put(struct req *req) MUST_USE;
struct outcome *policy_preview(struct req *req) MUST_USE;
struct outcome *calendar_put(struct req *req) MUST_USE;

#endif
