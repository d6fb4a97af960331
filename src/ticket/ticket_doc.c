/* SPDX-License-Identifier: Apache-2.0
 * The conversion between database rows and structs, in one place. */
#include "ticket/ticket_doc.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

/* --- reading --- */

static int64_t instant(struct json_object *o, const char *key)
{
	return json_get_int(o, key, INSTANT_NONE);
}

static void text(struct json_object *o, const char *key, char *out, size_t size)
{
	const char *s = json_get_string(o, key);

	snprintf(out, size, "%s", s ? s : "");
}

static void read_runs(struct json_object *list, struct sla_clock *c)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i + 1 < n; i += 2) {
		struct json_object *to = json_object_array_get_idx(list, i + 1);

		sla_runs_add(&c->runs, json_object_get_int64(json_object_array_get_idx(list, i)),
			to ? json_object_get_int64(to) : INSTANT_NONE);
	}
}

/* Returns false for a state that this program does not know, and so would lose when it stores the
 * ticket. A clock of an unknown kind is left unchanged. */
static bool read_clock(struct json_object *o, struct ticket *t)
{
	const char *name = json_get_string(o, "clock"), *state = json_get_string(o, "state");
	enum sla_clock_kind k = sla_clock_parse(str_of(name));
	struct sla_clock *c;

	if (k == SLA_CLOCKS)
		return true;
	c = &t->sla.clock[k];
	c->state = sla_clock_state_parse(str_of(state));
	if (c->state == CLOCK_NONE && strcmp(state ? state : "", "none") != 0)
		return false;
	c->cycle = (int32_t)json_get_int(o, "cycle", 1);
	c->budget_s = (int32_t)json_get_int(o, "budget_s", 0);
	c->origin_seq = json_get_int(o, "origin_seq", 0);
	c->start_at = instant(o, "start_at");
	c->stopped_at = instant(o, "stopped_at");
	c->breached_at = instant(o, "breached_at");
	c->carry_us = json_get_int(o, "carry_us", 0);
	c->fired = (int32_t)json_get_int(o, "fired", 0);
	c->high = (int32_t)json_get_int(o, "high", 0);
	c->missed = (int32_t)json_get_int(o, "missed", 0);
	c->by_priority = json_get_bool(o, "by_priority", false);
	c->contested = json_get_bool(o, "contested", false);
	c->self_reported = json_get_bool(o, "self_reported", false);
	c->waived = json_get_bool(o, "waived", false);
	read_runs(json_get(o, "runs"), c);
	return true;
}

static void read_windows(struct json_object *list, struct sla_ticket *t)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sla_runs_add(&t->windows, json_object_get_int64(json_object_array_get_idx(list, i)),
			json_object_get_int64(json_object_array_get_idx(list, i + 1)));
}

static char *own_text(struct json_object *v)
{
	struct buf b = { 0 };

	json_write(&b, v);
	return buf_take(&b);
}

static char *own_string(struct json_object *o, const char *key)
{
	const char *s = json_get_string(o, key);

	return xstrdup(s ? s : "");
}

