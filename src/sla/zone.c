/* SPDX-License-Identifier: Apache-2.0
 * RFC 8536. Debian 12 ships transitions up to 2037, newer distributions only the footer; both are
 * evaluated. */
#include "sla/zone.h"
#include "base/clock.h"

#include <ctype.h>
#include <stdlib.h>

/* Mm.w.d/time, Jn or n in the POSIX TZ string. */
struct rule {
	char kind; /* 'M', 'J' or '0' */
	int month, week, day;
	int32_t at_s;
};

struct zone {
	size_t count;
	int64_t *at_s;
	int32_t *offset_s; /* valid from at_s[i] on */
	int32_t first_offset_s;
	bool has_footer, has_dst;
	int32_t std_s, dst_s;
	struct rule dst_begins, dst_ends;
};

static int64_t be(const unsigned char *p, int n)
{
	int64_t v = (signed char)p[0];

	for (int i = 1; i < n; i++)
		v = v * 256 + p[i];
	return v;
}

static const char *read_name(const char *p)
{
	if (*p == '<') {
		while (*p && *p != '>')
			p++;
		return *p ? p + 1 : p;
	}
	while (isalpha((unsigned char)*p))
		p++;
	return p;
}

/* [+-]hh[:mm[:ss]] */
static const char *read_hms(const char *p, int32_t *out_s)
{
	int32_t sign = 1, part[3] = { 0 };

	if (*p == '+' || *p == '-')
		sign = *p++ == '-' ? -1 : 1;
	for (int i = 0; i < 3; i++) {
		while (isdigit((unsigned char)*p) && part[i] < 1000)
			part[i] = part[i] * 10 + (*p++ - '0');
		if (*p != ':' || i == 2)
			break;
		p++;
	}
	*out_s = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
	return p;
}

static const char *read_number(const char *p, int *out)
{
	*out = 0;
	while (isdigit((unsigned char)*p) && *out < 1000)
		*out = *out * 10 + (*p++ - '0');
	return p;
}

static const char *read_rule(const char *p, struct rule *r)
{
	*r = (struct rule){ .kind = '0', .at_s = 7200 };
	if (*p == 'M') {
		r->kind = 'M';
		p = read_number(p + 1, &r->month);
		p = *p == '.' ? read_number(p + 1, &r->week) : p;
		p = *p == '.' ? read_number(p + 1, &r->day) : p;
	} else {
		if (*p == 'J')
			r->kind = *p++;
		p = read_number(p, &r->day);
	}
	return *p == '/' ? read_hms(p + 1, &r->at_s) : p;
}

static void read_footer(struct zone *z, const char *p)
{
	int32_t off;

	if (!*p)
		return;
	p = read_hms(read_name(p), &off);
	z->has_footer = true;
	z->std_s = -off;
	if (!*p)
		return;
	p = read_name(p);
	z->dst_s = z->std_s + 3600;
	if (*p && *p != ',') {
		p = read_hms(p, &off);
		z->dst_s = -off;
	}
	if (*p != ',')
		return;
	p = read_rule(p + 1, &z->dst_begins);
	if (*p != ',')
		return;
	read_rule(p + 1, &z->dst_ends);
	z->has_dst = true;
}

struct header {
	size_t isut, isstd, leap, time, type, chars;
};

static bool read_header(const unsigned char *p, size_t n, struct header *h)
{
	if (n < 44 || memcmp(p, "TZif", 4) != 0)
		return false;
	*h = (struct header){ (size_t)be(p + 20, 4), (size_t)be(p + 24, 4), (size_t)be(p + 28, 4),
		(size_t)be(p + 32, 4), (size_t)be(p + 36, 4), (size_t)be(p + 40, 4) };
	return h->isut < 1000 && h->isstd < 1000 && h->leap < 1000 && h->time < 10000 &&
	       h->type > 0 && h->type < 1000 && h->chars < 10000;
}

static size_t body_size(const struct header *h, size_t time_size)
{
	return h->time * (time_size + 1) + h->type * 6 + h->chars + h->leap * (time_size + 4) +
	       h->isstd + h->isut;
}

