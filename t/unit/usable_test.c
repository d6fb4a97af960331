/* SPDX-License-Identifier: Apache-2.0
 * Which texts may be saved: blanks of every kind, tags, mail addresses, webhook addresses. */
#include "base/text.h"
#include "unit.h"

static void blanks(void)
{
	static const char *const blank[] = { "", " ", "   ", "\t\r\n\v\f", "\u00a0", "\xc2\x85",
		"\u200b", "\u200b\u200c\u200d\u2060\ufeff", "\u3000", "\u2003 \u2028", "\u00ad",
		"\u180e", "\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\u034f", "\ufe0f",
		"\u061c\u202e", "\U000e0001\U000e0020", "\U0001d173", "\u0600", "\u17b4",
		"\x01\x1f\x7f" },
				 *const seen[] = { "a", " a ", "\u200ba", "\u4e2d", "\u00a1",
					 "\u0301a", "\U0001f600", ".", "0", "\u00a0\u00a0x" };

	for (size_t i = 0; i < ARRAY_LEN(blank); i++)
		CU_ASSERT_TRUE(text_is_blank(str_of(blank[i])));
	CU_ASSERT_TRUE(text_is_blank((struct str){ "\0\0", 2 }));
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		CU_ASSERT_FALSE(text_is_blank(str_of(seen[i])));
}

static void tags(void)
{
	static const char *const good[] = { "network", "a b", "\u7f51\u7edc", "c++" },
				 *const bad[] = { "", " ", "a\nb", "a\tb", "\u200b", "a\x7f",
					 "a\xc2\x85"
					 "b",
					 "a\u2028"
					 "b" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		CU_ASSERT_TRUE(text_is_tag(str_of(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CU_ASSERT_FALSE(text_is_tag(str_of(bad[i])));
}

static void mails(void)
{
	static const char *const good[] = { "a@b", "user@example.com", "a.b+c@x-y.example",
		"o'brien@example.com", "u@xn--bcher-kva.example", "a@1and1.example",
		"root@localhost" },
				 *const bad[] = { "", "a", "@b", "a@", "a@b@c", "a b@c.d",
					 "jos\u00e9@example.com",
					 "user@b\u00fc"
					 "cher.example",
					 ".a@b.c", "a.@b.c", "a..b@c.d", "\"a\"@b.c",
					 "a@[127.0.0.1]", "a@b..c", "a@-b.c", "a@b-.c", "a@b.c-",
					 "a@b.c.", "a@127.0.0.1", "a@b_c.d", "a\r\nb@c.d",
					 "a@b.c\n", "<a@b.c>", "a,b@c.d" };
	char text[400];

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		CU_ASSERT_TRUE(text_is_mail(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CU_ASSERT_FALSE(text_is_mail(bad[i]));
	for (size_t n = 63; n <= 66; n++) {
		memset(text, 'a', n);
		snprintf(text + n, sizeof(text) - n, "@b.c");
		CU_ASSERT_EQUAL(text_is_mail(text), n <= 64);
		memset(text, 'a', n + 2);
		memcpy(text, "b@", 2);
		snprintf(text + n + 2, sizeof(text) - n - 2, ".c");
		CU_ASSERT_EQUAL(text_is_mail(text), n <= 63);
	}
}

static void mailboxes(void)
{
	static const struct {
		const char *v, *name, *address;
	} good[] = { { "desk@example.com", "", "desk@example.com" },
		{ "  desk@example.com ", "", "desk@example.com" },
		{ "<desk@example.com>", "", "desk@example.com" },
		{ "Service desk <desk@example.com>", "Service desk", "desk@example.com" },
		{ "\"Desk, Inc.\" <desk@example.com>", "Desk, Inc.", "desk@example.com" },
		{ "\u670d\u52a1\u53f0<desk@localhost>", "\u670d\u52a1\u53f0", "desk@localhost" } };
	static const char *const bad[] = { "", "desk", "Service desk", "<>", "a <b>", "a <b@c",
		"a b@c.d", "a <b@c> d", "a <b@c>, d <e@f>", "b@c.d, e@f.g", "<a <b@c>>",
		"a\n <b@c.d>", "a <b\n@c.d>", "a <jos\u00e9@example.com>", "\xff <a@b.c>" };
	struct str name, address;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		CU_ASSERT_TRUE_FATAL(text_read_mailbox(good[i].v, &name, &address));
		CU_ASSERT_TRUE(str_is(name, good[i].name));
		CU_ASSERT_TRUE(str_is(address, good[i].address));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CU_ASSERT_FALSE(text_read_mailbox(bad[i], &name, &address));
}

static void hosts_and_names(void)
{
	static const char *const hosts[] = { "localhost", "desk.example.com", "Desk.Example",
		"xn--bcher-kva.example", "1and1.example", "a-b.c" },
				 *const no_hosts[] = { "", "a b", "a..b", ".a", "a.", "-a.b",
					 "a-.b", "a.b-", "127.0.0.1", "a.b:80", "a_b.c",
					 "b\u00fccher.example", "a/b" },
				 *const names[] = { "a", "7", "li.wei", "a_b-c@d.e" },
				 *const no_names[] = { "", "A", "a b", ".a", "@a", "-a", "_a",
					 "\u5f20", "a\n" };
	char text[128];

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		CU_ASSERT_TRUE(text_is_host(hosts[i]));
	for (size_t i = 0; i < ARRAY_LEN(no_hosts); i++)
		CU_ASSERT_FALSE(text_is_host(no_hosts[i]));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		CU_ASSERT_TRUE(text_is_login_name(names[i]));
	for (size_t i = 0; i < ARRAY_LEN(no_names); i++)
		CU_ASSERT_FALSE(text_is_login_name(no_names[i]));
	for (size_t n = 99; n <= 101; n++) {
		memset(text, 'a', n);
		text[n] = 0;
		CU_ASSERT_EQUAL(text_is_login_name(text), n <= 100);
	}
}

static void webs(void)
{
	static const char *const good[] = { "https://x.example/", "HTTPS://X.EXAMPLE/a?b=c#d",
		"http://127.0.0.1:8080/hook", "http://[::1]:1/", "https://x.example:65535",
		"http://my_host/", "https://x.example/%E4%BD%A0" },
				 *const bad[] = { "", "https://", "https:///a", "ftp://x.example/",
					 "javascript:alert(1)", "https:x.example",
					 "https://u:p@x.example/", "https://u@x.example/",
					 "https://x.example:65536/", "https://x.example:0/",
					 "https://x.example:/", "https://x.example:a/",
					 "https://x.example/\r\nX: 1", "https://x.example/ a",
					 " https://x.example/", "https://x.example\\@y/",
					 "https://x..y/",
					 "https://b\u00fc"
					 "cher.example/",
					 "https://x.example/\x7f", "https://[::1/",
					 "https://[::1]x/", "https://-x.example/" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		CU_ASSERT_TRUE(text_is_web(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CU_ASSERT_FALSE(text_is_web(bad[i]));
}

UNIT_MAIN("usable", { "blanks", blanks }, { "tags", tags }, { "mail addresses", mails },
	{ "mailboxes", mailboxes }, { "hosts and login names", hosts_and_names },
	{ "webhook addresses", webs })
