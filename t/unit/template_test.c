/* SPDX-License-Identifier: Apache-2.0
 * Templates of texts: lines that stand and those that do not, and that whatever is accepted leaves
 * no brace behind, over all short texts made of what the grammar is made of. */
#include "unit.h"
#include "../../src/feature/notify/template.h"

#include <string.h>

static struct template_text text(struct str subject, struct str body)
{
	return (struct template_text){ .code = "ticket_x",
		.subject = subject,
		.body = body,
		.shipped_subject = str_of("{{number}}"),
		.shipped_body = str_of("{{?due}}Due: {{due}}\n"),
		.shipped_all = str_of("{{number}}\n{{?due}}Due: {{due}}\n") };
}

static char *rendered(struct str s)
{
	struct template_values v = template_examples(false);
	struct buf b = { 0 };

	template_render(&b, s, &v);
	return buf_take(&b);
}

static void shows(const char *body, const char *expected)
{
	char *out = rendered(str_of(body));

	CU_ASSERT_STRING_EQUAL(out, expected);
	free(out);
}

static void lines(void)
{
	shows("", "");
	shows("{{name}}", "Zhang San");
	shows("{{?name}}yes\n{{!name}}no\n", "yes\n");
	shows("a\n\n{{!name}}no\n\nb\n", "a\n\nb\n");
	shows("{{?nobody}}no\n{{!nobody}}yes\n", "yes\n");
	shows("a {{?name}} b", "a  b"); /* no condition there, and no such variable */
	shows("{{name", "{{name");
}

/* All texts of up to five of these, as subject and as body. */
static void whatever_is_accepted_can_be_rendered(void)
{
	static const char *const parts[] = { "{{", "}}", "?", "!", "name", "due", "code", "{", " ",
		"\n", "\r" };
	size_t n = ARRAY_LEN(parts), all = n * n * n * n * n, accepted = 0;

	for (size_t i = 0; i < all; i++) {
		struct buf b = { 0 };
		struct template_fault fault;
		struct template_text t;
		struct str s;
		bool subject, body;

		for (size_t k = i; k; k /= n)
			buf_adds(&b, parts[k % n]);
		s = (struct str){ b.p, b.n };
		t = text(s, s);
		subject = template_subject_is_valid(&t, &fault);
		CU_ASSERT_TRUE(subject || (*fault.en && *fault.zh && fault.example.n));
		body = template_body_is_valid(&t, &fault);
		CU_ASSERT_TRUE(body || (*fault.en && *fault.zh && fault.example.n));
		if (subject || body) {
			char *out = rendered(s);

			if (strstr(out, "{{") || strstr(out, "}}") || strstr(out, "\r"))
				CU_FAIL("a brace is left");
			accepted++;
			free(out);
		}
		buf_free(&b);
	}
	CU_ASSERT_TRUE(accepted > 1000);
}

static void empty_texts(void)
{
	struct template_text t = text((struct str){ NULL, 0 }, (struct str){ NULL, 0 });
	struct template_fault fault;

	CU_ASSERT_FALSE(template_subject_is_valid(&t, &fault));
	CU_ASSERT_STRING_EQUAL(fault.field, "subject");
	CU_ASSERT_FALSE(template_body_is_valid(&t, &fault));
	CU_ASSERT_STRING_EQUAL(fault.field, "body");
}

UNIT_MAIN("template", { "lines", lines },
	{ "whatever is accepted can be rendered", whatever_is_accepted_can_be_rendered },
	{ "empty texts", empty_texts })