bool ticket_read(const char *p, size_t n, struct ticket *t)
{
	struct json_error err;
	struct json_object *o = json_read(p, n, &err), *clocks = json_get(o, "clocks"), *v;
	const char *s;
	bool ok = true;

	*t = (struct ticket){ 0 };
	sla_ticket_init(&t->sla);
	if (!json_object_is_type(clocks, json_type_array)) {
		json_object_put(o);
		return false;
	}
	t->tenant_id = json_get_int(o, "tenant", 0);
	t->id = json_get_int(o, "id", 0);
	t->row_version = json_get_int(o, "row_version", 0);
	t->version = json_get_int(o, "version", 0);
	t->policy_id = json_get_int(o, "policy_id", 0);
	t->calendar_id = json_get_int(o, "calendar_id", 0);
	t->opened_at = instant(o, "opened_at");
	t->last_at = instant(o, "last_at");
	t->first_response_at = instant(o, "first_response_at");
	t->mitigated_at = instant(o, "mitigated_at");
	t->resolved_at = instant(o, "resolved_at");
	t->closed_at = instant(o, "closed_at");
	t->requester_id = json_get_int(o, "requester_id", 0);
	t->assignee_id = json_get_int(o, "assignee_id", 0);
	t->parent_id = json_get_int(o, "parent_id", 0);
	t->level = (int)json_get_int(o, "level", 1);
	t->priority_confirmed = json_get_bool(o, "priority_confirmed", false);
	t->muted = json_get_bool(o, "muted", false);
	t->sla_breached = json_get_bool(o, "sla_breached", false);
	text(o, "requester_kind", t->requester_kind, sizeof(t->requester_kind));
	text(o, "closed_by", t->closed_by, sizeof(t->closed_by));
	t->service_type = own_string(o, "service_type");
	t->category = own_string(o, "category");
	text(o, "priority_source", t->priority_source, sizeof(t->priority_source));
	v = json_get(o, "priority_reason");
	t->priority_reason = v ? own_text(v) : xstrdup("{}");
	v = json_get(o, "tags");
	t->tags = v ? own_text(v) : xstrdup("[]");
	s = json_get_string(o, "status");
	t->sla.state = ticket_state_parse(str_of(s ? s : ""));
	s = json_get_string(o, "priority");
	t->sla.priority = priority_parse(str_of(s ? s : ""));
	t->sla.cycle = (int32_t)json_get_int(o, "cycle", 1);
	t->sla.level = t->level;
	t->sla.last_stop_at = instant(o, "last_stop_at");
	t->sla.first_response_done = json_get_bool(o, "first_response_done", false);
	t->exclusion_proposer = json_get_int(o, "exclusion_proposer", 0);
	t->exclusion_approver = json_get_int(o, "exclusion_approver", 0);
	text(o, "exclusion_kind", t->exclusion_kind, sizeof(t->exclusion_kind));
	text(o, "exclusion_state", t->exclusion_state, sizeof(t->exclusion_state));
	read_windows(json_get(o, "windows"), &t->sla);
	for (size_t i = 0; i < json_object_array_length(clocks); i++)
		ok &= read_clock(json_object_array_get_idx(clocks, i), t);
	json_object_put(o);
	return ok && t->id > 0 && t->sla.state != TICKET_STATE_COUNT &&
	       t->sla.priority != PRIORITY_NONE;
}

void ticket_clear(struct ticket *t)
{
	free(t->priority_reason);
	free(t->tags);
	free(t->service_type);
	free(t->category);
	sla_ticket_free(&t->sla);
	t->priority_reason = t->tags = t->service_type = t->category = NULL;
}

/* --- events to clocks --- */

enum sla_event_type ticket_sla_event(enum ticket_command cmd)
{
	switch (cmd) {
	case CMD_CREATE:
		return SLA_CREATED;
	case CMD_ACCEPT:
		return SLA_ACCEPTED;
	case CMD_CONFIRM:
		return SLA_CONFIRMED;
	case CMD_REPLY:
	case CMD_CONTACT:
		return SLA_RESPONDED;
	case CMD_PRIORITY:
		return SLA_PRIORITY;
	case CMD_MITIGATE:
		return SLA_MITIGATED;
	case CMD_REWORK:
		return SLA_REWORK;
	case CMD_RESOLVE:
		return SLA_RESOLVED;
	case CMD_CONFIRM_RESOLUTION:
	case CMD_AUTO_CLOSE:
		return SLA_CLOSED;
	case CMD_REOPEN:
		return SLA_REOPENED;
	case CMD_CANCEL:
	case CMD_MERGE:
		return SLA_ENDED;
	case CMD_ACCEPT_CONTACT:
		return SLA_CONTACT_ACCEPTED;
	case CMD_DISPUTE_CONTACT:
		return SLA_CONTACT_DISPUTED;
	case CMD_WAIVE:
		return SLA_WAIVED;
	case CMD_EXCLUDE_WINDOW:
		return SLA_WINDOW;
	case CMD_GO_LIVE:
		return SLA_LIVE;
	case CMD_REBIND:
		return SLA_REBOUND;
	default:
		return ticket_rule(cmd)->progress ? SLA_PROGRESS : SLA_STATE;
	}
}

enum ticket_command ticket_command_of_event(struct str type)
{
	for (int i = 0; i < CMD_COUNT; i++)
		if (str_is(type, ticket_rule((enum ticket_command)i)->event))
			return (enum ticket_command)i;
	return CMD_COUNT;
}

/* --- writing --- */

void ticket_doc_free(struct ticket_doc *d)
{
	buf_free(&d->events);
	buf_free(&d->fires);
	buf_free(&d->rca);
}

