/* SPDX-License-Identifier: Apache-2.0
 * Private to src/core. */
#ifndef SLADESK_CORE_INNER_H
#define SLADESK_CORE_INNER_H

#include "core/contract.h"
#include "core/request.h"

struct error_text {
	int status, code;
	const char *en, *zh;
};
const struct error_text *error_text(enum err e);

/* Note that FIELD must have MIN to MAX characters, or be a whole number within them. */
void note_bad_length(struct req *req, const char *field, int64_t min, int64_t max);
void note_bad_number(struct req *req, const char *field, int64_t min, int64_t max);

/* Bind one request's values to STMT's parameters; notes what is invalid. */
void bind_params(struct req *req, const struct sql_stmt *stmt, const char **out);
enum bound {
	BOUND,
	BOUND_NOTHING, /* the path names nothing that could be */
	BOUND_FOREIGN, /* it names a tenant that the caller does not serve */
};
/* Bind them to req->input, as C says; notes what is invalid. */
enum bound bind_input(struct req *req, const struct contract *c) MUST_USE;

/* A value as a contract's parameter wants it: TEXT of a text, a time and whatever came as text; N
 * of a number, a bool (0, 1) and a time (microseconds); JSON of what stood in the body. */
struct value {
	const char *text;
	int64_t n;
	struct json_object *json;
};
/* Read what P says out of text or of JSON; false: noted. IN names the object it stands in, where
 * that is an item of a list; else NULL. */
bool read_text_value(
	struct req *req, const struct param *p, const char *in, const char *v, struct value *out);
bool read_json_value(struct req *req, const struct param *p, const char *in, struct json_object *v,
	struct value *out);
/* Note that P is required; every query parameter that C does not know; every member of OBJECT,
 * which stands in C's parameter PARENT (-1: the body) and is called IN. */
void note_absent(struct req *req, const struct param *p, const char *in);
void note_unknown_query(struct req *req, const struct contract *c);
void note_unknown_members(struct req *req, const struct contract *c, int parent, const char *in,
	struct json_object *object);
/* Decoded path parameter in the arena; NULL when it is none. */
char *req_path_value(struct req *req, const char *name);

/* The segment trie. */
struct route_match {
	const struct route *route; /* NULL: no such path */
	bool path_known;           /* the path exists under another method */
	uint32_t methods;          /* bit per method that the path has */
	struct str name[REQ_PATH_PARAMS], value[REQ_PATH_PARAMS];
	int params;
};
void routes_build(const struct route *routes, size_t n);
void routes_free(void);
void routes_match(enum http_method method, struct str path, struct route_match *out);

/* NULL: go on. Of a request without a session, by its address; of one with, by its user and tenant
 * (the provider's own have no tenant's limit). */
struct outcome *guard_address(struct req *req);
struct outcome *guard_session(struct req *req);
/* Is S one of those that a route is for? */
bool guard_only(const struct session *s, enum route_only only);
/* A token that stands for nobody may be a guess: guesses count. */
struct outcome *guard_refuse_nobody(struct req *req);
/* One too many while the database is away. */
struct outcome *guard_refuse_degraded(struct req *req);
/* The client's address as a proxy of LIST tells it: the last one it added. */
void guard_believe_proxy(struct http_request *h, const char *list);

void cookies_init(bool over_tls);

/* On every reply, as header lines. */
extern const char *const request_security_headers;
/* Answer with the route's file from folder DIR. */
struct outcome *req_serve_file(struct req *req, const char *dir);

/* The address is all there is to an outcome. */
extern char outcome_token;
#define GOES_ON ((struct outcome *)(void *)&outcome_token)
/* S stays the caller's. */
void ending_init(const struct request_settings *s);

#endif
