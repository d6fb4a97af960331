/* SPDX-License-Identifier: Apache-2.0
 * The arguments of a command against its usage text, so that a misspelt, doubled or incomplete
 * option stops the command instead of being ignored. The text is the only list of options. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

/* The position in HELP after the name of option ARG ("--tenant"); NULL if HELP does not name it. */
static const char *find_option(const char *help, const char *arg)
{
	size_t n = strlen(arg);

	for (const char *p = strstr(help, arg); p; p = strstr(p + 1, arg))
		if (p > help && strchr(" [\n", p[-1]) && strchr(" ]\n", p[n]))
			return p + n;
	return NULL;
}

/* In a usage text, a value follows its option; a flag is followed by a bracket or another option.
 */
static bool takes_value(const char *behind)
{
	return behind[0] == ' ' && !strchr(" -[]\n", behind[1]);
}

/* The lines of C's usage text for the subcommand in the arguments, or the whole text. The caller
 * frees it. */
static char *usage_of(const struct command *c, int argc, char **argv)
{
	char *line = argc ? xasprintf("%s %s", c->name, argv[0]) : xstrdup(c->name), *out;
	size_t n = strlen(line);
	struct buf b = { 0 };

	for (const char *p = c->help; *p; p += *p == '\n') {
		size_t length = strcspn(p, "\n"), blanks = strspn(p, " ");

		if (strncmp(p + blanks, line, n) == 0 && strchr(" \n", p[blanks + n]))
			buf_addf(&b, "%.*s\n", (int)length, p);
		p += length;
	}
	out = xstrdup(b.n ? buf_cstr(&b) : c->help);
	buf_free(&b);
	free(line);
	return out;
}

static bool is_given_before(char **argv, int i)
{
	for (int k = 0; k < i; k++)
		if (strcmp(argv[k], argv[i]) == 0)
			return true;
	return false;
}

/* What is wrong with option argv[I]; NULL if nothing is. */
static const char *fault_of(const char *help, int argc, char **argv, int i)
{
	const char *behind = strncmp(argv[i], "--", 2) == 0 ? find_option(help, argv[i]) : NULL;

	if (!behind)
		return "unknown option";
	if (is_given_before(argv, i))
		return "given twice:";
	if (takes_value(behind) && (i + 1 == argc || strncmp(argv[i + 1], "--", 2) == 0))
		return "no value for";
	return NULL;
}

bool usage_is_kept(const struct command *c, int argc, char **argv)
{
	char *help = usage_of(c, argc, argv);
	const char *fault = NULL;

	for (int i = 0; i < argc && !fault; i++) {
		if (argv[i][0] != '-' || !argv[i][1])
			continue;
		fault = fault_of(help, argc, argv, i);
		if (fault)
			fprintf(stderr, "sladesk %s: %s %s\nusage: sladesk %s\n", c->name, fault,
				argv[i], c->help);
		else if (takes_value(find_option(help, argv[i])))
			i++;
	}
	free(help);
	return !fault;
}
