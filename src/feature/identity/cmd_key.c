/* SPDX-License-Identifier: Apache-2.0
 * sladesk key: the keys that sign access tokens and the anchors of the audit log. */
#include "cmd_key.h"
#include "cli/cli.h"
#include "config/keyfile.h"
#include "config/options.h"
#include "crypto/anchor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The row of the audit log. The key exists by now, even if there is no database for the row. */
static void note_key(const char *which)
{
	PGconn *pg = cli_connect();

	cli_audit(pg, "1", which);
	PQfinish(pg);
}

/* Create the key that signs anchors, if there is none, and print its public half. */
static int show_audit_key(void)
{
	char *file = keyfile_beside(options.audit_key_file, "audit.pem");
	bool is_new = access(file, F_OK) != 0;
	const char *why = anchor_key_open(file);
	struct buf pem = { 0 };

	if (why)
		die("%s: %s", file, why);
	anchor_key_public(&pem);
	fputs(buf_cstr(&pem), stdout);
	fprintf(stderr, "key %s in %s\n", anchor_key_name(), file);
	if (is_new)
		note_key("the key of the anchors");
	buf_free(&pem);
	free(file);
	anchor_keys_free();
	return 0;
}

/* A new key for the anchors. What the earlier one signed stays verifiable: its public half stays in
 * the file. */
static int rotate_anchors(void)
{
	char *file = keyfile_beside(options.audit_key_file, "audit.pem"), was[17], *names;
	const char *why = anchor_key_open(file);

	if (!why) {
		snprintf(was, sizeof(was), "%s", anchor_key_name());
		why = anchor_key_rotate(file);
	}
	if (why)
		die("%s: %s", file, why);
	names = xasprintf("anchors: %s, before %s", anchor_key_name(), was);
	printf("key %s in %s signs the next anchor; what key %s has signed stays verifiable\n"
	       "print the public keys for those who verify elsewhere: sladesk key audit\n",
		anchor_key_name(), file, was);
	fflush(stdout);
	note_key(names);
	free(names);
	free(file);
	anchor_keys_free();
	return 0;
}

static int rotate(bool at_once)
{
	if (!keyfile_rotate(at_once))
		die("%s: %s", options.token_key_file, strerror(errno));
	puts(at_once ? "the new key signs from now on, and every earlier access token is invalid "
		       "(a running sladeskd reads the key within a minute, or at SIGHUP)"
		     : "the new key signs in ten minutes; the other keys still verify the tokens "
		       "that they signed");
	fflush(stdout);
	note_key(at_once ? "the keys of access tokens, at once" : "the key of access tokens");
	return 0;
}

int cmd_key(int argc, char **argv)
{
	if (argc >= 1 && strcmp(argv[0], "rotate") == 0 && cli_flag(argc, argv, "anchors")) {
		if (cli_flag(argc, argv, "at-once"))
			die("--at-once is for access tokens; a new key of the anchors signs at "
			    "once");
		return rotate_anchors();
	}
	if (argc >= 1 && strcmp(argv[0], "rotate") == 0)
		return rotate(cli_flag(argc, argv, "at-once"));
	if (argc == 1 && strcmp(argv[0], "audit") == 0)
		return show_audit_key();
	die("key rotate [--at-once] | key rotate --anchors | key audit");
}
