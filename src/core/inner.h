/* SPDX-License-Identifier: Apache-2.0
 * Private to src/core. */
#ifndef SLADESK_CORE_INNER_H
#define SLADESK_CORE_INNER_H

#include "core/contract.h"
#include "core/request.h"

/* The body of a refusal by the HTTP server itself (struct http_handler). */
void response_refusal(struct http_request *http, int status, struct buf *out);

/* Note that FIELD must have MIN to MAX characters, or must be a whole number in this range. */
void note_bad_length(struct req *req, const char *field, int64_t min, int64_t max);
void note_bad_number(struct req *req, const char *field, int64_t min, int64_t max);

/* Bind a request's values to STMT's parameters. Invalid ones are noted. */
void bind_params(struct req *req, const struct sql_stmt *stmt, const char **out);
enum bound {
	BOUND,
	BOUND_NOTHING, /* the path names nothing that can exist */
	BOUND_FOREIGN, /* it names a tenant that the caller does not serve */
};
/* Bind a request's values to req->input as C says. Invalid ones are noted. */
enum bound bind_input(struct req *req, const struct contract *c) MUST_USE;

/* A value in the form that its parameter needs: TEXT of a text, a time, and anything that came as
 * text; N of a number, a bool (0, 1) and a time (microseconds); JSON of what was in the body. */
struct value {
	const char *text;
	int64_t n;
	struct json_object *json;
};
/* Read a value for P from text or from JSON. Returns false if it was noted as invalid. IN names the
 * object that contains it if that is an item of a list; else NULL. */
bool read_text_value(
	struct req *req, const struct param *p, const char *in, const char *v, struct value *out);
bool read_json_value(struct req *req, const struct param *p, const char *in, struct json_object *v,
	struct value *out);
/* Note that P is required; note every query parameter that C does not name; note every unknown
 * member of OBJECT, which belongs to C's parameter PARENT (-1: the body) and is called IN. */
void note_absent(struct req *req, const struct param *p, const char *in);
void note_unknown_query(struct req *req, const struct contract *c);
void note_unknown_members(struct req *req, const struct contract *c, int parent, const char *in,
	struct json_object *object);
/* Note every header that is one value and was sent twice. */
void values_note_headers(struct req *req);
/* Decode the values of the path, the query and the form. Note values that are not text, and those
 * that were given twice. */
void values_read(struct req *req);
/* The value of that name, after values_read; NULL if there is none. */
char *req_path_value(struct req *req, const char *name);
char *req_query_value(struct req *req, const char *key);
char *req_form_value(struct req *req, const char *key);

/* Write a new request id into ID and return it. */
const char *req_id_new(char id[static 17]);
/* A new request for HTTP, with its arena. */
struct req *req_new(struct http_request *http);
/* Release REQ if it has ended and waits for nothing. */
void req_free_if_done(struct req *req);
/* A step has returned O: release the request if that ended it. */
void req_settle(struct req *req, struct outcome *o);
/* Call when the answer that REQ waited for has arrived, before the next step runs. Pass the
 * outcome of that step to req_continue. */
void req_begin_step(struct req *req);
/* The access token of a request that has not been answered; empty if there is none. */
struct str req_token(struct req *req);
/* The header lines of every reply, and EXTRA (NULL: Cache-Control: no-store). Valid until the next
 * call. */
const char *reply_headers(const struct req *req, const char *extra);

/* The segment trie. */
struct route_match {
	const struct route *route; /* NULL: no such path */
	bool path_known;           /* the path exists under another method */
	uint32_t methods;          /* the methods of this path, one bit each */
	struct str name[REQ_PATH_PARAMS], value[REQ_PATH_PARAMS];
	int params;
};
void routes_build(const struct route *routes, size_t n);
void routes_free(void);
void routes_match(enum http_method method, struct str path, struct route_match *out);

/* Check the rate limits: by address without a session, by user and tenant with one (the provider's
 * own users have no tenant limit). Returns NULL to continue. */
struct outcome *guard_address(struct req *req);
/* The client's address as limits count it. */
struct str req_address_key(struct req *req);
struct outcome *guard_session(struct req *req);
/* Is the route open to S's kind of caller? */
bool guard_only(const struct session *s, enum route_only only);
/* Refuse a caller who does not see enough for ROUTE's reach; NULL if it does. */
struct outcome *guard_reach(struct req *req, enum route_reach reach);
/* Count an unknown token, because it may be a guess. */
struct outcome *guard_refuse_nobody(struct req *req);
/* Refuse, because the maximum number of users is being served while the database is down. */
struct outcome *guard_refuse_degraded(struct req *req);
/* Refuse, and close the connection, because it exceeds LIMIT. */
struct outcome *guard_refuse_connection(struct req *req, const char *limit);
/* Continue with NEXT if the session has proved its user within five minutes; otherwise fail with
 * ERR_STEP_UP. */
struct outcome *step_up_check(struct req *req, req_step *next);
/* The client's address as reported by a trusted proxy: the last one that it added. Returns false if
 * this is one connection too many for that address. */
bool guard_believe_proxy(struct http_request *h);

void cookies_init(bool over_tls);

/* ROWS of a list are shown: name them for the audit log. */
void req_note_listed(struct req *req, const struct sql_stmt *stmt, const PGresult *rows);

/* Append the header lines of every reply. */
/* The headers that every answer has. */
const char *reply_security_headers(void);
/* Answer with the route's file from directory DIR. */
struct outcome *req_serve_file(struct req *req, const char *dir);

/* An outcome is only an address. */
extern char outcome_token;
#define GOES_ON ((struct outcome *)(void *)&outcome_token)
/* The caller keeps S. */
void ending_init(const struct request_settings *s);

#endif
