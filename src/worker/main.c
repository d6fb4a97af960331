/* SPDX-License-Identifier: Apache-2.0
 * sladesk-worker: takes jobs on descriptor 0, one at a time, and answers there. It has no
 * environment, no other descriptor, bounded memory and time, and a seccomp filter under which it
 * can open neither sockets nor files nor start programs. */
#include "work/wire.h"
#include "worker.h"

#include <argon2.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* OWASP's floor for argon2id; about 60 ms here. */
#define ARGON_T 2
#define ARGON_M_KIB (19 * 1024)

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

static void answer(const struct wire_head *job, uint16_t kind, const void *p, size_t n)
{
	struct wire_head h = { (uint32_t)n, WIRE_VERSION, kind, job->job };
	struct buf b = { 0 };

	buf_add(&b, &h, sizeof(h));
	buf_add(&b, p, n);
	for (size_t at = 0; at < b.n;) {
		ssize_t w = write(0, b.p + at, b.n - at);

		if (w < 0 && errno != EINTR)
			exit(0);
		at += w > 0 ? (size_t)w : 0;
	}
	buf_free(&b);
}

static void hash(const struct wire_head *job, const char *password)
{
	unsigned char salt[16];
	char out[128];

	if (RAND_bytes(salt, sizeof(salt)) != 1 ||
		argon2id_hash_encoded(ARGON_T, ARGON_M_KIB, 1, password, job->length, salt,
			sizeof(salt), 32, out, sizeof(out)) != ARGON2_OK)
		answer(job, WORK_FAILED, "", 0);
	else
		answer(job, job->kind, out, strlen(out));
}

static void verify(const struct wire_head *job, const char *bytes)
{
	size_t n = strnlen(bytes, job->length);
	bool ok = n < job->length &&
		  argon2id_verify(bytes, bytes + n + 1, job->length - n - 1) == ARGON2_OK;

	answer(job, job->kind, ok ? "1" : "0", 1);
}

static void saml(const struct wire_head *job, const char *bytes)
{
	struct buf out = { 0 };

	saml_verify(bytes, job->length, &out);
	answer(job, job->kind, out.p, out.n);
	buf_free(&out);
}

/* For the tests: what could a taken-over helper do? */
static void probe(const struct wire_head *job)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), f = open("/etc/passwd", O_RDONLY);
	char *argv[] = { NULL };
	char out[80];
	bool ran = execve("/bin/true", argv, argv) == 0;

	snprintf(out, sizeof(out), "socket=%s file=%s exec=%s", s < 0 ? "refused" : "OPEN",
		f < 0 ? "refused" : "OPEN", ran ? "RAN" : "refused");
	answer(job, job->kind, out, strlen(out));
}

static void confine(void)
{
	static const int refused[] = { SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
		SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4),
		SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat),
		SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
		SCMP_SYS(ptrace), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
		SCMP_SYS(kill) };
	struct rlimit mem = { 256u << 20, 256u << 20 }, files = { 3, 3 }, core = { 0, 0 };
	scmp_filter_ctx f;

	/* AddressSanitizer reserves address space and reads /proc: the sanitized build keeps the
	 * filter, not the memory limit. */
#ifndef __SANITIZE_ADDRESS__
	setrlimit(RLIMIT_AS, &mem);
#else
	(void)mem;
#endif
	setpriority(PRIO_PROCESS, 0, 10); /* a storm of log-ins must not slow the loop down */
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_CORE, &core);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	f = seccomp_init(SCMP_ACT_ALLOW);
	for (size_t i = 0; f && i < ARRAY_LEN(refused); i++)
		seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
	if (!f || seccomp_load(f) != 0)
		die("worker: seccomp cannot be loaded");
	seccomp_release(f);
}

int main(void)
{
	unsigned char warm[1];
	struct wire_head h;

	RAND_bytes(
		warm, 1); /* OpenSSL reads its seed and its configuration before the doors close */
	saml_init();
	confine();
	while (read_all(&h, sizeof(h))) {
		char *bytes;

		if (h.version != WIRE_VERSION || h.length > WIRE_MAX)
			return 1;
		bytes = xcalloc(1, h.length + 1);
		if (!read_all(bytes, h.length))
			return 0;
		switch (h.kind) {
		case WORK_HASH:
			hash(&h, bytes);
			break;
		case WORK_VERIFY:
			verify(&h, bytes);
			break;
		case WORK_SAML:
			saml(&h, bytes);
			break;
		case WORK_PROBE:
			probe(&h);
			break;
		case WORK_HANG:
			pause();
			break;
		default:
			answer(&h, WORK_FAILED, "", 0);
		}
		OPENSSL_cleanse(bytes, h.length);
		free(bytes);
	}
	return 0;
}
