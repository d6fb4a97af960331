/* SPDX-License-Identifier: Apache-2.0
 * What is wrong with a policy's or a calendar's document, for a reader of Chinese: sla/ tells it in
 * English alone. */
#ifndef SLADESK_FEATURE_POLICY_FAULT_TEXT_H
#define SLADESK_FEATURE_POLICY_FAULT_TEXT_H

#include "core/request.h"

/* Note that DOCUMENT is not valid, for the reason ERROR of sla_policy_read or calendar_read. */
void policy_fault_text_note(struct req *req, const char *error);

#endif
