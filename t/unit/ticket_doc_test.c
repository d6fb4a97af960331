/* SPDX-License-Identifier: Apache-2.0
 * A ticket as a document: what is read is written back, fires are in it, and a replayed history
 * gives the same clocks. */
#include "base/json.h"
#include "ticket/replay.h"
#include "ticket/ticket_doc.h"
#include "unit.h"
#include "zones.h"

#include <string.h>

#define T0 1767607200000000LL /* 2026-01-05T10:00:00Z */
#define M (60 * US_PER_S)

static struct sla_policy policy;
static struct calendar *always;

static struct sla_rules rules(void)
{
	static const char doc[] =
		"{\"priorities\":{\"P1\":{\"response_s\":1800,\"resolution_s\":14400,"
		"\"update_s\":1800,\"ladder_s\":[1800,3600,7200]},\"P3\":{\"response_s\":14400,"
		"\"resolution_s\":86400}},\"thresholds\":[\"80\",\"90\",\"100\"]}";
	const char *error = "";
	struct json_error err;
	struct json_object *o;

	if (!always) {
		always = calendar_always();
		o = json_read(doc, strlen(doc), &err);
		CU_ASSERT_TRUE_FATAL(sla_policy_read(o, &policy, &error));
		json_object_put(o);
	}
	return (struct sla_rules){ &policy, always };
}

/* The members of ticket_state that matter here; MORE goes into the object. */
static bool read(const char *more, const char *clocks, struct ticket *t)
{
	char *text =
		xasprintf("{\"tenant\":12,\"id\":345,\"row_version\":7,\"version\":5,"
			  "\"policy_id\":2,\"calendar_id\":3,\"opened_at\":%lld,\"last_at\":%lld,"
			  "\"status\":\"in_progress\",\"priority\":\"P1\"%s,\"clocks\":%s}",
			T0, T0 + 5, more, clocks);
	bool ok = ticket_read(text, strlen(text), t);

	free(text);
	return ok;
}

static struct json_object *write(struct ticket *t, struct ticket_doc *d)
{
	struct buf b = { 0 };
	struct json_object *o;

	ticket_doc_write(d, t, rules(), 0, true, &b);
	buf_addc(&b, '}');
	o = json_tokener_parse(buf_cstr(&b));
	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	buf_free(&b);
	return o;
}

#define CLOCK                                                                                      \
	"[{\"clock\":\"resolution\",\"state\":\"paused\",\"cycle\":2,\"budget_s\":14400,"          \
	"\"origin_seq\":9,\"start_at\":1767607200000000,\"carry_us\":11,\"fired\":1,\"high\":2,"   \
	"\"missed\":3,\"by_priority\":true,\"waived\":true,\"breached_at\":1767607200000009,"      \
	"\"runs\":[1767607200000000,1767607300000000,1767607400000000,null]},"                     \
	"{\"clock\":\"of a newer program\",\"state\":\"running\"}]"

static void there_and_back(void)
{
	struct ticket_doc d = { 0 };
	struct json_object *o, *clock;
	struct ticket t;

	CU_ASSERT_TRUE_FATAL(
		read(",\"level\":2,\"cycle\":2,\"requester_id\":8,\"requester_kind\":\"customer\","
		     "\"tags\":[\"a\",\"中\"],\"priority_reason\":{\"source\":\"staff\"},"
		     "\"priority_source\":\"staff\",\"category\":\"网络\",\"muted\":true,"
		     "\"windows\":[1,2,5,9],\"first_response_at\":1767607200000001",
			CLOCK, &t));
	CU_ASSERT_TRUE(t.tenant_id == 12 && t.id == 345 && t.row_version == 7 && t.level == 2);
	CU_ASSERT_EQUAL(t.resolved_at, INSTANT_NONE);
	CU_ASSERT_STRING_EQUAL(t.category, "网络");
	CU_ASSERT_EQUAL(t.sla.clock[SLA_RESOLUTION].runs.n, 2);
	CU_ASSERT_EQUAL(t.sla.clock[SLA_RESOLUTION].runs.at[1].to, INSTANT_NONE);
	CU_ASSERT_EQUAL(t.sla.clock[SLA_RESPONSE].state, CLOCK_NONE);
	CU_ASSERT_EQUAL(t.sla.windows.n, 2);
	o = write(&t, &d);
	CU_ASSERT_EQUAL(json_get_int(o, "row_version", 0), 7);
	CU_ASSERT_TRUE(json_get_bool(o, "muted", false));
	CU_ASSERT_STRING_EQUAL(json_get_string(o, "status"), "in_progress");
	CU_ASSERT_STRING_EQUAL(
		json_object_to_json_string_ext(json_get(o, "tags"), 0), "[\"a\",\"中\"]");
	CU_ASSERT_STRING_EQUAL(
		json_object_to_json_string_ext(json_get(o, "windows"), 0), "[1,2,5,9]");
	CU_ASSERT_EQUAL(json_object_array_length(json_get(o, "clocks")), 1);
	clock = json_object_array_get_idx(json_get(o, "clocks"), 0);
	CU_ASSERT_STRING_EQUAL(json_object_to_json_string_ext(json_get(clock, "runs"), 0),
		"[1767607200000000,1767607300000000,1767607400000000,null]");
	CU_ASSERT_TRUE(
		json_get_int(clock, "carry_us", 0) == 11 && json_get_int(clock, "fired", 0) == 1 &&
		json_get_int(clock, "high", 0) == 2 && json_get_int(clock, "missed", 0) == 3 &&
		json_get_bool(clock, "by_priority", false));
	CU_ASSERT_STRING_EQUAL(json_get_string(clock, "verdict"), "waived");
	json_object_put(o);
	ticket_doc_free(&d);
	ticket_clear(&t);
}

