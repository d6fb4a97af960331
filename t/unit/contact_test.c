/* SPDX-License-Identifier: Apache-2.0
 * A contact recorded late (sla.md 3): it restarts the update clock at its instant, but moves no
 * start back. The result equals a model that knows all states since the ticket was opened. */
#include "sla/clock.h"
#include "unit.h"
#include "zones.h"

#define MIN (60 * US_PER_S)
#define HOUR (3600 * US_PER_S)
#define T0 1767607200000000LL /* 2026-01-05T10:00:00Z, a Monday */
#define ROUNDS 3000
#define EVENTS 24

static struct sla_policy policy;
static struct calendar *calendar;
static struct sla_ticket ticket;
static int64_t seq;

/* The model: when the ticket was waiting, and where the present update period began. */
static struct {
	struct sla_run wait[EVENTS + 1];
	int waits;
	int64_t start;
} model;

static struct sla_rules rules(void)
{
	return (struct sla_rules){ &policy, calendar };
}

static void begin(const char *update_s)
{
	char doc[300];
	const char *error = "";
	struct json_error err;
	struct json_object *o;

	snprintf(doc, sizeof(doc),
		"{\"priorities\":{\"P1\":{\"response_s\":864000,\"resolution_s\":8640000,"
		"\"update_s\":%s}},\"thresholds\":[\"80\",\"100\"]}",
		update_s);
	o = json_read(doc, strlen(doc), &err);
	CU_ASSERT_FATAL(o && sla_policy_read(o, &policy, &error));
	json_object_put(o);
	sla_ticket_free(&ticket);
	sla_ticket_init(&ticket);
	memset(&model, 0, sizeof(model));
	model.start = INSTANT_NONE;
}

static void settle(int64_t now)
{
	struct sla_fire fires[SLA_FIRES_MAX + 1];

	sla_settle(&ticket, rules(), now, fires, ARRAY_LEN(fires));
}

static void apply(enum sla_event_type type, int64_t at, int64_t reckon_at, enum ticket_state state)
{
	settle(at);
	sla_apply(&ticket, rules(),
		&(struct sla_event){ .type = type,
			.at = at,
			.seq = seq += 1000,
			.reckon_at = reckon_at,
			.state = state,
			.priority = P1 });
}

/* The time since FROM, up to NOW, in which the ticket did not wait. */
static int64_t worked(int64_t from, int64_t now)
{
	int64_t sum = now - from;

	for (int i = 0; i < model.waits; i++) {
		int64_t a = model.wait[i].from < from ? from : model.wait[i].from,
			b = model.wait[i].to == INSTANT_NONE ? now : model.wait[i].to;

		sum -= b > a ? b - a : 0;
	}
	return sum;
}

static void as_the_model(void)
{
	long contacts = 0, kept = 0;

	calendar = test_calendar("{\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"00:00\",\"24:00\"]],"
				 "\"tue\":[[\"00:00\",\"24:00\"]],\"wed\":[[\"00:00\",\"24:"
				 "00\"]]}}");
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		int64_t at = T0;
		bool waits = false;

		begin("864000");
		apply(SLA_CREATED, at, INSTANT_NONE, TICKET_ACCEPTED);
		apply(SLA_RESPONDED, at += MIN, INSTANT_NONE, TICKET_ACCEPTED);
		model.start = at;
		for (int i = 0; i < EVENTS; i++) {
			int64_t then;

			at += (1 + rand() % 50) * MIN;
			switch (rand() % 3) {
			case 0: /* begins or ends waiting */
				waits = !waits;
				apply(SLA_STATE, at, INSTANT_NONE,
					waits ? TICKET_PENDING_CUSTOMER : TICKET_IN_PROGRESS);
				if (waits)
					model.wait[model.waits++] =
						(struct sla_run){ at, INSTANT_NONE };
				else
					model.wait[model.waits - 1].to = at;
				break;
			case 1:
				apply(SLA_RESPONDED, at, INSTANT_NONE, ticket.state);
				model.start = at;
				break;
			default:
				then = T0 + (at - T0) / 1000 * (rand() % 1001);
				apply(SLA_RESPONDED, at, then, ticket.state);
				contacts++;
				kept += then < model.start;
				model.start = then < model.start ? model.start : then;
			}
			CU_ASSERT_EQUAL_FATAL(ticket.clock[SLA_UPDATE].start_at, model.start);
			CU_ASSERT_EQUAL_FATAL(
				sla_consumed_us(&ticket, rules(), SLA_UPDATE, at + HOUR),
				worked(model.start, at + HOUR));
		}
	}
	printf("# %ld contacts, %ld of them before a later start\n", contacts, kept);
	CU_ASSERT(contacts > ROUNDS && kept > ROUNDS);
	sla_ticket_free(&ticket);
	calendar_free(calendar);
}

/* Periods that were missed, and their fires, stay. */
static void missed_stays_missed(void)
{
	struct sla_clock before;

	calendar = test_calendar("{\"tz\":\"UTC\",\"hours\":{\"mon\":[[\"00:00\",\"24:00\"]]}}");
	begin("3600");
	apply(SLA_CREATED, T0, INSTANT_NONE, TICKET_ACCEPTED);
	apply(SLA_RESPONDED, T0 + MIN, INSTANT_NONE, TICKET_ACCEPTED);
	settle(T0 + 3 * HOUR);
	sla_clock_copy(&before, &ticket.clock[SLA_UPDATE]);
	CU_ASSERT_EQUAL(before.missed, 2);
	apply(SLA_RESPONDED, T0 + 3 * HOUR, T0 + 30 * MIN, TICKET_ACCEPTED);
	CU_ASSERT(sla_clock_same(&before, &ticket.clock[SLA_UPDATE]));
	apply(SLA_RESPONDED, T0 + 3 * HOUR + MIN / 2, before.start_at + 10 * MIN, TICKET_ACCEPTED);
	CU_ASSERT_EQUAL(ticket.clock[SLA_UPDATE].start_at, before.start_at + 10 * MIN);
	CU_ASSERT_EQUAL(ticket.clock[SLA_UPDATE].missed, 0);
	sla_clock_free(&before);
	sla_ticket_free(&ticket);
	calendar_free(calendar);
}

UNIT_MAIN("contact", { "equal to the model, in any order", as_the_model },
	{ "a period once missed stays missed", missed_stays_missed })
