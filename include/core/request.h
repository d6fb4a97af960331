/* SPDX-License-Identifier: Apache-2.0
 * The life of a request: guards, binding, handler, reply. A handler or step returns a struct
 * outcome *, which can only be obtained by ending the request or by starting a wait, so a path that
 * forgets to answer does not compile. */
#ifndef SLADESK_CORE_REQUEST_H
#define SLADESK_CORE_REQUEST_H

#include "base/magic.h"
#include "core/limit.h"
#include "core/session.h"
#include "http/server.h"
#include "work/wire.h"

struct json_object;
struct flow;
struct given;
struct ws_handler;
struct outcome; /* never defined; it stands for "the request goes on or has ended" */
struct req;
typedef struct outcome *req_step(struct req *req);
typedef struct outcome *req_row_step(struct req *req, enum db_error error, const PGresult *rows);
typedef struct outcome *req_work_step(struct req *req, bool ok, struct str answer);

enum err {
	ERR_VALIDATION,  /* 40001 */
	ERR_MALFORMED,   /* 40002 */
	ERR_FORBIDDEN,   /* 40003 */
	ERR_NO_AUTH,     /* 40004 */
	ERR_RATE,        /* 40005 */
	ERR_STEP_UP,     /* 40006, 403: confirm the session first */
	ERR_NOT_FOUND,   /* 41001 */
	ERR_WRONG_STATE, /* 41002 */
	ERR_EXISTS,      /* 41003 */
	ERR_LIMIT,       /* 41004 */
	ERR_KEY_REUSED,  /* 40001, 422: the Idempotency-Key was used for another request */
	ERR_IN_FLIGHT,   /* 41002, 409: the Idempotency-Key's first request has not ended */
	ERR_METHOD,      /* 40002, 405 */
	ERR_MEDIA,       /* 40002, 415: a log-in that sets cookies takes JSON only */
	ERR_RANGE,       /* 40002, 416 */
	ERR_INTERNAL,    /* 50000, 500 */
	ERR_DB,          /* 50001, 503: the database, and nothing else */
	ERR_UNKNOWN,     /* 50001, 503: the database did not say whether it did a write */
	ERR_REPORT,      /* 50002, 500: an export was not made */
	ERR_FILE,        /* 50003, 500: a stored file cannot be read */
	ERR_SYNC,        /* 50004, 503: a message of another system was not applied */
	ERR_BUSY,        /* 50005, 503 with Retry-After */
	ERR_OUTSIDE,     /* 51001, 502: a service of another party */
	ERR_COUNT,
};
struct error_text {
	int status, code;
	const char *en, *zh;                               /* the message */
	const char *user_en, *user_zh, *todo_en, *todo_zh; /* advice; the last two are JSON lists */
};
/* The status, code, message and advice of an error. */
const struct error_text *error_text(enum err e);

struct contract;

/* Who may call a route, in addition to its permission. */
enum route_only {
	ONLY_ANY,
	ONLY_PERSON,        /* logged in; a program's token is not a session */
	ONLY_CUSTOMER,      /* a customer's users and programs, not the provider's */
	ONLY_CUSTOMER_USER, /* a customer's users */
	ONLY_STAFF,         /* the provider's staff, not its programs */
	ONLY_SERVICE,       /* a program with a service token */
	ONLY_PROVIDER_SERVICE,
};

/* How much a caller must see, for a route that affects more than one person. */
enum route_reach {
	REACH_ANY,
	REACH_WHOLE, /* sees all that its writes affect: session.whole */
	REACH_ADMIN, /* has every right that it could grant: session.admin */
};

/* "whole", "admin"; "" for REACH_ANY. */
const char *route_reach_name(enum route_reach reach);
/* "customer", …; "" for ONLY_ANY. */
const char *route_only_name(enum route_only only);

/* A route that will end: Deprecation (RFC 9745) and Sunset (RFC 8594) say so in each answer. The
 * dates are YYYY-MM-DD, in UTC; doc/api/deprecations.md has them, too. */
