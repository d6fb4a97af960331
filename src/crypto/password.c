/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/password.h"

#include <ctype.h>
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

/* The word in the middle: strip the surroundings, then undo the substitutions. */
static void word_of(const char *password, char *out, size_t size)
{
	const char *from = password, *to = password + strlen(password);
	size_t n = 0;

	while (from < to && !isalpha((unsigned char)*from) && *from != '@' && *from != '$')
		from++;
	while (to > from && !isalpha((unsigned char)to[-1]))
		to--;
	for (; from < to && n + 1 < size; from++)
		if (isalpha((unsigned char)plain(*from)))
			out[n++] = plain(*from);
	out[n] = 0;
}

const char *password_rule_broken(const char *password, const char *username, bool zh)
{
	size_t n = utf8_length(password, strlen(password));
	bool upper = false, lower = false, digit = false, other = false;
	char word[201], name[101]; /* only ASCII letters: one byte per character */

	for (const unsigned char *p = (const unsigned char *)password; *p; p++) {
		upper |= *p >= 'A' && *p <= 'Z';
		lower |= *p >= 'a' && *p <= 'z';
		digit |= *p >= '0' && *p <= '9';
		other |= !isalnum(*p);
	}
	if (n < 8 || n > 200 || !upper || !lower || !digit || !other)
		return zh ? "8 到 200 个字符，须含大写字母、小写字母、数字和符号，例如 Kofferwort-7"
			  : "8 to 200 characters with an upper-case letter, a lower-case letter, a "
			    "digit and a symbol, for example Kofferwort-7";
	word_of(password, word, sizeof(word));
	word_of(username, name, sizeof(name));
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (strcmp(word, common[i]) == 0)
			return zh ? "过于常见：去掉数字和符号后是常用密码"
				  : "too common: without digits and symbols it is a well-known "
				    "password";
	if (name[0] && strlen(name) > 2 && strstr(word, name))
		return zh ? "不能包含用户名" : "must not contain the user name";
	return NULL;
}
