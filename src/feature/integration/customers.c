/* SPDX-License-Identifier: Apache-2.0
 * Customers, contracts and contacts from a source system: pushed to us, or pulled every quarter of
 * an hour. The same data twice changes nothing. Rejected items are listed with the reason, and the
 * others are stored. */
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/log.h"
#include "core/contract.h"
#include "core/request.h"
#include "crypto/field.h"
#include "config/options.h"
#include "integration.h"
#include "integration_http.h"
#include "flow_gen.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define CUSTOMERS_MAX 200
#define PARTS_MAX 500

/* One delivery: the valid items, which items they are, and the rejected ones. */
struct delivery {
	struct json_object *good;
	size_t good_at[CUSTOMERS_MAX], n;
	struct buf rejects; /* [{external_id, field, rule}, …] */
	size_t rejected;
	const char *source;
};

/* --- verification --- */

static void reject(struct delivery *d, const char *id, const char *field, const char *rule)
{
	buf_adds(&d->rejects, d->rejected++ ? ",{\"external_id\":" : "[{\"external_id\":");
	buf_add_json(&d->rejects, id ? id : "", id ? strlen(id) : 0);
	buf_addf(&d->rejects, ",\"field\":\"%s\",\"rule\":\"%s\"}", field, rule);
}

static bool text_fits(struct json_object *o, const char *key, size_t min, size_t max)
{
	struct json_object *v = json_get(o, key);
	size_t n;

	if (!v)
		return min == 0;
	n = json_object_is_type(v, json_type_string) ? utf8_length(json_str(v).p, json_str(v).n)
						     : 0;
	return json_object_is_type(v, json_type_string) && !text_is_blank(json_str(v)) && n <= max;
}

static bool date_fits(struct json_object *o, const char *key)
{
	struct json_object *v = json_get(o, key);
	int64_t days;

	return !v || (json_object_is_type(v, json_type_string) && date_parse(json_str(v), &days));
}

static bool bool_fits(struct json_object *o, const char *key)
{
	return !json_get(o, key) || json_object_is_type(json_get(o, key), json_type_boolean);
}

static bool code_fits(struct json_object *o)
{
	const char *s = json_get_string(o, "code");

	return !json_get(o, "code") ||
	       (s && s[0] && s[0] != '-' && strlen(s) <= 63 &&
		       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(s) &&
		       strspn(s, "0123456789") < strlen(s)); /* that would be a number */
}

/* Returns NULL, or the field that is invalid. */
static const char *contract_broken(struct json_object *c)
{
	const char *status = json_get_string(c, "status"), *from = json_get_string(c, "starts_on"),
		   *to = json_get_string(c, "ends_on");

	if (!text_fits(c, "external_id", 1, 100))
		return "contracts.external_id";
	if (!text_fits(c, "name", 1, 200))
		return "contracts.name";
	if (json_get(c, "status") &&
		(!status || (strcmp(status, "draft") != 0 && strcmp(status, "active") != 0 &&
				    strcmp(status, "ended") != 0)))
		return "contracts.status";
	if (!date_fits(c, "starts_on"))
		return "contracts.starts_on";
	return !date_fits(c, "ends_on") || (from && to && strcmp(to, from) < 0)
		       ? "contracts.ends_on"
		       : NULL;
}

static const char *contact_broken(struct json_object *c)
{
	const char *mail = json_get_string(c, "email"), *phone = json_get_string(c, "phone");

	if (!text_fits(c, "external_id", 1, 100))
		return "contacts.external_id";
	if (!text_fits(c, "name", 1, 100))
		return "contacts.name";
	if (!text_fits(c, "title", 0, 100))
		return "contacts.title";
	if (!text_fits(c, "email", 0, 254) || (mail && !text_is_mail(mail)))
		return "contacts.email";
	if (!text_fits(c, "phone", 0, 40) || (phone && !format_rule(FORMAT_PHONE)->fits(phone)))
		return "contacts.phone";
	return bool_fits(c, "vip") ? NULL : "contacts.vip";
}

static const char *parts_broken(
	struct json_object *o, const char *key, const char *(*broken)(struct json_object *))
{
	struct json_object *list = json_get(o, key);
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	if (list && (!json_object_is_type(list, json_type_array) || n > PARTS_MAX))
		return key;
	for (size_t i = 0; i < n; i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		const char *why = json_object_is_type(one, json_type_object) ? broken(one) : key;

		if (why)
			return why;
	}
	return NULL;
}

static const char *customer_broken(struct json_object *o)
{
	const char *lang = json_get_string(o, "lang"), *why;

	if (!json_object_is_type(o, json_type_object) || !text_fits(o, "external_id", 1, 100))
		return "external_id";
	if (!text_fits(o, "name", 1, 200))
		return "name";
	if (!code_fits(o))
		return "code";
	if (json_get(o, "lang") && (!lang || (strcmp(lang, "zh") != 0 && strcmp(lang, "en") != 0)))
		return "lang";
	if (!bool_fits(o, "vip"))
		return "vip";
	if (!text_fits(o, "customer_success_manager", 0, 100))
		return "customer_success_manager";
	if (!text_fits(o, "hotline", 0, 100))
		return "hotline";
	why = parts_broken(o, "contracts", contract_broken);
	return why ? why : parts_broken(o, "contacts", contact_broken);
}

/* Contacts' mail addresses and phone numbers are stored encrypted. */
static void seal_contacts(struct json_object *o)
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

