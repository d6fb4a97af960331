/* SPDX-License-Identifier: Apache-2.0
 * The other end: addresses as text, and the owners of connections. An address and a user can have a
 * limited number of connections each, so that nobody takes them all. */
#include "conn.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define SLOTS 4096
#define KEY_MAX 80
#define QUIET_US (10 * US_PER_S) /* between two log lines about refusals of one kind */

struct http_owner_count {
	struct http_owner_count *next;
	enum http_owner kind;
	uint64_t connections;
	size_t n;
	char key[KEY_MAX];
};

static struct {
	struct http_owner_count *slot[SLOTS];
	struct {
		int64_t said_us; /* monotonic */
		uint64_t unsaid;
	} refused[HTTP_OWNERS];
} owners;

/* The text of an IPv6 address; an IPv4 address that is mapped into it is an IPv4 address. */
static bool name_ipv6(const struct in6_addr *a, char out[HTTP_ADDRESS_MAX])
{
	if (IN6_IS_ADDR_V4MAPPED(a))
		return inet_ntop(AF_INET, a->s6_addr + 12, out, HTTP_ADDRESS_MAX);
	return inet_ntop(AF_INET6, a, out, HTTP_ADDRESS_MAX);
}

void http_peer_name(const struct sockaddr *sa, char out[HTTP_ADDRESS_MAX])
{
	const struct sockaddr_in6 *six = (const void *)sa;
	const struct sockaddr_in *four = (const void *)sa;

	if (!(sa->sa_family == AF_INET6 && name_ipv6(&six->sin6_addr, out)) &&
		!(sa->sa_family == AF_INET &&
			inet_ntop(AF_INET, &four->sin_addr, out, HTTP_ADDRESS_MAX)))
		memcpy(out, HTTP_PEER_LOCAL, sizeof(HTTP_PEER_LOCAL));
}

void http_address_key(const char *address, char out[HTTP_ADDRESS_MAX])
{
	struct in6_addr a;
	size_t n = strlen(address);

	if (strchr(address, ':') && inet_pton(AF_INET6, address, &a) == 1) {
		if (!IN6_IS_ADDR_V4MAPPED(&a))
			memset(a.s6_addr + 8, 0, 8);
		name_ipv6(&a, out);
		return;
	}
	n = n < HTTP_ADDRESS_MAX ? n : HTTP_ADDRESS_MAX - 1;
	memcpy(out, address, n);
	out[n] = 0;
}

