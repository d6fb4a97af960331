/* SPDX-License-Identifier: Apache-2.0
 * One write(2) for each line, and never a wait. Lines that the reader of a pipe or the system's
 * logger does not accept at once are kept, up to PENDING_MAX bytes; further ones are dropped and
 * counted. */
#include "base/log.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PENDING_MAX (256 * 1024)

static const char *const level_name[] = { "error", "warn", "info", "debug" };
static const int level_syslog[] = { 24 + 3, 24 + 4, 24 + 6, 24 + 7 }; /* facility daemon */
static struct {
	int fd;
	bool json, to_syslog;
	int level;
	char *file;
	uint64_t dropped;
	struct buf pending; /* lines; for syslog, each preceded by its length */
} out = { .fd = 2, .level = 2 };

static int open_file(const char *name)
{
	return open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640);
}

/* RFC 3164 as /dev/log expects it. syslog(3) would block while the logger is stopped. */
static int open_syslog(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (void *)&a, sizeof(a)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

bool log_open(const char *target, enum log_level level, bool json)
{
	bool to_syslog = strcmp(target, "syslog") == 0;
	bool is_file = !to_syslog && strcmp(target, "stderr") != 0;
	int fd = to_syslog ? open_syslog() : is_file ? open_file(target) : 2;

	if (fd < 0)
		return false;
	if (out.fd > 2)
		close(out.fd);
	free(out.file);
	out.file = is_file ? xstrdup(target) : NULL;
	out.fd = fd;
	out.to_syslog = to_syslog;
	out.level = (int)level;
	out.json = json;
	return true;
}

void log_reopen(void)
{
	int fd = out.file ? open_file(out.file) : -1;

	if (fd < 0)
		return;
	close(out.fd);
	out.fd = fd;
}

void log_set_level(enum log_level level)
{
	out.level = (int)level;
}

bool log_level_parse(const char *name, enum log_level *out_level)
{
	for (size_t i = 0; i < ARRAY_LEN(level_name); i++)
		if (strcmp(name, level_name[i]) == 0) {
			*out_level = (enum log_level)i;
			return true;
		}
	return false;
}

uint64_t log_dropped(void)
{
	return out.dropped;
}

static void add_who(struct buf *b, const struct who *who)
{
	const char *sep = out.json ? "," : " ";
	const char *q = out.json ? "\"" : "";
	const char *is = out.json ? ":" : "=";

	if (!who)
		return;
	if (who->kind[0])
		buf_addf(
			b, "%s%s%s%s%s%llu", sep, q, who->kind, q, is, (unsigned long long)who->id);
	if (who->tenant_id)
		buf_addf(b, "%s%stenant%s%s%lld", sep, q, q, is, (long long)who->tenant_id);
	if (who->user_id)
		buf_addf(b, "%s%suser%s%s%lld", sep, q, q, is, (long long)who->user_id);
}

static bool ring_put(const char *p, size_t n)
{
	struct pollfd w = { .fd = out.fd, .events = POLLOUT };

	if (out.to_syslog) {
		if (send(out.fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return true;
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS) {
			close(out.fd); /* the logger was restarted */
			out.fd = open_syslog();
		}
		return false;
	}
	return poll(&w, 1, 0) == 1 && (w.revents & POLLOUT) && write(out.fd, p, n) >= 0;
}

void log_flush(void)
{
	size_t at = 0;

	while (at < out.pending.n) {
		uint32_t n;

		memcpy(&n, out.pending.p + at, sizeof(n));
		if (!ring_put(out.pending.p + at + sizeof(n), n))
			break;
		at += sizeof(n) + n;
	}
	if (at)
		memmove(out.pending.p, out.pending.p + at, out.pending.n -= at);
}

static void put_or_keep(const char *p, size_t n)
{
	uint32_t size = (uint32_t)n;

	if (out.pending.n)
		log_flush();
	if (!out.pending.n && ring_put(p, n))
		return;
	if (out.pending.n + n + sizeof(size) > PENDING_MAX) {
		out.dropped++;
		return;
	}
	buf_add(&out.pending, (const char *)&size, sizeof(size));
	buf_add(&out.pending, p, n);
}

void log_line(enum log_level level, const struct who *who, const char *fmt, ...)
{
	char msg[600], at[32]; /* even at six bytes per character in JSON this is below PIPE_BUF, so
				  a pipe that polls writable takes it without blocking */
	struct buf b = { 0 };
	va_list ap;
	size_t n;

	if ((int)level > out.level)
		return;
	va_start(ap, fmt);
	n = utf8_vformat(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < n; i++) /* one line stays one line, whatever a client sent */
		if ((unsigned char)msg[i] < 0x20 || msg[i] == 0x7f)
			msg[i] = ' ';
	time_format(clock_now_us(), 3, at);
	if (out.to_syslog)
		buf_addf(&b, "<%d>sladesk[%d]: ", level_syslog[level], (int)getpid());
	if (out.json) {
		buf_addf(&b, "{\"at\":\"%s\",\"level\":\"%s\"", at, level_name[level]);
		add_who(&b, who);
		buf_adds(&b, ",\"msg\":");
		buf_add_json(&b, msg, n);
		buf_adds(&b, "}\n");
	} else {
		buf_addf(&b, "%s %-5s", at, level_name[level]);
		add_who(&b, who);
		buf_addf(&b, " %s\n", msg);
	}
	put_or_keep(b.p, b.n - (out.to_syslog ? 1 : 0));
	buf_free(&b);
}