static void add_instant(struct buf *b, const char *key, int64_t at)
{
	buf_addf(b, ",\"%s\":", key);
	if (at == INSTANT_NONE)
		buf_adds(b, "null");
	else
		buf_add_int(b, at);
}

static void add_id(struct buf *b, const char *key, int64_t id)
{
	buf_addf(b, ",\"%s\":", key);
	if (id)
		buf_add_int(b, id);
	else
		buf_adds(b, "null");
}

static void add_text(struct buf *b, const char *key, const char *s)
{
	buf_addf(b, ",\"%s\":", key);
	if (s && *s)
		buf_add_json(b, s, strlen(s));
	else
		buf_adds(b, "null");
}

struct buf *ticket_doc_event(struct ticket_doc *d, const struct ticket *t, const char *type,
	enum actor_kind actor, int64_t actor_id, const char *audience, bool notify,
	bool has_comment)
{
	struct buf *b = &d->events;

	d->event_count++;
	buf_addf(b, "%s{\"i\":%d,\"type\":\"%s\",\"actor_kind\":\"%s\"", b->n ? "," : "",
		d->event_count, type, actor_kind_name(actor));
	add_id(b, "actor_id", actor_id);
	buf_addf(b,
		",\"audience\":\"%s\",\"at\":%lld,\"notify\":%s,\"comment\":%s,\"data\":{"
		"\"status\":\"%s\",\"priority\":\"%s\"",
		audience, (long long)d->at, notify ? "true" : "false",
		has_comment ? "true" : "false", ticket_state_name(t->sla.state),
		priority_name(t->sla.priority));
	if (strncmp(type, "sla.", 4) != 0) /* a fire only tells what the law did */
		buf_addf(b, ",\"law\":%d", SLA_LAW);
	if (d->led_until)
		buf_addf(b, ",\"led_until\":%lld", (long long)d->led_until);
	return b;
}

void ticket_doc_versions(struct buf *data, int64_t policy_id, int64_t calendar_id)
{
	buf_addf(data, ",\"policy_id\":%lld,\"calendar_id\":%lld", (long long)policy_id,
		(long long)calendar_id);
}

void ticket_doc_event_end(struct ticket_doc *d)
{
	buf_adds(&d->events, "}}");
}

void ticket_doc_event_more(struct ticket_doc *d, const char *members)
{
	buf_addf(&d->events, "}%s}", members);
}

/* A merged message goes to the union of the recipients: all keys once each, highest first. */
static void write_keys(
	struct buf *b, const struct sla_fire *f, const struct sla_fire *all, size_t n)
{
	const char *before = f->key;

	buf_addf(b, ",\"keys\":[\"%s\"", f->key);
	for (size_t i = n; f->alert && i-- > 0;) {
		if (&all[i] == f || all[i].clock != f->clock || all[i].alert ||
			strcmp(all[i].key, before) == 0)
			continue;
		before = all[i].key;
		buf_addf(b, ",\"%s\"", before);
	}
	buf_addc(b, ']');
}

static bool is_breach(const struct sla_fire *f)
{
	return f->clock < SLA_LADDER && strcmp(f->key, "100") == 0;
}

static void write_fire(struct ticket *t, struct sla_rules r, struct ticket_doc *d,
	const struct sla_fire *f, const struct sla_fire *all, size_t n)
{
	int64_t clock_due = sla_due(&t->sla, r, f->clock);
	bool breach = is_breach(f);
	const char *type = f->clock == SLA_LADDER             ? "sla.ladder"
			   : f->clock == SLA_AWS && f->again  ? "sla.aws_unchecked"
			   : f->clock == SLA_AWS              ? "sla.aws_check"
			   : breach && f->clock == SLA_UPDATE ? "sla.update_missed"
							      : "sla.threshold";
	struct buf *b;

	d->at++;
	b = ticket_doc_event(
		d, t, type, ACTOR_SYSTEM, 0, breach ? "customer" : "staff", f->alert, false);
	buf_addf(b,
		",\"clock\":\"%s\",\"threshold\":\"%s\",\"due_at\":%lld,\"clock_due_at\":%lld,"
		"\"lag_ms\":%lld,\"late\":%s%s",
		sla_clock_name(f->clock), f->key, (long long)f->due_at,
		(long long)(breach || f->clock == SLA_AWS || clock_due == INSTANT_NONE ? f->due_at
										       : clock_due),
		(long long)(d->at - f->due_at) / 1000, f->alert || f->more ? "false" : "true",
		f->by_priority ? ",\"cause\":\"priority_change\"" : "");
	if (f->periods > 1 || f->more)
		buf_addf(b, ",\"periods\":%d", f->periods);
	buf_addc(b, '}'); /* keys is a member of the event, not of its data */
	write_keys(b, f, all, n);
	buf_addc(b, '}');
	if (breach)
		t->sla_breached = true;
	if (f->more) {
		d->more_origin = f->origin_seq;
		d->more_periods += f->periods;
		return;
	}
	buf_addf(&d->fires,
		"%s{\"i\":%d,\"clock\":\"%s\",\"origin_seq\":%lld,\"threshold\":\"%s\",\"cycle\":%"
		"d,\"due_at\":%lld,\"at\":%lld,\"alerted\":%s,\"cause\":%s,\"periods\":%d,\"budget_"
		"s\":%d,\"priority\":\"%s\"}",
		d->fires.n ? "," : "", d->event_count, sla_clock_name(f->clock),
		(long long)f->origin_seq, f->key, f->cycle, (long long)f->due_at, (long long)d->at,
		f->alert ? "true" : "false", f->by_priority ? "\"priority_change\"" : "null",
		f->periods, f->budget_s, priority_name(t->sla.priority));
}

