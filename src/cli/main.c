/* SPDX-License-Identifier: Apache-2.0
 * The command-line tool: the table of its commands, and what they share. */
#include "base/build.h"
#include "base/unicode.h"
#include "cli/cli.h"
#include "base/log.h"
#include "base/text.h"
#include "config/options.h"
#include "printed.h"

#include <argon2.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct command own_commands[] = {
	{ "init", cmd_init,
		"init --admin-url URL [--admin-password-file F] --database NAME "
		"[--password-dir D] [--daemon-user U] [--password-file F]\n"
		"      create the database and the roles, each with a password of its own in D" },
	{ "migrate", cmd_migrate,
		"migrate --owner-url URL [--owner-password-file F]\n"
		"      bring the schema up to date" },
	{ "keys", cmd_keys,
		"keys status\n"
		"  keys rotate [--resume]\n"
		"  keys seal\n"
		"  keys check\n"
		"  keys rewrap\n"
		"  keys backup --out F\n"
		"  keys restore --in F [--check]\n"
		"      manage the keys of personal data; the passphrase is read from standard "
		"input" },
	{ "import", cmd_import,
		"import --map FILE --tenant C --policy P [--rejects FILE] CSV\n"
		"  import --go-live --tenant C\n"
		"      replay an incident log; then start the clocks of its open tickets" },
	{ "demo", cmd_demo,
		"demo\n"
		"  demo --live [--pace N] [--url URL]\n"
		"      make an empty installation a demo, with the tickets of 60 days, or add the "
		"days "
		"since the last run; --live: let its people open, answer and resolve tickets, N "
		"times "
		"as fast as in an office (20), until SIGTERM" },
	{ 0 },
};

void cli_progress(size_t done, size_t all)
{
	int width = 40, full = (int)(done * (size_t)width / (all ? all : 1));

	if (!isatty(2))
		return;
	fprintf(stderr, "\r[%.*s%*s] %3d %%", full, "########################################",
		width - full, "", (int)(done * 100 / (all ? all : 1)));
	if (done == all)
		fputc('\n', stderr);
}

char *cli_hash(const char *password)
{
	unsigned char salt[16];
	char *out = xmalloc(128), *nfc = unicode_nfc(password);

	if (RAND_bytes(salt, sizeof(salt)) != 1 ||
		argon2id_hash_encoded(2, 19 * 1024, 1, nfc, strlen(nfc), salt, sizeof(salt), 32,
			out, 128) != ARGON2_OK)
		die("cannot hash the password");
	free(nfc);
	return out;
}

const char *cli_option(int argc, char **argv, const char *name, const char *fallback)
{
	for (int i = 0; i + 1 < argc; i++)
		if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0)
			return argv[i + 1];
	if (!fallback)
		die("--%s is required, such as --%s \"%s\" (see sladesk help)", name, name,
			cli_example(name));
	return fallback;
}

static const char *check_text(const char *v, const char *name, size_t max)
{
	size_t n = strlen(v);

	if (!utf8_is_valid(v, n) || utf8_length(v, n) > max || text_is_blank((struct str){ v, n }))
		die("--%s: 1 to %zu characters, not only blanks, such as \"%s\"", name, max,
			cli_example(name));
	return v;
}

const char *cli_choice(
	int argc, char **argv, const char *name, const char *fallback, const char *choices)
{
	const char *v = cli_option(argc, argv, name, fallback);
	size_t n = strlen(v);

	for (const char *p = choices; n; p += *p == '|') {
		size_t length = strcspn(p, "|");

		if (length == n && memcmp(p, v, n) == 0)
			return v;
		p += length;
		if (!*p)
			break;
	}
	if (fallback && strcmp(v, fallback) == 0)
		return v;
	die("--%s: one of %s", name, choices);
}

const char *cli_text(int argc, char **argv, const char *name, size_t max)
{
	return check_text(cli_option(argc, argv, name, NULL), name, max);
}

const char *cli_name(int argc, char **argv, const char *name, const char *fallback)
{
	return check_text(cli_option(argc, argv, name, fallback), name, 100);
}

