/* SPDX-License-Identifier: Apache-2.0
 * A zone lookup for unit tests: reads the system's zone files, as the daemon does. */
#ifndef SLADESK_UNIT_ZONES_H
#define SLADESK_UNIT_ZONES_H

#include "base/base.h"
#include "base/json.h"
#include "sla/calendar.h"
#include <stdio.h>
#include <stdlib.h>

static const struct zone *test_zone(const char *name)
{
	static struct {
		char name[64];
		struct zone *z;
	} cache[16];
	static int cached;
	char path[128], bytes[65536];
	FILE *f;
	size_t n;

	for (int i = 0; i < cached; i++)
		if (strcmp(cache[i].name, name) == 0)
			return cache[i].z;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	f = fopen(path, "rb");
	if (!f || cached == 16)
		return NULL;
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	snprintf(cache[cached].name, sizeof(cache[cached].name), "%s", name);
	cache[cached].z = zone_parse(bytes, n);
	return cache[cached++].z;
}

UNUSED static struct calendar *test_calendar(const char *json)
{
	struct json_error err;
	struct json_object *o = json_read(json, strlen(json), &err);
	const char *error = NULL;
	struct calendar *c = o ? calendar_read(o, test_zone, &error) : NULL;

	if (!c)
		fprintf(stderr, "calendar refused: %s\n", error ? error : err.rule);
	json_object_put(o);
	return c;
}

UNUSED static int64_t at(const char *text)
{
	int64_t us;

	bug_on(!time_parse(str_of(text), &us));
	return us;
}

#endif
