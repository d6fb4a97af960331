/* SPDX-License-Identifier: Apache-2.0
 * Reads a User-Agent: which browser, on which system. For people who must recognise their own
 * device; it proves nothing. */
#ifndef SLADESK_FEATURE_IDENTITY_DEVICE_H
#define SLADESK_FEATURE_IDENTITY_DEVICE_H

struct device {
	char browser[40], system[24]; /* "": not known */
};

/* Read AGENT. A program that is no browser is named as it names itself: curl. */
void device_read(const char *agent, struct device *out);

#endif