/* What a newer program or a broken row may hold. */
static void no_tickets(void)
{
	static const char *const bad[] = { "", "{}", "[]", "{\"clocks\":[]}",
		"{\"id\":1,\"status\":\"new\",\"priority\":\"P1\"}",
		"{\"id\":0,\"status\":\"new\",\"priority\":\"P1\",\"clocks\":[]}",
		"{\"id\":1,\"status\":\"asleep\",\"priority\":\"P1\",\"clocks\":[]}",
		"{\"id\":1,\"status\":\"new\",\"priority\":\"P7\",\"clocks\":[]}",
		"{\"id\":1,\"status\":\"new\",\"priority\":\"P1\",\"clocks\":{}}" };
	struct ticket t;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CU_ASSERT_FALSE(ticket_read(bad[i], strlen(bad[i]), &t));
		ticket_clear(&t);
	}
}

static void what_fires(void)
{
	struct ticket_doc d = { .at = T0 };
	struct json_object *o, *fires, *last;
	struct ticket t;

	CU_ASSERT_TRUE_FATAL(read("", "[]", &t));
	sla_apply(&t.sla, rules(),
		&(struct sla_event){ .type = SLA_CREATED,
			.at = T0,
			.seq = 1,
			.reckon_at = INSTANT_NONE,
			.state = TICKET_NEW,
			.priority = P1 });
	CU_ASSERT_EQUAL(ticket_settle(&t, rules(), &d, T0 + 10 * M), 0);
	CU_ASSERT_EQUAL(d.clocks, 0);
	CU_ASSERT_EQUAL(ticket_settle(&t, rules(), &d, T0 + 31 * M), 3); /* all of response */
	CU_ASSERT_EQUAL(d.clocks & 1u << SLA_RESPONSE, 1u << SLA_RESPONSE);
	CU_ASSERT_TRUE(t.sla_breached && t.last_at == d.at);
	/* the fire knows what was promised, whatever the priority becomes in the same command */
	sla_apply(&t.sla, rules(),
		&(struct sla_event){ .type = SLA_PRIORITY,
			.at = T0 + 31 * M,
			.seq = 2,
			.reckon_at = INSTANT_NONE,
			.state = TICKET_NEW,
			.priority = P2 });
	o = write(&t, &d);
	fires = json_get(o, "fires");
	CU_ASSERT_EQUAL(json_object_array_length(fires), 3);
	CU_ASSERT_EQUAL(json_object_array_length(json_get(o, "events")), 3);
	last = json_object_array_get_idx(fires, 2);
	CU_ASSERT_STRING_EQUAL(json_get_string(last, "threshold"), "100");
	CU_ASSERT_EQUAL(json_get_int(last, "due_at", 0), T0 + 30 * M);
	CU_ASSERT_EQUAL(json_get_int(last, "budget_s", 0), 1800);
	CU_ASSERT_STRING_EQUAL(json_get_string(last, "priority"), "P1");
	CU_ASSERT_TRUE(json_get_bool(last, "alerted", false)); /* one alert, about the highest */
	CU_ASSERT_FALSE(json_get_bool(json_object_array_get_idx(fires, 0), "alerted", true));
	last = json_object_array_get_idx(json_get(o, "events"), 2);
	CU_ASSERT_STRING_EQUAL(json_object_to_json_string_ext(json_get(last, "keys"), 0),
		"[\"100\",\"90\",\"80\"]");
	CU_ASSERT_EQUAL(json_get_int(json_get(last, "data"), "lag_ms", 0), 60000);
	json_object_put(o);
	ticket_doc_free(&d);
	ticket_clear(&t);
}