char *cli_read_line(const char *prompt)
{
	char *line = NULL;
	size_t cap = 0;

	if (isatty(0))
		fputs(prompt, stderr);
	if (getline(&line, &cap, stdin) < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = 0;
	return line;
}

bool cli_flag(int argc, char **argv, const char *name)
{
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0)
			return true;
	return false;
}

char cli_command[64], cli_operation[64];

/* Its name for the audit log: like the operations of the API, objects are in the plural. */
static void name_command(const struct command *c, int argc, char **argv)
{
	static const char *const objects[] = { "tenant", "user", "token", "webhook", "domain" };
	const char *verb = argc && argv[0][0] != '-' && strstr(c->help, argv[0]) ? argv[0] : "";
	bool plural = false;

	for (size_t i = 0; i < ARRAY_LEN(objects); i++)
		plural |= strcmp(objects[i], c->name) == 0;
	snprintf(cli_command, sizeof(cli_command), "%s%s%s", c->name, *verb ? " " : "", verb);
	snprintf(cli_operation, sizeof(cli_operation), "%s%s.%s", c->name, plural ? "s" : "",
		*verb ? verb : "run");
}

static void print_help(const struct command *c)
{
	for (; c->name; c++)
		printf("  %s\n", c->help);
}

static const struct command *find_in(const struct command *c, const char *name)
{
	while (c->name && strcmp(c->name, name) != 0)
		c++;
	return c->name ? c : NULL;
}

static const struct command *find_command(const char *name)
{
	const struct command *c = find_in(own_commands, name);

	for (const struct command *const *t = feature_commands; *t && !c; t++)
		c = find_in(*t, name);
	return c;
}

static int usage(void)
{
	puts("usage: sladesk [-c FILE] COMMAND …\n"
	     "       sladesk help [COMMAND] | --help | --version\n");
	print_help(own_commands);
	for (const struct command *const *t = feature_commands; *t; t++)
		print_help(*t);
	return 0;
}

/* For the build: what it installs beside the program. */
static int print_for_build(bool manual)
{
	const struct command *tables[64] = { own_commands };
	size_t n = 1;

	for (const struct command *const *t = feature_commands; *t; t++) {
		bug_on(n + 1 == ARRAY_LEN(tables));
		tables[n++] = *t;
	}
	if (manual)
		print_manual_page(tables);
	else
		print_completion(tables);
	return 0;
}

static int print_usage_of(const struct command *c)
{
	printf("usage: sladesk %s\n", c->help);
	return 0;
}

int main(int argc, char **argv)
{
	const struct command *command;
	const char *file = NULL, *error;
	int at = 1, rc;

	if (argc > 2 && strcmp(argv[1], "-c") == 0) {
		file = argv[2];
		at = 3;
	}
	if (at >= argc || strcmp(argv[at], "--help") == 0)
		return usage();
	if (strcmp(argv[at], "--version") == 0)
		return build_print("sladesk");
	if (strcmp(argv[at], "--print-man") == 0)
		return print_for_build(true);
	if (strcmp(argv[at], "--print-completion") == 0)
		return print_for_build(false);
	if (strcmp(argv[at], "help") == 0) {
		if (at + 1 >= argc)
			return usage();
		command = find_command(argv[at + 1]);
		if (!command)
			die("unknown command %s (see sladesk help)", argv[at + 1]);
		return print_usage_of(command);
	}
	command = find_command(argv[at]);
	if (!command) {
		fprintf(stderr, "sladesk: unknown command %s (see sladesk help)\n", argv[at]);
		return 2;
	}
	if (cli_flag(argc - at - 1, argv + at + 1, "help"))
		return print_usage_of(command);
	if (!usage_is_kept(command, argc - at - 1, argv + at + 1))
		return 2;
	log_set_level(LOG_WARN); /* what drivers do is no part of an answer */
	if (!options_load(file, &error))
		die("%s", error);
	failpoint_arm(options.test_failpoint);
	name_command(command, argc - at - 1, argv + at + 1);
	rc = command->run(argc - at - 1, argv + at + 1);
	options_free();
	return rc;
}
