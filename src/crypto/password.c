/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/password.h"
#include "base/unicode.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <stdlib.h>

/* The words behind the most common passwords. Usual substitutions are undone and surrounding digits
 * and symbols removed, so "P@ssw0rd2026!" becomes "password". */
static const char *const common[] = { "password", "passwd", "pass", "passwort", "admin",
	"administrator", "root", "welcome", "letmein", "login", "master", "qwerty", "qwertyuiop",
	"qwer", "asdf", "asdfgh", "asdfghjkl", "zxcvbn", "zxcvbnm", "qazwsx", "qazwsxedc", "abc",
	"abcd", "abcde", "abcdef", "abcdefg", "abcdefgh", "aa", "aaa", "aaaa", "test", "tester",
	"testing", "demo", "user", "guest", "default", "changeme", "change", "secret", "iloveyou",
	"monkey", "dragon", "football", "baseball", "superman", "batman", "sunshine", "princess",
	"shadow", "michael", "jordan", "hunter", "killer", "trustno", "starwars", "whatever",
	"freedom", "hello", "summer", "winter", "spring", "autumn", "monday", "friday", "january",
	"december", "company", "support", "service", "server", "oracle", "postgres", "mysql",
	"redis", "linux", "windows", "amazon", "aws", "cloud", "china", "beijing", "shanghai",
	"woaini", "woaiwojia", "wang", "zhang", "nihao", "mima", "sladesk", "q", "a", "z", "qw",
	"as", "zx", "qaz", "wsx", "qwe", "asd", "zxc" };

static char plain(char c)
{
	static const char from[] = "@4301!$5780", to[] = "aaeoiisstbo";
	const char *at = c ? strchr(from, c) : NULL;

	return at ? to[at - from] : (char)tolower((unsigned char)c);
}

static bool is_edge(const char *at)
{
	enum unicode_class c;

	if (!(*at & 0x80))
		return !isalpha((unsigned char)*at);
	c = unicode_next(&at);
	return c == UNICODE_PUNCTUATION || c == UNICODE_DIGIT;
}

/* The word in the middle: strip the surroundings, then undo the substitutions. Letters and pictures
 * beyond ASCII are part of the word: if they were dropped, the rest could look like a common
 * password by accident. */
static void word_of(const char *password, char *out, size_t size)
{
	const char *from = password, *to = password + strlen(password);
	size_t n = 0;

	while (from < to && is_edge(from) && *from != '@' && *from != '$')
		unicode_next(&from);
	for (const char *last = to; to > from; to = last) {
		for (last--; last > from && (*last & 0xc0) == 0x80;)
			last--;
		if (!is_edge(last))
			break;
	}
	for (; from < to && n + 1 < size; from++)
		if (*from & 0x80 || isalpha((unsigned char)plain(*from)))
			out[n++] = plain(*from);
	out[n] = 0;
}

static bool is_mixed(const char *password)
{
	bool upper = false, lower = false, digit = false, other = false;

	for (const char *p = password, *at = p; *p; at = p) {
		enum unicode_class c = unicode_next(&p);

		upper |= c == UNICODE_UPPER;
		lower |= c == UNICODE_LOWER;
		digit |= c == UNICODE_DIGIT;
		other |= *at & 0x80 || !isalnum((unsigned char)*at);
	}
	return upper && lower && digit && other;
}

static bool is_common(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (strcmp(word, common[i]) == 0)
			return true;
	return false;
}

static const char *rule_broken(const char *password, const char *username, bool zh)
{
	size_t n = utf8_length(password, strlen(password));
	char word[PASSWORD_BYTES + 1], name[401];

	if (n < 8 || n > 200 || !is_mixed(password))
		return zh ? "8 到 200 个字符，须含大写字母、小写字母、数字和符号，例如 Kofferwort-7"
			  : "8 to 200 characters with an upper-case letter, a lower-case letter, a "
			    "digit and a symbol, for example Kofferwort-7";
	word_of(password, word, sizeof(word));
	word_of(username, name, sizeof(name));
	if (is_common(word))
		return zh ? "过于常见：去掉数字和符号后是常用密码"
			  : "too common: without digits and symbols it is a well-known password";
	if (name[0] && strlen(name) > 2 && strstr(word, name))
		return zh ? "不能包含用户名" : "must not contain the user name";
	return NULL;
}

const char *password_rule_broken(const char *password, const char *username, bool zh)
{
	char *nfc;
	const char *broken;

	if (!utf8_is_valid(password, strlen(password)))
		return zh ? "应为 UTF-8 文本" : "must be UTF-8 text";
	nfc = unicode_nfc(password);
	broken = rule_broken(nfc, username, zh);
	OPENSSL_cleanse(nfc, strlen(nfc));
	free(nfc);
	return broken;
}
