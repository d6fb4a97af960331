/* SPDX-License-Identifier: Apache-2.0
 * The frames between the daemon and its helper processes: u32 length of what follows the header,
 * u16 version, u16 kind, u64 job id, all in host order (both ends are from the same build on the
 * same machine). A helper's first frame is WORK_READY. After that, it answers each job frame with
 * one frame of the same kind and job id, or with WORK_FAILED. */
#ifndef SLADESK_WORK_WIRE_H
#define SLADESK_WORK_WIRE_H

#include "base/base.h"

#define WIRE_VERSION 3
#define WIRE_MAX (1u << 20)

/* A pool is the set of helpers that run one program: sladesk-helper-<name>. */
enum work_pool { POOL_HASH, POOL_PARSE, POOL_MAIL, POOL_FILE, WORK_POOLS };

/* The hundreds of a kind give its pool: work_pool_of. */
enum work_kind {
	WORK_HASH = 101,   /* password -> argon2id string */
	WORK_VERIFY = 102, /* string NUL password [NUL password] -> "1", "2" or "0" */
	WORK_SAML = 201, /* certificate NUL key NUL document -> the contents of its signed part, as
			    JSON */
	WORK_MAIL = 301, /* struct mail_job -> struct mail_result */
	WORK_APPEND = 401,  /* file NUL its last line NUL lines -> "+"; "=" and its last line, if
			       that is another; "!" and an error */
	WORK_REPLACE = 402, /* file NUL its new contents -> "+"; "!" and an error */
	/* for the tests, added to a pool's hundred: */
	WORK_PROBE = 90, /* what to try ("socket", "exec", …) -> "refused" or "OPEN" */
	WORK_HANG = 91,  /* never answer */
	/* frames that only helpers send: */
	WORK_READY = 1,  /* confined, and waiting for the first job */
	WORK_FAILED = 2, /* the job could not be done */
};
static inline enum work_pool work_pool_of(enum work_kind kind)
{
	return (enum work_pool)(kind / 100 - 1);
}
static inline enum work_kind work_kind_in(enum work_pool pool, enum work_kind test)
{
	return (enum work_kind)((pool + 1) * 100 + test);
}

struct wire_head {
	uint32_t length;
	uint16_t version, kind;
	uint64_t job;
};

#endif