/* Every address as 16 bytes, an IPv4 address mapped into IPv6. */
static bool to_bytes(struct str text, unsigned char out[16], bool *out_four)
{
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	char name[HTTP_ADDRESS_MAX];

	if (text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
		text = (struct str){ text.p + 1, text.n - 2 };
	if (!text.n || text.n >= sizeof(name))
		return false;
	memcpy(name, text.p, text.n);
	name[text.n] = 0;
	memcpy(out, mapped, 12);
	*out_four = inet_pton(AF_INET, name, out + 12) == 1;
	return *out_four || inet_pton(AF_INET6, name, out) == 1;
}

/* An entry of the list: an address, or a network as address/bits. */
static bool read_entry(struct str entry, unsigned char out[16], int *out_bits)
{
	const char *slash = str_chr(entry, '/');
	size_t n = slash ? (size_t)(slash - entry.p) : entry.n;
	int64_t bits;
	bool four;

	if (!to_bytes((struct str){ entry.p, n }, out, &four))
		return false;
	*out_bits = 128;
	if (!slash)
		return true;
	if (!str_to_int((struct str){ slash + 1, entry.n - n - 1 }, 0, four ? 32 : 128, &bits))
		return false;
	*out_bits = (int)bits + (four ? 96 : 0);
	return true;
}

static bool is_within(const unsigned char a[16], const unsigned char net[16], int bits)
{
	int rest = bits % 8;

	return memcmp(a, net, (size_t)bits / 8) == 0 &&
	       (!rest || (a[bits / 8] ^ net[bits / 8]) >> (8 - rest) == 0);
}

/* The next entry of LIST from *AT on; false: there is none. */
static bool next_entry(const char **at, struct str *out)
{
	const char *p = *at ? *at + strspn(*at, ", ") : NULL;

	if (!p || !*p)
		return false;
	*out = (struct str){ p, strcspn(p, ", ") };
	*at = p + out->n;
	return true;
}

bool http_list_names(const char *list, const char *address)
{
	unsigned char a[16], net[16];
	struct str entry;
	bool four;
	int bits;

	if (!to_bytes(str_of(address), a, &four))
		return false;
	while (next_entry(&list, &entry))
		if (read_entry(entry, net, &bits) && is_within(a, net, bits))
			return true;
	return false;
}

bool http_list_is_sound(const char *list, struct str *out_bad)
{
	unsigned char net[16];
	int bits;

	while (next_entry(&list, out_bad))
		if (!read_entry(*out_bad, net, &bits))
			return false;
	return true;
}

bool http_address_read(struct str text, char out[HTTP_ADDRESS_MAX])
{
	struct in6_addr a;
	bool four;

	return to_bytes(text, a.s6_addr, &four) && name_ipv6(&a, out);
}

bool http_list_covers(const char *list, struct str address)
{
	char text[HTTP_ADDRESS_MAX];

	if (str_is(address, HTTP_PEER_LOCAL))
		address = STR("127.0.0.1");
	if (!address.n || address.n >= sizeof(text))
		return false;
	memcpy(text, address.p, address.n);
	text[address.n] = 0;
	return http_list_names(list, text);
}

/* --- counting --- */

static struct http_owner_count **slot_of(enum http_owner kind, struct str key)
{
	uint32_t h = 2166136261u ^ (uint32_t)kind; /* FNV-1a */

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * 16777619u;
	return &owners.slot[h % SLOTS];
}

static struct http_owner_count *find(enum http_owner kind, struct str key)
{
	struct http_owner_count *o = *slot_of(kind, key);

	while (o && !(o->kind == kind && o->n == key.n && memcmp(o->key, key.p, key.n) == 0))
		o = o->next;
	return o;
}

static struct http_owner_count *add(enum http_owner kind, struct str key)
{
	struct http_owner_count **slot = slot_of(kind, key), *o = xcalloc(1, sizeof(*o));

	o->kind = kind;
	o->n = key.n;
	memcpy(o->key, key.p, key.n);
	o->next = *slot;
	*slot = o;
	return o;
}

void http_conn_disown(struct http_conn *c, enum http_owner kind)
{
	struct http_owner_count *o = c->owner[kind], **at;

	c->owner[kind] = NULL;
	if (!o || --o->connections)
		return;
	at = slot_of(kind, (struct str){ o->key, o->n });
	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	free(o);
}

const char *http_owner_name(enum http_owner kind)
{
	static const char *const names[] = { "address", "user", "guest" };

	return names[kind];
}

static void note_refused(enum http_owner kind, struct str key, uint64_t limit)
{
	int64_t now = clock_mono_us();

	http_count.refused[kind]++;
	if (owners.refused[kind].said_us && now - owners.refused[kind].said_us < QUIET_US) {
		owners.refused[kind].unsaid++;
		return;
	}
	log_warn(NULL, "connection refused limit=%s key=%.*s connections=%llu more=%llu",
		http_owner_name(kind), (int)key.n, key.p, (unsigned long long)limit,
		(unsigned long long)owners.refused[kind].unsaid);
	owners.refused[kind].said_us = now;
	owners.refused[kind].unsaid = 0;
}

bool http_owner_may(enum http_owner kind, struct str key, uint64_t limit)
{
	const struct http_owner_count *o = limit ? find(kind, key) : NULL;

	if (!o || o->connections < limit)
		return true;
	note_refused(kind, key, limit);
	return false;
}

bool http_conn_own(struct http_conn *c, enum http_owner kind, struct str key, uint64_t limit)
{
	struct http_owner_count *o = c->owner[kind];

	key.n = key.n < KEY_MAX ? key.n : KEY_MAX;
	if (o && o->n == key.n && memcmp(o->key, key.p, key.n) == 0)
		return true;
	if (!http_owner_may(kind, key, limit))
		return false;
	http_conn_disown(c, kind);
	o = find(kind, key);
	c->owner[kind] = o ? o : add(kind, key);
	c->owner[kind]->connections++;
	return true;
}

void http_conn_disown_all(struct http_conn *c)
{
	for (int kind = 0; kind < HTTP_OWNERS; kind++)
		http_conn_disown(c, (enum http_owner)kind);
}

/* --- requests --- */

bool http_from_proxy(const struct http_request *r)
{
	return r->conn->proxy;
}

bool http_is_proxy(const struct http_request *r, const char *address)
{
	return http_list_names(r->conn->server->set.trusted_proxies, address);
}

bool http_count_address(struct http_request *r)
{
	char key[HTTP_ADDRESS_MAX];

	http_address_key(r->peer, key);
	return http_conn_own(r->conn, HTTP_OWNER_ADDRESS, str_of(key),
		(uint64_t)r->conn->server->set.address_connections);
}

bool http_count_user(struct http_request *r, struct str user)
{
	return http_conn_own(
		r->conn, HTTP_OWNER_USER, user, (uint64_t)r->conn->server->set.user_connections);
}

bool http_count_guest(struct http_request *r, uint64_t limit)
{
	char key[HTTP_ADDRESS_MAX];

	http_address_key(r->peer, key);
	return http_conn_own(r->conn, HTTP_OWNER_GUEST, str_of(key), limit);
}
