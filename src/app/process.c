/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"
#include "base/base.h"
#include "config/options.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

void process_become(const char *name)
{
	struct passwd *pw = getpwnam(name);

	if (!pw)
		die("daemon.user: no such user: %s", name);
	if (initgroups(name, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0)
		die("daemon.user: cannot become %s: %s", name, strerror(errno));
}

void process_write_pid(void)
{
	FILE *f = options.daemon_pid_file[0] ? fopen(options.daemon_pid_file, "we") : NULL;

	if (options.daemon_pid_file[0] && !f)
		die("daemon.pid_file: %s: %s", options.daemon_pid_file, strerror(errno));
	if (!f)
		return;
	fprintf(f, "%d\n", (int)getpid());
	fclose(f);
}

void process_hide_memory(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
#ifndef __SANITIZE_ADDRESS__ /* the sanitizers look for leaks with a process that traces this one  \
			      */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

void process_raise_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}
