/* SPDX-License-Identifier: Apache-2.0 */
#include "config/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *config_secret_read(const char *name)
{
	FILE *f = name && *name ? fopen(name, "re") : NULL;
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
