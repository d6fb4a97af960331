/* SPDX-License-Identifier: Apache-2.0
 * The life of a helper process: confine itself, then do one job after another. */
#include "helper.h"
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static struct wire_head job;

#ifdef __SANITIZE_ADDRESS__
/* The search for leaks at the end needs a process that traces this one. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

/* --- frames --- */

static bool read_all(void *out, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t r = read(0, (char *)out + got, n - got);

		if (r == 0 || (r < 0 && errno != EINTR))
			return false;
		got += r > 0 ? (size_t)r : 0;
	}
	return true;
}

static void send_frame(uint16_t kind, const void *p, size_t n)
{
	struct wire_head h = { (uint32_t)n, WIRE_VERSION, kind, job.job };
	struct buf b = { 0 };

	buf_add(&b, &h, sizeof(h));
	buf_add(&b, p, n);
	for (size_t at = 0; at < b.n;) {
		ssize_t w = write(0, b.p + at, b.n - at);

		if (w < 0 && errno != EINTR)
			exit(0);
		at += w > 0 ? (size_t)w : 0;
	}
	OPENSSL_cleanse(b.p, b.n);
	buf_free(&b);
}

void helper_answer(const void *p, size_t n)
{
	send_frame(job.kind, p, n);
}

void helper_fail(void)
{
	send_frame(WORK_FAILED, "", 0);
}

/* For the tests: do what a compromised helper would. Most of it ends the process. */
static void probe(const char *what)
{
	static char page[4096];
	struct iovec v = { page, sizeof(page) };
	char *argv[] = { NULL };
	long r = -1;

	if (strcmp(what, "socket") == 0)
		r = socket(AF_INET, SOCK_STREAM, 0);
	else if (strcmp(what, "packet") == 0)
		r = socket(AF_PACKET, SOCK_RAW, 0);
	else if (strcmp(what, "file") == 0)
		r = open("/etc/passwd", O_RDONLY);
	else if (strcmp(what, "write") == 0)
		r = open("/dev/null", O_WRONLY);
	else if (strcmp(what, "exec") == 0)
		r = execve("/bin/true", argv, argv);
	else if (strcmp(what, "fork") == 0)
		r = fork();
	else if (strcmp(what, "io_uring") == 0)
		r = syscall(SYS_io_uring_setup, 1, page);
	else if (strcmp(what, "memory") == 0)
		r = process_vm_readv(1, &v, 1, &v, 1, 0);
	else if (strcmp(what, "code") == 0)
		r = mmap(NULL, sizeof(page), PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0) == MAP_FAILED
			    ? -1
			    : 0;
	what = r < 0 ? "refused" : "OPEN";
	helper_answer(what, strlen(what));
}

/* --- confinement --- */

static void limit(int what, rlim_t max)
{
	struct rlimit r = { max, max };

	setrlimit(what, &r);
}

static void confine(const struct helper_rules *rules)
{
	/* AddressSanitizer reserves address space and reads /proc, so the sanitized build has the
	 * filter but no memory limit. */
#ifndef __SANITIZE_ADDRESS__
	limit(RLIMIT_AS, rules->memory_max);
#endif
	limit(RLIMIT_NOFILE, rules->outside ? 32 : rules->files ? 8 : 3);
	limit(RLIMIT_CORE, 0);
	setpriority(PRIO_PROCESS, 0, rules->nice);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifndef __SANITIZE_ADDRESS__
	/* no other process of this user reads our memory */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	tzset(); /* reads a file when it is first needed */
	confine_calls(rules->outside ? CONFINE_NETWORK
		      : rules->files ? CONFINE_FILES
				     : CONFINE_PURE);
}

/* --- life --- */

static void do_job(const struct helper_rules *rules, const char *bytes)
{
	char none;

	if (job.kind == work_kind_in(rules->pool, WORK_PROBE))
		probe(bytes);
	else if (job.kind == work_kind_in(rules->pool, WORK_HANG))
		while (read(0, &none, 1) > 0)
			;
	else
		rules->fn((enum work_kind)job.kind, bytes, job.length);
}

/* Wait for the head of the next job. */
static bool next_job(const struct helper_rules *rules)
{
	struct pollfd fd = { .fd = 0, .events = POLLIN };

	if (rules->on_idle && poll(&fd, 1, rules->idle_ms) == 0)
		rules->on_idle();
	return read_all(&job, sizeof(job));
}

int helper_main(const struct helper_rules *rules)
{
	/* These signals are meant for the daemon, even if a control group or a terminal sends them
	 * to all processes: the daemon ends us after the jobs in progress. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	confine(rules);
	send_frame(WORK_READY, "", 0);
	while (next_job(rules)) {
		char *bytes;

		if (job.version != WIRE_VERSION || job.length > WIRE_MAX)
			return 1;
		bytes = xcalloc(1, job.length + 1);
		if (!read_all(bytes, job.length))
			return 0;
		do_job(rules, bytes);
		OPENSSL_cleanse(bytes, job.length);
		free(bytes);
	}
	return 0;
}
