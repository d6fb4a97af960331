/* SPDX-License-Identifier: Apache-2.0
 * The texts of notifications: each variable of a template, and the borders of a mail: encoded
 * words, lines of base64, and titles that try to become headers. */
#include "unit.h"
#include "../../src/feature/notify/outbox.h"
#include "base/clock.h"
#include "base/json.h"
#include "config/options.h"

#include <endian.h>
#include <string.h>

enum { COLUMNS = C_PHONE + 1 };

/* A claimed row; its texts may be changed before use. */
static struct {
	const char *text[COLUMNS];
	int64_t number[COLUMNS];
	const char *data;
} row;

static bool is_number(int c)
{
	return c == C_TENANT_ID || c == C_ID || c == C_AT || c == C_TICKET_ID ||
	       c == C_RESPONSE_DUE;
}

static PGresult *result_of_row(void)
{
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[COLUMNS];
	char name[] = "c";

	for (int c = 0; c < COLUMNS; c++)
		columns[c] = (PGresAttDesc){
			.name = name, .typid = is_number(c) ? 20 : 25, .format = 1
		};
	CU_ASSERT_TRUE_FATAL(PQsetResultAttrs(r, COLUMNS, columns));
	for (int c = 0; c < COLUMNS; c++) {
		uint64_t big = htobe64((uint64_t)row.number[c]);
		const char *text = row.text[c] ? row.text[c] : "";

		CU_ASSERT_TRUE_FATAL(
			PQsetvalue(r, 0, c, is_number(c) ? (char *)&big : (char *)(uintptr_t)text,
				is_number(c) ? 8 : (int)strlen(text)));
	}
	return r;
}

static void begin(void)
{
	memset(&row, 0, sizeof(row));
	row.number[C_TENANT_ID] = 5;
	row.number[C_ID] = 42;
	row.number[C_AT] = 1000;
	row.number[C_TICKET_ID] = 77;
	row.text[C_NUMBER] = "TKT-000077";
	row.text[C_TITLE] = "Disk full";
	row.text[C_TENANT] = "Guangming";
	row.text[C_STATUS] = "pending_customer";
	row.text[C_PRIORITY] = "P1";
	row.text[C_LANG] = "en";
	row.text[C_SUBJECT] = "x";
	row.text[C_BODY] = "y";
	row.text[C_TEXT] = "the reply";
	row.data = "{}";
	options.http_url = "https://desk.example.com";
	options.mail_from = "sladesk <desk@example.com>";
}

static void with_row(void (*make)(struct buf *b, const struct outbox_row *w), struct buf *out)
{
	PGresult *r = result_of_row();
	struct json_error err;
	struct outbox_row w = { r, 0, json_read(row.data, strlen(row.data), &err) };

	CU_ASSERT_FATAL(w.data != NULL);
	make(out, &w);
	json_object_put(w.data);
	PQclear(r);
}

static void compose(struct buf *b, const struct outbox_row *w)
{
	outbox_compose(b, w, "li.lei@example.com");
}

