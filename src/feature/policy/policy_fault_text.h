/* SPDX-License-Identifier: Apache-2.0
 * The errors of policy and calendar documents in Chinese; sla/ reports them in English only. */
#ifndef SLADESK_FEATURE_POLICY_FAULT_TEXT_H
#define SLADESK_FEATURE_POLICY_FAULT_TEXT_H

#include "core/request.h"

/* Note that DOCUMENT is invalid, with the reason ERROR of sla_policy_read or calendar_read. */
void policy_fault_text_note(struct req *req, const char *error);

#endif
