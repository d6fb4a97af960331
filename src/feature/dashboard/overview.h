/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SLADESK_FEATURE_DASHBOARD_OVERVIEW_H
#define SLADESK_FEATURE_DASHBOARD_OVERVIEW_H

#include "base/base.h"

/* Compute in advance the 30-day overview for a customer's users with this language and these
 * permissions (a session's bits) who see all tickets. */
void overview_warm(int64_t tenant_id, bool zh, uint32_t permissions);

#endif
