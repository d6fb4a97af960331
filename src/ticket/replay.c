/* SPDX-License-Identifier: Apache-2.0 */
#include "ticket/replay.h"

#include "base/clock.h"
#include "base/json.h"
#include "ticket/ticket_doc.h"

bool replay_settle_some(struct sla_ticket *t, struct sla_rules rules, int64_t at)
{
	struct sla_fire fires[SLA_LADDER * SLA_THRESHOLDS_MAX];

	return sla_settle(t, rules, at, fires, ARRAY_LEN(fires)) < ARRAY_LEN(fires);
}

void replay_settle(struct sla_ticket *t, struct sla_rules rules, int64_t at)
{
	while (!replay_settle_some(t, rules, at))
		;
}

int64_t replay_settled_before(enum ticket_command cmd, int64_t at, struct json_object *data)
{
	/* the clocks of an imported ticket stand still until it goes live; what its leading system
	 * resolved is not found overdue later */
	return json_get_int(data, cmd == CMD_GO_LIVE ? "from" : "led_until", at);
}

int64_t replay_settled_after(enum ticket_command cmd, int64_t at, struct json_object *data)
{
	return cmd == CMD_RESOLVE ? at : json_get_int(data, "led_until", at);
}

void replay_before(struct sla_ticket *t, struct sla_rules rules, enum ticket_command cmd,
	int64_t at, struct json_object *data)
{
	replay_settle(t, rules, replay_settled_before(cmd, at, data));
}

bool replay_names_law(struct json_object *data)
{
	return json_get(data, "law") != NULL;
}

/* A newer version may have written the event: its law is replayed as far as it is known. */
static enum sla_law law_of(const struct sla_ticket *t, struct json_object *data)
{
	int64_t law = json_get_int(data, "law", t->unnamed_law);

	return law < SLA_LAW_FIRST || law > SLA_LAW ? SLA_LAW_PRESENT : (enum sla_law)law;
}

void replay_apply(struct sla_ticket *t, struct sla_rules rules, enum ticket_command cmd,
	int64_t seq, int64_t at, struct json_object *data)
{
	const char *clock = json_get_string(data, "clock");
	struct sla_event e = { ticket_sla_event(cmd), at, seq,
		json_get_int(data, "reckon_at", INSTANT_NONE),
		ticket_state_parse(str_of(json_get_string(data, "status"))),
		priority_parse(str_of(json_get_string(data, "priority"))),
		sla_clock_parse(str_of(clock ? clock : "response")), json_get_int(data, "from", 0),
		json_get_int(data, "to", 0), law_of(t, data) };

	e.priority = sla_policy_nearest(rules.policy, e.priority);
	sla_apply(t, rules, &e);
}

void replay_event(struct sla_ticket *t, struct sla_rules rules, enum ticket_command cmd,
	int64_t seq, int64_t at, struct json_object *data)
{
	replay_apply(t, rules, cmd, seq, at, data);
	replay_settle(t, rules, replay_settled_after(cmd, at, data));
}

static void add_instant(struct buf *b, int64_t at)
{
	char t[32];

	if (at == INSTANT_NONE)
		return;
	time_format(at, 6, t);
	buf_adds(b, t);
}

/* How many stretches there are, how long the closed ones are together, and since when it runs. */
static void describe_runs(struct buf *b, const struct sla_clock *c)
{
	int64_t closed = c->carry_us, since = INSTANT_NONE;

	for (int32_t i = 0; i < c->runs.n; i++)
		if (c->runs.at[i].to == INSTANT_NONE)
			since = c->runs.at[i].from;
		else
			closed += c->runs.at[i].to - c->runs.at[i].from;
	buf_addf(b, " runs=%d ran=%lld.%06llds since=", c->runs.n, (long long)(closed / US_PER_S),
		(long long)(closed % US_PER_S));
	add_instant(b, since);
}

void replay_describe(struct buf *b, const struct sla_clock *c, bool runs)
{
	buf_addf(b, "%s cycle=%d budget=%d start=", sla_clock_state_name(c->state), c->cycle,
		c->budget_s);
	add_instant(b, c->start_at);
	buf_adds(b, " stopped=");
	add_instant(b, c->stopped_at);
	buf_adds(b, " breached=");
	add_instant(b, c->breached_at);
	/* rows of versions before 0.3 lack the mark of the fire that stands for the rest */
	buf_addf(b, " fired=%d missed=%d", c->fired & ~SLA_FIRED_REST, c->missed);
	if (runs)
		describe_runs(b, c);
	buf_addf(b, "%s%s%s verdict=%s", c->self_reported ? " self-reported" : "",
		c->contested ? " contested" : "", c->waived ? " waived" : "",
		sla_verdict_name(sla_verdict(c)));
}

bool replay_differs(const struct sla_clock *stored, const struct sla_clock *reckoned,
	struct buf *out_stored, struct buf *out_reckoned)
{
	/* versions before 0.2 folded the oldest runs of a clock with more than 64 */
	bool runs = stored->carry_us == reckoned->carry_us;
	size_t a = out_stored->n, b = out_reckoned->n;

	replay_describe(out_stored, stored, runs);
	replay_describe(out_reckoned, reckoned, runs);
	if (strcmp(buf_cstr(out_stored) + a, buf_cstr(out_reckoned) + b) != 0)
		return true;
	out_stored->n = a;
	out_reckoned->n = b;
	return false;
}
