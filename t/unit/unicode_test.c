/* SPDX-License-Identifier: Apache-2.0
 * Texts that look alike are one text. */
#include "base/unicode.h"
#include "unit.h"

#include <string.h>

static void names(void)
{
	static const struct {
		const char *typed, *name;
	} cases[] = { { "admin", "admin" }, { "ADMIN", "admin" }, { "admin ", "admin" },
		{ " \tAdmin\r\n", "admin" }, { "\u3000admin\u00a0", "admin" },
		{ "\u200badmin\ufeff", "admin" }, { "li wei", "li wei" },
		{ "Jose\u0301", "jos\u00e9" }, { "JOS\u00c9", "jos\u00e9" },
		{ "\u212aelvin", "kelvin" }, { "STRASSE", "strasse" }, { "stra\u00dfe", "strasse" },
		{ "", "" }, { "  ", "" }, { "\u674e\u4f1f", "\u674e\u4f1f" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *name = unicode_name(cases[i].typed), *again = unicode_name(name);

		CU_ASSERT_STRING_EQUAL(name, cases[i].name);
		CU_ASSERT_STRING_EQUAL(again, name);
		free(name);
		free(again);
	}
}

static void composed(void)
{
	static const struct {
		const char *typed, *nfc;
	} cases[] = { { "Kofferwort-7", "Kofferwort-7" }, { "Zu\u0308gel", "Z\u00fcgel" },
		{ "Z\u00fcgel", "Z\u00fcgel" }, { "\u1112\u1161\u11ab", "\ud55c" },
		{ "\u0344", "\u0308\u0301" }, { "a\u0323\u0307", "\u1ea1\u0307" },
		{ "a\u0307\u0323", "\u1ea1\u0307" }, { " x ", " x " },
		{ "\U0001F600", "\U0001F600" }, { "", "" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *nfc = unicode_nfc(cases[i].typed);

		CU_ASSERT_STRING_EQUAL(nfc, cases[i].nfc);
		free(nfc);
	}
}

static void classes(void)
{
	const char *p = "Aa1-\u4e2d\u042f\u044f\U0001F600\u3000";
	static const enum unicode_class is[] = { UNICODE_UPPER, UNICODE_LOWER, UNICODE_DIGIT,
		UNICODE_PUNCTUATION, UNICODE_LETTER, UNICODE_UPPER, UNICODE_LOWER, UNICODE_OTHER,
		UNICODE_PUNCTUATION };

	for (size_t i = 0; i < ARRAY_LEN(is); i++)
		CU_ASSERT_EQUAL(unicode_next(&p), is[i]);
	CU_ASSERT_EQUAL(*p, 0);
}

UNIT_MAIN("unicode", { "names", names }, { "composed", composed }, { "classes", classes })
