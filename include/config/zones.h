/* SPDX-License-Identifier: Apache-2.0
 * Time zones from the system's database. */
#ifndef SLADESK_CONFIG_ZONES_H
#define SLADESK_CONFIG_ZONES_H

#include "sla/zone.h"

/* Return a zone of the system's database by name, or NULL if there is none. It is kept until the
 * process ends. */
const struct zone *zone_find(const char *name);

#endif
