/* SPDX-License-Identifier: Apache-2.0
 * The life of a helper: doors closed, then one job after the other. */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
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

/* For the tests: what could a helper that was taken over do? */
static void probe(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), f = open("/etc/passwd", O_RDONLY);
	char *argv[] = { NULL };
	char out[80];
	bool ran = execve("/bin/true", argv, argv) == 0;

	snprintf(out, sizeof(out), "socket=%s file=%s exec=%s", s < 0 ? "refused" : "OPEN",
		f < 0 ? "refused" : "OPEN", ran ? "RAN" : "refused");
	helper_answer(out, strlen(out));
}

/* --- confinement --- */

static void limit(int what, rlim_t max)
{
	struct rlimit r = { max, max };

	setrlimit(what, &r);
}

static void filter_calls(void)
{
	static const int refused[] = { SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
		SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4),
		SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat),
		SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
		SCMP_SYS(ptrace), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
		SCMP_SYS(kill) };
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);

	for (size_t i = 0; f && i < ARRAY_LEN(refused); i++)
		seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
	if (!f || seccomp_load(f) != 0)
		die("helper: seccomp cannot be loaded");
	seccomp_release(f);
}

static void confine(const struct helper_rules *rules)
{
	/* AddressSanitizer reserves address space and reads /proc: the sanitized build keeps the
	 * filter, not the memory limit. */
#ifndef __SANITIZE_ADDRESS__
	limit(RLIMIT_AS, rules->memory_max);
#endif
	limit(RLIMIT_NOFILE, 3);
	limit(RLIMIT_CORE, 0);
	setpriority(PRIO_PROCESS, 0, rules->nice);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	filter_calls();
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

int helper_main(const struct helper_rules *rules)
{
	confine(rules);
	send_frame(WORK_READY, "", 0);
	while (read_all(&job, sizeof(job))) {
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
