/* SPDX-License-Identifier: Apache-2.0
 * Texts that look alike are the same text: Unicode's composed form (NFC), and the folding of names.
 * The tables are ICU's. */
#ifndef SLADESK_BASE_UNICODE_H
#define SLADESK_BASE_UNICODE_H

#include "base/base.h"

/* TEXT (valid UTF-8) in NFC; the caller frees it. */
char *unicode_nfc(const char *text) MUST_USE;
/* The form of the name TEXT that is compared and counted: trimmed, in NFC, case folded. The caller
 * frees it. */
char *unicode_name(const char *text) MUST_USE;

enum unicode_class {
	UNICODE_OTHER,
	UNICODE_UPPER,
	UNICODE_LOWER,
	UNICODE_LETTER,
	UNICODE_DIGIT,
	UNICODE_PUNCTUATION
};
/* Return the class of the character at *P (valid UTF-8, not at its end), and move *P past it.
 * Blanks are punctuation; a letter without case is UNICODE_LETTER. */
enum unicode_class unicode_next(const char **p);

#endif