#define RCA_S (48 * 3600) /* for a priority without a report */

/* A breach of resolution begins a root-cause analysis: once a cycle, however often its budget is
 * changed and missed again. desk_store() names its owner and sets its timers. */
static void begin_rca(struct ticket *t, struct sla_rules r, struct ticket_doc *d, int32_t cycle,
	int64_t breached_at)
{
	int32_t report_s = r.policy->budget[t->sla.priority].report_s;
	int64_t due_at = d->at + (report_s ? report_s : RCA_S) * US_PER_S;
	struct buf *b;

	d->at++;
	b = ticket_doc_event(d, t, "ticket.rca_opened", ACTOR_SYSTEM, 0, "staff", true, false);
	buf_addf(b, ",\"cycle\":%d,\"due_at\":%lld", cycle, (long long)due_at);
	ticket_doc_event_end(d);
	d->rca.n = 0;
	buf_addf(&d->rca,
		"{\"i\":%d,\"cycle\":%d,\"priority\":\"%s\",\"breached_at\":%lld,\"at\":%lld,"
		"\"due_at\":%lld}",
		d->event_count, cycle, priority_name(t->sla.priority), (long long)breached_at,
		(long long)d->at, (long long)due_at);
}

size_t ticket_settle(struct ticket *t, struct sla_rules r, struct ticket_doc *d, int64_t now)
{
	struct sla_clock before[SLA_CLOCKS];
	struct sla_fire fires[SLA_FIRES_MAX];
	size_t n;

	for (int k = 0; k < SLA_CLOCKS; k++)
		sla_clock_copy(&before[k], &t->sla.clock[k]);
	n = sla_settle(&t->sla, r, d->led_until && d->led_until < now ? d->led_until : now, fires,
		SLA_FIRES_MAX);
	sla_merge_alerts(fires, n);
	if (n && d->at < now - 1)
		d->at = now - 1;
	for (size_t i = 0; i < n; i++) {
		const struct sla_fire *f = &fires[i];

		write_fire(t, r, d, f, fires, n);
		if (f->clock == SLA_RESOLUTION && is_breach(f) && !t->muted &&
			before[SLA_RESOLUTION].breached_at == INSTANT_NONE)
			begin_rca(t, r, d, f->cycle, f->due_at);
	}
	for (int k = 0; k < SLA_CLOCKS; k++) {
		if (!sla_clock_same(&before[k], &t->sla.clock[k]))
			d->clocks |= 1U << k;
		sla_clock_free(&before[k]);
	}
	t->level = t->sla.level;
	if (t->last_at < d->at && n)
		t->last_at = d->at;
	return n;
}

static void write_runs(struct buf *b, const struct sla_clock *c)
{
	buf_adds(b, ",\"runs\":[");
	for (int32_t i = 0; i < c->runs.n; i++) {
		buf_addf(b, "%s%lld,", i ? "," : "", (long long)c->runs.at[i].from);
		if (c->runs.at[i].to == INSTANT_NONE)
			buf_adds(b, "null");
		else
			buf_add_int(b, c->runs.at[i].to);
	}
	buf_addc(b, ']');
}

