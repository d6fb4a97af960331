/* SPDX-License-Identifier: Apache-2.0
 * Replies in pieces. A step runs when the client has read the piece before, so a large reply needs
 * the memory of one piece. Such a reply lasts longer than most requests, so its session is looked
 * up again before each piece, and the reply is cut when the session loses the right. */
#include "inner.h"

struct pieces {
	req_step *next;
};

static void on_session(void *arg, struct session *s, enum db_error error)
{
	struct req *req = magic_cast(req, arg);

	req_begin_step(req);
	if (s && session_may(s, req->route->permission)) {
		session_put(req->session);
		req->session = s;
		req_continue(req, req->http ? req->pieces->next(req) : req_pieces_cut(req));
		return;
	}
	log_info(&req->who, "reply cut: the session has no rights any more err=%s",
		db_error_name(error));
	session_put(s);
	req_continue(req, req_pieces_cut(req));
}

static void on_drain(struct http_request *h)
{
	struct req *req = magic_cast(req, h->user);

	if (req->waiting)
		return;
	if (req->session) {
		req->waiting = true;
		session_find(req_token(req), on_session, req);
		return;
	}
	req_begin_step(req);
	req_continue(req, req->pieces->next(req));
}

struct outcome *req_pieces_begin(struct req *req, int status, const char *type, const char *extra,
	int64_t length, req_step *next)
{
	if (!req->http)
		return req_taken(req);
	req->pieces = arena_alloc(&req->arena, sizeof(*req->pieces));
	*req->pieces = (struct pieces){ next };
	http_reply_start(req->http, status, type, reply_headers(req, extra), length, on_drain);
	if (req->http->head.method == HTTP_HEAD)
		return req_pieces_end(req);
	return req_streaming(req);
}

struct outcome *req_piece(struct req *req, const void *p, size_t n, req_step *next)
{
	if (!req->http)
		return req_taken(req);
	if (!n) /* no output is queued, so the client cannot ask for more */
		return next(req);
	req->pieces->next = next;
	(void)http_reply_piece(req->http, p, n);
	return req_streaming(req);
}

struct outcome *req_pieces_end(struct req *req)
{
	struct outcome *o = req_streaming(req);

	if (!req->http)
		return req_taken(req);
	http_reply_end(req->http);
	return o;
}

struct outcome *req_pieces_cut(struct req *req)
{
	struct outcome *o = req_streaming(req);

	if (!req->http)
		return req_taken(req);
	http_reply_cut(req->http);
	return o;
}
