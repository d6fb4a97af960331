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

enum { COLUMNS = C_DETAILS + 1 };

/* A claimed row; its texts may be changed before use. */
static struct {
	const char *text[COLUMNS];
	int64_t number[COLUMNS];
	const char *data;
} row;

static bool is_number(int c)
{
	return c == C_TENANT_ID || c == C_ID || c == C_AT || c == C_TICKET_ID ||
	       c == C_RESPONSE_DUE || c == C_TARGET_S || c == C_RCA_DUE || c == C_CUSTOMERS ||
	       c == C_LIFTED;
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
	row.text[C_DETAILS] = "{\"root_cause\":\"a full disk\"}";
	row.text[C_ACTOR_NAME] = "Li Wei";
	row.text[C_FULL_NAME] = "Zhang San";
	row.text[C_ENGINEERS] = "Wang\nZhao";
	row.data = "{}";
	options.http_url = "https://desk.example.com";
	options.mail_from = "sladesk <desk@example.com>";
	options.mail_reply_to = "";
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
		{ "{{status}} {{status_zh}}", "{}", "zh", "等待客户 等待客户" },
		{ "{{status}} {{status_en}}", "{}", "en",
			"waiting for customer waiting for customer" },
		{ "{{text}}", "{}", "en", "the reply" },
		{ "{{url}}", "{}", "en", "https://desk.example.com/#/tickets/77" },
		{ "{{clock}} {{clock_zh}}", "{\"clock\":\"response\"}", "zh", "首次响应 首次响应" },
		{ "{{clock}}", "{\"clock\":\"response\"}", "en", "first response" },
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
		{ "{{quote}}", "{}", "en", "> the reply" },
		{ "{{root_cause}}\n{{?prevention}}{{prevention}}", "{}", "en", "> a full disk\n" },
		{ "{{actor}} to {{name}}", "{}", "en", "Li Wei to Zhang San" },
		{ "{{reached}}", "{\"threshold\":\"80\"}", "en", "80% of the time is used" },
		{ "{{reached}}", "{\"threshold\":\"-30m\"}", "en", "30 minutes left" },
		{ "{{reached}}", "{\"threshold\":\"80\"}", "zh", "已用去 80%" },
		{ "{{reached}}", "{\"threshold\":\"-30m\"}", "zh", "还剩 30 分钟" },
		{ "by {{looks}}.", "{}", "en", "by Wang, Zhao." },
		{ "{{wake}}", "{\"wake_at\":1769846400000000}", "en", "2026-01-31 08:00 UTC" },
		{ "{{device}}", "{\"browser\":\"Edge\",\"system\":\"macOS\"}", "en",
			"Edge on macOS" },
		{ "{{device}}", "{\"browser\":\"Edge\",\"system\":\"macOS\"}", "zh",
			"macOS 上的 Edge" },
		{ "{{device}}", "{\"browser\":\"curl\",\"system\":\"\"}", "zh", "curl" },
		{ "{{rights}}",
			"{\"role_was_zh\":\"普通用户\",\"role_zh\":\"管理员\",\"state\":\"on\"}",
			"zh", "角色：普通用户 → 管理员\n账号：已启用" },
		{ "{{rights}}", "{\"given\":\"report:export,user:read\",\"lifted\":\"pii:read\"}",
			"en",
			"You may now: export reports, see users\nYour role decides again: see "
			"personal data" },
		{ "{{rights}}", "{\"forbidden\":\"cost:read\",\"scope_changed\":true}", "zh",
			"已禁止：查看费用\n数据范围：已变更" },
		/* a line with a condition */
		{ "a\n{{?late}}late {{late}}\n{{!late}}in time\nb\n", "{}", "en",
			"a\nin time\nb\n" },
		{ "{{?number}}no. {{number}}\n{{!number}}none\n", "{}", "en", "no. TKT-000077\n" },
		{ "a\n\n{{?late}}late\n\nb\n", "{}", "en", "a\n\nb\n" },
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
	end = strstr(p, "\r\nAuto-Submitted");
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
	CU_ASSERT_EQUAL(lines, 13); /* the sender takes two */
	CU_ASSERT_PTR_NOT_NULL(
		strstr(b.p, "From: =?UTF-8?B?c2xhZGVzaw==?=\r\n <desk@example.com>\r\n"));
	CU_ASSERT_PTR_NULL(strstr(b.p, "\r\nReply-To:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(b.p, "\r\nIn-Reply-To: <ticket.5.77@example.com>\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(b.p, "\r\nReferences: <ticket.5.77@example.com>\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(b.p, "\r\nTo: li.lei@example.com\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(b.p, "\r\nMessage-ID: <n5.42.1000@example.com>\r\n"));
	subject_of(b.p, &subject);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&subject), "x  Bcc: all@example.com    body ");
	buf_free(&subject);
	buf_free(&b);
}

