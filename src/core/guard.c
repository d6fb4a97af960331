/* SPDX-License-Identifier: Apache-2.0
 * Rate limits of a request: which buckets it takes tokens from, and the reply when one is empty. */
#include "inner.h"

#include <arpa/inet.h>

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
	const struct session *s = req->session;

	return str_of(arena_printf(&req->arena, "%s:%lld:%lld", actor_kind_name(s->actor),
		(long long)s->tenant_id, (long long)s->actor_id));
}

/* An IPv6 /64 counts as one address, because its owner can use all of it. */
static struct str address_key(struct req *req)
{
	const char *peer = req->http && req->http->peer ? req->http->peer : "";
	unsigned char a[16];
	char *out;

	if (!strchr(peer, ':') || inet_pton(AF_INET6, peer, a) != 1)
		return str_of(peer);
	out = arena_alloc(&req->arena, INET6_ADDRSTRLEN);
	memset(a + 8, 0, 8);
	inet_ntop(AF_INET6, a, out, INET6_ADDRSTRLEN);
	return str_of(out);
}

/* Static pages and probes cost almost nothing, and a monitor must never be refused. */
static bool is_limited(const struct req *req)
{
	return req->route->flow && strncmp(req->route->path, "/api/", 5) == 0;
}

struct outcome *guard_address(struct req *req)
{
	int64_t wait = is_limited(req) ? limit_take(req->route->limit, address_key(req)) : 0;

	return wait ? req_too_often(req, req->route->limit, wait) : NULL;
}

struct outcome *guard_session(struct req *req)
{
	const struct session *s = req->session;
	int64_t wait = limit_take(LIMIT_USER, req_user_key(req));

	if (wait)
		return req_too_often(req, LIMIT_USER, wait);
	if (s->tenant_id != 1)
		wait = limit_take(LIMIT_TENANT, str_of(req_int(req, s->tenant_id)));
	return wait ? req_too_often(req, LIMIT_TENANT, wait) : NULL;
}

const char *route_only_name(enum route_only only)
{
	static const char *const names[] = { [ONLY_ANY] = "",
		[ONLY_PERSON] = "person",
		[ONLY_CUSTOMER] = "customer",
		[ONLY_CUSTOMER_USER] = "customer_user",
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
	case ONLY_SERVICE:
		return s->actor == ACTOR_SERVICE;
	case ONLY_PROVIDER_SERVICE:
		return s->actor == ACTOR_SERVICE && s->tenant_id == 1;
	}
	return false;
}

struct outcome *guard_refuse_nobody(struct req *req)
{
	int64_t wait = limit_take(LIMIT_ADDRESS, address_key(req));

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

void guard_believe_proxy(struct http_request *h, const char *list)
{
	struct str v = http_header_find(&h->head, "x-forwarded-for");
	const char *at;
	unsigned char a[16];
	char *from;
	size_t n;

	if (!list || !*list || !v.n || !h->peer || !*h->peer)
		return;
	n = strlen(h->peer);
	at = strstr(list, h->peer);
	if (!at || (at > list && !strchr(", ", at[-1])) || (at[n] && !strchr(", ", at[n])))
		return;
	for (size_t i = v.n; i > 0; i--)
		if (v.p[i - 1] == ',' || v.p[i - 1] == ' ') {
			v = (struct str){ v.p + i, v.n - i };
			break;
		}
	from = arena_dup(&h->arena, v.p, v.n);
	if (inet_pton(AF_INET, from, a) == 1 || inet_pton(AF_INET6, from, a) == 1)
		h->peer = from;
}
