/* SPDX-License-Identifier: Apache-2.0
 * sladesk text: the wording of mails and text messages. A text is printed as it is read: the
 * subject, an empty line, the body. */
#include "cmd_text.h"
#include "template.h"
#include "cli/cli.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX (64 * 1024)

/* The columns of notify/text_one that are used here. */
enum { T_SUBJECT = 2, T_BODY, T_SHIPPED_SUBJECT, T_SHIPPED_BODY, T_SHIPPED_ALL, T_OWN };

struct named {
	const char *p[4]; /* template, language; subject and body, if they are saved */
	PGresult *r;
};

static struct str cell(const struct named *n, int column)
{
	return str_of(PQgetvalue(n->r, 0, column));
}

/* The text that the options name. */
static struct named find(PGconn *pg, int argc, char **argv)
{
	struct named n = { .p = { cli_option(argc, argv, "template", NULL),
				   cli_choice(argc, argv, "lang", NULL, "zh|en") } };

	n.r = cli_exec(pg, &sql_notify_text_one, n.p);
	if (!PQntuples(n.r))
		die("--template: no such text (sladesk text list), such as ticket_reply");
	return n;
}

static void print_text(struct str subject, struct str body)
{
	printf("%.*s\n\n%.*s%s", (int)subject.n, subject.p, (int)body.n, body.p,
		body.n && body.p[body.n - 1] == '\n' ? "" : "\n");
}

static void show(PGconn *pg, int argc, char **argv)
{
	struct named n = find(pg, argc, argv);
	bool shipped = cli_flag(argc, argv, "shipped");

	print_text(cell(&n, shipped ? T_SHIPPED_SUBJECT : T_SUBJECT),
		cell(&n, shipped ? T_SHIPPED_BODY : T_BODY));
	PQclear(n.r);
}

/* The word that is no option and no option's value; usage_is_kept has counted the words. */
static const char *file_argument(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--", 2) != 0 && strcmp(argv[i - 1], "--template") != 0 &&
			strcmp(argv[i - 1], "--lang") != 0)
			return argv[i];
	die("FILE: the text, or - for standard input");
}

static char *read_file(const char *name)
{
	FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	char *text = xmalloc(TEXT_MAX + 1);
	size_t n;

	if (!f)
		die("%s: %m", name);
	n = fread(text, 1, TEXT_MAX + 1, f);
	if (ferror(f))
		die("%s: %m", name);
	if (n > TEXT_MAX)
		die("%s: at most 64 KiB", name);
	if (f != stdin)
		fclose(f);
	text[n] = 0;
	if (strlen(text) != n || !utf8_is_valid(text, n))
		die("%s: UTF-8 text expected", name);
	return text;
}

/* Cut TEXT into subject and body. */
static void cut(char *text, const char *name, struct template_text *t)
{
	char *end = strchr(text, '\n');

	if (!end || end[1] != '\n')
		die("%s: the subject, an empty line and the body expected, as sladesk text show "
		    "prints them",
			name);
	*end = 0;
	t->subject = str_of(text);
	t->body = str_of(end + 2);
}

static void die_of(const struct template_fault *fault)
{
	die("%s: %s; for example: %.*s", fault->field, fault->en, (int)fault->example.n,
		fault->example.p);
}

static void set(PGconn *pg, int argc, char **argv)
{
	struct named n = find(pg, argc, argv);
	const char *name = file_argument(argc, argv);
	char *text = read_file(name);
	struct template_text t = { .code = n.p[0],
		.shipped_subject = cell(&n, T_SHIPPED_SUBJECT),
		.shipped_body = cell(&n, T_SHIPPED_BODY),
		.shipped_all = cell(&n, T_SHIPPED_ALL) };
	struct template_fault fault;

	cut(text, name, &t);
	if (!template_subject_is_valid(&t, &fault) || !template_body_is_valid(&t, &fault))
		die_of(&fault);
	if (cli_flag(argc, argv, "preview")) {
		struct template_values examples = template_examples(strcmp(n.p[1], "zh") == 0);
		struct buf subject = { 0 }, body = { 0 };

		template_render(&subject, t.subject, &examples);
		template_render(&body, t.body, &examples);
		print_text((struct str){ subject.p, subject.n }, (struct str){ body.p, body.n });
		buf_free(&subject);
		buf_free(&body);
	} else {
		n.p[2] = t.subject.p;
		n.p[3] = t.body.p;
		cli_do(pg, &sql_notify_text_save, n.p);
		printf("%s\t%s\tsaved\n", n.p[0], n.p[1]);
	}
	PQclear(n.r);
	free(text);
}

static void reset(PGconn *pg, int argc, char **argv)
{
	struct named n = find(pg, argc, argv);

	cli_do(pg, &sql_notify_text_back, n.p);
	printf("%s\t%s\tas shipped\n", n.p[0], n.p[1]);
	PQclear(n.r);
}

static void list(PGconn *pg, int argc, char **argv)
{
	const char *p[] = { cli_choice(argc, argv, "lang", "", "zh|en"),
		cli_flag(argc, argv, "own") ? "own" : "" };

	cli_print_rows(cli_exec(pg, &sql_cli_text_list, p));
}

int cmd_text(int argc, char **argv)
{
	const char *what = argc ? argv[0] : "";
	PGconn *pg = cli_connect();

	if (strcmp(what, "list") == 0)
		list(pg, argc, argv);
	else if (strcmp(what, "show") == 0)
		show(pg, argc, argv);
	else if (strcmp(what, "set") == 0)
		set(pg, argc, argv);
	else if (strcmp(what, "reset") == 0)
		reset(pg, argc, argv);
	else
		die("text list, text show, text set or text reset");
	PQfinish(pg);
	return 0;
}
