/* SPDX-License-Identifier: Apache-2.0
 * Reading, warping, parsing and writing time. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t warp_mono_us, warp_wall_us;
static double warp_scale;

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	bug_on(clock_gettime(id, &ts) != 0);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_now_us(void)
{
	if (warp_scale == 0)
		return read_clock(CLOCK_REALTIME);
	return warp_wall_us + (int64_t)((double)(clock_mono_us() - warp_mono_us) * warp_scale);
}

void clock_warp(int64_t offset_us, double scale)
{
	int64_t now = clock_now_us();

	warp_mono_us = clock_mono_us();
	warp_wall_us = now + offset_us;
	warp_scale = scale;
}

bool clock_is_warped(void)
{
	return warp_scale != 0;
}

double clock_scale(void)
{
	return warp_scale == 0 ? 1 : warp_scale;
}

int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
	int64_t era, yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (int64_t)(153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

void civil_from_days(int64_t days, int64_t *out_y, unsigned *out_m, unsigned *out_d)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*out_d = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*out_m = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*out_y = yoe + era * 400 + (*out_m <= 2);
}

int weekday_from_days(int64_t days)
{
	int64_t w = (days + 3) % 7;

	return (int)(w < 0 ? w + 7 : w);
}

bool date_is_valid(int64_t y, unsigned m, unsigned d)
{
	static const unsigned char len[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return y >= 1 && y <= 9999 && m >= 1 && m <= 12 && d >= 1 &&
	       d <= len[m - 1] + (unsigned)(m == 2 && leap);
}

int time_format(int64_t at_us, int digits, char *out)
{
	int64_t s = at_us / US_PER_S, us = at_us % US_PER_S, days, y, tod;
	unsigned m, d;

	if (us < 0)
		us += US_PER_S, s--;
	days = s / 86400, tod = s % 86400;
	if (tod < 0)
		tod += 86400, days--;
	civil_from_days(days, &y, &m, &d);
	return snprintf(out, 32, "%04d-%02u-%02uT%02d:%02d:%02d.%0*dZ", (int)(y % 10000), m, d,
		(int)(tod / 3600), (int)(tod / 60 % 60), (int)(tod % 60), digits == 6 ? 6 : 3,
		(int)(digits == 6 ? us : us / 1000));
}

static char *put2(char *o, unsigned v)
{
	*o++ = (char)('0' + v / 10);
	*o++ = (char)('0' + v % 10);
	return o;
}

/* The hot path of replies: no printf. */
void buf_add_time_json(struct buf *b, int64_t at_us)
{
	int64_t ms, s, days, y;
	unsigned m, d, tod;
	char t[32], *o = t;

	if (at_us == INSTANT_NONE) {
		buf_adds(b, "null");
		return;
	}
	ms = at_us / 1000 - (at_us % 1000 < 0);
	s = ms / 1000 - (ms % 1000 < 0);
	ms -= s * 1000;
	days = s / 86400 - (s % 86400 < 0);
	tod = (unsigned)(s - days * 86400);
	civil_from_days(days, &y, &m, &d);
	*o++ = '"';
	o = put2(put2(o, (unsigned)(y / 100 % 100)), (unsigned)(y % 100));
	*o++ = '-';
	o = put2(o, m);
	*o++ = '-';
	o = put2(o, d);
	*o++ = 'T';
	o = put2(o, tod / 3600);
	*o++ = ':';
	o = put2(o, tod / 60 % 60);
	*o++ = ':';
	o = put2(o, tod % 60);
	*o++ = '.';
	*o++ = (char)('0' + ms / 100);
	o = put2(o, (unsigned)(ms % 100));
	*o++ = 'Z';
	*o++ = '"';
	buf_add(b, t, (size_t)(o - t));
}

static bool digits(struct str s, size_t at, size_t n, int64_t *out)
{
	*out = 0;
	if (at + n > s.n)
		return false;
	for (size_t i = at; i < at + n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*out = *out * 10 + (s.p[i] - '0');
	}
	return true;
}

bool date_parse(struct str s, int64_t *out_days)
{
	int64_t y, m, d;

	if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !digits(s, 0, 4, &y) ||
		!digits(s, 5, 2, &m) || !digits(s, 8, 2, &d) ||
		!date_is_valid(y, (unsigned)m, (unsigned)d))
		return false;
	*out_days = days_from_civil(y, (unsigned)m, (unsigned)d);
	return true;
}

static bool parse_offset(struct str s, size_t at, int64_t *out_s)
{
	int64_t h, m;

	if (at + 1 == s.n && (s.p[at] == 'Z' || s.p[at] == 'z')) {
		*out_s = 0;
		return true;
	}
	if (at + 6 != s.n || (s.p[at] != '+' && s.p[at] != '-') || s.p[at + 3] != ':' ||
		!digits(s, at + 1, 2, &h) || !digits(s, at + 4, 2, &m) || h > 23 || m > 59)
		return false;
	*out_s = (h * 3600 + m * 60) * (s.p[at] == '-' ? -1 : 1);
	return true;
}

bool time_parse(struct str s, int64_t *out_us)
{
	int64_t days, h, m, sec, frac = 0, unit = 100000, off;
	size_t at = 19;

	if (s.n < 20 || s.n > 40 || !date_parse((struct str){ s.p, 10 }, &days) ||
		(s.p[10] != 'T' && s.p[10] != 't' && s.p[10] != ' ') || s.p[13] != ':' ||
		s.p[16] != ':' || !digits(s, 11, 2, &h) || !digits(s, 14, 2, &m) ||
		!digits(s, 17, 2, &sec) || h > 23 || m > 59 || sec > 59)
		return false;
	if (s.p[at] == '.') {
		size_t from = ++at;

		for (; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++, unit /= 10)
			frac += (s.p[at] - '0') * unit;
		if (at == from)
			return false;
	}
	if (at >= s.n || !parse_offset(s, at, &off))
		return false;
	*out_us = ((days * 86400 + h * 3600 + m * 60 + sec) - off) * US_PER_S + frac;
	return true;
}
