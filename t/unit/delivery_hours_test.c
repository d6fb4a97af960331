/* SPDX-License-Identifier: Apache-2.0
 * Delivery hours: which mails wait, until when, and what happens while the calendar is unknown,
 * gone or broken. The test answers in place of the database. */
#include "unit.h"
#include "../../src/feature/notify/notify.h"
#include "base/clock.h"
#include "config/options.h"
#include "config/zones.h"
#include "db/db.h"

#include <string.h>

#define CN                                                                                         \
	"{\"tz\":\"Asia/"                                                                          \
	"Shanghai\",\"hours\":{\"mon\":[[\"09:00\",\"12:00\"],[\"13:00\",\"18:00\"]],"             \
	"\"tue\":[[\"09:00\",\"18:00\"]]}}"

static struct {
	struct db_call *call;
	int n;
} asked;

/* Linked with --wrap=db_exec: the statement waits here for the test's answer. */
void __wrap_db_exec(struct db_call *call);
void __wrap_db_exec(struct db_call *call)
{
	asked.call = call;
	asked.n++;
}

static void answer(enum db_error error, const char *doc)
{
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	char name[] = "doc";
	PGresAttDesc column = { .name = name, .typid = 114, .format = 1 };
	struct db_call *call = asked.call;

	CU_ASSERT_FATAL(call != NULL);
	CU_ASSERT_TRUE_FATAL(PQsetResultAttrs(r, 1, &column));
	if (doc)
		PQsetvalue(r, 0, 0, (char *)(uintptr_t)doc, (int)strlen(doc));
	asked.call = NULL;
	call->on_done(call, error, error == DB_OK ? r : NULL);
	PQclear(r);
}

static int64_t at(const char *time)
{
	int64_t us = 0;

	CU_ASSERT_TRUE_FATAL(time_parse(str_of(time), &us));
	return us;
}

static int64_t wait_until(const char *code, const char *type, enum priority p, const char *now)
{
	return delivery_hours_wait_until(5, str_of(code), str_of(type), p, at(now));
}

static void begin(void)
{
	options.notify_hours = "office";
	asked.call = NULL;
	asked.n = 0;
	delivery_hours_init();
}

/* Only mails about clocks of P3 and P4 wait; the others do not even ask for a calendar. */
static void which_mails(void)
{
	static const struct {
		const char *type;
		enum priority p;
		bool waits;
	} rows[] = { { "sla.warning", P3, true }, { "sla.breached", P4, true },
		{ "sla.warning", P2, false }, { "sla.warning", P0, false },
		{ "sla.warning", PRIORITY_NONE, false }, { "ticket.created", P3, false },
		{ "sla", P3, false }, { "", P4, false }, { "xsla.warning", P3, false } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin();
		CU_ASSERT_EQUAL(
			wait_until("office", rows[i].type, rows[i].p, "2026-01-03T00:00:00Z") != 0,
			rows[i].waits);
		CU_ASSERT_EQUAL(asked.n, rows[i].waits);
		delivery_hours_free();
	}
	begin();
	options.notify_hours = "";
	CU_ASSERT_EQUAL(wait_until("", "sla.warning", P3, "2026-01-03T00:00:00Z"), 0);
	CU_ASSERT_EQUAL(asked.n, 0);
	delivery_hours_free();
}

/* An unknown calendar is asked for once, and the mail waits for a second; then for the opening. */
static void openings(void)
{
	static const struct {
		const char *now, *opens; /* NULL: it is open */
	} rows[] = {
		{ "2026-01-05T00:59:59Z", "2026-01-05T01:00:00Z" }, /* Monday, 09:00 in Shanghai */
		{ "2026-01-05T01:00:00Z", NULL },
		{ "2026-01-05T03:59:59Z", NULL },
		{ "2026-01-05T04:00:00Z", "2026-01-05T05:00:00Z" }, /* noon */
		{ "2026-01-05T05:00:00Z", NULL },
		{ "2026-01-05T09:59:59Z", NULL },
		{ "2026-01-05T10:00:00Z", "2026-01-06T01:00:00Z" },
		{ "2026-01-06T10:00:00Z", "2026-01-12T01:00:00Z" }, /* Tuesday: the next Monday */
		{ "2026-01-10T12:00:00Z", "2026-01-12T01:00:00Z" },
	};

	begin();
	CU_ASSERT_EQUAL(wait_until("cn", "sla.warning", P3, "2026-01-05T10:00:00Z"),
		at("2026-01-05T10:00:01Z"));
	CU_ASSERT_EQUAL(wait_until("cn", "sla.warning", P3, "2026-01-05T10:00:00Z"),
		at("2026-01-05T10:00:01Z"));
	CU_ASSERT_EQUAL(asked.n, 1);
	CU_ASSERT_STRING_EQUAL(asked.call->param[0], "5");
	CU_ASSERT_STRING_EQUAL(asked.call->param[1], "cn");
	answer(DB_OK, CN);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CU_ASSERT_EQUAL(wait_until("cn", "sla.warning", P3, rows[i].now),
			rows[i].opens ? at(rows[i].opens) : 0);
	CU_ASSERT_EQUAL(asked.n, 1);
	delivery_hours_free();
}

