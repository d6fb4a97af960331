/* SPDX-License-Identifier: Apache-2.0
 * The listener: accepting, TLS, draining. */
#include "conn.h"
#include "base/clock.h"
#include "loop/loop.h"

#include <errno.h>
#include <event2/listener.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define DESCRIPTORS_KEPT 64
#define CONNECTIONS_MIN 8

static void on_tick(void *arg)
{
	struct http_server *s = magic_cast(http_server, arg);
	int64_t now = clock_mono_us();
	struct list *next;

	for (struct list *n = s->conns.next; n != &s->conns; n = next) {
		next = n->next;
		http_conn_tick(list_entry(n, struct http_conn, node), now);
	}
	loop_timer_set(s->tick, s->draining ? US_PER_S / 10 : US_PER_S / 2);
}

/* --- accepting --- */

static bool is_full(const struct http_server *s)
{
	return s->count >= (uint64_t)s->set.max_connections;
}

static void accept_again(void *arg)
{
	struct http_server *s = magic_cast(http_server, arg);

	if (s->listener && !s->draining && !is_full(s))
		evconnlistener_enable(s->listener);
}

static void pause_accepting(struct http_server *s)
{
	http_count.accept_pauses++;
	evconnlistener_disable(s->listener);
}

static void on_accept_error(struct evconnlistener *l, void *arg)
{
	static int64_t said_us;
	struct http_server *s = magic_cast(http_server, arg);

	(void)l;
	if (clock_mono_us() - said_us > 60 * US_PER_S) {
		said_us = clock_mono_us();
		log_error(NULL, "accept failed, pausing err=%s", strerror(errno));
	}
	pause_accepting(s);
	loop_timer_set(s->resume_accept, 200000);
}

/* Tell a client that it is refused, as far as the socket takes the reply at once. */
static void refuse(struct http_server *s, int fd)
{
	struct buf b = { 0 }, body = { 0 };

	s->h->refusal(NULL, 503, &body);
	buf_addf(&b,
		"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n%s"
		"Content-Type: application/json; charset=utf-8\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		http_every_reply(s), body.n, buf_cstr(&body));
	buf_free(&body);
	if (!s->tls && send(fd, b.p, b.n, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		shutdown(fd, SHUT_WR);
	buf_free(&b);
	close(fd);
}

static void on_accept(
	struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct http_server *s = magic_cast(http_server, arg);
	char peer[HTTP_ADDRESS_MAX], key[HTTP_ADDRESS_MAX];
	struct http_conn *c;
	bool limited;
	int one = 1;

	(void)l;
	(void)len;
	http_peer_name(sa, peer);
	http_address_key(peer, key);
	limited = strcmp(peer, HTTP_PEER_LOCAL) != 0 &&
		  !http_list_names(s->set.trusted_proxies, peer);
	if (limited && !http_owner_may(HTTP_OWNER_ADDRESS, str_of(key),
			       (uint64_t)s->set.address_connections)) {
		refuse(s, fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c = http_conn_new(s, fd, peer, &http1_protocol);
	if (limited)
		(void)http_conn_own(c, HTTP_OWNER_ADDRESS, str_of(key), 0);
	if (is_full(s))
		pause_accepting(s); /* the others wait in the kernel's queue */
}

static void on_conn_gone(struct http_server *s)
{
	accept_again(s);
	if (s->draining && s->count == 0 && s->on_empty) {
		later_call(s->on_empty, s->on_empty_arg);
		s->on_empty = NULL;
	}
}

static SSL_CTX *tls_new(const struct http_settings *set, const char **out_error)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	bug_on(!ctx);
	SSL_CTX_set_min_proto_version(ctx, set->tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
	SSL_CTX_set_options(ctx,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
	/* an idle connection keeps no buffers for records (34 kB) */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
	SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384");
	if (SSL_CTX_use_certificate_chain_file(ctx, set->cert_file) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, set->key_file, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_check_private_key(ctx) != 1) {
		*out_error =
			"http.cert_file: certificate or key cannot be read, or they do not belong "
			"together";
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

bool http_tls_is_usable(const struct http_settings *set, const char **out_error)
{
	SSL_CTX *ctx = tls_new(set, out_error);

	SSL_CTX_free(ctx);
	return ctx != NULL;
}

/* Connections must not take the descriptors that the daemon itself needs: for the database, helper
 * processes, outgoing calls and files. */
static void keep_descriptors(struct http_server *s)
{
	int next = dup(s->fd), most;
	struct rlimit r;

	close(next);
	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur > INT_MAX)
		return;
	most = (int)r.rlim_cur - next - DESCRIPTORS_KEPT;
	most = most < CONNECTIONS_MIN ? CONNECTIONS_MIN : most;
	if (most >= s->set.max_connections)
		return;
	log_warn(NULL, "http.max_connections lowered to fit RLIMIT_NOFILE from=%d to=%d",
		s->set.max_connections, most);
	s->set.max_connections = most;
}

struct http_server *http_server_new(int listen_fd, const struct http_settings *set,
	const struct http_handler *h, const char **out_error)
{
	struct http_server *s = magic_new(http_server);
	int unsent = HTTP_OUT_MAX;

	s->fd = listen_fd;
	s->set = *set;
	s->h = h;
	s->on_conn_gone = on_conn_gone;
	keep_descriptors(s);
	list_init(&s->conns);
	if (set->cert_file && !(s->tls = tls_new(set, out_error))) {
		free(s);
		return NULL;
	}
	evutil_make_socket_nonblocking(listen_fd);
	/* Data that a client does not read must not fill the kernel's memory either (4 MB per
	 * socket), and slow readers must be recognised as slow. Accepted sockets inherit the
	 * option. */
	setsockopt(listen_fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	s->listener =
		evconnlistener_new(loop_base(), on_accept, s, LEV_OPT_CLOSE_ON_EXEC, 0, listen_fd);
	if (!s->listener) {
		*out_error = "http.listen: cannot listen";
		SSL_CTX_free(s->tls);
		free(s);
		return NULL;
	}
	evconnlistener_set_error_cb(s->listener, on_accept_error);
	s->resume_accept = loop_timer_new(accept_again, s);
	s->tick = loop_timer_new(on_tick, s);
	loop_timer_set(s->tick, US_PER_S / 2);
	return s;
}

bool http_server_reload_tls(struct http_server *s, const char **out_error)
{
	SSL_CTX *fresh = s->tls ? tls_new(&s->set, out_error) : NULL;

	if (!fresh)
		return !s->tls;
	SSL_CTX_free(s->tls); /* open connections have their own reference */
	s->tls = fresh;
	return true;
}

void http_server_drain(struct http_server *s, int grace_ms, void (*on_empty)(void *arg), void *arg)
{
	s->draining = true;
	s->drain_until_us = clock_mono_us() + grace_ms * 1000LL;
	s->on_empty = on_empty;
	s->on_empty_arg = arg;
	if (s->listener) {
		evconnlistener_free(s->listener);
		s->listener = NULL;
		close(s->fd);
	}
	loop_timer_set(s->tick, 0);
	on_conn_gone(s);
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	s->on_empty = NULL;
	while (!list_is_empty(&s->conns))
		http_conn_free(list_entry(s->conns.next, struct http_conn, node));
	if (s->listener) {
		evconnlistener_free(s->listener);
		close(s->fd);
	}
	loop_timer_free(s->resume_accept);
	loop_timer_free(s->tick);
	SSL_CTX_free(s->tls);
	free(s);
}
