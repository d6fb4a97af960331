/* SPDX-License-Identifier: Apache-2.0
 * Checks of single values that a contract can ask for: choices and named formats. Pure. */
#include "core/contract.h"
#include "base/clock.h"
#include "base/text.h"

const char *contract_mode_name(enum sql_mode mode)
{
	static const char *const names[] = { [SQL_READ] = "read",
		[SQL_WRITE] = "write",
		[SQL_JOB] = "job",
		[SQL_PREAUTH] = "door" };

	return names[mode];
}

bool choice_is_listed(const char *choices, struct str v)
{
	size_t n;

	for (const char *p = choices; *p; p += n, p += *p == '|') {
		n = strcspn(p, "|");
		if (n && n == v.n && memcmp(p, v.p, n) == 0)
			return true;
	}
	return false;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool is_made_of(const char *v, const char *letters)
{
	return v[strspn(v, letters)] == 0;
}

static bool is_phone(const char *v)
{
	return *v && is_made_of(v, "+" DIGITS " -()");
}

static bool is_code(const char *v)
{
	return *v && strlen(v) <= 63 && is_made_of(v, LOWER DIGITS "_-");
}

static bool is_colour(const char *v)
{
	return strlen(v) == 7 && v[0] == '#' && is_made_of(v + 1, DIGITS "abcdefABCDEF");
}

static bool is_https(const char *v)
{
	return strncmp(v, "https://", 8) == 0 && v[8] && !strpbrk(v, " \"'<>\\");
}

static bool is_base64url(const char *v)
{
	return strlen(v) >= 2 && is_made_of(v, UPPER LOWER DIGITS "-_");
}

static bool is_date(const char *v)
{
	int64_t day;

	return date_parse(str_of(v), &day);
}

static bool is_time(const char *v)
{
	int64_t us;

	return time_read(str_of(v), &us);
}

static bool is_cursor(const char *v)
{
	int64_t n;

	return str_to_int((struct str){ v, strcspn(v, "_") }, 1, 1LL << 53, &n);
}

#define PERIOD_DAYS_MAX 366

static bool is_period(const char *v)
{
	size_t n = strlen(v);
	int64_t days;

	return n > 1 && v[n - 1] == 'd' &&
	       str_to_int((struct str){ v, n - 1 }, 1, PERIOD_DAYS_MAX, &days);
}

static bool is_tag(const char *v)
{
	return text_is_tag(str_of(v));
}

static bool is_domain(const char *v)
{
	return strchr(v, '.') && is_made_of(v, LOWER DIGITS ".-") && text_is_host(v);
}

static const struct format_rule rules[FORMAT_COUNT] = {
	[FORMAT_EMAIL] = { NULL, "email", "user@example.com",
		"a mail address in ASCII, such as user@example.com (an international domain in "
		"its xn-- form)",
		"ASCII 邮箱地址，如 user@example.com（国际化域名用 xn-- 形式）", text_is_mail },
	[FORMAT_PHONE] = { "^[+0-9 ()-]+$", NULL, "+86 10 1234 5678",
		"digits, +, -, spaces and brackets", "数字、+、-、空格与括号", is_phone },
	[FORMAT_LOGIN_NAME] = { "^[a-z0-9][a-z0-9._@-]*$", NULL, "wang.fang",
		"a to z, 0 to 9, . _ @ -, starting with a letter or digit",
		"小写字母、数字与 . _ @ -，以字母或数字开头", text_is_login_name },
	[FORMAT_CODE] = { "^[a-z0-9_-]{1,63}$", NULL, "standard", "1 to 63 of a-z, 0-9, - and _",
		"1 到 63 个 a-z、0-9、-、_", is_code },
	[FORMAT_COLOUR] = { "^#[0-9A-Fa-f]{6}$", NULL, "#0055aa", "a colour, such as #0055aa",
		"颜色，如 #0055aa", is_colour },
	[FORMAT_HTTPS] = { "^https://", "uri", "https://www.example.com/", "an https address",
		"https 地址", is_https },
	[FORMAT_BASE64URL] = { "^[A-Za-z0-9_-]{2,}$", NULL, "c2xhZGVzaw", "base64url",
		"应为 base64url", is_base64url },
	[FORMAT_DATE] = { NULL, "date", "2026-01-31", "a date, such as 2026-01-31",
		"日期，如 2026-01-31", is_date },
	[FORMAT_TIME] = { NULL, "date-time", "2026-01-31T08:00:00Z", TIME_RULE_EN, TIME_RULE_ZH,
		is_time },
	[FORMAT_CURSOR] = { "^[1-9][0-9]*(_.*)?$", NULL, "1200_1200",
		"a next_cursor from an earlier response", "应为上一页返回的游标", is_cursor },
	[FORMAT_PERIOD] = { "^[1-9][0-9]{0,2}d$", NULL, "30d", "1d to 366d, such as 30d",
		"1d 到 366d，如 30d", is_period },
	[FORMAT_DOMAIN] = { "^[a-z0-9.-]{3,253}$", NULL, "example.com",
		"a domain in lower case, such as example.com", "小写域名，如 example.com",
		is_domain },
	[FORMAT_TAG] = { NULL, NULL, "network", "one line that is not blank",
		"一行文字，不能只有空白", is_tag },
	[FORMAT_WEB] = { "^[Hh][Tt][Tt][Pp][Ss]?://[^\\s\\\\@]+", "uri", "https://example.com/hook",
		"an http or https address with a host, without user name, blanks or backslashes",
		"http 或 https 地址，含主机名，不含用户名、空白与反斜杠", text_is_web },
};

const struct format_rule *format_rule(enum format f)
{
	bug_on(f <= FORMAT_NONE || f >= FORMAT_COUNT);
	return &rules[f];
}
