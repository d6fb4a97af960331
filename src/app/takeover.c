/* SPDX-License-Identifier: Apache-2.0 */
#include "takeover.h"
#include "base/log.h"
#include "loop/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static struct evconnlistener *listener;
static int given_fd;
static void (*on_given)(void);
static char path_served[108];

static bool address(const char *path, struct sockaddr_un *sa)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!path || !*path || strlen(path) >= sizeof(sa->sun_path))
		return false;
	strcpy(sa->sun_path, path);
	return true;
}

int takeover_receive(const char *path)
{
	struct timeval limit = { 5, 0 };
	struct sockaddr_un sa;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	int s, fd = -1;

	if (!address(path, &sa))
		return -1;
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(s, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
		recvmsg(s, &m, MSG_CMSG_CLOEXEC) == 1) {
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	}
	close(s);
	return fd;
}

static void on_ask(
	struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (char[]){ 'L' }, 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	ssize_t n;

	(void)l;
	(void)sa;
	(void)len;
	(void)arg;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &given_fd, sizeof(given_fd));
	n = sendmsg(fd, &m, MSG_NOSIGNAL);
	close(fd);
	if (n != 1)
		return;
	log_info(NULL, "listener handed over");
	path_served[0] = 0; /* the new process serves the path now */
	on_given();
}

void takeover_serve(const char *path, int listen_fd, void (*drain)(void))
{
	struct sockaddr_un sa;
	int fd;

	if (!address(path, &sa))
		return;
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 || chmod(path, 0600) != 0 ||
		listen(fd, 4) != 0)
		die("daemon.control: %s: %s", path, strerror(errno));
	given_fd = listen_fd;
	on_given = drain;
	snprintf(path_served, sizeof(path_served), "%s", path);
	listener = evconnlistener_new(loop_base(), on_ask, NULL, LEV_OPT_CLOSE_ON_FREE, 0, fd);
}

void takeover_stop(void)
{
	if (listener)
		evconnlistener_free(listener);
	listener = NULL;
	if (path_served[0])
		unlink(path_served);
}