static void variables(void)
{
	static const struct {
		const char *body, *data, *lang, *want;
	} rows[] = {
		{ "plain", "{}", "en", "plain" },
		{ "", "{}", "en", "" },
		{ "{{number}}: {{title}} ({{tenant}})", "{}", "en",
			"TKT-000077: Disk full (Guangming)" },
		{ "{{priority}} {{priority_en}} {{priority_zh}}", "{}", "en", "P1 high 高" },
		{ "{{status}} {{status_zh}}", "{}", "zh", "pending_customer 等待客户" },
		{ "{{status_en}}", "{}", "en", "pending customer" },
		{ "{{text}}", "{}", "en", "the reply" },
		{ "{{url}}", "{}", "en", "https://desk.example.com/#/tickets/77" },
		{ "{{clock}} {{clock_zh}}", "{\"clock\":\"response\"}", "zh", "response 首次响应" },
		{ "[{{clock_zh}}]", "{\"clock\":\"no such clock\"}", "zh", "[]" },
		{ "{{threshold}}", "{\"threshold\":\"80\"}", "en", "80%" },
		{ "{{threshold}}", "{\"threshold\":\"-30m\"}", "en", "-30m" },
		{ "[{{threshold}}]", "{}", "en", "[]" },
		{ "{{due}}", "{\"clock_due_at\":1769846400000000}", "en", "2026-01-31 08:00 UTC" },
		{ "[{{due}}{{response_due}}]", "{}", "en", "[]" },
		{ "{{reasons}}", "{\"reasons\":\"new_device,new_network\"}", "en",
			"a new network, a new device" },
		{ "{{reasons}}", "{\"reasons\":\"new_device,new_network\"}", "zh",
			"新的网络、新的设备" },
		{ "{{changed}}", "{\"changed\":\"role_type,+totp,office\"}", "en",
			"role, +totp, office" },
		{ "{{changed}}", "{\"changed\":\"role_type,office\"}", "zh", "角色、办公地点" },
		{ "{{changed}}", "{\"changed\":\"customers\"}", "zh", "服务的客户" },
		{ "{{by}} {{left_wrong}}", "{\"by\":\"admin\",\"left_wrong\":\"3\"}", "en",
			"admin 3" },
		{ "[{{no_such_variable}}]", "{\"no_such_variable\":\"x\"}", "en", "[]" },
		{ "{{code}}", "{\"code\":\"e1.7.AAAAAAAA\"}", "en", "?" },
		/* text that is not a variable stays unchanged */
		{ "a {{ b", "{}", "en", "a {{ b" },
		{ "a }} b", "{}", "en", "a }} b" },
		{ "{{number}} {{", "{}", "en", "TKT-000077 {{" },
		{ "[{{}}]", "{}", "en", "[]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = { 0 };

		begin();
		row.text[C_BODY] = rows[i].body;
		row.text[C_LANG] = rows[i].lang;
		row.data = rows[i].data;
		with_row(outbox_text, &b);
		if (strcmp(buf_cstr(&b), rows[i].want) != 0) {
			printf("# %s: %s, not %s\n", rows[i].body, buf_cstr(&b), rows[i].want);
			CU_FAIL("a template is filled in wrongly");
		}
		buf_free(&b);
	}
}

/* In the customer's zone, and with the punctuation of the reader's language. */
static void instants(void)
{
	static const struct {
		const char *zone, *lang, *want;
	} rows[] = {
		{ "Asia/Shanghai", "en", "by 2026-01-31 16:00 (Asia/Shanghai, UTC+08:00)." },
		{ "Asia/Shanghai", "zh", "by 2026-01-31 16:00（Asia/Shanghai，UTC+08:00）." },
		{ "America/New_York", "zh", "by 2026-01-31 03:00（America/New_York，UTC-05:00）." },
		{ "UTC", "zh", "by 2026-01-31 08:00 UTC." },
		{ "Not/AZone", "en", "by 2026-01-31 08:00 UTC." },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = { 0 };

		begin();
		row.text[C_BODY] = "by {{due}}.";
		row.text[C_LANG] = rows[i].lang;
		row.text[C_ZONE] = rows[i].zone;
		row.data = "{\"clock_due_at\":1769846400000000}";
		with_row(outbox_text, &b);
		CU_ASSERT_STRING_EQUAL(buf_cstr(&b), rows[i].want);
		buf_free(&b);
	}
}

/* A value that looks like a variable is not filled in again. */
static void values_are_no_templates(void)
{
	struct buf b = { 0 };

	begin();
	row.text[C_TITLE] = "{{url}}";
	row.text[C_BODY] = "{{title}}";
	with_row(outbox_text, &b);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b), "{{url}}");
	buf_free(&b);
}

static void decode(const char *base64, size_t n, struct buf *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < n && base64[i] != '='; i++) {
		const char *d = memchr(digits, base64[i], 64);

		CU_ASSERT_FATAL(d != NULL);
		bits = bits << 6 | (unsigned)(d - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_addc(out, (char)(bits >> have & 255));
		}
	}
}

/* The subject of MAIL, put together from its encoded words: each at most 75 bytes long and of whole
 * characters. */
