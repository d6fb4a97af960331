/* SPDX-License-Identifier: Apache-2.0
 * For LD_PRELOAD: allocation number FAIL_AT (counted from 1) fails, once. FAIL_AT=0 only counts and
 * prints the number to standard error at the end. A crash prints the first caller outside libc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);

static long at = -1, count;

static void crashed(int sig)
{
	void *frames[32];
	int n = backtrace(frames, 32);
	Dl_info where;

	for (int i = 0; i < n; i++)
		if (dladdr(frames[i], &where) && !strstr(where.dli_fname, "failmalloc") &&
			!strstr(where.dli_fname, "libc.so")) {
			dprintf(2, "crash in %s\n", where.dli_fname);
			break;
		}
	signal(sig, SIG_DFL);
	raise(sig);
}

__attribute__((constructor)) static void begin(void)
{
	const char *s = getenv("FAIL_AT");
	void *frames[1];

	backtrace(frames, 1); /* loads libgcc, which allocates memory, before an allocation fails */
	signal(SIGSEGV, crashed);
	at = s ? strtol(s, NULL, 10) : 0;
	count = 0;
}

__attribute__((destructor)) static void end(void)
{
	if (at == 0)
		dprintf(2, "%ld", count);
}

static int fails(void)
{
	if (at < 0 || ++count != at)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}