/* Without a calendar of the policy, the one of the setting counts, which belongs to the provider.
 */
static void setting(void)
{
	begin();
	wait_until("", "sla.warning", P4, "2026-01-05T10:00:00Z");
	CU_ASSERT_EQUAL(asked.n, 1);
	CU_ASSERT_STRING_EQUAL(asked.call->param[0], "1");
	CU_ASSERT_STRING_EQUAL(asked.call->param[1], "office");
	answer(DB_OK, CN);
	CU_ASSERT_EQUAL(wait_until("", "sla.warning", P4, "2026-01-05T10:00:00Z"),
		at("2026-01-06T01:00:00Z"));
	delivery_hours_free();
}

/* A calendar that does not exist, cannot be read or never opens holds no mail back; a database that
 * does not answer is asked again. */
static void faults(void)
{
	static const char *const docs[] = { NULL, "{", "{}",
		"{\"tz\":\"Mars/Olympus\",\"hours\":{}}", "{\"tz\":\"UTC\",\"hours\":{}}" };

	for (size_t i = 0; i < ARRAY_LEN(docs); i++) {
		begin();
		wait_until("cn", "sla.warning", P3, "2026-01-05T10:00:00Z");
		answer(DB_OK, docs[i]);
		CU_ASSERT_EQUAL(wait_until("cn", "sla.warning", P3, "2026-01-05T10:00:00Z"), 0);
		delivery_hours_free();
	}
	begin();
	wait_until("cn", "sla.warning", P3, "2026-01-05T10:00:00Z");
	answer(DB_DOWN, NULL);
	CU_ASSERT_EQUAL(wait_until("cn", "sla.warning", P3, "2026-01-05T10:00:00Z"),
		at("2026-01-05T10:00:01Z"));
	CU_ASSERT_EQUAL(asked.n, 2);
	answer(DB_OK, CN);
	CU_ASSERT_EQUAL(wait_until("cn", "sla.warning", P3, "2026-01-05T10:00:00Z"),
		at("2026-01-06T01:00:00Z"));
	delivery_hours_free();
}

/* 64 calendars are kept; one more displaces the least recently used. */
static void displacement(void)
{
	char code[16];

	begin();
	for (int i = 0; i < 65; i++) {
		snprintf(code, sizeof(code), "c%d", i);
		wait_until(code, "sla.warning", P3, "2026-01-05T10:00:00Z");
		answer(DB_OK, CN);
		wait_until("c0", "sla.warning", P3, "2026-01-05T10:00:00Z"); /* used all the time */
	}
	CU_ASSERT_EQUAL(asked.n, 65);
	wait_until("c0", "sla.warning", P3, "2026-01-05T10:00:00Z");
	wait_until("c64", "sla.warning", P3, "2026-01-05T10:00:00Z");
	CU_ASSERT_EQUAL(asked.n, 65);
	wait_until("c1", "sla.warning", P3, "2026-01-05T10:00:00Z"); /* displaced */
	CU_ASSERT_EQUAL(asked.n, 66);
	answer(DB_OK, CN);
	delivery_hours_free();
}

/* A code that fits no calendar's name is not truncated to another one. */
static void long_codes(void)
{
	char code[80];

	memset(code, 'a', sizeof(code));
	begin();
	code[64] = 0;
	CU_ASSERT_EQUAL(wait_until(code, "sla.warning", P3, "2026-01-05T10:00:00Z"), 0);
	CU_ASSERT_EQUAL(asked.n, 0);
	code[63] = 0;
	CU_ASSERT_NOT_EQUAL(wait_until(code, "sla.warning", P3, "2026-01-05T10:00:00Z"), 0);
	CU_ASSERT_EQUAL(asked.n, 1);
	CU_ASSERT_STRING_EQUAL(asked.call->param[1], code);
	delivery_hours_free();
}

UNIT_MAIN("delivery hours", { "which mails wait", which_mails }, { "openings", openings },
	{ "the setting", setting }, { "faults", faults }, { "displacement", displacement },
	{ "long codes", long_codes })
