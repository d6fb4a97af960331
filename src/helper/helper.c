/* SPDX-License-Identifier: Apache-2.0
 * The life of a helper process: confine itself, then do one job after another. */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct wire_head job;

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

/* For the tests: what could a compromised helper do? */
static void probe(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), f = open("/etc/passwd", O_RDONLY),
	    w = open("/dev/null", O_WRONLY);
	char *argv[] = { NULL };
	char out[80];
	bool ran = execve("/bin/true", argv, argv) == 0;

	snprintf(out, sizeof(out), "socket=%s file=%s write=%s exec=%s", s < 0 ? "refused" : "OPEN",
		f < 0 ? "refused" : "OPEN", w < 0 ? "refused" : "OPEN", ran ? "RAN" : "refused");
	close(s);
	close(f);
	helper_answer(out, strlen(out));
}

/* --- confinement --- */

static void limit(int what, rlim_t max)
{
	struct rlimit r = { max, max };

	setrlimit(what, &r);
}

/* What no helper needs, and what helpers without network access do not need. */
static const int never[] = { SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4),
	SCMP_SYS(openat2), SCMP_SYS(creat), SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork),
	SCMP_SYS(vfork), SCMP_SYS(ptrace), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
	SCMP_SYS(kill) };
static const int files[] = { SCMP_SYS(open), SCMP_SYS(openat) };
static const int network[] = { SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
	SCMP_SYS(bind) };

static void refuse_writing(scmp_filter_ctx f, int call, unsigned flags_at)
{
	static const struct {
		scmp_datum_t mask, value;
	} writing[] = { { O_ACCMODE, O_WRONLY }, { O_ACCMODE, O_RDWR }, { O_CREAT, O_CREAT } };

	for (size_t i = 0; i < ARRAY_LEN(writing); i++)
		seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), call, 1,
			SCMP_CMP(flags_at, SCMP_CMP_MASKED_EQ, writing[i].mask, writing[i].value));
}

static void refuse(scmp_filter_ctx f, const int *calls, size_t n)
{
	for (size_t i = 0; f && i < n; i++)
		seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
}

static void filter_calls(const struct helper_rules *rules)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);

	refuse(f, never, ARRAY_LEN(never));
	if (!rules->outside)
		refuse(f, network, ARRAY_LEN(network));
	if (!rules->outside && !rules->files)
		refuse(f, files, ARRAY_LEN(files));
	if (f && rules->outside && !rules->files) {
		refuse_writing(f, SCMP_SYS(open), 1);
		refuse_writing(f, SCMP_SYS(openat), 2);
	}
	if (!f || seccomp_load(f) != 0)
		die("helper: seccomp cannot be loaded");
	seccomp_release(f);
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
	filter_calls(rules);
}

/* --- life --- */

static void do_job(const struct helper_rules *rules, const char *bytes)
{
	if (job.kind == work_kind_in(rules->pool, WORK_PROBE))
		probe();
	else if (job.kind == work_kind_in(rules->pool, WORK_HANG))
		pause();
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
