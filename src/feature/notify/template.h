/* SPDX-License-Identifier: Apache-2.0
 * The templates of texts: what they may say, and what becomes of them. Pure: the daemon renders and
 * checks with it, sladesk too.
 *
 * {{name}}    the value of a variable (variables.def)
 * {{?name}}   at the begin of a line of a body: the line stands only if the variable has a value
 * {{!name}}   and this only if it has none */
#ifndef SLADESK_FEATURE_NOTIFY_TEMPLATE_H
#define SLADESK_FEATURE_NOTIFY_TEMPLATE_H

#include "base/base.h"

struct outbox_row;

/* Where the values come from. */
struct template_values {
	/* Append the value of NAME; of an unknown one nothing. */
	void (*add)(struct buf *b, struct str name, const struct template_values *v);
	const struct outbox_row *row; /* NULL: examples */
	bool zh;
};

/* Append TEXT with the values of V. A value may be a secret: what it needed in between is wiped. */
void template_render(struct buf *b, struct str text, const struct template_values *v);
/* Values that serve as examples. */
struct template_values template_examples(bool zh);

/* A text that somebody wants to save, and what was shipped in its place. */
struct template_text {
	const char *code;
	struct str subject, body;
	struct str shipped_subject, shipped_body, shipped_all; /* all: in both languages */
};
struct template_fault {
	const char *field; /* "subject" or "body" */
	char en[1200], zh[1200];
	struct str example; /* of the right form: a part of what was shipped */
};

/* Can the subject be saved? Otherwise *FAULT says why not. */
bool template_subject_is_valid(const struct template_text *t, struct template_fault *fault);
/* The same for the body. */
bool template_body_is_valid(const struct template_text *t, struct template_fault *fault);
/* The variables that text T may use, by number from 0 on; NULL: no more. */
const char *template_variable(const struct template_text *t, size_t n);

#endif