struct zone *zone_parse(const void *bytes, size_t n)
{
	const unsigned char *p = bytes, *types;
	struct header h;
	struct zone *z;
	size_t skip;

	if (!read_header(p, n, &h) || p[4] < '2')
		return NULL;
	skip = 44 + body_size(&h, 4);
	if (skip > n || !read_header(p + skip, n - skip, &h))
		return NULL;
	p += skip + 44;
	n -= skip + 44;
	if (body_size(&h, 8) > n)
		return NULL;
	types = p + h.time * 9;
	z = xcalloc(1, sizeof(*z));
	z->count = h.time;
	z->at_s = xcalloc(h.time, sizeof(*z->at_s));
	z->offset_s = xcalloc(h.time, sizeof(*z->offset_s));
	z->first_offset_s = (int32_t)be(types, 4);
	for (size_t i = 0; i < h.time; i++) {
		size_t type = p[h.time * 8 + i];

		z->at_s[i] = be(p + i * 8, 8);
		z->offset_s[i] = type < h.type ? (int32_t)be(types + type * 6, 4) : 0;
	}
	p += body_size(&h, 8);
	n -= body_size(&h, 8);
	if (n > 2 && p[0] == '\n') {
		const unsigned char *end = memchr(p + 1, '\n', n - 1);
		char *footer = end ? xstrndup((const char *)p + 1, (size_t)(end - p - 1)) : NULL;

		if (footer)
			read_footer(z, footer);
		free(footer);
	}
	return z;
}

void zone_free(struct zone *z)
{
	if (!z)
		return;
	free(z->at_s);
	free(z->offset_s);
	free(z);
}

/* The local seconds since 1970 at which RULE applies in year Y. */
static int64_t rule_in_year(const struct rule *r, int64_t y)
{
	int64_t day;

	if (r->kind == 'M') {
		int64_t first = days_from_civil(y, (unsigned)r->month, 1);
		int want = r->day; /* 0 = Sunday */
		int have = (weekday_from_days(first) + 1) % 7;

		day = first + (want - have + 7) % 7 + (r->week - 1) * 7;
		while (!(day < days_from_civil(r->month == 12 ? y + 1 : y,
				       r->month == 12 ? 1 : (unsigned)r->month + 1, 1)))
			day -= 7;
	} else {
		int64_t jan1 = days_from_civil(y, 1, 1);
		bool leap = date_is_valid(y, 2, 29);

		day = r->kind == 'J' ? jan1 + r->day - 1 + (leap && r->day >= 60) : jan1 + r->day;
	}
	return day * 86400 + r->at_s;
}

static int32_t footer_offset(const struct zone *z, int64_t at_s, int64_t *out_until_s)
{
	int64_t y, begins, ends;
	unsigned m, d;

	*out_until_s = INT64_MAX;
	if (!z->has_dst)
		return z->std_s;
	civil_from_days((at_s + z->std_s) / 86400, &y, &m, &d);
	for (int64_t year = y - 1; year <= y + 1; year++) {
		begins = rule_in_year(&z->dst_begins, year) - z->std_s;
		ends = rule_in_year(&z->dst_ends, year) - z->dst_s;
		if (begins < ends) {
			if (at_s < begins) {
				*out_until_s = begins;
				return z->std_s;
			}
			if (at_s < ends) {
				*out_until_s = ends;
				return z->dst_s;
			}
		} else {
			if (at_s < ends) {
				*out_until_s = ends;
				return z->dst_s;
			}
			if (at_s < begins) {
				*out_until_s = begins;
				return z->std_s;
			}
		}
	}
	*out_until_s = at_s + 86400; /* no real rule gets here; the answer holds for a day */
	return z->std_s;
}

int32_t zone_offset(const struct zone *z, int64_t at_s, int64_t *out_until_s)
{
	size_t lo = 0, hi = z->count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (z->at_s[mid] <= at_s)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == z->count && z->has_footer)
		return footer_offset(z, at_s, out_until_s);
	*out_until_s = lo < z->count ? z->at_s[lo] : INT64_MAX;
	return lo ? z->offset_s[lo - 1] : z->first_offset_s;
}
