/* SPDX-License-Identifier: Apache-2.0
 * The health of the parts, as other systems ask for it. */
#include "app.h"
#include "config/options.h"
#include "db/db.h"
#include "feature/audit/audit.h"
#include "feature/dashboard/dashboard.h"
#include "feature/integration/integration.h"
#include "feature/notify/notify.h"
#include "kv/kv.h"
#include "timers/engine.h"
#include "work/work.h"

static void add_part(struct buf *b, const char *name, const char *state, const char *more)
{
	buf_addf(b, "%s{\"module\":\"%s\",\"status\":\"%s\"%s}", b->p[b->n - 1] == '[' ? "" : ",",
		name, state, more);
}

struct outcome *integration_health(struct req *req)
{
	struct db_health point = db_health(SQL_POINT), job = db_health(SQL_CLASS_JOB);
	struct engine_health engine = engine_health();
	struct rollup_health rollup = rollup_health();
	struct outbox_health outbox = outbox_health();
	struct audit_health audit = audit_health();
	struct stream_health stream = stream_health();
	bool redis = !options.redis_url[0] || kv_is_up();
	bool good = point.up && job.up && engine.loaded && work_health(POOL_HASH).ready;
	struct buf b = { 0 };
	struct outcome *o;

	buf_addf(&b, "{\"status\":\"%s\",\"modules\":[",
		!good                                      ? "down"
		: redis && strcmp(work_state(), "up") == 0 ? "healthy"
							   : "degraded");
	add_part(&b, "tickets", point.up ? "healthy" : "down", "");
	add_part(&b, "sla",
		!engine.loaded || !job.up      ? "down"
		: engine.lag_us > 5 * US_PER_S ? "degraded"
					       : "healthy",
		arena_printf(&req->arena, ",\"lag_seconds\":%.3f", (double)engine.lag_us / 1e6));
	add_part(&b, "auth",
		!point.up || !work_health(POOL_HASH).ready ? "down"
		: strcmp(work_state(), "up") != 0          ? "degraded"
							   : "healthy",
		"");
	add_part(&b, "dashboard",
		!point.up                ? "down"
		: rollup.waiting > 10000 ? "degraded"
					 : "healthy",
		arena_printf(&req->arena, ",\"events_waiting\":%zu", rollup.waiting));
	add_part(&b, "notifications",
		!job.up           ? "down"
		: outbox.dead > 0 ? "degraded"
				  : "healthy",
		arena_printf(&req->arena, ",\"queued\":%lld,\"dead\":%lld",
			(long long)outbox.queued, (long long)outbox.dead));
	add_part(&b, "audit", audit.refused ? "degraded" : "healthy",
		arena_printf(&req->arena, ",\"rows_waiting\":%zu", audit.waiting));
	add_part(&b, "cache",
		!options.redis_url[0] ? "not_configured"
		: kv_is_up()          ? "healthy"
				      : "degraded",
		"");
	add_part(&b, "ticket_sync",
		!options.redis_url[0] || !options.integration_stream[0] ? "not_configured"
		: !kv_is_up() || stream.dead                            ? "degraded"
									: "healthy",
		arena_printf(
			&req->arena, ",\"dead_letters\":%llu", (unsigned long long)stream.dead));
	buf_adds(&b, "]}");
	o = req_reply(req, good ? 200 : 503, b.p, b.n);
	buf_free(&b);
	return o;
}
