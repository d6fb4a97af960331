/* SPDX-License-Identifier: Apache-2.0
 * Rate limits of a request: which buckets it takes tokens from, and the reply when one is empty. */
#include "inner.h"

#include <stdio.h>

struct outcome *req_too_often(struct req *req, enum limit kind, int64_t seconds)
{
	struct limit_rate r = limit_rate(kind);

	req->retry_after_s = seconds;
	return req_fail(req, ERR_RATE,
		arena_printf(&req->arena,
			"{\"limit\":\"%s\",\"per_second\":%lld,\"burst\":%lld,\"retry_after_"
			"seconds\":%lld,"
			"\"user_message\":\"%s\"}",
			limit_name(kind), (long long)r.per_s, (long long)r.burst,
			(long long)seconds,
			req->zh ? "请求过于频繁，请稍后重试"
				: "too many requests; try again in a moment"));
}

struct str req_user_key(struct req *req)
{
	char *key = arena_alloc(&req->arena, SESSION_KEY_MAX);

	return session_user_key(req->session, key);
}

struct str req_address_key(struct req *req)
{
	char *key = arena_alloc(&req->arena, HTTP_ADDRESS_MAX);

	http_address_key(req->http && req->http->peer ? req->http->peer : "", key);
	return str_of(key);
}

struct outcome *guard_refuse_connection(struct req *req, const char *limit)
{
	bool user = strcmp(limit, "user_connections") == 0;

	req->retry_after_s = 5;
	http_close_after(req->http);
	return req_fail(req, ERR_BUSY,
		arena_printf(&req->arena, "{\"limit\":\"%s\",\"user_message\":\"%s\"}", limit,
			req->zh ? user ? "该用户的连接数已达上限，请关闭不用的页面后重试"
				       : "该地址的连接数已达上限，请稍后重试"
			: user ? "too many connections of this user; close pages that are not used"
			       : "too many connections from this address; try again in a moment"));
}

/* Static pages and probes cost almost nothing, and a monitor must never be refused. */
static bool is_limited(const struct req *req)
{
	return req->route->flow && strncmp(req->route->path, "/api/", 5) == 0;
}

struct outcome *guard_address(struct req *req)
{
	int64_t wait = is_limited(req) ? limit_take(req->route->limit, req_address_key(req)) : 0;

	return wait ? req_too_often(req, req->route->limit, wait) : NULL;
}

int64_t limit_take_session(const struct session *s, enum limit *out_kind)
{
	char key[SESSION_KEY_MAX];
	int64_t wait = limit_take(LIMIT_USER, session_user_key(s, key));

	*out_kind = LIMIT_USER;
	if (wait || s->tenant_id == 1)
		return wait;
	snprintf(key, sizeof(key), "%lld", (long long)s->tenant_id);
	*out_kind = LIMIT_TENANT;
	return limit_take(LIMIT_TENANT, str_of(key));
}

struct outcome *guard_session(struct req *req)
{
	enum limit kind;
	int64_t wait = limit_take_session(req->session, &kind);

	if (req->http && !http_count_user(req->http, req_user_key(req)))
		return guard_refuse_connection(req, "user_connections");
	return wait ? req_too_often(req, kind, wait) : NULL;
}

const char *route_only_name(enum route_only only)
{
	static const char *const names[] = { [ONLY_ANY] = "",
		[ONLY_PERSON] = "person",
		[ONLY_CUSTOMER] = "customer",
		[ONLY_CUSTOMER_USER] = "customer_user",
		[ONLY_STAFF] = "staff",
		[ONLY_SERVICE] = "service",
		[ONLY_PROVIDER_SERVICE] = "provider_service" };

	return names[only];
}

bool guard_only(const struct session *s, enum route_only only)
{
	switch (only) {
	case ONLY_ANY:
		return true;
	case ONLY_PERSON:
		return s->session_id > 0;
	case ONLY_CUSTOMER:
		return !s->staff;
	case ONLY_CUSTOMER_USER:
		return s->actor == ACTOR_CUSTOMER;
	case ONLY_STAFF:
		return s->actor == ACTOR_STAFF;
	case ONLY_SERVICE:
		return s->actor == ACTOR_SERVICE;
	case ONLY_PROVIDER_SERVICE:
		return s->actor == ACTOR_SERVICE && s->tenant_id == 1;
	}
	return false;
}

