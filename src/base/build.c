/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"
#include "commit_gen.h"

#include <stdio.h>

const char build_commit[] = BUILD_COMMIT;
#ifdef __clang__
const char build_compiler[] = "clang " __clang_version__;
#else
const char build_compiler[] = "gcc " __VERSION__;
#endif

int build_print(const char *program)
{
	return printf("%s %s (commit %s, %s)\n", program, PACKAGE_VERSION, build_commit,
		       build_compiler) < 0;
}
