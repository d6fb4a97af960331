/* SPDX-License-Identifier: Apache-2.0
 * A statement of schema/query and its contract, as the generator wrote it. */
#ifndef SLADESK_DB_STMT_H
#define SLADESK_DB_STMT_H

#include "base/base.h"

enum sql_mode { SQL_READ, SQL_WRITE, SQL_JOB, SQL_DOOR };
enum sql_shape { SQL_LIST, SQL_OBJECT, SQL_ROWS };
/* SQL_REPLICA is no statement's own: a call says so. */
enum sql_class { SQL_POINT, SQL_SLOW, SQL_FIRE, SQL_CLASS_JOB, SQL_REPLICA, SQL_CLASSES };
enum sql_type { SQL_T_TEXT, SQL_T_INT, SQL_T_BIGINT, SQL_T_BOOL, SQL_T_TIME, SQL_T_JSON };
enum sql_source {
	SQL_FROM_PATH,
	SQL_FROM_QUERY,
	SQL_FROM_BODY,
	SQL_FROM_SESSION,
	SQL_FROM_IDEM, /* of the Idempotency-Key: actor, key, sha256; null without one */
	SQL_FROM_CALL,
	SQL_FROM_CURSOR
};

#define SQL_PARAMS_MAX 16

struct sql_param {
	const char *name;
	enum sql_type type;
	enum sql_source source;
	const char *key;
	bool required, has_range;
	const char *fallback;
	int64_t min, max; /* of the value, or of the text's length in characters */
	const char *in;   /* a|b|c */
};

struct sql_stmt {
	const char *name, *about, *about_zh;
	const char *returns; /* "column type, …" of what a client sees; a test compares it with the
				database */
	enum sql_mode mode;
	enum sql_shape shape;
	enum sql_class class;
	int index;
	const struct sql_param *params;
	int param_count;
	const char *cursor[2]; /* columns a list's next cursor is made of */
	const char *text;
};

#endif
