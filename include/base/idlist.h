/* SPDX-License-Identifier: Apache-2.0
 * A sorted list of ids, read once from the database's text and searched often: a member of staff
 * may serve ten thousand customers, and every event is checked against every session. */
#ifndef SLADESK_BASE_IDLIST_H
#define SLADESK_BASE_IDLIST_H

#include "base/base.h"

struct id_list {
	int64_t *ids; /* ascending, each once */
	size_t n;
};

/* Read TEXT ("{1,2,3}", in any order) into OUT; the caller frees it with id_list_free. Returns
 * false and leaves OUT empty if TEXT is not such a list. */
bool id_list_read(struct str text, struct id_list *out) MUST_USE;
/* Is ID in the list? Binary search. */
bool id_list_has(const struct id_list *list, int64_t id);
/* Release the list; it is empty. */
void id_list_free(struct id_list *list);

#endif
