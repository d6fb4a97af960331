/* SPDX-License-Identifier: Apache-2.0
 * Which build this is. */
#ifndef SLADESK_BASE_BUILD_H
#define SLADESK_BASE_BUILD_H

/* The commit that was built, or "unknown". */
extern const char build_commit[];
/* The compiler and its version. */
extern const char build_compiler[];
/* Print "PROGRAM VERSION (commit …, compiler …)", for --version. Returns 0. */
int build_print(const char *program);

#endif
