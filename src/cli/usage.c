/* SPDX-License-Identifier: Apache-2.0
 * The arguments of a command against its usage text, so that a misspelt, doubled, incomplete or
 * misplaced one stops the command instead of being ignored. The text is the only list of options.
 */
#include "cli/cli.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* The position in LINE after the name of option ARG ("--tenant"); NULL if LINE does not name it. */
static const char *find_option(const char *line, const char *arg)
{
	size_t n = strlen(arg);

	for (const char *p = strstr(line, arg); p; p = strstr(p + 1, arg))
		if (p > line && strchr(" [", p[-1]) && strchr(" ]", p[n]))
			return p + n;
	return NULL;
}

static bool is_option(const char *arg)
{
	return arg[0] == '-' && arg[1];
}

/* In a usage text, a value follows its option; a flag is followed by a bracket or another option.
 */
static bool takes_value(const char *behind)
{
	return behind[0] == ' ' && behind[1] && !strchr(" -[]", behind[1]);
}

static bool is_given_before(char **argv, int i)
{
	for (int k = 0; k < i; k++)
		if (strcmp(argv[k], argv[i]) == 0)
			return true;
	return false;
}

/* How many words LINE has that are neither options nor their values: the command's name and what it
 * takes. */
static int words_of(const char *line)
{
	bool value = false;
	int words = 0;

	for (const char *p = line + strspn(line, " "); *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		bool option = *p == '[' || strncmp(p, "--", 2) == 0;

		words += !option && !value;
		value = option && takes_value(p + n);
		p += n;
	}
	return words;
}

/* Does LINE of a usage text begin with command NAME and, if SUB, with this word behind it? */
static bool is_about(const char *line, const char *name, const char *sub)
{
	char *words = sub ? xasprintf("%s %s", name, sub) : xstrdup(name);
	size_t n = strlen(words);
	bool about = strncmp(line, words, n) == 0 && strchr(" \n", line[n]);

	free(words);
	return about;
}

/* A fault of the arguments: what, and of which. */
struct fault {
	const char *what;
	int at;
};
#define MISPLACED "does not go with the others:"

/* What is wrong with argument argv[I] by LINE; NULL if nothing is. *WORDS counts what is no option.
 */
static const char *fault_of(const char *line, int argc, char **argv, int i, int *words)
{
	const char *behind;

	if (!is_option(argv[i]))
		return ++*words > words_of(line) ? "unexpected argument" : NULL;
	behind = strncmp(argv[i], "--", 2) == 0 ? find_option(line, argv[i]) : NULL;
	if (!behind)
		return MISPLACED;
	if (is_given_before(argv, i))
		return "given twice:";
	if (takes_value(behind) && (i + 1 == argc || strncmp(argv[i + 1], "--", 2) == 0))
		return "no value for";
	return NULL;
}

static struct fault line_fault(const char *line, int argc, char **argv)
{
	struct fault f = { NULL, 0 };
	int words = 1; /* the command's name */

	for (; f.at < argc; f.at++) {
		f.what = fault_of(line, argc, argv, f.at, &words);
		if (f.what)
			return f;
		if (is_option(argv[f.at]) && takes_value(find_option(line, argv[f.at])))
			f.at++;
	}
	return f;
}

/* The line of C's usage text that comes closest to the arguments, with its fault in *F, among those
 * about SUB (NULL: all of the command). NULL if there is none. The caller frees it. */
static char *closest_line(
	const struct command *c, const char *sub, int argc, char **argv, struct fault *f)
{
	char *best = NULL;

	for (const char *p = c->help; *p; p += *p == '\n') {
		size_t blanks = strspn(p, " "), length = strcspn(p, "\n");
		char *line = xasprintf("%.*s", (int)(length - blanks), p + blanks);
		struct fault here = line_fault(line, argc, argv);
		bool closer =
			!best ||
			(f->what && (!here.what || here.at > f->at ||
					    (here.at == f->at && strcmp(f->what, MISPLACED) == 0)));

		p += length;
		if (closer && is_about(line, c->name, sub)) {
			free(best);
			best = line;
			*f = here;
		} else {
			free(line);
		}
	}
	return best;
}

/* Does every form of C begin with a word of its own, such as "tenant add"? */
static bool has_verbs(const struct command *c)
{
	size_t n = strlen(c->name);

	for (const char *p = c->help; *p; p += *p == '\n') {
		const char *line = p + strspn(p, " ");

		p += strcspn(p, "\n");
		if (is_about(line, c->name, NULL) &&
			!(line[n] == ' ' && islower((unsigned char)line[n + 1])))
			return false;
	}
	return true;
}

static bool has_form(const struct command *c, const char *verb)
{
	for (const char *p = c->help; *p; p += *p == '\n') {
		if (is_about(p + strspn(p, " "), c->name, verb))
			return true;
		p += strcspn(p, "\n");
	}
	return false;
}

/* A word that C does not have, or none. */
static bool is_verb_wrong(const struct command *c, int argc, char **argv)
{
	bool named = argc && !is_option(argv[0]);

	if (!has_verbs(c) || (named && has_form(c, argv[0])))
		return false;
	fprintf(stderr, "sladesk %s: %s%s\nusage: sladesk %s\n", c->name,
		named ? "unknown command " : "what to do is missing", named ? argv[0] : "",
		c->help);
	return true;
}

bool usage_is_kept(const struct command *c, int argc, char **argv)
{
	struct fault f = { NULL, 0 };
	char *line;

	if (is_verb_wrong(c, argc, argv))
		return false;
	line = closest_line(c, argc && !is_option(argv[0]) ? argv[0] : NULL, argc, argv, &f);
	if (!line)
		line = closest_line(c, NULL, argc, argv, &f);
	if (f.what && strcmp(f.what, MISPLACED) == 0 && !find_option(c->help, argv[f.at]))
		f.what = "unknown option";
	if (f.what)
		fprintf(stderr, "sladesk %s: %s %s\nusage: sladesk %s\n", c->name, f.what,
			argv[f.at], c->help);
	free(line);
	return !f.what;
}
