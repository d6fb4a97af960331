/* SPDX-License-Identifier: Apache-2.0
 * Cookies: read only if the name occurs once, and without authority for pages of other sites. */
#include "core/inner.h"
#include "unit.h"

#include <string.h>

static struct http_head head_of(const char *headers)
{
	static char text[4096];
	struct http_head h;

	snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: desk.example\r\n%s\r\n", headers);
	CU_ASSERT_TRUE(http_parse_head(text, strlen(text), &h) > 0);
	return h;
}

static bool found(const char *headers, const char *value)
{
	struct http_head h = head_of(headers);

	return value ? str_is(http_cookie(&h, COOKIE_ACCESS), value)
		     : !http_cookie(&h, COOKIE_ACCESS).p;
}

static void finding(void)
{
	cookies_init(false);
	CU_ASSERT_TRUE(found("", NULL));
	CU_ASSERT_TRUE(found("Cookie: sd_access=a.b-c\r\n", "a.b-c"));
	CU_ASSERT_TRUE(found("Cookie: x=1; sd_access=t; y=2\r\n", "t"));
	CU_ASSERT_TRUE(found("cookie:   sd_access=\r\n", ""));
	CU_ASSERT_TRUE(found("Cookie: x=1\r\nCookie: sd_access=t\r\n", "t"));
	CU_ASSERT_TRUE(found("Cookie: xsd_access=t\r\n", NULL));
	CU_ASSERT_TRUE(found("Cookie: sd_accessx=t; sd_acces=t\r\n", NULL));
	CU_ASSERT_TRUE(found("Cookie: x=sd_access=t\r\n", NULL));
	/* two of them: a neighbour host has planted one */
	CU_ASSERT_TRUE(found("Cookie: sd_access=a; sd_access=b\r\n", NULL));
	CU_ASSERT_TRUE(found("Cookie: sd_access=a\r\nCookie: sd_access=a\r\n", NULL));
	cookies_init(true); /* over TLS only the name that a browser protects */
	CU_ASSERT_TRUE(found("Cookie: sd_access=t\r\n", NULL));
	CU_ASSERT_TRUE(found("Cookie: __Host-sd_access=t\r\n", "t"));
	cookies_init(false);
}

static void origins(void)
{
	static const struct {
		const char *headers;
		bool plain, tls; /* ours, when users reach us so */
	} cases[] = { { "", true, true }, { "Origin: https://desk.example\r\n", false, true },
		{ "Origin: http://desk.example\r\n", true, false },
		{ "Origin: https://DESK.example\r\n", false, true },
		{ "Origin: https://desk.example:443\r\n", false, false },
		{ "Origin: https://desk.example.evil\r\n", false, false },
		{ "Origin: https://evil.desk.example\r\n", false, false },
		{ "Origin: https://desk.example:8443\r\n", false, false },
		{ "Origin: null\r\n", false, false }, { "Origin: desk.example\r\n", false, false },
		{ "Origin: \r\n", false, false } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_head h = head_of(cases[i].headers);

		cookies_init(false);
		if (http_origin_is_ours(&h) != cases[i].plain)
			CU_FAIL(cases[i].headers);
		cookies_init(true);
		if (http_origin_is_ours(&h) != cases[i].tls)
			CU_FAIL(cases[i].headers);
	}
	cookies_init(false);
}

#define TOKEN "0123456789abcdef0123456789abcdef"

static bool passes(const char *headers)
{
	struct http_head h = head_of(headers);

	return http_csrf_is_right(&h);
}

static void forgery(void)
{
	CU_ASSERT_TRUE(passes("Cookie: sd_csrf=" TOKEN "\r\nX-CSRF-Token: " TOKEN "\r\n"));
	CU_ASSERT_TRUE(passes("Origin: http://desk.example\r\nCookie: sd_csrf=" TOKEN
			      "\r\nX-CSRF-Token: " TOKEN "\r\n"));
	CU_ASSERT_FALSE(passes("Cookie: sd_csrf=" TOKEN "\r\n"));
	CU_ASSERT_FALSE(passes("X-CSRF-Token: " TOKEN "\r\n"));
	CU_ASSERT_FALSE(passes("Cookie: sd_csrf=\r\nX-CSRF-Token: \r\n"));
	CU_ASSERT_FALSE(passes("Cookie: sd_csrf=short\r\nX-CSRF-Token: short\r\n"));
	CU_ASSERT_FALSE(
		passes("Cookie: sd_csrf=" TOKEN "\r\nX-CSRF-Token: 1123456789abcdef0123456789abcdef"
		       "\r\n"));
	CU_ASSERT_FALSE(passes("Origin: http://evil.example\r\nCookie: sd_csrf=" TOKEN
			       "\r\nX-CSRF-Token: " TOKEN "\r\n"));
}

static void setting(void)
{
	struct buf b = { 0 };

	cookie_add(&b, COOKIE_REFRESH, "v", 60);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b),
		"Set-Cookie: sd_refresh=v; Path=/api/v1/auth; Max-Age=60; SameSite=Strict; "
		"HttpOnly\r\n");
	b.n = 0;
	cookies_init(true);
	cookie_add(&b, COOKIE_CSRF, TOKEN, 0); /* the page reads this one */
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b),
		"Set-Cookie: __Host-sd_csrf=" TOKEN "; Path=/; Max-Age=0; SameSite=Strict; "
		"Secure\r\n");
	b.n = 0;
	/* the prefix __Host- asks for Path=/ (RFC 6265bis 4.1.3.2) */
	for (int c = COOKIE_ACCESS; c <= COOKIE_DEVICE; c++) {
		b.n = 0;
		cookie_add(&b, (enum cookie)c, "v", 1);
		CU_ASSERT_TRUE(
			!strstr(buf_cstr(&b), "__Host-") || strstr(buf_cstr(&b), "; Path=/; "));
		CU_ASSERT_PTR_NOT_NULL(strstr(buf_cstr(&b), "; Secure"));
	}
	cookies_init(false);
	buf_free(&b);
}

UNIT_MAIN("cookie", { "reading", finding }, { "origins", origins }, { "forgery", forgery },
	{ "setting", setting })