/* The instants still to come, in order, with their keys. The sweep and human readers use them. */
static int64_t write_fire_plan(
	struct buf *b, const struct ticket *t, struct sla_rules r, enum sla_clock_kind k)
{
	const struct sla_clock *c = &t->sla.clock[k];
	static const char *const steps[] = { "L2", "L3", "AWS" };
	int64_t at[SLA_THRESHOLDS_MAX], next = INSTANT_NONE;
	int order[SLA_THRESHOLDS_MAX],
		n = 0, all = k == SLA_LADDER ? SLA_LADDER_STEPS : r.policy->thresholds;

	if (c->state == CLOCK_RUNNING || c->state == CLOCK_SCHEDULED)
		for (int i = 0; i < all; i++) {
			int64_t v = k != SLA_LADDER && c->fired >> i & 1
					    ? INSTANT_NONE
					    : sla_threshold_at(&t->sla, r, k, i);
			int j = n;

			if (v == INSTANT_NONE)
				continue;
			for (; j > 0 && at[j - 1] > v; j--)
				at[j] = at[j - 1], order[j] = order[j - 1];
			at[j] = v;
			order[j] = i;
			n++;
		}
	buf_adds(b, ",\"fire_at\":[");
	for (int i = 0; i < n; i++)
		buf_addf(b, "%s%lld", i ? "," : "", (long long)at[i]);
	buf_adds(b, "],\"fire_key\":[");
	for (int i = 0; i < n; i++)
		buf_addf(b, "%s\"%s\"", i ? "," : "",
			k == SLA_LADDER ? steps[order[i]] : r.policy->threshold[order[i]].key);
	buf_addc(b, ']');
	if (n)
		next = at[0];
	return next;
}

/* The clocks of WHICH (bit k: clock k). */
static void write_clocks(const struct ticket *t, struct sla_rules r, unsigned which, struct buf *b)
{
	bool first = true;

	for (int k = 0; k < SLA_CLOCKS; k++) {
		const struct sla_clock *c = &t->sla.clock[k];

		if ((c->state == CLOCK_NONE && c->start_at == INSTANT_NONE) || !(which >> k & 1))
			continue;
		buf_addf(b,
			"%s{\"clock\":\"%s\",\"state\":\"%s\",\"cycle\":%d,\"budget_s\":%d,"
			"\"origin_seq\":%lld",
			first ? "" : ",", sla_clock_name((enum sla_clock_kind)k),
			sla_clock_state_name(c->state), c->cycle, c->budget_s,
			(long long)c->origin_seq);
		add_instant(b, "start_at", c->start_at);
		add_instant(b, "stopped_at", c->stopped_at);
		add_instant(b, "breached_at", c->breached_at);
		add_instant(b, "due_at",
			k == SLA_LADDER ? INSTANT_NONE
					: sla_due(&t->sla, r, (enum sla_clock_kind)k));
		add_instant(b, "next_fire_at", write_fire_plan(b, t, r, (enum sla_clock_kind)k));
		buf_addf(b, ",\"carry_us\":%lld", (long long)c->carry_us);
		write_runs(b, c);
		buf_addf(b,
			",\"fired\":%d,\"high\":%d,\"missed\":%d,\"by_priority\":%s,\"contested\":%"
			"s,\"self_reported\":%s,\"waived\":%s,\"verdict\":\"%s\"}",
			c->fired, c->high, c->missed, c->by_priority ? "true" : "false",
			c->contested ? "true" : "false", c->self_reported ? "true" : "false",
			c->waived ? "true" : "false", sla_verdict_name(sla_verdict(c)));
		first = false;
	}
}

int64_t ticket_urgent(const struct ticket *t, struct sla_rules r, enum sla_clock_kind *out_clock)
{
	int64_t best = INSTANT_NONE;

	for (int k = 0; k < SLA_LADDER; k++) {
		const struct sla_clock *c = &t->sla.clock[k];
		int64_t due = c->state == CLOCK_RUNNING || c->state == CLOCK_SCHEDULED
				      ? sla_due(&t->sla, r, (enum sla_clock_kind)k)
				      : INSTANT_NONE;

		if (due != INSTANT_NONE && (best == INSTANT_NONE || due < best)) {
			best = due;
			*out_clock = (enum sla_clock_kind)k;
		}
	}
	return best;
}

/* The highest percentage fired on a clock that is still relevant: live, and its breach not waived.
 */
