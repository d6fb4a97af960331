/* SPDX-License-Identifier: Apache-2.0
 * The contract of an endpoint, as src/gen/mksql.awk wrote it from the header of a .sql file or from
 * a .flow file (the grammar: doc/HACKING.md). The binder checks a request by it, the documents are
 * made of it. Data only; the checks of a single value are pure. */
#ifndef SLADESK_CORE_CONTRACT_H
#define SLADESK_CORE_CONTRACT_H

#include "db/stmt.h"

struct json_object;

enum param_type {
	PARAM_TEXT,
	PARAM_INT,
	PARAM_BIGINT,
	PARAM_NUMBER, /* whole or not; of a body alone */
	PARAM_BOOL,
	PARAM_TIME,
	PARAM_JSON,   /* any JSON value */
	PARAM_OBJECT, /* a JSON object; closed when other parameters stand in it */
};
enum param_source {
	FROM_PATH,
	FROM_QUERY,
	FROM_BODY,
	FROM_FORM,
	FROM_HEADER,
	FROM_SESSION, /* of a statement: who asks, and when */
	FROM_IDEM,    /* of the Idempotency-Key: actor, key, sha256; null without one */
	FROM_CALL,    /* the C code that runs the statement gives it: never a route's */
	FROM_CURSOR
};

/* What a contract's like= names: a kind of text. */
enum format {
	FORMAT_NONE,
	FORMAT_EMAIL,
	FORMAT_PHONE,
	FORMAT_LOGIN_NAME,
	FORMAT_CODE,
	FORMAT_COLOUR,
	FORMAT_HTTPS,
	FORMAT_BASE64URL,
	FORMAT_DATE,
	FORMAT_TIME,
	FORMAT_CURSOR,
	FORMAT_PERIOD,
	FORMAT_DOMAIN,
	FORMAT_COUNT
};

struct param {
	const char *name; /* as an error names it: "title", "parameters.columns", "If-Match" */
	const char *key;  /* the member of its object, the query parameter, the header */
	enum param_type type;
	enum param_source source;
	bool required, has_range, list;
	bool loose;  /* the flow judges it; what its contract says is for the documents, but for a
			list's length and whether it is an object */
	bool served; /* a tenant's id: who does not serve that tenant is forbidden */
	bool more;   /* an object: members that the contract does not name are let pass */
	int parent;  /* of the body: the parameter it stands in; -1: the body itself */
	const char *fallback; /* NULL: none */
	const char *in;       /* a|b|c */
	enum format like;
	const char *example;
	int64_t min, max;             /* of the value, or of the text's length in characters */
	int64_t items_min, items_max; /* of a list */
	int slot;                     /* where its value goes in the input; -1: nowhere */
	int given;                    /* where the input says that it came; -1: nowhere */
};

enum reply_kind {
	REPLY_OBJECT,   /* the envelope's data is an object */
	REPLY_LIST,     /* {"items": […], "next_cursor": …} */
	REPLY_NULL,     /* data is null */
	REPLY_BARE,     /* JSON without the envelope */
	REPLY_REDIRECT, /* 302 */
	REPLY_SOCKET,   /* 101: a WebSocket */
	REPLY_MEDIA,    /* bytes of type MEDIA */
};

struct contract {
	const char *name, *about, *about_zh;
	const char *tag; /* the capability, or the area of schema/query */
	enum sql_mode mode;
	enum reply_kind reply;
	const char *media;
	const char *returns; /* "path type, …" of the envelope's data; of a statement a test
				compares it with the database */
	int status;          /* of success; 0: 201 for a POST of a statement, else 200 */
	bool open;           /* what it does not name is let pass: outside parties call it */
	const struct param *params;
	int param_count;
	const struct contract *base; /* whose input this one's begins with */
	size_t input_size;
};

/* Is V one of CHOICES ("a|b|c")? Exactly one of them, whole and in the same letters. */
bool choice_is_listed(const char *choices, struct str v);

struct format_rule {
	const char *pattern; /* ECMA 262, for OpenAPI; NULL: OPENAPI says enough */
	const char *openapi; /* OpenAPI's name of it, or NULL */
	const char *example, *en, *zh;
	bool (*fits)(const char *v);
};
/* Not of FORMAT_NONE. */
const struct format_rule *format_rule(enum format f);

#endif
