/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SLADESK_FEATURE_DASHBOARD_OVERVIEW_H
#define SLADESK_FEATURE_DASHBOARD_OVERVIEW_H

#include "base/base.h"

/* Have the overview of thirty days ready for a customer's people of this language and these
 * permissions (a session's bits), who see all tickets. */
void overview_warm(int64_t tenant_id, bool zh, uint32_t permissions);

#endif
