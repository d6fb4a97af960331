/* SPDX-License-Identifier: Apache-2.0
 * The baseline: a bare evhttp handler with a small JSON body. usage: evhello PORT */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <signal.h>
#include <stdlib.h>

static const char body[] = "{\"code\":200,\"message\":\"ok\",\"data\":{\"id\":12345,\"status\":"
			   "\"open\",\"priority\":2}}";

static void hello(struct evhttp_request *r, void *arg)
{
	struct evbuffer *b = evhttp_request_get_output_buffer(r);

	(void)arg;
	evhttp_add_header(evhttp_request_get_output_headers(r), "Content-Type", "application/json");
	evbuffer_add_reference(b, body, sizeof(body) - 1, NULL, NULL);
	evhttp_send_reply(r, 200, "OK", NULL);
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct evhttp *s = evhttp_new(base);

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2)
		return 2;
	evhttp_set_gencb(s, hello, NULL);
	if (evhttp_bind_socket(s, "127.0.0.1", (ev_uint16_t)atoi(argv[1])))
		return 1;
	event_base_dispatch(base);
	return 0;
}
