/* SPDX-License-Identifier: Apache-2.0
 * Delivery hours: outside them, mails about P3 and P4 clocks wait for the opening (sla.md 4). A
 * policy names its calendar; otherwise the setting does. The fires themselves are recorded on time.
 */
#include "base/json.h"
#include "base/log.h"
#include "config/options.h"
#include "desk/versions.h"
#include "notify.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>

#define KEPT 64 /* maximum number of calendars; the least recently used one makes room */
#define FRESH_US (60 * US_PER_S)

struct cached_hours {
	uint32_t magic;
	int64_t tenant_id, asked_us, used_us;
	char code[64];
	struct calendar *calendar; /* NULL: not known yet, or there is none */
	struct db_call call;
	bool asking, known;
};
MAGIC(cached_hours, 0xf095fa9b);
static struct cached_hours kept[KEPT];
static bool running;

static struct calendar *read_doc(struct str doc)
{
	const char *error = "";
	struct json_error err;
	struct json_object *o = json_read(doc.p, doc.n, &err);
	struct calendar *c = o ? calendar_read(o, zone_find, &error) : NULL;

	json_object_put(o);
	return c;
}

static void on_calendar(struct db_call *done, enum db_error error, const PGresult *rows)
{
	struct cached_hours *k = magic_cast(cached_hours, done->arg);
	struct calendar *c;

	k->asking = false;
	if (error != DB_OK || !running)
		return; /* keep the old one; ask again at the next use */
	k->known = true;
	k->asked_us = clock_mono_us();
	c = PQntuples(rows) == 1 ? read_doc(db_text(rows, 0, 0)) : NULL;
	if (!c) {
		log_warn(NULL, "delivery hours: no calendar code=%s tenant=%lld", k->code,
			(long long)k->tenant_id);
		return;
	}
	calendar_free(k->calendar);
	k->calendar = c;
}

static void load_calendar(struct cached_hours *k)
{
	k->asking = true;
	k->call = (struct db_call){ .stmt = &sql_sla_calendar_hours,
		.ctx.role = DB_ROLE_JOB,
		.param = { NULL, k->code },
		.on_done = on_calendar,
		.arg = k };
	db_call_int(&k->call, 0, k->tenant_id);
	db_exec(&k->call);
}

static struct cached_hours *find_calendar(int64_t tenant_id, struct str code)
{
	struct cached_hours *oldest = NULL;

	for (int i = 0; i < KEPT; i++) {
		struct cached_hours *k = &kept[i];

		if (k->tenant_id == tenant_id && str_is(code, k->code))
			return k;
		if (!k->asking && (!oldest || k->used_us < oldest->used_us))
			oldest = k;
	}
	if (oldest) {
		calendar_free(oldest->calendar);
		*oldest = (struct cached_hours){ .magic = cached_hours_magic,
			.tenant_id = tenant_id };
		snprintf(oldest->code, sizeof(oldest->code), "%.*s", (int)code.n, code.p);
	}
	return oldest;
}

int64_t delivery_hours_wait_until(
	int64_t tenant_id, struct str hours, struct str event_type, enum priority p, int64_t now_us)
{
	struct str code = hours.n ? hours : str_of(options.notify_hours);
	struct cached_hours *k;
	int64_t from, to;

	if (!code.n || code.n >= sizeof(kept->code) || p < P3 || p == PRIORITY_NONE ||
		event_type.n < 4 || memcmp(event_type.p, "sla.", 4) != 0)
		return 0;
	k = find_calendar(hours.n ? tenant_id : 1, code);
	if (k) {
		k->used_us = clock_mono_us();
		if (!k->asking && k->used_us - k->asked_us > FRESH_US)
			load_calendar(k);
	}
	if (!k || !k->known)
		return now_us + (int64_t)(US_PER_S * clock_scale());
	if (!k->calendar || !calendar_next_open(k->calendar, now_us, &from, &to) || from <= now_us)
		return 0;
	return from;
}

void delivery_hours_init(void)
{
	running = true;
}

void delivery_hours_free(void)
{
	running = false;
	for (int i = 0; i < KEPT; i++) {
		calendar_free(kept[i].calendar);
		kept[i] = (struct cached_hours){ 0 };
	}
}
