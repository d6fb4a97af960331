/* SPDX-License-Identifier: Apache-2.0
 * A helper sits in one state: starting is instant, then idle or busy; dead ones are started again
 * by the tick. */
#include "work/work.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "loop/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUEUE_MAX 64
#define TRIES 3
#define HELPERS_MAX 8

struct job {
	struct list node;
	struct wire_head head;
	char *bytes;
	int tries;
	int64_t deadline_us, timeout_us;
	work_done *on_done;
	void *arg;
	bool ok;
	struct buf answer;
};

struct helper {
	pid_t pid;
	int fd;
	struct event *ev;
	struct job *job;
	struct buf in;
	size_t out_at;
	int64_t retry_us;
};

static struct helper helpers[HELPERS_MAX];
static int helper_count;
static char *helper_path;
static struct list queue;
static int queued;
static uint64_t restarts, jobs_done, next_job = 1;
static bool stopping;
static const struct who who = { .kind = "work" };

static void dispatch(void);

static void deliver(void *arg)
{
	struct job *j = arg;

	j->on_done(j->arg, j->ok, j->answer.p, j->answer.n);
	OPENSSL_cleanse(j->bytes, j->head.length);
	free(j->bytes);
	if (j->answer.p)
		OPENSSL_cleanse(j->answer.p, j->answer.n);
	buf_free(&j->answer);
	free(j);
}

static void end_job(struct job *j, bool ok)
{
	jobs_done++;
	j->ok = ok;
	later_call(deliver, j);
}

/* The helper is gone or must go: its job goes back to the queue's head, or fails. */
static void helper_drop(struct helper *h, const char *why)
{
	struct job *j = h->job;

	if (h->pid > 0) {
		kill(h->pid, SIGKILL);
		log_warn(&who, "helper dropped pid=%d why=%s", (int)h->pid, why);
		restarts++;
	}
	if (h->ev)
		event_free(h->ev);
	if (h->fd >= 0)
		close(h->fd);
	buf_free(&h->in);
	*h = (struct helper){ .fd = -1, .retry_us = clock_mono_us() + 100000 };
	if (!j)
		return;
	if (++j->tries >= TRIES) {
		end_job(j, false);
		return;
	}
	j->node.prev = &queue;
	j->node.next = queue.next;
	queue.next->prev = &j->node;
	queue.next = &j->node;
	queued++;
}

static bool write_job(struct helper *h)
{
	const struct job *j = h->job;
	size_t total = sizeof(j->head) + j->head.length;

	while (h->out_at < total) {
		bool head = h->out_at < sizeof(j->head);
		const char *p = head ? (const char *)&j->head + h->out_at
				     : j->bytes + (h->out_at - sizeof(j->head));
		size_t n = head ? sizeof(j->head) - h->out_at : total - h->out_at;
		ssize_t w = send(h->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (w < 0)
			return errno == EAGAIN || errno == EINTR; /* a job fits the socket's buffer
								     but for the largest */
		h->out_at += (size_t)w;
	}
	return true;
}

static bool take_answer(struct helper *h)
{
	struct wire_head head;
	struct job *j = h->job;

	if (h->in.n < sizeof(head))
		return true;
	memcpy(&head, h->in.p, sizeof(head));
	if (!j || head.version != WIRE_VERSION || head.job != j->head.job || head.length > WIRE_MAX)
		return false;
	if (h->in.n < sizeof(head) + head.length)
		return true;
	if (h->in.n > sizeof(head) + head.length)
		return false;
	h->job = NULL;
	buf_add(&j->answer, h->in.p + sizeof(head), head.length);
	h->in.n = 0;
	end_job(j, head.kind != WORK_FAILED);
	return true;
}

static void on_helper(evutil_socket_t fd, short what, void *arg)
{
	struct helper *h = arg;
	char bytes[4096];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)what;
	if (n <= 0 && !(n < 0 && (errno == EAGAIN || errno == EINTR))) {
		helper_drop(h, "died");
		return;
	}
	if (n > 0) {
		buf_add(&h->in, bytes, (size_t)n);
		if (!take_answer(h))
			helper_drop(h, "babble");
	}
	dispatch();
	loop_note_turn("work");
}

