/* SPDX-License-Identifier: Apache-2.0
 * Many WebSocket clients on one loop: connects N, sends each the given text frames, then prints for
 * every broadcast the time from the first client's message to the last one's. usage: wsclients PORT
 * PATH N ROUNDS [HELLO [SUBSCRIBE]] ; a line on standard input starts a round. */
#include "base/base.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void send_text(int fd, const char *text)
{
	size_t n = strlen(text);
	unsigned char head[8] = { 0x81, (unsigned char)(n < 126 ? 0x80 | n : 0xfe),
		(unsigned char)(n >> 8), (unsigned char)n };
	struct buf b = { 0 };

	if (n < 126)
		memset(head + 2, 0, 4);
	buf_add(&b, head, n < 126 ? 2 : 4);
	buf_add(&b, "\0\0\0\0", 4);
	buf_add(&b, text, n);
	if (write(fd, b.p, b.n) < 0)
		perror("write");
	buf_free(&b);
}

static void read_for(int fd, const char *what)
{
	char bytes[65536];
	size_t n = 0;

	for (;;) {
		ssize_t r = recv(fd, bytes + n, sizeof(bytes) - 1 - n, 0);

		if (r <= 0)
			die("closed while waiting for %s", what);
		n += (size_t)r;
		bytes[n] = 0;
		if (memmem(bytes, n, what, strlen(what)))
			return;
	}
}

int main(int argc, char **argv)
{
	int n = atoi(argv[3]), rounds = atoi(argv[4]), ep = epoll_create1(0);
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(argv[1])),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int *fds = xcalloc((size_t)n, sizeof(int));
	char line[256], bytes[65536];

	for (int i = 0; i < n; i++) {
		char *hello = xasprintf(
			"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: "
			"Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
			"dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
			argv[2]);
		struct epoll_event e = { .events = EPOLLIN,
			.data.fd = fds[i] = socket(AF_INET, SOCK_STREAM, 0) };

		if (connect(fds[i], (struct sockaddr *)&sa, sizeof(sa)) != 0)
			die("connect %d: %s", i, strerror(errno));
		if (write(fds[i], hello, strlen(hello)) < 0)
			die("write");
		free(hello);
		read_for(fds[i], "\r\n\r\n");
		if (argc > 5) {
			send_text(fds[i], argv[5]);
			read_for(fds[i], "welcome");
		}
		if (argc > 6) {
			send_text(fds[i], argv[6]);
			read_for(fds[i], "snapshot");
		}
		epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e);
	}
	puts("connected");
	fflush(stdout);
	for (int r = 0; r < rounds; r++) {
		int64_t first = 0;
		int got = 0;
		char *seen = xcalloc(1, 1 << 20);

		if (!fgets(line, sizeof(line), stdin))
			return 0;
		while (got < n) {
			struct epoll_event ev[512];
			int k = epoll_wait(ep, ev, 512, 10000);

			if (k <= 0)
				break;
			if (!first)
				first = clock_mono_us();
			for (int i = 0; i < k; i++) {
				int fd = ev[i].data.fd;

				if (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) <= 0)
					die("a client was closed");
				if (!seen[fd])
					got++;
				seen[fd] = 1;
			}
		}
		printf("round %.2f ms %d clients\n", (double)(clock_mono_us() - first) / 1000, got);
		fflush(stdout);
		free(seen);
		while (epoll_wait(ep, (struct epoll_event[1]){ { 0 } }, 1, 300) >
			0) /* late frames of the same round */
			for (int i = 0; i < n; i++)
				while (recv(fds[i], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
					;
	}
	return 0;
}
