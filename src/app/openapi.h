/* SPDX-License-Identifier: Apache-2.0
 * JSON schemas and examples generated from contracts, for openapi.c. */
#ifndef SLADESK_APP_OPENAPI_H
#define SLADESK_APP_OPENAPI_H

#include "core/contract.h"

/* Append S as a JSON string. */
void openapi_quote(struct buf *b, const char *s);
/* Append the schema of C's parameter I with everything that it contains. */
void openapi_param_schema(struct buf *b, const struct contract *c, int i);
/* Append an example of it. */
void openapi_param_example(struct buf *b, const struct contract *c, int i);
/* The schema of all parameters from SOURCE (body or form), as one object. */
void openapi_body_schema(struct buf *b, const struct contract *c, enum param_source source);
/* An example of it. */
void openapi_body_example(struct buf *b, const struct contract *c, enum param_source source);
/* The schema of what C returns: an object, or the items of a list. Columns of a statement may
 * always be null. */
void openapi_reply_schema(struct buf *b, const struct contract *c, bool statement);
/* An example of it. */
void openapi_reply_example(struct buf *b, const struct contract *c);

#endif
