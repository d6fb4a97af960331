/* SPDX-License-Identifier: Apache-2.0
 * The health of the parts, as reported to other systems: the checks of the capabilities, and of
 * what no capability owns. */
#include "app.h"
#include "config/options.h"
#include "db/db.h"
#include "kv/kv.h"
#include "timers/engine.h"

static enum check_state look_at_sla(struct buf *more)
{
	struct engine_health e = engine_health();

	buf_addf(more, ",\"lag_seconds\":%.3f", (double)e.lag_us / 1e6);
	return !e.loaded || !db_health(SQL_CLASS_JOB).up ? CHECK_DOWN
	       : e.lag_us > 5 * US_PER_S                 ? CHECK_DEGRADED
							 : CHECK_HEALTHY;
}

static enum check_state look_at_cache(struct buf *more)
{
	(void)more;
	return !options.redis_url[0] ? CHECK_NOT_CONFIGURED
	       : kv_is_up()          ? CHECK_HEALTHY
				     : CHECK_DEGRADED;
}

static const struct check own_checks[] = { { "sla", true, look_at_sla },
	{ "cache", false, look_at_cache }, { 0 } };

/* Append the parts of TABLE. *WHOLE becomes the worst of their effects on the whole. */
static void add_parts(struct buf *b, const struct check *table, enum check_state *whole)
{
	static const char *const names[] = { [CHECK_HEALTHY] = "healthy",
		[CHECK_DEGRADED] = "degraded",
		[CHECK_DOWN] = "down",
		[CHECK_NOT_CONFIGURED] = "not_configured" };

	for (; table && table->name; table++) {
		struct buf more = { 0 };
		enum check_state is = table->look(&more);

		buf_addf(b, "%s{\"module\":\"%s\",\"status\":\"%s\"%s}",
			b->p[b->n - 1] == '[' ? "" : ",", table->name, names[is], buf_cstr(&more));
		buf_free(&more);
		if (is == CHECK_DOWN && table->vital)
			*whole = CHECK_DOWN;
		else if ((is == CHECK_DOWN || is == CHECK_DEGRADED) && *whole == CHECK_HEALTHY)
			*whole = CHECK_DEGRADED;
	}
}

struct outcome *integration_health(struct req *req)
{
	enum check_state whole = CHECK_HEALTHY;
	struct buf parts = { 0 }, b = { 0 };
	struct outcome *o;

	buf_addc(&parts, '[');
	add_parts(&parts, own_checks, &whole);
	for (const struct feature *const *f = app_features; *f; f++)
		add_parts(&parts, (*f)->checks, &whole);
	buf_addf(&b, "{\"status\":\"%s\",\"modules\":%s]}",
		whole == CHECK_DOWN       ? "down"
		: whole == CHECK_DEGRADED ? "degraded"
					  : "healthy",
		buf_cstr(&parts));
	o = req_reply(req, whole == CHECK_DOWN ? 503 : 200, b.p, b.n);
	buf_free(&parts);
	buf_free(&b);
	return o;
}
