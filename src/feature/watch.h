/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SLADESK_FEATURE_WATCH_H
#define SLADESK_FEATURE_WATCH_H

#include "signin.h"

/* Somebody has just signed in: look, on the side, whether it is unlike usual; record and tell it.
 */
void watch_sign_in(struct req *req, const struct sign_in *s);

#endif
