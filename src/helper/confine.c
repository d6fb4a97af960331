/* SPDX-License-Identifier: Apache-2.0 */
#include "confine.h"
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* The flags with which glibc creates a thread: a thread, never a process. */
#define THREAD_FLAGS                                                                               \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |        \
		CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

static const int pure[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(brk),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	/* OpenSSL's random numbers ask whether the process was forked */
	SCMP_SYS(getpid),
#ifdef __SANITIZE_ADDRESS__
	SCMP_SYS(sched_yield),
	SCMP_SYS(gettid),
	SCMP_SYS(sigaltstack),
#endif
};
/* Libraries look for files when they first need them (iconv for the encoding of a document), and
 * work without them. */
static const int no_files[] = { SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd) };
static const int files[] = { SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(flock), SCMP_SYS(pread64), SCMP_SYS(ftruncate), SCMP_SYS(fsync),
	/* replacing a file; which names an architecture has differs */
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink),
	SCMP_SYS(unlinkat) };
static const int network[] = {
	/* sockets of a client */
	SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(shutdown),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(close), SCMP_SYS(fcntl), SCMP_SYS(ioctl),
	/* between curl and its resolver's thread */
	SCMP_SYS(socketpair), SCMP_SYS(pipe2), SCMP_SYS(eventfd2), SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(sched_yield), SCMP_SYS(gettid),
	/* reading the resolver's configuration, certificates and the password */
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(statx), SCMP_SYS(lseek),
	SCMP_SYS(pread64), SCMP_SYS(access), SCMP_SYS(getdents64),
	/* time limits, and our own ids */
	SCMP_SYS(alarm), SCMP_SYS(setitimer), SCMP_SYS(clock_nanosleep), SCMP_SYS(uname),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid)
};

/* A call that the architecture does not have (a negative number) needs no rule. */
static void rule(scmp_filter_ctx f, uint32_t action, int call)
{
	if (call >= 0 && seccomp_rule_add(f, action, call, 0) != 0)
		die("helper: seccomp cannot express a rule");
}

static void rule_if(scmp_filter_ctx f, uint32_t action, int call, unsigned arg,
	enum scmp_compare how, scmp_datum_t a, scmp_datum_t b)
{
	struct scmp_arg_cmp c = { .arg = arg, .op = how, .datum_a = a, .datum_b = b };

	if (call >= 0 && seccomp_rule_add_array(f, action, call, 1, &c) != 0)
		die("helper: seccomp cannot express a rule");
}

static void rules(scmp_filter_ctx f, uint32_t action, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rule(f, action, calls[i]);
}

static void allow_network(scmp_filter_ctx f)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	const scmp_datum_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;

	rules(f, SCMP_ACT_ALLOW, network, ARRAY_LEN(network));
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		rule_if(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 0, SCMP_CMP_EQ,
			(scmp_datum_t)families[i], 0);
	rule_if(f, SCMP_ACT_ALLOW, SCMP_SYS(open), 1, SCMP_CMP_MASKED_EQ, writing, 0);
	rule_if(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 2, SCMP_CMP_MASKED_EQ, writing, 0);
	rule_if(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 0, SCMP_CMP_EQ, THREAD_FLAGS, 0);
	/* its flags are in memory, where a filter cannot see them; glibc then uses clone */
	rule(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
	/* a name service module that is not loaded yet: glibc continues with the next one */
	rule_if(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(mmap), 2, SCMP_CMP_MASKED_EQ, PROT_EXEC,
		PROT_EXEC);
}

static void allow_files(scmp_filter_ctx f)
{
	const scmp_datum_t mask = O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_NOFOLLOW,
			   append = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW,
			   fresh = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

	rules(f, SCMP_ACT_ALLOW, files, ARRAY_LEN(files));
	rule_if(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 2, SCMP_CMP_MASKED_EQ, mask, append);
	/* a file that does not exist yet */
	rule_if(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 2, SCMP_CMP_MASKED_EQ, mask, fresh);
	/* a folder, to sync its entries */
	rule_if(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 2, SCMP_CMP_MASKED_EQ, mask | O_DIRECTORY,
		O_RDONLY | O_DIRECTORY);
}

void confine_calls(enum confine_kind kind)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);

	if (!f || seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0)
		die("helper: seccomp is missing");
	rules(f, SCMP_ACT_ALLOW, pure, ARRAY_LEN(pure));
	rule_if(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	rule_if(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	if (kind == CONFINE_NETWORK)
		allow_network(f);
	else if (kind == CONFINE_FILES)
		allow_files(f);
	else
		rules(f, SCMP_ACT_ERRNO(EACCES), no_files, ARRAY_LEN(no_files));
	if (seccomp_load(f) != 0)
		die("helper: seccomp cannot be loaded");
	seccomp_release(f);
}
