/* SPDX-License-Identifier: Apache-2.0
 * sladesk key: the keys that sign access tokens. */
#include "cmd_key.h"
#include "cli/cli.h"
#include "config/keyfile.h"
#include "config/options.h"

#include <errno.h>
#include <stdio.h>

int cmd_key(int argc, char **argv)
{
	bool at_once = cli_flag(argc, argv, "at-once");

	if (argc < 1 || strcmp(argv[0], "rotate") != 0)
		die("key rotate [--at-once]");
	if (!keyfile_rotate(at_once))
		die("%s: %s", options.token_key_file, strerror(errno));
	puts(at_once ? "the new key signs from now on, and every earlier access token is invalid "
		       "(a running sladeskd reads the key within a minute, or at SIGHUP)"
		     : "the new key signs in ten minutes; the other keys still verify the tokens "
		       "that they signed");
	return 0;
}
