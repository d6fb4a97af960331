/* SPDX-License-Identifier: Apache-2.0
 * Pure checks of a text that somebody wants to save. The API, the command line, imports and
 * messages from other systems share them, so that none of them saves what another refuses. */
#ifndef SLADESK_BASE_TEXT_H
#define SLADESK_BASE_TEXT_H

#include "base/base.h"

/* Does well-formed S show nothing: only white space, control characters and characters without a
 * glyph? An empty text is blank. */
bool text_is_blank(struct str s);
/* Does S contain a control character (U+0000 to U+001F, U+007F to U+009F, U+2028, U+2029)? */
bool text_has_control(struct str s);
/* Append S as one line that is read as it is stored: a blank replaces each control character and
 * each mark that changes the order of the letters around it. */
void text_add_line(struct buf *b, struct str s);
/* Can S be a tag: one line that is not blank? */
bool text_is_tag(struct str s);
/* Can V be a mail address that every relay accepts: an ASCII dot-atom and a host name (RFC 5321,
 * 4.1.2, without quotes and address literals)? International domains are in their ASCII form. */
bool text_is_mail(const char *v);
/* Read V as a mailbox: an address, or a name and an address in angle brackets (sladesk
 * <desk@example.com>); quotes around the name are no part of it. The name has no control character.
 * OUT_NAME (empty: none) and OUT_ADDRESS point into V. Returns false if V is not one. */
bool text_read_mailbox(const char *v, struct str *out_name, struct str *out_address) MUST_USE;
/* Can V be the name of a host: labels of letters, digits and hyphens, the last one not a number? */
bool text_is_host(const char *v);
/* Can V be a login name: up to 100 lower-case letters, digits and . _ @ -, the first one a letter
 * or a digit? */
bool text_is_login_name(const char *v);
/* Can V be the address of a webhook: http or https, in any case, a host, an optional port, and no
 * user, blank, control character or backslash? */
bool text_is_web(const char *v);

#endif
