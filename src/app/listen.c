/* SPDX-License-Identifier: Apache-2.0
 * The address of http.listen, and the socket that listens there. */
#include "app.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct listen_address {
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;
	bool is_v6;
};

static const char *read_address(const char *text, struct listen_address *a)
{
	const char *colon = strrchr(text, ':');
	int64_t port;
	char host[64];

	*a = (struct listen_address){ { .sin6_family = AF_INET6 }, { .sin_family = AF_INET },
		text[0] == '[' };
	if (!colon || (size_t)(colon - text) >= sizeof(host) || (a->is_v6 && colon[-1] != ']') ||
		!str_to_int(str_of(colon + 1), 0, 65535, &port))
		return "address:port expected, such as 127.0.0.1:8080 or [::1]:8080";
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text) - (a->is_v6 ? 2 : 0),
		text + a->is_v6);
	a->v4.sin_port = a->v6.sin6_port = htons((uint16_t)port);
	if ((a->is_v6 ? inet_pton(AF_INET6, host, &a->v6.sin6_addr)
		      : inet_pton(AF_INET, host, &a->v4.sin_addr)) != 1)
		return "not an address and a port, such as 127.0.0.1:8080 or [::1]:8080";
	return NULL;
}

const char *listen_fault(const char *text)
{
	struct listen_address a;

	return read_address(text, &a);
}

int listen_on(const char *text)
{
	struct listen_address a;
	const char *why = read_address(text, &a);
	int one = 1, fd;

	if (why)
		die("http.listen: %s", why);
	fd = socket(a.is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, a.is_v6 ? (void *)&a.v6 : (void *)&a.v4,
		    a.is_v6 ? sizeof(a.v6) : sizeof(a.v4)) != 0 ||
		listen(fd, 1024) != 0)
		die("http.listen: %s: %s", text, strerror(errno));
	return fd;
}
