/* SPDX-License-Identifier: Apache-2.0
 * Cookies carry a browser's session out of reach of scripts. SameSite=Strict, the Origin check, and
 * a token that only our own pages can repeat keep other sites from using it. */
#include "inner.h"
#include "crypto/crypto.h"

/* The prefixes of RFC 6265bis, section 4.1.3: the browser refuses such a cookie from another
 * host. */
static const char *const plain_names[] = { "sd_access", "sd_refresh", "sd_csrf", "sd_login",
	"sd_device" };
static const char *const secure_names[] = { "__Host-sd_access", "__Secure-sd_refresh",
	"__Host-sd_csrf", "__Host-sdlogin", "__Host-sd_device" };
static bool secure;

void cookies_init(bool over_tls)
{
	secure = over_tls;
}

static const char *name_of(enum cookie c)
{
	return secure ? secure_names[c] : plain_names[c];
}

struct str http_cookie(const struct http_head *h, enum cookie which)
{
	struct str name = str_of(name_of(which)), found = { 0 };

	for (int i = 0; i < h->headers; i++) {
		const char *p = h->header[i].value.p, *end = p + h->header[i].value.n;

		if (!str_case_is(h->header[i].name, "cookie"))
			continue;
		while (p < end) {
			const char *semi = memchr(p, ';', (size_t)(end - p));
			const char *stop = semi ? semi : end;

			while (p < stop && *p == ' ')
				p++;
			if ((size_t)(stop - p) > name.n && memcmp(p, name.p, name.n) == 0 &&
				p[name.n] == '=') {
				if (found.p) /* two cookies of this name: one was planted */
					return (struct str){ 0 };
				p += name.n + 1;
				found = (struct str){ p, (size_t)(stop - p) };
			}
			p = semi ? semi + 1 : end;
		}
	}
	return found;
}

bool cookie_is_token(struct req *req, enum cookie which, struct str v)
{
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			(c && strchr("-._~+/=", c)))
			continue;
		req_note_invalid(req, name_of(which), "a token as it was set", "应为所设置的令牌");
		return false;
	}
	return true;
}

bool http_origin_is_ours(const struct http_head *h)
{
	struct str o = http_header_find(h, "origin"),
		   scheme = secure ? STR("https://") : STR("http://"),
		   port = secure ? STR(":443") : STR(":80"), host = h->host;

	if (!o.p)
		return true;
	/* an origin leaves out the port that its scheme implies */
	if (host.n > port.n && memcmp(host.p + host.n - port.n, port.p, port.n) == 0)
		host.n -= port.n;
	return o.n == scheme.n + host.n && memcmp(o.p, scheme.p, scheme.n) == 0 &&
	       strncasecmp(o.p + scheme.n, host.p, host.n) == 0;
}

bool http_csrf_is_right(const struct http_head *h)
{
	struct str cookie = http_cookie(h, COOKIE_CSRF),
		   repeated = http_header_find(h, "x-csrf-token");

	return http_origin_is_ours(h) && cookie.n == CSRF_CHARS && repeated.n == CSRF_CHARS &&
	       crypto_equal(cookie.p, repeated.p, CSRF_CHARS);
}

void cookie_add(struct buf *headers, enum cookie which, const char *value, int64_t max_age_s)
{
	buf_addf(headers, "Set-Cookie: %s=%s; Path=%s; Max-Age=%lld; SameSite=Strict%s%s\r\n",
		name_of(which), value, which == COOKIE_REFRESH ? "/api/v1/auth" : "/",
		(long long)max_age_s, which == COOKIE_CSRF ? "" : "; HttpOnly",
		secure ? "; Secure" : "");
}

void cookie_add_login(
	struct buf *headers, const char *value, const char *path, bool from_other_site)
{
	buf_addf(headers, "Set-Cookie: %s=%s; Path=%s; Max-Age=600; HttpOnly%s%s\r\n",
		name_of(COOKIE_LOGIN), value, secure ? "/" : path,
		!from_other_site ? "; SameSite=Lax"
		: secure         ? "; SameSite=None"
				 : "",
		secure ? "; Secure" : "");
}
