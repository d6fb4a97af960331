/* SPDX-License-Identifier: Apache-2.0
 * The interface of capability policy. */
#include "policy.h"

const struct feature policy_feature = {
	.name = "policy",
	.routes = policy_routes,
};