/* Where answers go is a header, and the mail says so. */
static void answers(void)
{
	struct buf b = { 0 }, foot = { 0 };

	begin();
	options.mail_reply_to = "服务台 <support@example.com>";
	row.text[C_BODY] = "{{?reply_to}}to {{reply_to}}\n{{!reply_to}}nowhere\n";
	with_row(outbox_text, &foot);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&foot), "to support@example.com\n");
	with_row(compose, &b);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_cstr(&b),
		"\r\nReply-To: =?UTF-8?B?5pyN5Yqh5Y+w?=\r\n <support@example.com>\r\n"));
	buf_free(&b);
	buf_free(&foot);
}

/* A mail that is about no ticket begins a thread of its own. */
static void threads(void)
{
	struct buf b = { 0 };

	begin();
	row.number[C_TICKET_ID] = 0;
	with_row(compose, &b);
	CU_ASSERT_PTR_NULL(strstr(buf_cstr(&b), "In-Reply-To"));
	CU_ASSERT_PTR_NULL(strstr(buf_cstr(&b), "References"));
	buf_free(&b);
}

/* Long words are cut at the end of a sentence, a word or at least a character, and the mail says
 * that there is more; short ones are told whole. */
static void quotations(void)
{
	static const struct {
		const char *piece, *cut;
	} rows[] = { { "数据库连接失败，订单无法提交。", "。…" },
		{ "The pool is empty again. ", ".…" }, { "word ", "word…" }, { "字", "字…" },
		{ "x", "x…" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int n = 1; n <= 1500; n += n < 20 ? 1 : 370) {
			struct buf text = { 0 }, got = { 0 };
			size_t length = strlen(rows[i].piece) * (size_t)n;

			for (int k = 0; k < n; k++)
				buf_adds(&text, rows[i].piece);
			begin();
			row.text[C_TEXT] = buf_cstr(&text);
			row.text[C_BODY] = "{{quote}}";
			with_row(outbox_text, &got);
			CU_ASSERT_TRUE(utf8_is_valid(buf_cstr(&got), got.n));
			CU_ASSERT_TRUE(got.n < 1300);
			CU_ASSERT_EQUAL(strstr(buf_cstr(&got), rows[i].cut) != NULL, length > 1200);
			CU_ASSERT_EQUAL(strstr(buf_cstr(&got), "The ticket has all of it") != NULL,
				length > 1200);
			buf_free(&text);
			buf_free(&got);
		}
}

/* Every line is a quotation, blank lines are one, and no line shows marks of its own. */
static void quoted_lines(void)
{
	struct buf b = { 0 };

	begin();
	row.text[C_TEXT] = "\n\none\r\n\n\n\n  two\t\n\xe2\x80\xaethree\n\n";
	row.text[C_BODY] = "{{actor}}:\n{{quote}}\n";
	with_row(outbox_text, &b);
	CU_ASSERT_STRING_EQUAL(buf_cstr(&b), "Li Wei:\n> one\n>\n>   two\n>  three\n");
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

/* Where the part of this type begins, behind its own headers. */
static const char *part_of(const char *mail, const char *type)
{
	const char *head = strstr(mail, "\r\n\r\n"), *p = head ? strstr(head, type) : NULL;

	p = p ? strstr(p, "\r\n\r\n") : NULL;
	CU_ASSERT_FATAL(p != NULL);
	return p + 4;
}

/* The HTML part of MAIL. */
static void page_of(const char *mail, struct buf *html)
{
	for (const char *p = part_of(mail, "text/html"), *stop; strncmp(p, "--=", 3) != 0;
		p = stop + 2) {
		stop = strstr(p, "\r\n");
		CU_ASSERT_FATAL(stop != NULL);
		decode(p, (size_t)(stop - p), html);
	}
}

/* The HTML part: what people wrote is shown, never obeyed, and each form of line has its look. */
static void pages(void)
{
	static const char *const whole[] = { "<!DOCTYPE html>", "<html lang=\"en\">",
		"TKT-000077 · P1 high · waiting for customer",
		"&lt;b&gt;Disk&lt;/b&gt; &amp; more</h1>",
		"<p style=\"margin:14px 0 8px\">Hello,<br>\nyou.</p>",
		"&lt;script&gt;x&lt;/script&gt;",
		"<a href=\"https://desk.example.com/#/tickets/77\"", ">Open the ticket</a>",
		"Due</td><td", ">16:00</td></tr>", "<blockquote", "</html>\n" };
	struct buf mail = { 0 }, html = { 0 };

	begin();
	row.text[C_TITLE] = "<b>Disk</b> & more";
	row.text[C_TEXT] = "<script>x</script>";
	row.text[C_BODY] = "Hello,\nyou.\n\nDue: 16:00\nEngineer: Li Wei\n\n{{quote}}\n\nOpen the "
			   "ticket: {{url}}\n";
	with_row(compose, &mail);
	page_of(buf_cstr(&mail), &html);
	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (!strstr(buf_cstr(&html), whole[i])) {
			printf("# not in the page: %s\n", whole[i]);
			CU_FAIL("a page lacks a part");
		}
	CU_ASSERT_PTR_NULL(strstr(buf_cstr(&html), "<script"));
	CU_ASSERT_PTR_NULL(strstr(buf_cstr(&html), "<b>"));
	buf_free(&mail);
	buf_free(&html);
}

/* What somebody has entered is never a link, a quotation or a row of its own, whichever variable it
 * is the value of, and wherever the template has it. */
static void values_are_no_forms(void)
{
	static const char *const values[] = { "https://evil.example/", "x：https://evil.example/",
		"Open: https://evil.example/", "x\n\nhttps://evil.example/\n\ny",
		"x\r\nOpen: https://evil.example/", "x\xe2\x80\xa8https://evil.example/",
		"\x0f\nhttps://evil.example/\n\x0e", "x\n> y\n", "> y", "a: b\nc: d" };
	static const char *const names[] = { "title", "tenant", "name", "actor", "engineer",
		"requester", "rca_owner", "number", "looks", "text", "quote", "description",
		"root_cause", "begun", "help", "address", "by", "username", "of", "theirs",
		"device", "changed" };
	static const char *const lines[] = { "{{%s}}", "提交人：{{%s}}", "Opened by: {{%s}}",
		"{{%s}}，您好：", "工单「{{%s}}」已解决。", "a: b\nc: {{%s}}\nd: e",
		"{{?%s}}{{%s}}" };
	static const int columns[] = { C_TITLE, C_TENANT, C_FULL_NAME, C_ACTOR_NAME,
		C_ASSIGNEE_NAME, C_REQUESTER_NAME, C_RCA_OWNER, C_NUMBER, C_ENGINEERS, C_MANAGERS,
		C_TEXT, C_DESCRIPTION, C_HOTLINE, C_SUCCESS };

	for (size_t v = 0; v < ARRAY_LEN(values); v++)
		for (size_t k = 0; k < ARRAY_LEN(names) * ARRAY_LEN(lines); k++) {
			const char *name = names[k / ARRAY_LEN(lines)],
				   *line = lines[k % ARRAY_LEN(lines)];
			struct buf data = { 0 }, body = { 0 }, mail = { 0 }, html = { 0 };
			bool quotes = strstr("quote description root_cause", name) != NULL;

			begin();
			for (size_t c = 0; c < ARRAY_LEN(columns); c++)
				row.text[columns[c]] = values[v];
			for (const char *p = line, *mark; *p; p = mark ? mark + 2 : p + strlen(p)) {
				mark = strstr(p, "%s");
				buf_add(&body, p, mark ? (size_t)(mark - p) : strlen(p));
				buf_adds(&body, mark ? name : "");
			}
			buf_adds(&data, "{\"root_cause\":");
			buf_add_json(&data, values[v], strlen(values[v]));
			for (size_t d = 0; d < ARRAY_LEN(names); d++) {
				buf_addf(&data, ",\"%s\":",
					strcmp(names[d], "root_cause") == 0 ? "browser" : names[d]);
				buf_add_json(&data, values[v], strlen(values[v]));
			}
			buf_addc(&data, '}');
			row.text[C_DETAILS] = row.data = buf_cstr(&data);
			row.text[C_BODY] = buf_cstr(&body);
			with_row(compose, &mail);
			page_of(buf_cstr(&mail), &html);
			if (strstr(buf_cstr(&html), "<a ") ||
				(!quotes && strstr(buf_cstr(&html), "<blockquote")) ||
				strpbrk(buf_cstr(&html), "\x0e\x0f")) {
				printf("# %s: %s\n", buf_cstr(&body), values[v]);
				CU_FAIL("a value is obeyed");
			}
			buf_free(&data);
			buf_free(&body);
			buf_free(&mail);
			buf_free(&html);
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
		for (const char *p = part_of(buf_cstr(&mail), "text/plain"), *stop;
			strncmp(p, "--=", 3) != 0; p = stop + 2) {
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
	{ "titles cannot add headers", headers_stay_whole }, { "answers", answers },
	{ "threads", threads }, { "quotations", quotations }, { "quoted lines", quoted_lines },
	{ "encoded words", encoded_words }, { "lines of the body", body_lines }, { "pages", pages },
	{ "values are no forms", values_are_no_forms })
