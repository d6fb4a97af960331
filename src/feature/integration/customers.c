/* SPDX-License-Identifier: Apache-2.0
 * Customers, contracts and contacts from a source system: pushed to us, or pulled every quarter of
 * an hour. The same data twice changes nothing. Rejected items are listed with the reason, and the
 * others are stored. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/outage.h"
#include "core/flow.h"
#include "core/request.h"
#include "crypto/field.h"
#include "config/options.h"
#include "customers_read.h"
#include "integration.h"
#include "integration_http.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

/* Contacts' mail addresses and phone numbers are stored encrypted, for the customer's contact. */
static void seal_contacts(struct json_object *o, int64_t tenant_id)
{
	static const struct {
		const char *name;
		enum field_column column;
	} sealed[] = { { "email", FIELD_CONTACTS_EMAIL }, { "phone", FIELD_CONTACTS_PHONE } };
	struct json_object *list = json_get(o, "contacts");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *c = json_object_array_get_idx(list, i);
		const char *email = json_get_string(c, "email");
		char index[FIELD_INDEX_MAX];

		if (email) {
			field_index("email", tenant_id, str_of(email), index);
			json_object_object_add(c, "email_index", json_object_new_string(index));
		}
		for (size_t k = 0; k < ARRAY_LEN(sealed); k++) {
			const char *v = json_get_string(c, sealed[k].name);
			struct buf b = { 0 };

			if (!v)
				continue;
			field_seal_at(&b, sealed[k].column, tenant_id,
				json_get_string(c, "external_id"), str_of(v),
				clock_now_us() / US_PER_S);
			json_object_object_add(
				c, sealed[k].name, json_object_new_string_len(b.p, (int)b.n));
			buf_free(&b);
		}
	}
}

