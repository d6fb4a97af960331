/* SPDX-License-Identifier: Apache-2.0
 * Objects that callbacks get as void *. Each starts with a magic that no other type has, and is
 * cast back by magic_cast, which stops the process when the pointer leads to something else or to
 * something that was freed (Varnish's CHECK_OBJ_NOTNULL). */
#ifndef SLADESK_BASE_MAGIC_H
#define SLADESK_BASE_MAGIC_H

#include "base/base.h"

/* Before struct TYPE: VALUE is any number of 32 bits that no other type has (t/lint/magic.sh). */
#define MAGIC(type, value) enum { type##_magic = (value) }

/* A new zeroed struct TYPE with its magic; free() releases it, after magic_end. */
#define magic_new(type) ((struct type *)magic_set(xcalloc(1, sizeof(struct type)), type##_magic))

/* P as struct TYPE *, whose first member is `uint32_t magic`. */
#define magic_cast(type, p) ((struct type *)magic_check((p), type##_magic, #type))

/* Of an object that is released: a late callback is caught. */
#define magic_end(p) ((p)->magic = 0)

static inline void *magic_set(void *p, uint32_t magic)
{
	memcpy(p, &magic, sizeof(magic));
	return p;
}

static inline void *magic_check(void *p, uint32_t magic, const char *type)
{
	uint32_t is = 0;

	if (p)
		memcpy(&is, p, sizeof(is));
	if (is != magic)
		bug_fail(__FILE__, __LINE__, type);
	return p;
}

#endif
