/* SPDX-License-Identifier: Apache-2.0
 * The proof that a mail domain is a customer's: a TXT record at _sladesk.<domain> with a value that
 * we chose. */
#include "base/clock.h"
#include "base/log.h"
#include "base/outage.h"
#include "core/flow.h"
#include "fetch/dns_txt.h"
#include "sso.h"
#include "flow_gen.h"
#include "sql_gen.h"

enum { STEP_FIND, STEP_ASK, STEP_STORE, STEP_ANSWER };
enum {
	C_ID,
	C_TENANT_ID,
	C_DOMAIN,
	C_NAME,
	C_VALUE,
	C_VERIFIED,
	C_VERIFIED_BY,
	C_VERIFIED_AT,
	C_CHECKED_AT,
	C_LAST_ERROR
};

struct proof {
	struct flow flow;
	const char *value;
};

static void on_texts(void *arg, const struct dns_txt *r)
{
	flow_bring(arg, (void *)(uintptr_t)r);
}

static struct proof *proof_of(struct flow *f)
{
	return req_state(f->req, proof);
}

static struct outcome *query(struct flow *f, int step, const struct sql_stmt *stmt)
{
	struct db_context ctx = session_context(f->req->session);

	return flow_query_as(f, step, stmt, &ctx);
}

/* A text of the row, in the arena. */
static const char *text_of(struct flow *f, int column)
{
	struct str v = db_text(f->rows, 0, column);

	return arena_dup(&f->req->arena, v.p, v.n);
}

static struct outcome *find(struct flow *f)
{
	flow_param_int(f, 0, REQ_INPUT(f->req, sso_domain_verify)->domain_id);
	return query(f, STEP_ASK, &sql_sso_domain_get);
}

static struct outcome *ask(struct flow *f)
{
	struct proof *p = proof_of(f);

	if (f->error != DB_OK)
		return req_fail_db(f->req, f->error);
	if (!PQntuples(f->rows))
		return req_fail(f->req, ERR_NOT_FOUND, NULL);
	p->value = text_of(f, C_VALUE);
	dns_txt_ask(text_of(f, C_NAME), on_texts, f);
	return flow_wait(f, STEP_STORE);
}

/* Why R does not prove the domain, as a word of the API; NULL if it does. */
static const char *fault_of(const struct dns_txt *r, const char *value)
{
	if (!r->answered) {
		outage_note(LOG_WARN, "dns", "no answer about a mail domain err=%s", r->error);
		return "no_answer";
	}
	outage_back("dns");
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->found[i], value) == 0)
			return NULL;
	return r->n ? "other_value" : "no_record";
}

static struct outcome *store(struct flow *f)
{
	const char *error = fault_of(f->brought, proof_of(f)->value);

	flow_param_int(f, 0, REQ_INPUT(f->req, sso_domain_verify)->domain_id);
	flow_param_int(f, 1, clock_now_us());
	flow_param_text(f, 2, error);
	return query(f, STEP_ANSWER, &sql_sso_domain_checked);
}

static void add_text(struct buf *b, const char *name, const PGresult *rows, int column)
{
	struct str v = db_text(rows, 0, column);

	buf_addf(b, ",\"%s\":", name);
	if (db_is_null(rows, 0, column))
		buf_adds(b, "null");
	else
		buf_add_json(b, v.p, v.n);
}

static struct outcome *answer(struct flow *f)
{
	struct buf data = { 0 };

	if (f->error == DB_CONFLICT) {
		req_note_invalid(f->req, "domain_id", "another customer has proved this domain",
			"该域名已由其他客户证明归属");
		return req_invalid(f->req);
	}
	if (f->error != DB_OK)
		return req_fail_db(f->req, f->error);
	if (!PQntuples(f->rows))
		return req_fail(f->req, ERR_NOT_FOUND, NULL);
	buf_addf(&data, "{\"id\":%lld", (long long)db_int(f->rows, 0, C_ID));
	add_text(&data, "domain", f->rows, C_DOMAIN);
	buf_addf(&data, ",\"verified\":%s",
		db_is_null(f->rows, 0, C_VERIFIED_AT) ? "false" : "true");
	add_text(&data, "verified_by", f->rows, C_VERIFIED_BY);
	add_text(&data, "last_error", f->rows, C_LAST_ERROR);
	add_text(&data, "record_name", f->rows, C_NAME);
	add_text(&data, "record_value", f->rows, C_VALUE);
	buf_addc(&data, '}');
	return req_reply_take(f->req, 200, &data);
}

static const struct flow_step steps[] = {
	[STEP_FIND] = { "find", find },
	[STEP_ASK] = { "ask", ask },
	[STEP_STORE] = { "store", store },
	[STEP_ANSWER] = { "answer", answer },
};
static const struct flow_kind domain_proof = { .name = "domain_proof", .steps = steps };

struct outcome *sso_domain_verify(struct req *req)
{
	struct proof *p = req_state_new(req, proof);

	return flow_answer(&p->flow, &domain_proof, req);
}
