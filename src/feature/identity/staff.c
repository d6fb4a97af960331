/* SPDX-License-Identifier: Apache-2.0
 * Which customers a member of the provider's staff serves. */
#include "account.h"
#include "base/clock.h"
#include "base/json.h"
#include "identity.h"
#include "flow_gen.h"
#include "sql_gen.h"

void staff_customers_check(struct req *req)
{
	const struct in_identity_staff_customers_put *in =
		REQ_INPUT(req, identity_staff_customers_put);

	if (in->serves_all == (json_get(req->body, "tenant_ids") != NULL))
		req_note_invalid(req, "tenant_ids", "either this list, or serves_all",
			"应给出此列表，或 serves_all 为 true，二者择一");
}

static struct outcome *on_served(struct req *req, enum db_error error, const PGresult *rows)
{
	struct str fault;

	if (error != DB_OK)
		return req_fail_db(req, error);
	if (db_is_null(rows, 0, 0))
		return req_reply(req, 200, "null", 4);
	fault = db_text(rows, 0, 0);
	return str_is(fault, "staff") ? req_fail(req, ERR_NOT_FOUND, NULL)
				      : user_refuse_rights(req, arena_printf(&req->arena, "%.*s",
									(int)fault.n, fault.p));
}

struct outcome *staff_customers_put(struct req *req)
{
	const struct in_identity_staff_customers_put *in =
		REQ_INPUT(req, identity_staff_customers_put);
	size_t n = in->tenant_ids ? json_object_array_length(in->tenant_ids) : 0;
	const char **p = arena_alloc(&req->arena, 6 * sizeof(*p));
	struct buf ids = { 0 };

	buf_addc(&ids, '{');
	for (size_t i = 0; i < n; i++)
		buf_addf(&ids, "%s%lld", i ? "," : "",
			(long long)json_object_get_int64(
				json_object_array_get_idx(in->tenant_ids, i)));
	buf_addc(&ids, '}');
	p[0] = user_giver(req);
	p[1] = req_int(req, in->staff_id);
	p[2] = in->serves_all ? "true" : "false";
	p[3] = arena_dup(&req->arena, ids.p, ids.n);
	p[4] = req_int(req, clock_now_us());
	p[5] = req->session->name;
	buf_free(&ids);
	return req_query_job(req, &sql_staff_serve, p, on_served);
}