static int sla_high(const struct ticket *t, struct sla_rules r)
{
	int high = 0;

	for (int k = 0; k < SLA_LADDER; k++) {
		const struct sla_clock *c = &t->sla.clock[k];

		if (c->waived || (c->state != CLOCK_RUNNING && c->state != CLOCK_SCHEDULED &&
					 c->state != CLOCK_PAUSED))
			continue;
		for (int i = 0; i < r.policy->thresholds; i++)
			if (c->fired >> i & 1 && r.policy->threshold[i].percent > high)
				high = r.policy->threshold[i].percent;
	}
	return high;
}

/* Write the members that only a command changes; a fire leaves them unchanged. */
static void write_fields(const struct ticket *t, struct buf *b)
{
	buf_addf(b,
		",\"status\":\"%s\",\"priority\":\"%s\",\"priority_confirmed\":%s,"
		"\"priority_reason\":%s,\"tags\":%s,\"cycle\":%d,\"first_response_done\":%s",
		ticket_state_name(t->sla.state), priority_name(t->sla.priority),
		t->priority_confirmed ? "true" : "false",
		t->priority_reason ? t->priority_reason : "{}", t->tags ? t->tags : "[]",
		t->sla.cycle, t->sla.first_response_done ? "true" : "false");
	add_text(b, "priority_source", t->priority_source);
	add_text(b, "category", t->category);
	add_id(b, "parent_id", t->parent_id);
	add_instant(b, "first_response_at", t->first_response_at);
	add_instant(b, "mitigated_at", t->mitigated_at);
	add_instant(b, "resolved_at", t->resolved_at);
	add_instant(b, "last_stop_at", t->sla.last_stop_at);
	add_instant(b, "closed_at", t->closed_at);
	add_text(b, "closed_by", t->closed_by);
	if (t->id) { /* for a new ticket they are written with its other initial members */
		add_id(b, "policy_id", t->policy_id);
		add_id(b, "calendar_id", t->calendar_id);
	}
	add_text(b, "exclusion_kind", t->exclusion_kind);
	add_text(b, "exclusion_state", t->exclusion_state);
	add_id(b, "exclusion_proposer", t->exclusion_proposer);
	add_id(b, "exclusion_approver", t->exclusion_approver);
	buf_adds(b, ",\"windows\":[");
	for (int32_t i = 0; i < t->sla.windows.n; i++)
		buf_addf(b, "%s%lld,%lld", i ? "," : "", (long long)t->sla.windows.at[i].from,
			(long long)t->sla.windows.at[i].to);
	buf_addc(b, ']');
}

void ticket_doc_write(const struct ticket_doc *d, const struct ticket *t, struct sla_rules r,
	int ti, bool command, struct buf *b)
{
	enum sla_clock_kind clock = SLA_RESPONSE;
	int64_t urgent = ticket_urgent(t, r, &clock);

	buf_addf(b,
		"{\"ti\":%d,\"tenant\":%lld,\"row_version\":%lld,\"command\":%s,\"level\":%d,"
		"\"sla_high\":%d,\"sla_breached\":%s,\"muted\":%s",
		ti, (long long)t->tenant_id, (long long)t->row_version, command ? "true" : "false",
		t->level, sla_high(t, r), t->sla_breached ? "true" : "false",
		t->muted ? "true" : "false");
	add_id(b, "id", t->id);
	add_text(b, "requester_kind", t->requester_kind);
	add_id(b, "requester_id", t->requester_id);
	add_id(b, "assignee_id", t->assignee_id);
	add_instant(b, "last_at", t->last_at);
	add_instant(b, "urgent_at", urgent);
	add_text(b, "urgent_clock", urgent == INSTANT_NONE ? NULL : sla_clock_name(clock));
	if (command)
		write_fields(t, b);
	buf_adds(b, ",\"events\":[");
	buf_add(b, d->events.p, d->events.n);
	buf_adds(b, "],\"fires\":[");
	buf_add(b, d->fires.p, d->fires.n);
	buf_addc(b, ']');
	if (d->more_periods)
		buf_addf(b, ",\"more\":{\"origin_seq\":%lld,\"periods\":%d}",
			(long long)d->more_origin, d->more_periods);
	if (d->rca.n) {
		buf_adds(b, ",\"rca\":");
		buf_add(b, d->rca.p, d->rca.n);
	}
	buf_adds(b, ",\"clocks\":[");
	write_clocks(t, r, command ? ~0U : d->clocks, b);
	buf_addc(b, ']');
}
