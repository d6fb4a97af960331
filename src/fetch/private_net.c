/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/private_net.h"

#include <netinet/in.h>

struct net {
	unsigned char prefix[16];
	int bits;
};

static const struct net nets4[] = {
	{ { 0 }, 8 }, { { 10 }, 8 }, { { 100, 64 }, 10 }, { { 127 }, 8 }, { { 169, 254 }, 16 },
	{ { 172, 16 }, 12 }, { { 192, 0, 0 }, 24 }, { { 192, 0, 2 }, 24 }, { { 192, 88, 99 }, 24 },
	{ { 192, 168 }, 16 }, { { 198, 18 }, 15 }, { { 198, 51, 100 }, 24 },
	{ { 203, 0, 113 }, 24 }, { { 224 }, 3 }, /* multicast, reserved, broadcast */
};

static const struct net nets6[] = {
	{ { 0 }, 80 },                            /* ::, ::1, IPv4-compatible, IPv4-mapped */
	{ { 0x00, 0x64, 0xff, 0x9b }, 96 },       /* NAT64 */
	{ { 0x00, 0x64, 0xff, 0x9b, 0, 1 }, 48 }, /* NAT64 within a site */
	{ { 0x01, 0x00 }, 64 },                   /* discard */
	{ { 0x20, 0x01 }, 23 },                   /* protocol assignments, among them Teredo */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },       /* documentation */
	{ { 0x20, 0x02 }, 16 },                   /* 6to4 */
	{ { 0x3f, 0xff }, 20 },                   /* documentation */
	{ { 0x5f, 0x00 }, 16 },                   /* segment routing */
	{ { 0xfc }, 7 },                          /* unique local */
	{ { 0xfe, 0x80 }, 10 },                   /* link local */
	{ { 0xfe, 0xc0 }, 10 },                   /* site local */
	{ { 0xff }, 8 },                          /* multicast */
};

static bool is_in(const unsigned char *a, const struct net *n)
{
	int bytes = n->bits / 8, rest = n->bits % 8;

	return memcmp(a, n->prefix, (size_t)bytes) == 0 &&
	       (!rest || (a[bytes] ^ n->prefix[bytes]) >> (8 - rest) == 0);
}

static bool is_in_any(const unsigned char *a, const struct net *nets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_in(a, &nets[i]))
			return true;
	return false;
}

static bool is_private4(const unsigned char *a)
{
	return is_in_any(a, nets4, ARRAY_LEN(nets4));
}

bool is_private_address(const struct sockaddr *sa)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	const unsigned char *a;

	if (sa->sa_family == AF_INET)
		return is_private4(
			(const unsigned char *)&((const struct sockaddr_in *)(const void *)sa)
				->sin_addr.s_addr);
	if (sa->sa_family != AF_INET6)
		return true;
	a = ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr;
	if (memcmp(a, mapped, sizeof(mapped)) == 0)
		return is_private4(a + 12);
	return is_in_any(a, nets6, ARRAY_LEN(nets6));
}
