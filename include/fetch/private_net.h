/* SPDX-License-Identifier: Apache-2.0
 * Addresses that are not on the public Internet. Pure. */
#ifndef SLADESK_FETCH_PRIVATE_NET_H
#define SLADESK_FETCH_PRIVATE_NET_H

#include "base/base.h"

struct sockaddr;

/* Is the address of SA not globally reachable by the special-purpose registries of IANA (RFC 6890
 * and its successors), or does it embed an IPv4 address, which a gateway of ours could translate?
 * True also for any other address family. */
bool is_private_address(const struct sockaddr *sa);

#endif
