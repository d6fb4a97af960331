/* SPDX-License-Identifier: Apache-2.0
 * Detects unusual logins: a new network or country, a new device, impossible travel, an hour
 * outside working time. The operator's table (signin.network_file: prefix, country, latitude,
 * longitude) maps addresses to places. Without a table, a network is the first 16 bits of an IPv4
 * address or 48 bits of an IPv6 address. */
#include "base/clock.h"
#include "base/magic.h"
#include "base/log.h"
#include "crypto/field.h"
#include "config/options.h"
#include "core/hooks.h"
#include "core/signin.h"
#include "device.h"
#include "identity.h"
#include "sql_gen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX 200
#define RUNNING_MAX 64

/* Map every address to IPv6, so that one order applies. */
struct network {
	unsigned char prefix[16];
	int bits;
	char country[4], lat[16], lon[16];
};

static struct network *networks;
static size_t network_n;
static int running;

/* --- the table --- */

static bool to_bytes(const char *text, unsigned char out[16])
{
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (inet_pton(AF_INET6, text, out) == 1)
		return true;
	memcpy(out, mapped, 12);
	return inet_pton(AF_INET, text, out + 12) == 1;
}

static void cut(unsigned char a[16], int bits)
{
	for (int i = 0; i < 16; i++)
		if (bits < 8 * (i + 1))
			a[i] &= bits <= 8 * i ? 0 : (unsigned char)(0xff << (8 * (i + 1) - bits));
}

static bool is_number(const char *s, double limit)
{
	char *end;
	double v = strtod(s, &end);

	return *s && !*end && v >= -limit && v <= limit;
}

/* 203.0.113.0/24,CN,31.2,121.5 */
static bool parse_line(char *line, struct network *n)
{
	char *part[4] = { line, NULL, NULL, NULL }, *slash;
	int64_t bits;

	for (int i = 1; i < 4; i++) {
		part[i] = part[i - 1] ? strchr(part[i - 1], ',') : NULL;
		if (!part[i])
			return false;
		*part[i]++ = 0;
	}
	slash = strchr(part[0], '/');
	if (!slash)
		return false;
	*slash = 0;
	if (!to_bytes(part[0], n->prefix) || !str_to_int(str_of(slash + 1), 0, 128, &bits) ||
		strlen(part[1]) != 2 || !is_number(part[2], 90) || !is_number(part[3], 180))
		return false;
	n->bits = (int)bits + (strchr(part[0], ':') ? 0 : 96);
	cut(n->prefix, n->bits);
	snprintf(n->country, sizeof(n->country), "%.2s", part[1]);
	snprintf(n->lat, sizeof(n->lat), "%.15s", part[2]);
	snprintf(n->lon, sizeof(n->lon), "%.15s", part[3]);
	return n->bits <= 128;
}

static void on_signin(struct req *req, const struct sign_in *s);

void signin_risk_init(void)
{
	FILE *f = options.signin_network_file[0] ? fopen(options.signin_network_file, "re") : NULL;
	char line[LINE_MAX];
	size_t bad = 0, room = 0;

	hooks.signin_done = on_signin;
	if (options.signin_network_file[0] && !f)
		die("signin.network_file: %s: %s", options.signin_network_file, strerror(errno));
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\r\n")] = 0;
		if (!line[0] || line[0] == '#')
			continue;
		if (network_n == room)
			networks = xrealloc(
				networks, (room = room ? 2 * room : 1024) * sizeof(*networks));
		if (parse_line(line, &networks[network_n]))
			network_n++;
		else
			bad++;
	}
	if (f)
		fclose(f);
	if (bad)
		log_warn(NULL,
			"signin.network_file: %zu invalid lines (expected "
			"prefix/bits,CC,latitude,longitude)",
			bad);
}

void signin_risk_free(void)
{
	free(networks);
	networks = NULL;
	network_n = 0;
}