static void subject_of(const char *mail, struct buf *out)
{
	const char *p = strstr(mail, "\r\nSubject: "), *end;

	CU_ASSERT_FATAL(p != NULL);
	p += 11;
	end = strstr(p, "\r\nMIME-Version");
	CU_ASSERT_FATAL(end != NULL);
	while (p < end) {
		const char *stop = strstr(p, "?=");
		struct buf word = { 0 };

		CU_ASSERT_FATAL(stop != NULL && strncmp(p, "=?UTF-8?B?", 10) == 0);
		CU_ASSERT_TRUE(stop + 2 - p <= 75);
		decode(p + 10, (size_t)(stop - p) - 10, &word);
		CU_ASSERT_TRUE(utf8_is_valid(buf_cstr(&word), word.n));
		buf_add(out, word.p, word.n);
		buf_free(&word);
		p = stop + 2;
		p += p < end && strncmp(p, "\r\n ", 3) == 0 ? 3 : 0;
	}
}

/* A title with line ends cannot add headers or a second body. */
static void headers_stay_whole(void)
{
	struct buf b = { 0 }, subject = { 0 };
	const char *end;
	int lines = 0;

	begin();
	row.text[C_TITLE] = "x\r\nBcc: all@example.com\r\n\r\nbody\x01";
	row.text[C_SUBJECT] = "{{title}}";
	with_row(compose, &b);
	end = strstr(buf_cstr(&b), "\r\n\r\n");
	CU_ASSERT_FATAL(end != NULL);
	for (const char *p = b.p; p < end + 2; p = strstr(p, "\r\n") + 2, lines++)
		CU_ASSERT_PTR_NOT_EQUAL(strstr(p, "\r\n"), NULL);
	CU_ASSERT_EQUAL(strstr(buf_cstr(&b), "Bcc"), NULL);
	CU_ASSERT_TRUE(lines >= 9 && lines <= 10); /* the subject may take two */
	CU_ASSERT_PTR_NOT_NULL(strstr(b.p, "From: sladesk <desk@example.com>\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(b.p, "\r\nTo: li.lei@example.com\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(b.p, "\r\nMessage-ID: <n5.42.1000@example.com>\r\n"));
	subject_of(b.p, &subject);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&subject), "x  Bcc: all@example.com    body ");
	buf_free(&subject);
	buf_free(&b);
}

static void encoded_words(void)
{
	for (int n = 0; n <= 60; n++) {
		struct buf subject = { 0 }, mail = { 0 }, got = { 0 };

		for (int i = 0; i < n; i++) /* a byte in between shifts the cuts */
			buf_adds(&subject, i % 7 == 3 ? "a" : i % 5 == 4 ? "🙂" : "工");
		begin();
		row.text[C_SUBJECT] = buf_cstr(&subject);
		with_row(compose, &mail);
		subject_of(buf_cstr(&mail), &got);
		CU_ASSERT_STRING_EQUAL(buf_cstr(&got), buf_cstr(&subject));
		buf_free(&subject);
		buf_free(&mail);
		buf_free(&got);
	}
}

/* A body of any length near the line length arrives complete, in lines of at most 76 characters. */
static void body_lines(void)
{
	for (size_t n = 0; n <= 130; n++) {
		struct buf body = { 0 }, mail = { 0 }, got = { 0 };

		for (size_t i = 0; i < n; i++)
			buf_addc(&body, (char)('!' + i % 90));
		begin();
		row.text[C_BODY] = buf_cstr(&body);
		with_row(compose, &mail);
		for (const char *p = strstr(buf_cstr(&mail), "\r\n\r\n") + 4, *stop; *p;
			p = stop + 2) {
			stop = strstr(p, "\r\n");
			CU_ASSERT_FATAL(stop != NULL);
			CU_ASSERT_TRUE(stop - p <= 76);
			decode(p, (size_t)(stop - p), &got);
		}
		CU_ASSERT_STRING_EQUAL(buf_cstr(&got), buf_cstr(&body));
		buf_free(&body);
		buf_free(&mail);
		buf_free(&got);
	}
}

UNIT_MAIN("texts of notifications", { "variables", variables }, { "instants", instants },
	{ "values are not templates", values_are_no_templates },
	{ "titles cannot add headers", headers_stay_whole }, { "encoded words", encoded_words },
	{ "lines of the body", body_lines })
