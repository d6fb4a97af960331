/* SPDX-License-Identifier: Apache-2.0
 * Customers, contracts and contacts from a source system: pushed to us, or pulled every quarter of
 * an hour. The same data twice changes nothing. Rejected items are listed with the reason, and the
 * others are stored. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
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

/* Contacts' mail addresses and phone numbers are stored encrypted. */
static void seal_contacts_of(struct json_object *o)
{
	static const char *const sealed[] = { "email", "phone" };
	struct json_object *list = json_get(o, "contacts");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < ARRAY_LEN(sealed); k++) {
			struct json_object *c = json_object_array_get_idx(list, i);
			const char *v = json_get_string(c, sealed[k]);
			struct buf b = { 0 };

			if (!v)
				continue;
			field_seal(&b, sealed[k], str_of(v), clock_now_us() / US_PER_S);
			json_object_object_add(
				c, sealed[k], json_object_new_string_len(b.p, (int)b.n));
			buf_free(&b);
		}
}

static void seal_contacts(struct json_object *customers)
{
	for (size_t i = 0; i < json_object_array_length(customers); i++)
		seal_contacts_of(json_object_array_get_idx(customers, i));
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

struct pushed {
	struct delivery d;
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

static struct outcome *on_taken(struct req *req, enum db_error error, const PGresult *rows)
{
	struct pushed *p = req_state(req, pushed);
	const char **q = arena_alloc(&req->arena, 3 * sizeof(*q));

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

struct outcome *customers_sync(struct req *req)
{
	struct pushed *p = req_state_new(req, pushed);
	const char **q = arena_alloc(&req->arena, 2 * sizeof(*q));

	req->cleanup = free_customers;
	delivery_read(&p->d, REQ_INPUT(req, integration_customers_sync)->customers);
	seal_contacts(p->d.good);
	q[0] = req_json_text(req, p->d.good);
	q[1] = req_int(req, clock_now_us());
	return req_query_job(req, &sql_customer_take, q, on_taken);
}

/* --- pulled --- */

enum { FETCH, TAKE, COUNT, REJECTED };

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
	return flow_wait(f, TAKE);
}

static struct outcome *step_take(struct flow *f)
{
	const struct fetch_result *r = f->fetched;
	struct json_error err;
	struct json_object *o = r->ok ? json_read(r->body, r->body_n, &err) : NULL;

	if (!delivery_is_list(json_get(o, "customers"))) {
		log_error(NULL, "customers: not pulled err=%s",
			r->ok ? "not a list of 1 to 200 customers" : r->error);
		json_object_put(o);
		return give_up(f);
	}
	delivery_read(&pull.d, json_get(o, "customers"));
	seal_contacts(pull.d.good);
	json_write(&pull.docs, pull.d.good);
	json_object_put(o);
	flow_param_text(f, 0, buf_cstr(&pull.docs));
	flow_param_int(f, 1, clock_now_us());
	return flow_query(f, COUNT, &sql_customer_take);
}

static struct outcome *step_count(struct flow *f)
{
	size_t created = 0, changed = 0;

	if (f->error != DB_OK) {
		log_error(NULL, "customers: pulled but not stored err=%s", db_error_name(f->error));
		return give_up(f);
	}
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
		log_error(NULL, "customers: rejected items not stored err=%s",
			db_error_name(f->error));
	return flow_end(f);
}

static const struct flow_step steps[] = {
	[FETCH] = { "fetch", step_fetch },
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