/* The longest prefix that contains the address. */
static const struct network *locate(const char *address)
{
	const struct network *best = NULL;
	unsigned char a[16], b[16];

	if (!to_bytes(address, a))
		return NULL;
	for (size_t i = 0; i < network_n; i++) {
		if (best && networks[i].bits <= best->bits)
			continue;
		memcpy(b, a, 16);
		cut(b, networks[i].bits);
		if (memcmp(b, networks[i].prefix, 16) == 0)
			best = &networks[i];
	}
	return best;
}

static void network_name(const char *address, char out[64])
{
	bool six = strchr(address, ':') != NULL;
	unsigned char a[16];
	char text[INET6_ADDRSTRLEN];

	if (!to_bytes(address, a)) {
		snprintf(out, 64, "%.40s", address);
		return;
	}
	cut(a, six ? 48 : 96 + 16);
	inet_ntop(six ? AF_INET6 : AF_INET, six ? a : a + 12, text, sizeof(text));
	snprintf(out, 64, "%s/%d", text, six ? 48 : 16);
}

/* What a device is recognised by: the User-Agent without version numbers: an update is not a new
 * device. */
static void device_name(const char *agent, char out[204])
{
	size_t n = 0;

	for (; *agent && n < 200; agent++)
		if (*agent < '0' || *agent > '9')
			if (*agent != '.' || !n || out[n - 1] != '.')
				out[n++] = *agent;
	out[n] = 0;
}

/* --- assessment --- */

struct risk_check {
	uint32_t magic;
	struct db_call call;
	int64_t tenant_id, actor_id;
	char network[64], device[204];
	struct device shown;
	char *username, *address, *sealed;
};
MAGIC(risk_check, 0xc2ffd4cb);

static void on_watched(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct risk_check *w = magic_cast(risk_check, call->arg);

	if (error != DB_OK)
		db_log(LOG_WARN, NULL, error, "login risk not assessed tenant=%lld err=%s",
			(long long)w->tenant_id, db_error_name(error));
	else if (PQntuples(rows)) {
		log_info(NULL, "unusual login tenant=%lld actor=%lld reasons=%.*s",
			(long long)w->tenant_id, (long long)w->actor_id, (int)db_text(rows, 0, 0).n,
			db_text(rows, 0, 0).p);
		notify_wake();
	}
	running--;
	free(w->username);
	free(w->address);
	free(w->sealed);
	magic_end(w);
	free(w);
}

static void on_signin(struct req *req, const struct sign_in *s)
{
	const char *address = session_peer(req);
	int64_t now = clock_now_us();
	const struct network *at = locate(address);
	struct buf sealed = { 0 };
	struct risk_check *w;

	if (running >= RUNNING_MAX) /* a flood of logins is reported by other means */
		return;
	running++;
	w = magic_new(risk_check);
	w->tenant_id = s->tenant_id;
	w->actor_id = s->subject_id;
	network_name(address, w->network);
	device_name(session_device(req), w->device);
	device_read(session_device(req), &w->shown);
	w->username = xstrdup(s->username);
	w->address = xstrdup(address);
	field_seal_at(&sealed, FIELD_SIGN_IN_ALERTS_ADDRESS, s->tenant_id,
		arena_printf(&req->arena, "%s.%lld.%lld", s->staff ? "staff" : "customer",
			(long long)s->subject_id, (long long)now),
		str_of(address), now / US_PER_S);
	w->sealed = buf_take(&sealed);
	w->call = (struct db_call){ .stmt = &sql_auth_signin_risk,
		.ctx.role = DB_ROLE_JOB,
		.param = { NULL, s->staff ? "staff" : "customer", NULL, w->username, NULL,
			w->network, w->device, at ? at->country : NULL, at ? at->lat : NULL,
			at ? at->lon : NULL, w->address, w->sealed, w->shown.browser,
			w->shown.system },
		.on_done = on_watched,
		.arg = w };
	db_call_int(&w->call, 0, s->tenant_id);
	db_call_int(&w->call, 2, s->subject_id);
	db_call_int(&w->call, 4, now);
	db_exec(&w->call);
}
