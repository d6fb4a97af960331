/* SPDX-License-Identifier: Apache-2.0
 * Objects that callbacks get as void *. Each begins with a magic number that no other type has, and
 * magic_cast converts it back: the process stops if the pointer leads to another type or to a freed
 * object (Varnish's CHECK_OBJ_NOTNULL). */
#ifndef SLADESK_BASE_MAGIC_H
#define SLADESK_BASE_MAGIC_H

#include "base/base.h"

/* Place it before struct TYPE. VALUE is any 32-bit number that no other type uses
 * (t/lint/magic.sh). */
#define MAGIC(type, value) enum { type##_magic = (value) }

/* Allocate a zeroed struct TYPE with its magic. Call magic_end before free(). */
#define magic_new(type) ((struct type *)magic_set(xcalloc(1, sizeof(struct type)), type##_magic))

/* P (NULL stays NULL) as struct TYPE *, whose first member is `uint32_t magic`. */
#define magic_cast(type, p) ((struct type *)magic_check((p), type##_magic, #type))

/* The same for a pointer to const. */
#define magic_cast_const(type, p) ((const struct type *)magic_check_const((p), type##_magic, #type))

/* Mark an object as freed, so that a late callback is caught. */
#define magic_end(p) ((p)->magic = 0)

static inline void *magic_set(void *p, uint32_t magic)
{
	memcpy(p, &magic, sizeof(magic));
	return p;
}

static inline const void *magic_check_const(const void *p, uint32_t magic, const char *type)
{
	uint32_t is = 0;

	if (p)
		memcpy(&is, p, sizeof(is));
	if (p && is != magic)
		bug_fail(__FILE__, __LINE__, type);
	return p;
}

static inline void *magic_check(void *p, uint32_t magic, const char *type)
{
	(void)magic_check_const(p, magic, type);
	return p;
}

#endif