struct deprecation {
	const char *since, *sunset;
	const char *instead; /* the path that replaces it, or NULL */
};

struct route_variant {
	const char *key, *value; /* ?key=value chooses this statement */
	const struct sql_stmt *sql;
};

struct route {
	enum http_method method;
	const char *path; /* segments; {name} is a parameter */
	enum permission permission;
	enum route_only only;
	/* exactly one of: */
	const struct sql_stmt *sql;
	req_step *flow;
	const struct ws_handler *ws;
	const char *file;                /* a file below the static folder */
	const struct contract *contract; /* of a flow or a socket: its contract */
	/* Note errors that a contract cannot express. It is called even if fields were refused;
	 * those are absent from the input. */
	void (*check)(struct req *req);
	struct route_variant variant; /* another statement for a query value */
	int argument;                 /* for a flow: which command */
	enum route_reach reach;
	req_step *on_ws;               /* with ws: takes the new socket */
	const struct sql_stmt *replay; /* for a POST statement: reads by $1 = id what an
					  Idempotency-Key created earlier, as it was
					  answered */
	enum limit limit; /* for a route without a session; LIMIT_ADDRESS if not given */
	bool sensitive;   /* reads are recorded in the audit log */
	bool step_up; /* the session must have proved its user, by password or factor, within five
			 minutes: ERR_STEP_UP says how it can */
	const char *step_up_if;        /* only if the body has one of these members: a|b */
	const struct deprecation *old; /* NULL: it stays */
	bool know; /* open to everyone; a session is recognised if there is one */
	void (*stream)(struct req *req, const char *p,
		size_t n); /* receives the body in pieces before the flow runs */
};

#define REQ_PATH_PARAMS 4

/* Which objects a list has shown, for the audit log. */
#define LISTED_IDS 20
struct listed {
	int64_t n, lowest, highest; /* of their ids, if those are numbers */
	int64_t id[LISTED_IDS];     /* the first ones */
	int ids;
	bool any; /* a list was read, even if it was empty */
};

struct req {
	uint32_t magic;
	struct http_request *http; /* NULL: the client has left */
	const struct route *route;
	struct session *session; /* NULL: nobody */
	struct arena arena;
	struct who who;
	struct str path_name[REQ_PATH_PARAMS], path_value[REQ_PATH_PARAMS];
	char *path_text[REQ_PATH_PARAMS]; /* decoded */
	int path_params;
	struct str query;                       /* copied */
	struct given *given_query, *given_form; /* decoded: values.c */
	struct json_object *body;               /* NULL if there was none */
	void *input;                            /* for a flow: see REQ_INPUT */
	char *idempotency_key, *if_match;
	char fingerprint[65]; /* digest of method, path and body, if there is an Idempotency-Key */
	struct buf invalid;   /* the list of invalid fields so far, for the error's details */
	int invalid_n;        /* how many; only the first are listed */
	struct db_call call;
	struct db_trail trail; /* what it has changed so far */
	struct listed listed;  /* what it has read as lists */
	req_row_step *on_row;
	req_work_step *on_work;
	struct pieces *pieces; /* of a reply in pieces */
	void *state;           /* belongs to the flow: req_state_new, req_state */
	const char
		*state_is; /* the name of its type: "derived base" if it begins with another type */
	struct flow *flow; /* the flow whose wait this is, or NULL: core/flow.h */
	void (*cleanup)(struct req *req);
	int64_t began_us;
	bool zh, waiting, ended, streaming;
	bool stepping;         /* a step is running: its caller frees the request */
	bool by_cookie;        /* the session came by cookie */
	bool counted;          /* in the address's limit */
	int64_t retry_after_s; /* sent with a refusal; 0: one second */
	const char
		*failure_header; /* a line that a refusal needs (Allow, Content-Range), or NULL */
	bool replan;             /* db_call.replan for its next query */
	int64_t row_id; /* of the row to be made, if a value of it is encrypted; 0: not asked */
	const struct sql_stmt *row_stmt; /* which waits for it */
	/* before there is a session, what req_work tells the queue: see struct work_job */
	const char *work_owner; /* NULL: the address */
	int64_t work_customer;
	bool work_first;
	char id[17];
};
MAGIC(req, 0x88dfd903);

