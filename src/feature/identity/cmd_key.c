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

/* Create the key that signs anchors, if there is none, and print its public half. */
static int show_audit_key(void)
{
	char *file = keyfile_beside(options.audit_key_file, "audit.pem");
	const char *why = anchor_key_open(file);
	struct buf pem = { 0 };

	if (why)
		die("%s: %s", file, why);
	anchor_key_public(&pem);
	fputs(buf_cstr(&pem), stdout);
	fprintf(stderr, "key %s in %s\n", anchor_key_name(), file);
	buf_free(&pem);
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
	return 0;
}

int cmd_key(int argc, char **argv)
{
	if (argc >= 1 && strcmp(argv[0], "rotate") == 0)
		return rotate(cli_flag(argc, argv, "at-once"));
	if (argc == 1 && strcmp(argv[0], "audit") == 0)
		return show_audit_key();
	die("key rotate [--at-once] | key audit");
}
