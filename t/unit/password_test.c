/* SPDX-License-Identifier: Apache-2.0
 * The rules for passwords, in both languages. */
#include "crypto/password.h"
#include "unit.h"

#include <string.h>

static bool taken(const char *password)
{
	return !password_rule_broken(password, "li.wei", false);
}

static void composition(void)
{
	char longest[202];

	CU_ASSERT_TRUE(taken("Kofferwort-7") && taken("Zügel-9x") && taken("Ab1 cdef"));
	CU_ASSERT_FALSE(taken("") || taken("Ab1-cde") || taken("kofferwort-7") ||
			taken("KOFFERWORT-7") || taken("Kofferwort-x") || taken("Kofferwort7"));
	CU_ASSERT_TRUE(taken("Ab1中cdef")); /* any character counts as one, and as a symbol */
	memset(longest, 'x', 200);
	memcpy(longest, "Ab1-", 4);
	longest[200] = 0;
	CU_ASSERT_TRUE(taken(longest));
	longest[200] = 'x';
	longest[201] = 0;
	CU_ASSERT_FALSE(taken(longest));
}

/* Characters are counted, whatever they take as bytes and however they are composed. */
static void other_scripts(void)
{
	static const char *const good[] = { "Aa1!春眠不觉晓处处闻啼鸟", "Aa1-春眠不觉",
		"Солнышко-7", "Aa1!Солнце", "Aa1!😀🎉🚀🌍🍕🎸", "Passwort1!春眠", "Zu\u0308gel-9x",
		"Ab1-한국어를", "Привет123!Яx" };
	char many[4 + 3 * 196 + 1] = "Aa1!", emoji[4 + 4 * 196 + 1] = "Aa1!",
				parted[4 + 3 * 196 + 2] = "Aa1!";

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!taken(good[i]))
			CU_FAIL(good[i]);
	CU_ASSERT_FALSE(taken("Aa1!春眠不") || taken("春眠不觉晓处处闻啼鸟") ||
			taken("Password1！") || taken("Aa1!1234") || taken("「Password1」"));
	for (int i = 0; i < 196; i++) {
		strcat(many, "春");
		strcat(emoji, "😀");
		strcat(parted, "u\u0308"); /* two code points of one character */
	}
	CU_ASSERT_TRUE(taken(many) && taken(parted)); /* 200 characters */
	CU_ASSERT_TRUE(taken(emoji));
	strcat(parted, "u"); /* one more */
	CU_ASSERT_PTR_NOT_NULL(
		strstr(password_rule_broken(parted, "li.wei", false), "200 characters"));
	CU_ASSERT_PTR_NOT_NULL(password_rule_broken("Aa1!\xff\xfe", "li.wei", false));
}

static void common_words(void)
{
	static const char *const bad[] = { "Password1!", "P@ssw0rd2026!", "!!Welcome99",
		"Qwerty-123", "Adm1n!2345", "Summ3r$2025", "L3tme1n!00", "Sladesk-2026",
		"Shanghai@88" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (taken(bad[i]))
			CU_FAIL(bad[i]);
	CU_ASSERT_TRUE(
		taken("Password-Kofferwort-7")); /* a common word within a longer text is allowed */
}

static void user_names(void)
{
	CU_ASSERT_PTR_NOT_NULL(password_rule_broken("Li.Wei-2026x", "li.wei", false));
	CU_ASSERT_PTR_NOT_NULL(password_rule_broken("X9-zh4ngmin!", "zhangmin", false));
	CU_ASSERT_PTR_NULL(password_rule_broken("Kofferwort-7", "zhangmin", false));
	CU_ASSERT_PTR_NULL(
		password_rule_broken("Kofferwort-7", "ko", false)); /* too short a name */
	CU_ASSERT_PTR_NULL(password_rule_broken("Kofferwort-7", "12345", false));
	CU_ASSERT_PTR_NULL(password_rule_broken("Kofferwort-7", "", false));
}

static void languages(void)
{
	static const char *const broken[] = { "short", "Password1!", "Li.Wei-2026x" };

	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		const char *en = password_rule_broken(broken[i], "li.wei", false),
			   *zh = password_rule_broken(broken[i], "li.wei", true);

		CU_ASSERT_TRUE(en && zh && (unsigned char)en[0] < 0x80 && strcmp(en, zh) != 0);
		CU_ASSERT_TRUE(zh && utf8_is_valid(zh, strlen(zh)) &&
			       utf8_length(zh, strlen(zh)) < strlen(zh));
	}
}

UNIT_MAIN("password", { "length and characters", composition }, { "other scripts", other_scripts },
	{ "common passwords", common_words }, { "the user's name", user_names },
	{ "both languages", languages })
