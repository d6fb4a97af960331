/* SPDX-License-Identifier: Apache-2.0 */
#include "live.h"

const struct route live_routes[] = {
	{ HTTP_GET, "/api/v1/live", PERM_ANYONE, .ws = &push_handler, .on_ws = push_open,
		.about = "the live feed (WebSocket)", .about_zh = "实时推送(WebSocket)" },
	{ 0 },
};
