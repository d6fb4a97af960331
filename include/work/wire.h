/* SPDX-License-Identifier: Apache-2.0
 * The frames between the daemon and its helper processes: u32 length of what follows the header,
 * u16 version, u16 kind, u64 job id, all in host order (both ends are one build on one machine). */
#ifndef SLADESK_WORK_WIRE_H
#define SLADESK_WORK_WIRE_H

#include "base/base.h"

#define WIRE_VERSION 1
#define WIRE_MAX (1u << 20)

enum work_kind {
	WORK_HASH = 1,   /* password -> argon2id string */
	WORK_VERIFY = 2, /* string NUL password -> "1" or "0" */
	WORK_PROBE =
		3,     /* test: try to open a socket and a file -> "refused" or what was possible */
	WORK_HANG = 4, /* test: never answer */
	WORK_SAML = 5, /* certificate (PEM) NUL document -> what its signed part says, as JSON */
	WORK_FAILED = 99, /* answer: the job could not be done */
};

struct wire_head {
	uint32_t length;
	uint16_t version, kind;
	uint64_t job;
};

#endif