static void urgency(void)
{
	enum sla_clock_kind clock = SLA_LADDER;
	struct ticket t;

	CU_ASSERT_TRUE_FATAL(read("", "[]", &t));
	CU_ASSERT_EQUAL(ticket_urgent(&t, rules(), &clock), INSTANT_NONE);
	sla_apply(&t.sla, rules(),
		&(struct sla_event){ .type = SLA_CREATED,
			.at = T0,
			.seq = 1,
			.reckon_at = INSTANT_NONE,
			.state = TICKET_NEW,
			.priority = P3 });
	CU_ASSERT_EQUAL(ticket_urgent(&t, rules(), &clock), T0 + 240 * M);
	CU_ASSERT_EQUAL(clock, SLA_RESPONSE);
	ticket_clear(&t);
}

/* Each command's event is found again by its type, and moves the clocks as the command did. */
static void commands_and_events(void)
{
	for (int c = 0; c < CMD_COUNT; c++) {
		enum ticket_command cmd = (enum ticket_command)c;
		enum ticket_command found =
			ticket_command_of_event(str_of(ticket_rule(cmd)->event));

		CU_ASSERT_STRING_EQUAL(ticket_rule(found)->event, ticket_rule(cmd)->event);
		CU_ASSERT_EQUAL(ticket_sla_event(found), ticket_sla_event(cmd));
	}
	CU_ASSERT_EQUAL(ticket_command_of_event(STR("sla.threshold")), CMD_COUNT);
	CU_ASSERT_EQUAL(ticket_command_of_event(STR("")), CMD_COUNT);
}

static struct json_object *data(const char *status, const char *more)
{
	char *text = xasprintf("{\"status\":\"%s\",\"priority\":\"P1\"%s}", status, more);
	struct json_object *o = json_tokener_parse(text);

	free(text);
	return o;
}

/* The same life twice: command by command, and from its recorded history. */
static void replayed(void)
{
	static const struct {
		enum ticket_command cmd;
		int minute;
		const char *status, *more;
		enum ticket_state state;
	} life[] = { { CMD_CREATE, 0, "new", "", TICKET_NEW },
		{ CMD_ACCEPT, 5, "accepted", "", TICKET_ACCEPTED },
		{ CMD_REPLY, 20, "in_progress", "", TICKET_IN_PROGRESS },
		{ CMD_WAIT_CUSTOMER, 40, "pending_customer", "", TICKET_PENDING_CUSTOMER },
		{ CMD_CUSTOMER_REPLY, 90, "in_progress", "", TICKET_IN_PROGRESS },
		{ CMD_EXCLUDE_WINDOW, 100, "in_progress",
			",\"from\":1767612000000000,\"to\":1767612600000000", TICKET_IN_PROGRESS },
		{ CMD_RESOLVE, 200, "resolved", "", TICKET_RESOLVED } };
	struct sla_ticket lived, again;
	struct sla_fire fires[64];

	sla_ticket_init(&lived);
	sla_ticket_init(&again);
	for (size_t i = 0; i < ARRAY_LEN(life); i++) {
		int64_t when = T0 + life[i].minute * M;
		struct json_object *o = data(life[i].status, life[i].more);

		while (sla_settle(&lived, rules(), when, fires, 64) == 64)
			;
		sla_apply(&lived, rules(),
			&(struct sla_event){ .type = ticket_sla_event(life[i].cmd),
				.at = when,
				.seq = (int64_t)i + 1,
				.reckon_at = INSTANT_NONE,
				.state = life[i].state,
				.priority = P1,
				.from = json_get_int(o, "from", 0),
				.to = json_get_int(o, "to", 0) });
		while (sla_settle(&lived, rules(), when, fires, 64) == 64)
			;
		replay_before(&again, rules(), life[i].cmd, when, o);
		replay_event(&again, rules(), life[i].cmd, (int64_t)i + 1, when, o);
		json_object_put(o);
	}
	for (int k = 0; k < SLA_CLOCKS; k++)
		CU_ASSERT_TRUE(sla_clock_same(&lived.clock[k], &again.clock[k]));
	CU_ASSERT_EQUAL(sla_verdict(&again.clock[SLA_RESPONSE]), SLA_MET);
	CU_ASSERT_EQUAL(again.windows.n, 1);
	sla_ticket_free(&lived);
	sla_ticket_free(&again);
}

UNIT_MAIN("ticket_doc", { "read and written back", there_and_back },
	{ "documents that are not tickets", no_tickets },
	{ "fires are in the document", what_fires }, { "the most urgent clock", urgency },
	{ "commands and their events", commands_and_events }, { "replayed", replayed })
