/* SPDX-License-Identifier: Apache-2.0
 * Zone files of the system, read once each. */
#include "config/zones.h"

#include <stdio.h>
#include <stdlib.h>

static struct cached {
	char *name;
	struct zone *zone;
	struct cached *next;
} * zones;

static bool name_is_sane(const char *s)
{
	if (!*s || strlen(s) > 60 || s[0] == '/' || strstr(s, ".."))
		return false;
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
			    (*s >= '0' && *s <= '9') || strchr("/_+-", *s)))
			return false;
	return true;
}

const struct zone *zone_find(const char *name)
{
	char path[128];
	static char bytes[65536];
	struct zone *z;
	FILE *f;
	size_t n;

	for (struct cached *c = zones; c; c = c->next)
		if (strcmp(c->name, name) == 0)
			return c->zone;
	if (!name_is_sane(name))
		return NULL;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	f = fopen(path, "rbe");
	if (!f)
		return NULL;
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	z = zone_parse(bytes, n);
	if (z) {
		struct cached *c = xcalloc(1, sizeof(*c));

		*c = (struct cached){ xstrdup(name), z, zones };
		zones = c;
	}
	return z;
}
