/* SPDX-License-Identifier: Apache-2.0
 * A short list of the present outages. A part that comes and goes has one outage until it has
 * worked for SETTLED_US. */
#include "base/outage.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

#define SETTLED_US (5 * US_PER_S)
#define AGAIN_US (600 * US_PER_S)
/* What nobody has tried for so long (a webhook that was switched off) is no outage any more. */
#define UNTRIED_US (3600 * US_PER_S)
#define OUTAGES_MAX 64

struct outage {
	struct outage *next;
	char part[200], why[300];
	int64_t since_us, last_us, told_us;
	int64_t back_us; /* 0: it has not worked since its last failure */
	uint64_t failures;
};

static struct outage *outages;
static size_t outage_n;

static struct outage *find(const char *part)
{
	char name[sizeof(outages->part)];

	snprintf(name, sizeof(name), "%s", part); /* longer names are stored cut off */
	for (struct outage *o = outages; o; o = o->next)
		if (strcmp(o->part, name) == 0)
			return o;
	return NULL;
}

static struct outage *begin(const char *part)
{
	struct outage *o = xcalloc(1, sizeof(*o));

	snprintf(o->part, sizeof(o->part), "%s", part);
	o->since_us = clock_mono_us();
	o->next = outages;
	outages = o;
	outage_n++;
	return o;
}

/* The same reason, but for numbers such as milliseconds and process ids? */
static bool is_same(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, "0123456789");
		b += strspn(b, "0123456789");
		if (*a != *b)
			return false;
		if (!*a)
			return true;
	}
}

void outage_note(enum log_level level, const char *part, const char *fmt, ...)
{
	struct outage *o = find(part);
	int64_t now = clock_mono_us();
	char why[sizeof(o->why)];
	va_list ap;

	va_start(ap, fmt);
	utf8_vformat(why, sizeof(why), fmt, ap);
	va_end(ap);
	why[strcspn(why, "\n")] = 0; /* libpq adds hints in further lines */
	if (!o && outage_n >= OUTAGES_MAX) {
		part = "more parts than are listed";
		o = find(part);
	}
	if (!o)
		o = begin(part);
	o->failures++;
	o->last_us = now;
	o->back_us = 0;
	if (o->told_us && (is_same(why, o->why) || now - o->told_us < AGAIN_US))
		return;
	log_line(level, NULL, "outage of %s %s: %s", o->part, o->told_us ? "goes on" : "begins",
		why);
	o->told_us = now;
	snprintf(o->why, sizeof(o->why), "%s", why);
}

void outage_back(const char *part)
{
	struct outage *o = outages ? find(part) : NULL;

	if (o && !o->back_us)
		o->back_us = clock_mono_us();
}

bool outage_is_on(const char *part)
{
	const struct outage *o = outages ? find(part) : NULL;

	return o && !o->back_us;
}

static void tell_end(const struct outage *o)
{
	double after_s = (double)((o->back_us ? o->back_us : o->last_us) - o->since_us) / 1e6;

	log_warn(NULL, "outage of %s %s after_s=%.1f failures=%llu", o->part,
		o->back_us ? "has ended" : "is forgotten, because nobody has tried it for an hour",
		after_s, (unsigned long long)o->failures);
}

void outage_tick(int64_t now)
{
	for (struct outage **at = &outages; *at;) {
		struct outage *o = *at;

		if (o->back_us ? now - o->back_us < SETTLED_US : now - o->last_us < UNTRIED_US) {
			at = &o->next;
			continue;
		}
		tell_end(o);
		*at = o->next;
		free(o);
		outage_n--;
	}
}

void outage_free(void)
{
	while (outages) {
		struct outage *o = outages;

		outages = o->next;
		free(o);
	}
	outage_n = 0;
}