/* What customer/ids is asked: [{i, external_id, code}]. */
static void add_names(struct buf *b, const struct delivery *d)
{
	buf_addc(b, '[');
	for (size_t i = 0; i < json_object_array_length(d->good); i++) {
		struct json_object *o = json_object_array_get_idx(d->good, i);
		const char *id = json_get_string(o, "external_id"),
			   *code = json_get_string(o, "code");

		buf_addf(b, "%s{\"i\":%zu,\"external_id\":", i ? "," : "", i);
		buf_add_json(b, id, strlen(id));
		if (code) {
			buf_adds(b, ",\"code\":");
			buf_add_json(b, code, strlen(code));
		}
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

/* Append the customers to B as customers_take wants them: with their ids of customer/ids, and their
 * contacts encrypted. */
static void add_sealed(struct buf *b, const struct delivery *d, const PGresult *rows)
{
	struct json_object *copy = NULL;

	bug_on(json_object_deep_copy(d->good, &copy, NULL) != 0);
	for (int i = 0; i < PQntuples(rows); i++) {
		struct json_object *o = json_object_array_get_idx(copy, (size_t)db_int(rows, i, 0));
		int64_t tenant_id = db_int(rows, i, 1);

		json_object_object_add(o, "tenant_id", json_object_new_int64(tenant_id));
		seal_contacts(o, tenant_id);
	}
	json_write(b, copy);
	json_object_put(copy);
}

static void count_rows(struct delivery *d, const PGresult *rows, size_t *created, size_t *changed)
{
	for (int i = 0; i < PQntuples(rows); i++) {
		struct json_object *o =
			json_object_array_get_idx(d->good, (size_t)db_int(rows, i, 0));

		*created += db_int(rows, i, 2) != 0;
		*changed += db_int(rows, i, 3) != 0;
		if (!db_is_null(rows, i, 4))
			delivery_reject(d, json_get_string(o, "external_id"), "code",
				str_is(db_text(rows, i, 4), "taken")
					? "already used by another customer"
					: "required for a new customer");
	}
}

/* --- pushed --- */

#define TRIES 5

struct pushed {
	struct delivery d;
	int tries;
	size_t taken, created, changed;
};

static void free_customers(struct req *req)
{
	delivery_free(&req_state(req, pushed)->d);
}

static struct outcome *on_rejected(struct req *req, enum db_error error, const PGresult *rows)
{
	struct pushed *p = req_state(req, pushed);
	const char *data;

	(void)rows;
	if (error != DB_OK)
		return req_fail_db(req, error);
	data = arena_printf(&req->arena,
		"{\"received\":%zu,\"taken\":%zu,\"created\":%zu,\"changed\":%zu,\"rejected\":%s}",
		p->d.n, p->taken, p->created, p->changed, delivery_rejects(&p->d));
	return req_reply(req, 200, data, strlen(data));
}

static struct outcome *ask_ids(struct req *req);

static struct outcome *on_taken(struct req *req, enum db_error error, const PGresult *rows)
{
	struct pushed *p = req_state(req, pushed);
	const char **q = arena_alloc(&req->arena, 3 * sizeof(*q));

	if (error == DB_RETRY && p->tries++ < TRIES) /* another delivery has created one of them */
		return ask_ids(req);
	if (error != DB_OK)
		return req_fail_db(req, error);
	p->taken = (size_t)PQntuples(rows);
	count_rows(&p->d, rows, &p->created, &p->changed);
	if (p->created)
		session_forget_all(); /* staff who serve all customers now serve one more */
	for (int i = 0; i < PQntuples(rows); i++)
		p->taken -= !db_is_null(rows, i, 4);
	if (!p->d.rejected)
		return on_rejected(req, DB_OK, NULL);
	q[0] = "push";
	q[1] = delivery_rejects(&p->d);
	q[2] = req_int(req, clock_now_us());
	return req_query_job(req, &sql_customer_reject, q, on_rejected);
}

static struct outcome *on_ids(struct req *req, enum db_error error, const PGresult *rows)
{
	struct pushed *p = req_state(req, pushed);
	const char **q = arena_alloc(&req->arena, 2 * sizeof(*q));
	struct buf docs = { 0 };

	if (error != DB_OK)
		return req_fail_db(req, error);
	add_sealed(&docs, &p->d, rows);
	q[0] = arena_dup(&req->arena, docs.p, docs.n);
	q[1] = req_int(req, clock_now_us());
	buf_free(&docs);
	return req_query_job(req, &sql_customer_take, q, on_taken);
}

static struct outcome *ask_ids(struct req *req)
{
	struct pushed *p = req_state(req, pushed);
	const char **q = arena_alloc(&req->arena, sizeof(*q));
	struct buf names = { 0 };

	add_names(&names, &p->d);
	q[0] = arena_dup(&req->arena, names.p, names.n);
	buf_free(&names);
	return req_query_job(req, &sql_customer_ids, q, on_ids);
}

struct outcome *customers_sync(struct req *req)
{
	struct pushed *p = req_state_new(req, pushed);

	req->cleanup = free_customers;
	delivery_read(&p->d, REQ_INPUT(req, integration_customers_sync)->customers);
	return ask_ids(req);
}

/* --- pulled --- */

enum { FETCH, ASK_IDS, TAKE, COUNT, REJECTED };

static struct {
	struct flow flow;
	struct job_run *job;
	enum job_result result;
	struct delivery d;
	struct buf docs;
} pull;

static struct outcome *give_up(struct flow *f)
{
	pull.result = JOB_FAILED;
	return flow_end(f);
}

static struct outcome *step_fetch(struct flow *f)
{
	if (!field_keys_ready())
		return give_up(f);
	integration_http_get(options.integration_customers_url,
		options.integration_customers_token_file, flow_on_fetched, f);
	return flow_wait(f, ASK_IDS);
}

static struct outcome *step_ask_ids(struct flow *f)
{
	const struct fetch_result *r = f->fetched;
	struct json_error err;
	struct json_object *o = r->ok ? json_read(r->body, r->body_n, &err) : NULL;

	if (!delivery_is_list(json_get(o, "customers"))) {
		outage_note(LOG_ERROR, "the source of customers", "%s",
			r->ok ? "not a list of 1 to 200 customers" : r->error);
		json_object_put(o);
		return give_up(f);
	}
	outage_back("the source of customers");
	delivery_read(&pull.d, json_get(o, "customers"));
	json_object_put(o);
	add_names(&pull.docs, &pull.d);
	flow_param_text(f, 0, buf_cstr(&pull.docs));
	return flow_query(f, TAKE, &sql_customer_ids);
}

static struct outcome *not_stored(struct flow *f)
{
	db_log(LOG_ERROR, NULL, f->error, "customers: pulled but not stored err=%s",
		db_error_name(f->error));
	return give_up(f);
}

static struct outcome *step_take(struct flow *f)
{
	if (f->error != DB_OK)
		return not_stored(f);
	pull.docs.n = 0;
	add_sealed(&pull.docs, &pull.d, f->rows);
	flow_param_text(f, 0, buf_cstr(&pull.docs));
	flow_param_int(f, 1, clock_now_us());
	return flow_query(f, COUNT, &sql_customer_take);
}

static struct outcome *step_count(struct flow *f)
{
	size_t created = 0, changed = 0;

	if (f->error != DB_OK)
		return not_stored(f);
	count_rows(&pull.d, f->rows, &created, &changed);
	log_info(NULL, "customers pulled n=%zu created=%zu changed=%zu rejected=%zu", pull.d.n,
		created, changed, pull.d.rejected);
	if (created)
		session_forget_all();
	if (!pull.d.rejected)
		return flow_end(f);
	flow_param_text(f, 0, "pull");
	flow_param_text(f, 1, delivery_rejects(&pull.d));
	flow_param_int(f, 2, clock_now_us());
	return flow_query(f, REJECTED, &sql_customer_reject);
}

static struct outcome *step_rejected(struct flow *f)
{
	if (f->error != DB_OK)
		db_log(LOG_ERROR, NULL, f->error, "customers: rejected items not stored err=%s",
			db_error_name(f->error));
	return flow_end(f);
}

static const struct flow_step steps[] = {
	[FETCH] = { "fetch", step_fetch },
	[ASK_IDS] = { "ask_ids", step_ask_ids },
	[TAKE] = { "take", step_take },
	[COUNT] = { "count", step_count },
	[REJECTED] = { "rejected", step_rejected },
};

static void on_end(struct flow *f)
{
	(void)f;
	delivery_free(&pull.d);
	buf_free(&pull.docs);
	job_end(pull.job, pull.result);
}

static const struct flow_kind pull_flow = { "customers", steps, on_end };

int64_t customers_pull_every(void)
{
	return options.integration_customers_url[0] ? options.integration_customers_every_s * 1000
						    : 0;
}

void customers_pull_run(struct job_run *run)
{
	pull.job = run;
	pull.result = JOB_DONE;
	flow_start(&pull.flow, &pull_flow, 0);
}

void customers_stop(void)
{
	flow_stop(&pull.flow);
}