static void helper_start(struct helper *h)
{
	char *argv[] = { helper_path, NULL }, *envp[] = { NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int fds[2], err;

	h->retry_us = clock_mono_us() + US_PER_S;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
		log_error(&who, "socketpair failed err=%s", strerror(errno));
		return;
	}
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, fds[1], 0);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	err = posix_spawn(&h->pid, helper_path, &fa, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	close(fds[1]);
	if (err) {
		close(fds[0]);
		h->pid = 0;
		log_error(&who, "helper cannot be started path=%s err=%s", helper_path,
			strerror(err));
		return;
	}
	h->fd = fds[0];
	h->ev = event_new(loop_base(), h->fd, EV_READ | EV_PERSIST, on_helper, h);
	event_add(h->ev, NULL);
}

static void dispatch(void)
{
	for (int i = 0; i < helper_count && !list_is_empty(&queue); i++) {
		struct helper *h = &helpers[i];

		if (h->pid <= 0 || h->job)
			continue;
		h->job = list_entry(queue.next, struct job, node);
		list_remove(&h->job->node);
		queued--;
		h->out_at = 0;
		h->in.n = 0;
		h->job->deadline_us = clock_mono_us() + h->job->timeout_us;
		if (!write_job(h))
			helper_drop(h, "write");
	}
}

static void on_tick(void *arg)
{
	int64_t now = clock_mono_us();

	(void)arg;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	for (int i = 0; i < helper_count; i++) {
		struct helper *h = &helpers[i];

		if (h->pid > 0 && h->job && now > h->job->deadline_us) {
			helper_drop(h, "timed out");
		} else if (h->pid > 0 && h->job && !write_job(h)) {
			helper_drop(h, "write");
		}
		if (h->pid <= 0 && now >= h->retry_us && !stopping)
			helper_start(h);
	}
	dispatch();
}

void work_init(const char *path, int count)
{
	helper_path = xstrdup(path);
	helper_count = count < HELPERS_MAX ? count : HELPERS_MAX;
	list_init(&queue);
	for (int i = 0; i < helper_count; i++) {
		helpers[i] = (struct helper){ .fd = -1 };
		helper_start(&helpers[i]);
	}
	loop_every(100, on_tick, NULL);
}

void work_free(void)
{
	stopping = true;
	for (int i = 0; i < helper_count; i++) {
		pid_t pid = helpers[i].pid;

		if (helpers[i].job)
			helpers[i].job->tries = TRIES;
		if (pid > 0) {
			kill(pid, SIGKILL);
			helpers[i].pid = 0;
			waitpid(pid, NULL, 0);
		}
		helper_drop(&helpers[i], "stop");
	}
	helper_count = 0;
	free(helper_path);
	helper_path = NULL;
}

struct work_health work_health(void)
{
	struct work_health h = {
		.helpers = helper_count, .queued = queued, .restarts = restarts, .jobs = jobs_done
	};

	for (int i = 0; i < helper_count; i++)
		h.ready += helpers[i].pid > 0;
	return h;
}

bool work_submit(
	enum work_kind kind, const void *p, size_t n, int timeout_ms, work_done *on_done, void *arg)
{
	struct job *j;

	if (queued >= QUEUE_MAX || n > WIRE_MAX)
		return false;
	j = xcalloc(1, sizeof(*j));
	j->head = (struct wire_head){ (uint32_t)n, WIRE_VERSION, (uint16_t)kind, next_job++ };
	j->bytes = xstrndup(p, n);
	j->timeout_us = timeout_ms * 1000LL;
	j->deadline_us = INT64_MAX;
	j->on_done = on_done;
	j->arg = arg;
	list_add_tail(&queue, &j->node);
	queued++;
	dispatch();
	return true;
}
