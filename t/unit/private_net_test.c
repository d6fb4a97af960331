/* SPDX-License-Identifier: Apache-2.0
 * The first and the last address of each network that is not public, and their neighbours. */
#include "unit.h"
#include "fetch/private_net.h"

#include <arpa/inet.h>

static bool is_private(const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return is_private_address((struct sockaddr *)&v4);
	CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return is_private_address((struct sockaddr *)&v6);
}

static void check_all(const char *const *addresses, bool expected)
{
	for (; *addresses; addresses++)
		if (is_private(*addresses) != expected) {
			printf("%s should%s be private\n", *addresses, expected ? "" : " not");
			CU_FAIL("wrong");
		} else {
			CU_PASS("right");
		}
}

static void private_ones(void)
{
	check_all((const char *const[]){ "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255",
			  "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255",
			  "169.254.0.0", "169.254.169.254", "172.16.0.0", "172.31.255.255",
			  "192.0.0.0", "192.0.0.255", "192.0.2.1", "192.88.99.1", "192.168.0.0",
			  "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.7",
			  "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
			  "255.255.255.255", "::", "::1", "::127.0.0.1", "::8.8.8.8",
			  "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:198.18.0.1",
			  "64:ff9b::", "64:ff9b::127.0.0.1", "64:ff9b::ffff:ffff", "64:ff9b:1::",
			  "64:ff9b:1:ffff::1", "100::", "100::1", "2001::1", "2001:1ff:ffff::1",
			  "2001:db8::1", "2002::", "2002:7f00:1::1", "2002:ffff:ffff::", "3fff::1",
			  "3fff:fff:ffff::1", "5f00::1", "fc00::1", "fdff:ffff::1", "fe80::1",
			  "febf::1", "fec0::1", "feff::1", "ff02::1", NULL },
		true);
}

static void public_ones(void)
{
	check_all((const char *const[]){ "1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0",
			  "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
			  "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
			  "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.88.98.255",
			  "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
			  "203.0.112.255", "203.0.114.0", "223.255.255.255", "::ffff:8.8.8.8",
			  "64:ff9c::1", "64:ff9b:2::1", "100:0:0:1::1", "2001:200::1",
			  "2001:4860:4860::8888", "2001:db9::1", "2003::1", "2400:cb00::1",
			  "2606:4700::1111", "3fff:1000::1", "5f01::1", "fbff::1", NULL },
		false);
}

UNIT_MAIN("private_net", { "not public", private_ones }, { "public", public_ones })
