/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest.h"
#include "flow_gen.h"

const struct route selftest_routes[] = {
	{ HTTP_GET, "/test/echo", PERM_ANYONE, .ws = &echo_handler, .on_ws = echo_open,
		.contract = &contract_selftest_echo },
	{ HTTP_POST, "/test/sink", PERM_ANYONE, .flow = sink_done, .stream = sink_piece,
		.contract = &contract_selftest_sink },
	{ HTTP_GET, "/test/flood", PERM_ANYONE, .flow = flood,
		.contract = &contract_selftest_flood },
	{ HTTP_GET, "/test/probe", PERM_ANYONE, .flow = probe_worker,
		.contract = &contract_selftest_probe },
	{ 0 },
};
