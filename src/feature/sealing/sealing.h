/* SPDX-License-Identifier: Apache-2.0
 * After an upgrade, values that an earlier version encrypted, or stored as plain text, are
 * encrypted anew, bound to their place. */
#ifndef SLADESK_FEATURE_SEALING_SEALING_H
#define SLADESK_FEATURE_SEALING_SEALING_H

#include "core/feature.h"

extern const struct feature sealing_feature;

#endif
