/* SPDX-License-Identifier: Apache-2.0 */
#include "feed_event.h"
#include "base/json.h"
#include "ticket/names.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t topics_of(struct str type)
{
	if (type.n > 5 && memcmp(type.p, "auth.", 5) == 0)
		return 0; /* concerns only the account and its owner */
	if (type.n > 4 && memcmp(type.p, "sla.", 4) == 0)
		return TOPIC_ALERTS | TOPIC_OVERVIEW;
	return TOPIC_TICKETS | TOPIC_OVERVIEW |
	       (type.n > 9 && memcmp(type.p, "ticket.p0", 9) == 0 ? TOPIC_ALERTS : 0);
}

void event_add_json(struct buf *b, const struct desk_event *e, bool with_ticket)
{
	buf_addf(b,
		"{\"op\":\"event\",\"tenant_id\":%lld,\"seq\":%lld,\"type\":\"%.*s\",\"ticket_id\":"
		"%lld,\"actor_kind\":\"%.*s\",\"actor_id\":%lld,\"at\":",
		(long long)e->tenant_id, (long long)e->seq, (int)e->type.n, e->type.p,
		(long long)e->ticket_id, (int)e->actor_kind.n, e->actor_kind.p,
		(long long)e->actor_id);
	buf_add_time_json(b, e->at);
	buf_adds(b, ",\"data\":");
	buf_add(b, e->data.p, e->data.n);
	if (with_ticket && e->number.n) {
		buf_addf(b,
			",\"ticket\":{\"id\":%lld,\"number\":\"%.*s\",\"status\":\"%.*s\","
			"\"priority\":\"%.*s\",\"assignee_id\":%lld,\"sla_high\":%d,\"urgent_"
			"clock\":",
			(long long)e->ticket_id, (int)e->number.n, e->number.p, (int)e->status.n,
			e->status.p, (int)e->priority.n, e->priority.p, (long long)e->assignee_id,
			e->sla_high);
		buf_add_json(b, e->urgent_clock.p ? e->urgent_clock.p : "", e->urgent_clock.n);
		buf_adds(b, ",\"urgent_at\":");
		buf_add_time_json(b, e->urgent_at == INT64_MAX ? INSTANT_NONE : e->urgent_at);
		buf_adds(b, ",\"title\":");
		buf_add_json(b, e->title.p, e->title.n);
		buf_addc(b, '}');
	}
	buf_addc(b, '}');
}

static bool list_names(struct json_object *list, const char *name)
{
	if (!list)
		return true;
	for (size_t i = 0; name && i < json_object_array_length(list); i++)
		if (str_is(json_str(json_object_array_get_idx(list, i)), name))
			return true;
	return false;
}

bool feed_event_is_for(
	const struct feed_event *e, const struct session *s, struct json_object *scope)
{
	return (s->staff || e->for_customers) && session_serves(s, e->tenant_id) &&
	       (!scope || (s->owner_id && e->requester_id == s->owner_id) ||
		       (list_names(json_get(scope, "departments"), e->department) &&
			       list_names(json_get(scope, "projects"), e->project)));
}

static char *copy_text(struct str s)
{
	return s.n ? xstrndup(s.p, s.n) : NULL;
}

struct feed_event feed_event_of(const struct desk_event *e, uint64_t number)
{
	struct buf b = { 0 };
	struct feed_event c = { .department = copy_text(e->department),
		.project = copy_text(e->project),
		.requester_id = e->requester_id,
		.tenant_id = e->tenant_id,
		.seq = e->seq,
		.number = number,
		.topics = topics_of(e->type),
		.for_customers = str_is(e->audience, "customer") };

	event_add_json(&b, e, true);
	c.json_n = b.n;
	c.json = buf_take(&b);
	return c;
}

struct ws_frame *feed_event_frame(struct feed_event *c, bool zh)
{
	if (!c->frame[zh]) {
		struct buf b = { 0 };

		priority_add_labelled(&b, (struct str){ c->json, c->json_n }, zh);
		c->frame[zh] = ws_frame_new(b.p, b.n, false);
		buf_free(&b);
	}
	return c->frame[zh];
}

void feed_event_free(struct feed_event *c)
{
	ws_frame_put(c->frame[false]);
	ws_frame_put(c->frame[true]);
	free(c->json);
	free(c->department);
	free(c->project);
}