/* --- guards --- */
/* Refuse a caller that may not change the documents of TENANT_ID; NULL if it may. The provider's
 * documents apply to all customers, so only staff who serve all of them may change those. */
struct outcome *req_guard_documents(struct req *req, int64_t tenant_id) MUST_USE;

/* --- endings --- */
/* Reply STATUS with DATA (JSON bytes) inside the envelope. */
struct outcome *req_reply(struct req *req, int status, const char *data, size_t n) MUST_USE;
/* Like req_reply, with the bytes of TAKE_DATA, which is freed. */
struct outcome *req_reply_take(struct req *req, int status, struct buf *take_data) MUST_USE;
/* A row step for a statement without a result: replies null if it found a row, else 404. */
req_row_step req_reply_null MUST_USE;
/* Like req_reply, with additional header lines. */
struct outcome *req_reply_headers(
	struct req *req, int status, const char *extra, const char *data, size_t n) MUST_USE;
/* Reply with the bytes as they are. */
struct outcome *req_reply_raw(struct req *req, int status, const char *type, const char *extra,
	const void *p, size_t n) MUST_USE;
/* Reply 200 with bytes that never change and live as long as the process; they are not copied. */
struct outcome *req_reply_lasting(
	struct req *req, const char *type, const char *extra, const void *p, size_t n) MUST_USE;
/* Reply with an error. DETAILS is a JSON object or NULL. */
struct outcome *req_fail(struct req *req, enum err e, const char *details) MUST_USE;
/* Refuse what the caller's role may do, but not so: FIELD (NULL: none) and the rule in both
 * languages, as a user may read it; ACTION (NULL: none) is what makes it possible. */
struct outcome *req_forbid(struct req *req, const char *field, const char *en, const char *zh,
	const char *action) MUST_USE;
/* Refuse a request by cookie whose X-CSRF-Token is missing or wrong. */
struct outcome *req_refuse_csrf(struct req *req) MUST_USE;
/* Refuse the request because the limit KIND is reached; the client shall wait SECONDS. */
struct outcome *req_too_often(struct req *req, enum limit kind, int64_t seconds) MUST_USE;
/* Count something that S asked for as a request: of its user and, unless S is the provider's, of
 * its customer. Returns 0, or the seconds to wait and the limit that refuses. */
int64_t limit_take_session(const struct session *s, enum limit *out_kind) MUST_USE;
/* The caller, as a limit's key. */
struct str req_user_key(struct req *req);
/* End the request with the error that a failed statement means for the client. */
struct outcome *req_fail_db(struct req *req, enum db_error e) MUST_USE;
/* Note an invalid field (the first 120 characters of its name). req_invalid ends the request with
 * all noted fields. RULE says what is allowed, with an example where that helps. */
void req_note_invalid(struct req *req, const char *field, const char *rule_en, const char *rule_zh);
/* The same, with an example of the right form (JSON). */
void req_note_invalid_like(struct req *req, const char *field, const char *rule_en,
	const char *rule_zh, const char *example);
static inline bool req_has_invalid(const struct req *req)
{
	return req->invalid.n > 0;
}
/* End with 40001 and all fields that were noted. */
struct outcome *req_invalid(struct req *req) MUST_USE;
/* The connection has been taken over (by a WebSocket); there is nothing more to answer. */
struct outcome *req_taken(struct req *req) MUST_USE;
/* The reply is sent in pieces (http_reply_start … http_reply_end); the request ends with the last
 * one. */
struct outcome *req_streaming(struct req *req) MUST_USE;

