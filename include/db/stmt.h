/* SPDX-License-Identifier: Apache-2.0
 * A statement from a contract file (*.sql), as generated. */
#ifndef SLADESK_DB_STMT_H
#define SLADESK_DB_STMT_H

#include "base/base.h"

enum sql_mode { SQL_READ, SQL_WRITE, SQL_JOB, SQL_PREAUTH };
enum sql_shape { SQL_LIST, SQL_OBJECT, SQL_ROWS };
/* SQL_REPLICA is never a statement's own mode: a call selects it. */
enum sql_class { SQL_POINT, SQL_SLOW, SQL_FIRE, SQL_CLASS_JOB, SQL_REPLICA, SQL_CLASSES };

#define SQL_PARAMS_MAX 18

struct contract;

struct sql_stmt {
	const char *name;
	const struct contract *contract; /* its parameters in a request: core/contract.h */
	enum sql_mode mode;
	enum sql_shape shape;
	enum sql_class class;
	int index;
	int param_count;
	const char *cursor[2]; /* the columns that make up a list's next cursor */
	const char *text;
};

#endif
