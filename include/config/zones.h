/* SPDX-License-Identifier: Apache-2.0
 * Zones of the system's database. */
#ifndef SLADESK_CONFIG_ZONES_H
#define SLADESK_CONFIG_ZONES_H

#include "sla/zone.h"

/* Read a zone of the system's database by name, kept until the process ends; NULL when there is
 * none. */
const struct zone *zone_find(const char *name);

#endif