static void read_delivery(struct delivery *d, struct json_object *list, const char *source)
{
	d->source = source;
	d->n = json_object_array_length(list);
	d->good = json_object_new_array();
	for (size_t i = 0; i < d->n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *why = customer_broken(o);

		if (why) {
			reject(d,
				json_object_is_type(o, json_type_object)
					? json_get_string(o, "external_id")
					: NULL,
				why, "does not match the API description");
			continue;
		}
		d->good_at[json_object_array_length(d->good)] = i;
		seal_contacts(o);
		json_object_array_add(d->good, json_object_get(o));
	}
}

static bool is_list(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) && json_object_array_length(list) >= 1 &&
	       json_object_array_length(list) <= CUSTOMERS_MAX;
}

static void count_rows(struct delivery *d, const PGresult *rows, size_t *created, size_t *changed)
{
	for (int i = 0; i < PQntuples(rows); i++) {
		struct json_object *o =
			json_object_array_get_idx(d->good, (size_t)db_int(rows, i, 0));

		*created += db_int(rows, i, 2) != 0;
		*changed += db_int(rows, i, 3) != 0;
		if (!db_is_null(rows, i, 4))
			reject(d, json_get_string(o, "external_id"), "code",
				str_is(db_text(rows, i, 4), "taken")
					? "already used by another customer"
					: "required for a new customer");
	}
}

static const char *rejects_text(struct delivery *d)
{
	if (d->rejected)
		buf_addc(&d->rejects, ']');
	return d->rejected ? buf_cstr(&d->rejects) : "[]";
}

/* --- pushed --- */

struct pushed {
	struct delivery d;
	size_t taken, created, changed;
};

static void free_customers(struct req *req)
{
	struct pushed *p = req_state(req, pushed);

	json_object_put(p->d.good);
	buf_free(&p->d.rejects);
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
		p->d.n, p->taken, p->created, p->changed, buf_cstr(&p->d.rejects));
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
	q[0] = p->d.source;
	q[1] = rejects_text(&p->d);
	q[2] = req_int(req, clock_now_us());
	if (!p->d.rejected) {
		buf_adds(&p->d.rejects, "[]");
		return on_rejected(req, DB_OK, NULL);
	}
	return req_query_job(req, &sql_customer_reject, q, on_rejected);
}

struct outcome *customers_sync(struct req *req)
{
	struct pushed *p = req_state_new(req, pushed);
	const char **q = arena_alloc(&req->arena, 2 * sizeof(*q));

	req->cleanup = free_customers;
	read_delivery(&p->d, REQ_INPUT(req, integration_customers_sync)->customers, "push");
	q[0] = req_json_text(req, p->d.good);
	q[1] = req_int(req, clock_now_us());
	return req_query_job(req, &sql_customer_take, q, on_taken);
}

/* --- pulled --- */

static struct {
	struct job_run *run; /* NULL: no pull is in progress */
	struct delivery d;
	struct buf docs;
	bool stopped;
} customers_pull;

static void end_pull(enum job_result result)
{
	struct job_run *run = customers_pull.run;

	json_object_put(customers_pull.d.good);
	buf_free(&customers_pull.d.rejects);
	buf_free(&customers_pull.docs);
	customers_pull.d = (struct delivery){ 0 };
	customers_pull.run = NULL;
	job_end(run, result);
}

static void on_pull_rejected(struct job_run *run, enum db_error error, const PGresult *rows)
{
	(void)run;
	(void)rows;
	if (error != DB_OK)
		log_error(
			NULL, "customers: rejected items not stored err=%s", db_error_name(error));
	end_pull(JOB_DONE);
}

static void on_pull_taken(struct job_run *run, enum db_error error, const PGresult *rows)
{
	size_t created = 0, changed = 0;

	if (error != DB_OK) {
		log_error(NULL, "customers: pulled but not stored err=%s", db_error_name(error));
		end_pull(JOB_FAILED);
		return;
	}
	count_rows(&customers_pull.d, rows, &created, &changed);
	log_info(NULL, "customers pulled n=%zu created=%zu changed=%zu rejected=%zu",
		customers_pull.d.n, created, changed, customers_pull.d.rejected);
	if (created)
		session_forget_all();
	if (!customers_pull.d.rejected) {
		end_pull(JOB_DONE);
		return;
	}
	job_param_text(run, 0, "pull");
	job_param_text(run, 1, rejects_text(&customers_pull.d));
	job_param_int(run, 2, clock_now_us());
	job_query(run, &sql_customer_reject, on_pull_rejected);
}

static void on_pulled(void *arg, const struct fetch_result *r)
{
	struct json_error err;
	struct json_object *o = r->ok ? json_read(r->body, r->body_n, &err) : NULL;

	(void)arg;
	if (customers_pull.stopped || !is_list(json_get(o, "customers"))) {
		if (!customers_pull.stopped)
			log_error(NULL, "customers: not pulled err=%s",
				r->ok ? "not a list of 1 to 200 customers" : r->error);
		json_object_put(o);
		end_pull(JOB_FAILED);
		return;
	}
	read_delivery(&customers_pull.d, json_get(o, "customers"), "pull");
	json_write(&customers_pull.docs, customers_pull.d.good);
	json_object_put(o);
	job_param_text(customers_pull.run, 0, buf_cstr(&customers_pull.docs));
	job_param_int(customers_pull.run, 1, clock_now_us());
	job_query(customers_pull.run, &sql_customer_take, on_pull_taken);
}

int64_t customers_pull_every(void)
{
	return options.integration_customers_url[0] ? options.integration_customers_every_s * 1000
						    : 0;
}

void customers_pull_run(struct job_run *run)
{
	if (!field_keys_ready()) {
		job_end(run, JOB_FAILED);
		return;
	}
	customers_pull.run = run;
	integration_http_get(options.integration_customers_url,
		options.integration_customers_token_file, on_pulled, NULL);
}

void customers_stop(void)
{
	customers_pull.stopped = true;
}