/* --- the state of a flow of several steps --- */
/* Allocate a zeroed struct TYPE in the arena as the request's state. */
#define req_state_new(req, type)                                                                   \
	((struct type *)req_state_set(                                                             \
		(req), arena_alloc(&(req)->arena, sizeof(struct type)), #type))
/* The same for a struct TYPE that begins with a struct BASE, whose code also uses it. */
#define req_state_new_of(req, type, base)                                                          \
	((struct type *)req_state_set(                                                             \
		(req), arena_alloc(&(req)->arena, sizeof(struct type)), #type " " #base))
/* The state as struct TYPE. If it has another type, the process stops. */
#define req_state(req, type) ((struct type *)req_state_check((req), #type))
/* Set STATE, of TYPE ("derived base" if it begins with another type), as the request's state. */
void *req_state_set(struct req *req, void *state, const char *type);
/* The state, if it is a TYPE or begins with one; NULL if there is none. */
void *req_state_check(const struct req *req, const char *type);

/* --- replies in pieces, for what is too large to be held: pieces.c --- */
/* Begin a reply of LENGTH bytes in all (-1: not known). NEXT runs when the client is ready for
 * a piece; HEAD ends at once. */
struct outcome *req_pieces_begin(struct req *req, int status, const char *type, const char *extra,
	int64_t length, req_step *next) MUST_USE;
/* Send N bytes, then NEXT when the client is ready for more. Before that, the session is looked up
 * as for a request, and the reply is cut if it no longer has the right. */
struct outcome *req_piece(struct req *req, const void *p, size_t n, req_step *next) MUST_USE;
/* End the reply; all its bytes have been sent. */
struct outcome *req_pieces_end(struct req *req) MUST_USE;
/* The rest is not available: the client sees that its reply is incomplete. */
struct outcome *req_pieces_cut(struct req *req) MUST_USE;

/* --- partial content: range.c --- */
/* The range of SIZE bytes that a GET asks for, if ETAG (with its quotation marks) is the one it
 * knows: 206 and the first and last byte; 200 and all of them; or 416. */
int req_range(
	struct req *req, const char *etag, uint64_t size, uint64_t *out_from, uint64_t *out_to);
/* The line Content-Range. */
const char *req_range_header(struct req *req, uint64_t from, uint64_t to, uint64_t size);
/* 416, with the size. */
struct outcome *req_fail_range(struct req *req, uint64_t size) MUST_USE;

/* --- waits --- */
/* Run STMT with PARAMS (text, NULL = null, in the arena) in the request's context, then call
 * ON_ROW. */
struct outcome *req_query(struct req *req, const struct sql_stmt *stmt, const char *const *params,
	req_row_step *on_row) MUST_USE;
/* The same with the job role, which sees every tenant. The caller checks what the request may touch
 * and passes it in PARAMS. */
struct outcome *req_query_job(struct req *req, const struct sql_stmt *stmt,
	const char *const *params, req_row_step *on_row) MUST_USE;
/* Give a helper a job, then call ON_WORK. If no helper can take it, ON_WORK gets ok = false,
 * possibly before this returns. */
struct outcome *req_work(struct req *req, enum work_kind kind, const void *p, size_t n,
	req_work_step *on_work) MUST_USE;
/* Call STEP after MS milliseconds. */
struct outcome *req_delay(struct req *req, int64_t ms, req_step *step) MUST_USE;
/* Something that the caller has armed will call req_continue. */
struct outcome *req_wait(struct req *req) MUST_USE;
/* Continue a request that waited; O is what the step returned. */
void req_continue(struct req *req, struct outcome *o);

/* V as decimal text in the arena, as a parameter of a statement. */
const char *req_int(struct req *req, int64_t v);

/* --- reading --- */
/* The checked input of a flow with contract ID: "const struct in_ID *in = REQ_INPUT(req, ID)". */
#define REQ_INPUT(req, id) ((const struct in_##id *)req_input((req), &contract_##id))
/* The same, or NULL if the route has neither contract ID nor one that begins with it. */
#define REQ_INPUT_IF(req, id) ((const struct in_##id *)req_input_if((req), &contract_##id))
/* The input of a route whose contract is C, or begins with C. */
const void *req_input(const struct req *req, const struct contract *c);
/* The input bound by contract C; NULL if the route has another contract. */
const void *req_input_if(const struct req *req, const struct contract *c);
/* The owner of the request's Idempotency-Key, such as "staff:7". */
const char *idem_actor(struct req *req);
/* Refuse the Idempotency-Key: E is ERR_KEY_REUSED or ERR_IN_FLIGHT. */
struct outcome *req_fail_key(struct req *req, enum err e) MUST_USE;
/* V as JSON text in the arena. */
const char *req_json_text(struct req *req, struct json_object *v);

/* --- cookies: a browser's session --- */
enum cookie {
	COOKIE_ACCESS,
	COOKIE_REFRESH, /* sent to /api/v1/auth only */
	COOKIE_CSRF,    /* readable by the page, repeated in X-CSRF-Token */
	COOKIE_LOGIN,   /* a sign-in at a provider that began in this browser */
	COOKIE_DEVICE,  /* a device that needs no second factor; it outlives the session */
};
#define CSRF_CHARS 32
/* The value of cookie WHICH; empty if the request has no such cookie, or two. */
struct str http_cookie(const struct http_head *h, enum cookie which);
/* Can V be a token that we have set as cookie WHICH? If not, it is noted as an invalid field. */
bool cookie_is_token(struct req *req, enum cookie which, struct str v);
/* Does the request come from our own pages, or from no page at all? Scheme, host and port must be
 * ours. */
bool http_origin_is_ours(const struct http_head *h);
/* Was this sent by one of our own pages? Checked before a cookie may authorise a change. */
bool http_csrf_is_right(const struct http_head *h);
/* Append the cookie of a sign-in that begins. It is sent back to PATH only; over TLS to every path,
 * because only then no other host can plant it (__Host-). FROM_OTHER_SITE: the answer is posted
 * from another site, and only a cookie without SameSite is sent with that. */
void cookie_add_login(
	struct buf *headers, const char *value, const char *path, bool from_other_site);
/* Append a Set-Cookie line. MAX_AGE_S = 0 deletes the cookie. */
void cookie_add(struct buf *headers, enum cookie which, const char *value, int64_t max_age_s);

/* --- wiring --- */
struct request_settings {
	const char *static_dir;
	bool tls;
	bool secure_cookies; /* users reach us over TLS, possibly through a proxy */
	/* The support contact for users whose portal names none. */
	const char *support_contact;
};
/* Serve the N ROUTES, which must live until request_free. Exits if two routes, or a route and its
 * contract, contradict each other. */
void request_init(const struct route *routes, size_t n, const struct request_settings *s);
/* Called for every request that was answered, while its session and route are still valid. */
typedef void request_listener(struct req *req, const struct http_request *http, int status);
/* Call FN too, after those that were registered before. */
void request_on_end(request_listener *fn);
/* Free everything. No request may be in progress any more. */
void request_free(void);
/* What the HTTP server calls. */
const struct http_handler *request_handler(void);
/* All endpoints, for the documentation. */
const struct route *request_routes(size_t *out_n);

/* Run a flow route: bind the input, check it, call the flow. */
struct outcome *req_run_flow(struct req *req) MUST_USE;
/* Run a statement route: bind the parameters and answer with the rows. */
struct outcome *req_run_statement(struct req *req, const struct sql_stmt *stmt) MUST_USE;
/* Does the caller of REQ see internal fields? */
bool req_sees_internal(const struct req *req);

/* --- counting, for /metrics --- */
struct request_metrics {
	const struct route *route;
	uint64_t count[6]; /* by status / 100 */
	uint64_t bucket[12];
	double sum_s;
};
extern const double request_buckets[11];
/* One entry for each of the *OUT_N routes, for /metrics. They live as long as the process. */
const struct request_metrics *request_metrics(size_t *out_n);

#endif
