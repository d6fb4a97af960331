/* SPDX-License-Identifier: Apache-2.0
 * Messages from source systems over HTTP: one, or up to a thousand. Several run concurrently, but
 * only one per ticket; each has its own result. */
#include "base/json.h"
#include "base/magic.h"
#include "core/request.h"
#include "sync.h"
#include "integration.h"
#include "flow_gen.h"

#include <stdlib.h>

#define AT_ONCE 16

struct entry {
	uint32_t magic;
	struct sync_item item;
	enum { WAITS, GOES, DONE } phase;
	enum sync_result result;
	bool foreign; /* names a tenant that the token does not serve */
	struct batch *batch;
};
MAGIC(entry, 0xe470df37);

struct batch {
	struct req *req;
	struct entry *entry;
	size_t n, first_waiting;
	struct entry *goes[AT_ONCE];
	int going;
	bool single;
};

static void free_batch(struct req *req)
{
	struct batch *b = req_state(req, batch);

	for (size_t i = 0; b && i < b->n; i++)
		sync_item_clear(&b->entry[i].item);
	free(b ? b->entry : NULL);
	free(b);
}

/* --- answering --- */

/* Why a message was not applied: the database, or the processing of messages. */
static enum err failure(const struct entry *e)
{
	switch (e->item.db_error) {
	case DB_DOWN:
	case DB_TIMEOUT:
		return ERR_DB;
	case DB_UNKNOWN:
		return ERR_UNKNOWN;
	case DB_BUSY:
	case DB_RETRY:
		return ERR_BUSY;
	default:
		return ERR_SYNC;
	}
}

static int code_of(const struct entry *e)
{
	switch (e->result) {
	case SYNC_INVALID:
		return e->foreign ? 40003 : 40001;
	case SYNC_REFUSED:
		return 41002;
	case SYNC_FAILED:
		return error_text(failure(e))->code;
	case SYNC_APPLIED:
	case SYNC_DUPLICATE:
	case SYNC_OUTDATED:
		break;
	}
	return 200;
}

static void add_entry(struct buf *b, const struct entry *e, size_t i, bool zh)
{
	const struct sync_item *it = &e->item;

	buf_addf(b, "{\"index\":%zu,\"status\":\"%s\",\"code\":%d", i, sync_result_name(e->result),
		code_of(e));
	if (it->event_id) {
		buf_adds(b, ",\"event_id\":");
		buf_add_json(b, it->event_id, strlen(it->event_id));
	}
	if (it->external_id) {
		buf_adds(b, ",\"ticket_id\":");
		buf_add_json(b, it->external_id, strlen(it->external_id));
	}
	if (it->ticket_id)
		buf_addf(b, ",\"id\":%lld", (long long)it->ticket_id);
	if (it->number[0])
		buf_addf(b, ",\"number\":\"%s\"", it->number);
	if (it->warning)
		buf_addf(b, ",\"ignored\":\"%s\"", it->warning);
	if (it->fault.field)
		buf_addf(b, ",\"error\":{\"field\":\"%s\",\"rule\":\"%s\"}", it->fault.field,
			zh ? it->fault.zh : it->fault.en);
	buf_addc(b, '}');
}

static struct outcome *answer_single(struct req *req, const struct entry *e)
{
	const struct sync_fault *f = &e->item.fault;

	if (e->foreign)
		return req_fail(req, ERR_FORBIDDEN, NULL);
	if (e->result == SYNC_INVALID) {
		req_note_invalid(req, f->field, f->en, f->zh);
		return req_invalid(req);
	}
	if (e->result == SYNC_REFUSED)
		return req_fail(req, ERR_WRONG_STATE,
			arena_printf(&req->arena, "{\"field\":\"%s\",\"rule\":\"%s\"}", f->field,
				req->zh ? f->zh : f->en));
	return e->result == SYNC_FAILED ? req_fail(req, failure(e), NULL) : NULL;
}

static struct outcome *reply_batch(struct batch *b)
{
	struct outcome *o = b->single ? answer_single(b->req, &b->entry[0]) : NULL;
	size_t count[SYNC_FAILED + 1] = { 0 };
	struct buf out = { 0 };

