/* SPDX-License-Identifier: Apache-2.0
 * Time codes by liboath (RFC 6238). */
#include "totp.h"

#include <liboath/oath.h>
#include <openssl/crypto.h>

#define STEP_S 30

/* Apps show "123 456", and users type the blank. */
static bool six_digits(const char *code, char out[7])
{
	size_t n = 0;

	for (; *code; code++) {
		if (*code == ' ')
			continue;
		if (*code < '0' || *code > '9' || n == 6)
			return false;
		out[n++] = *code;
	}
	out[n] = 0;
	return n == 6;
}

int64_t totp_step(const PGresult *rows, int row, int col, const char *code, int64_t now_s)
{
	struct buf secret = { 0 };
	int at = 0, rc = OATH_INVALID_OTP;
	char digits[7];

	if (six_digits(code, digits) && db_open(&secret, rows, row, col) &&
		secret.n == TOTP_SECRET_BYTES)
		rc = oath_totp_validate2(
			secret.p, secret.n, (time_t)now_s, STEP_S, 0, 1, &at, digits);
	if (secret.n)
		OPENSSL_cleanse(secret.p, secret.n);
	buf_free(&secret);
	return rc >= 0 ? now_s / STEP_S + at : 0;
}
