/* SPDX-License-Identifier: Apache-2.0
 * Buffers, arenas and what is appended to them. */
#include "base/base.h"
#include "unit.h"

#include <string.h>

static bool holds(struct buf *b, const char *text)
{
	bool ok = strcmp(buf_cstr(b), text) == 0 && b->n == strlen(text);

	b->n = 0;
	return ok;
}

static void buffers(void)
{
	struct buf b = { 0 };
	char *taken;

	CU_ASSERT_STRING_EQUAL(buf_cstr(&b), "");
	buf_add(&b, NULL, 0);
	CU_ASSERT_EQUAL(b.n, 0);
	for (int i = 0; i < 1000; i++) /* grows from nothing */
		buf_addc(&b, (char)('a' + i % 26));
	CU_ASSERT_EQUAL(b.n, 1000);
	CU_ASSERT_EQUAL(b.p[999], 'a' + 999 % 26);
	b.n = 0;
	buf_addf(&b, "%s-%d", "x", 7);
	buf_adds(&b, "");
	CU_ASSERT_TRUE(holds(&b, "x-7"));
	buf_addf(&b, "%0900d", 1); /* longer than the room at hand */
	CU_ASSERT_EQUAL(b.n, 900);
	b.n = 0;
	buf_add_int(&b, INT64_MIN);
	buf_addc(&b, ' ');
	buf_add_int(&b, INT64_MAX);
	buf_addc(&b, ' ');
	buf_add_int(&b, 0);
	CU_ASSERT_TRUE(holds(&b, "-9223372036854775808 9223372036854775807 0"));
	buf_add_hex(&b, "\x00\x7f\xff", 3);
	CU_ASSERT_TRUE(holds(&b, "007fff"));
	buf_adds(&b, "owned");
	taken = buf_take(&b);
	CU_ASSERT_STRING_EQUAL(taken, "owned");
	CU_ASSERT_TRUE(b.n == 0 && !b.p && !b.cap);
	free(taken);
	taken = buf_take(&b); /* of an empty one: an empty text */
	CU_ASSERT_STRING_EQUAL(taken, "");
	free(taken);
	buf_free(&b);
}

static void encodings(void)
{
	struct buf b = { 0 };

	buf_add_url(&b, "a-Z_0.~ /?&=%中", strlen("a-Z_0.~ /?&=%中"));
	CU_ASSERT_TRUE(holds(&b, "a-Z_0.~%20%2F%3F%26%3D%25%E4%B8%AD"));
	buf_add_json(&b, "q\"\\\n\t\x01</script>&'", strlen("q\"\\\n\t\x01</script>&'"));
	CU_ASSERT_PTR_NULL(strchr(buf_cstr(&b), '<')); /* safe in HTML */
	CU_ASSERT_PTR_NULL(strchr(buf_cstr(&b), '\n'));
	CU_ASSERT_TRUE(b.p[0] == '"' && b.p[b.n - 1] == '"');
	buf_free(&b);
}

static void comparing(void)
{
	CU_ASSERT_TRUE(str_eq(STR(""), (struct str){ NULL, 0 }));
	CU_ASSERT_TRUE(str_eq(STR("a\0b"), STR("a\0b")));
	CU_ASSERT_FALSE(str_eq(STR("a\0b"), STR("a\0c")));
	CU_ASSERT_FALSE(str_is(STR("abc"), "ab") || str_is(STR("ab"), "abc"));
	CU_ASSERT_TRUE(str_is(STR("ab"), "ab") && str_case_is(STR("X-Id"), "x-iD"));
	CU_ASSERT_FALSE(str_case_is(STR("x-id"), "x-ie"));
	CU_ASSERT_TRUE(str_of(NULL).n == 0 && str_of("abc").n == 3);
}

static void arenas(void)
{
	struct arena a = { 0 };
	char *small[500], *large, zero[64] = { 0 };

	for (int i = 0; i < 500; i++) {
		small[i] = arena_alloc(&a, (size_t)i % 60 + 1);
		CU_ASSERT_EQUAL((uintptr_t)small[i] % sizeof(void *), 0);
		CU_ASSERT_EQUAL(memcmp(small[i], zero, (size_t)i % 60 + 1), 0);
		memset(small[i], i, (size_t)i % 60 + 1);
	}
	large = arena_alloc(&a, 1 << 20); /* more than a block holds */
	memset(large, 7, 1 << 20);
	for (int i = 0; i < 500; i++) /* none lies in another */
		for (size_t k = 0; k < (size_t)i % 60 + 1; k++)
			CU_ASSERT_EQUAL(small[i][k], (char)i);
	CU_ASSERT_STRING_EQUAL(arena_dup(&a, "copied text", 6), "copied");
	CU_ASSERT_STRING_EQUAL(arena_printf(&a, "%s %d", "n", 5), "n 5");
	arena_free(&a);
	CU_ASSERT_PTR_NULL(a.head);
	arena_free(&a);
}

/* A text that is cut ends with a whole character. */
static void cutting(void)
{
	struct str s = STR("a中😀b");
	char out[32];

	CU_ASSERT_EQUAL(utf8_head(s, 0).n, 0);
	CU_ASSERT_EQUAL(utf8_head(s, 2).n, 4);
	CU_ASSERT_EQUAL(utf8_head(s, 3).n, 8);
	CU_ASSERT_EQUAL(utf8_head(s, 99).n, s.n);
	for (size_t size = 1; size <= s.n + 1; size++) {
		size_t n = utf8_format(out, size, "%.*s", (int)s.n, s.p);

		CU_ASSERT_TRUE(n < size && n == strlen(out) && utf8_is_valid(out, n));
		CU_ASSERT_TRUE(size - 1 - n < 4); /* and holds what fits */
	}
	CU_ASSERT_STRING_EQUAL(out, "a中😀b");
}

UNIT_MAIN("text", { "buffers", buffers }, { "encodings", encodings }, { "comparisons", comparing },
	{ "arenas", arenas }, { "cutting", cutting })