	if (o)
		return o;
	for (size_t i = 0; i < b->n; i++)
		count[b->entry[i].result]++;
	buf_addf(&out, "{\"received\":%zu", b->n);
	for (int r = SYNC_APPLIED; r <= SYNC_FAILED; r++)
		buf_addf(&out, ",\"%s\":%zu", sync_result_name((enum sync_result)r), count[r]);
	buf_adds(&out, ",\"results\":[");
	for (size_t i = 0; i < b->n; i++) {
		buf_adds(&out, i ? "," : "");
		add_entry(&out, &b->entry[i], i, b->req->zh);
	}
	buf_adds(&out, "]}");
	o = req_reply(b->req, 200, out.p, out.n);
	buf_free(&out);
	return o;
}

/* --- running --- */

static bool same_ticket(const struct sync_item *a, const struct sync_item *b)
{
	return a->tenant_id == b->tenant_id && strcmp(a->external_id, b->external_id) == 0;
}

/* Earlier messages of the same ticket go first: is one before I still pending or running? */
static bool must_wait(const struct batch *b, size_t i)
{
	for (int k = 0; k < b->going; k++)
		if (same_ticket(&b->goes[k]->item, &b->entry[i].item))
			return true;
	for (size_t k = b->first_waiting; k < i; k++)
		if (b->entry[k].phase == WAITS && same_ticket(&b->entry[k].item, &b->entry[i].item))
			return true;
	return false;
}

static bool still_going(const struct batch *b)
{
	return b->going > 0 || b->first_waiting < b->n;
}

static void on_applied(struct sync_item *item, enum sync_result result);

static void go_on(struct batch *b)
{
	while (b->first_waiting < b->n && b->entry[b->first_waiting].phase != WAITS)
		b->first_waiting++;
	for (size_t i = b->first_waiting;
		i < b->n && i < b->first_waiting + AT_ONCE * 4 && b->going < AT_ONCE; i++) {
		struct entry *e = &b->entry[i];

		if (e->phase != WAITS || must_wait(b, i))
			continue;
		e->phase = GOES;
		b->goes[b->going++] = e;
		e->item.on_done = on_applied;
		e->item.arg = e;
		sync_apply(&e->item);
	}
}

static void on_applied(struct sync_item *item, enum sync_result result)
{
	struct entry *e = magic_cast(entry, item->arg);
	struct batch *b = e->batch;

	e->phase = DONE;
	e->result = result;
	for (int k = 0; k < b->going; k++)
		if (b->goes[k] == e)
			b->goes[k--] = b->goes[--b->going];
	go_on(b);
	if (still_going(b))
		return;
	b->req->waiting = false;
	req_continue(b->req, reply_batch(b));
}

/* --- reading --- */

static void read_entry(struct req *req, struct entry *e, struct json_object *m)
{
	const struct session *s = req->session;

	e->result = SYNC_INVALID;
	e->phase = DONE;
	if (!sync_item_read(m, &e->item))
		return;
	if (!session_serves(s, e->item.tenant_id)) {
		e->foreign = true;
		e->item.fault = (struct sync_fault){ "tenant_id", "belongs to another tenant",
			"无权访问该租户" };
		return;
	}
	e->phase = WAITS;
	e->item.token_id = s->actor_id;
	e->item.ctx = session_context(s);
	e->item.leads = s->staff;
	e->item.ctx.trail = &req->trail;
}

/* {"events": […]} and nothing else, or a single message. */
void tickets_sync_check(struct req *req)
{
	const struct in_integration_tickets_sync *in = REQ_INPUT(req, integration_tickets_sync);

	if (!req->body) {
		req_note_invalid(req, "events", "required: a message, or events: a list of them",
			"必填：一条消息，或 events 列表");
		return;
	}
	if (!in->events)
		return;
	json_object_object_foreach(req->body, key, val)
	{
		(void)val;
		if (strcmp(key, "events") != 0)
			req_note_invalid(req, arena_printf(&req->arena, "%.100s", key),
				"unknown field", "未知字段");
	}
}

struct outcome *tickets_sync(struct req *req)
{
	struct json_object *list = REQ_INPUT(req, integration_tickets_sync)->events;
	struct batch *b;

	b = req_state_set(req, xcalloc(1, sizeof(*b)), "batch");
	req->cleanup = free_batch;
	b->req = req;
	b->single = !list;
	b->n = list ? json_object_array_length(list) : 1;
	b->entry = xcalloc(b->n, sizeof(*b->entry));
	for (size_t i = 0; i < b->n; i++) {
		magic_set(&b->entry[i], entry_magic);
		b->entry[i].batch = b;
		read_entry(
			req, &b->entry[i], list ? json_object_array_get_idx(list, i) : req->body);
	}
	go_on(b);
	if (!still_going(b))
		return reply_batch(b);
	req->waiting = true;
	return req_wait(req);
}
