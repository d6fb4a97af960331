/* SPDX-License-Identifier: Apache-2.0
 * One helper process: down, starting, idle or busy. Its timer ends each state that must not last: a
 * start or a job that takes too long, or the pause before the next start. */
#include "inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "loop/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MAX_US (10 * US_PER_S)
#define PAUSE_MIN_US 100000
#define PAUSE_MAX_US (5 * US_PER_S)

static const struct who who = { .kind = "work" };

/* --- ending --- */

/* The delay before the next start: longer after each unsuccessful start. */
static int64_t pause_us(const struct helper *h)
{
	int64_t us = PAUSE_MIN_US;

	for (int i = 0; i < h->failures && us < PAUSE_MAX_US; i++)
		us *= 2;
	return us < PAUSE_MAX_US ? us : PAUSE_MAX_US;
}

static void close_process(struct helper *h)
{
	if (h->pid > 0)
		kill(h->pid, SIGKILL); /* SIGCHLD collects it */
	if (h->readable)
		event_free(h->readable);
	if (h->writable)
		event_free(h->writable);
	if (h->fd >= 0)
		close(h->fd);
	buf_free(&h->in);
	h->readable = h->writable = NULL;
	h->pid = 0;
	h->fd = -1;
}

/* The process has ended or must be ended. */
static void replace_helper(struct helper *h, const char *why)
{
	bool starting = h->state == HELPER_STARTING;
	struct job *j = h->job;
	pid_t pid = h->pid;

	close_process(h);
	h->state = HELPER_DOWN;
	h->job = NULL;
	h->failures += starting;
	h->pool->health.restarts++;
	loop_timer_set(h->timer, pause_us(h));
	if (starting)
		pool_start_failed(h->pool, why);
	else
		log_warn(
			&who, "helper dropped pool=%s pid=%d why=%s", h->pool->name, (int)pid, why);
	if (j)
		pool_lost(h->pool, j);
}

void helper_stop(struct helper *h)
{
	struct job *j = h->job;

	close_process(h);
	h->state = HELPER_DOWN;
	h->job = NULL;
	loop_timer_cancel(h->timer);
	if (j)
		pool_lost(h->pool, j);
}

void helper_reap(int signo)
{
	(void)signo;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* --- communication --- */

/* Send as much as the socket takes; the rest when it is writable again. */
static void write_job(struct helper *h)
{
	const struct job *j = h->job;
	size_t total = sizeof(j->head) + j->head.length;

	while (h->out_at < total) {
		bool head = h->out_at < sizeof(j->head);
		const char *p = head ? (const char *)&j->head + h->out_at
				     : j->bytes + (h->out_at - sizeof(j->head));
		size_t n = head ? sizeof(j->head) - h->out_at : total - h->out_at;
		ssize_t w = send(h->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0 && errno == EAGAIN) {
			event_add(h->writable, NULL);
			return;
		}
		if (w < 0) {
			replace_helper(h, "write failed");
			return;
		}
		h->out_at += (size_t)w;
	}
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct helper *h = magic_cast(helper, arg);

	(void)fd;
	(void)what;
	if (h->state == HELPER_BUSY)
		write_job(h);
	loop_note_turn("work");
}

void helper_give(struct helper *h, struct job *j)
{
	bug_on(h->state != HELPER_IDLE);
	h->state = HELPER_BUSY;
	h->job = j;
	h->out_at = 0;
	h->began_us = clock_mono_us();
	loop_timer_set(h->timer, j->timeout_us);
	write_job(h);
}

/* A complete frame has arrived. */
static bool take_frame(struct helper *h, const struct wire_head *head)
{
	struct job *j = h->job;

	if (h->state == HELPER_STARTING && head->kind == WORK_READY) {
		h->failures = 0;
	} else if (h->state == HELPER_BUSY && head->job == j->head.job &&
		   h->out_at == sizeof(j->head) + j->head.length) {
		buf_add(&j->answer, h->in.p + sizeof(*head), head->length);
		h->pool->health.busy_s += (double)(clock_mono_us() - h->began_us) / 1e6;
		h->job = NULL;
		pool_done(h->pool, j, head->kind == WORK_FAILED ? WORK_REFUSED : WORK_DONE);
	} else {
		return false;
	}
	h->in.n = 0;
	h->state = HELPER_IDLE;
	loop_timer_cancel(h->timer);
	pool_idle(h->pool);
	return true;
}

/* Returns false if the helper must not send this. */
static bool take_bytes(struct helper *h)
{
	struct wire_head head;

	if (h->in.n < sizeof(head))
		return true;
	memcpy(&head, h->in.p, sizeof(head));
	if (head.version != WIRE_VERSION || head.length > WIRE_MAX)
		return false;
	if (h->in.n < sizeof(head) + head.length)
		return true;
	return h->in.n == sizeof(head) + head.length && take_frame(h, &head);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct helper *h = magic_cast(helper, arg);
	char bytes[4096];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)what;
	if (n > 0) {
		buf_add(&h->in, bytes, (size_t)n);
		if (!take_bytes(h))
			replace_helper(h, "wrong frame");
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		replace_helper(h, h->state == HELPER_STARTING ? "exits at once" : "died");
	}
	loop_note_turn("work");
}

/* --- starting --- */

int helper_spawn(const char *program, pid_t *out_pid, int *out_fd)
{
	char *argv[] = { (char *)(uintptr_t)program, NULL }, *envp[] = { NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int fds[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return errno;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, fds[1], 0);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	err = posix_spawn(out_pid, program, &fa, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	close(fds[1]);
	if (err)
		close(fds[0]);
	else
		*out_fd = fds[0];
	return err;
}

static void start_helper(struct helper *h)
{
	int err;

	h->state = HELPER_STARTING;
	err = helper_spawn(h->pool->program, &h->pid, &h->fd);
	if (err) {
		h->pid = 0;
		replace_helper(h, strerror(err));
		return;
	}
	h->readable = event_new(loop_base(), h->fd, EV_READ | EV_PERSIST, on_readable, h);
	h->writable = event_new(loop_base(), h->fd, EV_WRITE, on_writable, h);
	event_add(h->readable, NULL);
	loop_timer_set(h->timer, START_MAX_US);
}

static void on_timer(void *arg)
{
	struct helper *h = magic_cast(helper, arg);

	switch (h->state) {
	case HELPER_DOWN:
		start_helper(h);
		break;
	case HELPER_STARTING:
		replace_helper(h, "does not report that it is ready");
		break;
	case HELPER_BUSY:
		replace_helper(h, "timed out");
		break;
	case HELPER_IDLE:
		break;
	}
}

void helper_init(struct helper *h, struct pool *pool)
{
	*h = (struct helper){ .magic = helper_magic, .pool = pool, .fd = -1 };
	h->timer = loop_timer_new(on_timer, h);
	start_helper(h);
}
