/* SPDX-License-Identifier: Apache-2.0 */
#include "config/settings_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static char *strip(char *s)
{
	char *end = s + strlen(s);

	while (end > s && isspace((unsigned char)end[-1]))
		*--end = 0;
	return s + strspn(s, " \t\r\n\v\f");
}

/* A semicolon after a blank begins a comment. */
static void cut_comment(char *s)
{
	for (char *p = strchr(s, ';'); p; p = strchr(p + 1, ';'))
		if (p > s && isspace((unsigned char)p[-1])) {
			*p = 0;
			return;
		}
}

static bool is_header(const char *text)
{
	const char *end = strchr(text, ']');

	return text[0] == '[' && end && !end[1];
}

void settings_file_read(FILE *f, settings_fn *on_line)
{
	char *line = NULL, *section = xstrdup("");
	size_t cap = 0;
	ssize_t n;

	for (int number = 1; (n = getline(&line, &cap, f)) >= 0; number++) {
		char *text = number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? line + 3 : line,
		     *value;
		bool whole = strlen(line) == (size_t)n; /* without a NUL */

		text = strip(text);
		if (whole && (!*text || *text == ';' || *text == '#'))
			continue;
		cut_comment(text);
		text = strip(text);
		value = strpbrk(text, "=:");
		if (whole && is_header(text)) {
			free(section);
			section = xstrndup(text + 1, strlen(text) - 2);
		} else if (!whole || *text == '[' || !value) {
			on_line(number, section, NULL, NULL);
		} else {
			*value++ = 0;
			on_line(number, section, strip(text), strip(value));
		}
	}
	free(section);
	free(line);
}