const char *route_reach_name(enum route_reach reach)
{
	static const char *const names[] = {
		[REACH_ANY] = "", [REACH_WHOLE] = "whole", [REACH_ADMIN] = "admin"
	};

	return names[reach];
}

struct outcome *guard_reach(struct req *req, enum route_reach reach)
{
	const struct session *s = req->session;

	if (reach == REACH_ANY || (reach == REACH_WHOLE ? s->whole : s->admin))
		return NULL;
	if (reach == REACH_ADMIN)
		return req_forbid(req, NULL,
			"only for users with all permissions of an administrator, for all data",
			"须拥有管理员的全部权限，且数据范围不受限制", NULL);
	return req_forbid(req, NULL,
		"only users without a data scope may change what applies to the whole tenant or to "
		"all customers",
		"影响整个租户或所有客户的内容，须由范围不受限制的账号修改", NULL);
}

struct outcome *req_refuse_csrf(struct req *req)
{
	return req_forbid(req, "X-CSRF-Token",
		"must be the value of the csrf cookie, in a request from our own pages",
		"须为 csrf Cookie 的值，且请求来自本站页面", NULL);
}

struct outcome *req_guard_documents(struct req *req, int64_t tenant_id)
{
	if (req->session->tenant_id != tenant_id && !session_serves(req->session, tenant_id))
		return req_fail(req, ERR_FORBIDDEN, NULL);
	return guard_reach(req, tenant_id == req->session->tenant_id ? REACH_WHOLE : REACH_ANY);
}

struct outcome *guard_refuse_nobody(struct req *req)
{
	int64_t wait = limit_take(LIMIT_ADDRESS, req_address_key(req));

	return wait ? req_too_often(req, LIMIT_ADDRESS, wait) : req_fail(req, ERR_NO_AUTH, NULL);
}

struct outcome *guard_refuse_degraded(struct req *req)
{
	req->retry_after_s = 60;
	return req_fail(req, ERR_RATE,
		req->zh ? "{\"limit\":\"degraded_users\",\"user_message\":"
			  "\"系统降级运行中，同时服务的用户数已达上限\","
			  "\"suggested_actions\":[\"一分钟后重试\"]}"
			: "{\"limit\":\"degraded_users\",\"user_message\":\"the database is "
			  "unavailable, and the maximum number of users is already being served\","
			  "\"suggested_actions\":[\"try again in a minute\"]}");
}

/* The last address in the list is the one that our proxy saw. If that is a proxy of ours, too, the
 * address before it is the one that that proxy saw. */
static bool forwarded_for(const struct http_request *h, struct str v, char out[HTTP_ADDRESS_MAX])
{
	bool found = false;

	while (v.n) {
		size_t at = v.n;

		while (at > 0 && v.p[at - 1] != ',' && v.p[at - 1] != ' ')
			at--;
		if (at < v.n && !http_address_read((struct str){ v.p + at, v.n - at }, out))
			return found;
		found |= at < v.n;
		if (at < v.n && !http_is_proxy(h, out))
			return true;
		v.n = at ? at - 1 : 0;
	}
	return found;
}

/* All lines of the header as one list (RFC 9110, section 5.3): a proxy extends the client's line,
 * or adds a line after it. */
static struct str forwarded_list(struct http_request *h)
{
	char *all = arena_alloc(&h->arena, HTTP_HEAD_MAX);
	size_t n = 0;

	for (int i = 0; i < h->head.headers; i++) {
		struct str v = h->head.header[i].value;

		if (!str_case_is(h->head.header[i].name, "x-forwarded-for") ||
			n + v.n + 1 > HTTP_HEAD_MAX)
			continue;
		memcpy(all + n, v.p, v.n);
		n += v.n;
		all[n++] = ',';
	}
	return (struct str){ all, n };
}

bool guard_believe_proxy(struct http_request *h)
{
	char *from;

	if (!http_header_find(&h->head, "x-forwarded-for").p || !http_from_proxy(h))
		return true;
	from = arena_alloc(&h->arena, HTTP_ADDRESS_MAX);
	if (!forwarded_for(h, forwarded_list(h), from))
		return true;
	h->peer = from;
	return http_count_address(h);
}
