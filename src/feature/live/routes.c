/* SPDX-License-Identifier: Apache-2.0 */
#include "live.h"
#include "flow_gen.h"

const struct route live_routes[] = {
	{ HTTP_GET, "/api/v1/live", PERM_ANYONE, .ws = &push_handler, .on_ws = push_open,
		.contract = &contract_live_feed },
	{ 0 },
};
