/* SPDX-License-Identifier: Apache-2.0
 * What the build makes from the usage texts: the manual page sladesk(1) and the completion for
 * bash. */
#include "printed.h"

#include <stdio.h>
#include <stdlib.h>

/* Text for roff: '-' and '\' are escaped, and no line begins with a dot. */
static void print_roff(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] == '-')
			fputs("\\-", stdout);
		else if (text[i] == '\\')
			fputs("\\e", stdout);
		else
			putchar(text[i]);
	putchar('\n');
}

/* The usage lines, then what they do: the lines that are indented by more than two blanks. */
static void print_command(const struct command *c)
{
	const char *p = c->help;
	bool described = false;

	puts(".PP");
	while (*p) {
		size_t blanks = strspn(p, " "), n = strcspn(p, "\n");

		if (blanks > 2) {
			if (!described)
				puts(".RS");
			described = true;
		} else {
			fputs(".B sladesk ", stdout);
		}
		print_roff(p + blanks, n - blanks);
		if (blanks <= 2)
			puts(".br");
		p += n + (p[n] == '\n');
	}
	if (described)
		puts(".RE");
}

void print_manual_page(const struct command *const *tables)
{
	puts(".TH SLADESK 1\n.SH NAME\nsladesk \\- operate a service desk\n.SH SYNOPSIS\n.B "
	     "sladesk\n"
	     "[\\-c FILE] COMMAND ...\n.br\n.B sladesk help\n[COMMAND]\n.SH DESCRIPTION\n"
	     "Creates and upgrades the database, manages customers, staff, users, tokens and keys, "
	     "imports logs, verifies clocks, counts and the audit log. Without \\-c, settings come "
	     "from the environment (see\n.BR sladesk.conf (5)).\n.SH COMMANDS");
	for (; *tables; tables++)
		for (const struct command *c = *tables; c->name; c++)
			print_command(c);
	puts(".SH EXIT STATUS\n0 on success, 1 if the command found or had a fault, 2 if it was "
	     "called wrongly.\n.SH SEE ALSO\n.BR sladeskd (8),\n.BR sladesk.conf (5)");
}

/* Print each word of the usage lines that ACCEPT takes, once for a line. */
static void print_words(const struct command *c, bool (*accept)(const char *word, size_t n, int at))
{
	for (const char *p = c->help; *p;) {
		size_t line = strcspn(p, "\n");

		if (strspn(p, " ") <= 2)
			for (size_t i = strspn(p, " "), at = 0; i < line; at++) {
				size_t n = strcspn(p + i, " []\n");

				if (n && accept(p + i, n, (int)at))
					printf("%.*s ", (int)n, p + i);
				i += n;
				i += strspn(p + i, " []");
			}
		p += line + (p[line] == '\n');
	}
}

static bool is_option_word(const char *word, size_t n, int at)
{
	(void)at;
	return n > 2 && strncmp(word, "--", 2) == 0;
}

/* The word after the command's name, if it is in lower case: "keys rotate", but not "import CSV".
 */
static bool is_subcommand(const char *word, size_t n, int at)
{
	return at == 1 && n == strspn(word, "abcdefghijklmnopqrstuvwxyz-") && word[0] != '-';
}

void print_completion(const struct command *const *tables)
{
	puts("# bash completion for sladesk; made from its usage texts\n"
	     "_sladesk() {\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at=1 subs= "
	     "opts=\n"
	     "\tCOMPREPLY=()\n"
	     "\tif [ \"$prev\" = -c ]; then COMPREPLY=($(compgen -f -- \"$cur\")); return; fi\n"
	     "\t[ \"${COMP_WORDS[1]}\" = -c ] && at=3\n"
	     "\tcase ${COMP_WORDS[at]} in");
	for (const struct command *const *t = tables; *t; t++)
		for (const struct command *c = *t; c->name; c++) {
			printf("\t%s) subs='", c->name);
			print_words(c, is_subcommand);
			fputs("' opts='", stdout);
			print_words(c, is_option_word);
			puts("' ;;");
		}
	fputs("\tesac\n\tif [ \"$COMP_CWORD\" -le \"$at\" ]; then COMPREPLY=($(compgen -W 'help ",
		stdout);
	for (const struct command *const *t = tables; *t; t++)
		for (const struct command *c = *t; c->name; c++)
			printf("%s ", c->name);
	puts("' -- \"$cur\"))\n"
	     "\telif [[ $cur == -* ]]; then COMPREPLY=($(compgen -W \"$opts\" -- \"$cur\"))\n"
	     "\telif [ \"$COMP_CWORD\" = $((at + 1)) ] && [ -n \"$subs\" ]; then "
	     "COMPREPLY=($(compgen "
	     "-W \"$subs\" -- \"$cur\"))\n"
	     "\telse COMPREPLY=($(compgen -f -- \"$cur\")); fi\n"
	     "}\n"
	     "complete -F _sladesk sladesk");
}
