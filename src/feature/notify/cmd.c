/* SPDX-License-Identifier: Apache-2.0
 * sladesk webhook: register webhooks. */
#include "cmd_text.h"
#include "base/text.h"
#include "cli/cli.h"
#include "base/clock.h"
#include "config/options.h"
#include "crypto/field.h"
#include "sql_gen.h"

#include <stdlib.h>

static int cmd_webhook(int argc, char **argv)
{
	PGconn *pg = cli_connect();
	char *tenant = cli_tenant_id(pg, cli_option(argc, argv, "tenant", NULL));
	const char *p[] = { tenant, cli_option(argc, argv, "url", NULL), NULL, cli_now(), NULL };
	char *secret, *id;
	struct buf sealed = { 0 };

	if (!argc || strcmp(argv[0], "add") != 0)
		die("webhook add");
	if (!text_is_web(p[1]) || strlen(p[1]) > 2000)
		die("--url: an http or https address with a host, without user name, blanks or "
		    "backslashes, such as https://desk.example.com/hook");
	if (!options.notify_allow_private && strncasecmp(p[1], "https:", 6) != 0)
		die("--url: an https address, because notify.allow_private is off, such as "
		    "https://desk.example.com/hook");
	/* not from the arguments, which every process of the machine can read */
	secret = cli_read_line("secret: ");
	if (!secret || utf8_length(secret, strlen(secret)) < 16 || strlen(secret) > 200 ||
		text_is_blank(str_of(secret)))
		die("the secret, on standard input: 16 to 200 characters");
	(void)cli_field_keys(pg);
	p[4] = id = cli_next_id(pg, "webhooks");
	field_seal_at(&sealed, FIELD_WEBHOOKS_SECRET, strtoll(tenant, NULL, 10), id, str_of(secret),
		clock_now_us() / US_PER_S);
	p[2] = buf_cstr(&sealed);
	cli_print_rows(cli_exec(pg, &sql_cli_webhook_add, p));
	buf_free(&sealed);
	free(secret);
	free(tenant);
	free(id);
	PQfinish(pg);
	return 0;
}

const struct command notify_commands[] = {
	{ "webhook", cmd_webhook,
		"webhook add --tenant C --url U\n"
		"      register a webhook; its secret is read from standard input" },
	{ "text", cmd_text,
		"text list [--lang L] [--own]\n"
		"  text show --template T --lang L [--shipped]\n"
		"  text set --template T --lang L FILE [--preview]\n"
		"  text reset --template T --lang L\n"
		"      show the texts of mails, save a wording of your own (FILE, or - for "
		"standard "
		"input, is the subject, an empty line and the body, as text show prints them), "
		"show it with example values, or return to the shipped one" },
	{ 0 },
};
