/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secretfile.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define OTHERS (S_IRWXG | S_IRWXO)

FILE *secretfile_open(const char *file)
{
	FILE *f = fopen(file, "re");
	struct stat st;

	if (!f || (fstat(fileno(f), &st) == 0 && !(st.st_mode & OTHERS)))
		return f;
	fclose(f);
	errno = EPERM;
	return NULL;
}

const char *secretfile_error(int err)
{
	return err == EPERM ? "the group or others have rights on it (use chmod 600)"
			    : strerror(err);
}

bool secretfile_is_exposed(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 && (st.st_mode & OTHERS);
}

char *secretfile_line(const char *file)
{
	FILE *f = file && *file ? secretfile_open(file) : NULL;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n = f ? getline(&line, &cap, f) : -1;

	if (f)
		fclose(f);
	if (n < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = 0;
	return line;
}
