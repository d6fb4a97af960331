/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest.h"

const struct route selftest_routes[] = {
	{ HTTP_GET, "/test/echo", PERM_ANYONE, .ws = &echo_handler, .on_ws = echo_open,
		.about = "test only: WebSocket echo" },
	{ HTTP_POST, "/test/sink", PERM_ANYONE, .flow = sink_done, .stream = sink_piece,
		.about = "test only: streamed upload" },
	{ HTTP_GET, "/test/flood", PERM_ANYONE, .flow = flood,
		.about = "test only: streamed download" },
	{ HTTP_GET, "/test/probe", PERM_ANYONE, .flow = probe_worker,
		.about = "test only: what a helper may do" },
	{ 0 },
};
