/* SPDX-License-Identifier: Apache-2.0
 * An intrusive doubly linked list. A thing that waits is in the list named for what it waits for.
 */
#ifndef SLADESK_BASE_LIST_H
#define SLADESK_BASE_LIST_H

#include "base/base.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}
static inline bool list_is_empty(const struct list *l)
{
	return l->next == l;
}
static inline void list_add_tail(struct list *head, struct list *n)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}
/* Safe for a node that is in no list (after list_init or list_remove). */
static inline void list_remove(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}
#define list_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

#endif
