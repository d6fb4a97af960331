/* SPDX-License-Identifier: Apache-2.0
 * Private to this folder: customers as a source system describes them. */
#ifndef SLADESK_FEATURE_INTEGRATION_CUSTOMERS_READ_H
#define SLADESK_FEATURE_INTEGRATION_CUSTOMERS_READ_H

#include "base/base.h"

#include <json-c/json.h>

/* One delivery. A zero-initialised one is empty. */
struct delivery {
	struct json_object *good; /* the list of the valid items */
	size_t n;                 /* all items */
	size_t rejected;
	struct buf rejects; /* [{external_id, field, rule}, … */
};

/* Is LIST a list of 1 to 200 items? */
bool delivery_is_list(struct json_object *list);
/* Read the items of LIST, which delivery_is_list accepts, into the empty D. delivery_free releases
 * it. */
void delivery_read(struct delivery *d, struct json_object *list);
/* Reject the item ID (NULL: it has none) because FIELD breaks RULE. */
void delivery_reject(struct delivery *d, const char *id, const char *field, const char *rule);
/* The rejected items as a JSON list, which is complete then. It lives as long as D. */
const char *delivery_rejects(struct delivery *d);
/* Release D; it is empty. */
void delivery_free(struct delivery *d);

#endif
